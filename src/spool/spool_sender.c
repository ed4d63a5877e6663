/*
 * spool_sender - the one thread, in the one process that holds the lock, which takes entries to the MTA.
 *
 * An attempt in the order of its steps; what is [synced] is on the disk before the next begins:
 *   before() of the owner; the dialogue up to the content; recipients that the MTA took are in DOUBT [synced]; the final dot;
 *   its reply; the recipients' fates [synced]; after() of the owner; the entry is removed.
 * So a crash leaves DOUBT behind exactly if the dot may have gone out, and a sender that begins decides about it: UNKNOWN
 * with `once`, to be sent again without. A fate that cannot be written (the disk is full) is written again until it can be,
 * and nothing else is sent meanwhile.
 *
 * An MTA that is down is asked for a pause and not once for every entry: PAUSE_MOST at most, so that mail flows soon
 * after it is back. What each entry waits for itself is doubled from retry_first to retry_most. Entries that are due are
 * looked for once a second, because other processes add, flush and delete.
 */
#include "spool/spool_lock.h"
#include "spool/spool_private.h"
#include "spool/spool_rows.h"
#include "util/clock.h"
#include "util/crash.h"
#include "util/log.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define POLL_MS 1000
#define LOCK_POLL_MS 250
#define PAUSE_MOST 60       /* seconds */
#define CARRIED_MOST 100    /* messages on one connection */
#define LAST_TRIES 3        /* to write a fate, when the worker is to let go */

struct sender {
    struct spool *spool;
    struct spool_lock lock;
    bool is_recovered;  /* since the lock was taken */
    struct spool_smtp *smtp;
    unsigned carried;   /* by it */
    int64_t run;        /* tells this sender from earlier ones */
    unsigned troubles;  /* connections that failed, since the last that did not */
    int64_t pause_until; /* monotonic us */
};

/* An entry under way. */
struct attempt {
    struct sender *sender;
    struct arena *arena;
    struct spool_row *row;
    const struct spool_owner *owner; /* NULL: nobody's */
    struct strbuf part;
    int64_t next_part;
    int64_t began; /* monotonic us */
};

static bool is_stopping(const struct sender *sender)
{
    return atomic_load_explicit(&sender->spool->stopped_at, memory_order_relaxed) != 0;
}

/* True if something woke us. */
static bool wait_ms(struct sender *sender, int ms)
{
    struct spool *spool = sender->spool;
    int64_t until = clock_monotonic_us() + (int64_t)ms * 1000;
    struct timespec at = {until / 1000000, until % 1000000 * 1000};
    pthread_mutex_lock(&spool->mutex);
    while (!spool->is_woken && pthread_cond_timedwait(&spool->changed, &spool->mutex, &at) == 0)
        ;
    bool is_woken = spool->is_woken;
    spool->is_woken = false;
    pthread_mutex_unlock(&spool->mutex);
    return is_woken;
}

static int64_t seconds(int64_t ms)
{
    return ms <= 0 ? 1 : (ms + 999) / 1000;
}

/* FIRST doubled COUNT - 1 times, at most MOST. */
static int64_t doubled(int64_t first, int64_t count, int64_t most)
{
    while (--count > 0 && first < most)
        first *= 2;
    return first < most ? first : most;
}

/* ---- what is written of an attempt ---- */

static size_t count_of(const struct spool_row *row, enum spool_fate fate)
{
    size_t n = 0;
    for (size_t i = 0; i < row->count; i++)
        n += row->recipients[i].fate == fate;
    return n;
}

static void turn(struct spool_row *row, enum spool_fate from, enum spool_fate to)
{
    for (size_t i = 0; i < row->count; i++) {
        if (row->recipients[i].fate == from)
            row->recipients[i].fate = to;
    }
}

static int save(struct attempt *attempt, bool is_being_sent, bool is_fate, bool *has_vanished)
{
    struct spool_saving saving = {attempt->row, is_being_sent, is_fate, false};
    int result = spool_db_write(attempt->sender->spool->db, spool_rows_save, &saving, is_fate);
    *has_vanished = saving.has_vanished;
    return result;
}

