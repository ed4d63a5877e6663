/*
 * spool_sender - a thread, in the one process that holds the lock, which takes the entries for one MTA there.
 *
 * An MTA that is down is asked for a pause and not once for every entry: a minute at most, so that mail flows soon
 * after it is back. Meanwhile the owners hear of new entries, for what they hold for them may run out. What each entry
 * waits for itself is doubled from retry_first to retry_most. Entries that are due
 * are looked for once a second, because other processes add, flush and delete.
 *
 * It ends when it is to stop, when the lock is lost, and when there was nothing for its MTA for a while: the keeper
 * starts another one when there is again. The sender for the usual MTA stays.
 */
#include "spool/spool_sender.h"
#include "spool/spool_batch.h"
#include "util/clock.h"

#define POLL_MS 1000
#define GATHER_MS 50     /* entries that come together are sent together, which makes each of them cheaper */
#define FLOW 8           /* of so many in a batch on more will come: to gather them for longer makes larger batches */
#define FLOW_MS 250
#define IDLE_US 30000000 /* until a sender for another than the usual MTA ends */

bool spool_sender_is_stopping(const struct spool_sender *sender)
{
    return atomic_load_explicit(&sender->spool->stopped_at, memory_order_relaxed) != 0;
}

bool spool_sender_wait(struct spool_sender *sender, int ms)
{
    return spool_wait(sender->spool, &sender->bell, ms);
}

int64_t spool_seconds(int64_t ms)
{
    return ms <= 0 ? 1 : (ms + 999) / 1000;
}

void spool_sender_hang_up(struct spool_sender *sender)
{
    spool_smtp_close(sender->smtp);
    sender->smtp = NULL;
    sender->carried = 0;
}

/* ---- the loop ---- */

static void rest(struct spool_sender *sender)
{
    if (!sender->idle_since)
        sender->idle_since = clock_monotonic_us();
    if (spool_sender_wait(sender, POLL_MS))
        spool_gather(sender->spool, &sender->bell, GATHER_MS);
    else if (sender->smtp)
        spool_sender_hang_up(sender); /* idle for a second */
}

static void work(struct spool_sender *sender)
{
    const struct spool_options *options = &sender->spool->options;
    int64_t now = clock_wall();
    struct spool_picking picking = {
        .arena = arena_create(16384),
        .submit = sender->submit,
        .now = now,
        .lifetime = spool_seconds(options->lifetime),
        .wait_most = spool_seconds(options->retry_most) + 1,
        .most = sender->spool->boot[0] ? SPOOL_BATCH_MOST : 1,
        .is_paused = clock_monotonic_us() < sender->pause_until,
        .since = sender->seen_until,
    };
    if (spool_db_read(sender->spool->db, spool_rows_pick, &picking) != SQLITE_OK) {
        spool_sender_wait(sender, POLL_MS);
    } else if (picking.count > 0) {
        sender->idle_since = 0;
        spool_batch(sender, &picking);
        if (picking.count < picking.most)
            spool_gather(sender->spool, &sender->bell, picking.count < FLOW ? GATHER_MS : FLOW_MS);
    } else {
        sender->seen_until = picking.is_paused ? now : 0;
        rest(sender);
    }
    arena_destroy(picking.arena);
}

static bool is_superfluous(struct spool_sender *sender)
{
    struct spool_picking picking = {.submit = sender->submit, .count = 1};
    if (!sender->submit[0] || !sender->idle_since || clock_monotonic_us() - sender->idle_since < IDLE_US)
        return false;
    sender->idle_since = 0; /* if there are entries, which wait for their time, it looks again in a while */
    return spool_db_read(sender->spool->db, spool_rows_any, &picking) == SQLITE_OK && picking.count == 0;
}

/* From then on spool_wake() turns to the keeper. False: something was added in this moment. */
static bool leave(struct spool_sender *sender, bool must)
{
    pthread_mutex_lock(&sender->spool->mutex);
    bool is_over = sender->is_over = must || !sender->bell.has_rung;
    pthread_mutex_unlock(&sender->spool->mutex);
    return is_over;
}

void *spool_send(void *context)
{
    struct spool_sender *sender = context;
    while (!spool_sender_is_stopping(sender) && spool_lock_is_good(sender->lock)) {
        if (is_superfluous(sender) && leave(sender, false))
            break;
        work(sender);
    }
    spool_sender_hang_up(sender);
    leave(sender, true);
    return NULL;
}
