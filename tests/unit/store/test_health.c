/* What is logged of a store that is down: a line at once, one more after a minute, and one when it is back. The clock that
 * never jumps does, here. */
#include "fixture.h"
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t seconds_ahead;

/* The program's own comes first. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_MONOTONIC)
        now->tv_sec += seconds_ahead;
    return result;
}

static void fail_times(struct store *store, int times)
{
    for (int i = 0; i < times; i++)
        assert_int_equal(store_put(store, "a", span_of("b"), 0, T), STORE_DOWN);
}

static void test_a_line_a_minute(void **state)
{
    (void)state;
    const char *directory = text("%s/later", fixture_path);
    log_begin();
    struct store *store = open_store(text("sqlite:%s/l.db", directory), 500); /* the first line */
    fail_times(store, 10);
    seconds_ahead += 58;
    fail_times(store, 10);
    const char *within = log_end();
    log_begin();
    seconds_ahead += 2;
    fail_times(store, 10);
    const char *after = log_end();
    log_begin();
    seconds_ahead += 59;
    fail_times(store, 10);
    assert_int_equal(mkdir(directory, 0755), 0);
    seconds_ahead += 3; /* past the minute, and past the second in which nobody tries */
    assert_int_equal(store_put(store, "a", span_of("b"), 0, T), STORE_OK);
    assert_int_equal(store_put(store, "a", span_of("b"), 0, T), STORE_OK);
    const char *up = log_end();
    struct store_health health = store_health(store);
    store_close(store);
    assert_int_equal(count_of(within, "event=store-down"), 1);
    assert_null(strstr(within, "more="));
    assert_int_equal(count_of(after, "event=store-down"), 1);
    assert_non_null(strstr(after, "more=20")); /* that were not told */
    assert_int_equal(count_of(up, "event=store-down"), 0);
    assert_int_equal(count_of(up, "event=store-up"), 1);
    assert_non_null(strstr(up, "failures=41"));
    assert_true(health.is_up);
    assert_int_equal(health.failures, 41);
}

/* One that comes and goes says so once a minute, both. */
static void test_up_is_told_of_what_was_told(void **state)
{
    (void)state;
    const char *directory = text("%s/flapping", fixture_path);
    assert_int_equal(mkdir(directory, 0755), 0);
    struct store *store = open_store(text("sqlite:%s/f.db", directory), 500);
    log_begin();
    int wrong = 0;
    for (int i = 0; i < 5; i++) {
        run_command(text("rm -r %s", directory));
        wrong += store_put(store, "a", span_of("b"), 0, T) != STORE_DOWN;
        wrong += mkdir(directory, 0755) != 0;
        seconds_ahead += 2;
        wrong += store_put(store, "a", span_of("b"), 0, T) != STORE_OK;
    }
    const char *log = log_end();
    store_close(store);
    assert_int_equal(wrong, 0);
    assert_int_equal(count_of(log, "event=store-down"), 1);
    assert_int_equal(count_of(log, "event=store-up"), 1);
    assert_int_equal(count_of(log, "IS NOT THE FILE IT WAS"), 5); /* a new one may have the inode of the old one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_line_a_minute),
        cmocka_unit_test(test_up_is_told_of_what_was_told),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
