/*
 * store_pool - a few things of which each thread may have one for a moment, and the gate before what is broken.
 *
 * OWNS: two pthread objects each. THREADS: any.
 */
#ifndef POSTERN_STORE_STORE_POOL_H
#define POSTERN_STORE_STORE_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define STORE_POOL_MOST 32

struct store_pool {
    pthread_mutex_t mutex; /* guards `taken` and `waiting` */
    pthread_cond_t a_free_one;
    uint32_t taken;
    int count, waiting;
};

void store_pool_init(struct store_pool *pool, int count); /* at most STORE_POOL_MOST */
void store_pool_destroy(struct store_pool *pool);

/* The lowest free number, so that a quiet store works on one warm connection; -1 if none was free until DEADLINE (us of
 * clock_monotonic_us()). */
int store_pool_take(struct store_pool *pool, int64_t deadline);
int store_pool_try(struct store_pool *pool); /* the same without waiting, and behind all who wait */
void store_pool_give(struct store_pool *pool, int number);

#define STORE_RETRY_US INT64_C(1000000)

/* After a failure one caller a second may try again; the others are turned away at once. */
struct store_gate {
    pthread_mutex_t mutex; /* guards the rest */
    bool is_closed, is_probed;
    int64_t retry_at;
    char why[300]; /* why it is closed */
};

void store_gate_init(struct store_gate *gate);
void store_gate_destroy(struct store_gate *gate);

/* True: go on, and tell store_gate_report() how it went. False: WHY is filled with the last failure's reason. */
bool store_gate_enter(struct store_gate *gate, char *why, size_t size);
void store_gate_report(struct store_gate *gate, bool succeeded, const char *why);

#endif
