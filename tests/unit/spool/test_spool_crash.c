/*
 * Workers that are killed: at each named step, and at random, two at a time. What they owe is counted at the MTA and in
 * a file that the owner's after() writes.
 *
 * A worker is this program again: test_spool_crash worker DIRECTORY PORT ADD FIRST COUNT ONCE, where ADD is "add" or
 * "none".
 */
#include "unit.h"

#include "workbench.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

/* ---- the worker ---- */

struct record {
    int fd;
    bool is_never; /* after() says "not now", and notes "not-now" */
    bool is_moody; /* it does so now and then */
    unsigned seed;
};

static void note(int fd, const char *text, const char *memo)
{
    char line[100];
    int len = snprintf(line, sizeof line, "%s %s\n", text, memo);
    if (write(fd, line, (size_t)len) != len)
        abort();
}

static bool worker_before(void *context, const char *memo, int64_t now, bool *later)
{
    (void)now;
    (void)later;
    note(((struct record *)context)->fd, "before", memo);
    return true;
}

static bool worker_after(void *context, const struct spool_left *left)
{
    struct record *record = context;
    static const char *const names[] = {"sent", "given-up", "refused", "deleted", "unknown"};
    bool is_now = !record->is_never && (!record->is_moody || rand_r(&record->seed) % 4 != 0);
    note(record->fd, is_now ? names[left->end] : "not-now", left->memo);
    return is_now;
}

