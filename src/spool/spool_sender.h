/*
 * spool_sender - what a sender's loop and an attempt share: the entries for one MTA, and the thread that sends them.
 *
 * THREADS: the sender's alone, but for the members said otherwise.
 */
#ifndef POSTERN_SPOOL_SPOOL_SENDER_H
#define POSTERN_SPOOL_SPOOL_SENDER_H

#include "spool/spool_lock.h"
#include "spool/spool_private.h"
#include "spool/spool_smtp.h"

struct spool_sender {
    struct spool *spool;
    struct arena *arena;
    const char *submit; /* as its entries have it; fixed */
    struct spool_endpoint endpoint;
    const char *endpoint_problem;  /* NULL: none */
    const struct spool_lock *lock; /* the keeper's; held as long as the thread runs */
    int dots;                      /* the keeper's descriptor of spool.dots */
    size_t first_dot, dot_count;   /* our slots, and how many of them are noted */
    struct spool_smtp *smtp;       /* NULL: not connected */
    unsigned carried;              /* messages, by it */
    int64_t troubles;              /* connections that failed, since the last that did not */
    int64_t pause_until;           /* monotonic us */
    int64_t seen_until;            /* seconds since 1970: what was due before that was looked at in this pause */
    int64_t idle_since;            /* monotonic us; 0: it is not */
    pthread_t thread;              /* the keeper's */
    struct spool_bell bell;        /* of the spool's mutex, and so are: */
    bool is_over;                  /* it is to be joined */
    struct spool_sender *next;
};

/* The thread; CONTEXT is the sender. */
void *spool_send(void *context);

bool spool_sender_is_stopping(const struct spool_sender *sender);

/* True if something woke us before MS were over. */
bool spool_sender_wait(struct spool_sender *sender, int ms);

void spool_sender_hang_up(struct spool_sender *sender);

/* Rounded up, at least 1. */
int64_t spool_seconds(int64_t ms);

#endif
