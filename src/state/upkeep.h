/*
 * upkeep - a thread that keeps the store small: it sweeps away what expired long ago.
 *
 * OWNS: its thread. THREADS: start and stop by one.
 */
#ifndef POSTERN_STATE_UPKEEP_H
#define POSTERN_STATE_UPKEEP_H

#include "store/store.h"

struct upkeep;

/* STORE must outlive it. 0 or an errno value. */
int upkeep_start(struct store *store, struct upkeep **upkeep);
void upkeep_stop(struct upkeep *upkeep); /* may be NULL; waits for a step under way */

#endif
