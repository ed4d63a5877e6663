/* The sweep goes on beside readers and writers, and none of them waits long; a reader waits for no writer at all. */
#include "fixture.h"
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

#define ROWS 30000
#define BOUND_MS 1000 /* on a machine that is busy with other things */

static struct store *store;
static atomic_bool is_over;
static atomic_int longest, wrong, calls;

static void note_time(int64_t start)
{
    int took = (int)(now_ms() - start);
    atomic_fetch_add(&calls, 1);
    for (int seen = atomic_load(&longest); took > seen && !atomic_compare_exchange_weak(&longest, &seen, took);)
        ;
}

static void *read_rows(void *context)
{
    (void)context;
    for (unsigned i = 0; !is_over; i++) {
        struct arena *arena = arena_create(1024);
        struct store_value value;
        int64_t start = now_ms();
        if (store_get(store, arena, arena_printf(arena, "live/%u", i % 1000), T, &value) != STORE_OK)
            atomic_fetch_add(&wrong, 1);
        note_time(start);
        arena_destroy(arena);
    }
    return NULL;
}

static void *write_rows(void *context)
{
    (void)context;
    for (unsigned i = 0; !is_over; i++) {
        char key[32];
        snprintf(key, sizeof key, "new/%u", i);
        int64_t start = now_ms();
        if (store_put_if_absent(store, NULL, key, span_of("x"), 0, T, NULL) != STORE_OK)
            atomic_fetch_add(&wrong, 1);
        note_time(start);
    }
    return NULL;
}

static void test_sweep_beside_others(void **state)
{
    (void)state;
    store = open_store(text("sqlite:%s/store.db", fixture_path), 5000);
    struct store_change *rows = calloc(ROWS, sizeof *rows);
    for (int i = 0; i < ROWS; i++)
        rows[i] = (struct store_change){.key = text(i < 1000 ? "live/%d" : "dead/%d", i),
                                        .value = span_of("a value"),
                                        .expires = i < 1000 ? 0 : T + i % 7};
    assert_int_equal(store_apply(store, rows, ROWS, T), STORE_OK);
    free(rows);
    pthread_t threads[4];
    pthread_create(&threads[0], NULL, read_rows, NULL);
    pthread_create(&threads[1], NULL, read_rows, NULL);
    pthread_create(&threads[2], NULL, write_rows, NULL);
    int swept = 0, step, most = 0;
    while ((step = store_sweep(store, T + 7 + STORE_GRACE, 200)) > 0) {
        swept += step;
        most = step > most ? step : most;
        sleep_ms(1);
    }
    is_over = true;
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(step, 0);
    assert_int_equal(swept, ROWS - 1000);
    assert_int_equal(most, 200);
    assert_int_equal(wrong, 0);
    assert_true(calls > 100);
    print_message("%d calls beside the sweep, the longest took %d ms\n", calls, longest);
    assert_true(longest < BOUND_MS);
    store_close(store);
}

static void *write_one(void *context)
{
    (void)context;
    return store_put(store, "key", span_of("new"), 0, T) == STORE_OK ? NULL : "failed";
}

/* Another process holds the lock, and our writer waits for it with the one connection that writes. */
static void test_reads_wait_for_nobody(void **state)
{
    (void)state;
    sqlite3 *other;
    pthread_t writer;
    void *problem;
    store = open_store(text("sqlite:%s/other.db", fixture_path), 20000);
    assert_int_equal(store_put(store, "key", span_of("old"), 0, T), STORE_OK);
    assert_string_equal(value_of(store, "key"), "old");
    assert_int_equal(sqlite3_open(text("%s/other.db", fixture_path), &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    pthread_create(&writer, NULL, write_one, NULL);
    sleep_ms(300);
    int64_t began = now_ms();
    assert_string_equal(value_of(store, "key"), "old");
    assert_true(now_ms() - began < BOUND_MS);
    sqlite3_close(other);
    pthread_join(writer, &problem);
    assert_null(problem);
    assert_string_equal(value_of(store, "key"), "new");
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sweep_beside_others),
                                       cmocka_unit_test(test_reads_wait_for_nobody)};
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
