/*
 * dkim_verify - DKIM signatures verified (RFC 6376, 8301, 8463) by one of two engines, with keys from our dns.
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

enum verifier_engine_name { VERIFIER_BUILTIN, VERIFIER_LIBOPENDKIM };

struct verifier_service;

/* One per process; serves both engines. NULL: out of memory, or libcrypto does without SHA-256. */
struct verifier_service *verifier_service_create(void);
void verifier_service_destroy(struct verifier_service *service);

/* Can the engine check Ed25519 signatures? Without that they are neutral. */
bool verifier_service_knows_ed25519(const struct verifier_service *service, enum verifier_engine_name engine);

#define VERIFIER_SIGNATURES_MAX 16 /* the most that max_signatures may be */
#define VERIFIER_DRIFT_MAX 86400   /* the most that clock_drift may be, in seconds */
#define VERIFIER_KEY_BITS_MIN 1024 /* the fewest of an RSA key that count for anything (RFC 8301 3.2) */

struct verifier_options {
    enum verifier_engine_name engine;
    unsigned max_signatures; /* how many are verified: those aligned with From first */
    unsigned min_key_bits;   /* of RSA; VERIFIER_KEY_BITS_MIN if it is less */
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
