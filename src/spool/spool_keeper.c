/*
 * spool_keeper - the thread that waits for the lock, clears up behind the worker that had it before, and starts a
 * sender for each MTA that there are entries for.
 *
 * While one sender lives nobody else decides what was in doubt: a lock that is lost (somebody deleted its file) is
 * taken again only when all senders have ended.
 */
#include "spool/spool_rows.h"
#include "spool/spool_sender.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define POLL_MS 1000
#define LOCK_POLL_MS 250
#define SENDERS_MOST (SPOOL_DOTS_MOST / SPOOL_DOTS_EACH) /* at a time; more MTAs than that wait for one another */

struct keeper {
    struct spool *spool;
    struct spool_lock lock;
    int dots;          /* spool.dots; -1: not open */
    bool is_recovered; /* since the lock was taken */
};

static bool is_stopping(const struct keeper *keeper)
{
    return atomic_load_explicit(&keeper->spool->stopped_at, memory_order_relaxed) != 0;
}

/* ---- the senders ---- */

static void destroy(struct spool_sender *sender)
{
    pthread_cond_destroy(&sender->bell.changed);
    arena_destroy(sender->arena);
    free(sender);
}

/* Those that have ended, or with ALL every one. */
static void join_senders(struct spool *spool, bool all)
{
    pthread_mutex_lock(&spool->mutex);
    for (struct spool_sender **at = &spool->senders; *at;) {
        struct spool_sender *sender = *at;
        if (!all && !sender->is_over) {
            at = &sender->next;
            continue;
        }
        pthread_mutex_unlock(&spool->mutex); /* only this thread changes the list */
        pthread_join(sender->thread, NULL);
        pthread_mutex_lock(&spool->mutex);
        *at = sender->next;
        destroy(sender);
    }
    pthread_mutex_unlock(&spool->mutex);
}

/* Slots that no sender has. */
static size_t find_dots(const struct spool *spool)
{
    size_t first = 0;
    for (const struct spool_sender *sender = spool->senders; sender;) {
        bool is_taken = sender->first_dot == first;
        first += is_taken ? SPOOL_DOTS_EACH : 0;
        sender = is_taken ? spool->senders : sender->next;
    }
    return first;
}

static void start_sender(struct keeper *keeper, const char *submit)
{
    struct spool *spool = keeper->spool;
    struct spool_sender *sender = calloc(1, sizeof *sender);
    if (!sender)
        abort();
    sender->spool = spool;
    sender->lock = &keeper->lock;
    sender->dots = keeper->dots;
    sender->first_dot = find_dots(spool);
    sender->arena = arena_create(1024);
    sender->submit = arena_strdup(sender->arena, submit);
    sender->endpoint_problem = spool_url_parse(sender->arena, submit[0] ? sender->submit : spool->options.submit,
                                               spool->options.hostname, &sender->endpoint);
    spool_bell_init(&sender->bell);
    int error = pthread_create(&sender->thread, NULL, spool_send, sender);
    if (error) {
        spool_complain(spool, "a thread for %s cannot be started: %s", submit, strerror(error));
        destroy(sender);
        return;
    }
    pthread_mutex_lock(&spool->mutex);
    sender->next = spool->senders;
    spool->senders = sender;
    pthread_mutex_unlock(&spool->mutex);
}

/* How many there are in all; *FOUND if one is for SUBMIT. */
static size_t count_senders(struct spool *spool, const char *submit, bool *found)
{
    size_t count = 0;
    *found = false;
    for (const struct spool_sender *sender = spool->senders; sender; sender = sender->next, count++)
        *found |= strcmp(sender->submit, submit) == 0;
    return count;
}

static void start_senders(struct keeper *keeper)
{
    bool found;
    struct spool_submits submits = {.arena = arena_create(1024), .most = SENDERS_MOST * 4};
    if (spool_db_read(keeper->spool->db, spool_rows_submits, &submits) == SQLITE_OK) {
        for (size_t i = 0; i < submits.count; i++) {
            if (count_senders(keeper->spool, submits.items[i], &found) < SENDERS_MOST && !found)
                start_sender(keeper, submits.items[i]);
        }
    }
    arena_destroy(submits.arena);
}

/* ---- the loop ---- */

/* Decides what a worker left open that had the lock before us. */
static bool recover(struct keeper *keeper)
{
    struct spool *spool = keeper->spool;
    struct spool_dot left[SPOOL_DOTS_MOST];
    struct spool_recovery recovery = {.boot = spool->boot, .dots = left};
    if (keeper->dots < 0)
        keeper->dots = spool_dots_open(spool->options.directory);
    if (keeper->dots < 0 || spool_dots_read(keeper->dots, left, &recovery.dot_count) != 0) {
        spool_complain(spool, "%s/spool.dots: %s", spool->options.directory, strerror(errno));
        return false;
    }
    if (spool_db_write(spool->db, spool_rows_recover, &recovery, SPOOL_DB_DURABLE) != SQLITE_OK)
        return false;
    return recovery.dot_count == 0 || ftruncate(keeper->dots, 0) == 0;
}

static void let_go(struct keeper *keeper)
{
    join_senders(keeper->spool, true);
    if (keeper->dots >= 0)
        close(keeper->dots);
    keeper->dots = -1;
    spool_lock_drop(&keeper->lock);
}

/* Is the queue ours? */
static bool hold_queue(struct keeper *keeper)
{
    if (keeper->lock.fd >= 0 && !spool_lock_is_good(&keeper->lock))
        let_go(keeper);
    if (keeper->lock.fd < 0) {
        keeper->is_recovered = false;
        int error = spool_lock_take(&keeper->lock);
        if (error && error != EWOULDBLOCK)
            spool_complain(keeper->spool, "%s/spool.lock: %s", keeper->lock.directory, strerror(error));
        if (error)
            return false;
    }
    if (!keeper->is_recovered)
        keeper->is_recovered = recover(keeper);
    return keeper->is_recovered;
}

void *spool_keep(void *context)
{
    struct spool *spool = context;
    struct keeper keeper = {.spool = spool, .lock = {.directory = spool->options.directory, .fd = -1}, .dots = -1};
    while (!is_stopping(&keeper)) {
        bool is_ours = hold_queue(&keeper);
        join_senders(spool, false);
        if (is_ours)
            start_senders(&keeper);
        spool_wait(spool, &spool->keeper, is_ours ? POLL_MS : LOCK_POLL_MS);
    }
    let_go(&keeper);
    atomic_store(&spool->is_sending, false);
    return NULL;
}
