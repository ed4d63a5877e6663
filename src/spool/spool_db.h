/*
 * spool_db - the queue's file, opened when needed, with writers that share syncs.
 *
 * OWNS: two connections, one that writes and one that reads. THREADS: any. ERRORS: SQLite's result codes; what is wrong
 * is logged here, once a minute. The next call tries again, so that a mended disk needs no restart.
 */
#ifndef POSTERN_SPOOL_SPOOL_DB_H
#define POSTERN_SPOOL_SPOOL_DB_H

#include <sqlite3.h>
#include <stdbool.h>

struct spool_db;

struct spool_db *spool_db_open(const char *directory);
void spool_db_close(struct spool_db *db); /* when no call is under way */

/* A piece of a transaction: SQLITE_OK, or a result that rolls it back. It may be run again then, on another file even,
 * and by another thread while its caller waits. */
typedef int spool_db_task(sqlite3 *sql, void *context);

/* Together with what other threads write at the same time. DURABLE: on the disk, synced, when it returns SQLITE_OK; else
 * a crash of the machine (not of the process) may undo it. */
int spool_db_write(struct spool_db *db, spool_db_task *task, void *context, bool durable);

int spool_db_read(struct spool_db *db, spool_db_task *task, void *context);

#endif
