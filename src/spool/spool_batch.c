/*
 * spool_batch - several entries share what is dear: syncs and transactions.
 *
 * In the order of the steps; what is [synced] is on the disk before the next begins:
 *   before() of the owners (spool_plan.c); what they wrote [synced, by settle()]; the entries are claimed by this boot
 * of the machine [synced, if one has `once`]; each is sent (spool_attempt.c: with `once` DOUBT is noted before its
 * final dot) and its fates are written, but for those with `once` that were simply taken; the fates of these are
 * written together, and the notes are wiped; after() of the owners; those that are decided are removed. If after()
 * could not do its part, it is written instead that the entry is decided, with its fates and the time of the next call:
 * from then on it is never sent, and only after() is asked. A crash in front of that leaves the entry as it was when
 * after() was asked the first time.
 *
 * So a worker that is killed leaves DOUBT behind exactly if a dot may have gone out, and a sender that begins under the
 * same boot decides about those: UNKNOWN with `once`, to be sent again without. A machine that stops may have forgotten
 * what was not synced; then all that was claimed is UNKNOWN with `once`, and without it is sent again, as an MTA does
 * whose mark of a delivery was lost. What after() of an owner adds is synced, and with it all that was written before:
 * never does a report outlive the fates that it tells.
 *
 * A fate that cannot be written (the disk is full) is written again until it can be, and nothing else is sent
 * meanwhile.
 */
#include "spool/spool_batch.h"
#include "spool/spool_attempt.h"
#include "spool/spool_leave.h"
#include "spool/spool_plan.h"
#include "spool/spool_tell.h"
#include "util/clock.h"
#include "util/crash.h"
#include "util/log.h"
#include <errno.h>

#define LAST_TRIES 3     /* to write a fate, when the worker is to let go */
#define AGAIN_MS 1000    /* when the queue could not be written */
#define BATCH_US 2000000 /* for so long before() of the last one counts; the rest waits for the next batch */
#define AFTER_US 2000000 /* for so long an owner is asked that said "not now"; the rest of his are put off unasked */

struct batch {
    struct spool_sender *sender;
    struct arena *arena;
    int64_t now, began;
    struct spool_turn *turns;
    size_t count;
    struct spool_writing writing; /* items: one a turn */
};

/* ---- writing ---- */

static int write_once(struct batch *batch, enum spool_db_mode mode)
{
    return spool_db_write(batch->sender->spool->db, spool_rows_write, &batch->writing, mode);
}

/* Repeated until it is done: 0. -1: the worker is to let go, and it could not be done; what is in doubt stays so. */
static int write_surely(struct batch *batch, struct spool_writing *writing)
{
    struct spool_sender *sender = batch->sender;
    for (int tries = 1; spool_db_write(sender->spool->db, spool_rows_write, writing, SPOOL_DB_LAZY) != SQLITE_OK; tries++) {
        if (spool_sender_is_stopping(sender) && tries >= LAST_TRIES) {
            sender->dot_count = 0;
            return -1;
        }
        spool_sender_wait(sender, spool_sender_is_stopping(sender) ? AGAIN_MS / 10 : AGAIN_MS);
    }
    return 0;
}

/* WHAT is to be written of those with PLAN. How many they are. */
static size_t mark(struct batch *batch, enum spool_plan plan, unsigned what)
{
    size_t n = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->turns[i].plan == plan) {
            batch->writing.items[i].what = what;
            n++;
        }
    }
    return n;
}

static void mark_nothing(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        batch->writing.items[i].what = SPOOL_WRITE_NOTHING;
}

static void tell_vanished(const struct spool_row *row)
{
    log_text(LEVEL_WARNING, "spool: entry %lld was taken out of the queue while it was being sent", (long long)row->id);
}

/* ---- sending ---- */

