/*
 * spool_private - what the files of this room share. THREADS: see the members.
 */
#ifndef POSTERN_SPOOL_SPOOL_PRIVATE_H
#define POSTERN_SPOOL_SPOOL_PRIVATE_H

#include "spool/spool.h"
#include "spool/spool_db.h"
#include "spool/spool_wire.h"
#include <pthread.h>

struct spool {
    struct arena *arena;          /* of what is fixed from spool_open() or spool_start() on */
    struct spool_options options; /* fixed, copied */
    struct spool_endpoint endpoint;
    const char *endpoint_problem; /* NULL: none */
    struct spool_db *db;          /* locks inside */
    const struct spool_owner *owners; /* fixed from spool_start() on, ended by a NULL kind */
    bool has_thread;              /* of the thread that starts and closes */
    pthread_t thread;
    _Atomic(int64_t) stopped_at;  /* monotonic us; 0: not yet */
    _Atomic(bool) is_sending;     /* the thread runs */
    pthread_mutex_t mutex;        /* guards: */
    pthread_cond_t changed;
    bool is_woken;                /* something was added, or it is to stop */
    int64_t complained_at;        /* monotonic us; 0: never */
};

/* At most once a minute. */
void spool_complain(struct spool *spool, const char *format, ...) __attribute__((format(printf, 2, 3)));

void spool_wake(struct spool *spool);

/* The sender thread; CONTEXT is the spool. */
void *spool_sender(void *context);

#endif
