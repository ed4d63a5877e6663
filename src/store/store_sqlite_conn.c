/*
 * store_sqlite_conn - a handful of connections to one file that may vanish, break or be replaced at any time.
 *
 * Each connection remembers which file it was opened on, and before each call it is compared with the one at the path:
 * a file that another process found corrupt and moved aside, or that the administrator replaced, is noticed at the next
 * call, which opens the new one (store_sqlite_open.c).
 */
#include "store/store_sqlite.h"
#include "util/clock.h"
#include "util/sqlite_why.h"
#include <stdio.h>
#include <unistd.h>

sqlite3_stmt *store_sqlite_statement(struct sqlite_connection *connection, enum sqlite_statement which)
{
    sqlite3_stmt *statement = connection->statements[which];
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return statement;
}

void store_sqlite_bind(sqlite3_stmt *statement, int number, struct span bytes)
{
    sqlite3_bind_blob64(statement, number, bytes.len ? bytes.ptr : "", bytes.len, SQLITE_STATIC);
}

struct span store_sqlite_column(sqlite3_stmt *statement, int number)
{
    const char *bytes = sqlite3_column_blob(statement, number);
    return (struct span){bytes ? bytes : "", (size_t)sqlite3_column_bytes(statement, number)};
}

static void note_failure(struct sqlite_connection *connection, int code, const char *text)
{
    connection->failure = code;
    snprintf(connection->failure_text, sizeof connection->failure_text, "%s", text);
}

enum store_outcome store_sqlite_failed(struct sqlite_store *store, struct sqlite_connection *connection,
                                       struct store_call *call, int code)
{
    char why[sizeof connection->failure_text];
    int kind = code & 0xff;
    if (kind == SQLITE_BUSY) /* SQLite's text is "database is locked" */
        return store_call_fail(call, "%s is locked by others for too long", store->file.path);
    sqlite_why(connection->db, code, why, sizeof why);
    store_call_fail(call, "%s: %s", store->file.path, why);
    if (kind != SQLITE_FULL && kind != SQLITE_NOMEM && kind != SQLITE_TOOBIG)
        note_failure(connection, code, why);
    return STORE_DOWN;
}

bool store_sqlite_is_current(const struct sqlite_store *store, const struct sqlite_connection *connection,
                             struct store_call *call)
{
    struct store_identity there;
    if (!store_file_identify(&store->file, call, &there))
        return false;
    if (store_identity_equals(there, connection->identity))
        return true;
    store_call_fail(call, "%s was moved or deleted meanwhile", store->file.path);
    return false;
}

struct sqlite_connection *store_sqlite_take(struct sqlite_store *store, struct store_call *call, enum sqlite_use use)
{
    if (atomic_load(&store->is_loss_untold) && atomic_exchange(&store->is_loss_untold, false)) {
        store_call_fail(call, "%s", store->loss);
        return NULL;
    }
    bool is_writer = use == SQLITE_TO_WRITE || (use == SQLITE_TO_READ && store_pool_try(&store->writer) == 0);
    int number = 0;
    if (use == SQLITE_TO_WRITE)
        number = store_pool_take(&store->writer, call->deadline);
    else if (!is_writer)
        number = store_pool_take(&store->readers, call->deadline);
    if (number < 0) {
        store_call_fail(call, "%s: no connection was free in time", store->file.path);
        return NULL;
    }
    struct sqlite_connection *connection = &store->connections[is_writer ? 0 : 1 + number];
    struct store_call ignored;
    if (connection->db && (connection->failure != SQLITE_OK || !store_sqlite_is_current(store, connection, &ignored)))
        store_sqlite_disconnect(connection, false);
    if (connection->db || store_sqlite_connect(store, connection, call) == SQLITE_CONNECTED) {
        connection->deadline = call->deadline;
        return connection;
    }
    store_pool_give(is_writer ? &store->writer : &store->readers, number);
    return NULL;
}

void store_sqlite_give(struct sqlite_store *store, struct sqlite_connection *connection)
{
    int number = (int)(connection - store->connections);
    if (!sqlite3_get_autocommit(connection->db))
        sqlite3_exec(connection->db, "ROLLBACK", NULL, NULL, NULL);
    if (store_sqlite_is_corruption(connection->failure))
        store_sqlite_condemn(store, connection);
    if (number == 0)
        store_pool_give(&store->writer, 0);
    else
        store_pool_give(&store->readers, number - 1);
}

void store_sqlite_init(struct sqlite_store *store, struct arena *arena, const char *path)
{
    store_pool_init(&store->writer, 1);
    store_pool_init(&store->readers, SQLITE_READERS);
    store_pool_init(&store->opening, 1);
    store_gate_init(&store->gate);
    store_file_init(&store->file, arena, path);
    for (uint32_t i = 0; i <= SQLITE_READERS; i++)
        store->connections[i].pause = (uint32_t)getpid() * 31 + i;
}

void store_sqlite_close_all(struct sqlite_store *store)
{
    struct store_call call = {.deadline = clock_monotonic_us() + SQLITE_CLOSE_US};
    bool locked = store_file_lock(&store->file, &call);
    for (int i = SQLITE_READERS; i >= 0; i--) {
        struct sqlite_connection *connection = &store->connections[i];
        if (connection->db)
            store_sqlite_disconnect(connection, locked && store_sqlite_is_current(store, connection, &call));
    }
    store_file_close(&store->file);
    store_gate_destroy(&store->gate);
    store_pool_destroy(&store->opening);
    store_pool_destroy(&store->readers);
    store_pool_destroy(&store->writer);
}
