/*
 * worker - one worker process as the master sees it.
 *
 * OWNS: a struct worker owns its end of the link; worker_destroy() closes it. The process is not owned: it ends by
 * being told, by losing its link, or by SIGKILL. THREADS: none inside.
 */
#ifndef POSTERN_MASTER_WORKER_H
#define POSTERN_MASTER_WORKER_H

#include "master/loop.h"
#include "util/strbuf.h"
#include <sys/types.h>

enum worker_state { WORKER_STARTING, WORKER_ACTIVE, WORKER_DRAINING };

struct worker;

struct worker_owner {
    void (*on_ready)(void *context, struct worker *worker);  /* "ready" came */
    void (*on_closed)(void *context, struct worker *worker); /* it drains, and no new connection comes to it any more */
    void (*on_report)(void *context, struct worker *worker); /* a fresh report is in worker->report */
    void *context;
};

struct worker {
    pid_t pid;
    enum worker_state state;
    bool ready;      /* it said so once */
    bool closing;    /* told to drain, and "closed" has not come: it may still take a connection */
    bool asked;      /* a report is under way */
    bool killed;     /* by us */
    int64_t started; /* clock_monotonic_us() */
    char *report;    /* the lines of its last report, "" before the first */
    struct loop *loop;
    struct loop_watch link;
    struct loop_timer deadline; /* for "ready" */
    const struct worker_owner *owner;
    struct worker *next;
};

/* Runs `PROGRAM -c CONFIG -W LISTEN_FD,LINK`. It is killed if it is not ready within READY_TIMEOUT microseconds.
 * NULL with errno. */
struct worker *worker_start(struct loop *loop, const char *program, const char *config, int listen_fd,
                            int64_t ready_timeout, const struct worker_owner *owner);

/* Closes the link and frees. */
void worker_destroy(struct worker *worker);

/* What is still in the link, for after its death: the last report. */
void worker_read_rest(struct worker *worker);

void worker_drain(struct worker *worker);
void worker_kill(struct worker *worker);
void worker_ask_report(struct worker *worker);

/* Of the last report. */
long worker_sessions(const struct worker *worker);
const char *worker_state_name(const struct worker *worker);

#endif
