/*
 * store_schema - a list of steps, each done once in the life of a file.
 *
 * A new file goes through all of them, so that the steps are tried each time a test makes a store. Steps are never
 * changed once they were released; what must change is a step more. A worker of the version before may have the file
 * open while it is raised: SQLite prepares its statements anew, so a step must leave tables that these still fit, or
 * the old worker answers "down" until it has drained.
 *
 * Keys are BLOBs: they are compared as bytes and may hold anything but NUL. A table WITHOUT ROWID is one tree instead
 * of two. The index serves the sweep alone, and leaves out what never expires.
 */
#include "store/store_schema.h"
#include "util/sqlite_why.h"
#include <stdint.h>
#include <stdio.h>

#define APPLICATION_ID 0x50737453 /* "PstS" */

const char *const store_schema_steps[] = {
    /* 1 */
    "CREATE TABLE store (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;"
    "PRAGMA application_id = 1349743699;",
    /* 2: version 1 looked at every row to find those that have expired */
    "CREATE INDEX store_expiry ON store (expires) WHERE expires <> 0;",
};
const size_t store_schema_count = sizeof store_schema_steps / sizeof *store_schema_steps;

_Static_assert(APPLICATION_ID == 1349743699, "the number in step 1");

static int read_number(sqlite3 *db, const char *sql, int64_t *number)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        *number = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
        code = code == SQLITE_ROW ? SQLITE_OK : code;
    }
    sqlite3_finalize(statement);
    return code;
}

/* Inside the transaction. */
static int take_steps(sqlite3 *db, const char *const *steps, size_t count, char *why, size_t size)
{
    int64_t version = 0, application = 0, tables = 0;
    int code = read_number(db, "PRAGMA user_version", &version);
    if (code == SQLITE_OK)
        code = read_number(db, "PRAGMA application_id", &application);
    if (code == SQLITE_OK)
        code = read_number(db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (code != SQLITE_OK)
        return code;
    if (application != APPLICATION_ID && (tables != 0 || version != 0)) {
        snprintf(why, size, "it is a database of another program");
        return SQLITE_MISUSE;
    }
    if (version < 0 || (uint64_t)version > count) {
        snprintf(why, size, "it has version %lld, made by a newer Postern; this one knows %zu", (long long)version,
                 count);
        return SQLITE_MISUSE;
    }
    for (size_t i = (size_t)version; i < count && code == SQLITE_OK; i++)
        code = sqlite3_exec(db, steps[i], NULL, NULL, NULL);
    char set[64];
    snprintf(set, sizeof set, "PRAGMA user_version = %zu", count);
    if (code == SQLITE_OK && (uint64_t)version < count)
        code = sqlite3_exec(db, set, NULL, NULL, NULL);
    return code;
}

int store_schema_raise(sqlite3 *db, const char *const *steps, size_t count, char *why, size_t size)
{
    why[0] = '\0';
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = take_steps(db, steps, count, why, size);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK && !why[0])
        sqlite_why(db, code, why, size);
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}
