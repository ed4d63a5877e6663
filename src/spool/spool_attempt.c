/*
 * spool_attempt - an attempt begins when its entry is claimed and ends when its recipients have a fate, in memory; the
 * batch (spool_batch.c) writes down both.
 *
 * In between one thing is written here: with `once`, that the final dot may go out (DOUBT); for one recipient to
 * spool.dots, for several into the file of the queue. It is not synced, for a killed process loses nothing that it
 * wrote, and for a machine that stops there is the claim, which was synced.
 * Without `once` nothing is written, for doubt or not, the entry would be sent again.
 */
#include "spool/spool_attempt.h"
#include "spool/spool_leave.h"
#include "util/clock.h"
#include "util/crash.h"
#include <errno.h>
#include <stdio.h>

#define PAUSE_MOST 60    /* seconds */
#define CARRIED_MOST 100 /* messages on one connection */

struct attempt {
    struct spool_sender *sender;
    struct spool_row *row;
    struct strbuf part;
    int64_t next_part, bytes_read;
};

/* FIRST doubled COUNT - 1 times, at most MOST. */
static int64_t doubled(int64_t first, int64_t count, int64_t most)
{
    while (--count > 0 && first < most)
        first *= 2;
    return first < most ? first : most;
}

void spool_row_turn(struct spool_row *row, enum spool_fate from, enum spool_fate to)
{
    for (size_t i = 0; i < row->count; i++) {
        if (row->recipients[i].fate == from)
            row->recipients[i].fate = to;
    }
}

bool spool_is_past_its_time(const struct spool_sender *sender, const struct spool_row *row, int64_t now)
{
    return now - row->added >= spool_seconds(sender->spool->options.lifetime);
}

void spool_put_off(const struct spool_sender *sender, struct spool_row *row, int64_t now)
{
    const struct spool_options *options = &sender->spool->options;
    int64_t wait = doubled(spool_seconds(options->retry_first), row->attempts, spool_seconds(options->retry_most));
    int64_t last = row->added + spool_seconds(options->lifetime); /* one more try at the end of its time */
    int64_t next = now + wait;
    row->next_attempt = next > last && last > now ? last : next;
}

/* ---- the conversation ---- */

static bool read_part(void *context, struct span *piece)
{
    struct attempt *attempt = context;
    const struct spool_row *row = attempt->row;
    struct spool_part part = {row->id, row->token, attempt->next_part++, &attempt->part};
    *piece = (struct span){"", 0};
    if (attempt->bytes_read == row->bytes)
        return true;
    if (!row->content.ptr && spool_db_read(attempt->sender->spool->db, spool_rows_part, &part) != SQLITE_OK)
        return false;
    *piece = row->content.ptr ? row->content : (struct span){attempt->part.ptr, attempt->part.len};
    attempt->bytes_read += (int64_t)piece->len;
    return piece->len > 0 && attempt->bytes_read <= row->bytes; /* half a message is none */
}

/* Of several recipients, some of whom may have been refused. */
static bool write_doubt(struct attempt *attempt)
{
    struct spool_write item = {.row = attempt->row, .what = SPOOL_WRITE_FATES};
    struct spool_writing writing = {.items = &item, .count = 1};
    return spool_db_write(attempt->sender->spool->db, spool_rows_write, &writing, SPOOL_DB_LAZY) == SQLITE_OK &&
           !item.has_vanished;
}

static bool note_dot(struct spool_sender *sender, const struct spool_row *row)
{
    const struct spool_dot dot = {row->id, row->token};
    if (!spool_dots_note(sender->dots, sender->first_dot + sender->dot_count, &dot)) {
        spool_complain(sender->spool, "spool.dots cannot be written: %s", strerror(errno));
        return false;
    }
    sender->dot_count++;
    return true;
}

static bool before_dot(void *context)
{
    struct attempt *attempt = context;
    const struct spool_row *row = attempt->row;
    if (row->once && !(row->count == 1 ? note_dot(attempt->sender, row) : write_doubt(attempt)))
        return false;
    crash_test_point("spool.dot");
    return true;
}

static void note_trouble(struct spool_sender *sender, const char *reply, bool is_certain)
{
    sender->troubles++;
    if (!is_certain && sender->troubles < 2 && strncmp(reply ? reply : "", "421", 3) != 0)
        return; /* it may have been that one message */
    int64_t pause = doubled(spool_seconds(sender->spool->options.retry_first), sender->troubles, PAUSE_MOST);
    sender->pause_until = clock_monotonic_us() + pause * 1000000;
    sender->seen_until = 0;
}

