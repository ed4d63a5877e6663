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
    struct state *kept;  /* store, alias tables, spool; NULL with ctl_state_open_spool() and ..._store() */
    struct spool *spool; /* only with the first of these */
    struct store *store; /* only with the second, and once ctl_state_apply() has been called */
};

int ctl_state_open(const struct ctl_call *call, struct ctl_state *state);

/* The spool alone: it can be looked at while an alias table is bad. */
int ctl_state_open_spool(const struct ctl_call *call, struct ctl_state *state);

/* The store alone, likewise. STATE is empty, or comes from ctl_state_open_settings(). */
int ctl_state_open_store(const struct ctl_call *call, struct ctl_state *state);

/* The settings alone, as the daemon's user. */
int ctl_state_open_settings(const struct ctl_call *call, struct ctl_state *state);

/* Nothing but the configuration, still as who called. ctl_state_become_user() then takes the daemon's identity. */
int ctl_state_read(const struct ctl_call *call, struct ctl_state *state);
int ctl_state_become_user(const struct ctl_call *call, const struct ctl_state *state);
void ctl_state_close(struct ctl_state *state);

/* store_apply() for an import: many rows may take longer than the option timeout, which is meant for one. */
enum store_outcome ctl_state_apply(const struct ctl_call *call, struct ctl_state *state,
                                   const struct store_change *changes, size_t count);

bool ctl_store_is_redis(const struct ctl_call *call, const struct ctl_state *state);

/* Is it a row that the store cannot read, or does it not answer at all? */
bool ctl_store_answers(const struct ctl_call *call, const struct ctl_state *state);

/* The store gave no answer when something was read, so nothing was changed. Returns EX_TEMPFAIL. */
int ctl_store_is_down(const struct ctl_call *call);

/* It gave none when something was written: says what is known then, and that the command LOOK shows how it is. Returns
 * EX_TEMPFAIL. */
int ctl_store_is_silent(const struct ctl_call *call, const struct ctl_state *state, const char *look);

#endif
