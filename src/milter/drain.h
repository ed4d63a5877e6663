/*
 * drain - no further connections on a descriptor that libmilter is polling. Private to milter/.
 *
 * THREADS: any, once. ERRORS: -1 with errno; the descriptor is then as it was.
 */
#ifndef POSTERN_MILTER_DRAIN_H
#define POSTERN_MILTER_DRAIN_H

/* Lays an idle listening socket over LISTENER. DIRECTORY is writable; a unix socket stands in it for an instant. */
int drain_listener(int listener, const char *directory);

#endif
