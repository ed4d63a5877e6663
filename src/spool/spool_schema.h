/*
 * spool_schema - the tables of the queue, and how those of an older version become them.
 *
 * THREADS: the connection's; processes: under the lock of opening.
 */
#ifndef POSTERN_SPOOL_SPOOL_SCHEMA_H
#define POSTERN_SPOOL_SPOOL_SCHEMA_H

#include <sqlite3.h>

/* SQLite's result code; SQLITE_MISMATCH: a newer Postern has made the file. */
int spool_schema_raise(sqlite3 *sql);

#endif
