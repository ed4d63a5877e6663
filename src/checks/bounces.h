/*
 * bounces - backscatter: bounces for mail that was never sent from here are refused.
 *
 * Reads: the envelope. Provides: nothing. Proposes: nothing.
 */
#ifndef POSTERN_CHECKS_BOUNCES_H
#define POSTERN_CHECKS_BOUNCES_H

#include "core/check.h"

extern const struct check check_bounces;

struct bounces_options {
    struct check_options common;
    bool require_srs;
    const struct template *reply;
};

/* RECIPIENT gets a bounce (REVERSE_PATH is the null one): may it be for mail of ours? SIGNED: domains whose outgoing mail
 * carries a signed reverse-path. */
bool bounces_is_genuine(const struct domain_set *signed_domains, const char *reverse_path, const char *recipient);

#endif
