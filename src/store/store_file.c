/*
 * store_file - what has to be done around SQLite, because it does not know that its file may be moved.
 *
 * SQLite locks files with POSIX locks, which a process loses as soon as it closes any descriptor of the file. So
 * nothing here opens the database while SQLite may have it open: it is looked at by name, and made under the lock. The
 * lock file is locked with locks of the open file description, which threads and several stores in one process may hold
 * against each other.
 *
 * The database is moved before its -wal: who has it open sees at his next call that it is gone from its name. A crash
 * between the two leaves a log without a file, which is moved aside too before a new file is made: SQLite would delete
 * it. It would do so beside an empty file, too; none that was opened once is empty, for its first page is written
 * outside of the log.
 */
#include "store/store_file.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/newfile.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LOCK_PAUSE_US 2000

enum { BYTE_OPENING, BYTE_IN_USE };

void store_file_init(struct store_file *file, struct arena *arena, const char *path)
{
    *file = (struct store_file){.path = path, .lock_path = arena_printf(arena, "%s.lock", path), .lock = -1};
}

void store_file_close(struct store_file *file)
{
    if (file->lock >= 0)
        close(file->lock);
    file->lock = -1;
    file->is_in_use = false;
}

bool store_file_identify(const struct store_file *file, struct store_call *call, struct store_identity *identity)
{
    struct stat st;
    *identity = (struct store_identity){0, 0};
    if (lstat(file->path, &st) != 0) {
        if (errno == ENOENT)
            return true;
        store_call_fail(call, "%s: %s", file->path, strerror(errno));
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        store_call_fail(call, "%s is no regular file", file->path);
        return false;
    }
    *identity = (struct store_identity){st.st_dev, st.st_ino};
    return true;
}

static bool lock_byte(const struct store_file *file, int byte, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    return fcntl(file->lock, F_OFD_SETLK, &lock) == 0;
}

/* The directory may have been deleted and made anew: a lock on a file without a name locks nobody out. */
static bool has_lock_file(const struct store_file *file)
{
    struct stat mine, there;
    return file->lock >= 0 && fstat(file->lock, &mine) == 0 && lstat(file->lock_path, &there) == 0 &&
           mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

static bool open_lock_file(struct store_file *file, struct store_call *call)
{
    if (has_lock_file(file))
        return true;
    store_file_close(file);
    file->lock = newfile_create(file->lock_path);
    if (file->lock < 0 && errno == EEXIST)
        file->lock = open(file->lock_path, O_NOFOLLOW | O_RDWR | O_CLOEXEC);
    if (file->lock < 0)
        store_call_fail(call, "%s: %s", file->lock_path, strerror(errno));
    return file->lock >= 0;
}

bool store_file_lock(struct store_file *file, struct store_call *call)
{
    if (!open_lock_file(file, call))
        return false;
    while (!lock_byte(file, BYTE_OPENING, F_WRLCK)) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR) {
            store_call_fail(call, "%s: %s", file->lock_path, strerror(errno));
            return false;
        }
        if (clock_monotonic_us() >= call->deadline) {
            store_call_fail(call, "another process is opening %s", file->path);
            return false;
        }
        clock_sleep_us(LOCK_PAUSE_US);
    }
    file->is_first = !file->is_in_use && lock_byte(file, BYTE_IN_USE, F_WRLCK);
    file->is_in_use = lock_byte(file, BYTE_IN_USE, F_RDLCK);
    return true;
}

void store_file_unlock(struct store_file *file)
{
    lock_byte(file, BYTE_OPENING, F_UNLCK);
    file->is_first = false;
}

/* PATH.corrupt-20261122T101500Z, with a number behind it if there is one already. */
static bool name_aside(const struct store_file *file, char *name, size_t size)
{
    char stamp[32];
    time_t now = time(NULL);
    struct tm tm;
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    for (int i = 0; i < 1000; i++) {
        struct stat st;
        if ((size_t)snprintf(name, size, i ? "%s.corrupt-%s.%d" : "%s.corrupt-%s", file->path, stamp, i) >= size)
            return false;
        char log[PATH_MAX + 8];
        snprintf(log, sizeof log, "%s-wal", name);
        if (lstat(name, &st) != 0 && lstat(log, &st) != 0)
            return true;
    }
    return false;
}

