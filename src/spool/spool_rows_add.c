/*
 * spool_rows_add - what an addition writes. Small content lies in its entry, so that a page less is written and synced.
 * Other lies in parts of SPOOL_PART_SIZE, so that neither writing nor sending a large message needs a second copy of it
 * in memory: SQLite writes a part's pages out when its cache is full.
 */
#include "spool/spool_file.h"
#include "spool/spool_rows.h"
#include <stdlib.h>

#define WITH_ENTRY 3000 /* bytes of content: of a page of 4096 */

static int has_room(sqlite3 *sql, struct spool_adding *adding)
{
    sqlite3_stmt *rows;
    uint64_t wanted = 0;
    adding->is_full = false;
    if (adding->count == 1 && adding->messages[0].is_beyond_limits)
        return SQLITE_OK;
    for (size_t i = 0; i < adding->count && !adding->is_full; i++) {
        adding->is_full = adding->each[i].bytes > adding->max_bytes - wanted;
        wanted += adding->is_full ? 0 : adding->each[i].bytes;
    }
    int result = spool_query(sql, &rows, "SELECT messages, bytes FROM total", "");
    if (result != SQLITE_OK)
        return result;
    int step = sqlite3_step(rows);
    if (step == SQLITE_ROW) {
        uint64_t messages = (uint64_t)sqlite3_column_int64(rows, 0), bytes = (uint64_t)sqlite3_column_int64(rows, 1);
        adding->is_full |= messages >= adding->max_messages || adding->count > adding->max_messages - messages ||
                           bytes > adding->max_bytes || wanted > adding->max_bytes - bytes;
    }
    return step == SQLITE_DONE ? SQLITE_CORRUPT : spool_rows_end(rows, step);
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

static int add_part(sqlite3 *sql, int64_t id, int64_t *part, struct span bytes)
{
    if (*part >= SPOOL_PARTS_MOST)
        return SQLITE_TOOBIG;
    return spool_sql(sql, "INSERT INTO part(id, bytes) VALUES(?, ?)", "ib", id << SPOOL_PART_BITS | (*part)++, bytes);
}

static int add_span(sqlite3 *sql, int64_t id, int64_t *part, struct span rest)
{
    int result = SQLITE_OK;
    while (rest.len > 0 && result == SQLITE_OK) {
        size_t n = rest.len < SPOOL_PART_SIZE ? rest.len : SPOOL_PART_SIZE;
        result = add_part(sql, id, part, (struct span){rest.ptr, n});
        rest = (struct span){rest.ptr + n, rest.len - n};
    }
    return result;
}

static int add_source(sqlite3 *sql, int64_t id, int64_t *part, const struct spool_message *message)
{
    int result = SQLITE_OK;
    char *buffer = malloc(SPOOL_PART_SIZE);
    if (!buffer)
        abort();
    for (uint64_t at = 0; at < message->source_size && result == SQLITE_OK;) {
        uint64_t left = message->source_size - at;
        ssize_t n = message->read_at(message->source, at, buffer, left < SPOOL_PART_SIZE ? left : SPOOL_PART_SIZE);
        result = n > 0 ? add_part(sql, id, part, (struct span){buffer, (size_t)n}) : SQLITE_CONSTRAINT;
        at += n > 0 ? (uint64_t)n : 0;
    }
    free(buffer);
    return result;
}

static int add_one(sqlite3 *sql, const struct spool_message *message, struct spool_adding_one *one, int64_t now)
{
    int64_t part = 0;
    bool is_with_entry = !message->read_at && message->head.len == 0 && message->content.len <= WITH_ENTRY;
    struct span content = is_with_entry ? message->content : (struct span){NULL, 0};
    int result = spool_sql(
        sql,
        "INSERT INTO entry(id, token, kind, submit, reverse_path, mail_parameters, needs_smtputf8, is_8bit, once, memo,"
        " added, next_attempt, bytes, content) VALUES((SELECT last_id + 1 FROM total), random(), ?, ?, ?, ?, ?, ?, ?, "
        "?,"
        " ?, ?, ?, ?)",
        "ttttiiitiiib", message->kind, message->submit ? message->submit : "", message->reverse_path,
        message->mail_parameters, (int64_t)one->needs_smtputf8, (int64_t)one->is_8bit, (int64_t)message->once,
        message->memo, now, now > 1 ? now : 1, (int64_t)one->bytes, content);
    one->id = sqlite3_last_insert_rowid(sql);
    if (result == SQLITE_OK)
        result = add_recipients(sql, one->id, message);
    if (result == SQLITE_OK)
        result = add_span(sql, one->id, &part, message->head);
    if (result != SQLITE_OK || is_with_entry)
        return result;
    return message->read_at ? add_source(sql, one->id, &part, message)
                            : add_span(sql, one->id, &part, message->content);
}

int spool_rows_add(sqlite3 *sql, void *context)
{
    struct spool_adding *adding = context;
    int result = has_room(sql, adding);
    for (size_t i = 0; i < adding->count && result == SQLITE_OK && !adding->is_full; i++)
        result = add_one(sql, &adding->messages[i], &adding->each[i], adding->now);
    return result;
}
