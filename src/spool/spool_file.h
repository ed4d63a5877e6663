/*
 * spool_file - the SQLite file: created with the right owner and mode, brought to the present schema, moved aside if it
 * is corrupt.
 *
 * OWNS: nothing but the connection it opens. THREADS: one a connection; several processes.
 * ERRORS: SQLite's result codes, and a problem for people.
 */
#ifndef POSTERN_SPOOL_SPOOL_FILE_H
#define POSTERN_SPOOL_SPOOL_FILE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct spool_file {
    sqlite3 *sql; /* NULL: not open */
    dev_t device;
    ino_t inode;
};

/* Which file was the last that was opened, by any connection of a process: that it is another one is logged once. All
 * 0: none, or what comes next is no surprise. */
struct spool_known {
    pthread_mutex_t mutex; /* guards the rest */
    dev_t device;
    ino_t inode;
};

/* Instead of SQLite's code: what was in the file is lost. It was corrupt and was moved aside, or emptied, and that was
 * logged, loudly. The next opening begins a new one. */
#define SPOOL_FILE_LOST SQLITE_EMPTY /* which SQLite itself does not use any more */

/* Opens DIRECTORY/spool.db, which is made if there is none. KNOWN may be NULL. */
int spool_file_open(struct spool_file *file, const char *directory, struct spool_known *known, char *problem,
                    size_t size);
void spool_file_close(struct spool_file *file);

/* Is it still the file of that name? Somebody may have moved it aside, or deleted it. */
bool spool_file_is_current(const struct spool_file *file, const char *directory);

/* FILE turned out to be corrupt: closes it, and moves it aside if nobody did so yet. WHY for the log. */
void spool_file_condemn(struct spool_file *file, const char *directory, struct spool_known *known, const char *why);

/* Does RESULT say that the file's content is damaged? */
bool spool_file_is_damage(int result);

/* Runs one statement without rows. TYPES has a letter for each value: i int64_t, t const char * (NULL: NULL), b struct
 * span (ptr NULL: NULL). The bytes are not copied. */
int spool_sql(sqlite3 *sql, const char *statement, const char *types, ...);

/* The same for one with rows: *ROWS to be stepped by the caller, and ended by
 * spool_query_end(), which says what sqlite3_reset() does. */
int spool_query(sqlite3 *sql, sqlite3_stmt **rows, const char *statement, const char *types, ...);
int spool_query_end(sqlite3_stmt *rows);

#endif
