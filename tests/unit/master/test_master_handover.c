/*
 * The moment of a reload in which both workers listen: who is told what, and who may hang or die in it.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "unit.h"

#include "fake_worker.h"
#include "tree.h"
#include <signal.h>
#include <unistd.h>

/* Nobody is told of the new worker while the old one takes connections, and the master does not sleep meanwhile. */
static void test_old_one_takes_its_time(void **state)
{
    (void)state;
    struct strbuf out;
    tree_config("close_delay=1500\n");
    pid_t master = tree_start_ready();
    tree_config("id=second\n");
    pid_t first = tree_ctl_start("reload");
    tree_await_log(" drains", 1);
    long long begin = tree_now();
    pid_t second = tree_ctl_start("reload");
    assert_int_equal(tree_ctl("status", NULL, &out), 0);
    assert_non_null(strstr(strbuf_text(&out), "draining"));
    strbuf_free(&out);
    assert_true(tree_now() - begin < 1000);
    assert_int_equal(tree_count_log("is active"), 1);
    assert_int_equal(tree_wait(first), 0);
    tree_expect_id("second");
    assert_true(tree_now() - begin >= 1400);
    assert_int_equal(tree_wait(second), 0);
    assert_int_equal(tree_count_log("reload done"), 2);
    assert_int_equal(tree_count_log("does not say"), 0);
    tree_end(master);
}

static void test_old_one_says_nothing(void **state)
{
    (void)state;
    struct strbuf out;
    tree_config("mute=1\n");
    pid_t master = tree_start_ready();
    int session = tree_connect(NULL, NULL);
    long long begin = tree_now();
    assert_int_equal(tree_reload_with("id=second\n", &out), 0);
    strbuf_free(&out);
    assert_true(tree_now() - begin >= 5000);
    assert_int_equal(tree_count_log("drains, but does not say that it takes no more connections"), 1);
    tree_expect_id("second");
    begin = tree_now();
    assert_int_equal(tree_reload_with("id=third\n", &out), 0); /* it is not waited for again, though it is still there */
    strbuf_free(&out);
    assert_true(tree_now() - begin < 4000);
    tree_expect_id("third");
    tree_expect_echo(session, "still here");
    close(session);
    tree_end(master);
}

static void crash_session(int session)
{
    char line[256];
    tree_send(session, "crash\n");
    tree_read(session, line);
    assert_string_equal(line, "");
    close(session);
}

static void test_old_one_dies_meanwhile(void **state)
{
    (void)state;
    tree_config("mute=1\n");
    pid_t master = tree_start_ready();
    int session = tree_connect(NULL, NULL);
    tree_config("id=second\n");
    pid_t reload = tree_ctl_start("reload");
    tree_await_log(" drains", 1);
    long long begin = tree_now();
    assert_int_equal(tree_count_log("is active"), 1);
    crash_session(session);
    assert_int_equal(tree_wait(reload), 0);
    assert_true(tree_now() - begin < 4000);
    tree_expect_id("second");
    tree_end(master);
}

/* The reload has failed, and yet the old configuration is gone. */
static void test_new_one_dies_meanwhile(void **state)
{
    (void)state;
    pid_t old, pid;
    tree_config("mute=1\n");
    pid_t master = tree_start_ready();
    int kept = tree_connect(&old, NULL), session;
    tree_config("id=second\n");
    pid_t reload = tree_ctl_start("reload");
    tree_await_log(" drains", 1);
    long long begin = tree_now();
    while (session = tree_connect(&pid, NULL), pid == old) {
        close(session);
        assert_true(tree_now() - begin < 4000);
    }
    crash_session(session);
    assert_int_equal(tree_wait(reload), 70);
    assert_true(tree_now() - begin < 4000);
    assert_int_equal(tree_count_log("the new worker died while it took over"), 1);
    assert_int_equal(tree_count_log("stays in force"), 0);
    tree_expect_id("second");
    tree_expect_echo(kept, "still here");
    tree_await_log("is active", 2); /* five seconds later */
    close(kept);
    tree_end(master);
}

static void test_stop_meanwhile(void **state)
{
    (void)state;
    tree_config("mute=1\n");
    pid_t master = tree_start_ready();
    int session = tree_connect(NULL, NULL);
    tree_config("id=second\n");
    pid_t reload = tree_ctl_start("reload");
    tree_await_log(" drains", 1);
    kill(master, SIGTERM);
    assert_int_equal(tree_wait(reload), 75);
    close(session);
    assert_int_equal(tree_wait(master), 0);
    assert_int_equal(tree_count_log("is active"), 1);
}

#define TREE_TEST(function) cmocka_unit_test_setup_teardown(function, tree_setup, tree_teardown)

int main(int argc, char **argv)
{
    if (fake_worker_wanted(argc, argv))
        return fake_worker_main(argc, argv);
    const struct CMUnitTest tests[] = {
        TREE_TEST(test_old_one_takes_its_time), TREE_TEST(test_old_one_says_nothing),
        TREE_TEST(test_old_one_dies_meanwhile), TREE_TEST(test_new_one_dies_meanwhile),
        TREE_TEST(test_stop_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
