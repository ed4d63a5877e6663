/*
 * status - what `posternctl status` is told: key=value lines, gathered from the workers when asked.
 *
 * version, pid, uptime (seconds), config, checksum, sessions; a line worker=PID STATE AGE SESSIONS for each worker (age
 * in seconds); counter.NAME=N summed over all workers since the start of the master.
 * THREADS: none inside.
 */
#ifndef POSTERN_MASTER_STATUS_H
#define POSTERN_MASTER_STATUS_H

#include "master/fleet.h"

struct status {
    struct loop *loop;
    struct fleet *fleet;
    int64_t started; /* clock_monotonic_us() */
    unsigned long ticket;
    bool gathering;
    struct loop_timer deadline;
    void (*on_end)(void *context, unsigned long ticket, const char *text);
    void *context;
};

void status_init(struct status *status, struct loop *loop, struct fleet *fleet);

/* Asks the workers; on_end() is called from the loop, after a second at most. Requests meanwhile share the answer. */
unsigned long status_request(struct status *status);

/* From the fleet: all have answered. */
void status_reports_in(struct status *status);

void status_render(const struct status *status, struct strbuf *out);

#endif
