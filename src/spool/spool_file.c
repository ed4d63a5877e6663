/*
 * spool_file - opening happens under a lock of its own (DIRECTORY/spool.open), because creating, migrating and moving
 * aside must not be done by two at once.
 *
 * The file is created here and not by SQLite, so that its mode is 0600 and its owner the directory's; SQLite gives its
 * -wal and -shm the same. We never open() a database that is there: closing it again would drop the POSIX locks that
 * SQLite holds on it.
 *
 * Moved aside means renamed to spool.db.corrupt-TIME together with its -wal, so that SQLite's recovery tools can be set
 * on it. Other processes, which still have it open, notice by its inode.
 */
#include "spool/spool_file.h"
#include "spool/spool_lock.h"
#include "spool/spool_schema.h"
#include "util/clock.h"
#include "util/filepath.h"
#include "util/log.h"
#include "util/newfile.h"
#include "util/span.h"
#include "util/sqlite_why.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DB_NAME "spool.db"
#define BUSY_MS 5000
#define LOCK_PAUSE_US 2000
#define WAL_KEPT "16777216" /* bytes that the -wal file keeps after a checkpoint */

bool spool_file_is_damage(int result)
{
    return (result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB;
}

/* ---- statements ---- */

static int bind_values(sqlite3_stmt *rows, const char *types, va_list args)
{
    int result = SQLITE_OK;
    for (int i = 1; types[i - 1] && result == SQLITE_OK; i++) {
        if (types[i - 1] == 'i') {
            result = sqlite3_bind_int64(rows, i, va_arg(args, int64_t));
        } else if (types[i - 1] == 't') {
            result = sqlite3_bind_text(rows, i, va_arg(args, const char *), -1, SQLITE_STATIC);
        } else {
            struct span bytes = va_arg(args, struct span);
            result = sqlite3_bind_blob64(rows, i, bytes.ptr, bytes.len, SQLITE_STATIC);
        }
    }
    return result;
}

/* Statements stay with their connection: to compile one takes longer than to run it. There are two dozen. */
static sqlite3_stmt *find_idle(sqlite3 *sql, const char *statement)
{
    sqlite3_stmt *rows = sqlite3_next_stmt(sql, NULL);
    while (rows && (sqlite3_stmt_busy(rows) || strcmp(sqlite3_sql(rows), statement) != 0))
        rows = sqlite3_next_stmt(sql, rows);
    return rows;
}

static int prepare(sqlite3 *sql, sqlite3_stmt **rows, const char *statement, const char *types, va_list args)
{
    int result = SQLITE_OK;
    *rows = find_idle(sql, statement);
    if (!*rows)
        result = sqlite3_prepare_v3(sql, statement, -1, SQLITE_PREPARE_PERSISTENT, rows, NULL);
    if (result == SQLITE_OK)
        result = bind_values(*rows, types, args);
    if (result != SQLITE_OK && *rows) {
        spool_query_end(*rows);
        *rows = NULL;
    }
    return result;
}

int spool_query_end(sqlite3_stmt *rows)
{
    int result = sqlite3_reset(rows);
    sqlite3_clear_bindings(rows); /* they point into what is the caller's */
    return result;
}

int spool_query(sqlite3 *sql, sqlite3_stmt **rows, const char *statement, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    int result = prepare(sql, rows, statement, types, args);
    va_end(args);
    return result;
}

int spool_sql(sqlite3 *sql, const char *statement, const char *types, ...)
{
    sqlite3_stmt *rows;
    va_list args;
    va_start(args, types);
    int result = prepare(sql, &rows, statement, types, args);
    va_end(args);
    if (result != SQLITE_OK)
        return result;
    while ((result = sqlite3_step(rows)) == SQLITE_ROW)
        ;
    int end = spool_query_end(rows);
    return result == SQLITE_DONE ? SQLITE_OK : end != SQLITE_OK ? end : result;
}

/* ---- opening ---- */

static int path_of(char *path, size_t size, const char *directory, const char *tail)
{
    return (size_t)snprintf(path, size, "%s/" DB_NAME "%s", directory, tail) < size ? 0 : -1;
}

static int prepare_file(sqlite3 *sql)
{
    sqlite3_busy_timeout(sql, BUSY_MS);
    sqlite3_extended_result_codes(sql, 1);
    sqlite3_db_config(sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    int result = sqlite3_exec(sql,
                              "PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = " WAL_KEPT ";"
                              "PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON",
                              NULL, NULL, NULL);
    return result == SQLITE_OK ? spool_schema_raise(sql) : result;
}

/* Creates it if it is not there (*IS_NEW), synced in its directory. 0, or an errno value. */
static int create(const char *path, bool *is_new)
{
    struct stat there;
    *is_new = false;
    if (lstat(path, &there) == 0)
        return 0;
    if (errno != ENOENT || newfile_create_blank(path) != 0)
        return errno;
    *is_new = true;
    return filepath_sync_directory(path) == 0 ? 0 : errno;
}

/* Under the lock of opening; so is what follows. A new file may have the inode of one that was deleted. */
static void know(struct spool_known *known, dev_t device, ino_t inode, bool is_new)
{
    if (!known)
        return;
    pthread_mutex_lock(&known->mutex);
    bool is_another = inode && known->inode && (is_new || known->inode != inode || known->device != device);
    known->device = device;
    known->inode = inode;
    pthread_mutex_unlock(&known->mutex);
    if (is_another)
        log_text(LEVEL_ERROR, "spool: THE QUEUE IS NOT THE FILE IT WAS: somebody else moved that aside, deleted or "
                              "replaced it. What waited in it and is not in the one that is there now is not sent");
}

/* False: it is still there. */
static bool move_aside(const char *directory, struct spool_known *known, const char *why)
{
    char from[4200], to[4200], stamp[32];
    static const char *const tails[] = {"-wal", "-shm", ""};
    time_t now = time(NULL);
    struct tm tm;
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
    struct stat there;
    for (int n = 0; n < 100; n++) {
        char tail[64];
        snprintf(tail, sizeof tail, n ? ".corrupt-%s.%d" : ".corrupt-%s", stamp, n);
        if (path_of(to, sizeof to, directory, tail) != 0 || lstat(to, &there) == 0)
            continue;
        for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
            char whole[80];
            snprintf(whole, sizeof whole, "%s%s", tail, tails[i]);
            if (path_of(from, sizeof from, directory, tails[i]) == 0 && path_of(to, sizeof to, directory, whole) == 0 &&
                rename(from, to) != 0 && errno != ENOENT) {
                log_text(LEVEL_ERROR, "spool: %s is corrupt (%s) and cannot be moved aside: %s", from, why,
                         strerror(errno));
                return false;
            }
        }
        know(known, 0, 0, false);
        log_text(LEVEL_ERROR,
                 "spool: THE QUEUE IS CORRUPT (%s). It was moved aside to %s; what waited in it is not sent until you "
                 "recover it. A new queue begins.",
                 why, to);
        return true;
    }
    return false;
}

/* PATH is empty, and nobody has just made it? Then SQLITE_NOTADB if there is a log, which SQLite would delete with what
 * may be in it, else SPOOL_FILE_LOST once. A journal is left by who wrote for the first time and was stopped. */
static int look_for_loss(const char *directory, const char *path, char *problem, size_t size)
{
    char beside[4200];
    struct stat there;
    if (lstat(path, &there) != 0 || there.st_size > 0 || newfile_is_blank(&there))
        return SQLITE_OK;
    if (path_of(beside, sizeof beside, directory, "-journal") == 0 && lstat(beside, &there) == 0)
        return SQLITE_OK;
    snprintf(problem, size, "%s: it is empty, and was not when its log was begun", path);
    if (path_of(beside, sizeof beside, directory, "-wal") == 0 && lstat(beside, &there) == 0)
        return SQLITE_NOTADB;
    log_text(
        LEVEL_ERROR,
        "spool: THE QUEUE IS EMPTY, AND NOT A NEW ONE (%s has no content, and nobody has just made it): what waited "
        "in it is gone. A new queue begins in it.",
        path);
    return SPOOL_FILE_LOST;
}

static int open_it(struct spool_file *file, const char *directory, const char *path, bool *is_new, char *problem,
                   size_t size)
{
    struct stat there;
    int error = create(path, is_new);
    if (error) {
        snprintf(problem, size, "%s: %s", path, strerror(error));
        return SQLITE_CANTOPEN;
    }
    int loss = *is_new ? SQLITE_OK : look_for_loss(directory, path, problem, size);
    if (loss == SQLITE_NOTADB)
        return loss;
    int result =
        sqlite3_open_v2(path, &file->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);
    if (result == SQLITE_OK)
        result = prepare_file(file->sql);
    if (result == SQLITE_OK && lstat(path, &there) == 0) {
        file->device = there.st_dev;
        file->inode = there.st_ino;
        if (loss != SQLITE_OK) /* it has what a new one has, so that this is said once */
            spool_file_close(file);
        return loss;
    }
    if (result == SQLITE_OK)
        result = SQLITE_CANTOPEN;
    char why[300] = "was written by a newer Postern";
    if (result != SQLITE_MISMATCH)
        sqlite_why(file->sql, result, why, sizeof why);
    snprintf(problem, size, "%s: %s", path, why);
    spool_file_close(file);
    newfile_mark_blank(path); /* if it still is, or is again */
    return result;
}

/* -1 and errno. Whoever holds it may be a process that was stopped: messages must not wait for it for ever. */
static int lock_opening(const char *directory)
{
    int64_t deadline = clock_monotonic_us() + BUSY_MS * 1000;
    int fd = spool_lock_file(directory, "spool.open");
    while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int error = errno;
        if ((error != EINTR && error != EWOULDBLOCK) || clock_monotonic_us() >= deadline) {
            close(fd);
            errno = error;
            return -1;
        }
        clock_sleep_us(LOCK_PAUSE_US);
    }
    return fd;
}

