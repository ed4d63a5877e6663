/*
 * spool_add - what comes in is looked at once, here: an address with a CR in it would be a command of its own in the
 * dialogue with the MTA. Nobody should hand such a thing over; if somebody does, nothing is queued.
 */
#include "spool/spool_private.h"
#include "spool/spool_rows.h"
#include "util/crash.h"
#include "util/smtp_path.h"
#include <stdlib.h>

#define PARAMETERS_MAX 2000 /* octets */

static bool is_path(const char *text)
{
    return text && smtp_path_is_safe(text);
}

static bool is_parameters(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)(text ? text : ""); *p; p++) {
        if (*p < 0x20 || *p == 0x7f)
            return false;
    }
    return !text || strlen(text) <= PARAMETERS_MAX;
}

static bool is_sound(const struct spool_message *message)
{
    bool is_good = message->forward_path_count > 0 && is_path(message->reverse_path) &&
                   is_parameters(message->mail_parameters) && is_parameters(message->rcpt_parameters) &&
                   (!message->submit || !spool_verify_url(message->submit));
    for (size_t i = 0; i < message->forward_path_count && is_good; i++)
        is_good = is_path(message->forward_paths[i]) && message->forward_paths[i][0] &&
                  (!message->each_rcpt_parameters || is_parameters(message->each_rcpt_parameters[i]));
    return is_good;
}

static bool has_8bit(struct span bytes)
{
    size_t i = 0;
    for (uint64_t word; i + sizeof word <= bytes.len; i += sizeof word) { /* a message may have hundreds of megabytes */
        memcpy(&word, bytes.ptr + i, sizeof word);
        if (word & 0x8080808080808080u)
            return true;
    }
    for (; i < bytes.len; i++) {
        if ((unsigned char)bytes.ptr[i] >= 0x80)
            return true;
    }
    return false;
}

/* The same for what read_at() gives. -1: it cannot be read. */
static int source_has_8bit(const struct spool_message *message)
{
    int found = 0;
    char *buffer = malloc(SPOOL_PART_SIZE);
    if (!buffer)
        abort();
    for (uint64_t at = 0; at < message->source_size && !found;) {
        ssize_t n = message->read_at(message->source, at, buffer, SPOOL_PART_SIZE);
        found = n <= 0 ? -1 : has_8bit((struct span){buffer, (size_t)n});
        at += n > 0 ? (uint64_t)n : 0;
    }
    free(buffer);
    return found;
}

static bool is_internationalised(const struct spool_message *message)
{
    bool is_so = message->needs_smtputf8 || has_8bit(span_of(message->reverse_path));
    for (size_t i = 0; i < message->forward_path_count && !is_so; i++)
        is_so = has_8bit(span_of(message->forward_paths[i]));
    return is_so;
}

/* 0, or -1: it is not to be queued. */
static int look_at(struct spool *spool, const struct spool_message *message, struct spool_adding_one *one)
{
    const char *problem = is_sound(message) ? NULL : "its addresses, its parameters or its submit are no SMTP";
    int found = problem ? 0 : message->read_at ? source_has_8bit(message) : has_8bit(message->content);
    if (found < 0)
        problem = "its content cannot be read";
    if (problem) {
        spool_complain(spool, "a message of kind %s was not queued: %s", message->kind, problem);
        return -1;
    }
    one->is_8bit = found > 0 || has_8bit(message->head);
    one->needs_smtputf8 = is_internationalised(message);
    one->bytes = message->head.len + (message->read_at ? message->source_size : message->content.len);
    return 0;
}

static enum spool_outcome write_down(struct spool *spool, struct spool_adding *adding)
{
    bool is_shared = adding->messages[0].company >= spool->crowd;
    if (spool_db_write(spool->db, spool_rows_add, adding, is_shared ? SPOOL_DB_SHARED : SPOOL_DB_DURABLE) != SQLITE_OK)
        return SPOOL_FAILED;
    if (adding->is_full) {
        spool_complain(spool, "the queue is full (max_messages %llu, max_bytes %llu): nothing more is queued",
                       (unsigned long long)spool->options.max_messages, (unsigned long long)spool->options.max_bytes);
        return SPOOL_FULL;
    }
    crash_test_point("spool.added");
    for (size_t i = 0; i < adding->count; i++)
        spool_wake(spool, adding->messages[i].submit);
    return SPOOL_OK;
}

enum spool_outcome spool_add_all(struct spool *spool, const struct spool_message *messages, size_t count, int64_t now,
                                 int64_t *ids)
{
    struct spool_adding adding = {.messages = messages,
                                  .count = count,
                                  .max_messages = spool->options.max_messages,
                                  .max_bytes = spool->options.max_bytes,
                                  .now = now};
    if (count == 0)
        return SPOOL_OK;
    adding.each = calloc(count, sizeof *adding.each);
    if (!adding.each)
        abort();
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = look_at(spool, &messages[i], &adding.each[i]);
    enum spool_outcome outcome = result == 0 ? write_down(spool, &adding) : SPOOL_FAILED;
    for (size_t i = 0; i < count && ids && outcome == SPOOL_OK; i++)
        ids[i] = adding.each[i].id;
    free(adding.each);
    return outcome;
}

enum spool_outcome spool_add(struct spool *spool, const struct spool_message *message, int64_t now, int64_t *id)
{
    return spool_add_all(spool, message, 1, now, id);
}
