/*
 * spool_file - the SQLite file: created with the right owner and mode, brought to the present schema, moved aside if it
 * is corrupt.
 *
 * OWNS: nothing but the connection it opens. THREADS: one a connection; several processes.
 * ERRORS: SQLite's result codes, and a problem for people.
 */
#ifndef POSTERN_SPOOL_SPOOL_FILE_H
#define POSTERN_SPOOL_SPOOL_FILE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct spool_file {
    sqlite3 *sql; /* NULL: not open */
    dev_t device;
    ino_t inode;
};

/* Opens DIRECTORY/spool.db. A corrupt one is moved aside, loudly, and a new one begun. */
int spool_file_open(struct spool_file *file, const char *directory, char *problem, size_t size);
void spool_file_close(struct spool_file *file);

/* Is it still the file of that name? Somebody may have moved it aside, or deleted it. */
bool spool_file_is_current(const struct spool_file *file, const char *directory);

/* FILE turned out to be corrupt: closes it, and moves it aside if nobody did so yet. WHY for the log. */
void spool_file_condemn(struct spool_file *file, const char *directory, const char *why);

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
