/*
 * store_sqlite_open - a connection's beginning and its end.
 *
 * Opening goes through one thread of one process at a time (store_file.h). The first one there checks a file that was
 * not closed cleanly and raises its schema.
 *
 * A connection is closed without a checkpoint unless the store is closed under the lock and the file is still its own:
 * SQLite deletes PATH-wal when it thinks that it was the last, and by then that may be the log of the next file.
 *
 * The pauses between two attempts to get the lock of another process are short and random: SQLite's own grow to 100 ms,
 * and who waits longest would be the last to be served.
 */
#include "store/store_schema.h"
#include "store/store_sqlite.h"
#include "util/clock.h"
#include "util/filepath.h"
#include "util/log.h"
#include "util/sqlite_why.h"
#include <stdio.h>

#define CACHE_KB "16384"
#define MOVE_AGAIN_US INT64_C(60000000) /* a disk that breaks every file must not be filled with them */

static const char *const statement_texts[SQL_COUNT] = {
    [SQL_GET] = "SELECT value, expires FROM store WHERE key = ?1",
    [SQL_PAGE] = "SELECT key, value, expires FROM store WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT 256",
    [SQL_OLDEST] = "SELECT 1 FROM store WHERE expires <> 0 AND expires <= ?1 LIMIT 1",
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_PUT] = "INSERT INTO store (key, value, expires) VALUES (?1, ?2, ?3) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires",
    [SQL_PUT_IF_EXPIRED] = "INSERT INTO store (key, value, expires) VALUES (?1, ?2, ?3) "
                           "ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires "
                           "WHERE store.expires <> 0 AND store.expires <= ?4",
    [SQL_DELETE] = "DELETE FROM store WHERE key = ?1",
    [SQL_SWEEP] = "DELETE FROM store WHERE key IN "
                  "(SELECT key FROM store WHERE expires <> 0 AND expires <= ?1 ORDER BY expires LIMIT ?2)",
};

static int wait_for_lock(void *context, int attempt)
{
    struct sqlite_connection *connection = context;
    (void)attempt;
    if (clock_monotonic_us() >= connection->deadline)
        return 0;
    connection->pause = connection->pause * 1103515245 + 12345;
    clock_sleep_us(200 + (connection->pause >> 16) % 2000);
    return 1;
}

static int is_late(void *context)
{
    const struct sqlite_connection *connection = context;
    return clock_monotonic_us() >= connection->deadline;
}

