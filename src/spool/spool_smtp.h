/*
 * spool_smtp - one message after the other to one MTA (RFC 5321, 1870, 3461, 6152, 6531).
 *
 * OWNS: the conversation. THREADS: one a conversation.
 */
#ifndef POSTERN_SPOOL_SPOOL_SMTP_H
#define POSTERN_SPOOL_SPOOL_SMTP_H

#include "spool/spool_wire.h"
#include "util/strbuf.h"

enum spool_fate { /* of a recipient; the numbers stand in the file */
    SPOOL_FATE_WAITING = 0,
    SPOOL_FATE_DOUBT = 1, /* the final dot is about to be sent, or was */
    SPOOL_FATE_ACCEPTED = 2,
    SPOOL_FATE_REFUSED = 3,
    SPOOL_FATE_UNKNOWN = 4,
    SPOOL_FATE_GIVEN_UP = 5
};

struct spool_recipient {
    int64_t number; /* in its entry, from 0 */
    const char *path, *parameters; /* parameters may be NULL */
    enum spool_fate fate;
    const char *reply; /* what the MTA said of it, on the arena of the delivery; may be NULL */
};

struct spool_delivery {
    struct arena *arena;
    const char *reverse_path, *mail_parameters;
    struct spool_recipient *recipients; /* those WAITING are tried, and their fate is set */
    size_t count;
    bool needs_smtputf8, is_8bit;
    uint64_t bytes;
    /* The next piece of the content; an empty one ends it. False: it cannot be read. */
    bool (*read)(void *context, struct span *piece);
    /* The accepted recipients are in DOUBT and the next bytes are the final dot: true when that is on the disk. */
    bool (*before_dot)(void *context);
    void *context;
    const struct spool_delivery *next; /* which will be delivered behind this one, if all goes well; its addresses alone are
                                          looked at. Known by its recipients. NULL: none */
    const char *reply;                 /* out: the line for the log, on the arena */
};

enum spool_end_of_step {
    SPOOL_STEP_DONE,   /* the connection may carry the next message */
    SPOOL_STEP_BROKEN, /* it may not: 421, cut, no answer, garbage */
    SPOOL_STEP_STOPPED /* the worker lets go: nothing was sent, and it is no failed attempt */
};

struct spool_smtp;

/* NULL and PROBLEM. HOSTNAME for EHLO is kept, not copied. */
struct spool_smtp *spool_smtp_open(const struct spool_endpoint *endpoint, const char *hostname, int64_t timeout,
                                   const _Atomic(int64_t) *stopped_at, char *problem, size_t size);

/* What becomes of the recipients: WAITING (a temporary failure), ACCEPTED, REFUSED, or DOUBT: the connection ended
 * behind the final dot. */
enum spool_end_of_step spool_smtp_deliver(struct spool_smtp *smtp, struct spool_delivery *delivery);

/* Was NEXT announced, and not delivered yet? Then nothing else can be, and closing takes it back. */
bool spool_smtp_has_announced(const struct spool_smtp *smtp);

/* QUIT if the connection is good, waiting for its answer for a second at most; then it is closed. NULL is fine. */
void spool_smtp_close(struct spool_smtp *smtp);

#endif
