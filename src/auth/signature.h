/*
 * signature - the tag lists of DKIM (RFC 6376 3.2): a DKIM-Signature field and a key record, read strictly.
 *
 * What is malformed here is verified by no engine. libopendkim's parser lets much through that it stumbles over later.
 * OWNS: all texts live in the arena given. THREADS: any.
 */
#ifndef POSTERN_AUTH_SIGNATURE_H
#define POSTERN_AUTH_SIGNATURE_H

#include "util/arena.h"
#include "util/span.h"
#include <stdbool.h>
#include <stdint.h>

enum signature_algorithm { SIGNATURE_UNKNOWN, SIGNATURE_RSA_SHA1, SIGNATURE_RSA_SHA256, SIGNATURE_ED25519_SHA256 };

struct signature {
    const char *problem;   /* what is malformed; NULL: nothing. The rest is set as far as it could be read */
    const char *domain;    /* d=, canonical; "" if that is no domain name */
    const char *selector;  /* s=; "" if that is none */
    const char *key_name;  /* "SELECTOR._domainkey.DOMAIN"; NULL if that is no name that can be asked for */
    const char *identity;  /* i=; NULL if there is none */
    bool is_of_subdomain;  /* the domain of i= is below d= */
    const char *algorithm; /* a=, in lower case; "" */
    enum signature_algorithm code;
    const char *b;              /* b= without white space; "" */
    struct span b_place;        /* in the field: what its own hash leaves out, all between "b=" and ";" (3.7) */
    const char *body_hash;      /* bh= without white space; "" */
    const char *const *headers; /* names in h=, as written */
    size_t header_count;
    bool header_is_relaxed, body_is_relaxed;
    int64_t length;    /* l=, -1: none */
    int64_t timestamp; /* t=, -1: none */
    int64_t expiry;    /* x=, -1: none */
};

/* VALUE of the field, as received. */
void signature_parse(struct arena *arena, struct span value, struct signature *signature);

/* True if h= names the field NAME, in any case. */
bool signature_covers(const struct signature *signature, struct span name);

struct signature_key {
    const char *problem; /* why no signature can be checked with it; NULL: nothing */
    bool is_revoked;     /* p= is empty */
    bool is_ed25519;     /* k=ed25519; else rsa */
    bool is_strict;      /* t=s: i= must be of d= itself */
    const char *data;    /* p= without white space: base64 */
    const char *record;  /* the same key in few and plain bytes: version, type, key */
};

void signature_key_parse(struct arena *arena, struct span record, struct signature_key *key);

/* Could RECORD, one of several TXT at the name of a key, be meant as a key? */
bool signature_key_is_meant(struct span record);

#endif
