/*
 * spool_rows - plain SQL.
 *
 * Whatever writes to an entry names its token too: after the file was moved aside ids begin again, and the fate of one
 * message must not be written to another.
 */
#include "spool/spool_rows.h"
#include "spool/spool_file.h"

static const char *text_of(struct arena *arena, sqlite3_stmt *rows, int column)
{
    const char *text = (const char *)sqlite3_column_text(rows, column);
    return text ? arena_strdup(arena, text) : NULL;
}

int spool_rows_end(sqlite3_stmt *rows, int step)
{
    int result = spool_query_end(rows);
    return step == SQLITE_DONE || step == SQLITE_ROW ? SQLITE_OK : result != SQLITE_OK ? result : step;
}

static int one_id(sqlite3 *sql, int64_t *id, const char *statement, const char *submit, int64_t bound)
{
    sqlite3_stmt *rows;
    int result = spool_query(sql, &rows, statement, "ti", submit, bound);
    if (result != SQLITE_OK)
        return result;
    int step = sqlite3_step(rows);
    if (step == SQLITE_ROW)
        *id = sqlite3_column_int64(rows, 0);
    return spool_rows_end(rows, step);
}

int spool_rows_pick(sqlite3 *sql, void *context)
{
    struct spool_picking *picking = context;
    picking->id = 0;
    int result = one_id(sql, &picking->id,
                        "SELECT id FROM entry WHERE submit = ? AND next_attempt <= ? ORDER BY next_attempt, id LIMIT 1",
                        picking->submit, picking->is_paused ? SPOOL_NEXT_NOW : picking->now);
    if (result == SQLITE_OK && !picking->id && picking->is_paused)
        result = one_id(sql, &picking->id,
                        "SELECT id FROM entry WHERE submit = ? AND added <= ? AND attempts > 0 ORDER BY added LIMIT 1",
                        picking->submit, picking->now - picking->lifetime);
    if (result == SQLITE_OK && !picking->id && picking->is_paused)
        result = one_id(sql, &picking->id,
                        "SELECT id FROM entry WHERE submit = ? AND next_attempt <= ? AND last_reply IS NULL"
                        " ORDER BY next_attempt, id LIMIT 1",
                        picking->submit, picking->now);
    if (result == SQLITE_OK && !picking->id && !picking->is_paused) /* the clock was set back */
        result = one_id(sql, &picking->id,
                        "SELECT id FROM entry WHERE submit = ? AND next_attempt > ? ORDER BY next_attempt DESC LIMIT 1",
                        picking->submit, picking->now + picking->wait_most);
    return result;
}

int spool_rows_any(sqlite3 *sql, void *context)
{
    struct spool_picking *picking = context;
    picking->id = 0;
    return one_id(sql, &picking->id, "SELECT id FROM entry WHERE submit = ? LIMIT ?", picking->submit, 1);
}

int spool_rows_submits(sqlite3 *sql, void *context)
{
    struct spool_submits *submits = context;
    size_t capacity = 0;
    sqlite3_stmt *rows;
    submits->items = NULL;
    submits->count = 0;
    /* From one to the next by the index, instead of through all entries. */
    int step, result = spool_query(sql, &rows,
                                   "WITH RECURSIVE url(u) AS (SELECT min(submit) FROM entry UNION ALL"
                                   " SELECT (SELECT min(submit) FROM entry WHERE submit > u) FROM url WHERE u NOT NULL)"
                                   " SELECT u FROM url WHERE u NOT NULL LIMIT ?",
                                   "i", (int64_t)submits->most);
    if (result != SQLITE_OK)
        return result;
    while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
        submits->items =
            arena_grow(submits->arena, submits->items, &capacity, submits->count + 1, sizeof *submits->items);
        submits->items[submits->count++] = text_of(submits->arena, rows, 0);
    }
    return spool_rows_end(rows, step);
}

static int load_recipients(sqlite3 *sql, struct arena *arena, struct spool_row *row)
{
    size_t capacity = 0;
    sqlite3_stmt *rows;
    int step, result = spool_query(sql, &rows,
                                   "SELECT number, path, parameters, fate, reply FROM recipient WHERE entry = ?"
                                   " ORDER BY number",
                                   "i", row->id);
    if (result != SQLITE_OK)
        return result;
    while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
        row->recipients = arena_grow(arena, row->recipients, &capacity, row->count + 1, sizeof *row->recipients);
        const char *path = text_of(arena, rows, 1);
        row->recipients[row->count++] = (struct spool_recipient){
            .number = sqlite3_column_int64(rows, 0),
            .path = path ? path : "",
            .parameters = text_of(arena, rows, 2),
            .fate = (enum spool_fate)sqlite3_column_int(rows, 3),
            .reply = text_of(arena, rows, 4),
        };
    }
    return spool_rows_end(rows, step);
}

#define ROW_COLUMNS                                                                                                    \
    "id, token, kind, reverse_path, mail_parameters, needs_smtputf8, is_8bit, once, memo, added, next_attempt, "       \
    "attempts, last_reply, bytes, is_being_sent"

static struct spool_row *read_row(struct arena *arena, sqlite3_stmt *rows)
{
    struct spool_row *row = ARENA_NEW(arena, struct spool_row);
    row->id = sqlite3_column_int64(rows, 0);
    row->token = sqlite3_column_int64(rows, 1);
    row->kind = text_of(arena, rows, 2);
    row->reverse_path = text_of(arena, rows, 3);
    row->mail_parameters = text_of(arena, rows, 4);
    row->needs_smtputf8 = sqlite3_column_int(rows, 5) != 0;
    row->is_8bit = sqlite3_column_int(rows, 6) != 0;
    row->once = sqlite3_column_int(rows, 7) != 0;
    row->memo = text_of(arena, rows, 8);
    row->added = sqlite3_column_int64(rows, 9);
    row->next_attempt = sqlite3_column_int64(rows, 10);
    row->attempts = sqlite3_column_int64(rows, 11);
    row->last_reply = text_of(arena, rows, 12);
    row->bytes = sqlite3_column_int64(rows, 13);
    return row;
}

