/*
 * responding - what automatic replies stand on: the store, the spool, the alias tables, and the caps.
 *
 * OWNS: the caps. THREADS: open and close by one; between them any.
 */
#ifndef POSTERN_AUTOREPLY_RESPONDING_H
#define POSTERN_AUTOREPLY_RESPONDING_H

#include "autoreply/caps.h"
#include "state/state.h"

struct responding {
    const struct settings *settings;
    struct store *store; /* these three of the state */
    struct spool *spool;
    struct aliases *aliases;
    struct caps *caps;
};

/* SETTINGS and STATE must outlive it. */
struct responding *responding_open(const struct settings *settings, const struct state *state);
void responding_close(struct responding *responding);

#endif
