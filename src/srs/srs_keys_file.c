/*
 * srs_keys_file - opens, reads and replaces the secrets file.
 *
 * O_NOFOLLOW and fstat(2) of what is open: what was checked is what is read. O_NONBLOCK, so that a FIFO does not hold
 * us up. The lock is on the file and not on one beside it, so that nothing is left lying about; but the file is
 * replaced by rename, so whoever got the lock looks whether the name still means the file that he has locked.
 *
 * A new file (rotation) is FILE.new until it is complete. Whoever holds the lock may delete one that a crash left
 * behind. At creation there is nothing to lock yet: there the complete file is linked to its name, which fails if there
 * is one.
 */
#include "srs/srs_keys_file.h"
#include "srs/srs_keys.h"
#include "util/filepath.h"
#include "util/newfile.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int failed(struct arena *arena, const char *path, const char *what, const char **problem)
{
    const char *why = strerror(errno);
    *problem = arena_printf(arena, "%s: %s: %s", path, what, why);
    return -1;
}

void srs_keys_wipe(struct span secret)
{
    if (secret.ptr)
        OPENSSL_cleanse((void *)(uintptr_t)secret.ptr, secret.len);
    free((void *)(uintptr_t)secret.ptr);
}

/* ---- reading ---- */

static const char *name_type(mode_t mode)
{
    return S_ISDIR(mode)    ? "is a directory"
           : S_ISFIFO(mode) ? "is a FIFO"
           : S_ISSOCK(mode) ? "is a socket"
                            : "is a device";
}

static int check(const struct stat *status, const char *path, struct arena *arena, const char **problem)
{
    uid_t self = geteuid();
    if (!S_ISREG(status->st_mode))
        *problem = arena_printf(arena, "%s: %s, and must be a file", path, name_type(status->st_mode));
    else if (self != 0 && status->st_uid != 0 && status->st_uid != self)
        *problem = arena_printf(arena, "%s: belongs to user %u, and must belong to root or to user %u", path,
                                (unsigned)status->st_uid, (unsigned)self);
    else if (status->st_mode & 0137)
        *problem = arena_printf(arena, "%s: its mode is %04o, and may be 0640 at most: others could read or change it",
                                path, (unsigned)status->st_mode & 07777);
    else if (status->st_size > SRS_KEYS_FILE_MAX)
        *problem = arena_printf(arena, "%s: is larger than %d octets", path, SRS_KEYS_FILE_MAX);
    else
        return 0;
    return -1;
}

static int open_checked(const char *path, struct arena *arena, struct srs_keys_file *file, bool *is_missing,
                        const char **problem)
{
    struct stat link;
    *is_missing = false;
    file->fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file->fd >= 0)
        return fstat(file->fd, &file->status) != 0 ? failed(arena, path, "cannot be looked at", problem)
                                                   : check(&file->status, path, arena, problem);
    int error = errno;
    *is_missing = error == ENOENT;
    if (error == ELOOP && lstat(path, &link) == 0 && S_ISLNK(link.st_mode)) {
        *problem = arena_printf(arena, "%s: is a symbolic link, and must be the file itself", path);
        return -1;
    }
    errno = error;
    return failed(arena, path, "cannot be opened", problem);
}

static int read_content(const char *path, struct arena *arena, struct srs_keys_file *file, const char **problem)
{
    char *buffer = malloc(SRS_KEYS_FILE_MAX + 1);
    ssize_t n = 0;
    size_t len = 0;
    if (!buffer)
        abort();
    while (len <= SRS_KEYS_FILE_MAX && (n = read(file->fd, buffer + len, SRS_KEYS_FILE_MAX + 1 - len)) != 0) {
        if (n < 0 && errno != EINTR)
            break;
        len += n > 0 ? (size_t)n : 0;
    }
    file->content = (struct span){buffer, len};
    if (n < 0)
        return failed(arena, path, "cannot be read", problem);
    if (len > SRS_KEYS_FILE_MAX) {
        *problem = arena_printf(arena, "%s: is larger than %d octets", path, SRS_KEYS_FILE_MAX);
        return -1;
    }
    return 0;
}

