/* Several entries at once: what is asked of their owner together, and what is said to the MTA ahead. */
#include "unit.h"

#include "workbench.h"

#define TEXT "Subject: hello\r\n\r\nbody\r\n"
#define EHLO "250-test\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-DSN\r\n250 SMTPUTF8"

static struct { /* of the mutex of the bench */
    int calls;
    size_t count;
    bool answer;
} together;

static bool before_all(void *context, const char *const *memos, size_t count, int64_t now)
{
    struct bench *bench = context;
    assert_true(now > 0);
    pthread_mutex_lock(&bench->mutex);
    together.calls++;
    together.count = count;
    for (size_t i = 0; i < count; i++)
        together.answer = together.answer && strncmp(memos[i], "memo", 4) == 0;
    pthread_mutex_unlock(&bench->mutex);
    return together.answer;
}

static void start(struct bench *bench, bool answer)
{
    struct spool_owner owners[] = {{.kind = "autoreply", .before = bench_before, .before_all = before_all,
                                    .after = bench_after, .context = bench},
                                   {.kind = NULL}};
    together.calls = 0;
    together.answer = answer;
    assert_int_equal(spool_start(bench->spool, owners), 0);
}

/* COUNT entries with `once`, whose contents and memos end with their number. */
static void add(struct bench *bench, int count)
{
    for (int i = 0; i < count; i++) {
        struct spool_message message = bench_message(arena_printf(bench->arena, "X-Memo: m%d.\r\n\r\nbody\r\n", i));
        message.memo = arena_printf(bench->arena, "memo%d", i);
        message.once = true;
        bench_add(bench, &message);
    }
}

static size_t count_of(struct bench *bench, int number)
{
    return server_count_content(bench->server, arena_printf(bench->arena, "X-Memo: m%d.", number));
}

static void assert_each_once(struct bench *bench, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(count_of(bench, i), 1);
}

static void asks_for_all(void **state)
{
    struct bench *bench = *state;
    add(bench, 10);
    start(bench, true);
    bench_wait_afters(bench, 10);
    assert_int_equal(together.calls, 1);
    assert_int_equal(together.count, 10);
    assert_int_equal(bench->befores, 0);
    assert_each_once(bench, 10);
}

static void asks_for_each_if_in_doubt(void **state)
{
    struct bench *bench = *state;
    add(bench, 10);
    start(bench, false);
    bench_wait_afters(bench, 10);
    assert_int_equal(together.calls, 1);
    assert_int_equal(bench->befores, 10);
    assert_each_once(bench, 10);
}

/* What was attempted before is nothing usual. */
static void asks_for_each_again(void **state)
{
    struct bench *bench = *state;
    server_rule(bench->server, "MAIL", 0, "450 4.3.0 later");
    add(bench, 2);
    start(bench, true);
    bench_wait_attempts(bench, 1);
    struct spool_entry *entries;
    for (int i = 0; i < 1000 && (bench_list(bench, &entries) != 2 || entries[1].attempts < 1); i++)
        clock_sleep_us(10000);
    assert_int_equal(bench->befores, 0);
    server_rule(bench->server, "MAIL", 0, NULL);
    bench_flush(bench);
    bench_wait_afters(bench, 2);
    assert_int_equal(together.calls, 1);
    assert_int_equal(bench->befores, 2);
    assert_each_once(bench, 2);
}

static void asks_for_one_alone(void **state)
{
    struct bench *bench = *state;
    add(bench, 1);
    start(bench, true);
    bench_wait_afters(bench, 1);
    assert_int_equal(together.calls, 0);
    assert_int_equal(bench->befores, 1);
}

/* The MTA is down for longer than they live: those that waited behind the one that was tried are given up as well. */
static void gives_up_who_waited(void **state)
{
    struct bench *bench = *state;
    bench->options.submit = "smtp://127.0.0.1:1";
    bench->options.lifetime = 2000;
    bench->options.retry_first = bench->options.retry_most = 1000;
    bench_open_again(bench);
    add(bench, 5);
    int64_t began = clock_monotonic_us();
    start(bench, true);
    bench_wait_afters(bench, 5);
    assert_true(clock_monotonic_us() - began >= 1000000);
    for (int i = 0; i < 5; i++)
        assert_int_equal(bench->ends[i], SPOOL_GIVEN_UP);
    bench_wait_empty(bench);
}

/* ---- with PIPELINING ---- */

