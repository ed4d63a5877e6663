/*
 * dkim - verifies DKIM signatures and says what they are worth; refuses nothing unless told to.
 *
 * Fact "dkim": a struct auth_dkim, for dmarc and for Authentication-Results.
 * OWNS: nothing. THREADS: any. ERRORS: a name server that does not answer is the result temperror, not an error.
 */
#ifndef POSTERN_CHECKS_DKIM_H
#define POSTERN_CHECKS_DKIM_H

#include "auth/auth.h"
#include "core/check.h"

extern const struct check check_dkim;

enum check_dkim_action {
    CHECK_DKIM_ACCEPT,
    CHECK_DKIM_TAG,
    CHECK_DKIM_QUARANTINE,
    CHECK_DKIM_TEMPFAIL,
    CHECK_DKIM_REJECT
};

struct check_dkim_options {
    struct check_options common;
    int engine;                                        /* enum verifier_engine_name */
    int source;                                        /* enum authres_source */
    int64_t max_signatures, min_key_bits, clock_drift; /* clock_drift in ms */
    bool allow_l;
    int none, neutral, fail, policy, temperror, permerror; /* enum check_dkim_action */
    const struct template *reply, *reply_defer;
};

/* Pure: what follows from the best result. The reply is left to the hook. */
struct result check_dkim_decide(const struct check_dkim_options *options, enum auth_result result);

#endif
