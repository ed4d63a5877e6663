/*
 * spool_private - what the files of this room share. THREADS: see the members.
 */
#ifndef POSTERN_SPOOL_SPOOL_PRIVATE_H
#define POSTERN_SPOOL_SPOOL_PRIVATE_H

#include "spool/spool.h"
#include "spool/spool_db.h"
#include "spool/spool_wire.h"
#include <pthread.h>

struct spool_sender; /* spool_sender.h */

struct spool_bell {         /* what a thread waits for; of the mutex of the spool */
    pthread_cond_t changed; /* by the monotonic clock */
    bool has_rung;
    bool is_deaf; /* it will look anyway, soon */
};

struct spool {
    struct arena *arena;              /* of what is fixed from spool_open() or spool_start() on */
    struct spool_options options;     /* fixed, copied */
    struct spool_db *db;              /* locks inside */
    const char *boot;                 /* of the machine: another one after each start. "": not known */
    unsigned crowd;                   /* fixed: from how much company on additions wait for one another */
    const char *claim;                /* what claimed entries are marked with: the same, or "?" */
    const struct spool_owner *owners; /* fixed from spool_start() on, ended by a NULL kind */
    bool has_thread;                  /* of the thread that starts and closes */
    pthread_t thread;                 /* the keeper */
    _Atomic(int64_t) stopped_at;      /* monotonic us; 0: not yet */
    _Atomic(bool) is_sending;         /* the threads run */
    pthread_mutex_t mutex;            /* guards: */
    struct spool_bell keeper;         /* something was added for an MTA without a sender, or it is to stop */
    struct spool_sender *senders;
    int64_t complained_at; /* monotonic us; 0: never */
};

/* At most once a minute. */
void spool_complain(struct spool *spool, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Something was added for SUBMIT (NULL: the usual one). */
void spool_wake(struct spool *spool, const char *submit);
void spool_wake_all(struct spool *spool);

/* True if the bell rang before MS were over. */
bool spool_wait(struct spool *spool, struct spool_bell *bell, int ms);

/* Waits MS in any case, so that more can be added meanwhile, but for a stop. */
void spool_gather(struct spool *spool, struct spool_bell *bell, int ms);

/* Makes a condition that waits by the monotonic clock. */
void spool_bell_init(struct spool_bell *bell);

/* The keeper's thread; CONTEXT is the spool. */
void *spool_keep(void *context);

#endif
