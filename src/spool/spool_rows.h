/*
 * spool_rows - the statements: what is asked of the queue's tables, and what is written to them.
 *
 * Each is a piece of a transaction (spool_db.h) and returns SQLite's result code; all may be run again. OWNS: what is
 * read is on the arena given. THREADS: those of the connection.
 */
#ifndef POSTERN_SPOOL_SPOOL_ROWS_H
#define POSTERN_SPOOL_SPOOL_ROWS_H

#include "spool/spool.h"
#include "spool/spool_smtp.h"
#include <sqlite3.h>

#define SPOOL_NEXT_DELETED (-1) /* in next_attempt */
#define SPOOL_NEXT_NOW 0

struct spool_row { /* an entry, as the sender needs it */
    int64_t id, token, added, next_attempt;
    int64_t attempts, bytes;
    const char *kind, *reverse_path, *mail_parameters, *memo, *last_reply;
    bool needs_smtputf8, is_8bit, once;
    struct spool_recipient *recipients;
    size_t count;
};

#define SPOOL_PART_SIZE (256 * 1024)

struct spool_adding {
    const struct spool_message *messages;
    struct spool_adding_one { /* what was found out about each */
        uint64_t bytes;
        bool is_8bit, needs_smtputf8;
        int64_t id; /* out */
    } * each;
    size_t count;
    uint64_t max_messages, max_bytes;
    int64_t now;
    bool is_full; /* out: nothing was added */
};
int spool_rows_add(sqlite3 *sql, void *adding);

/* Which of those for SUBMIT ("": the usual one) is next? *ID 0: none. With IS_PAUSED only what the administrator asked
 * for, what is past its time, or what nothing is known of yet (no last_reply). */
struct spool_picking {
    const char *submit;
    int64_t now, lifetime, wait_most; /* seconds */
    bool is_paused;
    int64_t id; /* out */
};
int spool_rows_pick(sqlite3 *sql, void *picking);
int spool_rows_any(sqlite3 *sql, void *picking); /* any one of them */

/* For which MTAs are there entries? "": the usual one. */
struct spool_submits {
    struct arena *arena;
    size_t most;
    const char **items; /* out */
    size_t count;
};
int spool_rows_submits(sqlite3 *sql, void *submits);

struct spool_loading {
    struct arena *arena;
    int64_t id;
    struct spool_row *row; /* out: NULL if there is no such entry */
};
int spool_rows_load(sqlite3 *sql, void *loading);

/* One piece of the content. */
struct spool_part {
    int64_t id, part;
    struct strbuf *bytes; /* out: empty behind the last */
};
int spool_rows_part(sqlite3 *sql, void *part);

/* Writes a row's state: attempts, next_attempt (unless it was deleted, or KEEPS_NEXT), last_reply, and the recipients'
 * fates. IS_BEING_SENT as said. HAS_VANISHED: there is no such entry any more. */
struct spool_saving {
    const struct spool_row *row;
    bool is_being_sent;
    bool with_recipients;
    bool keeps_next;
    bool has_vanished; /* out */
};
int spool_rows_save(sqlite3 *sql, void *saving);

int spool_rows_remove(sqlite3 *sql, void *row); /* a struct spool_row */

/* For a sender that begins: those that were in DOUBT are UNKNOWN with `once` and WAITING without; nothing is being
 * sent. */
int spool_rows_recover(sqlite3 *sql, void *nothing);

struct spool_marking {
    int64_t id, next_attempt; /* id 0: all */
    int changed;              /* out */
};
int spool_rows_mark(sqlite3 *sql, void *marking);

struct spool_listing {
    struct arena *arena;
    int64_t id; /* 0: all */
    struct spool_entry *entries;
    size_t count;
};
int spool_rows_list(sqlite3 *sql, void *listing);

/* Ends a loop over rows that STEP ended: SQLITE_DONE is good. */
int spool_rows_end(sqlite3_stmt *rows, int step);

#endif
