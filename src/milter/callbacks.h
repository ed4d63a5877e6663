/*
 * callbacks - libmilter's events, handed to the runner.
 *
 * OWNS: the session and message of each connection, through libmilter's private pointer.
 * THREADS: one connection's callbacks run one at a time, but on different threads.
 */
#ifndef POSTERN_MILTER_CALLBACKS_H
#define POSTERN_MILTER_CALLBACKS_H

#include "core/engine.h"
#include <libmilter/mfapi.h>

/* Before any connection. */
void callbacks_engine(const struct engine *engine);

struct smfiDesc callbacks_description(void);

unsigned callbacks_sessions(void);

#endif
