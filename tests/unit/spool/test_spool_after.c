/* Entries whose end is decided, and whose owner cannot do now what follows from it: they stay, are asked for again, and
 * never sent. */
#include "unit.h"

#include "workbench.h"
#include <sqlite3.h>

#define TEXT "Subject: hello\r\n\r\nbody\r\n"
#define NEVER 1000000

static void run_sql(struct bench *bench, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(arena_printf(bench->arena, "%s/spool.db", bench->directory), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void say_not_yet(struct bench *bench, int times)
{
    pthread_mutex_lock(&bench->mutex);
    bench->not_yets = times;
    pthread_mutex_unlock(&bench->mutex);
}

static int count_not_now(struct bench *bench)
{
    pthread_mutex_lock(&bench->mutex);
    int count = bench->not_now;
    pthread_mutex_unlock(&bench->mutex);
    return count;
}

static void wait_not_now(struct bench *bench, int count)
{
    for (int i = 0; i < 1000 && count_not_now(bench) < count; i++)
        clock_sleep_us(10000);
    assert_int_equal(count_not_now(bench), count);
}

/* Waits up to 10 s until the first entry is decided. */
static struct spool_entry *wait_decided(struct bench *bench)
{
    struct spool_entry *entries;
    for (int i = 0; i < 1000; i++) {
        if (bench_list(bench, &entries) > 0 && entries[0].is_decided)
            return &entries[0];
        clock_sleep_us(10000);
    }
    fail_msg("an entry should be there, and decided");
    return NULL;
}

/* It has been asked after the flush, and that is written. */
static void wait_put_off(struct bench *bench)
{
    for (int i = 0; i < 1000 && wait_decided(bench)->next_attempt == 0; i++)
        clock_sleep_us(10000);
    assert_true(wait_decided(bench)->next_attempt > clock_wall());
}

static void delete (struct bench *bench)
{
    const char *problem;
    assert_int_equal(spool_delete(bench->spool, 0, &problem), 1);
}

static void assert_told(struct bench *bench, enum spool_end end, const char *reply)
{
    bench_wait_afters(bench, 1);
    bench_wait_empty(bench);
    assert_int_equal(bench->afters, 1);
    assert_int_equal(bench->ends[0], end);
    assert_string_equal(bench->reply, reply);
}

/* In the queue with the MTA's last word, looked at when it is its turn or when the administrator says so, and sent to
 * nobody. */
static void stays_until_its_owner_can(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    server_rule(bench->server, "MAIL", 1, "550 5.1.0 no");
    say_not_yet(bench, 2);
    bench_start(bench);
    bench_add(bench, &message);
    struct spool_entry *entry = wait_decided(bench);
    assert_string_equal(entry->last_reply, "550 5.1.0 no");
    assert_int_equal(entry->attempts, 1);
    assert_false(entry->is_being_sent);
    assert_true(entry->next_attempt > clock_wall() + 3590 && entry->next_attempt <= clock_wall() + 3600);
    clock_sleep_us(1500000);
    assert_int_equal(count_not_now(bench), 1);
    bench_flush(bench);
    wait_not_now(bench, 2);
    wait_put_off(bench);
    assert_false(bench->was_last);
    bench_flush(bench);
    assert_told(bench, SPOOL_REFUSED, "550 5.1.0 no");
    assert_int_equal(server_count(bench->server, "MAIL"), 1);
    assert_int_equal(bench->befores, 1);
}

/* The waits grow with the time that it waits already: 1 s, 1 s, 2 s, 4 s, and not 1 s each. */
static void is_asked_less_often(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    bench->options.retry_first = 1000;
    bench_open_again(bench);
    server_rule(bench->server, "MAIL", 0, "550 no");
    say_not_yet(bench, 4);
    bench_start(bench);
    int64_t began = clock_monotonic_us();
    bench_add(bench, &message);
    bench_wait_afters(bench, 1);
    int64_t us = clock_monotonic_us() - began;
    assert_true(us > 6500000 && us < 14000000);
    assert_int_equal(server_count(bench->server, "MAIL"), 1);
}

/* What was sent is not sent again either. */
static void stays_sent(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    message.once = true;
    say_not_yet(bench, 1);
    bench_start(bench);
    bench_add(bench, &message);
    assert_false(wait_decided(bench)->is_being_sent);
    bench_open_again(bench);
    bench_flush(bench);
    bench_start(bench);
    assert_told(bench, SPOOL_SENT, "(none)");
    assert_int_equal(server_messages(bench->server), 1);
}

/* Decided by the administrator, and so it stays behind a restart, though the MTA would take it. */
static void stays_deleted(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    server_rule(bench->server, "MAIL", 1, "451 later");
    bench_start(bench);
    bench_add(bench, &message);
    bench_wait_attempts(bench, 1);
    say_not_yet(bench, NEVER);
    delete (bench);
    struct spool_entry *entry = wait_decided(bench);
    assert_true(entry->next_attempt > clock_wall());
    bench_flush(bench);
    wait_not_now(bench, 2);
    bench_open_again(bench);
    say_not_yet(bench, 0);
    bench_flush(bench);
    bench_start(bench);
    assert_told(bench, SPOOL_DELETED, "451 later");
    assert_int_equal(server_count(bench->server, "MAIL"), 1);
}

/* Given up because its owner never agreed to an attempt: what it is told later is the same. */
static void stays_given_up(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    bench->puts_off = true;
    say_not_yet(bench, NEVER);
    assert_int_equal(spool_add(bench->spool, &message, clock_wall() - 172800, NULL), SPOOL_OK);
    bench_start(bench);
    wait_decided(bench);
    bench->puts_off = false;
    bench_open_again(bench);
    say_not_yet(bench, 0);
    bench_flush(bench);
    bench_start(bench);
    assert_told(bench, SPOOL_GIVEN_UP, "waits for its owner");
    assert_int_equal(server_count(bench->server, "CONNECT"), 0);
}

/* `lifetime` from the moment on that it was decided, however old it was then; and at the end its owner knows. */
static void stays_for_its_lifetime(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    bench->options.lifetime = 3000;
    bench->options.retry_first = 1000;
    bench_open_again(bench);
    server_rule(bench->server, "MAIL", 0, "451 no");
    say_not_yet(bench, NEVER);
    assert_int_equal(spool_add(bench->spool, &message, clock_wall() - 1000000, NULL), SPOOL_OK);
    bench_start(bench);
    wait_decided(bench);
    assert_false(bench->was_last);
    int64_t began = clock_monotonic_us();
    bench_wait_empty(bench);
    int64_t us = clock_monotonic_us() - began;
    assert_true(us > 1500000 && us < 8000000);
    assert_true(bench->was_last);
    assert_true(count_not_now(bench) > 2);
    assert_int_equal(bench->afters, 0);
    assert_int_equal(server_count(bench->server, "MAIL"), 1);
}

/* Deleted once more, it goes, whatever its owner says. */
static void goes_when_it_is_deleted_again(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    say_not_yet(bench, NEVER);
    bench_add(bench, &message);
    delete (bench);
    bench_start(bench);
    wait_decided(bench);
    assert_false(bench->was_last);
    delete (bench);
    wait_not_now(bench, 2);
    assert_true(bench->was_last);
    clock_sleep_us(1500000);
    assert_int_equal(count_not_now(bench), 2);
    /* The list hides what is deleted. An overflow if there is something. */
    run_sql(bench, "SELECT CASE WHEN count(*) > 0 THEN abs(-9223372036854775808) END FROM entry");
    assert_int_equal(server_count(bench->server, "CONNECT"), 0);
}

/* An MTA that is down is no reason not to ask its owner. */
static void is_asked_while_the_mta_is_down(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    bench->options.submit = "smtp://127.0.0.1:9"; /* nobody is there */
    bench_open_again(bench);
    say_not_yet(bench, 1);
    bench_start(bench);
    bench_add(bench, &message);
    bench_wait_attempts(bench, 1); /* a pause of a minute begins */
    delete (bench);
    wait_decided(bench);
    run_sql(bench, "UPDATE entry SET next_attempt = strftime('%s', 'now') + 2");
    assert_told(bench, SPOOL_DELETED, bench->reply);
}

/* One that takes its time to say "not now" is not asked for each, but all of them stay. */
static void does_not_wait_for_each(void **state)
{
    struct bench *bench = *state;
    enum { COUNT = 12 };
    struct spool_entry *entries;
    struct spool_message message = bench_message(TEXT);
    server_rule(bench->server, "MAIL", 0, "550 no");
    say_not_yet(bench, NEVER);
    bench->asked_for = 800000;
    for (int i = 0; i < COUNT; i++)
        bench_add(bench, &message);
    int64_t began = clock_monotonic_us();
    bench_start(bench);
    size_t decided = 0;
    for (int i = 0; i < 1000 && decided < COUNT; i++, clock_sleep_us(10000)) {
        decided = 0;
        for (size_t k = 0; k < bench_list(bench, &entries); k++)
            decided += entries[k].is_decided;
    }
    assert_int_equal(decided, COUNT);
    assert_true(clock_monotonic_us() - began < 7000000);
    assert_int_equal(count_not_now(bench), 3);
    say_not_yet(bench, 0);
    bench_flush(bench);
    bench_wait_afters(bench, COUNT);
    bench_wait_empty(bench);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(bench->ends[i], SPOOL_REFUSED);
    assert_int_equal(server_count(bench->server, "MAIL"), COUNT);
}

/* The room that it belongs to is off: it may be on again before the time is over. */
static void waits_for_an_owner(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    static const struct spool_owner nobody[] = {{.kind = NULL}};
    server_rule(bench->server, "MAIL", 0, "550 no");
    say_not_yet(bench, 1);
    bench_start(bench);
    bench_add(bench, &message);
    wait_decided(bench);
    bench_open_again(bench);
    bench_flush(bench);
    assert_int_equal(spool_start(bench->spool, nobody), 0);
    wait_put_off(bench);
    bench_open_again(bench);
    bench_flush(bench);
    bench_start(bench);
    assert_told(bench, SPOOL_REFUSED, "550 no");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_set_up, bench_tear_down)

int main(void)
{
    log_open(&(struct log_options){"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0});
    const struct CMUnitTest tests[] = {
        TEST(stays_until_its_owner_can),
        TEST(is_asked_less_often),
        TEST(stays_deleted),
        TEST(stays_sent),
        TEST(stays_given_up),
        TEST(stays_for_its_lifetime),
        TEST(goes_when_it_is_deleted_again),
        TEST(is_asked_while_the_mta_is_down),
        TEST(does_not_wait_for_each),
        TEST(waits_for_an_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
