/*
 * probe - asking the worker program whether a configuration is good: `postern-worker -T master -c FILE`.
 *
 * OWNS: the child it started; probe_abort() or the end of it gives that back. THREADS: none inside.
 * ERRORS: in the result, as a sysexits code with the problems in lines.
 */
#ifndef POSTERN_MASTER_PROBE_H
#define POSTERN_MASTER_PROBE_H

#include "master/loop.h"
#include "master/setup.h"
#include <sys/types.h>

#define PROBE_TIMEOUT 30000000 /* microseconds */

struct probe_result {
    int status;           /* 0, EX_CONFIG, or EX_SOFTWARE, EX_OSERR: the worker program itself failed */
    struct setup setup;   /* if 0 */
    const char *problems; /* lines; warnings if 0 */
};

struct probe {
    struct loop *loop;
    void (*on_done)(void *context, const struct probe_result *result);
    void *context;
    pid_t pid; /* 0 = none running */
    struct {
        struct loop_watch watch;
        struct strbuf text;
    } out, err;
    struct loop_timer deadline, look;
    bool timed_out;
};

/* Calls ON_DONE from the loop, once, within PROBE_TIMEOUT. 0 or an errno value (then it is not called). */
int probe_start(struct probe *probe, struct loop *loop, const char *worker, const char *config,
                void (*on_done)(void *context, const struct probe_result *result), void *context);

/* Kills what runs; ON_DONE is not called. */
void probe_abort(struct probe *probe);

/* The same, waiting for it: for the start and for posternctl. Returns the status; PROBLEMS gets the lines. */
int probe_run(const char *worker, const char *config, struct setup *setup, struct strbuf *problems);

#endif
