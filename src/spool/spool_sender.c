/*
 * spool_sender - the one thread, in the one process that holds the lock, which takes entries to the MTA.
 *
 * An MTA that is down is asked for a pause and not once for every entry: a minute at most, so that mail flows soon
 * after it is back. Meanwhile the owners hear of new entries, for what they hold for them may run out. What each entry
 * waits for itself is doubled from retry_first to retry_most. Entries that are due
 * are looked for once a second, because other processes add, flush and delete.
 */
#include "spool/spool_sender.h"
#include "spool/spool_rows.h"
#include "util/clock.h"
#include <errno.h>

#define POLL_MS 1000
#define LOCK_POLL_MS 250

bool spool_sender_is_stopping(const struct spool_sender *sender)
{
    return atomic_load_explicit(&sender->spool->stopped_at, memory_order_relaxed) != 0;
}

bool spool_sender_wait(struct spool_sender *sender, int ms)
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

/* Is the queue ours? */
static bool hold_queue(struct spool_sender *sender)
{
    if (sender->lock.fd >= 0 && !spool_lock_is_good(&sender->lock)) {
        spool_sender_hang_up(sender);
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

static void work(struct spool_sender *sender)
{
    const struct spool_options *options = &sender->spool->options;
    int64_t now = clock_wall();
    struct spool_picking picking = {
        .now = now,
        .lifetime = spool_seconds(options->lifetime),
        .wait_most = spool_seconds(options->retry_most) + 1,
        .is_paused = clock_monotonic_us() < sender->pause_until,
    };
    if (spool_db_read(sender->spool->db, spool_rows_pick, &picking) != SQLITE_OK)
        spool_sender_wait(sender, POLL_MS);
    else if (picking.id)
        spool_attempt(sender, picking.id, now);
    else if (!spool_sender_wait(sender, POLL_MS) && sender->smtp)
        spool_sender_hang_up(sender); /* idle for a second */
}

void *spool_sender(void *context)
{
    struct spool *spool = context;
    struct spool_sender sender = {.spool = spool, .lock = {spool->options.directory, -1}};
    while (!spool_sender_is_stopping(&sender)) {
        if (hold_queue(&sender))
            work(&sender);
        else
            spool_sender_wait(&sender, LOCK_POLL_MS);
    }
    spool_sender_hang_up(&sender);
    spool_lock_drop(&sender.lock);
    atomic_store(&spool->is_sending, false);
    return NULL;
}