/* The task is repeated until it is done: 0. -1: the worker is to let go, and it could not be done. */
static int write_surely(struct sender *sender, spool_db_task *task, void *context, bool durable)
{
    for (int tries = 1; spool_db_write(sender->spool->db, task, context, durable) != SQLITE_OK; tries++) {
        if (is_stopping(sender) && tries >= LAST_TRIES)
            return -1;
        wait_ms(sender, is_stopping(sender) ? POLL_MS / 10 : POLL_MS);
    }
    return 0;
}

static const char *joined_paths(struct attempt *attempt)
{
    struct strbuf text;
    strbuf_init(&text, 4096);
    for (size_t i = 0; i < attempt->row->count; i++)
        strbuf_printf(&text, "%s%s", i ? "," : "", attempt->row->recipients[i].path);
    const char *copy = arena_strdup(attempt->arena, strbuf_text(&text));
    strbuf_free(&text);
    return copy;
}

static const char *const end_names[] = {[SPOOL_SENT] = "sent", [SPOOL_GIVEN_UP] = "given-up",
                                        [SPOOL_REFUSED] = "refused", [SPOOL_DELETED] = "deleted",
                                        [SPOOL_UNKNOWN] = "unknown"};

static void log_leaving(struct attempt *attempt, const char *end, const char *reply)
{
    const struct spool_row *row = attempt->row;
    struct log_field fields[] = {
        LOG_NUMBER("id", row->id),
        LOG_STRING("kind", row->kind),
        LOG_STRING("to", joined_paths(attempt)),
        LOG_STRING("end", end),
        LOG_NUMBER("attempts", row->attempts),
        LOG_STRING("reply", reply),
        LOG_NUMBER("us", clock_monotonic_us() - attempt->began),
    };
    log_event(LEVEL_INFO, "spool", fields, sizeof fields / sizeof *fields);
}

static void log_failure(struct attempt *attempt)
{
    const struct spool_row *row = attempt->row;
    struct log_field fields[] = {
        LOG_NUMBER("id", row->id),
        LOG_STRING("kind", row->kind),
        LOG_STRING("to", joined_paths(attempt)),
        LOG_NUMBER("attempts", row->attempts),
        LOG_STRING("reply", row->last_reply),
        LOG_NUMBER("next", row->next_attempt),
        LOG_NUMBER("us", clock_monotonic_us() - attempt->began),
    };
    log_event(LEVEL_INFO, "spool-attempt", fields, sizeof fields / sizeof *fields);
}

/* One of several was refused or is unknown: the entry's own line would not tell which. */
static void log_recipient(struct attempt *attempt, const struct spool_recipient *recipient)
{
    struct log_field fields[] = {
        LOG_NUMBER("id", attempt->row->id),
        LOG_STRING("kind", attempt->row->kind),
        LOG_STRING("to", recipient->path),
        LOG_STRING("end", recipient->fate == SPOOL_FATE_REFUSED    ? "refused"
                          : recipient->fate == SPOOL_FATE_GIVEN_UP ? "given-up"
                          : recipient->fate == SPOOL_FATE_UNKNOWN  ? "unknown"
                                                                   : "deleted"),
        LOG_STRING("reply", recipient->reply),
    };
    log_event(LEVEL_INFO, "spool-recipient", fields, sizeof fields / sizeof *fields);
}

/* ---- leaving the queue ---- */

static void drop(struct attempt *attempt)
{
    if (write_surely(attempt->sender, spool_rows_remove, attempt->row, false) == 0)
        crash_test_point("spool.removed");
}

static enum spool_end end_of(const struct spool_row *row)
{
    if (count_of(row, SPOOL_FATE_ACCEPTED) > 0)
        return SPOOL_SENT;
    if (count_of(row, SPOOL_FATE_WAITING) > 0)
        return SPOOL_DELETED;
    if (count_of(row, SPOOL_FATE_UNKNOWN) > 0)
        return SPOOL_UNKNOWN;
    return count_of(row, SPOOL_FATE_GIVEN_UP) > 0 ? SPOOL_GIVEN_UP : SPOOL_REFUSED;
}

