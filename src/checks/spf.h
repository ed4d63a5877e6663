/*
 * spf - is the client allowed to send for the domain it names? (RFC 7208)
 *
 * HELO is evaluated first, then MAIL FROM; a HELO that fails decides, else MAIL FROM does, else (null reverse-path)
 * HELO. Fact "spf": a struct auth_spf. When dmarc has the last word, the refusal is a REJECT_UNLESS.
 *
 * OWNS: nothing. THREADS: any. ERRORS: name servers that do not answer are the result temperror, not an error.
 */
#ifndef POSTERN_CHECKS_SPF_H
#define POSTERN_CHECKS_SPF_H

#include "auth/auth.h"
#include "core/check.h"

extern const struct check check_spf;

enum check_spf_action { CHECK_SPF_ACCEPT, CHECK_SPF_TAG, CHECK_SPF_QUARANTINE, CHECK_SPF_TEMPFAIL, CHECK_SPF_REJECT };

struct check_spf_options {
    struct check_options common;
    int engine; /* enum sender_engine */
    int source; /* enum authres_source */
    int64_t void_limit;
    int fail, softfail, neutral, none, permerror, temperror; /* enum check_spf_action */
    bool defer_to_dmarc;
    const struct domain_set *skip_domains;
    const struct netset *skip_networks, *trusted_relays;
    const struct template *reply, *reply_error, *reply_defer;
};

/* Pure: what follows from the result. The reply is left to the hook. */
struct result check_spf_decide(const struct check_spf_options *options, const struct auth_spf *spf);

#endif
