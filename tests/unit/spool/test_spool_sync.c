/* What spool_add() promises of the disk: one sync each, or one for all who come together, and none that was not heard
 * of. fdatasync() is ours here: it counts, and fails when it is told to. */
#include "unit.h"

#include "workbench.h"
#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#define TEXT "Subject: hello\r\n\r\nbody\r\n"
#define CROWD 100000

static atomic_int syncs;
static atomic_bool must_fail;

int fdatasync(int fd)
{
    atomic_fetch_add(&syncs, 1);
    if (atomic_load(&must_fail)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

static size_t queued(struct bench *bench)
{
    struct spool_entry *entries;
    size_t count = 0;
    const char *problem;
    assert_int_equal(spool_list(bench->spool, bench->arena, &entries, &count, &problem), 0);
    return count;
}

struct adder {
    struct bench *bench;
    pthread_t thread;
    unsigned company;
    int count, good;
};

static void *add_many(void *context)
{
    struct adder *adder = context;
    struct spool_message message = bench_message(TEXT);
    message.company = adder->company;
    for (int i = 0; i < adder->count; i++)
        adder->good += spool_add(adder->bench->spool, &message, clock_wall(), NULL) == SPOOL_OK;
    return NULL;
}

static void each_is_synced(void **state)
{
    struct bench *bench = *state;
    struct adder adder = {.bench = bench, .count = 1};
    add_many(&adder); /* makes the file */
    int before = atomic_load(&syncs);
    adder.count = 20;
    add_many(&adder);
    assert_int_equal(adder.good, 21);
    assert_true(atomic_load(&syncs) - before >= 20);
    assert_int_equal(queued(bench), 21);
}

static void company_shares(void **state)
{
    struct bench *bench = *state;
    enum { THREADS = 8, EACH = 20 };
    struct adder adders[THREADS], first = {.bench = bench, .count = 1};
    add_many(&first);
    int before = atomic_load(&syncs);
    for (int i = 0; i < THREADS; i++) {
        adders[i] = (struct adder){.bench = bench, .company = CROWD, .count = EACH};
        pthread_create(&adders[i].thread, NULL, add_many, &adders[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(adders[i].thread, NULL);
        assert_int_equal(adders[i].good, EACH);
    }
    int shared = atomic_load(&syncs) - before;
    assert_int_equal(queued(bench), 1 + THREADS * EACH);
    assert_true(shared >= EACH);              /* nobody went on before his was synced */
    assert_true(shared < THREADS * EACH / 3);
}

/* The others did not come. */
static void waits_in_vain(void **state)
{
    struct bench *bench = *state;
    struct adder adder = {.bench = bench, .company = CROWD, .count = 1};
    add_many(&adder);
    int before = atomic_load(&syncs);
    int64_t began = clock_monotonic_us();
    add_many(&adder);
    int64_t took = clock_monotonic_us() - began;
    assert_int_equal(adder.good, 2);
    assert_int_equal(atomic_load(&syncs) - before, 1);
    assert_true(took >= 1000);
    assert_true(took < 500000);
}

/* What is not on the disk is not queued, and nobody is told that it is. */
static void a_sync_fails(void **state)
{
    struct bench *bench = *state;
    struct adder adder = {.bench = bench, .count = 1};
    add_many(&adder);
    atomic_store(&must_fail, true);
    adder.count = 3;
    add_many(&adder);
    atomic_store(&must_fail, false);
    assert_int_equal(adder.good, 1);
    assert_int_equal(queued(bench), 1);
    add_many(&adder);
    assert_int_equal(adder.good, 4);
    assert_int_equal(queued(bench), 4);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(each_is_synced), TEST(company_shares), TEST(waits_in_vain),
                                       TEST(a_sync_fails)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