static void leave(struct attempt *attempt)
{
    const struct spool_row *row = attempt->row;
    enum spool_end end = end_of(row);
    if (attempt->owner && attempt->owner->after)
        attempt->owner->after(attempt->owner->context, row->memo, end, clock_wall());
    crash_test_point("spool.after");
    for (size_t i = 0; i < row->count && row->count > 1; i++) {
        if (row->recipients[i].fate != SPOOL_FATE_ACCEPTED)
            log_recipient(attempt, &row->recipients[i]);
    }
    log_leaving(attempt, end_names[end], row->last_reply);
    drop(attempt);
}

static bool is_past_its_time(const struct attempt *attempt, int64_t now)
{
    return now - attempt->row->added >= seconds(attempt->sender->spool->options.lifetime);
}

/* ---- an attempt ---- */

static void put_off(struct attempt *attempt, int64_t now)
{
    const struct spool_options *options = &attempt->sender->spool->options;
    int64_t wait = doubled(seconds(options->retry_first), attempt->row->attempts, seconds(options->retry_most));
    int64_t last = attempt->row->added + seconds(options->lifetime); /* one more try at the end of its time */
    int64_t next = now + wait;
    attempt->row->next_attempt = next > last && last > now ? last : next;
}

/* May it be tried? Else the entry was put off or dropped, and that is done. */
static bool ask_owner(struct attempt *attempt, int64_t now)
{
    struct spool_row *row = attempt->row;
    if (!attempt->owner || !attempt->owner->before || row->checked == attempt->sender->run)
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
            wait_ms(attempt->sender, POLL_MS);
        }
        return false;
    }
    if (!is_wanted) {
        log_leaving(attempt, end_names[SPOOL_DELETED], "not wanted any more by its owner");
        drop(attempt);
        return false;
    }
    row->checked = attempt->sender->run;
    return true;
}

