/*
 * store_pool - a bit a thing under one mutex; waiters by the monotonic clock, because the wall clock may be set.
 *
 * The gate lets everybody through while all is well. Who fails closes it for a second. Then the first to come becomes
 * the probe, and only its success opens the gate for the others. A probe that fails makes it another second.
 */
#include "store/store_pool.h"
#include "util/clock.h"
#include <errno.h>
#include <stdio.h>
#include <time.h>

void store_pool_init(struct store_pool *pool, int count)
{
    *pool = (struct store_pool){.count = count < STORE_POOL_MOST ? count : STORE_POOL_MOST};
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->a_free_one, &attributes);
    pthread_condattr_destroy(&attributes);
}

void store_pool_destroy(struct store_pool *pool)
{
    pthread_cond_destroy(&pool->a_free_one);
    pthread_mutex_destroy(&pool->mutex);
}

static int take_free(struct store_pool *pool)
{
    for (int i = 0; i < pool->count; i++)
        if (!(pool->taken & UINT32_C(1) << i)) {
            pool->taken |= UINT32_C(1) << i;
            return i;
        }
    return -1;
}

int store_pool_take(struct store_pool *pool, int64_t deadline)
{
    struct timespec until = {deadline / 1000000, deadline % 1000000 * 1000};
    pthread_mutex_lock(&pool->mutex);
    int number;
    pool->waiting++;
    while ((number = take_free(pool)) < 0)
        if (pthread_cond_timedwait(&pool->a_free_one, &pool->mutex, &until) == ETIMEDOUT) {
            number = take_free(pool);
            break;
        }
    pool->waiting--;
    pthread_mutex_unlock(&pool->mutex);
    return number;
}

int store_pool_try(struct store_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    int number = pool->waiting == 0 ? take_free(pool) : -1;
    pthread_mutex_unlock(&pool->mutex);
    return number;
}

void store_pool_give(struct store_pool *pool, int number)
{
    pthread_mutex_lock(&pool->mutex);
    pool->taken &= ~(UINT32_C(1) << number);
    pthread_cond_signal(&pool->a_free_one);
    pthread_mutex_unlock(&pool->mutex);
}

void store_gate_init(struct store_gate *gate)
{
    *gate = (struct store_gate){.is_closed = false};
    pthread_mutex_init(&gate->mutex, NULL);
}

void store_gate_destroy(struct store_gate *gate)
{
    pthread_mutex_destroy(&gate->mutex);
}

bool store_gate_enter(struct store_gate *gate, char *why, size_t size)
{
    pthread_mutex_lock(&gate->mutex);
    bool may = !gate->is_closed || (!gate->is_probed && clock_monotonic_us() >= gate->retry_at);
    if (!may)
        snprintf(why, size, "%s", gate->why);
    else if (gate->is_closed)
        gate->is_probed = true;
    pthread_mutex_unlock(&gate->mutex);
    return may;
}

void store_gate_report(struct store_gate *gate, bool succeeded, const char *why)
{
    pthread_mutex_lock(&gate->mutex);
    gate->is_probed = false;
    gate->is_closed = !succeeded;
    if (!succeeded) {
        gate->retry_at = clock_monotonic_us() + STORE_RETRY_US;
        snprintf(gate->why, sizeof gate->why, "%s", why);
    }
    pthread_mutex_unlock(&gate->mutex);
}
