/*
 * store_sqlite - the calls of the store as statements.
 *
 * A call that may write takes the one writing connection and begins with BEGIN IMMEDIATE, so that it waits for other
 * processes before it has read anything and never has to give up half way. Reads wait for nobody (WAL): while a writer
 * is at work they go through connections of their own. Else they use his, whose cache is still good after what it wrote
 * itself; each of the others reads its pages again after every write. A row that is there is looked up before it is
 * reserved: that a sender was answered already is the usual answer, and must not cost a lock.
 *
 * synchronous = NORMAL: a commit survives the death of the process, not that of the machine. store_sync() makes that
 * good with one fsync of the log, which costs the writers nothing.
 */
#include "store/store_sqlite.h"
#include <limits.h>
#include <stdio.h>

static int step_and_reset(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    int reset = sqlite3_reset(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW ? reset : code;
}

/* SQLITE_ROW with the statement standing on it (reset it), SQLITE_DONE: no row that is alive, or an error. */
static int find(struct sqlite_connection *connection, const struct store_call *call, const char *key,
                sqlite3_stmt **row)
{
    *row = store_sqlite_statement(connection, SQL_GET);
    store_sqlite_bind(*row, 1, span_of(key));
    int code = sqlite3_step(*row);
    if (code == SQLITE_ROW && store_has_expired(sqlite3_column_int64(*row, 1), call->now))
        code = SQLITE_DONE;
    return code;
}

static void copy_row(struct arena *arena, sqlite3_stmt *row, struct store_value *value)
{
    struct span bytes = store_sqlite_column(row, 0);
    value->bytes = (struct span){arena_spandup(arena, bytes), bytes.len};
    value->expires = sqlite3_column_int64(row, 1);
}

/* STORE_PRESENT, STORE_ABSENT or STORE_DOWN. VALUE may be NULL. */
static enum store_outcome look_up(struct sqlite_store *store, struct sqlite_connection *connection,
                                  struct store_call *call, const char *key, struct store_value *value)
{
    sqlite3_stmt *row;
    int code = find(connection, call, key, &row);
    if (code == SQLITE_ROW && value)
        copy_row(call->arena, row, value);
    enum store_outcome outcome = STORE_PRESENT;
    if (code == SQLITE_DONE)
        outcome = STORE_ABSENT;
    else if (code != SQLITE_ROW)
        outcome = store_sqlite_failed(store, connection, call, code);
    sqlite3_reset(row);
    return outcome;
}

static enum store_outcome read_row(struct sqlite_store *store, struct store_call *call, const char *key,
                                   struct store_value *value)
{
    struct sqlite_connection *connection = store_sqlite_take(store, call, SQLITE_TO_READ);
    if (!connection)
        return STORE_DOWN;
    enum store_outcome outcome = look_up(store, connection, call, key, value);
    store_sqlite_give(store, connection);
    return outcome;
}

static enum store_outcome sqlite_get(void *self, struct store_call *call, const char *key, struct store_value *value)
{
    enum store_outcome outcome = read_row(self, call, key, value);
    return outcome == STORE_PRESENT ? STORE_OK : outcome;
}

static enum store_outcome begin(struct sqlite_store *store, struct store_call *call,
                                struct sqlite_connection **connection)
{
    *connection = store_sqlite_take(store, call, SQLITE_TO_WRITE);
    if (!*connection)
        return STORE_DOWN;
    int code = step_and_reset(store_sqlite_statement(*connection, SQL_BEGIN));
    if (code == SQLITE_OK)
        return STORE_OK;
    store_sqlite_failed(store, *connection, call, code);
    store_sqlite_give(store, *connection);
    return STORE_DOWN;
}

/* CODE is what the statements before said. OUTCOME if all of it is in the file that is at the path. */
static enum store_outcome end(struct sqlite_store *store, struct sqlite_connection *connection, struct store_call *call,
                              int code, enum store_outcome outcome)
{
    if (outcome != STORE_DOWN && code == SQLITE_OK)
        code = step_and_reset(store_sqlite_statement(connection, SQL_COMMIT));
    if (outcome != STORE_DOWN && code != SQLITE_OK)
        outcome = store_sqlite_failed(store, connection, call, code);
    else if (outcome != STORE_DOWN && !store_sqlite_is_current(store, connection, call))
        outcome = STORE_DOWN;
    store_sqlite_give(store, connection);
    return outcome;
}

static int put(struct sqlite_connection *connection, const struct store_call *call, enum sqlite_statement which,
               const char *key, struct span value, int64_t expires)
{
    sqlite3_stmt *statement = store_sqlite_statement(connection, which);
    store_sqlite_bind(statement, 1, span_of(key));
    store_sqlite_bind(statement, 2, value);
    sqlite3_bind_int64(statement, 3, expires);
    if (which == SQL_PUT_IF_EXPIRED)
        sqlite3_bind_int64(statement, 4, call->now);
    return step_and_reset(statement);
}

static int delete_row(struct sqlite_connection *connection, const char *key)
{
    sqlite3_stmt *statement = store_sqlite_statement(connection, SQL_DELETE);
    store_sqlite_bind(statement, 1, span_of(key));
    return step_and_reset(statement);
}

static enum store_outcome sqlite_put_if_absent(void *self, struct store_call *call, const char *key, struct span value,
                                               int64_t expires, struct store_value *there)
{
    struct sqlite_connection *connection;
    enum store_outcome outcome = read_row(self, call, key, there);
    if (outcome != STORE_ABSENT)
        return outcome;
    if (begin(self, call, &connection) == STORE_DOWN)
        return STORE_DOWN;
    int code = put(connection, call, SQL_PUT_IF_EXPIRED, key, value, expires);
    outcome = STORE_OK;
    if (code == SQLITE_OK && sqlite3_changes(connection->db) == 0)
        outcome = look_up(self, connection, call, key, there);
    return end(self, connection, call, code, outcome);
}

/* What look_up() would have to copy, compared in place. */
static enum store_outcome compare(struct sqlite_store *store, struct sqlite_connection *connection,
                                  struct store_call *call, const char *key, struct span expected)
{
    sqlite3_stmt *row;
    int code = find(connection, call, key, &row);
    enum store_outcome outcome = STORE_PRESENT;
    if (code == SQLITE_ROW && expected.ptr) {
        struct span bytes = store_sqlite_column(row, 0);
        bool equal = bytes.len == expected.len && memcmp(bytes.ptr, expected.ptr, bytes.len) == 0;
        outcome = equal ? STORE_OK : STORE_PRESENT;
    } else if (code == SQLITE_DONE) {
        outcome = expected.ptr ? STORE_PRESENT : STORE_OK;
    } else if (code != SQLITE_ROW) {
        outcome = store_sqlite_failed(store, connection, call, code);
    }
    sqlite3_reset(row);
    return outcome;
}

static int write_change(struct sqlite_connection *connection, const struct store_call *call,
                        const struct store_change *change)
{
    if (!change->value.ptr)
        return delete_row(connection, change->key);
    return put(connection, call, SQL_PUT, change->key, change->value, change->expires);
}

static enum store_outcome sqlite_remove(void *self, struct store_call *call, const char *key)
{
    struct sqlite_connection *connection;
    if (begin(self, call, &connection) == STORE_DOWN)
        return STORE_DOWN;
    int code = SQLITE_OK;
    enum store_outcome outcome = look_up(self, connection, call, key, NULL);
    if (outcome != STORE_DOWN)
        code = delete_row(connection, key);
    return end(self, connection, call, code, outcome == STORE_PRESENT ? STORE_OK : outcome);
}

static enum store_outcome sqlite_apply(void *self, struct store_call *call, const struct store_change *changes,
                                       size_t count)
{
    struct sqlite_connection *connection;
    if (begin(self, call, &connection) == STORE_DOWN)
        return STORE_DOWN;
    int code = SQLITE_OK;
    enum store_outcome outcome = STORE_OK;
    for (size_t i = 0; i < count && outcome == STORE_OK; i++) {
        if (changes[i].is_conditional)
            outcome = compare(self, connection, call, changes[i].key, changes[i].expected);
    }
    for (size_t i = 0; i < count && outcome == STORE_OK && code == SQLITE_OK; i++)
        code = write_change(connection, call, &changes[i]);
    return end(self, connection, call, code, outcome);
}

/* Nothing to sweep is the usual case, and needs no lock. */
static enum store_outcome has_expired_rows(struct sqlite_store *store, struct store_call *call, int64_t before)
{
    struct sqlite_connection *connection = store_sqlite_take(store, call, SQLITE_APART);
    if (!connection)
        return STORE_DOWN;
    sqlite3_stmt *statement = store_sqlite_statement(connection, SQL_OLDEST);
    sqlite3_bind_int64(statement, 1, before);
    int code = sqlite3_step(statement);
    enum store_outcome outcome = code == SQLITE_ROW ? STORE_PRESENT : STORE_ABSENT;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        outcome = store_sqlite_failed(store, connection, call, code);
    sqlite3_reset(statement);
    store_sqlite_give(store, connection);
    return outcome;
}

static enum store_outcome sqlite_sweep(void *self, struct store_call *call, int limit, int *deleted)
{
    struct sqlite_connection *connection;
    int64_t before = call->now < INT64_MIN + STORE_GRACE ? INT64_MIN : call->now - STORE_GRACE;
    enum store_outcome outcome = has_expired_rows(self, call, before);
    if (outcome != STORE_PRESENT)
        return outcome == STORE_ABSENT ? STORE_OK : outcome;
    if (begin(self, call, &connection) == STORE_DOWN)
        return STORE_DOWN;
    sqlite3_stmt *statement = store_sqlite_statement(connection, SQL_SWEEP);
    sqlite3_bind_int64(statement, 1, before);
    sqlite3_bind_int(statement, 2, limit < 0 ? 0 : limit); /* a negative LIMIT is none */
    int code = step_and_reset(statement);
    if (code == SQLITE_OK)
        *deleted = sqlite3_changes(connection->db);
    return end(self, connection, call, code, STORE_OK);
}

/* The log of this connection is the log of all: what any process committed before is in the file by now. */
static enum store_outcome sqlite_sync(void *self, struct store_call *call)
{
    struct sqlite_connection *connection = store_sqlite_take(self, call, SQLITE_APART);
    if (!connection)
        return STORE_DOWN;
    sqlite3_file *log = NULL;
    int code = step_and_reset(store_sqlite_statement(connection, SQL_OLDEST)); /* opens the log if it was not yet */
    if (code == SQLITE_OK)
        code = sqlite3_file_control(connection->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (code == SQLITE_OK && log && log->pMethods)
        code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
    else if (code == SQLITE_OK)
        code = sqlite3_wal_checkpoint_v2(connection->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    enum store_outcome outcome = STORE_OK;
    if (code != SQLITE_OK)
        outcome = store_sqlite_failed(self, connection, call, code);
    else if (!store_sqlite_is_current(self, connection, call))
        outcome = STORE_DOWN;
    store_sqlite_give(self, connection);
    return outcome;
}

static void sqlite_close(void *self)
{
    store_sqlite_close_all(self);
}

const struct store_backend store_backend_sqlite = {
    .close = sqlite_close,
    .get = sqlite_get,
    .put_if_absent = sqlite_put_if_absent,
    .remove = sqlite_remove,
    .apply = sqlite_apply,
    .each = store_sqlite_each,
    .sweep = sqlite_sweep,
    .sync = sqlite_sync,
};

void *store_sqlite_open(struct arena *arena, const struct store_url *url, struct store_call *call)
{
    struct sqlite_store *store = ARENA_NEW(arena, struct sqlite_store);
    store_sqlite_init(store, arena, url->path);
    struct sqlite_connection *connection = store_sqlite_take(store, call, SQLITE_TO_WRITE);
    if (connection) {
        store_sqlite_give(store, connection);
    } else if (atomic_load(&store->has_lost)) { /* nobody has asked anything yet: who does first is told */
        snprintf(store->loss, sizeof store->loss, "%s", call->why);
        atomic_store(&store->is_loss_untold, true);
        call->why[0] = '\0';
    }
    return store;
}
