/*
 * spool_lock - flock() on a file that stays. The lock belongs to the file and not to its name, so that after locking it
 * the name is compared with what was locked.
 */
#include "spool/spool_lock.h"
#include "util/newfile.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "spool.lock"

static int path_of(const char *directory, const char *name, char *path, size_t size)
{
    if ((size_t)snprintf(path, size, "%s/%s", directory, name) < size)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

int spool_lock_file(const char *directory, const char *name)
{
    char path[4096];
    if (path_of(directory, name, path, sizeof path) != 0)
        return -1;
    for (int attempt = 0; attempt < 3; attempt++) {
        int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0 || errno != ENOENT)
            return fd;
        fd = newfile_create(path);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

bool spool_lock_is_good(const struct spool_lock *lock)
{
    char path[4096];
    struct stat named;
    return lock->fd >= 0 && path_of(lock->directory, LOCK_NAME, path, sizeof path) == 0 && lstat(path, &named) == 0 &&
           lock->device == named.st_dev && lock->inode == named.st_ino;
}

int spool_lock_take(struct spool_lock *lock)
{
    if (lock->fd >= 0)
        return 0;
    lock->fd = spool_lock_file(lock->directory, LOCK_NAME);
    if (lock->fd < 0)
        return errno;
    struct stat held;
    if (fstat(lock->fd, &held) != 0 || flock(lock->fd, LOCK_EX | LOCK_NB) != 0) {
        int error = errno;
        spool_lock_drop(lock);
        return error;
    }
    lock->device = held.st_dev;
    lock->inode = held.st_ino;
    if (spool_lock_is_good(lock))
        return 0;
    spool_lock_drop(lock); /* replaced between open() and flock(): the next call sees the new one */
    return EWOULDBLOCK;
}

void spool_lock_drop(struct spool_lock *lock)
{
    if (lock->fd >= 0)
        close(lock->fd);
    lock->fd = -1;
}
