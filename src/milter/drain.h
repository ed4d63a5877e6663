/*
 * drain - no further connections on a descriptor that libmilter is polling. Private to milter/.
 *
 * THREADS: drain_listener() once, from any but the poller; drain_is_past() from any, after it.
 * ERRORS: -1 with errno; the descriptor is then as it was.
 */
#ifndef POSTERN_MILTER_DRAIN_H
#define POSTERN_MILTER_DRAIN_H

#include <pthread.h>
#include <stdbool.h>

/* Lays an idle listening socket over LISTENER, which the thread POLLER polls and accepts from, alone. DIRECTORY is
 * writable; a unix socket stands in it for an instant. Uses SIGURG. */
int drain_listener(int listener, pthread_t poller, const char *directory);

/* True once POLLER can take nothing from the old socket any more: an accept() that was under way is over. Normally
 * within a millisecond. */
bool drain_is_past(int listener);

#endif
