/*
 * travel - one message: whose reverse-path it travels on with, and to whom.
 *
 * THREADS: any. OWNS: results are on the arena.
 */
#ifndef POSTERN_SRS_TRAVEL_H
#define POSTERN_SRS_TRAVEL_H

#include "srs/dispatch.h"
#include "srs/forwarding.h"
#include "srs/trace.h"

#define TRAVEL_ROUTES_MAX 100000 /* addresses that the recipients of a message may lead to, each counted by itself */

/* Why the reverse-path stays, or does not. */
enum travel_sender {
    TRAVEL_NULL,    /* it is the null reverse-path */
    TRAVEL_OURS,    /* an SRS address of ours already */
    TRAVEL_OWN,     /* of local_domains */
    TRAVEL_OFF,     /* no srs { domain } */
    TRAVEL_ALLOWED, /* spf_aware: its SPF record permits our addresses */
    TRAVEL_SIGNED,  /* of sign_outgoing, by our own user: rewritten wherever it leaves */
    TRAVEL_FOREIGN  /* rewritten where we forward it */
};

struct travel_recipient {
    const char *given, *parameters; /* of RCPT */
    const char *original;           /* an SRS address of ours stands for this one; NULL: it is none */
};

struct travel_question {
    const struct forwarding *forwarding;
    const struct message *message;
    const struct travel_recipient *recipients; /* that stand */
    size_t recipient_count;
    bool is_own_user;     /* authenticated, or a client that may use our domains */
    bool client_is_here;  /* on this host: what it sends on for a stranger was a redirection */
    bool is_held;         /* the MTA will keep it: no copies */
    bool stays_home;      /* forward_tagged = no, and it is suspicious */
    bool is_trial;        /* store nothing */
    /* spf_aware: asked at most once, and only if the answer matters. */
    bool (*is_allowed)(const void *context);
    const void *context;
};

struct travel {
    enum store_outcome outcome;     /* STORE_OK, or STORE_DOWN: try again later */
    const char *problem;            /* for the log; NULL: none. Then nothing else is valid */
    const char *loop;               /* a recipient whose forwards lead to nobody but themselves; likewise */
    enum travel_sender sender;
    struct dispatch dispatch;
    const char *reverse_path;       /* of the message itself; NULL: it stays */
    const char *const *copy_paths;  /* of each copy */
    const char *const *forwarded;   /* recipients (canonical) whose mail leaves, but for whom our own user named there */
    size_t forwarded_count;
};

struct travel travel_find(struct arena *arena, const struct travel_question *question);

/* "the null reverse-path is never rewritten": for people. */
const char *travel_sender_text(enum travel_sender sender);

/* What is done, in one line, for the log and `posternctl explain`; NULL: nothing. On ARENA. */
const char *travel_tell(struct arena *arena, const struct travel *travel);

#endif
