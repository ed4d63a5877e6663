/*
 * recipients - how many recipients a message may have (RFC 5321 4.5.3.1.8 and .10).
 *
 * Distinct addresses that stand are counted, by the core; a repeated address and one that was refused do not count.
 * recipients_decide() is the whole policy for one RCPT and touches nothing but its arguments.
 *
 * OWNS: nothing. THREADS: any.
 */
#ifndef POSTERN_CHECKS_RECIPIENTS_H
#define POSTERN_CHECKS_RECIPIENTS_H

#include "core/check.h"

extern const struct check check_recipients;

enum recipients_action {
    RECIPIENTS_PASS,
    RECIPIENTS_DEFER,         /* this one 4xx, the others stand */
    RECIPIENTS_REJECT,        /* this one 5xx, the others stand */
    RECIPIENTS_REJECT_MESSAGE /* this one 5xx, and DATA 5xx for all */
};

struct recipients_options {
    struct check_options common;
    int64_t max;                                    /* distinct recipients a message */
    int excess, excess_authenticated;               /* enum recipients_action, never PASS */
    int64_t max_header;                             /* addresses in To and Cc; 0 = no limit */
    const struct template *reply_defer, *reply_reject, *reply_message, *reply_header;
};

struct recipients_facts {
    enum session_class class;
    size_t standing;     /* distinct recipients that stand */
    bool is_repeated;    /* this one is among them */
};

/* What to do with one more recipient. */
enum recipients_action recipients_decide(const struct recipients_options *options,
                                         const struct recipients_facts *facts);

/* True if COUNT addresses in To and Cc are too many. */
bool recipients_header_is_over(const struct recipients_options *options, size_t count);

#endif
