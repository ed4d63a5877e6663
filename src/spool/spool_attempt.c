/*
 * spool_attempt - what happens to one entry, from its turn until it waits again or leaves.
 *
 * In the order of the steps; what is [synced] is on the disk before the next begins:
 *   before() of the owner; the dialogue up to the content; recipients that the MTA took are in DOUBT [synced]; the
 * final dot; its reply; the recipients' fates [synced, but not with `once`]; after() of the owner; the entry is
 * removed. So a crash leaves DOUBT behind exactly if the dot may have gone out, and a sender that begins decides about
 * it: UNKNOWN with `once`, to be sent again without. A fate that cannot be written (the disk is full) is written again
 * until it can be, and nothing else is sent meanwhile.
 */
#include "spool/spool_leave.h"
#include "spool/spool_sender.h"
#include "spool/spool_tell.h"
#include "util/clock.h"
#include "util/crash.h"
#include "util/log.h"
#include <stdio.h>

#define PAUSE_MOST 60    /* seconds */
#define CARRIED_MOST 100 /* messages on one connection */
#define LAST_TRIES 3     /* to write a fate, when the worker is to let go */
#define AGAIN_MS 1000    /* when the queue could not be read or written */

/* An entry under way. */
struct attempt {
    struct spool_sender *sender;
    struct arena *arena;
    struct spool_row *row;
    const struct spool_owner *owner; /* NULL: nobody's */
    struct strbuf part;
    int64_t next_part, bytes_read;
    int64_t began; /* monotonic us */
};

/* FIRST doubled COUNT - 1 times, at most MOST. */
static int64_t doubled(int64_t first, int64_t count, int64_t most)
{
    while (--count > 0 && first < most)
        first *= 2;
    return first < most ? first : most;
}

/* ---- what is written of an attempt ---- */

static void turn(struct spool_row *row, enum spool_fate from, enum spool_fate to)
{
    for (size_t i = 0; i < row->count; i++) {
        if (row->recipients[i].fate == from)
            row->recipients[i].fate = to;
    }
}

static int save(struct attempt *attempt, bool is_being_sent, bool is_fate, bool *has_vanished)
{
    struct spool_saving saving = {.row = attempt->row, .is_being_sent = is_being_sent, .with_recipients = is_fate};
    int result = spool_db_write(attempt->sender->spool->db, spool_rows_save, &saving, is_fate);
    *has_vanished = saving.has_vanished;
    return result;
}

/* The task is repeated until it is done: 0. -1: the worker is to let go, and it could not be done. */
static int write_surely(struct spool_sender *sender, spool_db_task *task, void *context, bool durable)
{
    for (int tries = 1; spool_db_write(sender->spool->db, task, context, durable) != SQLITE_OK; tries++) {
        if (spool_sender_is_stopping(sender) && tries >= LAST_TRIES)
            return -1;
        spool_sender_wait(sender, spool_sender_is_stopping(sender) ? AGAIN_MS / 10 : AGAIN_MS);
    }
    return 0;
}

/* ---- leaving the queue ---- */

static void drop(struct attempt *attempt)
{
    if (write_surely(attempt->sender, spool_rows_remove, attempt->row, false) == 0)
        crash_test_point("spool.removed");
}

static void leave(struct attempt *attempt)
{
    spool_leave(attempt->sender->spool->db, attempt->arena, attempt->row, attempt->owner, attempt->began);
    drop(attempt);
}

static bool is_past_its_time(const struct attempt *attempt, int64_t now)
{
    return now - attempt->row->added >= spool_seconds(attempt->sender->spool->options.lifetime);
}

/* ---- an attempt ---- */

static void put_off(struct attempt *attempt, int64_t now)
{
    const struct spool_options *options = &attempt->sender->spool->options;
    int64_t wait =
        doubled(spool_seconds(options->retry_first), attempt->row->attempts, spool_seconds(options->retry_most));
    int64_t last = attempt->row->added + spool_seconds(options->lifetime); /* one more try at the end of its time */
    int64_t next = now + wait;
    attempt->row->next_attempt = next > last && last > now ? last : next;
}

