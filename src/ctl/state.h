/*
 * state - what the subcommands share that look at or change what Postern keeps: the store, the spool.
 *
 * Everything is opened as the daemon's user, so that no file of the daemon's ends up belonging to somebody else.
 * OWNS: what it opened. THREADS: one; opened once in a process. ERRORS: a status of sysexits.h, and said on stderr.
 */
#ifndef POSTERN_CTL_STATE_H
#define POSTERN_CTL_STATE_H

#include "autoreply/responding.h"
#include "core/engine.h"
#include "ctl/options.h"

struct ctl_state {
    struct engine *engine;
    struct responding *responding; /* store, alias tables, spool; ctl_state_open() */
    struct spool *spool;          /* ctl_state_open_spool() */
    struct store *store;          /* ctl_state_open_store() */
};

int ctl_state_open(const struct ctl_call *call, struct ctl_state *state);

/* The settings alone; the other ones here may follow. */
int ctl_state_open_settings(const struct ctl_call *call, struct ctl_state *state);

/* The store alone, likewise behind ctl_state_open_settings(): what is kept can be looked at while an alias table is bad. */
int ctl_state_open_store(const struct ctl_call *call, struct ctl_state *state);

/* The spool alone: it can be looked at while an alias table is bad. */
int ctl_state_open_spool(const struct ctl_call *call, struct ctl_state *state);
void ctl_state_close(struct ctl_state *state);

#endif
