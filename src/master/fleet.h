/*
 * fleet - all workers: at most one active, at most one candidate that is starting, any number that drain.
 *
 * A candidate that becomes ready is the active worker from then on, and the one before it is told to drain. That is
 * made known only when every worker that drains has said that no new connection comes to it, or is dead, or has not
 * said so for FLEET_CLOSING_TIME: whoever connects after on_active() is served by the active worker, or waits for one.
 * A worker that dies is replaced: at once the first time, then after 0.1, 0.2, 0.4 ... 10 s, and at once again after
 * one that lived for a minute.
 * OWNS: its workers and the counters of those that are gone. THREADS: none inside.
 */
#ifndef POSTERN_MASTER_FLEET_H
#define POSTERN_MASTER_FLEET_H

#include "master/tally.h"
#include "master/worker.h"

#define FLEET_CLOSING_TIME 5000000 /* microseconds; a worker that lives answers within milliseconds */
#define FLEET_MAX 64               /* workers, draining ones included; a reload past it is refused */

struct fleet_events {
    void (*on_active)(void *context, struct worker *worker); /* the candidate took over */
    void (*on_failed)(void *context, int status);            /* the candidate died; its exit status, or -1 */
    void (*on_lost)(void *context);    /* the active worker died before on_active(); another one follows by itself */
    void (*on_reports)(void *context); /* every worker that was asked has answered or is gone */
    void (*on_empty)(void *context);   /* draining, and the last one is gone */
    void *context;
};

struct fleet {
    struct loop *loop;
    const char *program, *config;
    int listen_fd;
    int64_t ready_timeout; /* microseconds */
    struct fleet_events events;
    struct worker_owner owner;
    struct worker *workers, *active, *candidate;
    unsigned count;
    unsigned failures; /* in a row, for the back-off */
    struct loop_timer restart, closing_end;
    struct tally ended;
    bool taking_over; /* the active worker is not made known yet */
    bool once_active, draining;
};

void fleet_init(struct fleet *fleet, struct loop *loop, const char *program, const char *config, int listen_fd,
                const struct fleet_events *events);

/* Starts a candidate; one that was starting already is let go. 0, or an errno value (EAGAIN: FLEET_MAX). */
int fleet_start(struct fleet *fleet);

/* For SIGCHLD: collects the dead. */
void fleet_reap(struct fleet *fleet);

/* Tells all to drain and starts no more. on_empty() follows, at once if there is none. */
void fleet_drain(struct fleet *fleet);
void fleet_kill(struct fleet *fleet);

/* Asks every worker that can answer. False: there is none. */
bool fleet_ask_reports(struct fleet *fleet);

/* Sum over the living and the dead; FREE it with tally_free(). */
void fleet_count(const struct fleet *fleet, struct tally *sum);

void fleet_destroy(struct fleet *fleet);

#endif
