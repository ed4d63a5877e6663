/*
 * backend - what a back end of the store is to store.c: a table of functions and one call.
 *
 * A back end checks nothing of what store.c has checked (lengths of keys and values, no NUL) and logs nothing of its
 * failures: it writes the reason into the call and says STORE_DOWN. What store.c counts and how often it logs is its
 * affair.
 *
 * THREADS: every function but close() from any thread at any time. ERRORS: as in store.h.
 */
#ifndef POSTERN_STORE_BACKEND_H
#define POSTERN_STORE_BACKEND_H

#include "store/store.h"
#include "store/store_url.h"

struct store_call {
    struct arena *arena; /* for what is handed out; NULL if nothing is */
    int64_t now;         /* the caller's clock, seconds since 1970 */
    int64_t deadline;    /* us of clock_monotonic_us() */
    char why[400];       /* what is wrong, behind STORE_DOWN */
};

/* Writes the reason and returns STORE_DOWN. */
enum store_outcome store_call_fail(struct store_call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* As good as absent? */
static inline bool store_has_expired(int64_t expires, int64_t now)
{
    return expires != 0 && expires <= now;
}

/* TIMEOUT ms from now, in us. */
int64_t store_deadline(int64_t timeout);

struct store_backend {
    void (*close)(void *self);
    enum store_outcome (*get)(void *self, struct store_call *call, const char *key, struct store_value *value);
    enum store_outcome (*put_if_absent)(void *self, struct store_call *call, const char *key, struct span value,
                                        int64_t expires, struct store_value *there);
    enum store_outcome (*remove)(void *self, struct store_call *call, const char *key);
    enum store_outcome (*apply)(void *self, struct store_call *call, const struct store_change *changes, size_t count);
    /* TIMEOUT in ms, of each of its steps: all of them together take as long as they take. */
    enum store_outcome (*each)(void *self, struct store_call *call, const char *prefix, int64_t timeout,
                               store_visitor *visit, void *context);
    /* NULL: the back end does these by itself. */
    enum store_outcome (*sweep)(void *self, struct store_call *call, int limit, int *deleted);
    enum store_outcome (*sync)(void *self, struct store_call *call);
};

extern const struct store_backend store_backend_sqlite, store_backend_redis;

/* Everything lives on ARENA, which outlives it. NULL with *PROBLEM as store_open(). store_sqlite_open() tries to open
 * the file at once, and leaves the reason in CALL if it cannot. */
void *store_sqlite_open(struct arena *arena, const struct store_url *url, struct store_call *call);
void *store_redis_open(struct arena *arena, const struct store_url *url, const struct store_options *options,
                       struct arena *problem_arena, const char **problem);

#endif
