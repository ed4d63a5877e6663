/*
 * spool - the room's door, and the life of its threads: a keeper (spool_keeper.c), which starts the senders.
 */
#include "spool/spool_sender.h"
#include "util/clock.h"
#include "util/log.h"
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COMPLAIN_EVERY_US 60000000
#define TIMEOUT_DEFAULT 300000 /* ms */
#define CROWD_EACH 3           /* messages a processor */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* "" if it cannot be read: then what was claimed counts as sent with `once`, after a killed worker too. */
static const char *read_boot(struct arena *arena)
{
    char text[64] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file && !fgets(text, sizeof text, file))
        text[0] = '\0';
    if (file)
        fclose(file);
    text[strcspn(text, "\n")] = '\0';
    return arena_strdup(arena, text);
}

/* With so many messages the processors have something to do while some of them wait; with fewer, to wait for a shared
 * sync costs more than it saves (docs/adr/0009). */
static unsigned crowd_of_machine(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return (processors > 0 ? (unsigned)processors : 1) * CROWD_EACH;
}

struct spool *spool_open(const struct spool_options *options)
{
    pthread_once(&curl_once, start_curl);
    struct spool *spool = calloc(1, sizeof *spool);
    if (!spool)
        return NULL;
    struct arena *arena = spool->arena = arena_create(4096);
    spool->options = *options;
    if (spool->options.timeout <= 0)
        spool->options.timeout = TIMEOUT_DEFAULT; /* 0 would be no limit to libcurl */
    spool->options.directory = arena_strdup(arena, options->directory);
    spool->options.submit = arena_strdup(arena, options->submit);
    spool->options.hostname = arena_strdup(arena, options->hostname);
    spool->boot = read_boot(arena);
    spool->claim = spool->boot[0] ? spool->boot : "?";
    spool->crowd = crowd_of_machine();
    spool->db = spool_db_open(spool->options.directory);
    spool_bell_init(&spool->keeper);
    pthread_mutex_init(&spool->mutex, NULL);
    return spool;
}

uint64_t spool_failures(const struct spool *spool)
{
    return spool_db_failures(spool->db);
}

void spool_complain(struct spool *spool, const char *format, ...)
{
    pthread_mutex_lock(&spool->mutex);
    int64_t now = clock_monotonic_us();
    bool is_due = spool->complained_at == 0 || now - spool->complained_at >= COMPLAIN_EVERY_US;
    if (is_due)
        spool->complained_at = now;
    pthread_mutex_unlock(&spool->mutex);
    if (!is_due)
        return;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_text(LEVEL_ERROR, "spool: %s", text);
}

/* ---- the threads ---- */

void spool_bell_init(struct spool_bell *bell)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&bell->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    bell->has_rung = bell->is_deaf = false;
}

static void ring(struct spool_bell *bell, bool is_loud)
{
    bell->has_rung = true;
    if (is_loud || !bell->is_deaf)
        pthread_cond_signal(&bell->changed);
}

void spool_wake(struct spool *spool, const char *submit)
{
    struct spool_sender *sender;
    pthread_mutex_lock(&spool->mutex);
    for (sender = spool->senders; sender; sender = sender->next) {
        if (!sender->is_over && strcmp(sender->submit, submit ? submit : "") == 0)
            break;
    }
    ring(sender ? &sender->bell : &spool->keeper, false);
    pthread_mutex_unlock(&spool->mutex);
}

void spool_wake_all(struct spool *spool)
{
    pthread_mutex_lock(&spool->mutex);
    ring(&spool->keeper, true);
    for (struct spool_sender *sender = spool->senders; sender; sender = sender->next)
        ring(&sender->bell, true);
    pthread_mutex_unlock(&spool->mutex);
}

static struct timespec in_ms(int ms)
{
    int64_t until = clock_monotonic_us() + (int64_t)ms * 1000;
    return (struct timespec){until / 1000000, until % 1000000 * 1000};
}

void spool_gather(struct spool *spool, struct spool_bell *bell, int ms)
{
    struct timespec at = in_ms(ms);
    pthread_mutex_lock(&spool->mutex);
    bell->is_deaf = true;
    while (atomic_load(&spool->stopped_at) == 0 && pthread_cond_timedwait(&bell->changed, &spool->mutex, &at) == 0)
        ;
    bell->is_deaf = false;
    pthread_mutex_unlock(&spool->mutex);
}

bool spool_wait(struct spool *spool, struct spool_bell *bell, int ms)
{
    struct timespec at = in_ms(ms);
    pthread_mutex_lock(&spool->mutex);
    while (!bell->has_rung && pthread_cond_timedwait(&bell->changed, &spool->mutex, &at) == 0)
        ;
    bool has_rung = bell->has_rung;
    bell->has_rung = false;
    pthread_mutex_unlock(&spool->mutex);
    return has_rung;
}

static const struct spool_owner *copy_owners(struct arena *arena, const struct spool_owner *owners)
{
    size_t count = 0;
    while (owners && owners[count].kind)
        count++;
    struct spool_owner *copy = ARENA_ARRAY(arena, struct spool_owner, count + 1);
    for (size_t i = 0; i < count; i++) {
        copy[i] = owners[i];
        copy[i].kind = arena_strdup(arena, owners[i].kind);
    }
    return copy;
}

int spool_start(struct spool *spool, const struct spool_owner *owners)
{
    if (spool->has_thread)
        return EALREADY;
    spool->owners = copy_owners(spool->arena, owners);
    sigset_t all, before;
    sigfillset(&all); /* signals are for others, and a server that hangs up is an error like any other */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_store(&spool->is_sending, true);
    int error = pthread_create(&spool->thread, NULL, spool_keep, spool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    spool->has_thread = error == 0;
    if (error)
        atomic_store(&spool->is_sending, false);
    return error;
}

void spool_stop(struct spool *spool)
{
    int64_t never = 0;
    atomic_compare_exchange_strong(&spool->stopped_at, &never, clock_monotonic_us());
    spool_wake_all(spool);
}

bool spool_is_at_rest(struct spool *spool)
{
    if (atomic_load(&spool->is_sending))
        return false;
    if (spool->has_thread && atomic_load(&spool->stopped_at) != 0) {
        pthread_join(spool->thread, NULL);
        spool->has_thread = false;
    }
    return true;
}

void spool_close(struct spool *spool)
{
    if (!spool)
        return;
    spool_stop(spool);
    if (spool->has_thread)
        pthread_join(spool->thread, NULL);
    spool_db_close(spool->db);
    pthread_cond_destroy(&spool->keeper.changed);
    pthread_mutex_destroy(&spool->mutex);
    arena_destroy(spool->arena);
    free(spool);
}
