/*
 * state - the store, the spool and the alias tables, opened together: what automatic replies and forwarding stand on.
 *
 * The daemon's worker, `posternctl explain` and the subcommands that look at it open the same; only the worker starts
 * it. OWNS: all three. THREADS: open, start, drain and close by one; between them any.
 */
#ifndef POSTERN_STATE_STATE_H
#define POSTERN_STATE_STATE_H

#include "aliases/aliases.h"
#include "core/settings.h"
#include "spool/spool.h"
#include "store/store.h"
#include "util/strbuf.h"

struct state {
    struct arena *arena;
    struct store *store;
    struct spool *spool;
    struct aliases *aliases;
    struct upkeep *upkeep; /* the thread that sweeps the store; NULL before start */
};

/* PATH is the configuration's, for the messages. NULL after all problems were reported. A store or a spool that is down
 * now is none. */
struct state *state_open(const struct settings *settings, const char *path, struct conf_problems *problems);

/* The same without a file: the alias tables, and of a store in Redis what its options name. A store in SQLite and the
 * spool are NULL. For a check of the configuration (look.h); it can only be closed. */
struct state *state_look(const struct settings *settings, const char *path, struct conf_problems *problems);

/* The spool as SETTINGS have it, for those who need nothing else. */
struct spool_options state_spool_options(const struct settings *settings);

/* And the store, for store_close(). NULL after the problem was reported. */
struct store *state_open_store(const struct settings *settings, struct arena *arena, const char *path,
                               struct conf_problems *problems);

/* Starts the spool's sender for OWNERS (spool.h), and the upkeep of the store. 0 or an errno value. */
int state_start(struct state *state, const struct spool_owner *owners);

/* Leaves the sending to the next worker; what is added to the spool is still taken. Does not wait for the delivery
 * under way. */
void state_drain(struct state *state);

/* Behind state_drain(): is that delivery over? */
bool state_is_drained(const struct state *state);
void state_close(struct state *state);

/* "store.failures=N" and "spool.failures=N", for `posternctl status`, each unless it is 0; STATE may be NULL. What was
 * asked and could not be answered since state_open(), by whatever call. */
void state_report(const struct state *state, struct strbuf *out);

#endif
