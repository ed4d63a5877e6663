/*
 * spool_plan - owners are asked together first (before_all()), for the entries that are new: nearly always all are
 * wanted, and one transaction of the owner's is a fraction of one for each. Whatever is unusual is asked for one by
 * one.
 */
#include "spool/spool_plan.h"
#include "spool/spool_attempt.h"
#include "spool/spool_leave.h"
#include "spool/spool_tell.h"
#include "util/clock.h"

struct planning {
    struct spool_sender *sender;
    struct spool_turn *turns;
    size_t count;
    int64_t now;
};

bool spool_is_paused(const struct spool_sender *sender, const struct spool_row *row)
{
    return row->next_attempt != SPOOL_NEXT_NOW && clock_monotonic_us() < sender->pause_until;
}

static enum spool_plan go_on(const struct planning *planning, const struct spool_row *row)
{
    return spool_is_paused(planning->sender, row) ? SPOOL_PLAN_MTA : SPOOL_PLAN_SEND;
}

static enum spool_plan wait_for_owner(const struct planning *planning, struct spool_row *row)
{
    row->last_reply = "waits for its owner";
    spool_put_off(planning->sender, row, planning->now);
    if (!spool_is_past_its_time(planning->sender, row, planning->now))
        return SPOOL_PLAN_OWNER;
    spool_row_turn(row, SPOOL_FATE_WAITING, SPOOL_FATE_GIVEN_UP);
    return SPOOL_PLAN_LEAVE;
}

static enum spool_plan plan_of(const struct planning *planning, struct spool_turn *turn)
{
    struct spool_sender *sender = planning->sender;
    struct spool_row *row = turn->row;
    for (const struct spool_owner *owner = sender->spool->owners; owner->kind; owner++) {
        if (strcmp(owner->kind, row->kind) == 0)
            turn->owner = owner;
    }
    if (row->decided)
        return SPOOL_PLAN_LEAVE;
    bool has_waited = row->attempts > 0 || row->last_reply; /* for itself, or for the MTA behind one that failed */
    if (row->next_attempt >= 0 && has_waited && spool_is_past_its_time(sender, row, planning->now) &&
        spool_is_paused(sender, row))
        spool_row_turn(row, SPOOL_FATE_WAITING, SPOOL_FATE_GIVEN_UP); /* no last try at an MTA that is down */
    if (spool_row_count(row, SPOOL_FATE_WAITING) == 0 || row->next_attempt < 0)
        return SPOOL_PLAN_LEAVE;
    return turn->owner && turn->owner->before ? SPOOL_PLAN_ASK : go_on(planning, row);
}

static void ask_together(const struct planning *planning, const struct spool_owner *owner, struct arena *arena)
{
    const char **memos = ARENA_ARRAY(arena, const char *, planning->count);
    struct spool_turn **asked = ARENA_ARRAY(arena, struct spool_turn *, planning->count);
    size_t n = 0;
    for (size_t i = 0; i < planning->count; i++) {
        struct spool_turn *turn = &planning->turns[i];
        if (turn->plan != SPOOL_PLAN_ASK || turn->owner != owner || turn->row->attempts > 0)
            continue;
        memos[n] = turn->row->memo;
        asked[n++] = turn;
    }
    if (n < 2 || !owner->before_all(owner->context, memos, n, planning->now))
        return;
    for (size_t i = 0; i < n; i++)
        asked[i]->plan = go_on(planning, asked[i]->row);
}

static enum spool_plan ask(const struct planning *planning, struct spool_turn *turn)
{
    struct spool_row *row = turn->row;
    bool later = false;
    bool is_wanted = turn->owner->before(turn->owner->context, row->memo, planning->now, &later);
    if (later)
        return wait_for_owner(planning, row);
    if (is_wanted)
        return go_on(planning, row);
    spool_tell_end(row, turn->began, SPOOL_DELETED, "not wanted any more by its owner");
    return SPOOL_PLAN_DROP;
}

/* What before() wrote, of those that are sent now. */
static void settle(const struct planning *planning, const struct spool_owner *owner)
{
    bool is_asked = false, is_settled = true;
    for (size_t i = 0; i < planning->count; i++) {
        struct spool_turn *turn = &planning->turns[i];
        if (turn->plan != SPOOL_PLAN_SEND || turn->owner != owner)
            continue;
        if (!is_asked)
            is_settled = owner->settle(owner->context);
        is_asked = true;
        if (!is_settled)
            turn->plan = wait_for_owner(planning, turn->row);
    }
}

void spool_plan_turns(struct spool_sender *sender, struct arena *arena, struct spool_turn *turns, size_t count,
                      int64_t now)
{
    struct planning planning = {sender, turns, count, now};
    const struct spool_owner *owners = sender->spool->owners;
    for (size_t i = 0; i < count; i++)
        turns[i].plan = plan_of(&planning, &turns[i]);
    for (const struct spool_owner *owner = owners; owner->kind; owner++) {
        if (owner->before_all)
            ask_together(&planning, owner, arena);
    }
    for (size_t i = 0; i < count; i++) {
        if (turns[i].plan == SPOOL_PLAN_ASK)
            turns[i].plan = ask(&planning, &turns[i]);
    }
    for (const struct spool_owner *owner = owners; owner->kind; owner++) {
        if (owner->settle)
            settle(&planning, owner);
    }
}
