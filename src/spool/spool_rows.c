/*
 * spool_rows - plain SQL. Content lies in pieces of PART_SIZE, so that neither writing nor sending a large message
 * needs a second copy of it in memory or a long transaction.
 *
 * Whatever writes to an entry names its token too: after the file was moved aside ids begin again, and the fate of one
 * message must not be written to another.
 */
#include "spool/spool_rows.h"
#include "spool/spool_file.h"

#define PART_SIZE (256 * 1024)

static const char *text_of(struct arena *arena, sqlite3_stmt *rows, int column)
{
    const char *text = (const char *)sqlite3_column_text(rows, column);
    return text ? arena_strdup(arena, text) : NULL;
}

/* The end of a loop over rows: SQLITE_DONE is good. */
static int end_of(sqlite3_stmt *rows, int step)
{
    int result = spool_query_end(rows);
    return step == SQLITE_DONE || step == SQLITE_ROW ? SQLITE_OK : result != SQLITE_OK ? result : step;
}

static int has_room(sqlite3 *sql, struct spool_adding *adding)
{
    sqlite3_stmt *rows;
    int result = spool_query(sql, &rows, "SELECT messages, bytes FROM total", "");
    if (result != SQLITE_OK)
        return result;
    int step = sqlite3_step(rows);
    if (step == SQLITE_ROW) {
        uint64_t messages = (uint64_t)sqlite3_column_int64(rows, 0), bytes = (uint64_t)sqlite3_column_int64(rows, 1);
        adding->is_full = messages >= adding->max_messages || bytes > adding->max_bytes ||
                          adding->message->content.len > adding->max_bytes - bytes;
    }
    return step == SQLITE_DONE ? SQLITE_CORRUPT : end_of(rows, step);
}

static int add_recipients(sqlite3 *sql, int64_t id, const struct spool_message *message)
{
    int result = SQLITE_OK;
    for (size_t i = 0; i < message->forward_path_count && result == SQLITE_OK; i++) {
        const char *parameters =
            message->each_rcpt_parameters ? message->each_rcpt_parameters[i] : message->rcpt_parameters;
        result = spool_sql(sql, "INSERT INTO recipient(entry, number, path, parameters) VALUES(?, ?, ?, ?)", "iitt", id,
                           (int64_t)i, message->forward_paths[i], parameters);
    }
    return result;
}

int spool_rows_add(sqlite3 *sql, void *context)
{
    struct spool_adding *adding = context;
    const struct spool_message *message = adding->message;
    int result = has_room(sql, adding);
    if (result != SQLITE_OK || adding->is_full)
        return result;
    result =
        spool_sql(sql,
                  "INSERT INTO entry(token, kind, reverse_path, mail_parameters, needs_smtputf8, is_8bit, once, memo,"
                  " added, next_attempt, bytes) VALUES(random(), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  "tttiiitiii", message->kind, message->reverse_path, message->mail_parameters,
                  (int64_t)adding->needs_smtputf8, (int64_t)adding->is_8bit, (int64_t)message->once, message->memo,
                  adding->now, adding->now > 1 ? adding->now : 1, (int64_t)message->content.len);
    adding->id = sqlite3_last_insert_rowid(sql);
    if (result == SQLITE_OK)
        result = add_recipients(sql, adding->id, message);
    struct span rest = message->content;
    for (int64_t part = 0; rest.len > 0 && result == SQLITE_OK; part++) {
        size_t n = rest.len < PART_SIZE ? rest.len : PART_SIZE;
        result = spool_sql(sql, "INSERT INTO content(entry, part, bytes) VALUES(?, ?, ?)", "iib", adding->id, part,
                           (struct span){rest.ptr, n});
        rest.ptr += n;
        rest.len -= n;
    }
    return result;
}

static int one_id(sqlite3 *sql, int64_t *id, const char *statement, int64_t bound)
{
    sqlite3_stmt *rows;
    int result = spool_query(sql, &rows, statement, "i", bound);
    if (result != SQLITE_OK)
        return result;
    int step = sqlite3_step(rows);
    if (step == SQLITE_ROW)
        *id = sqlite3_column_int64(rows, 0);
    return end_of(rows, step);
}

int spool_rows_pick(sqlite3 *sql, void *context)
{
    struct spool_picking *picking = context;
    picking->id = 0;
    int result =
        one_id(sql, &picking->id, "SELECT id FROM entry WHERE next_attempt <= ? ORDER BY next_attempt, id LIMIT 1",
               picking->is_paused ? SPOOL_NEXT_NOW : picking->now);
    if (result == SQLITE_OK && !picking->id && picking->is_paused)
        result =
            one_id(sql, &picking->id, "SELECT id FROM entry WHERE added <= ? AND attempts > 0 ORDER BY added LIMIT 1",
                   picking->now - picking->lifetime);
    if (result == SQLITE_OK && !picking->id && picking->is_paused)
        result = one_id(sql, &picking->id,
                        "SELECT id FROM entry WHERE next_attempt <= ? AND last_reply IS NULL ORDER BY next_attempt, id"
                        " LIMIT 1",
                        picking->now);
    if (result == SQLITE_OK && !picking->id && !picking->is_paused) /* the clock was set back */
        result =
            one_id(sql, &picking->id, "SELECT id FROM entry WHERE next_attempt > ? ORDER BY next_attempt DESC LIMIT 1",
                   picking->now + picking->wait_most);
    return result;
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
    return end_of(rows, step);
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
    result = end_of(rows, step);
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
    return end_of(rows, step);
}

int spool_rows_save(sqlite3 *sql, void *context)
{
    struct spool_saving *saving = context;
    const struct spool_row *row = saving->row;
    int result = spool_sql(sql,
                           "UPDATE entry SET attempts = ?, is_being_sent = ?, last_reply = ?,"
                           " next_attempt = CASE WHEN next_attempt < 0 THEN next_attempt ELSE ? END"
                           " WHERE id = ? AND token = ?",
                           "iitiii", row->attempts, (int64_t)saving->is_being_sent, row->last_reply,
                           row->next_attempt, row->id, row->token);
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
    return end_of(rows, step);
}
