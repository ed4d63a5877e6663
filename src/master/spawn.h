/*
 * spawn - starting the worker program.
 *
 * OWNS: nothing. THREADS: none inside. ERRORS: errno values.
 */
#ifndef POSTERN_MASTER_SPAWN_H
#define POSTERN_MASTER_SPAWN_H

#include "util/strbuf.h"
#include <stddef.h>
#include <sys/types.h>

struct spawn_fd {
    int ours, theirs; /* the same number twice keeps that descriptor open across the exec */
};

/* Runs ARGV[0] in a process group of its own (a Ctrl-C is for the master alone), with no signal blocked or ignored,
 * standard input from /dev/null, and the descriptors of FDS beside what is not CLOEXEC. 0 or an errno value. */
int spawn_program(char *const argv[], const struct spawn_fd *fds, size_t count, pid_t *pid);

/* The worker program: GIVEN if not NULL; else, for a build tree, `postern-worker` beside our own binary; else the
 * installed one. 0, or -1 with WHY: there is none, or we are root and others may write the one beside us or its
 * directory. */
int spawn_find_worker(const char *given, char *path, size_t size, struct strbuf *why);

/* "died of signal 11 (Segmentation fault)", "exited with status 3". */
void spawn_describe(int wait_status, struct strbuf *out);

#endif
