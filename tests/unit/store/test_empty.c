/* A file that lost its content, and those that have none yet: the first is told, loudly; of the others nobody hears. */
#include "fixture.h"
#include "util/newfile.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALARM "IS EMPTY"

static const char *name, *url, *path;

static int set_up(void **state)
{
    static int number;
    (void)state;
    name = text("e%d.db", ++number);
    path = text("%s/%s", fixture_path, name);
    url = text("sqlite:%s", path);
    return 0;
}

static void fill(struct store *store, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(store_put(store, text("fill/%05d", i), span_of("a value of some length"), 0, T), STORE_OK);
}

static off_t size_of_file(const char *file)
{
    struct stat st;
    return stat(file, &st) == 0 ? st.st_size : -1;
}

static void test_lost_content_is_told_once(void **state)
{
    (void)state;
    struct store *store = open_store(url, 1000);
    fill(store, 100);
    store_close(store);
    assert_int_equal(truncate(path, 0), 0);
    log_begin();
    store = open_store(url, 1000);
    const char *first = value_of(store, "fill/00000");
    off_t size = size_of_file(path); /* it is no longer empty: whoever comes next sees nothing to tell */
    const char *second = value_of(store, "fill/00000");
    enum store_outcome outcome = store_put(store, "a", span_of("b"), 0, T);
    struct store *other = open_store(url, 1000);
    const char *value = value_of(other, "a");
    store_close(other);
    store_close(store);
    store = open_store(url, 1000);
    const char *last = value_of(store, "a");
    store_close(store);
    const char *log = log_end();
    assert_string_equal(first, "(down)");
    assert_true(size > 0);
    assert_string_equal(second, "(absent)");
    assert_int_equal(outcome, STORE_OK);
    assert_string_equal(value, "b");
    assert_string_equal(last, "b");
    assert_int_equal(count_of(log, ALARM), 1);
    assert_int_equal(count_files(text("%s.corrupt-", name), ""), 0);
}

/* The name a new file has for a moment may be that of somebody's file: a recovered store, say. */
static void test_what_stands_beside_is_kept(void **state)
{
    (void)state;
    const char *beside = text("%s.new", path);
    struct store *store = open_store(url, 1000);
    fill(store, 1);
    store_close(store);
    assert_int_equal(rename(path, beside), 0);
    store = open_store(url, 1000);
    const char *value = value_of(store, "fill/00000");
    store_close(store);
    assert_string_equal(value, "(down)");
    assert_true(size_of_file(beside) > 0);
    assert_int_equal(truncate(beside, 0), 0); /* left by one who was stopped */
    store = open_store(url, 1000);
    value = value_of(store, "fill/00000");
    store_close(store);
    assert_string_equal(value, "(absent)");
    assert_int_equal(size_of_file(beside), -1);
}

/* SQLite would delete the log of an empty file, and all that is in it. */
static void test_a_log_with_content_is_kept(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct store *store = open_store(url, 5000);
        fill(store, 100);
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
    assert_int_equal(truncate(path, 0), 0);
    log_begin();
    struct store *store = open_store(url, 1000);
    const char *first = value_of(store, "fill/00000"), *second = value_of(store, "fill/00000");
    store_close(store);
    const char *log = log_end();
    assert_string_equal(first, "(down)");
    assert_string_equal(second, "(absent)");
    assert_int_equal(count_of(log, "IS CORRUPT (it is empty"), 1);
    run_command(text("test -e %s.corrupt-*Z && test -s %s.corrupt-*Z-wal", path, path));
}