/* May it be tried? Else the entry was put off or dropped, and that is done. */
static bool ask_owner(struct attempt *attempt, int64_t now)
{
    struct spool_row *row = attempt->row;
    if (!attempt->owner || !attempt->owner->before)
        return true;
    bool later = false, has_vanished;
    bool is_wanted = attempt->owner->before(attempt->owner->context, row->memo, now, &later);
    if (later) {
        row->last_reply = "waits for its owner";
        put_off(attempt, now);
        if (is_past_its_time(attempt, now)) {
            turn(row, SPOOL_FATE_WAITING, SPOOL_FATE_GIVEN_UP);
            leave(attempt);
        } else if (save(attempt, false, false, &has_vanished) != SQLITE_OK) {
            spool_sender_wait(attempt->sender, AGAIN_MS);
        }
        return false;
    }
    if (!is_wanted) {
        spool_tell_end(attempt->row, attempt->began, SPOOL_DELETED, "not wanted any more by its owner");
        drop(attempt);
    }
    return is_wanted;
}

static bool read_part(void *context, struct span *piece)
{
    struct attempt *attempt = context;
    struct spool_part part = {attempt->row->id, attempt->next_part++, &attempt->part};
    if (spool_db_read(attempt->sender->spool->db, spool_rows_part, &part) != SQLITE_OK)
        return false;
    *piece = (struct span){attempt->part.ptr, attempt->part.len};
    attempt->bytes_read += (int64_t)piece->len;
    return piece->len > 0 || attempt->bytes_read == attempt->row->bytes; /* half a message is none */
}

static bool before_dot(void *context)
{
    struct attempt *attempt = context;
    bool has_vanished;
    if (save(attempt, true, true, &has_vanished) != SQLITE_OK || has_vanished)
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
}

