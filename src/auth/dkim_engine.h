/* dkim_engine - what the files of the verifier share; only for the files dkim_*.c of auth/. */
#ifndef POSTERN_AUTH_DKIM_ENGINE_H
#define POSTERN_AUTH_DKIM_ENGINE_H

#include "auth/dkim_verify.h"
#include "auth/field_index.h"
#include "auth/signature.h"

struct verifier_service {
    struct evp_md_st *sha256; /* fetched once: looking it up costs more than a short hash */
    struct key_cache *keys;   /* of the builtin engine */
    void *libopendkim;        /* its library handle */
    bool libopendkim_knows_ed25519, libcrypto_knows_ed25519;
};

/* One signature of the message. */
struct candidate {
    struct signature signature;
    const struct header_field *field;
    size_t order;  /* in the header */
    int alignment; /* 2: d= is the From domain, 1: one is below the other, 0: neither */
    bool is_chosen;
    void *handle; /* the engine's own */
    struct signature_key key;
    struct auth_dkim_signature result;
    bool is_done; /* the result is known */
};

struct verifier {
    struct verifier_service *service;
    const struct verifier_options *options;
    const struct verifier_engine *engine;
    void *state; /* the engine's; NULL: it has nothing to do */
    struct arena *arena;
    const struct message *message;
    struct candidate *candidates; /* all, in the order of the header */
    size_t count;
    struct candidate **chosen; /* in the order of the results */
    size_t chosen_count;
};

/* An engine says which of the chosen signatures fit the message; it sees those that are not done, and each is well
 * formed. Called in this order, and only while a signature is open. */
struct verifier_engine {
    void (*begin)(struct verifier *verifier); /* sets `state` */
    bool (*wants_body)(const struct verifier *verifier);
    void (*body)(struct verifier *verifier, struct span bytes); /* never empty */
    void (*end_body)(struct verifier *verifier);
    void (*judge)(struct verifier *verifier); /* the keys are there: no signature stays open */
};

extern const struct verifier_engine verifier_builtin, verifier_libopendkim;

/* dkim_choose.c: all signatures of the message, those that are verified, and what can be said of them without key and
 * body. */
void verifier_choose(struct verifier *verifier);

/* dkim_keys.c */
void verifier_prefetch_keys(const struct verifier *verifier, struct dns *dns);
/* A signature whose key cannot be used is done, the others have it. */
void verifier_fetch_keys(struct verifier *verifier, struct dns *dns, struct dns_budget *budget);

/* dkim_verify.c */
void verifier_finish_candidate(struct candidate *candidate, enum auth_result result, const char *reason);
void verifier_finish_open(struct verifier *verifier, enum auth_result result, const char *reason);
bool verifier_any_is_open(const struct verifier *verifier);
/* The canonical body has LENGTH octets: does the signature leave some out? */
void verifier_measure(struct candidate *candidate, int64_t length);
/* A pass, and whether it counts. Measured before. */
void verifier_pass(struct verifier *verifier, struct candidate *candidate);
/* Is an RSA key of BITS too short? Then the signature is done. */
bool verifier_key_is_short(struct verifier *verifier, struct candidate *candidate, unsigned bits);

/* dkim_libopendkim.c. False: it could not be started. */
bool verifier_libopendkim_open(struct verifier_service *service);
void verifier_libopendkim_close(struct verifier_service *service);

#endif
