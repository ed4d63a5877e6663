/*
 * store_schema - what is in the SQLite file, and how a file of an older version becomes one of ours.
 *
 * `PRAGMA user_version` is the number of steps a file has been through; `PRAGMA application_id` says that it is one of
 * ours.
 *
 * THREADS: the connection's. ERRORS: an SQLite code, with a reason in WHY.
 */
#ifndef POSTERN_STORE_STORE_SCHEMA_H
#define POSTERN_STORE_STORE_SCHEMA_H

#include <sqlite3.h>
#include <stddef.h>

/* The SQL that makes version N + 1 out of version N, for N from 0. */
extern const char *const store_schema_steps[];
extern const size_t store_schema_count;

/* Brings the file to version COUNT, in one transaction: whatever happens, it is whole at the old or at the new version.
 * SQLITE_OK; SQLITE_MISUSE if it is no store or one of a newer version (nothing was changed); else what went wrong. */
int store_schema_raise(sqlite3 *db, const char *const *steps, size_t count, char *why, size_t size);

#endif
