/*
 * memory - under which keys of the store it is remembered who was answered. Pure.
 *
 * "seen/MAILBOX/GENERATION/SENDER/FINGERPRINT": one key a mailbox, a sender and a text. A value is a struct memory_mark
 * as text: a reservation (short) or a reply that was queued (for its days).
 */
#ifndef POSTERN_AUTOREPLY_MEMORY_H
#define POSTERN_AUTOREPLY_MEMORY_H

#include "autoreply/responder.h"

#define MEMORY_KEY "seen/"
#define MEMORY_RESERVED_SECONDS 900 /* a worker that died in between has been replaced long before */

/* Which SRS addresses are ours. */
struct memory_ours {
    bool (*has_domain)(void *context, const char *domain); /* canonical */
    /* The sender who is kept under the TOKEN of a long SRS address (srs.h), on ARENA; NULL: there is none. */
    const char *(*long_sender)(void *context, struct arena *arena, const char *token);
    void *context;
};

/* SENDER without what changes from message to message: the domain canonical, the local part in lower case, BATV
 * ("prvs=TAG=user", "prvs=user/TAG", "btv1==TAG==user"), SRS0 and SRS1 of our own domains undone (their original
 * sender), the sub-address of VERP-like tags kept. On ARENA; NULL if it is no address. OURS NULL: nothing is. */
const char *memory_sender(struct arena *arena, const char *sender, const struct memory_ours *ours);

/* Keys are safe to split: '/' and '%' and control bytes inside a part are written %XX; a part that would be longer than
 * 256 bytes is its beginning and its SHA-256. FINGERPRINT NULL: the prefix that all texts to SENDER share; SENDER NULL
 * too: all of the mailbox's generation. On ARENA. */
const char *memory_key(struct arena *arena, const struct responder *responder, const char *sender,
                       const char *fingerprint);

/* The other way: the sender and fingerprint in KEY. 0, or -1: not such a key. */
int memory_key_parse(struct arena *arena, const char *key, const char **sender, const char **fingerprint);

struct memory_mark {
    const char *token; /* of the one attempt that may confirm or release it; 32 hex digits */
    bool is_reserved;  /* not confirmed yet */
    int64_t at;        /* seconds since 1970 */
};

const char *memory_token(struct arena *arena); /* random */
const char *memory_mark_print(struct arena *arena, const struct memory_mark *mark);
int memory_mark_parse(struct arena *arena, struct span value, struct memory_mark *mark); /* 0, -1: not one */

/* When a reply of AT may be followed by the next one: AT + DAYS * 86400. */
int64_t memory_until(int64_t at, int64_t days);

#endif
