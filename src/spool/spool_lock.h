/*
 * spool_lock - which worker sends: whoever holds DIRECTORY/spool.lock.
 *
 * flock(2), so that the kernel gives it back when its holder is killed. A child forked without exec would hold it too:
 * who starts a spool forks no such children. OWNS: its descriptor. THREADS: one.
 */
#ifndef POSTERN_SPOOL_SPOOL_LOCK_H
#define POSTERN_SPOOL_SPOOL_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

struct spool_lock {
    const char *directory; /* the caller's */
    int fd;                /* -1: not held */
    dev_t device;          /* of what is held */
    ino_t inode;
};

/* 0: held now (or already). EWOULDBLOCK: somebody else's. Else an errno value. */
int spool_lock_take(struct spool_lock *lock);

/* Is it still the file of that name? A lock on a file that somebody deleted keeps nobody out. */
bool spool_lock_is_good(const struct spool_lock *lock);

void spool_lock_drop(struct spool_lock *lock);

/* Opens DIRECTORY/NAME for locking, creating it with mode 0600 and, for root, the owner of the directory. -1 and
 * errno. */
int spool_lock_file(const char *directory, const char *name);

#endif