static int open_record(const char *directory)
{
    char path[200];
    snprintf(path, sizeof path, "%s/record", directory);
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

/* Adds, sends until it is killed or the queue is empty for a moment. */
static int work(char **argv)
{
    char submit[64];
    int first = atoi(argv[3]), count = atoi(argv[4]);
    struct record record = {open_record(argv[0]), getenv("NEVER"), getenv("MOODY"), (unsigned)clock_monotonic_us()};
    snprintf(submit, sizeof submit, "smtp://127.0.0.1:%s", argv[1]);
    struct spool_options options = {.directory = argv[0],
                                    .submit = submit,
                                    .hostname = "mx.example.net",
                                    .max_messages = 100000,
                                    .max_bytes = 1 << 30,
                                    .lifetime = 172800000,
                                    .retry_first = getenv("SLOW") ? 3600000 : 1000,
                                    .retry_most = getenv("SLOW") ? 3600000 : 1000,
                                    .timeout = 5000};
    struct spool_owner owners[] = {{.kind = "autoreply", .before = worker_before, .after = worker_after, .context = &record}, {.kind = NULL}};
    struct spool *spool = spool_open(&options);
    spool_start(spool, owners);
    for (int i = first; i < first + count && strcmp(argv[2], "add") == 0; i++) {
        char memo[32], content[64];
        snprintf(memo, sizeof memo, "m%06d.", i);
        snprintf(content, sizeof content, "X-Memo: %s\r\n\r\nbody\r\n", memo);
        struct spool_message message = bench_message(content);
        message.once = atoi(argv[5]) != 0;
        message.memo = memo;
        if (i % 2 && getenv("SECOND"))
            message.submit = getenv("SECOND");
        if (spool_add(spool, &message, clock_wall(), NULL) == SPOOL_OK)
            note(record.fd, "added", memo);
        clock_sleep_us(2000);
    }
    struct arena *arena = arena_create(4096);
    int idle = 0;
    for (int i = 0; i < 3000 && idle < 20; i++, clock_sleep_us(20000)) {
        struct spool_entry *entries;
        size_t left = 1;
        const char *problem;
        spool_list(spool, arena, &entries, &left, &problem);
        idle = left ? 0 : idle + 1;
    }
    spool_close(spool);
    arena_destroy(arena);
    return idle < 20;
}

/* ---- the test ---- */

static char self[200];

static pid_t start(struct bench *bench, const char *crash, const char *add, int first, int count, bool once)
{
    char port[16], from[16], n[16];
    snprintf(port, sizeof port, "%d", server_port(bench->server));
    snprintf(from, sizeof from, "%d", first);
    snprintf(n, sizeof n, "%d", count);
    pid_t pid = fork();
    if (pid == 0) {
        if (crash)
            setenv("POSTERN_TEST_CRASH", crash, 1);
        execl(self, self, "worker", bench->directory, port, add, from, n, once ? "1" : "0", (char *)NULL);
        _exit(127);
    }
    return pid;
}

static int wait_for_end(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void assert_clean_end(pid_t pid)
{
    int status = wait_for_end(pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* How many lines of the record are "WORD MEMO". */
static int count_notes(struct bench *bench, const char *word, const char *memo)
{
    char path[200], line[100], wanted[100];
    int count = 0;
    snprintf(path, sizeof path, "%s/record", bench->directory);
    snprintf(wanted, sizeof wanted, "%s %s", word, memo);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        count += strncmp(line, wanted, strlen(wanted)) == 0;
    if (file)
        fclose(file);
    return count;
}

/* One message, the worker killed at a step, and the next worker left to do what is to be done. */
static void assert_step(struct bench *bench, const char *crash, bool once, size_t sent, const char *end, int afters)
{
    setenv("SLOW", "1", 1); /* nothing here waits for a retry */
    pid_t pid = start(bench, crash, "add", 1, 1, once);
    int status = wait_for_end(pid);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("%s: the worker was not killed", crash);
    assert_clean_end(start(bench, NULL, "none", 0, 0, once));
    unsetenv("SLOW");
    size_t got = server_count_content(bench->server, "m000001.");
    if (got != sent || count_notes(bench, end, "m000001.") != afters)
        fail_msg("%s once=%d: %zu sent, %d times %s", crash, once, got, count_notes(bench, end, "m000001."), end);
    for (size_t i = 0; i < 5; i++) {
        static const char *const ends[] = {"sent", "given-up", "refused", "deleted", "unknown"};
        if (strcmp(ends[i], end) != 0)
            assert_int_equal(count_notes(bench, ends[i], "m000001."), 0);
    }
}

#define STEP_TEST(name, crash, once, sent, end, afters)                                                                \
    static void name(void **state)                                                                                     \
    {                                                                                                                  \
        assert_step(*state, crash, once, sent, end, afters);                                                           \
    }

STEP_TEST(once_added, "spool.added", true, 1, "sent", 1)
STEP_TEST(once_before, "spool.before", true, 1, "sent", 1)
STEP_TEST(once_dot, "spool.dot", true, 0, "unknown", 1)
STEP_TEST(once_accepted, "spool.accepted", true, 1, "unknown", 1)
STEP_TEST(once_recorded, "spool.recorded", true, 1, "sent", 1)
STEP_TEST(once_after, "spool.after", true, 1, "sent", 2)
STEP_TEST(once_removed, "spool.removed", true, 1, "sent", 1)
STEP_TEST(surely_dot, "spool.dot", false, 1, "sent", 1)
STEP_TEST(surely_accepted, "spool.accepted", false, 2, "sent", 1)
STEP_TEST(surely_recorded, "spool.recorded", false, 1, "sent", 1)

/* after() could not do its part, and the worker is killed before (STEP) or behind the writing of that: it is asked
 * again by the next one, and the MTA is not. */
static void assert_asked_again(struct bench *bench, const char *step)
{
    server_rule(bench->server, "MAIL", 0, "550 5.1.0 no");
    setenv("SLOW", "1", 1);
    setenv("NEVER", "1", 1);
    pid_t pid = start(bench, step, "add", 1, 1, true);
    for (int i = 0; i < 1000 && count_notes(bench, "not-now", "m000001.") == 0; i++)
        clock_sleep_us(10000);
    clock_sleep_us(300000); /* to be written */
    if (!step)
        kill(pid, SIGKILL);
    int status = wait_for_end(pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    unsetenv("NEVER");
    unsetenv("SLOW");
    server_rule(bench->server, "MAIL", 0, NULL);
    if (!step)
        bench_flush(bench); /* it waits for an hour */
    assert_clean_end(start(bench, NULL, "none", 0, 0, true));
    assert_int_equal(count_notes(bench, "not-now", "m000001."), 1);
    assert_int_equal(count_notes(bench, "refused", "m000001."), 1);
    assert_int_equal(server_count(bench->server, "MAIL"), 1);
    assert_int_equal(server_messages(bench->server), 0);
}

static void asked_before_it_is_written(void **state)
{
    assert_asked_again(*state, "spool.after");
}

static void asked_behind_that(void **state)
{
    assert_asked_again(*state, NULL);
}

static void wait_for_count(struct server *server, const char *phase, int count)
{
    for (int i = 0; i < 1000 && server_count(server, phase) < count; i++)
        clock_sleep_us(10000);
    assert_int_equal(server_count(server, phase), count);
}

static void kill_and_finish(struct bench *bench, pid_t pid)
{
    kill(pid, SIGKILL);
    wait_for_end(pid);
    assert_clean_end(start(bench, NULL, "none", 0, 0, true));
}

/* What two senders leave in doubt at the same time. */
static void two_dots(void **state)
{
    struct bench *bench = *state;
    struct server *second = server_start();
    char submit[64];
    snprintf(submit, sizeof submit, "smtp://127.0.0.1:%d", server_port(second));
    setenv("SECOND", submit, 1);
    server_delay(bench->server, "DOT", 3000);
    server_delay(second, "DOT", 3000);
    pid_t pid = start(bench, NULL, "add", 0, 2, true);
    unsetenv("SECOND");
    wait_for_count(bench->server, "DOT", 1);
    wait_for_count(second, "DOT", 1);
    kill_and_finish(bench, pid);
    assert_int_equal(server_count_content(bench->server, "m000000."), 1);
    assert_int_equal(server_count_content(second, "m000001."), 1);
    assert_int_equal(count_notes(bench, "unknown", "m000000.") + count_notes(bench, "unknown", "m000001."), 2);
    server_stop(second);
}

/* The doubt about an attempt ends with it: killed in the next one before its dot, it is sent. */
static void no_doubt_any_more(void **state)
{
    struct bench *bench = *state;
    server_rule(bench->server, "DOT", 1, "451 4.3.0 later");
    server_rule(bench->server, "MAIL", 2, "HANG");
    pid_t pid = start(bench, NULL, "add", 1, 1, true);
    wait_for_count(bench->server, "MAIL", 2);
    kill_and_finish(bench, pid);
    assert_int_equal(server_count_content(bench->server, "m000001."), 1);
    assert_int_equal(count_notes(bench, "sent", "m000001."), 1);
}

/* The worker that is killed after the add may be killed before its record says so; the queue knows. */
static void kill_at_random(struct bench *bench, bool once)
{
    enum { WORKERS = 2, KILLS = 40, EACH = 8 };
    pid_t pids[WORKERS];
    int next = 0;
    unsigned seed = (unsigned)clock_monotonic_us();
    printf("seed %u\n", seed);
    setenv("MOODY", "1", 1);
    server_rule(bench->server, "DOT", 7, "TAKE+CUT");
    server_rule(bench->server, "DOT", 19, "CUT");
    server_rule(bench->server, "MAIL", 11, "421 4.3.2 bye");
    server_rule(bench->server, "DOT", 23, "451 4.3.0 later");
    server_delay(bench->server, "DOT", 3);
    for (int i = 0; i < WORKERS; i++, next += EACH)
        pids[i] = start(bench, NULL, "add", next, EACH, once);
    for (int i = 0; i < KILLS; i++) {
        int victim = i % WORKERS;
        clock_sleep_us(rand_r(&seed) % 120000 + 5000);
        kill(pids[victim], SIGKILL);
        wait_for_end(pids[victim]);
        pids[victim] = start(bench, NULL, "add", next, EACH, once);
        next += EACH;
    }
    for (int i = 0; i < WORKERS; i++)
        assert_clean_end(pids[i]);
    assert_clean_end(start(bench, NULL, "none", 0, 0, once));
    int sent = 0, unknown = 0, missing = 0;
    for (int i = 0; i < next; i++) {
        char memo[32];
        snprintf(memo, sizeof memo, "m%06d.", i);
        size_t got = server_count_content(bench->server, memo);
        int as_sent = count_notes(bench, "sent", memo), as_unknown = count_notes(bench, "unknown", memo);
        if (once && got > 1)
            fail_msg("%s came %zu times", memo, got);
        if (count_notes(bench, "added", memo) && !as_sent && !as_unknown)
            fail_msg("%s was added, and nothing was heard of it", memo);
        if (as_sent && got == 0)
            fail_msg("%s is reported as sent, and it was not", memo);
        if (!once && (as_unknown || (count_notes(bench, "added", memo) && got == 0)))
            fail_msg("%s should have been sent surely", memo);
        if (as_sent && as_unknown)
            fail_msg("%s is reported as sent and as unknown", memo);
        sent += as_sent > 0;
        unknown += as_unknown > 0;
        missing += !as_sent && !as_unknown;
    }
    unsetenv("MOODY");
    printf("of %d: sent %d, unknown %d, killed before they were added %d\n", next, sent, unknown, missing);
    assert_true(sent > 20);
}

static void random_once(void **state)
{
    kill_at_random(*state, true);
}

/* Envelopes are announced with the final dot before them. */
static void random_once_ahead(void **state)
{
    struct bench *bench = *state;
    server_rule(bench->server, "EHLO", 0, "250-test\r\n250 PIPELINING");
    kill_at_random(bench, true);
}

static void random_surely(void **state)
{
    kill_at_random(*state, false);
}

/* A new worker waits for the old one's lock, and has it soon after it stops or is killed. */
static void takes_over(void **state)
{
    struct bench *bench = *state;
    server_rule(bench->server, "MAIL", 0, "451 no");
    bench_start(bench);
    struct spool_message message = bench_message("X-Memo: m000001.\r\n\r\n");
    message.memo = "m000001.";
    bench_add(bench, &message);
    bench_wait_attempts(bench, 1);
    server_rule(bench->server, "MAIL", 0, NULL);
    pid_t pid = start(bench, NULL, "none", 0, 0, false);
    clock_sleep_us(700000);
    assert_int_equal(server_messages(bench->server), 0); /* it is not the new one's turn */
    int64_t began = clock_monotonic_us();
    spool_stop(bench->spool);
    bench_add(bench, &message); /* a draining worker still adds */
    assert_non_null(server_message(bench->server, 0));
    assert_true(clock_monotonic_us() - began < 2000000);
    bench_flush(bench);
    assert_clean_end(pid);
    assert_int_equal(server_count_content(bench->server, "m000001."), 2);
    assert_int_equal(bench->afters, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_set_up, bench_tear_down)

int main(int argc, char **argv)
{
    if (argc == 8 && strcmp(argv[1], "worker") == 0) {
        log_open(&(struct log_options){"worker", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0});
        return work(argv + 2);
    }
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len < 0)
        return 77;
    const struct CMUnitTest tests[] = {
        TEST(once_added),
        TEST(once_before),
        TEST(once_dot),
        TEST(once_accepted),
        TEST(once_recorded),
        TEST(once_after),
        TEST(once_removed),
        TEST(surely_dot),
        TEST(surely_accepted),
        TEST(surely_recorded),
        TEST(asked_before_it_is_written),
        TEST(asked_behind_that),
        TEST(two_dots),
        TEST(no_doubt_any_more),
        TEST(random_once),
        TEST(random_once_ahead),
        TEST(random_surely),
        TEST(takes_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
