/*
 * dkim_verify - DKIM signatures verified by libopendkim (RFC 6376, 8301, 8463), with keys from our dns.
 *
 * verifier_begin() at the end of the header, verifier_body() for each piece of the body, verifier_finish() at its end.
 * OWNS: a verifier and its results live on the arena given. THREADS: a service is shared by all threads, a verifier
 * belongs to one session. ERRORS: there are none to handle: whatever goes wrong is the result of a signature.
 */
#ifndef POSTERN_AUTH_DKIM_VERIFY_H
#define POSTERN_AUTH_DKIM_VERIFY_H

#include "auth/auth.h"
#include "core/message.h"
#include "dns/dns.h"

struct verifier_service;

/* One per process. NULL: out of memory. */
struct verifier_service *verifier_service_create(void);
void verifier_service_destroy(struct verifier_service *service);

/* Can the library check Ed25519 signatures? Without that they are neutral. */
bool verifier_service_knows_ed25519(const struct verifier_service *service);

#define VERIFIER_SIGNATURES_MAX 16 /* the most that max_signatures may be */
#define VERIFIER_DRIFT_MAX 86400   /* the most that clock_drift may be, in seconds */

struct verifier_options {
    unsigned max_signatures; /* how many are verified: those aligned with From first */
    unsigned min_key_bits;   /* of RSA */
    bool allow_l;            /* a signature of a part of the body counts too */
    int64_t clock_drift;     /* seconds that clocks may differ */
};

struct verifier;

/* The header is complete. Starts to look for the keys. SERVICE, OPTIONS and MESSAGE must outlive the verifier; DNS may
 * be NULL (then keys cannot be had). */
struct verifier *verifier_begin(struct verifier_service *service, const struct verifier_options *options,
                                struct arena *arena, const struct message *message, struct dns *dns);

/* False: no signature is left that the body could make pass. */
bool verifier_wants_body(const struct verifier *verifier);

void verifier_body(struct verifier *verifier, struct span bytes);

/* Once. Waits for the keys as BUDGET allows. */
const struct auth_dkim *verifier_finish(struct verifier *verifier, struct dns *dns, struct dns_budget *budget);

#endif