/* Cut off under a store in use. Another one comes first and puts it aside, with the log; nothing is written beside it. */
static void test_cut_off_in_use(void **state)
{
    (void)state;
    struct store *store = open_store(url, 1000);
    fill(store, 100);
    assert_int_equal(truncate(path, 0), 0);
    log_begin();
    struct store *other = open_store(url, 1000);
    const char *first = value_of(other, "fill/00000");
    enum store_outcome outcome = store_put(other, "a", span_of("b"), 0, T);
    const char *value = value_of(store, "a");
    store_close(other);
    const char *last = value_of(store, "a");
    store_close(store);
    const char *log = log_end();
    assert_string_equal(first, "(down)");
    assert_int_equal(outcome, STORE_OK);
    assert_string_equal(value, "b");
    assert_string_equal(last, "b");
    assert_int_equal(count_of(log, "IS CORRUPT (it is empty"), 1);
    assert_int_equal(count_of(log, "IS NOT THE FILE IT WAS"), 1);
}

/* What was logged while CHILDREN processes open the store for the first time and put a row each. */
static const char *start_together(int children)
{
    pid_t pids[16];
    int failed = 0, status;
    log_begin();
    for (int i = 0; i < children; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct store *store = open_store(url, 20000);
            enum store_outcome outcome = store_put(store, text("from/%d", i), span_of("x"), 0, T);
            store_close(store);
            _exit(outcome != STORE_OK);
        }
    }
    for (int i = 0; i < children; i++) {
        waitpid(pids[i], &status, 0);
        failed += status != 0;
    }
    const char *log = log_end();
    assert_int_equal(failed, 0);
    return log;
}

static void test_a_first_start_is_quiet(void **state)
{
    for (int round = 0; round < 5; round++) {
        set_up(state);
        assert_string_equal(start_together(12), "");
    }
}

/* Whoever made it came no further; what he did before that lies beside it. */
static void test_a_blank_file_is_quiet(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(newfile_create_blank(path), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_true(newfile_is_blank(&st));
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(newfile_create_blank(path), -1);
    run_command(text("touch %s.new", path));
    assert_string_equal(start_together(2), "");
    set_up(NULL);
    run_command(text("touch %s.new", path));
    assert_string_equal(start_together(2), "");
    assert_int_equal(count_files(text("%s.new", name), ""), 0);
}

/* At any moment of a first start. */
static void test_killed_at_a_first_start(void **state)
{
    int made = 0;
    for (int round = 0; round < 60; round++) {
        set_up(state);
        pid_t child = fork();
        if (child == 0) {
            store_close(open_store(url, 5000));
            _exit(0);
        }
        usleep((useconds_t)(round * 97));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        made += access(path, F_OK) == 0;
        assert_string_equal(start_together(1), "");
    }
    assert_true(made > 0); /* or nobody got so far */
}

/* The disk is full at the first start: what SQLite began it takes back, and that is no loss. */
static int start_without_room(void)
{
    struct rlimit none = {1000, RLIM_INFINITY}, large = {RLIM_INFINITY, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &none);
    struct store *store = open_store(url, 1000);
    if (strcmp(value_of(store, "a"), "(down)") != 0)
        return 1;
    setrlimit(RLIMIT_FSIZE, &large);
    sleep_ms(1100);
    if (store_put(store, "a", span_of("b"), 0, T) != STORE_OK)
        return 2;
    store_close(store);
    return 0;
}

static void test_no_room_at_a_first_start(void **state)
{
    (void)state;
    int status;
    log_begin();
    pid_t child = fork();
    if (child == 0)
        _exit(start_without_room());
    waitpid(child, &status, 0);
    const char *log = log_end();
    assert_int_equal(status, 0);
    assert_int_equal(count_of(log, ALARM), 0);
    assert_int_equal(count_of(log, "event=store-up"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_lost_content_is_told_once, set_up),
        cmocka_unit_test_setup(test_what_stands_beside_is_kept, set_up),
        cmocka_unit_test_setup(test_a_log_with_content_is_kept, set_up),
        cmocka_unit_test_setup(test_cut_off_in_use, set_up),
        cmocka_unit_test_setup(test_a_first_start_is_quiet, set_up),
        cmocka_unit_test_setup(test_a_blank_file_is_quiet, set_up),
        cmocka_unit_test_setup(test_killed_at_a_first_start, set_up),
        cmocka_unit_test_setup(test_no_room_at_a_first_start, set_up),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
