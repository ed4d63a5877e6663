/*
 * answer_spooled - what becomes of the memory of a reply that waits in the spool.
 *
 * A reservation is short, and the spool may have been stuck for days: by then another message of the sender may have
 * been answered. So what is confirmed, before each attempt, is the token of the answer, which makes that safe to repeat
 * and keeps an entry that comes late from sending a second reply or forgetting somebody else's. One that leaves when
 * its days are over already is remembered from now on, or the next message would be answered right behind it.
 */
#include "autoreply/answer.h"
#include "autoreply/memory.h"
#include "util/crash.h"
#include "util/log.h"
#include <inttypes.h>
#include <stdlib.h>

#define SWAP_ATTEMPTS 5

const char *answer_memo(struct arena *arena, const char *key, const char *token, int64_t at, int64_t days)
{
    return arena_printf(arena, "%s\t%s\t%" PRId64 "\t%" PRId64, key, token, at, days);
}

struct memo {
    const char *key;
    struct memory_mark mark; /* confirmed */
    int64_t until, days;
};

/* TEXT is what answer_memo() wrote; cut in place. */
static int read_memo(char *text, struct memo *memo)
{
    char *rest = NULL;
    const char *fields[4] = {strtok_r(text, "\t", &rest)};
    for (size_t i = 1; i < 4 && fields[i - 1]; i++)
        fields[i] = strtok_r(NULL, "\t", &rest);
    if (!fields[3])
        return -1;
    memo->key = fields[0];
    memo->mark = (struct memory_mark){fields[1], false, strtoll(fields[2], NULL, 10)};
    memo->days = strtoll(fields[3], NULL, 10);
    memo->until = memory_until(memo->mark.at, memo->days);
    return 0;
}

/* What is to be written where the row is still reserved, as it nearly always is. */
static struct store_change confirmation(struct arena *arena, const struct memo *memo, int64_t now)
{
    struct memory_mark reserved = memo->mark;
    reserved.is_reserved = true;
    return (struct store_change){.key = memo->key,
                                 .value = span_of(memory_mark_print(arena, &memo->mark)),
                                 .expires = memo->until > now ? memo->until : memory_until(now, memo->days),
                                 .is_conditional = true,
                                 .expected = span_of(memory_mark_print(arena, &reserved))};
}

/* The row of MEMO's key, made the confirmed one if it is its own or nobody's. STORE_PRESENT: it is somebody else's. If
 * it changes while we look (another machine confirms it) we look again. */
static enum store_outcome confirm(struct store *store, struct arena *arena, const struct memo *memo, int64_t now)
{
    struct store_value there;
    struct memory_mark mark;
    const struct store_change usual = confirmation(arena, memo, now);
    struct span confirmed = usual.value;
    int64_t until = usual.expires;
    enum store_outcome outcome = store_swap(store, memo->key, usual.expected, confirmed, until, now);
    for (int attempt = 0; attempt < SWAP_ATTEMPTS && outcome == STORE_PRESENT; attempt++) {
        outcome = store_put_if_absent(store, arena, memo->key, confirmed, until, now, &there);
        if (outcome != STORE_PRESENT)
            return outcome;
        if (memory_mark_parse(arena, there.bytes, &mark) != 0 || strcmp(mark.token, memo->mark.token) != 0)
            return STORE_PRESENT;
        outcome = mark.is_reserved ? store_swap(store, memo->key, there.bytes, confirmed, until, now) : STORE_OK;
    }
    return outcome == STORE_PRESENT ? STORE_DOWN : outcome;
}

bool answer_before(void *context, const char *text, int64_t now, bool *later)
{
    struct responding *responding = context;
    struct arena *arena = arena_create(1024);
    struct memo memo;
    enum store_outcome outcome = STORE_PRESENT;
    if (read_memo(arena_strdup(arena, text ? text : ""), &memo) == 0)
        outcome = confirm(responding->store, arena, &memo, now);
    *later = outcome == STORE_DOWN;
    arena_destroy(arena);
    return outcome != STORE_PRESENT;
}

/* As confirm() does it where it finds what it nearly always finds, in one transaction for all of them. */
bool answer_before_all(void *context, const char *const *memos, size_t count, int64_t now)
{
    struct responding *responding = context;
    struct arena *arena = arena_create(8192);
    struct store_change *changes = ARENA_ARRAY(arena, struct store_change, count);
    bool is_good = true;
    for (size_t i = 0; i < count && is_good; i++) {
        struct memo memo;
        is_good = memos[i] && read_memo(arena_strdup(arena, memos[i]), &memo) == 0;
        if (is_good)
            changes[i] = confirmation(arena, &memo, now);
    }
    is_good = is_good && store_apply(responding->store, changes, count, now) == STORE_OK;
    arena_destroy(arena);
    return is_good;
}

/* A reply that left and is forgotten by a power failure would be sent again. */
bool answer_settle(void *context)
{
    struct responding *responding = context;
    bool is_durable = store_sync(responding->store) == STORE_OK;
    if (is_durable)
        crash_test_point("autoreply.confirmed");
    return is_durable;
}

/* The row of MEMO's key goes if it is its own. False: the store cannot say, or it changes all the time. */
static bool release(struct store *store, struct arena *arena, const struct memo *memo, int64_t now)
{
    struct store_value there;
    struct memory_mark mark;
    enum store_outcome outcome = STORE_PRESENT;
    for (int attempt = 0; attempt < SWAP_ATTEMPTS && outcome == STORE_PRESENT; attempt++) {
        outcome = store_get(store, arena, memo->key, now, &there);
        if (outcome != STORE_OK)
            return outcome == STORE_ABSENT;
        if (memory_mark_parse(arena, there.bytes, &mark) != 0 || strcmp(mark.token, memo->mark.token) != 0)
            return true;
        outcome = store_swap(store, memo->key, there.bytes, (struct span){NULL, 0}, 0, now);
    }
    return outcome == STORE_OK;
}

static void tell_kept(struct arena *arena, const struct spool_left *left, const struct memo *memo)
{
    const char *sender = "its sender", *fingerprint;
    memory_key_parse(arena, memo->key, &sender, &fingerprint);
    log_text(LEVEL_WARNING,
             "spool %lld: the reply to %s was not sent, and the store cannot be told: he counts as answered until his "
             "days are over",
             (long long)left->id, sender);
}

bool answer_after(void *context, const struct spool_left *left)
{
    struct responding *responding = context;
    struct arena *arena = arena_create(1024);
    struct memo memo;
    bool is_done = left->end == SPOOL_SENT || left->end == SPOOL_UNKNOWN ||
                   read_memo(arena_strdup(arena, left->memo ? left->memo : ""), &memo) != 0 ||
                   release(responding->store, arena, &memo, left->now);
    if (!is_done && left->is_last)
        tell_kept(arena, left, &memo);
    arena_destroy(arena);
    return is_done;
}
