/*
 * autoreply - answers for people who are away, once in 7 days for each sender.
 *
 * Reads: header; facts "spf", "dkim", "dmarc". Provides: "autoreply". Proposes: nothing; queues replies (answer.h).
 */
#ifndef POSTERN_CHECKS_AUTOREPLY_H
#define POSTERN_CHECKS_AUTOREPLY_H

#include "autoreply/answer.h"
#include "core/check.h"

extern const struct check check_autoreply;

struct autoreply_options {
    struct check_options common;
    int require_auth; /* enum silence_auth */
    const struct string_list *silence_on, *noreply;
    int64_t max_per_minute, max_per_sender_domain_per_hour, max_per_mailbox_per_hour;
    int64_t message_budget; /* ms */
};

struct answer_options autoreply_answer_options(const struct autoreply_options *options);

#endif
