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
 * libmilter was told to stop or failed, or at once if milter_drain() came first: 0 or -1 (logged). */
int milter_serve(const struct engine *engine, int listen_fd, void (*ready)(void *context), void *context);

/* Takes no further connection and serves the open ones. Once. DIRECTORY is writable; a socket lives in it for an
 * instant. */
void milter_drain(const char *directory);

/* After milter_drain(): true once libmilter's listener thread can take no connection from LISTEN_FD any more. Every
 * connection that is made from then on goes to whoever else listens on that socket. What can still happen: connections
 * that were made earlier, and that libmilter had accepted by then, are served to their end, on this configuration, also
 * those whose MTA has not said its first word; milter_sessions() counts them only after that word. An MTA connects when
 * an SMTP client does, so an SMTP session that began earlier may have any number of messages filtered here. Connections
 * that were made earlier and not accepted wait in the queue of the socket, which is not ours alone. */
bool milter_is_closed(void);

/* MTA connections that are open now, from their negotiation on. */
unsigned milter_sessions(void);

#endif
