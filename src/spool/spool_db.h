/*
 * spool_db - the queue's file, opened when needed, with writers that share syncs.
 *
 * OWNS: two connections, one that writes and one that reads. THREADS: any. ERRORS: SQLite's result codes; what is wrong
 * is logged here, once a minute, and counted. The next call tries again, so that a mended disk needs no restart.
 * SPOOL_FILE_LOST (spool_file.h): this call found that what was in the file is lost; the next begins a new one.
 */
#ifndef POSTERN_SPOOL_SPOOL_DB_H
#define POSTERN_SPOOL_SPOOL_DB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct spool_db;

struct spool_db *spool_db_open(const char *directory);
void spool_db_close(struct spool_db *db); /* when no call is under way */

/* A piece of a transaction: SQLITE_OK, or a result that rolls it back. It may be run again then, on another file even,
 * and by another thread while its caller waits. */
typedef int spool_db_task(sqlite3 *sql, void *context);

enum spool_db_mode {
    SPOOL_DB_LAZY,    /* a crash of the machine (not of the process) may undo it */
    SPOOL_DB_DURABLE, /* on the disk, synced, when spool_db_write() returns SQLITE_OK */
    SPOOL_DB_PRESENT, /* the same, of entries that are there: SPOOL_FILE_LOST instead of nothing to do in a new file */
    SPOOL_DB_SHARED /* as SPOOL_DB_DURABLE, and others are on their way: a millisecond later there are more to share the
                       sync */
};

/* Together with what other threads write at the same time. */
int spool_db_write(struct spool_db *db, spool_db_task *task, void *context, enum spool_db_mode mode);

int spool_db_read(struct spool_db *db, spool_db_task *task, void *context);

/* Calls that did not end with SQLITE_OK since spool_db_open(). */
uint64_t spool_db_failures(struct spool_db *db);

#endif
