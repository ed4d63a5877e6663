/*
 * milter - the worker's face to the MTA: libmilter over a descriptor that the master bound.
 *
 * OWNS: nothing; the engine must outlive milter_serve(). THREADS: milter_serve() from the main thread; milter_drain()
 * and milter_sessions() from any.
 */
#ifndef POSTERN_MILTER_MILTER_H
#define POSTERN_MILTER_MILTER_H

#include "core/engine.h"

/* Serves connections from LISTEN_FD. READY is called once connections are sure to be answered. Returns only when
 * libmilter was told to stop or failed: 0 or -1 (logged). */
int milter_serve(const struct engine *engine, int listen_fd, void (*ready)(void *context), void *context);

/* Takes no further connection and serves the open ones. DIRECTORY is writable; a socket lives in it for an instant. */
void milter_drain(const char *directory);

/* MTA connections that are open now. */
unsigned milter_sessions(void);

#endif