int spool_rows_load(sqlite3 *sql, void *context)
{
    struct spool_loading *loading = context;
    sqlite3_stmt *rows;
    loading->row = NULL;
    int result = spool_query(sql, &rows, "SELECT " ROW_COLUMNS " FROM entry WHERE id = ?", "i", loading->id);
    if (result != SQLITE_OK)
        return result;
    int step = sqlite3_step(rows);
    if (step == SQLITE_ROW)
        loading->row = read_row(loading->arena, rows);
    result = spool_rows_end(rows, step);
    return result == SQLITE_OK && loading->row ? load_recipients(sql, loading->arena, loading->row) : result;
}

int spool_rows_part(sqlite3 *sql, void *context)
{
    struct spool_part *part = context;
    sqlite3_stmt *rows;
    part->bytes->len = 0;
    int result =
        spool_query(sql, &rows, "SELECT bytes FROM content WHERE entry = ? AND part = ?", "ii", part->id, part->part);
    if (result != SQLITE_OK)
        return result;
    int step = sqlite3_step(rows);
    if (step == SQLITE_ROW) {
        const void *bytes = sqlite3_column_blob(rows, 0);
        strbuf_add(part->bytes, (struct span){bytes, (size_t)sqlite3_column_bytes(rows, 0)});
    }
    return spool_rows_end(rows, step);
}

int spool_rows_save(sqlite3 *sql, void *context)
{
    struct spool_saving *saving = context;
    const struct spool_row *row = saving->row;
    int result = spool_sql(sql,
                           "UPDATE entry SET attempts = ?, is_being_sent = ?, last_reply = ?,"
                           " next_attempt = CASE WHEN next_attempt < 0 OR ? THEN next_attempt ELSE ? END"
                           " WHERE id = ? AND token = ?",
                           "iitiiii", row->attempts, (int64_t)saving->is_being_sent, row->last_reply,
                           (int64_t)saving->keeps_next, row->next_attempt, row->id, row->token);
    saving->has_vanished = result == SQLITE_OK && sqlite3_changes(sql) == 0;
    if (!saving->with_recipients || saving->has_vanished)
        return result;
    for (size_t i = 0; i < row->count && result == SQLITE_OK; i++)
        result =
            spool_sql(sql, "UPDATE recipient SET fate = ?, reply = ? WHERE entry = ? AND number = ?", "itii",
                      (int64_t)row->recipients[i].fate, row->recipients[i].reply, row->id, row->recipients[i].number);
    return result;
}

int spool_rows_remove(sqlite3 *sql, void *context)
{
    const struct spool_row *row = context;
    return spool_sql(sql, "DELETE FROM entry WHERE id = ? AND token = ?", "ii", row->id, row->token);
}

int spool_rows_recover(sqlite3 *sql, void *nothing)
{
    (void)nothing;
    /* Whatever was in DOUBT may be decided now; the entry is looked at at once. */
    int result = spool_sql(sql,
                           "UPDATE entry SET next_attempt = min(next_attempt, 1),"
                           " last_reply = 'the worker ended behind the final dot'"
                           " WHERE id IN (SELECT entry FROM recipient WHERE fate = 1)",
                           "");
    if (result == SQLITE_OK)
        result = spool_sql(sql,
                           "UPDATE recipient SET fate = CASE WHEN (SELECT once FROM entry WHERE id = entry)"
                           " THEN 4 ELSE 0 END WHERE fate = 1",
                           "");
    if (result == SQLITE_OK)
        result = spool_sql(sql, "UPDATE entry SET is_being_sent = 0 WHERE is_being_sent", "");
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

int spool_rows_list(sqlite3 *sql, void *context)
{
    struct spool_listing *listing = context;
    sqlite3_stmt *rows;
    size_t capacity = 0;
    listing->entries = NULL;
    listing->count = 0;
    int step,
        result = spool_query(sql, &rows,
                             "SELECT " ROW_COLUMNS ", (SELECT group_concat(path, ', ') FROM (SELECT path FROM recipient"
                             " WHERE recipient.entry = entry.id ORDER BY number)) FROM entry"
                             " WHERE next_attempt >= 0 AND (?1 = 0 OR id = ?1) ORDER BY id",
                             "i", listing->id);
    if (result != SQLITE_OK)
        return result;
    while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
        struct arena *arena = listing->arena;
        const struct spool_row *row = read_row(arena, rows);
        const char *paths = text_of(arena, rows, 15);
        listing->entries = arena_grow(arena, listing->entries, &capacity, listing->count + 1, sizeof *listing->entries);
        listing->entries[listing->count++] = (struct spool_entry){
            .id = row->id,
            .kind = row->kind,
            .reverse_path = row->reverse_path,
            .forward_paths = paths ? paths : "",
            .added = row->added,
            .next_attempt = row->next_attempt,
            .attempts = (unsigned)row->attempts,
            .last_reply = row->last_reply,
            .bytes = (uint64_t)row->bytes,
            .is_being_sent = sqlite3_column_int(rows, 14) != 0,
        };
    }
    return spool_rows_end(rows, step);
}