/* 0: locked; 1: it was replaced meanwhile. */
static int lock(const char *path, struct arena *arena, struct srs_keys_file *file, const char **problem)
{
    struct stat now;
    while (flock(file->fd, LOCK_EX) != 0) {
        if (errno != EINTR)
            return failed(arena, path, "cannot be locked", problem);
    }
    if (lstat(path, &now) == 0 && now.st_dev == file->status.st_dev && now.st_ino == file->status.st_ino)
        return 0;
    return 1;
}

int srs_keys_file_read(const char *path, bool is_locked, struct arena *arena, struct srs_keys_file *file,
                       bool *is_missing, const char **problem)
{
    int status;
    do {
        *file = (struct srs_keys_file){.fd = -1};
        status = open_checked(path, arena, file, is_missing, problem);
        if (status == 0 && is_locked)
            status = lock(path, arena, file, problem);
        if (status == 0 && is_locked && fstat(file->fd, &file->status) != 0)
            status = failed(arena, path, "cannot be looked at", problem);
        if (status == 0)
            status = read_content(path, arena, file, problem);
        if (status != 0)
            srs_keys_file_close(file);
    } while (status == 1);
    if (status == 0 && !is_locked) {
        close(file->fd);
        file->fd = -1;
    }
    return status;
}

void srs_keys_file_close(struct srs_keys_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    srs_keys_wipe(file->content);
    *file = (struct srs_keys_file){.fd = -1};
}

/* ---- writing ---- */

static int write_all(int fd, struct span content)
{
    while (content.len > 0) {
        ssize_t n = write(fd, content.ptr, content.len);
        if (n < 0 && errno != EINTR)
            return -1;
        content.ptr += n > 0 ? n : 0;
        content.len -= n > 0 ? (size_t)n : 0;
    }
    return fsync(fd);
}

int srs_keys_file_replace(const char *path, const struct srs_keys_file *file, struct span content, struct arena *arena,
                          const char **problem)
{
    const char *beside = arena_printf(arena, "%s.new", path);
    const struct stat *old = &file->status;
    struct stat made;
    if (unlink(beside) != 0 && errno != ENOENT)
        return failed(arena, beside, "cannot be removed", problem);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(arena, beside, "cannot be made", problem);
    int status = fstat(fd, &made);
    if (status == 0 && (made.st_uid != old->st_uid || (made.st_gid != old->st_gid && old->st_mode & 070)))
        status = fchown(fd, old->st_uid, old->st_gid); /* a group that may do nothing may be another one */
    if (status != 0) {
        failed(arena, beside, "cannot be given the owner of the old file", problem);
    } else if (fchmod(fd, old->st_mode & 0777) != 0 || write_all(fd, content) != 0 || rename(beside, path) != 0) {
        status = failed(arena, beside, "cannot be written", problem);
    } else if (filepath_sync_directory(path) != 0) {
        close(fd);
        return failed(arena, path, "was replaced, but its directory cannot be synced", problem);
    }
    close(fd);
    if (status != 0)
        unlink(beside);
    return status;
}

int srs_keys_file_create(const char *path, struct span content, struct arena *arena, const char **problem)
{
    const char *beside = arena_printf(arena, "%s.%ld.new", path, (long)getpid());
    int fd = newfile_create(beside);
    if (fd < 0)
        return failed(arena, beside, "cannot be made", problem);
    int status = write_all(fd, content);
    close(fd);
    if (status != 0)
        failed(arena, beside, "cannot be written", problem);
    else if (link(beside, path) != 0)
        status = errno == EEXIST ? 1 : failed(arena, path, "cannot be made", problem);
    unlink(beside);
    if (status == 0 && filepath_sync_directory(path) != 0)
        status = failed(arena, path, "was made, but its directory cannot be synced", problem);
    return status;
}
