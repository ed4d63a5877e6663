/*
 * master - the process that holds the socket.
 *
 * master_open() does everything that may fail and needs privileges, master_run() is the life after it.
 * OWNS: the sockets, the pid file, the workers. THREADS: one. ERRORS: sysexits codes; the reasons are logged (before
 * the log is open: written to stderr).
 */
#ifndef POSTERN_MASTER_MASTER_H
#define POSTERN_MASTER_MASTER_H

#include "util/strbuf.h"

struct master_options {
    const char *config, *worker; /* absolute paths, if the working directory changes */
    const char *pid_file;        /* NULL = none */
    /* Called once, when the first worker is ready: whoever waits for the start can go. */
    void (*on_ready)(void *context);
    void *context;
};

struct master;

/* Checks the configuration, binds the sockets, becomes the user. 0 with *MASTER, or a code with WHY in lines. */
int master_open(struct master **master, const struct master_options *options, struct strbuf *why);

/* Starts the first worker and stays until SIGTERM or SIGINT. 0, or EX_CONFIG, EX_SOFTWARE or EX_OSERR if the first
 * worker never became ready. Frees MASTER. */
int master_run(struct master *master);

#endif
