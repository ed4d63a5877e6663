/*
 * state - what the subcommands share that look at or change what Postern keeps: the store, the spool.
 *
 * Everything is opened as the daemon's user, so that no file of the daemon's ends up belonging to somebody else.
 * OWNS: what it opened. THREADS: one; opened once in a process. ERRORS: a status of sysexits.h, and said on stderr.
 */
#ifndef POSTERN_CTL_STATE_H
#define POSTERN_CTL_STATE_H

#include "core/engine.h"
#include "ctl/options.h"
#include "state/state.h"

struct ctl_state {
    struct engine *engine;
    struct state *kept;  /* store, alias tables, spool; NULL with ctl_state_open_spool() */
    struct spool *spool; /* only with that */
};

int ctl_state_open(const struct ctl_call *call, struct ctl_state *state);

/* The spool alone: it can be looked at while an alias table is bad. */
int ctl_state_open_spool(const struct ctl_call *call, struct ctl_state *state);
void ctl_state_close(struct ctl_state *state);

#endif
