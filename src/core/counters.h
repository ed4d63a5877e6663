/*
 * counters - how often each thing happened, for `posternctl status`.
 *
 * The names are known at start: the dispositions, and "why.TOKEN" for each token of each check ("monitor.TOKEN" for
 * what monitor mode would have done). THREADS: any; plain atomic increments. OWNS: lives in the arena given.
 */
#ifndef POSTERN_CORE_COUNTERS_H
#define POSTERN_CORE_COUNTERS_H

#include "util/arena.h"
#include "util/strbuf.h"

struct counters;

struct counters *counters_create(struct arena *arena);

/* Before the threads start. NAME is kept. */
void counters_register(struct counters *counters, const char *name);
void counters_increment(struct counters *counters, const char *name);

/* "name=value\n" for each counter that is not 0. */
void counters_print(const struct counters *counters, struct strbuf *out);

#endif
