/*
 * spool_schema - a list of steps, each done once in the life of a file. A new file goes through all of them, so that
 * each test tries them. Steps are never changed once they were released; what must change is a step more.
 */
#include "spool/spool_schema.h"
#include "spool/spool_file.h"
#include <stdio.h>

/* One a schema version: what leads to it from the one before. */
static const char *const migrations[] = {
    /* 1. next_attempt: -1 deleted by the administrator, 0 wanted now, else seconds since 1970. token: so that an id
     * that comes again after the file was moved aside is not taken for the old one. total: kept by triggers,
     * for counting would be slow. */
    "CREATE TABLE entry(id INTEGER PRIMARY KEY AUTOINCREMENT, token INTEGER NOT NULL, kind TEXT NOT NULL,"
    " reverse_path TEXT NOT NULL, mail_parameters TEXT, needs_smtputf8 INTEGER NOT NULL, is_8bit INTEGER NOT NULL,"
    " once INTEGER NOT NULL, memo TEXT, added INTEGER NOT NULL, next_attempt INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL DEFAULT 0, is_being_sent INTEGER NOT NULL DEFAULT 0,"
    " last_reply TEXT, bytes INTEGER NOT NULL);"
    "CREATE INDEX entry_next ON entry(next_attempt, id);"
    "CREATE INDEX entry_added ON entry(added);"
    "CREATE TABLE recipient(entry INTEGER NOT NULL, number INTEGER NOT NULL, path TEXT NOT NULL, parameters TEXT,"
    " fate INTEGER NOT NULL DEFAULT 0, reply TEXT, PRIMARY KEY(entry, number)) WITHOUT ROWID;"
    "CREATE INDEX recipient_doubt ON recipient(entry) WHERE fate = 1;"
    "CREATE TABLE content(entry INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL,"
    " UNIQUE(entry, part));"
    "CREATE TABLE total(messages INTEGER NOT NULL, bytes INTEGER NOT NULL);"
    "INSERT INTO total VALUES(0, 0);"
    "CREATE TRIGGER entry_in AFTER INSERT ON entry BEGIN"
    " UPDATE total SET messages = messages + 1, bytes = bytes + new.bytes; END;"
    "CREATE TRIGGER entry_out AFTER DELETE ON entry BEGIN"
    " DELETE FROM recipient WHERE entry = old.id; DELETE FROM content WHERE entry = old.id;"
    " UPDATE total SET messages = messages - 1, bytes = bytes - old.bytes; END;",
    /* 2. submit: which MTA, "" for the usual one. claim: by which boot of the machine it is being sent, or NULL. Few
     * pages are touched by an addition: last_id instead of AUTOINCREMENT's table, no index of `added`, and pieces by
     * number (entry << 20 | part) instead of by an index. A worker of version 1 that is draining fails to add from here
     * on. */
    "CREATE TABLE entry_2(id INTEGER PRIMARY KEY, token INTEGER NOT NULL, kind TEXT NOT NULL,"
    " submit TEXT NOT NULL DEFAULT '', reverse_path TEXT NOT NULL, mail_parameters TEXT,"
    " needs_smtputf8 INTEGER NOT NULL, is_8bit INTEGER NOT NULL, once INTEGER NOT NULL, memo TEXT,"
    " added INTEGER NOT NULL, next_attempt INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, claim TEXT,"
    " last_reply TEXT, bytes INTEGER NOT NULL);"
    "INSERT INTO entry_2 SELECT id, token, kind, '', reverse_path, mail_parameters, needs_smtputf8, is_8bit, once, "
    "memo,"
    " added, next_attempt, attempts,"
    " CASE WHEN is_being_sent OR id IN (SELECT entry FROM recipient WHERE fate = 1) THEN '' END, last_reply, bytes"
    " FROM entry;"
    "ALTER TABLE total ADD COLUMN last_id INTEGER NOT NULL DEFAULT 0;"
    "UPDATE total SET last_id = coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'entry'), 0);"
    "DROP TABLE entry;"
    "ALTER TABLE entry_2 RENAME TO entry;"
    "CREATE INDEX entry_next ON entry(submit, next_attempt, id);"
    "CREATE INDEX entry_claim ON entry(id) WHERE claim NOT NULL;"
    "CREATE TABLE piece(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "INSERT INTO piece SELECT entry << 20 | part, bytes FROM content;"
    "DROP TABLE content;"
    "DROP INDEX recipient_doubt;"
    "CREATE TRIGGER entry_in AFTER INSERT ON entry BEGIN"
    " UPDATE total SET messages = messages + 1, bytes = bytes + new.bytes, last_id = max(last_id, new.id); END;"
    "CREATE TRIGGER entry_out AFTER DELETE ON entry BEGIN"
    " DELETE FROM recipient WHERE entry = old.id;"
    " DELETE FROM piece WHERE id >= old.id << 20 AND id < (old.id + 1) << 20;"
    " UPDATE total SET messages = messages - 1, bytes = bytes - old.bytes; END;",
    /* 3. decided: since when, in seconds since 1970, nothing but the owner's after() is missing; else NULL. */
    "ALTER TABLE entry ADD COLUMN decided INTEGER;",
    /* 4. content: all of it, if it is small, so that one page less is written; else NULL, and it lies in parts. The
     * table was renamed, so that a worker of version 3 that is draining fails to look for content where it is no more;
     * it does not add any more either, and what it was just sending counts as in doubt. */
    "ALTER TABLE entry ADD COLUMN content BLOB;"
    "DROP TRIGGER entry_out;"
    "ALTER TABLE piece RENAME TO part;"
    "CREATE TRIGGER entry_out AFTER DELETE ON entry BEGIN"
    " DELETE FROM recipient WHERE entry = old.id;"
    " UPDATE total SET messages = messages - 1, bytes = bytes - old.bytes; END;"
    "CREATE TRIGGER entry_parts_out AFTER DELETE ON entry WHEN old.content IS NULL BEGIN"
    " DELETE FROM part WHERE id >= old.id << 20 AND id < (old.id + 1) << 20; END;",
};

#define SCHEMA_VERSION ((int)(sizeof migrations / sizeof *migrations))

static int number_of(sqlite3 *sql, const char *statement, int *number)
{
    sqlite3_stmt *rows;
    int result = spool_query(sql, &rows, statement, "");
    if (result != SQLITE_OK)
        return result;
    result = sqlite3_step(rows);
    *number = result == SQLITE_ROW ? sqlite3_column_int(rows, 0) : 0;
    spool_query_end(rows);
    return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : result;
}

int spool_schema_raise(sqlite3 *sql)
{
    int version = 0, result = number_of(sql, "PRAGMA user_version", &version);
    if (result != SQLITE_OK)
        return result;
    if (version < 0 || version > SCHEMA_VERSION)
        return SQLITE_MISMATCH;
    for (; version < SCHEMA_VERSION && result == SQLITE_OK; version++) {
        char statement[64];
        snprintf(statement, sizeof statement, "PRAGMA user_version = %d; COMMIT", version + 1);
        result = sqlite3_exec(sql, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        if (result == SQLITE_OK)
            result = sqlite3_exec(sql, migrations[version], NULL, NULL, NULL);
        if (result == SQLITE_OK)
            result = sqlite3_exec(sql, statement, NULL, NULL, NULL);
        if (result != SQLITE_OK)
            sqlite3_exec(sql, "ROLLBACK", NULL, NULL, NULL);
    }
    int messages;
    return result == SQLITE_OK ? number_of(sql, "SELECT messages FROM total", &messages) : result;
}
