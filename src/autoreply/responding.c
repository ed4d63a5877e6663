/*
 * responding - opens the services that replies stand on, and keeps the store small.
 *
 * The upkeep thread sweeps the store once a minute in steps of SWEEP_STEP rows with a pause between them, so that no
 * step holds the store's lock for long. Several workers and machines may do so at once; it only deletes what is over.
 */
#include "autoreply/responding.h"
#include "autoreply/answer.h"
#include "util/clock.h"
#include <pthread.h>
#include <stdlib.h>

#define SWEEP_EVERY_S 60
#define SWEEP_STEP 500
#define SWEEP_PAUSE_US 20000

struct upkeep {
    pthread_t thread;
    pthread_mutex_t mutex; /* guards is_stopped */
    pthread_cond_t wake;
    bool is_stopped;
};

struct spool_options responding_spool_options(const struct settings *settings)
{
    const struct spool_settings *spool = settings->spool;
    return (struct spool_options){.directory = settings->general->state_directory,
                                  .submit = spool->submit,
                                  .hostname = settings->hostname,
                                  .max_messages = (uint64_t)spool->max_messages,
                                  .max_bytes = spool->max_bytes,
                                  .lifetime = spool->lifetime,
                                  .retry_first = spool->retry_first,
                                  .retry_most = spool->retry_most,
                                  .timeout = spool->timeout};
}

static struct aliases *open_aliases(const struct settings *settings, struct conf_problems *problems)
{
    const struct aliases_options options = {.tables = settings->aliases->tables,
                                            .alias_domains = settings->aliases->domains,
                                            .recipient_delimiter = settings->aliases->recipient_delimiter,
                                            .local_domain = settings->hostname,
                                            .local_domains = settings->general->local_domains};
    return aliases_open(&options, problems);
}

static struct store *open_store(struct arena *arena, const struct settings *settings, const char *path,
                                struct conf_problems *problems)
{
    const struct redis_settings *redis = settings->redis;
    const struct store_options options = {settings->general->store, redis->prefix, redis->password_file,
                                          redis->ca_file, redis->timeout};
    const char *problem = NULL;
    struct store *store = store_open(&options, arena, &problem);
    if (!store) {
        problems->count++;
        problems->report(problems->context, arena_printf(arena, "%s: store: %s", path, problem));
    }
    return store;
}

struct responding *responding_open(const struct settings *settings, const char *path, struct conf_problems *problems)
{
    struct arena *arena = arena_create(4096);
    struct responding *responding = ARENA_NEW(arena, struct responding);
    const struct spool_options spool = responding_spool_options(settings);
    responding->arena = arena;
    responding->settings = settings;
    responding->caps = caps_create();
    responding->store = open_store(arena, settings, path, problems);
    responding->aliases = open_aliases(settings, problems);
    responding->spool = spool_open(&spool);
    if (responding->store && responding->aliases && responding->spool)
        return responding;
    responding_close(responding);
    return NULL;
}

/* ---- upkeep ---- */

/* Waits; true once it is time to end. */
static bool wait_stopped(struct upkeep *upkeep, int64_t us)
{
    struct timespec until;
    int64_t at = clock_monotonic_us() + us;
    until.tv_sec = at / 1000000;
    until.tv_nsec = at % 1000000 * 1000;
    pthread_mutex_lock(&upkeep->mutex);
    while (!upkeep->is_stopped && pthread_cond_timedwait(&upkeep->wake, &upkeep->mutex, &until) == 0)
        ;
    bool is_stopped = upkeep->is_stopped;
    pthread_mutex_unlock(&upkeep->mutex);
    return is_stopped;
}

static void *run_upkeep(void *context)
{
    struct responding *responding = context;
    struct upkeep *upkeep = responding->upkeep;
    while (!wait_stopped(upkeep, (int64_t)SWEEP_EVERY_S * 1000000)) {
        while (store_sweep(responding->store, clock_wall(), SWEEP_STEP) >= SWEEP_STEP) {
            if (wait_stopped(upkeep, SWEEP_PAUSE_US))
                return NULL;
        }
    }
    return NULL;
}

static int start_upkeep(struct responding *responding)
{
    struct upkeep *upkeep = calloc(1, sizeof *upkeep);
    pthread_condattr_t attributes;
    if (!upkeep)
        abort();
    pthread_mutex_init(&upkeep->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&upkeep->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    responding->upkeep = upkeep;
    int error = pthread_create(&upkeep->thread, NULL, run_upkeep, responding);
    if (error) {
        responding->upkeep = NULL;
        free(upkeep);
    }
    return error;
}

static void stop_upkeep(struct responding *responding)
{
    struct upkeep *upkeep = responding->upkeep;
    if (!upkeep)
        return;
    pthread_mutex_lock(&upkeep->mutex);
    upkeep->is_stopped = true;
    pthread_cond_signal(&upkeep->wake);
    pthread_mutex_unlock(&upkeep->mutex);
    pthread_join(upkeep->thread, NULL);
    pthread_cond_destroy(&upkeep->wake);
    pthread_mutex_destroy(&upkeep->mutex);
    free(upkeep);
    responding->upkeep = NULL;
}

int responding_start(struct responding *responding)
{
    const struct spool_owner owners[] = {{ANSWER_KIND, answer_before, answer_after, responding, answer_settle},
                                         {NULL, NULL, NULL, NULL, NULL}};
    int error = spool_start(responding->spool, owners);
    return error ? error : start_upkeep(responding);
}

void responding_drain(struct responding *responding)
{
    if (responding) {
        spool_stop(responding->spool);
        stop_upkeep(responding);
    }
}

bool responding_is_drained(const struct responding *responding)
{
    return !responding || spool_is_at_rest(responding->spool);
}

void responding_close(struct responding *responding)
{
    if (!responding)
        return;
    stop_upkeep(responding);
    if (responding->spool)
        spool_close(responding->spool);
    if (responding->aliases)
        aliases_close(responding->aliases);
    if (responding->store)
        store_close(responding->store);
    caps_destroy(responding->caps);
    arena_destroy(responding->arena);
}