static bool move_companion(const struct store_file *file, const char *suffix, const char *aside)
{
    char from[PATH_MAX], to[PATH_MAX];
    if ((size_t)snprintf(from, sizeof from, "%s%s", file->path, suffix) >= sizeof from ||
        (size_t)snprintf(to, sizeof to, "%s%s", aside, suffix) >= sizeof to)
        return false;
    return rename(from, to) == 0 || errno == ENOENT;
}

static bool has_companion(const struct store_file *file, const char *suffix, bool with_content)
{
    char path[PATH_MAX];
    struct stat st;
    return (size_t)snprintf(path, sizeof path, "%s%s", file->path, suffix) < sizeof path && lstat(path, &st) == 0 &&
           (!with_content || st.st_size > 0);
}

static bool move_companions(const struct store_file *file, struct store_call *call, const char *aside)
{
    if (move_companion(file, "-wal", aside) && move_companion(file, "-shm", aside))
        return true;
    store_call_fail(call, "cannot move %s-wal aside: %s", file->path, strerror(errno));
    return false;
}

bool store_file_make(const struct store_file *file, struct store_call *call, bool *is_new)
{
    struct store_identity identity;
    char aside[PATH_MAX];
    *is_new = false;
    if (!store_file_identify(file, call, &identity))
        return false;
    if (identity.inode)
        return true;
    if (has_companion(file, "-wal", true)) {
        if (!name_aside(file, aside, sizeof aside) || !move_companions(file, call, aside))
            return false;
        log_text(LEVEL_ERROR, "store: %s-wal was there without its file; moved aside to %s-wal", file->path, aside);
    }
    *is_new = newfile_create_blank(file->path) == 0;
    if (!*is_new)
        store_call_fail(call, "%s: %s", file->path, strerror(errno));
    return *is_new;
}

/* A journal is what is left of one who wrote for the first time and was stopped. */
enum store_content store_file_content(const struct store_file *file)
{
    struct stat st;
    if (lstat(file->path, &st) != 0 || st.st_size > 0 || newfile_is_blank(&st) ||
        has_companion(file, "-journal", false))
        return STORE_FILE_FILLED;
    return has_companion(file, "-wal", false) ? STORE_FILE_CUT_OFF : STORE_FILE_EMPTIED;
}

void store_file_keep_blank(const struct store_file *file)
{
    if (!has_companion(file, "-wal", false))
        newfile_mark_blank(file->path);
}

bool store_file_was_abandoned(const struct store_file *file)
{
    return file->is_first && has_companion(file, "-wal", false); /* who closes it last deletes its log */
}

bool store_file_move_aside(const struct store_file *file, struct store_call *call, struct store_identity identity,
                           const char *what, bool *by_us)
{
    struct store_identity there;
    char aside[PATH_MAX];
    *by_us = false;
    if (!store_file_identify(file, call, &there))
        return false;
    if (!store_identity_equals(there, identity))
        return true;
    if (!name_aside(file, aside, sizeof aside) || rename(file->path, aside) != 0) {
        store_call_fail(call, "%s is corrupt (%s) and cannot be moved aside: %s", file->path, what, strerror(errno));
        return false;
    }
    log_text(LEVEL_ERROR,
             "store: %s IS CORRUPT (%s). It was moved aside to %s, with its -wal and -shm; what is in it "
             "is not known any more, and an empty one is begun in its place",
             file->path, what, aside);
    *by_us = true;
    if (!move_companions(file, call, aside))
        return false;
    store_call_fail(call, "%s was corrupt (%s) and was moved aside to %s", file->path, what, aside);
    return true;
}