/* False: it could not be written, and nothing is to be done now. */
static bool claim(struct batch *batch)
{
    bool has_once = false;
    for (size_t i = 0; i < batch->count; i++) {
        struct spool_turn *turn = &batch->turns[i];
        if (turn->plan == SPOOL_PLAN_MTA)
            turn->row->last_reply = "waits for the MTA to come back";
        if (turn->plan != SPOOL_PLAN_SEND)
            continue;
        turn->row->attempts++;
        turn->row->is_claimed = true;
        has_once |= turn->row->once;
    }
    mark_nothing(batch);
    size_t n = mark(batch, SPOOL_PLAN_SEND, SPOOL_WRITE_STATE) +
               mark(batch, SPOOL_PLAN_OWNER, SPOOL_WRITE_STATE | SPOOL_WRITE_NEXT) +
               mark(batch, SPOOL_PLAN_MTA, SPOOL_WRITE_STATE); /* an administrator's flush that comes meanwhile counts */
    if (n > 0 && write_once(batch, has_once ? SPOOL_DB_DURABLE : SPOOL_DB_LAZY) != SQLITE_OK)
        return false;
    for (size_t i = 0; i < batch->count && n > 0; i++) {
        if (batch->writing.items[i].has_vanished)
            batch->turns[i].plan = SPOOL_PLAN_NOTHING;
    }
    return true;
}

/* What DOUBT does not say of an attempt that is over. */
static void record(struct batch *batch, struct spool_turn *turn, enum spool_attempt_end end)
{
    struct spool_row *row = turn->row;
    row->is_claimed = false;
    bool is_taken = end == SPOOL_ATTEMPT_TAKEN; /* then it is removed soon, and the fates say enough */
    unsigned rest = is_taken ? 0 : SPOOL_WRITE_STATE | SPOOL_WRITE_NEXT;
    struct spool_write item = {.row = row, .what = SPOOL_WRITE_FATES | rest};
    struct spool_writing writing = {.items = &item, .count = 1};
    turn->plan = SPOOL_PLAN_NOTHING;
    if (write_surely(batch, &writing) != 0)
        return;
    if (item.has_vanished) {
        tell_vanished(row);
        return;
    }
    if (end == SPOOL_ATTEMPT_WAITS)
        spool_tell_failure(row, turn->began);
    else
        turn->plan = SPOOL_PLAN_LEAVE;
}

static bool is_in_time(const struct batch *batch, int64_t now)
{
    return now - batch->began < BATCH_US;
}

/* Behind TURN, and to be announced; NULL: none. */
static const struct spool_row *next_to_send(const struct batch *batch, const struct spool_turn *turn)
{
    const struct spool_turn *end = batch->turns + batch->count;
    if (!is_in_time(batch, turn->began))
        return NULL;
    do
        turn++;
    while (turn < end && turn->plan != SPOOL_PLAN_SEND);
    return turn < end ? turn->row : NULL;
}

static void send_one(struct batch *batch, struct spool_turn *turn)
{
    struct spool_sender *sender = batch->sender;
    struct spool_row *row = turn->row;
    enum spool_attempt_end end = SPOOL_ATTEMPT_NONE;
    turn->began = clock_monotonic_us();
    bool may = !spool_sender_is_stopping(sender) && spool_lock_is_good(sender->lock) && !spool_is_paused(sender, row) &&
               (is_in_time(batch, turn->began) || spool_attempt_is_announced(sender));
    if (may)
        end = spool_attempt(sender, batch->arena, row, next_to_send(batch, turn));
    if (end == SPOOL_ATTEMPT_NONE) {
        row->attempts--;
        row->is_claimed = false;
        if (spool_is_paused(sender, row))
            row->last_reply = "waits for the MTA to come back";
        turn->plan = SPOOL_PLAN_GIVE_BACK;
    } else if (end == SPOOL_ATTEMPT_TAKEN && row->once) {
        turn->plan = SPOOL_PLAN_RECORD; /* with the others: until then DOUBT says the same, not again */
    } else {
        record(batch, turn, end);
        crash_test_point("spool.recorded");
    }
}