static bool read_part(void *context, struct span *piece)
{
    struct attempt *attempt = context;
    struct spool_part part = {attempt->row->id, attempt->next_part++, &attempt->part};
    if (spool_db_read(attempt->sender->spool->db, spool_rows_part, &part) != SQLITE_OK)
        return false;
    *piece = (struct span){attempt->part.ptr, attempt->part.len};
    return true;
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

static void hang_up(struct sender *sender)
{
    spool_smtp_close(sender->smtp);
    sender->smtp = NULL;
    sender->carried = 0;
}

static void note_trouble(struct sender *sender, const char *reply, bool is_certain)
{
    sender->troubles++;
    if (!is_certain && sender->troubles < 2 && strncmp(reply ? reply : "", "421", 3) != 0)
        return; /* it may have been that one message */
    int64_t pause = doubled(seconds(sender->spool->options.retry_first), sender->troubles, PAUSE_MOST);
    sender->pause_until = clock_monotonic_us() + pause * 1000000;
}

/* Sets the fates and the reply of the row. False: the worker lets go, and it was no attempt. */
static bool converse(struct attempt *attempt)
{
    struct sender *sender = attempt->sender;
    struct spool *spool = sender->spool;
    struct spool_row *row = attempt->row;
    if (sender->carried >= CARRIED_MOST)
        hang_up(sender);
    if (!sender->smtp) {
        char problem[320];
        snprintf(problem, sizeof problem, "submit: %s", spool->endpoint_problem ? spool->endpoint_problem : "");
        if (!spool->endpoint_problem)
            sender->smtp = spool_smtp_open(&spool->endpoint, spool->options.hostname, spool->options.timeout,
                                           &spool->stopped_at, problem, sizeof problem);
        if (!sender->smtp) {
            row->last_reply = arena_strdup(attempt->arena, problem);
            if (!is_stopping(sender))
                note_trouble(sender, problem, true);
            return !is_stopping(sender);
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
        hang_up(sender);
    if (end == SPOOL_STEP_DONE)
        sender->troubles = 0;
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
    if (count_of(row, SPOOL_FATE_ACCEPTED) > 0)
        crash_test_point("spool.accepted");
    if (is_past_its_time(attempt, now))
        turn(row, SPOOL_FATE_WAITING, SPOOL_FATE_GIVEN_UP);
    put_off(attempt, now);
    bool is_decided = count_of(row, SPOOL_FATE_WAITING) == 0;
    if (is_decided)
        row->next_attempt = 1; /* should we crash now, the next sender takes it up at once */
    struct spool_saving saving = {row, false, true, false};
    if (write_surely(attempt->sender, spool_rows_save, &saving, true) != 0)
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
        log_failure(attempt);
}

static void try_to_send(struct attempt *attempt)
{
    bool has_vanished;
    attempt->row->attempts++;
    if (save(attempt, true, false, &has_vanished) != SQLITE_OK) {
        wait_ms(attempt->sender, POLL_MS);
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

static void handle(struct attempt *attempt, int64_t now)
{
    struct spool_row *row = attempt->row;
    for (const struct spool_owner *owner = attempt->sender->spool->owners; owner->kind; owner++) {
        if (strcmp(owner->kind, row->kind) == 0)
            attempt->owner = owner;
    }
    bool is_waiting = count_of(row, SPOOL_FATE_WAITING) > 0;
    if (is_waiting && row->next_attempt >= 0 && is_past_its_time(attempt, now) && row->attempts > 0 &&
        clock_monotonic_us() < attempt->sender->pause_until && row->next_attempt != SPOOL_NEXT_NOW) {
        turn(row, SPOOL_FATE_WAITING, SPOOL_FATE_GIVEN_UP); /* no last try at an MTA that is down */
        is_waiting = false;
    }
    if (!is_waiting || row->next_attempt < 0)
        leave(attempt);
    else if (ask_owner(attempt, now))
        try_to_send(attempt);
}

static void take_up(struct sender *sender, int64_t id, int64_t now)
{
    struct attempt attempt = {.sender = sender, .arena = arena_create(4096), .began = clock_monotonic_us()};
    struct spool_loading loading = {attempt.arena, id, NULL};
    strbuf_init(&attempt.part, 0);
    if (spool_db_read(sender->spool->db, spool_rows_load, &loading) != SQLITE_OK) {
        wait_ms(sender, POLL_MS);
    } else if (loading.row) {
        attempt.row = loading.row;
        handle(&attempt, now);
    }
    strbuf_free(&attempt.part);
    arena_destroy(attempt.arena);
}

/* ---- the loop ---- */

/* Is the queue ours? */
static bool hold_queue(struct sender *sender)
{
    if (sender->lock.fd >= 0 && !spool_lock_is_good(&sender->lock)) {
        hang_up(sender);
        spool_lock_drop(&sender->lock);
    }
    if (sender->lock.fd < 0) {
        sender->is_recovered = false;
        int error = spool_lock_take(&sender->lock);
        if (error && error != EWOULDBLOCK)
            spool_complain(sender->spool, "%s/spool.lock: %s", sender->lock.directory, strerror(error));
        if (error)
            return false;
    }
    if (!sender->is_recovered)
        sender->is_recovered = spool_db_write(sender->spool->db, spool_rows_recover, NULL, true) == SQLITE_OK;
    return sender->is_recovered;
}

static void work(struct sender *sender)
{
    const struct spool_options *options = &sender->spool->options;
    int64_t now = clock_wall();
    struct spool_picking picking = {
        .now = now,
        .lifetime = seconds(options->lifetime),
        .wait_most = seconds(options->retry_most) + 1,
        .is_paused = clock_monotonic_us() < sender->pause_until,
    };
    if (spool_db_read(sender->spool->db, spool_rows_pick, &picking) != SQLITE_OK)
        wait_ms(sender, POLL_MS);
    else if (picking.id)
        take_up(sender, picking.id, now);
    else if (!wait_ms(sender, POLL_MS) && sender->smtp)
        hang_up(sender); /* idle for a second */
}

void *spool_sender(void *context)
{
    struct spool *spool = context;
    struct sender sender = {.spool = spool, .lock = {spool->options.directory, -1}};
    sender.run = clock_monotonic_us() ^ clock_wall() << 20 ^ (int64_t)(intptr_t)&sender;
    while (!is_stopping(&sender)) {
        if (hold_queue(&sender))
            work(&sender);
        else
            wait_ms(&sender, LOCK_POLL_MS);
    }
    hang_up(&sender);
    spool_lock_drop(&sender.lock);
    return NULL;
}
