/*
 * daemon - going into the background without lying about the start.
 *
 * THREADS: before any. ERRORS: daemon_start() writes to stderr.
 */
#ifndef POSTERN_MASTER_DAEMON_H
#define POSTERN_MASTER_DAEMON_H

/* Forks twice. Returns only in the daemon: the descriptor through which it tells how the start went, or -1 if it could
 * not fork. The process that was started waits and ends with the status told, or EX_SOFTWARE if the daemon died. */
int daemon_start(void);

/* The start is over: lets the waiting process go with STATUS. With 0 also lets go of the terminal; stderr stays where
 * it is if it is a file, for log { target = stderr }. */
void daemon_report(int fd, int status);

#endif
