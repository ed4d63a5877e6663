/*
 * answer - one message, one mailbox: shall there be a reply, and if so, queue it so that a crash at any point sends
 * nothing twice.
 *
 * The order: reserve in the store (short) and write to the spool (synced), and the message may be answered 250. The
 * spool's sender confirms in the store (for the days between replies) before each attempt, synced for several at once,
 * and releases the memory if the reply could not be sent. Killed between any two, nothing is sent twice, and at worst a
 * later message of the same sender is answered.
 *
 * THREADS: any. Everything returned is on the arena given.
 */
#ifndef POSTERN_AUTOREPLY_ANSWER_H
#define POSTERN_AUTOREPLY_ANSWER_H

#include "autoreply/responding.h"
#include "autoreply/silence.h"

struct answer_options { /* of the check's section in postern.conf */
    int require_auth;   /* enum silence_auth */
    const struct string_list *silence_on, *noreply;
    struct caps_limits caps;
};

struct answer_question {
    const struct answer_options *options;
    const char *sender;     /* reverse-path without brackets */
    const char *written_to; /* the recipient as the sender named it */
    const char *mailbox;    /* canonical: one of those that WRITTEN_TO means */
    struct span stored;     /* as answer_mailboxes() found it; ptr NULL: it is looked up */
    const struct header_field *headers;
    size_t header_count;
    const struct auth_spf *spf;
    const struct auth_dkim *dkim;
    const struct auth_dmarc *dmarc;
    bool is_own_user, is_trusted; /* as in silence.h */
    int64_t now;            /* seconds since 1970 */
    bool is_trial;          /* say only what would be done */
    unsigned company;       /* messages under way in this process, this one included (spool.h) */
};

enum answer_outcome {
    ANSWER_NOBODY,   /* nothing is stored for this mailbox, or nothing is in force */
    ANSWER_SILENCE,  /* there is a reason, see why */
    ANSWER_REPLY,    /* queued; in a trial: would be */
    ANSWER_TROUBLE   /* the store or the spool failed: see text. No reply. */
};

struct answer {
    enum answer_outcome outcome;
    const char *why;        /* "autoreply.list"; NULL with NOBODY, REPLY, TROUBLE */
    unsigned point;         /* of the checklist; 0: none of its */
    const char *text;       /* for people; never NULL */
    const char *message;    /* name of the stored message in force; NULL if none is */
    struct span reply;      /* header and body, with REPLY */
    int64_t spool_id;       /* with REPLY, not in a trial */
};

struct answer answer_find(struct responding *responding, struct arena *arena, const struct answer_question *question);

/* The mailboxes with a stored responder that ADDRESS means, at most 100 of them; each once. *DOWN is set if the store
 * could not say. */
struct answer_mailboxes {
    const char *const *items;
    const struct span *stored; /* what is stored for each; ptr NULL if it is too much to be kept */
    size_t count;
};
struct answer_mailboxes answer_mailboxes(struct responding *responding, struct arena *arena, const char *address,
                                         int64_t now, bool *down);

/* The spool's callbacks for kind "autoreply", and the memo they read: the memory's KEY and TOKEN, seconds since 1970,
 * and the days between replies. */
#define ANSWER_KIND "autoreply"
const char *answer_memo(struct arena *arena, const char *key, const char *token, int64_t at, int64_t days);
bool answer_before(void *responding, const char *memo, int64_t now, bool *later);
bool answer_settle(void *responding);
bool answer_before_all(void *responding, const char *const *memos, size_t count, int64_t now);
bool answer_after(void *responding, const struct spool_left *left);

#endif
