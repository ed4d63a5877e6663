/* One winner, and nothing half done: 16 threads of a process, and four processes with four threads each, all at
 * once. */
#include "fixture.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 16
#define PROCESSES 4
#define THREADS_OF_PROCESS 4
#define RACERS (THREADS + PROCESSES * THREADS_OF_PROCESS)
#define ROUNDS 200
#define INCREMENTS 20
#define TIMEOUT 60000

/* In memory that the processes share. */
static struct shared {
    pthread_barrier_t start;
    atomic_int winners[ROUNDS], losers[ROUNDS], down, strangers, lost;
    atomic_int winner[ROUNDS];
    atomic_int told[ROUNDS][RACERS];
} * shared;

struct racer {
    pthread_t thread;
    struct store *store;
    int number;
};

static void run_round(const struct racer *racer, int round)
{
    struct arena *arena = arena_create(1024);
    struct store_value there;
    char key[32], value[32];
    snprintf(key, sizeof key, "race/%d", round);
    snprintf(value, sizeof value, "%d", racer->number);
    pthread_barrier_wait(&shared->start);
    switch (store_put_if_absent(racer->store, arena, key, span_of(value), T + 100, T, &there)) {
    case STORE_OK:
        atomic_fetch_add(&shared->winners[round], 1);
        atomic_store(&shared->winner[round], racer->number);
        break;
    case STORE_PRESENT:
        atomic_fetch_add(&shared->losers[round], 1);
        atomic_store(&shared->told[round][racer->number], atoi(there.bytes.ptr) + 1);
        break;
    default:
        atomic_fetch_add(&shared->down, 1);
    }
    arena_destroy(arena);
}

/* A counter that everybody raises: a swap that is not atomic loses some. */
static void raise_counter(const struct racer *racer)
{
    for (int done = 0; done < INCREMENTS;) {
        struct arena *arena = arena_create(1024);
        struct store_value was = {.bytes = {NULL, 0}};
        enum store_outcome outcome = store_get(racer->store, arena, "counter", T, &was);
        int number = outcome == STORE_OK ? atoi(was.bytes.ptr) : 0;
        if (outcome != STORE_DOWN)
            outcome =
                store_swap(racer->store, "counter", was.bytes, span_of(arena_printf(arena, "%d", number + 1)), 0, T);
        done += outcome == STORE_OK;
        if (outcome == STORE_DOWN) {
            atomic_fetch_add(&shared->down, 1);
            done = INCREMENTS;
        }
        arena_destroy(arena);
    }
}

/* Two counters that everybody raises together, with a third row that is written whatever is there. */
static void raise_pair(const struct racer *racer)
{
    for (int done = 0; done < INCREMENTS;) {
        struct arena *arena = arena_create(1024);
        struct store_value left = {.bytes = {NULL, 0}}, right = {.bytes = {NULL, 0}};
        enum store_outcome outcome = store_get(racer->store, arena, "pair/left", T, &left);
        if (outcome != STORE_DOWN)
            outcome = store_get(racer->store, arena, "pair/right", T, &right);
        const char *next = arena_printf(arena, "%d", left.bytes.ptr ? atoi(left.bytes.ptr) + 1 : 1);
        const struct store_change changes[] = {
            {.key = "pair/left", .value = span_of(next), .is_conditional = true, .expected = left.bytes},
            {.key = "pair/who", .value = span_of("x")},
            {.key = "pair/right", .value = span_of(next), .is_conditional = true, .expected = right.bytes}};
        if (outcome != STORE_DOWN)
            outcome = store_apply(racer->store, changes, 3, T);
        done += outcome == STORE_OK;
        if (outcome == STORE_DOWN) {
            atomic_fetch_add(&shared->down, 1);
            done = INCREMENTS;
        }
        arena_destroy(arena);
    }
}

static void *race(void *context)
{
    const struct racer *racer = context;
    for (int round = 0; round < ROUNDS; round++)
        run_round(racer, round);
    pthread_barrier_wait(&shared->start);
    raise_counter(racer);
    raise_pair(racer);
    return NULL;
}

static void run_threads(struct store *store, int first, int count)
{
    struct racer racers[THREADS];
    for (int i = 0; i < count; i++) {
        racers[i] = (struct racer){.store = store, .number = first + i};
        if (pthread_create(&racers[i].thread, NULL, race, &racers[i]) != 0)
            abort();
    }
    for (int i = 0; i < count; i++)
        pthread_join(racers[i].thread, NULL);
}

static void race_on(const char *url)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    pthread_barrierattr_t attributes;
    pthread_barrierattr_init(&attributes);
    pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&shared->start, &attributes, RACERS);
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            alarm(300);
            struct store *store = open_store(url, TIMEOUT);
            run_threads(store, THREADS + i * THREADS_OF_PROCESS, THREADS_OF_PROCESS);
            store_close(store);
            _exit(0);
        }
    }
    struct store *store = open_store(url, TIMEOUT);
    run_threads(store, 0, THREADS);
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        waitpid(children[i], &status, 0);
        assert_int_equal(status, 0);
    }
    assert_int_equal(shared->down, 0);
    for (int round = 0; round < ROUNDS; round++) {
        assert_int_equal(shared->winners[round], 1);
        assert_int_equal(shared->losers[round], RACERS - 1);
        for (int i = 0; i < RACERS; i++)
            if (i != shared->winner[round])
                assert_int_equal(shared->told[round][i], shared->winner[round] + 1);
    }
    assert_string_equal(value_of(store, "counter"), text("%d", RACERS * INCREMENTS));
    assert_string_equal(value_of(store, "pair/left"), text("%d", RACERS * INCREMENTS));
    assert_string_equal(value_of(store, "pair/right"), text("%d", RACERS * INCREMENTS));
    store_close(store);
    munmap(shared, sizeof *shared);
}

static void test_sqlite(void **state)
{
    (void)state;
    race_on(text("sqlite:%s/store.db", fixture_path));
}

static void test_redis(void **state)
{
    (void)state;
    struct redis_server server = redis_start(fixture_path, NULL);
    race_on(text("redis+unix:%s", server.socket));
    redis_stop(&server, SIGTERM);
}

int main(void)
{
    alarm(600); /* a lock that nobody gives back must not hold up `make check` for ever */
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sqlite), cmocka_unit_test(test_redis)};
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
