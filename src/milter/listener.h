/*
 * listener - gives libmilter a listening descriptor that somebody else has bound.
 *
 * OWNS: nothing. THREADS: one, before smfi_main(). ERRORS: -1, and nothing is listened on.
 */
#ifndef POSTERN_MILTER_LISTENER_H
#define POSTERN_MILTER_LISTENER_H

/* Call behind smfi_register(). Which descriptor libmilter listens on: LISTEN_FD itself, or another one for the same
 * socket; -1 if it refuses. DIRECTORY is writable; a socket lives in it for an instant. */
int listener_open(int listen_fd, const char *directory);

#endif