int spool_file_open(struct spool_file *file, const char *directory, struct spool_known *known, char *problem,
                    size_t size)
{
    char path[4200], *real = realpath(directory, NULL); /* SQLITE_OPEN_NOFOLLOW minds links above it too */
    int lock = real ? lock_opening(real) : -1;
    *file = (struct spool_file){0};
    if (lock < 0 || path_of(path, sizeof path, real, "") != 0) {
        snprintf(problem, size, "%s: %s", directory, strerror(errno));
        if (lock >= 0)
            close(lock);
        free(real);
        return SQLITE_CANTOPEN;
    }
    bool is_new;
    int result = open_it(file, real, path, &is_new, problem, size);
    if (spool_file_is_damage(result) && move_aside(real, known, problem))
        result = SPOOL_FILE_LOST;
    else if (result == SQLITE_OK)
        know(known, file->device, file->inode, is_new);
    close(lock);
    free(real);
    return result;
}

void spool_file_close(struct spool_file *file)
{
    for (sqlite3_stmt *rows; file->sql && (rows = sqlite3_next_stmt(file->sql, NULL));)
        sqlite3_finalize(rows);
    sqlite3_close_v2(file->sql);
    *file = (struct spool_file){0};
}

bool spool_file_is_current(const struct spool_file *file, const char *directory)
{
    char path[4200];
    struct stat there;
    return path_of(path, sizeof path, directory, "") == 0 && stat(path, &there) == 0 && there.st_dev == file->device &&
           there.st_ino == file->inode;
}

void spool_file_condemn(struct spool_file *file, const char *directory, struct spool_known *known, const char *why)
{
    struct spool_file old = *file;
    if (file->sql) /* as it is: a checkpoint would write the damage from one file into the other */
        sqlite3_db_config(file->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    spool_file_close(file);
    int lock = lock_opening(directory);
    if (lock < 0)
        return;
    if (spool_file_is_current(&old, directory))
        move_aside(directory, known, why);
    close(lock);
}
