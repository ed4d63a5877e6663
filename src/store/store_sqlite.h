/*
 * store_sqlite - between the parts of the SQLite back end: its connections, and what is done with them.
 *
 * OWNS: connections and the lock file. THREADS: a connection belongs to who has taken it.
 */
#ifndef POSTERN_STORE_STORE_SQLITE_H
#define POSTERN_STORE_STORE_SQLITE_H

#include "store/store_file.h"
#include "store/store_pool.h"
#include <sqlite3.h>
#include <stdatomic.h>

#define SQLITE_READERS 4
#define SQLITE_CLOSE_US INT64_C(2000000) /* what is done behind a call has no deadline of the caller's */

enum sqlite_statement {
    SQL_GET,
    SQL_PAGE,
    SQL_OLDEST,
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_PUT,
    SQL_PUT_IF_EXPIRED,
    SQL_DELETE,
    SQL_SWEEP,
    SQL_COUNT
};

struct sqlite_connection {
    sqlite3 *db; /* NULL: not open */
    sqlite3_stmt *statements[SQL_COUNT];
    struct store_identity identity; /* of the file it is open on */
    int64_t deadline;               /* us; of the call it serves */
    uint32_t pause;                 /* state of the pseudo-random pauses between attempts to get a lock */
    int failure;                    /* the SQLite code that makes it unfit for another call; SQLITE_OK: none */
    char failure_text[200];
};

/* The writer is connection 0: the threads of a process queue for it here and not in SQLite, which would make them sleep
 * and try again. */
struct sqlite_store {
    struct store_pool writer, readers, opening;
    struct sqlite_connection connections[1 + SQLITE_READERS];
    struct store_gate gate;      /* before opening */
    struct store_file file;      /* guarded by `opening` */
    struct store_identity ready; /* guarded by `opening`: this file was checked and has our schema */
    struct store_identity known; /* guarded by `opening`: the last that was at the path; inode 0: whatever is there */
    int64_t moved_at;            /* guarded by `opening`: us, when a corrupt file was moved aside; 0: never */
    atomic_bool has_lost, is_loss_untold;
    char loss[400]; /* fixed: what store_sqlite_open() found lost, for the first call */
};

enum sqlite_use {
    SQLITE_TO_WRITE,
    SQLITE_TO_READ, /* a row: by the writer's connection if it is free, for its cache outlives what it wrote itself */
    SQLITE_APART    /* anything longer, which a writer should not wait for */
};

/* A connection that is open on the file at its path, for the time until `deadline`; NULL with a reason in CALL. */
struct sqlite_connection *store_sqlite_take(struct sqlite_store *store, struct store_call *call, enum sqlite_use use);

/* Rolls back what was not committed. Moves the file aside if the connection found it corrupt. */
void store_sqlite_give(struct sqlite_store *store, struct sqlite_connection *connection);

/* Notes what the last SQLite call said: STORE_DOWN with the reason in CALL. */
enum store_outcome store_sqlite_failed(struct sqlite_store *store, struct sqlite_connection *connection,
                                       struct store_call *call, int code);

/* Is the file that CONNECTION is open on still the one at the path? What was committed to another one is lost. */
bool store_sqlite_is_current(const struct sqlite_store *store, const struct sqlite_connection *connection,
                             struct store_call *call);

/* A statement without parameters left over from the last time. */
sqlite3_stmt *store_sqlite_statement(struct sqlite_connection *connection, enum sqlite_statement which);

/* A parameter, not copied; a column of the row that STATEMENT stands on, good until the next step. */
void store_sqlite_bind(sqlite3_stmt *statement, int number, struct span bytes);
struct span store_sqlite_column(sqlite3_stmt *statement, int number);

void store_sqlite_init(struct sqlite_store *store, struct arena *arena, const char *path);
void store_sqlite_close_all(struct sqlite_store *store);

/* ---- store_sqlite_open.c ---- */

/* Opens CONNECTION on the file at the path, which it makes if there is none. SQLITE_LOST: it was corrupt and is moved
 * aside, or was emptied; who asks is told so in CALL, for an answer from the new one would be a lie, and the next call
 * begins it. */
enum sqlite_connecting { SQLITE_FAILED, SQLITE_CONNECTED, SQLITE_LOST };
enum sqlite_connecting store_sqlite_connect(struct sqlite_store *store, struct sqlite_connection *connection,
                                            struct store_call *call);
void store_sqlite_disconnect(struct sqlite_connection *connection, bool with_checkpoint);

/* Closes a connection that found the file corrupt, and moves the file aside unless somebody did so before. */
void store_sqlite_condemn(struct sqlite_store *store, struct sqlite_connection *connection);
bool store_sqlite_is_corruption(int code);

/* As store_each(); in store_sqlite_each.c. */
enum store_outcome store_sqlite_each(void *self, struct store_call *call, const char *prefix, int64_t timeout,
                                     store_visitor *visit, void *context);

#endif