bool store_sqlite_is_corruption(int code)
{
    return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

void store_sqlite_disconnect(struct sqlite_connection *connection, bool with_checkpoint)
{
    for (int i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(connection->statements[i]);
        connection->statements[i] = NULL;
    }
    if (connection->db && !with_checkpoint)
        sqlite3_db_config(connection->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close_v2(connection->db);
    connection->db = NULL;
    connection->failure = SQLITE_OK;
}

/* SQLITE_OK, SQLITE_CORRUPT with TEXT, or an error. A check that would take too long is given up: what it might have
 * found is found by who reads it. */
static int check_whole(struct sqlite_store *store, struct sqlite_connection *connection, char *text, size_t size)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_progress_handler(connection->db, 10000, is_late, connection);
    int code = sqlite3_prepare_v2(connection->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    const char *answer = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    if (code == SQLITE_ROW && answer && strcmp(answer, "ok") != 0) {
        snprintf(text, size, "%s", answer);
        code = SQLITE_CORRUPT;
    } else if (code == SQLITE_ROW || code == SQLITE_DONE) {
        code = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    sqlite3_progress_handler(connection->db, 0, NULL, NULL);
    if (code == SQLITE_INTERRUPT) {
        log_text(LEVEL_WARNING, "store: %s was not closed cleanly, and there was no time to check all of it",
                 store->file.path);
        return SQLITE_OK;
    }
    return code;
}

/* Under the lock of the file: what only the first one there does. WHY is filled if SQLite has no words for it. */
static int make_ready(struct sqlite_store *store, struct sqlite_connection *connection, bool was_abandoned, char *why,
                      size_t size)
{
    int code = SQLITE_OK;
    if (was_abandoned)
        code = check_whole(store, connection, why, size);
    if (code == SQLITE_OK)
        code = store_schema_raise(connection->db, store_schema_steps, store_schema_count, why, size);
    if (code == SQLITE_OK)
        code = sqlite3_exec(connection->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
    return code;
}

static int prepare_all(struct sqlite_connection *connection)
{
    int code = SQLITE_OK;
    for (int i = 0; i < SQL_COUNT && code == SQLITE_OK; i++)
        code = sqlite3_prepare_v3(connection->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                  &connection->statements[i], NULL);
    return code;
}

/* Opens CONNECTION on the file at the path, which IDENTITY names. An SQLite code, with a text in WHY. */
static int open_on(struct sqlite_store *store, struct sqlite_connection *connection, struct store_identity identity,
                   char *why, size_t size)
{
    why[0] = '\0';
    bool was_abandoned = store_file_was_abandoned(&store->file); /* SQLite makes a log as soon as it reads */
    int code = sqlite3_open_v2(store->file.path, &connection->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    connection->identity = identity;
    if (code == SQLITE_OK) {
        sqlite3_busy_handler(connection->db, wait_for_lock, connection);
        code = sqlite3_exec(connection->db,
                            "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -" CACHE_KB ";"
                            "PRAGMA journal_size_limit = 16777216; PRAGMA temp_store = MEMORY;",
                            NULL, NULL, NULL);
    }
    if (code == SQLITE_OK && sqlite3_db_readonly(connection->db, "main") == 1) {
        snprintf(why, size, "no right to write it");
        code = SQLITE_READONLY;
    }
    if (code == SQLITE_OK && !store_identity_equals(store->ready, identity))
        code = make_ready(store, connection, was_abandoned, why, size);
    if (code == SQLITE_OK)
        code = prepare_all(connection);
    if (code != SQLITE_OK && !why[0])
        sqlite_why(connection->db, code, why, size);
    return code;
}

/* True: it is not at the path any more. */
static bool move_aside(struct sqlite_store *store, struct store_call *call, struct store_identity identity,
                       const char *what)
{
    int64_t now = clock_monotonic_us();
    bool by_us;
    if (store->moved_at && now - store->moved_at < MOVE_AGAIN_US) {
        store_call_fail(call, "%s is corrupt again: %s", store->file.path, what);
        return false;
    }
    bool is_gone = store_file_move_aside(&store->file, call, identity, what, &by_us);
    if (by_us)
        store->known = (struct store_identity){0, 0}; /* what comes is no surprise */
    if (is_gone)
        store->moved_at = now;
    return is_gone;
}

/* Once for each file, whichever connection comes first. A new one may have the inode of one that was deleted. */
static void note_change(struct sqlite_store *store, struct store_identity identity, bool is_new)
{
    if (store->known.inode && (is_new || !store_identity_equals(store->known, identity)))
        log_text(
            LEVEL_ERROR,
            "store: %s IS NOT THE FILE IT WAS: somebody else moved that aside, deleted or replaced it. What was in "
            "it and is not in the one that is there now is not known any more",
            store->file.path);
    store->known = identity;
}

/* The file at the path, which is ready then if it was opened. */
static enum sqlite_connecting open_there(struct sqlite_store *store, struct sqlite_connection *connection,
                                         struct store_call *call, struct store_identity identity)
{
    char why[200];
    int code = open_on(store, connection, identity, why, sizeof why);
    if (code == SQLITE_OK) {
        if (!store_identity_equals(store->ready, identity)) /* before store_sync() promises anything */
            filepath_sync_directory(store->file.path);
        store->ready = identity;
        return SQLITE_CONNECTED;
    }
    store_sqlite_disconnect(connection, false);
    store_file_keep_blank(&store->file);
    store->ready = (struct store_identity){0, 0}; /* in the place of that one somebody else may have made another */
    store_call_fail(call, "%s: %s", store->file.path, why);
    return store_sqlite_is_corruption(code) && move_aside(store, call, identity, why) ? SQLITE_LOST : SQLITE_FAILED;
}

/* Its content is gone. It gets what a new one has at once, so that this is said once. */
static enum sqlite_connecting begin_anew(struct sqlite_store *store, struct sqlite_connection *connection,
                                         struct store_call *call, struct store_identity identity)
{
    log_text(LEVEL_ERROR,
             "store: %s IS EMPTY, and nobody has just made it: what was in it is gone. A new one is begun in it",
             store->file.path);
    enum sqlite_connecting result = open_there(store, connection, call, identity);
    if (result != SQLITE_CONNECTED)
        return result;
    store_sqlite_disconnect(connection, false);
    store_call_fail(call, "%s was empty, and what was in it is gone", store->file.path);
    return SQLITE_LOST;
}

/* Under `opening` and the lock of the file. */
static enum sqlite_connecting open_locked(struct sqlite_store *store, struct sqlite_connection *connection,
                                          struct store_call *call)
{
    struct store_identity identity;
    bool is_new;
    if (!store_file_make(&store->file, call, &is_new) || !store_file_identify(&store->file, call, &identity))
        return SQLITE_FAILED;
    note_change(store, identity, is_new);
    enum store_content content = is_new ? STORE_FILE_FILLED : store_file_content(&store->file);
    if (is_new || content != STORE_FILE_FILLED) /* nobody has made it ready, whatever its inode was before */
        store->ready = (struct store_identity){0, 0};
    switch (content) {
    case STORE_FILE_FILLED:
        break;
    case STORE_FILE_EMPTIED:
        return begin_anew(store, connection, call, identity);
    case STORE_FILE_CUT_OFF:
        return move_aside(store, call, identity, "it is empty, and was not when its log was begun") ? SQLITE_LOST
                                                                                                    : SQLITE_FAILED;
    }
    return open_there(store, connection, call, identity);
}

enum sqlite_connecting store_sqlite_connect(struct sqlite_store *store, struct sqlite_connection *connection,
                                            struct store_call *call)
{
    if (!store_gate_enter(&store->gate, call->why, sizeof call->why))
        return SQLITE_FAILED;
    enum sqlite_connecting result = SQLITE_FAILED;
    connection->deadline = call->deadline;
    if (store_pool_take(&store->opening, call->deadline) < 0) {
        store_call_fail(call, "%s is being opened by another thread", store->file.path);
    } else {
        if (store_file_lock(&store->file, call)) {
            result = open_locked(store, connection, call);
            store_file_unlock(&store->file);
        }
        store_pool_give(&store->opening, 0);
    }
    store_gate_report(&store->gate, result != SQLITE_FAILED, call->why);
    if (result == SQLITE_LOST)
        atomic_store(&store->has_lost, true);
    return result;
}

void store_sqlite_condemn(struct sqlite_store *store, struct sqlite_connection *connection)
{
    struct store_call call = {.deadline = clock_monotonic_us() + SQLITE_CLOSE_US};
    char what[sizeof connection->failure_text];
    snprintf(what, sizeof what, "%s", connection->failure_text);
    store_sqlite_disconnect(connection, false);
    if (store_pool_take(&store->opening, call.deadline) < 0)
        return;
    if (store_file_lock(&store->file, &call)) {
        move_aside(store, &call, connection->identity, what);
        store_file_unlock(&store->file);
    }
    store_pool_give(&store->opening, 0);
}
