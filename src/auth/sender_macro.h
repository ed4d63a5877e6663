/*
 * sender_macro - the macro language of SPF (RFC 7208 section 7): its syntax, and its expansion.
 *
 * OWNS: results live on the arena given. THREADS: any. ERRORS: only syntax can be wrong; expansion cannot fail.
 */
#ifndef POSTERN_AUTH_SENDER_MACRO_H
#define POSTERN_AUTH_SENDER_MACRO_H

#include "util/arena.h"
#include "util/netaddr.h"
#include "util/span.h"

enum sender_macro_kind {
    SENDER_MACRO_DOMAIN, /* domain-spec: must end in a top label or a macro, and knows no c, r and t */
    SENDER_MACRO_STRING, /* macro-string of an unknown modifier */
    SENDER_MACRO_TEXT    /* explain-string: blanks are fine */
};

/* NULL, or what is wrong (static), with its offset in *AT. */
const char *sender_macro_check(struct span text, enum sender_macro_kind kind, size_t *at);

struct sender_macro_values {
    const char *local;    /* l */
    const char *origin;   /* o: domain of the sender */
    const char *domain;   /* d */
    const char *helo;     /* h */
    const char *receiver; /* r */
    struct netaddr client; /* i, c, v */
    int64_t now;          /* t, seconds since 1970 */
    /* p: the validated name of the client, "unknown" if there is none; called only when asked for. */
    const char *(*validated)(void *context);
    void *context;
};

/* TEXT must have passed sender_macro_check(). For DOMAIN the result is a name without trailing dot, cut to 253 octets
 * by leaving out labels from the left. It may hold any octet but NUL. */
const char *sender_macro_expand(struct arena *arena, const char *text, enum sender_macro_kind kind,
                                const struct sender_macro_values *values);

#endif
