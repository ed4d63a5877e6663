/*
 * store_bench - what the store does a second, at 1,000 and at 1,000,000 remembered senders.
 *
 *     store_bench [-n ROUNDS] [-q] URL...
 *
 * For each URL, which must be an empty store, and each number of rows: reservations (store_put_if_absent of a sender
 * who is not there, in random order) and look-ups (store_get of one who is), by one thread and by eight. Each line has
 * the median of all rounds and, in brackets, the least and the most. The last line is what a look-up takes at the most
 * rows against what it takes at the least; both are taken in the same round's manner, so that it should be about 1.
 *
 * Keys and values have the form and the length of those of the auto-replies.
 */
#include "store/store.h"
#include "util/clock.h"
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NOW INT64_C(1800000000)
#define WEEK (7 * 86400)
#define MANY_THREADS 8
#define BATCH 2000
#define ROUNDS_MOST 99

static struct store *store;
static int64_t operations = 20000; /* of a round */

/* A sender's key: NUMBER is stirred, so that neighbours in time are none in the order of keys. */
static const char *make_key(char key[160], uint64_t number)
{
    uint64_t stirred = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    stirred ^= stirred >> 29;
    snprintf(key, 160, "seen/user@example.net/1/%016" PRIx64 "@sender%04" PRIu64 ".example/%032" PRIx64, stirred,
             number % 5000, stirred * 3);
    return key;
}

static const char value[] = "r 0123456789abcdef0123456789abcdef 1800000000";

static void die(const char *what)
{
    fprintf(stderr, "store_bench: %s\n", what);
    exit(1);
}

static void fill(uint64_t from, uint64_t to)
{
    static char keys[BATCH][160];
    static struct store_change changes[BATCH];
    while (from < to) {
        size_t count = 0;
        for (; count < BATCH && from < to; count++, from++)
            changes[count] = (struct store_change){make_key(keys[count], from), span_of(value), NOW + WEEK};
        if (store_apply(store, changes, count, NOW) != STORE_OK)
            die("the store does not take the rows");
    }
}

struct worker {
    pthread_t thread;
    bool reserves;
    uint64_t first, count, rows;
    uint64_t random;
};

static void *work(void *context)
{
    struct worker *worker = context;
    for (uint64_t i = 0; i < worker->count; i++) {
        char key[160];
        struct store_value there;
        struct arena *arena = arena_create(512);
        enum store_outcome outcome;
        if (worker->reserves) {
            outcome = store_put_if_absent(store, arena, make_key(key, worker->first + i), span_of(value), NOW + WEEK,
                                          NOW, &there);
        } else {
            worker->random = worker->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            outcome = store_get(store, arena, make_key(key, (worker->random >> 20) % worker->rows), NOW, &there);
        }
        if (outcome != STORE_OK)
            die("a call was not answered as it should be");
        arena_destroy(arena);
    }
    return NULL;
}

/* Operations a second. */
static double run(bool reserves, int threads, uint64_t *next, uint64_t rows, int round)
{
    struct worker workers[MANY_THREADS];
    uint64_t each = (uint64_t)operations / (uint64_t)threads;
    int64_t start = clock_monotonic_us();
    for (int i = 0; i < threads; i++) {
        workers[i] = (struct worker){
            .reserves = reserves, .first = *next, .count = each, .rows = rows, .random = (uint64_t)(round * 100 + i)};
        *next += reserves ? each : 0;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            die("no thread");
    }
    for (int i = 0; i < threads; i++)
        pthread_join(workers[i].thread, NULL);
    return (double)each * threads * 1e6 / (double)(clock_monotonic_us() - start);
}

/* So that the next round finds as many rows again. */
static void forget(uint64_t from, uint64_t to)
{
    static char keys[BATCH][160];
    static struct store_change changes[BATCH];
    while (from < to) {
        size_t count = 0;
        for (; count < BATCH && from < to; count++, from++)
            changes[count] = (struct store_change){.key = make_key(keys[count], from)};
        if (store_apply(store, changes, count, NOW) != STORE_OK)
            die("the store does not forget");
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double print_rates(const char *url, uint64_t rows, const char *what, int threads, double *rates, int rounds)
{
    qsort(rates, (size_t)rounds, sizeof *rates, compare);
    double median = rounds % 2 ? rates[rounds / 2] : (rates[rounds / 2 - 1] + rates[rounds / 2]) / 2;
    printf("%.12s %8" PRIu64 " rows  %-12s %d thread%s %9.0f/s (%.0f-%.0f)\n", url, rows, what, threads,
           threads == 1 ? ": " : "s:", median, rates[0], rates[rounds - 1]);
    fflush(stdout);
    return median;
}

/* The median of look-ups by one thread. */
static double measure(const char *url, uint64_t rows, int rounds)
{
    static const int threads[] = {1, MANY_THREADS};
    double median = 0, rates[2][2][ROUNDS_MOST];
    uint64_t next = UINT64_C(1) << 40, none = 0;
    run(false, 1, &none, rows, 1000); /* warm up */
    for (int round = 0; round < rounds; round++)
        for (int t = 0; t < 2; t++) {
            uint64_t first = next;
            rates[1][t][round] = run(false, threads[t], &none, rows, round);
            rates[0][t][round] = run(true, threads[t], &next, rows, round);
            forget(first, next);
        }
    for (int t = 0; t < 2; t++)
        print_rates(url, rows, "reservations", threads[t], rates[0][t], rounds);
    for (int t = 1; t >= 0; t--)
        median = print_rates(url, rows, "look-ups", threads[t], rates[1][t], rounds);
    return median;
}

static void measure_store(const char *url, int rounds, bool quick)
{
    uint64_t few = 1000, many = quick ? 100000 : 1000000;
    const char *problem;
    struct arena *arena = arena_create(1024);
    struct store_options options = {.url = url, .prefix = "bench:", .timeout = 60000};
    store = store_open(&options, arena, &problem);
    if (!store)
        die(problem);
    fill(0, few);
    double at_few = measure(url, few, rounds);
    fill(few, many);
    double at_many = measure(url, many, rounds);
    printf("%.12s a look-up at %" PRIu64 " rows takes %.2f times as long as at %" PRIu64 "\n", url, many,
           at_few / at_many, few);
    store_close(store);
    arena_destroy(arena);
}

int main(int argc, char **argv)
{
    int rounds = 7, option;
    bool quick = false;
    while ((option = getopt(argc, argv, "n:q")) != -1) {
        if (option == 'n')
            rounds = atoi(optarg);
        else if (option == 'q')
            quick = true;
        else
            return 2;
    }
    if (rounds < 1 || rounds > ROUNDS_MOST || optind == argc)
        die("usage: store_bench [-n ROUNDS] [-q] URL...");
    for (int i = optind; i < argc; i++)
        measure_store(argv[i], rounds, quick);
    return 0;
}