/* Sets the fates and the reply of the row. False: the worker lets go, and it was no attempt. */
static bool converse(struct attempt *attempt)
{
    struct spool_sender *sender = attempt->sender;
    struct spool *spool = sender->spool;
    struct spool_row *row = attempt->row;
    if (sender->carried >= CARRIED_MOST)
        spool_sender_hang_up(sender);
    if (!sender->smtp) {
        char problem[320];
        snprintf(problem, sizeof problem, "submit: %s", sender->endpoint_problem ? sender->endpoint_problem : "");
        if (!sender->endpoint_problem)
            sender->smtp = spool_smtp_open(&sender->endpoint, spool->options.hostname, spool->options.timeout,
                                           &spool->stopped_at, problem, sizeof problem);
        if (!sender->smtp) {
            row->last_reply = arena_strdup(attempt->arena, problem);
            if (!spool_sender_is_stopping(sender))
                note_trouble(sender, problem, true);
            return !spool_sender_is_stopping(sender);
        }
    }
    struct spool_delivery delivery = {
        .arena = attempt->arena,
        .reverse_path = row->reverse_path,
        .mail_parameters = row->mail_parameters,
        .recipients = row->recipients,
        .count = row->count,
        .needs_smtputf8 = row->needs_smtputf8,
        .is_8bit = row->is_8bit,
        .bytes = (uint64_t)row->bytes,
        .read = read_part,
        .before_dot = before_dot,
        .context = attempt,
    };
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

/* The conversation is over: what became of the entry is written, and what is decided leaves. */
static void conclude(struct attempt *attempt)
{
    struct spool_row *row = attempt->row;
    int64_t now = clock_wall();
    turn(row, SPOOL_FATE_DOUBT, row->once ? SPOOL_FATE_UNKNOWN : SPOOL_FATE_WAITING);
    if (spool_row_count(row, SPOOL_FATE_ACCEPTED) > 0)
        crash_test_point("spool.accepted");
    if (is_past_its_time(attempt, now))
        turn(row, SPOOL_FATE_WAITING, SPOOL_FATE_GIVEN_UP);
    put_off(attempt, now);
    for (size_t i = row->count; i-- > 0;) { /* of those that wait the first, and not of those that were taken */
        if (row->recipients[i].fate == SPOOL_FATE_WAITING && row->recipients[i].reply)
            row->last_reply = row->recipients[i].reply;
    }
    bool is_decided = spool_row_count(row, SPOOL_FATE_WAITING) == 0;
    if (is_decided)
        row->next_attempt = 1; /* should we crash now, the next sender takes it up at once */
    struct spool_saving saving = {.row = row, .with_recipients = true};
    /* With `once` a power failure that forgets this leaves DOUBT behind, which says the same: not again. */
    if (write_surely(attempt->sender, spool_rows_save, &saving, !row->once) != 0)
        return;
    if (saving.has_vanished) {
        log_text(LEVEL_WARNING, "spool: entry %lld was taken out of the queue while it was being sent",
                 (long long)row->id);
        return;
    }
    crash_test_point("spool.recorded");
    if (is_decided)
        leave(attempt);
    else
        spool_tell_failure(attempt->row, attempt->began);
}

static void try_to_send(struct attempt *attempt)
{
    bool has_vanished;
    attempt->row->attempts++;
    if (save(attempt, true, false, &has_vanished) != SQLITE_OK) {
        spool_sender_wait(attempt->sender, AGAIN_MS);
        return;
    }
    if (has_vanished)
        return;
    crash_test_point("spool.before");
    if (converse(attempt)) {
        conclude(attempt);
        return;
    }
    attempt->row->attempts--;
    save(attempt, false, false, &has_vanished);
}

/* Its owner knows of it; more is not to be done while the MTA is not there. */
static void let_wait(struct attempt *attempt)
{
    /* An administrator's flush that comes meanwhile counts. */
    struct spool_saving saving = {.row = attempt->row, .keeps_next = true};
    attempt->row->last_reply = "waits for the MTA to come back";
    if (spool_db_write(attempt->sender->spool->db, spool_rows_save, &saving, false) != SQLITE_OK)
        spool_sender_wait(attempt->sender, AGAIN_MS);
}

static void handle(struct attempt *attempt, int64_t now)
{
    struct spool_row *row = attempt->row;
    bool is_paused = clock_monotonic_us() < attempt->sender->pause_until && row->next_attempt != SPOOL_NEXT_NOW;
    for (const struct spool_owner *owner = attempt->sender->spool->owners; owner->kind; owner++) {
        if (strcmp(owner->kind, row->kind) == 0)
            attempt->owner = owner;
    }
    bool is_waiting = spool_row_count(row, SPOOL_FATE_WAITING) > 0;
    if (is_waiting && row->next_attempt >= 0 && is_past_its_time(attempt, now) && row->attempts > 0 && is_paused) {
        turn(row, SPOOL_FATE_WAITING, SPOOL_FATE_GIVEN_UP); /* no last try at an MTA that is down */
        is_waiting = false;
    }
    if (!is_waiting || row->next_attempt < 0)
        leave(attempt);
    else if (ask_owner(attempt, now))
        (is_paused ? let_wait : try_to_send)(attempt);
}

void spool_attempt(struct spool_sender *sender, int64_t id, int64_t now)
{
    struct attempt attempt = {.sender = sender, .arena = arena_create(4096), .began = clock_monotonic_us()};
    struct spool_loading loading = {attempt.arena, id, NULL};
    strbuf_init(&attempt.part, 0);
    if (spool_db_read(sender->spool->db, spool_rows_load, &loading) != SQLITE_OK) {
        spool_sender_wait(sender, AGAIN_MS);
    } else if (loading.row) {
        attempt.row = loading.row;
        handle(&attempt, now);
    }
    strbuf_free(&attempt.part);
    arena_destroy(attempt.arena);
}
