/*
 * upkeep - once a minute, in steps of SWEEP_STEP rows with a pause between them, so that no step holds the store's lock
 * for long. Several workers and machines may do so at once; it only deletes what is over.
 */
#include "state/upkeep.h"
#include "util/clock.h"
#include <pthread.h>
#include <stdlib.h>

#define SWEEP_EVERY_S 60
#define SWEEP_STEP 500
#define SWEEP_PAUSE_US 20000

struct upkeep {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards is_stopped */
    pthread_cond_t wake;
    bool is_stopped;
};

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

static void *run(void *context)
{
    struct upkeep *upkeep = context;
    while (!wait_stopped(upkeep, (int64_t)SWEEP_EVERY_S * 1000000)) {
        while (store_sweep(upkeep->store, clock_wall(), SWEEP_STEP) >= SWEEP_STEP) {
            if (wait_stopped(upkeep, SWEEP_PAUSE_US))
                return NULL;
        }
    }
    return NULL;
}

int upkeep_start(struct store *store, struct upkeep **upkeep)
{
    struct upkeep *made = calloc(1, sizeof *made);
    pthread_condattr_t attributes;
    if (!made)
        abort();
    made->store = store;
    pthread_mutex_init(&made->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&made->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    int error = pthread_create(&made->thread, NULL, run, made);
    if (error)
        free(made);
    else
        *upkeep = made;
    return error;
}

void upkeep_stop(struct upkeep *upkeep)
{
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
}
