/*
 * spool_rows - plain SQL: what is asked.
 */
#include "spool/spool_rows.h"
#include "spool/spool_file.h"

#define SMALL 16384 /* bytes of content that are kept in memory while its batch is sent */

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
    "attempts, last_reply, bytes, claim NOT NULL, decided"
#define ROW_MORE 16 /* the column behind them */

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
    row->is_claimed = sqlite3_column_int(rows, 14) != 0;
    row->decided = sqlite3_column_int64(rows, 15);
    return row;
}

static void keep_content(struct arena *arena, sqlite3_stmt *rows, int column, struct spool_row *row)
{
    struct span bytes = {sqlite3_column_blob(rows, column), (size_t)sqlite3_column_bytes(rows, column)};
    row->content = (struct span){arena_spandup(arena, bytes), bytes.len};
}

/* With its entry it costs a third of what it does in a transaction of its own. */
static int load_content(sqlite3 *sql, struct arena *arena, struct spool_row *row)
{
    sqlite3_stmt *rows;
    int result = spool_query(sql, &rows, "SELECT bytes FROM part WHERE id = ? AND length(bytes) = ?", "ii",
                             row->id << SPOOL_PART_BITS, row->bytes);
    if (result != SQLITE_OK)
        return result;
    int step = sqlite3_step(rows);
    if (step == SQLITE_ROW)
        keep_content(arena, rows, 0, row);
    return spool_rows_end(rows, step);
}

static int read_rows(sqlite3 *sql, struct spool_picking *picking, sqlite3_stmt *rows)
{
    size_t capacity = 0, loaded = picking->count;
    int step, result;
    while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
        picking->rows = arena_grow(picking->arena, picking->rows, &capacity, picking->count + 1, sizeof *picking->rows);
        struct spool_row *row = picking->rows[picking->count++] = read_row(picking->arena, rows);
        if (!picking->is_paused && row->bytes > 0 && sqlite3_column_bytes(rows, ROW_MORE) == row->bytes)
            keep_content(picking->arena, rows, ROW_MORE, row);
    }
    result = spool_rows_end(rows, step);
    for (; loaded < picking->count && result == SQLITE_OK; loaded++) {
        struct spool_row *row = picking->rows[loaded];
        result = load_recipients(sql, picking->arena, row);
        if (result == SQLITE_OK && !row->content.ptr && row->bytes > 0 && row->bytes <= SMALL && !picking->is_paused)
            result = load_content(sql, picking->arena, row);
    }
    return result;
}

#define PICK "SELECT " ROW_COLUMNS ", content FROM entry WHERE submit = ? AND "

static int pick_due(sqlite3 *sql, struct spool_picking *picking, int64_t until)
{
    sqlite3_stmt *rows;
    int result = spool_query(sql, &rows, PICK "next_attempt <= ? ORDER BY next_attempt, id LIMIT ?", "tii",
                             picking->submit, until, (int64_t)picking->most);
    return result == SQLITE_OK ? read_rows(sql, picking, rows) : result;
}

static int pick_in_pause(sqlite3 *sql, struct spool_picking *picking)
{
    sqlite3_stmt *rows;
    int result =
        spool_query(sql, &rows,
                    PICK "next_attempt BETWEEN ? AND ? AND (last_reply IS NULL OR decided NOT NULL OR added <= ?)"
                         " ORDER BY next_attempt, id LIMIT ?",
                    "tiiii", picking->submit, picking->since, picking->now, picking->now - picking->lifetime,
                    (int64_t)picking->most);
    return result == SQLITE_OK ? read_rows(sql, picking, rows) : result;
}

/* The clock was set back: its times lie further ahead than any can. */
static int pick_lost(sqlite3 *sql, struct spool_picking *picking)
{
    sqlite3_stmt *rows;
    int result = spool_query(sql, &rows, PICK "next_attempt > ? ORDER BY next_attempt DESC LIMIT 1", "ti",
                             picking->submit, picking->now + picking->wait_most);
    return result == SQLITE_OK ? read_rows(sql, picking, rows) : result;
}

int spool_rows_pick(sqlite3 *sql, void *context)
{
    struct spool_picking *picking = context;
    picking->rows = NULL;
    picking->count = 0;
    int result = pick_due(sql, picking, picking->is_paused ? SPOOL_NEXT_NOW : picking->now);
    if (result == SQLITE_OK && picking->count == 0)
        result = picking->is_paused ? pick_in_pause(sql, picking) : pick_lost(sql, picking);
    return result;
}

int spool_rows_any(sqlite3 *sql, void *context)
{
    struct spool_picking *picking = context;
    sqlite3_stmt *rows;
    int result = spool_query(sql, &rows, "SELECT 1 FROM entry WHERE submit = ? LIMIT 1", "t", picking->submit);
    if (result != SQLITE_OK)
        return result;
    int step = sqlite3_step(rows);
    picking->count = step == SQLITE_ROW;
    return spool_rows_end(rows, step);
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

int spool_rows_part(sqlite3 *sql, void *context)
{
    struct spool_part *part = context;
    sqlite3_stmt *rows;
    part->bytes->len = 0;
    int result = spool_query(sql, &rows,
                             "SELECT bytes FROM part WHERE id = ?1"
                             " AND (?2 = 0 OR EXISTS (SELECT 1 FROM entry WHERE id = ?3 AND token = ?2)) UNION ALL"
                             " SELECT content FROM entry WHERE id = ?3 AND ?4 = 0 AND content NOT NULL"
                             " AND (?2 = 0 OR token = ?2)",
                             "iiii", part->id << SPOOL_PART_BITS | part->part, part->token, part->id, part->part);
    if (result != SQLITE_OK)
        return result;
    int step = sqlite3_step(rows);
    if (step == SQLITE_ROW) {
        const void *bytes = sqlite3_column_blob(rows, 0);
        strbuf_add(part->bytes, (struct span){bytes, (size_t)sqlite3_column_bytes(rows, 0)});
    }
    return spool_rows_end(rows, step);
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
        const char *paths = text_of(arena, rows, ROW_MORE);
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
            .is_being_sent = row->is_claimed,
            .is_decided = row->decided != 0,
        };
    }
    return spool_rows_end(rows, step);
}
