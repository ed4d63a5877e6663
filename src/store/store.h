/*
 * store - state that machines may share: responders, the memory of auto-replies, long SRS senders.
 *
 * Keys are text ("seen/MAILBOX/..."), values are bytes. Every row may have an expiry, in seconds since 1970 by the
 * clock of the caller (NOW), never by that of the store: a row whose expiry is NOW or earlier is as good as absent.
 * Rows go away some time after they expired (STORE_GRACE), so that a clock that jumped ahead and back has forgotten
 * nothing.
 *
 * Two back ends: "sqlite:/PATH" (WAL, several threads and processes at once) and "redis://HOST:PORT/N", "rediss://"
 * with TLS (several machines). store_put_if_absent(), store_swap() and store_apply() are atomic across all of them.
 *
 * OWNS: a struct store owns its file or connections; values are copied to the arena given.
 * THREADS: any, at any time; it locks inside. A call blocks for at most `timeout` ms.
 * ERRORS: STORE_DOWN means "cannot say": nothing may be concluded from it. What is wrong is logged here, at most once a
 * minute, and counted; the next call tries again. Nothing but a faulty URL is an error at opening. A file that is found
 * corrupt is moved aside, and one that lost its content begun anew, both loudly: the call that found it, or the first
 * behind an opening that did, ends with STORE_DOWN, for "there is nothing" would be no true answer.
 */
#ifndef POSTERN_STORE_STORE_H
#define POSTERN_STORE_STORE_H

#include "util/arena.h"
#include "util/span.h"
#include <stdbool.h>
#include <stdint.h>

#define STORE_KEY_MAX 1000              /* bytes; no NUL */
#define STORE_VALUE_MAX (1024 * 1024)   /* bytes */
#define STORE_GRACE (2 * 86400)         /* seconds that an expired row is kept */

enum store_outcome {
    STORE_DOWN = -1, /* the back end does not answer, or refuses */
    STORE_OK,
    STORE_ABSENT, /* there is no such row */
    STORE_PRESENT /* there is one already, or (swap, apply) another one than expected */
};

struct store_options {
    const char *url;
    const char *prefix;        /* before every key in Redis, "postern:"; unused by SQLite */
    const char *password_file; /* NULL: none. First line: the password, or USER:PASSWORD; not readable by others */
    const char *ca_file;       /* for rediss://; NULL: the system's */
    int64_t timeout;           /* ms, of one call */
};

struct store;

/* NULL with *PROBLEM (static or on ARENA): the URL cannot be understood, or the password file cannot be used. A server
 * that is down or a file that cannot be opened yet is not an error here. Strings are copied. */
struct store *store_open(const struct store_options *options, struct arena *arena, const char **problem);
void store_close(struct store *store);

/* Can it be understood? NULL, or what is wrong with URL: for the option's verify(). */
const char *store_verify_url(const char *url);

struct store_value {
    struct span bytes; /* on the arena, with a NUL behind them that is not counted */
    int64_t expires;   /* seconds since 1970; 0: never */
};

/* STORE_OK, STORE_ABSENT or STORE_DOWN. */
enum store_outcome store_get(struct store *store, struct arena *arena, const char *key, int64_t now,
                             struct store_value *value);

/* STORE_OK or STORE_DOWN. EXPIRES 0: never. */
enum store_outcome store_put(struct store *store, const char *key, struct span value, int64_t expires, int64_t now);

/* STORE_OK: it is there now, and was not. STORE_PRESENT: somebody was first; *THERE (if asked for) is his. */
enum store_outcome store_put_if_absent(struct store *store, struct arena *arena, const char *key, struct span value,
                                       int64_t expires, int64_t now, struct store_value *there);

/* Replaces EXPECTED (ptr NULL: no row) by VALUE (ptr NULL: no row). STORE_OK, STORE_PRESENT: it is another one,
 * DOWN. */
enum store_outcome store_swap(struct store *store, const char *key, struct span expected, struct span value,
                              int64_t expires, int64_t now);

/* STORE_OK, STORE_ABSENT or STORE_DOWN. */
enum store_outcome store_delete(struct store *store, const char *key, int64_t now);

struct store_change {
    const char *key;
    struct span value; /* ptr NULL: delete */
    int64_t expires;
    bool is_conditional;  /* only if the row is EXPECTED; else whatever is there */
    struct span expected; /* ptr NULL: there is none */
};

/* All of them or none. STORE_OK, STORE_PRESENT: one row, before the first is written, is another one than expected,
 * DOWN. */
enum store_outcome store_apply(struct store *store, const struct store_change *changes, size_t count, int64_t now);

/* Rows whose key begins with PREFIX and that have not expired; true goes on. In SQLite in the order of keys. Rows that
 * come or go meanwhile may or may not be seen; each at most once. The callback may use the store. */
typedef bool store_visitor(void *context, const char *key, const struct store_value *value);
enum store_outcome store_each(struct store *store, const char *prefix, int64_t now, store_visitor *visit,
                              void *context);

/* Deletes some rows that expired more than STORE_GRACE ago: at most LIMIT, in one short transaction. How many; -1:
 * down. Redis does that by itself: 0. */
int store_sweep(struct store *store, int64_t now, int limit);

/* Makes what was written before this call survive a power failure (SQLite: the write-ahead log is synced; Redis: as its
 * server is configured, nothing to do here). A crash of the process alone loses nothing anyway. */
enum store_outcome store_sync(struct store *store);

struct store_health {
    bool is_up;        /* the last call was answered */
    uint64_t failures; /* calls that ended with STORE_DOWN since the start */
};
struct store_health store_health(const struct store *store);

#endif