/* False: there is no connection, and the row says why. */
static bool connect_to_mta(struct spool_sender *sender, struct arena *arena, struct spool_row *row)
{
    struct spool *spool = sender->spool;
    char problem[320];
    if (sender->carried >= CARRIED_MOST)
        spool_sender_hang_up(sender);
    if (sender->smtp)
        return true;
    snprintf(problem, sizeof problem, "submit: %s", sender->endpoint_problem ? sender->endpoint_problem : "");
    if (!sender->endpoint_problem)
        sender->smtp = spool_smtp_open(&sender->endpoint, spool->options.hostname, spool->options.timeout,
                                       &spool->stopped_at, problem, sizeof problem);
    if (sender->smtp)
        return true;
    row->last_reply = arena_strdup(arena, problem);
    if (!spool_sender_is_stopping(sender))
        note_trouble(sender, problem, true);
    return false;
}

static struct spool_delivery delivery_of(const struct spool_row *row)
{
    return (struct spool_delivery){.reverse_path = row->reverse_path,
                                   .mail_parameters = row->mail_parameters,
                                   .recipients = row->recipients,
                                   .count = row->count,
                                   .needs_smtputf8 = row->needs_smtputf8,
                                   .is_8bit = row->is_8bit,
                                   .bytes = (uint64_t)row->bytes};
}

/* Sets the fates and the reply of the row. False: the worker lets go, and it was no attempt. */
static bool converse(struct attempt *attempt, struct arena *arena, const struct spool_row *next)
{
    struct spool_sender *sender = attempt->sender;
    struct spool_row *row = attempt->row;
    if (!connect_to_mta(sender, arena, row))
        return !spool_sender_is_stopping(sender);
    struct spool_delivery delivery = delivery_of(row), following = next ? delivery_of(next) : delivery;
    delivery.arena = arena;
    delivery.read = read_part;
    delivery.before_dot = before_dot;
    delivery.context = attempt;
    delivery.next = next && sender->carried + 1 < CARRIED_MOST ? &following : NULL;
    enum spool_end_of_step end = spool_smtp_deliver(sender->smtp, &delivery);
    row->last_reply = delivery.reply;
    sender->carried++;
    if (end != SPOOL_STEP_DONE)
        spool_sender_hang_up(sender);
    if (end == SPOOL_STEP_DONE)
        sender->troubles = sender->pause_until = 0;
    else if (end == SPOOL_STEP_BROKEN)
        note_trouble(sender, delivery.reply, false);
    return end != SPOOL_STEP_STOPPED;
}

/* The conversation is over: what became of the entry? */
static enum spool_attempt_end conclude(struct spool_sender *sender, struct spool_row *row)
{
    int64_t now = clock_wall();
    spool_row_turn(row, SPOOL_FATE_DOUBT, row->once ? SPOOL_FATE_UNKNOWN : SPOOL_FATE_WAITING);
    if (spool_row_count(row, SPOOL_FATE_ACCEPTED) > 0)
        crash_test_point("spool.accepted");
    if (spool_is_past_its_time(sender, row, now))
        spool_row_turn(row, SPOOL_FATE_WAITING, SPOOL_FATE_GIVEN_UP);
    spool_put_off(sender, row, now);
    for (size_t i = row->count; i-- > 0;) { /* of those that wait the first, and not of those that were taken */
        if (row->recipients[i].fate == SPOOL_FATE_WAITING && row->recipients[i].reply)
            row->last_reply = row->recipients[i].reply;
    }
    if (spool_row_count(row, SPOOL_FATE_WAITING) > 0)
        return SPOOL_ATTEMPT_WAITS;
    row->next_attempt = 1; /* should we crash now, the next sender takes it up at once */
    return spool_row_count(row, SPOOL_FATE_ACCEPTED) == row->count ? SPOOL_ATTEMPT_TAKEN : SPOOL_ATTEMPT_DECIDED;
}

bool spool_attempt_is_announced(const struct spool_sender *sender)
{
    return sender->smtp && spool_smtp_has_announced(sender->smtp);
}

enum spool_attempt_end spool_attempt(struct spool_sender *sender, struct arena *arena, struct spool_row *row,
                                     const struct spool_row *next)
{
    struct attempt attempt = {.sender = sender, .row = row};
    strbuf_init(&attempt.part, 0);
    crash_test_point("spool.before");
    bool was_one = converse(&attempt, arena, next);
    strbuf_free(&attempt.part);
    return was_one ? conclude(sender, row) : SPOOL_ATTEMPT_NONE;
}
