/*
 * store_bench - what the store does a second, at 1,000 and at 1,000,000 remembered senders.
 *
 *     store_bench [-n ROUNDS] [-q] FEW MANY [FEW MANY]...
 *     store_bench -f ROWS URL
 *
 * The second form only fills a store, for a daemon that has it. The first:
 * FEW and MANY are URLs of empty stores of one kind; they get 1,000 and 1,000,000 rows (-q: 100,000). Measured are
 * reservations (as a reply makes them: store_get of a sender who is not there, and store_swap) and look-ups (store_get of
 * one who is), in random order, by one thread and by eight, in each round on both stores one after the other, so that what slows the machine for
 * a while slows both. Each line has the median of all rounds and, in brackets, the least and the most. The last line is
 * what a look-up by one thread takes at many rows against what it takes at few.
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

static void fill(struct store *store, uint64_t from, uint64_t to)
{
    static char keys[BATCH][160];
    static struct store_change changes[BATCH];
    while (from < to) {
        size_t count = 0;
        for (; count < BATCH && from < to; count++, from++)
            changes[count] = (struct store_change){
                .key = make_key(keys[count], from), .value = span_of(value), .expires = NOW + WEEK};
        if (store_apply(store, changes, count, NOW) != STORE_OK)
            die("the store does not take the rows");
    }
}

struct worker {
    pthread_t thread;
    struct store *store;
    bool reserves;
    uint64_t first, count, rows;
    uint64_t random;
};

/* As autoreply/answer.c does. */
static bool reserve(struct store *store, struct arena *arena, const char *key)
{
    struct store_value there;
    return store_get(store, arena, key, NOW, &there) == STORE_ABSENT &&
           store_swap(store, key, (struct span){NULL, 0}, span_of(value), NOW + WEEK, NOW) == STORE_OK;
}

static bool look_up(struct worker *worker, struct arena *arena)
{
    char key[160];
    struct store_value there;
    worker->random = worker->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return store_get(worker->store, arena, make_key(key, (worker->random >> 20) % worker->rows), NOW, &there) ==
           STORE_OK;
}

static void *work(void *context)
{
    struct worker *worker = context;
    for (uint64_t i = 0; i < worker->count; i++) {
        char key[160];
        struct arena *arena = arena_create(512);
        if (worker->reserves ? !reserve(worker->store, arena, make_key(key, worker->first + i))
                             : !look_up(worker, arena))
            die("a call was not answered as it should be");
        arena_destroy(arena);
    }
    return NULL;
}

/* One of the two stores, and what was measured on it: [reservations, look-ups][one thread, many threads][round]. */
struct side {
    const char *url;
    struct store *store;
    uint64_t rows, next;
    double rates[2][2][ROUNDS_MOST];
};

/* Operations a second. */
static double run(struct side *side, bool reserves, int threads, int round)
{
    struct worker workers[MANY_THREADS];
    uint64_t each = (uint64_t)operations / (uint64_t)threads;
    int64_t start = clock_monotonic_us();
    for (int i = 0; i < threads; i++) {
        workers[i] = (struct worker){.store = side->store,
                                     .reserves = reserves,
                                     .first = side->next,
                                     .count = each,
                                     .rows = side->rows,
                                     .random = (uint64_t)(round * 100 + i)};
        side->next += reserves ? each : 0;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            die("no thread");
    }
    for (int i = 0; i < threads; i++)
        pthread_join(workers[i].thread, NULL);
    return (double)each * threads * 1e6 / (double)(clock_monotonic_us() - start);
}

/* So that the next round finds as many rows again. */
static void forget(struct store *store, uint64_t from, uint64_t to)
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

static double median(double *rates, int rounds)
{
    qsort(rates, (size_t)rounds, sizeof *rates, compare);
    return rounds % 2 ? rates[rounds / 2] : (rates[rounds / 2 - 1] + rates[rounds / 2]) / 2;
}

static void print_side(struct side *side, int rounds)
{
    for (int kind = 0; kind < 2; kind++)
        for (int t = 0; t < 2; t++) {
            double *rates = side->rates[kind][t], middle = median(rates, rounds);
            printf("%.6s %8" PRIu64 " rows  %-12s  %d thread%c %9.0f/s (%.0f-%.0f)\n", side->url, side->rows,
                   kind ? "look-ups" : "reservations", t ? MANY_THREADS : 1, t ? 's' : ' ', middle, rates[0],
                   rates[rounds - 1]);
        }
}

static void open_side(struct side *side, const char *url, uint64_t rows, struct arena *arena)
{
    const char *problem;
    struct store_options options = {.url = url, .prefix = "bench:", .timeout = 60000};
    *side = (struct side){.url = url, .rows = rows, .next = UINT64_C(1) << 40};
    side->store = store_open(&options, arena, &problem);
    if (!side->store)
        die(problem);
    fill(side->store, 0, rows);
    run(side, false, 1, 1000); /* warm up */
}

static void fill_one(const char *url, uint64_t rows)
{
    static struct side side;
    struct arena *arena = arena_create(1024);
    open_side(&side, url, rows, arena);
    store_close(side.store);
    arena_destroy(arena);
}

static void measure_round(struct side *side, int round)
{
    static const int threads[] = {1, MANY_THREADS};
    for (int t = 0; t < 2; t++) {
        uint64_t first = side->next;
        side->rates[1][t][round] = run(side, false, threads[t], round);
        side->rates[0][t][round] = run(side, true, threads[t], round);
        forget(side->store, first, side->next);
    }
}

static void measure(const char *few, const char *many, int rounds, bool quick)
{
    static struct side sides[2];
    double ratios[ROUNDS_MOST], more[ROUNDS_MOST];
    struct arena *arena = arena_create(1024);
    open_side(&sides[0], few, 1000, arena);
    open_side(&sides[1], many, quick ? 100000 : 1000000, arena);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < 2; i++)
            measure_round(&sides[(i + round) % 2], round);
        double at_few = 1e6 / sides[0].rates[1][0][round], at_many = 1e6 / sides[1].rates[1][0][round];
        ratios[round] = at_many / at_few;
        more[round] = at_many - at_few;
    }
    for (int i = 0; i < 2; i++)
        print_side(&sides[i], rounds);
    double ratio = median(ratios, rounds);
    printf("%.6s a look-up at %" PRIu64 " rows takes %.2f times as long as at 1000 (%.2f-%.2f): %.1f us more\n", few,
           sides[1].rows, ratio, ratios[0], ratios[rounds - 1], median(more, rounds));
    fflush(stdout);
    for (int i = 0; i < 2; i++)
        store_close(sides[i].store);
    arena_destroy(arena);
}

int main(int argc, char **argv)
{
    int rounds = 7, option;
    bool quick = false;
    uint64_t rows = 0;
    while ((option = getopt(argc, argv, "f:n:q")) != -1) {
        if (option == 'f')
            rows = strtoull(optarg, NULL, 10);
        else if (option == 'n')
            rounds = atoi(optarg);
        else if (option == 'q')
            quick = true;
        else
            return 2;
    }
    if (rows && optind + 1 == argc) {
        fill_one(argv[optind], rows);
        return 0;
    }
    if (rounds < 1 || rounds > ROUNDS_MOST || optind == argc || (argc - optind) % 2 != 0)
        die("usage: store_bench [-n ROUNDS] [-q] FEW MANY [FEW MANY]...");
    for (int i = optind; i < argc; i += 2)
        measure(argv[i], argv[i + 1], rounds, quick);
    return 0;
}
