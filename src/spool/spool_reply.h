/*
 * spool_reply - the replies of an SMTP server (RFC 5321 section 4.2), read piece by piece. Pure.
 *
 * OWNS: nothing. THREADS: plain values. ERRORS: what is no reply, or one longer than SPOOL_REPLY_MAX, is
 * SPOOL_REPLY_GARBAGE; nothing more is to be read from such a server.
 */
#ifndef POSTERN_SPOOL_SPOOL_REPLY_H
#define POSTERN_SPOOL_SPOOL_REPLY_H

#include "util/span.h"
#include <stdint.h>

#define SPOOL_REPLY_MAX 8192 /* octets of all lines together */

enum spool_reply_state { SPOOL_REPLY_MORE, SPOOL_REPLY_DONE, SPOOL_REPLY_GARBAGE };

struct spool_reply {
    enum spool_reply_state state;
    int code;                  /* 200 to 599; valid when DONE */
    char lines[SPOOL_REPLY_MAX]; /* as they came, each ended by LF; CR before it taken away */
    size_t len;
    size_t line; /* where the line under way begins */
};

void spool_reply_begin(struct spool_reply *reply);

/* Takes bytes up to the end of the reply's last line at most. How many it took. */
size_t spool_reply_feed(struct spool_reply *reply, struct span bytes);

/* For people: "250 2.0.0 Ok: queued as X", lines joined by " / ", only printable ASCII, cut to SIZE. */
void spool_reply_text(const struct spool_reply *reply, char *text, size_t size);

/* What a server offers in its reply to EHLO. */
struct spool_offers {
    bool dsn, smtputf8, eightbit, size;
    uint64_t size_limit; /* octets; 0: none was named */
};

struct spool_offers spool_reply_offers(const struct spool_reply *reply);

/* Is KEYWORD among the lines? Without case. */
bool spool_reply_offers_keyword(const struct spool_reply *reply, struct span keyword);

#endif
