/*
 * spool_sender - what the sender's loop and an attempt share. THREADS: the sender's alone.
 */
#ifndef POSTERN_SPOOL_SPOOL_SENDER_H
#define POSTERN_SPOOL_SPOOL_SENDER_H

#include "spool/spool_lock.h"
#include "spool/spool_private.h"
#include "spool/spool_smtp.h"

struct spool_sender {
    struct spool *spool;
    struct spool_lock lock;
    bool is_recovered;       /* since the lock was taken */
    struct spool_smtp *smtp; /* NULL: not connected */
    unsigned carried;        /* messages, by it */
    int64_t troubles;        /* connections that failed, since the last that did not */
    int64_t pause_until;     /* monotonic us */
};

bool spool_sender_is_stopping(const struct spool_sender *sender);

/* True if something woke us before MS were over. */
bool spool_sender_wait(struct spool_sender *sender, int ms);

void spool_sender_hang_up(struct spool_sender *sender);

/* Rounded up, at least 1. */
int64_t spool_seconds(int64_t ms);

/* It is entry ID's turn. */
void spool_attempt(struct spool_sender *sender, int64_t id, int64_t now);

#endif
