/*
 * spool_rows - the statements: what is asked of the queue's tables, and what is written to them.
 *
 * Each is a piece of a transaction (spool_db.h) and returns SQLite's result code; all may be run again. OWNS: what is
 * read is on the arena given. THREADS: those of the connection.
 */
#ifndef POSTERN_SPOOL_SPOOL_ROWS_H
#define POSTERN_SPOOL_SPOOL_ROWS_H

#include "spool/spool.h"
#include "spool/spool_dots.h"
#include "spool/spool_smtp.h"
#include <sqlite3.h>

#define SPOOL_NEXT_DELETED (-1) /* in next_attempt */
#define SPOOL_NEXT_NOW 0

#define SPOOL_PART_SIZE (256 * 1024)
#define SPOOL_PART_BITS 20
#define SPOOL_PARTS_MOST (1 << SPOOL_PART_BITS)

struct spool_row { /* an entry, as the sender needs it */
    int64_t id, token, added, next_attempt;
    int64_t attempts, bytes;
    int64_t
        decided; /* since when it waits for its owner's after() alone, recipients WAITING being deleted ones; 0: no */
    const char *kind, *reverse_path, *mail_parameters, *memo, *last_reply;
    bool needs_smtputf8, is_8bit, once, is_claimed;
    struct spool_recipient *recipients;
    size_t count;
    struct span content; /* all of it, of a small one that is to be sent; ptr NULL: to be read in pieces */
};

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

/* ---- for the sender ---- */

/* Those for SUBMIT ("": the usual one) whose turn it is, up to MOST. With IS_PAUSED what the administrator asked for,
 * else what needs no MTA: what is decided, past its time, or what nothing is known of yet (no last_reply); what was due
 * before SINCE was looked at. */
struct spool_picking {
    struct arena *arena;
    const char *submit;
    int64_t now, lifetime, wait_most; /* seconds */
    size_t most;
    bool is_paused;
    int64_t since;
    struct spool_row **rows; /* out */
    size_t count;
};
int spool_rows_pick(sqlite3 *sql, void *picking);
int spool_rows_any(sqlite3 *sql, void *picking); /* sets COUNT alone: 1 if there is an entry for SUBMIT at all */

/* For which MTAs are there entries? "": the usual one. */
struct spool_submits {
    struct arena *arena;
    size_t most;
    const char **items; /* out */
    size_t count;
};
int spool_rows_submits(sqlite3 *sql, void *submits);

/* One piece of the content. */
struct spool_part {
    int64_t id, token; /* token 0: whatever it is */
    int64_t part;
    struct strbuf *bytes; /* out: empty behind the last */
};
int spool_rows_part(sqlite3 *sql, void *part);

enum spool_what { /* of an entry is to be written? */
                  SPOOL_WRITE_NOTHING,
                  SPOOL_WRITE_STATE = 1, /* attempts, last_reply, and by whom it is claimed */
                  SPOOL_WRITE_NEXT = 2,  /* next_attempt, unless it was deleted */
                  SPOOL_WRITE_FATES = 4, /* of all recipients */
                  SPOOL_WRITE_REMOVAL = 8,
                  SPOOL_WRITE_DECIDED = 16 /* decided, and next_attempt, unless it was deleted since it was decided */
};
struct spool_writing {
    const char *claim; /* this boot of the machine: for those whose row is_claimed */
    struct spool_write {
        const struct spool_row *row;
        unsigned what;
        bool has_vanished; /* out: there is no such entry any more */
    } * items;
    size_t count;
};
int spool_rows_write(sqlite3 *sql, void *writing);

/* For a sender that begins. What a worker left behind that was killed under this BOOT: recipients in DOUBT are UNKNOWN
 * with `once` and WAITING without; in doubt are those of an entry in DOTS too. Of what was claimed under another boot,
 * `once` is all UNKNOWN. */
struct spool_recovery {
    const char *boot;
    const struct spool_dot *dots;
    size_t dot_count;
};
int spool_rows_recover(sqlite3 *sql, void *recovery);

/* ---- for the administrator ---- */

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