/* And waits for nobody's acknowledgement, 40 ms each, though the server sends its replies one by one. */
static void sends_ahead(void **state)
{
    struct bench *bench = *state;
    server_rule(bench->server, "EHLO", 0, EHLO);
    add(bench, 120); /* more than a connection carries */
    int64_t began = clock_monotonic_us();
    start(bench, true);
    bench_wait_afters(bench, 120);
    assert_true(clock_monotonic_us() - began < 4000000);
    assert_each_once(bench, 120);
    assert_int_equal(server_count(bench->server, "MAIL"), 120);
    assert_int_equal(server_count(bench->server, "CONNECT"), 2);
    assert_int_equal(server_count(bench->server, "QUIT"), 1);
}

/* The end of one is not that of the next. */
static void sends_behind_one_that_is_refused(void **state)
{
    struct bench *bench = *state;
    server_rule(bench->server, "EHLO", 0, EHLO);
    server_rule(bench->server, "DOT", 1, "554 5.7.1 no");
    server_rule(bench->server, "RCPT", 3, "550 5.1.1 who?");
    server_rule(bench->server, "DATA", 3, "503 5.5.1 for whom?");
    server_rule(bench->server, "DATA", 6, "554 5.5.0 no");
    add(bench, 8);
    start(bench, true);
    bench_wait_afters(bench, 8);
    for (int i = 0; i < 8; i++)
        assert_int_equal(bench->ends[i], i == 0 || i == 2 || i == 5 ? SPOOL_REFUSED : SPOOL_SENT);
    assert_int_equal(server_count(bench->server, "CONNECT"), 1);
}

static void loses_none_to_a_farewell(void **state)
{
    struct bench *bench = *state;
    bench->options.retry_first = 1000;
    bench_open_again(bench);
    server_rule(bench->server, "EHLO", 0, EHLO);
    server_rule(bench->server, "DOT", 2, "421 4.3.2 bye");
    server_rule(bench->server, "DOT", 4, "TAKE+CUT");
    add(bench, 6);
    start(bench, true);
    bench_wait_afters(bench, 6);
    assert_each_once(bench, 6);
}

/* It was announced, and then the worker is to let go: the next one sends it. */
static void takes_back_what_it_announced(void **state)
{
    struct bench *bench = *state;
    server_rule(bench->server, "EHLO", 0, EHLO);
    server_delay(bench->server, "DOT", 400);
    add(bench, 3);
    start(bench, true);
    for (int i = 0; i < 1000 && server_count(bench->server, "DOT") < 1; i++)
        clock_sleep_us(10000);
    spool_stop(bench->spool);
    for (int i = 0; i < 500 && !spool_is_at_rest(bench->spool); i++)
        clock_sleep_us(10000);
    struct spool_entry *entries;
    assert_int_equal(bench_list(bench, &entries), 2);
    assert_int_equal(entries[0].attempts, 0);
    assert_false(entries[0].is_being_sent);
    assert_int_equal(server_messages(bench->server), 1);
    bench_open_again(bench);
    server_delay(bench->server, "DOT", 0);
    start(bench, true);
    bench_wait_afters(bench, 3);
    assert_each_once(bench, 3);
}

/* What the MTA cannot take is not announced to it. */
static void announces_nothing_unfit(void **state)
{
    struct bench *bench = *state;
    static char large[2000];
    memset(large, 'x', sizeof large - 1);
    server_rule(bench->server, "EHLO", 0, EHLO);
    struct spool_message message = bench_message(TEXT), other = bench_message(large);
    bench_add(bench, &message);
    bench_add(bench, &other);
    bench_add(bench, &message);
    start(bench, true);
    bench_wait_afters(bench, 3);
    assert_int_equal(bench->ends[0], SPOOL_SENT);
    assert_int_equal(bench->ends[1], SPOOL_REFUSED);
    assert_int_equal(bench->ends[2], SPOOL_SENT);
    assert_int_equal(server_count(bench->server, "MAIL"), 2);
    assert_int_equal(server_count(bench->server, "CONNECT"), 1);
}

int main(void)
{
    log_open(&(struct log_options){"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0});
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(asks_for_all),
        TEST(asks_for_each_if_in_doubt),
        TEST(asks_for_each_again),
        TEST(asks_for_one_alone),
        TEST(gives_up_who_waited),
        TEST(sends_ahead),
        TEST(sends_behind_one_that_is_refused),
        TEST(loses_none_to_a_farewell),
        TEST(takes_back_what_it_announced),
        TEST(announces_nothing_unfit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
