/*
 * responding - what automatic replies stand on: the store, the spool, the alias tables and the caps, opened together.
 *
 * The daemon's worker, `posternctl explain` and `posternctl autoreply` open the same; only the worker starts it.
 * OWNS: all four. THREADS: open, start and close by one; between them any.
 */
#ifndef POSTERN_AUTOREPLY_RESPONDING_H
#define POSTERN_AUTOREPLY_RESPONDING_H

#include "aliases/aliases.h"
#include "autoreply/caps.h"
#include "core/settings.h"
#include "spool/spool.h"
#include "store/store.h"

struct responding {
    struct arena *arena;
    const struct settings *settings;
    struct store *store;
    struct spool *spool;
    struct aliases *aliases;
    struct caps *caps;
    struct upkeep *upkeep; /* the thread that sweeps the store; NULL before start */
};

/* SETTINGS must outlive it; PATH is the configuration's, for the messages. NULL after all problems were reported. A store
 * or a spool that is down now is none. */
struct responding *responding_open(const struct settings *settings, const char *path, struct conf_problems *problems);

/* The store and the spool as SETTINGS have them, for those who need nothing else. */
struct store_options responding_store_options(const struct settings *settings);
struct spool_options responding_spool_options(const struct settings *settings);

/* Starts the spool's sender and the upkeep of the store. 0 or an errno value. */
int responding_start(struct responding *responding);

/* Leaves the sending to the next worker; answers go on. Does not wait for the delivery under way. */
void responding_drain(struct responding *responding);

/* Behind responding_drain(): is that delivery over? */
bool responding_is_drained(const struct responding *responding);
void responding_close(struct responding *responding);

#endif
