/*
 * pidfile - the process id in a file, for init scripts.
 *
 * It is written while we are still root, and stays root's: a service user who could write it could make an init script
 * kill any process. OWNS: the descriptor and, if it can, the file. ERRORS: sysexits codes with a sentence.
 */
#ifndef POSTERN_MASTER_PIDFILE_H
#define POSTERN_MASTER_PIDFILE_H

#include "util/strbuf.h"

struct pidfile {
    int fd; /* -1 = none */
    const char *path;
};

#define PIDFILE_CLOSED ((struct pidfile){-1, NULL})

/* PATH is kept. */
int pidfile_open(struct pidfile *pidfile, const char *path, struct strbuf *why);

/* Empties the file, and removes it where the directory lets us. */
void pidfile_close(struct pidfile *pidfile);

#endif
