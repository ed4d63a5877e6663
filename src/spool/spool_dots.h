/*
 * spool_dots - which entries' final dot may have gone out: DIRECTORY/spool.dots, for the worker that comes behind one
 * that was killed.
 *
 * What is written with write(2) survives the process, and costs a hundredth of a transaction. It does not survive the
 * machine: for that there is the claim (spool_batch.c). Only the holder of the lock opens it. Each sender has
 * SPOOL_DOTS_EACH slots of its own. OWNS: nothing. THREADS: any, each on its slots. ERRORS: -1 or false with errno.
 */
#ifndef POSTERN_SPOOL_SPOOL_DOTS_H
#define POSTERN_SPOOL_SPOOL_DOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPOOL_DOTS_EACH 64
#define SPOOL_DOTS_MOST (16 * SPOOL_DOTS_EACH)

struct spool_dot {
    int64_t id, token; /* of the entry; id 0: none */
};

/* The descriptor; the file is made if it is not there. */
int spool_dots_open(const char *directory);

/* What a worker before left behind, in DOTS, which has room for SPOOL_DOTS_MOST. *COUNT of them. */
int spool_dots_read(int fd, struct spool_dot *dots, size_t *count);

bool spool_dots_note(int fd, size_t slot, const struct spool_dot *dot);

/* What became of the entries in COUNT slots from FIRST on is written elsewhere. */
bool spool_dots_wipe(int fd, size_t first, size_t count);

#endif