/* What is in doubt no longer. */
static void wipe_dots(struct spool_sender *sender)
{
    if (sender->dot_count > 0 && !spool_dots_wipe(sender->dots, sender->first_dot, sender->dot_count))
        spool_complain(sender->spool, "spool.dots cannot be written: %s", strerror(errno));
    sender->dot_count = 0;
}

/* The fates of those that were taken, and the claims of those that were not tried. */
static void record_rest(struct batch *batch)
{
    mark_nothing(batch);
    size_t taken = mark(batch, SPOOL_PLAN_RECORD, SPOOL_WRITE_FATES);
    if (mark(batch, SPOOL_PLAN_GIVE_BACK, SPOOL_WRITE_STATE) + taken == 0 || write_surely(batch, &batch->writing) != 0)
        return;
    if (taken > 0)
        crash_test_point("spool.recorded");
    for (size_t i = 0; i < batch->count; i++) {
        struct spool_turn *turn = &batch->turns[i];
        if (turn->plan != SPOOL_PLAN_RECORD)
            continue;
        turn->plan = batch->writing.items[i].has_vanished ? SPOOL_PLAN_NOTHING : SPOOL_PLAN_LEAVE;
        if (turn->plan == SPOOL_PLAN_NOTHING)
            tell_vanished(turn->row);
    }
}

static void send_all(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->turns[i].plan == SPOOL_PLAN_SEND)
            send_one(batch, &batch->turns[i]);
    }
    record_rest(batch);
    wipe_dots(batch->sender);
}

/* An owner that hangs (its store is down) is not asked for each: the next worker waits for this one. */
static void ask_owners(struct batch *batch)
{
    const struct spool_owner *failed = NULL;
    int64_t began = clock_monotonic_us();
    for (size_t i = 0; i < batch->count; i++) {
        struct spool_turn *turn = &batch->turns[i];
        struct spool_write *item = &batch->writing.items[i];
        if (turn->plan != SPOOL_PLAN_LEAVE)
            continue;
        bool was_decided = turn->row->decided != 0;
        if (failed && turn->owner == failed && clock_monotonic_us() - began >= AFTER_US)
            spool_leave_later(batch->sender, turn->row, turn->began);
        else if (spool_leave(batch->sender, batch->arena, turn->row, turn->owner, turn->began))
            continue;
        failed = turn->owner;
        turn->plan = SPOOL_PLAN_STAY;
        item->what = SPOOL_WRITE_DECIDED | (was_decided ? 0 : SPOOL_WRITE_STATE | SPOOL_WRITE_FATES);
    }
}

static void leave(struct batch *batch)
{
    mark_nothing(batch);
    ask_owners(batch);
    size_t removed = mark(batch, SPOOL_PLAN_LEAVE, SPOOL_WRITE_REMOVAL) + mark(batch, SPOOL_PLAN_DROP, SPOOL_WRITE_REMOVAL);
    size_t kept = 0;
    for (size_t i = 0; i < batch->count; i++)
        kept += batch->turns[i].plan == SPOOL_PLAN_STAY;
    if (removed + kept > 0 && write_surely(batch, &batch->writing) == 0 && removed > 0)
        crash_test_point("spool.removed");
}

void spool_batch(struct spool_sender *sender, const struct spool_picking *picking)
{
    struct batch batch = {.sender = sender, .arena = picking->arena, .now = picking->now, .count = picking->count};
    batch.began = clock_monotonic_us();
    batch.turns = ARENA_ARRAY(batch.arena, struct spool_turn, batch.count);
    batch.writing = (struct spool_writing){.claim = sender->spool->claim,
                                           .items = ARENA_ARRAY(batch.arena, struct spool_write, batch.count),
                                           .count = batch.count};
    for (size_t i = 0; i < batch.count; i++) {
        struct spool_turn *turn = &batch.turns[i];
        batch.writing.items[i].row = turn->row = picking->rows[i];
        turn->began = batch.began;
    }
    spool_plan_turns(sender, batch.arena, batch.turns, batch.count, batch.now);
    if (claim(&batch))
        send_all(&batch);
    else
        spool_sender_wait(sender, AGAIN_MS);
    leave(&batch);
}
