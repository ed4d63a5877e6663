/*
 * spool_rows_write - what changes in an entry.
 *
 * Whatever writes to an entry names its token too: after the file was moved aside ids begin again, and the fate of one
 * message must not be written to another, nor its content sent to the other's recipients.
 *
 * What does not change is not written: a page costs more than a statement.
 */
#include "spool/spool_file.h"
#include "spool/spool_rows.h"

static int write_state(sqlite3 *sql, const struct spool_row *row, const char *claim)
{
    return spool_sql(sql, "UPDATE entry SET attempts = ?, claim = ?, last_reply = ? WHERE id = ? AND token = ?",
                     "ittii", row->attempts, row->is_claimed ? claim : NULL, row->last_reply, row->id, row->token);
}

static int write_next(sqlite3 *sql, const struct spool_row *row)
{
    return spool_sql(sql,
                     "UPDATE entry SET next_attempt = CASE WHEN next_attempt < 0 THEN next_attempt ELSE ? END"
                     " WHERE id = ? AND token = ?",
                     "iii", row->next_attempt, row->id, row->token);
}

/* What was deleted before it was decided is decided by that. */
static int write_decided(sqlite3 *sql, const struct spool_row *row)
{
    return spool_sql(sql,
                     "UPDATE entry SET decided = ?, next_attempt ="
                     " CASE WHEN next_attempt < 0 AND decided NOT NULL THEN next_attempt ELSE ? END"
                     " WHERE id = ? AND token = ?",
                     "iiii", row->decided, row->next_attempt, row->id, row->token);
}

static int write_fates(sqlite3 *sql, const struct spool_row *row)
{
    int result = SQLITE_OK, changed = 0;
    for (size_t i = 0; i < row->count && result == SQLITE_OK; i++) {
        const struct spool_recipient *recipient = &row->recipients[i];
        result = spool_sql(sql,
                           "UPDATE recipient SET fate = ?, reply = ? WHERE entry = ? AND number = ?"
                           " AND EXISTS (SELECT 1 FROM entry WHERE id = ? AND token = ?)",
                           "itiiii", (int64_t)recipient->fate, recipient->reply, row->id, recipient->number, row->id,
                           row->token);
        changed = sqlite3_changes(sql);
        if (changed == 0)
            break;
    }
    return result;
}

int spool_rows_write(sqlite3 *sql, void *context)
{
    struct spool_writing *writing = context;
    int result = SQLITE_OK;
    for (size_t i = 0; i < writing->count && result == SQLITE_OK; i++) {
        struct spool_write *item = &writing->items[i];
        const struct spool_row *row = item->row;
        item->has_vanished = false;
        if (item->what & SPOOL_WRITE_REMOVAL)
            result = spool_sql(sql, "DELETE FROM entry WHERE id = ? AND token = ?", "ii", row->id, row->token);
        if (item->what & SPOOL_WRITE_STATE)
            result = write_state(sql, row, writing->claim);
        if (result == SQLITE_OK && (item->what & SPOOL_WRITE_NEXT))
            result = write_next(sql, row);
        if (result == SQLITE_OK && (item->what & SPOOL_WRITE_FATES))
            result = write_fates(sql, row);
        if (result == SQLITE_OK && (item->what & SPOOL_WRITE_DECIDED))
            result = write_decided(sql, row);
        item->has_vanished = result == SQLITE_OK && item->what != SPOOL_WRITE_NOTHING && sqlite3_changes(sql) == 0;
    }
    return result;
}

static int recover_dots(sqlite3 *sql, const struct spool_recovery *recovery)
{
    int result = SQLITE_OK;
    for (size_t i = 0; i < recovery->dot_count && result == SQLITE_OK; i++) {
        const struct spool_dot *dot = &recovery->dots[i];
        result = spool_sql(sql,
                           "UPDATE recipient SET fate = 1 WHERE fate = 0 AND entry IN"
                           " (SELECT id FROM entry WHERE id = ? AND token = ? AND claim NOT NULL)",
                           "ii", dot->id, dot->token);
    }
    return result;
}

int spool_rows_recover(sqlite3 *sql, void *context)
{
    const struct spool_recovery *recovery = context;
    int result = recover_dots(sql, recovery);
    /* Whatever is decided by this is looked at at once. */
    if (result == SQLITE_OK)
        result = spool_sql(sql,
                           "UPDATE entry SET next_attempt = min(next_attempt, 1),"
                           " last_reply = 'the worker ended behind the final dot'"
                           " WHERE claim NOT NULL AND id IN (SELECT entry FROM recipient WHERE fate = 1)",
                           "");
    if (result == SQLITE_OK)
        result = spool_sql(sql,
                           "UPDATE entry SET next_attempt = min(next_attempt, 1),"
                           " last_reply = 'the machine stopped while it was being sent'"
                           " WHERE claim NOT NULL AND claim NOT IN ('', ?) AND once",
                           "t", recovery->boot);
    if (result == SQLITE_OK)
        result = spool_sql(sql,
                           "UPDATE recipient SET fate = CASE WHEN (SELECT once FROM entry WHERE id = entry)"
                           " THEN 4 ELSE 0 END WHERE fate = 1 AND entry IN (SELECT id FROM entry WHERE claim NOT NULL)",
                           "");
    if (result == SQLITE_OK)
        result = spool_sql(sql,
                           "UPDATE recipient SET fate = 4 WHERE fate = 0 AND entry IN"
                           " (SELECT id FROM entry WHERE claim NOT NULL AND claim NOT IN ('', ?) AND once)",
                           "t", recovery->boot);
    if (result == SQLITE_OK)
        result = spool_sql(sql, "UPDATE entry SET claim = NULL WHERE claim NOT NULL", "");
    return result;
}

int spool_rows_mark(sqlite3 *sql, void *context)
{
    struct spool_marking *marking = context;
    int result = spool_sql(sql, "UPDATE entry SET next_attempt = ? WHERE next_attempt >= 0 AND (?2 = 0 OR id = ?2)",
                           "ii", marking->next_attempt, marking->id);
    marking->changed = sqlite3_changes(sql);
    return result;
}
