/*
 * What happens while posternd runs: reload, crash and back-off, status, the control socket.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "unit.h"

#include "fake_worker.h"
#include "tree.h"
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_good(void **state)
{
    (void)state;
    struct strbuf out;
    pid_t old, new;
    tree_config("");
    pid_t master = tree_start_ready();
    int session = tree_connect(&old, NULL);
    assert_int_equal(tree_reload_with("id=second\n", &out), 0);
    assert_non_null(strstr(strbuf_text(&out), "the new configuration is in force, in worker "));
    strbuf_free(&out);
    tree_expect_id("second");
    close(tree_connect(&new, NULL));
    assert_int_not_equal(old, new);
    tree_expect_echo(session, "on the old one");
    assert_int_equal(tree_ctl("status", NULL, &out), 0);
    assert_non_null(strstr(strbuf_text(&out), "draining"));
    assert_non_null(strstr(strbuf_text(&out), "active"));
    strbuf_free(&out);
    close(session);
    tree_await_gone(old);

    tree_config("id=third\n");
    kill(master, SIGHUP);
    tree_await_log("reload done", 2);
    tree_expect_id("third");
    tree_end(master);
}

static void test_bad(void **state)
{
    (void)state;
    struct strbuf out;
    char id[64];
    pid_t before, after;
    tree_config("");
    pid_t master = tree_start_ready();
    int session = tree_connect(&before, NULL);
    assert_int_equal(tree_reload_with("bad=one\nbad=two\n", &out), 78);
    assert_non_null(strstr(strbuf_text(&out), "conf:7: one\n"));
    assert_non_null(strstr(strbuf_text(&out), "conf:8: two\n"));
    strbuf_free(&out);
    tree_await_log("conf:8: two", 1);
    assert_int_equal(tree_reload_with("start_status=3\n", &out), 70); /* passes the check and dies at its start */
    strbuf_free(&out);
    assert_int_equal(tree_reload_with("start_status=78\n", &out), 78);
    strbuf_free(&out);
    tree_expect_echo(session, "unharmed");
    close(tree_connect(&after, id));
    assert_int_equal(before, after);
    assert_string_equal(id, "first");
    close(session);
    tree_end(master);
}

static void test_needs_restart(void **state)
{
    (void)state;
    struct strbuf out;
    tree_config("");
    pid_t master = tree_start_ready();
    assert_int_equal(tree_reload_with("socket=unix:/elsewhere\nsocket_mode=0600\n", &out), 0);
    assert_non_null(strstr(strbuf_text(&out), "only after a restart of posternd: socket, socket_mode\n"));
    strbuf_free(&out);
    close(tree_connect(NULL, NULL));
    tree_end(master);
}

static void test_two_at_once(void **state)
{
    (void)state;
    struct strbuf out;
    tree_config("");
    pid_t master = tree_start_ready();
    tree_config("check_delay=700\nid=second\n");
    pid_t first = tree_ctl_start("reload");
    tree_await_log("reload: checking", 1);
    tree_config("check_delay=700\nid=third\n"); /* the first check may not have read the file yet */
    pid_t second = tree_ctl_start("reload"), third = tree_ctl_start("reload");
    long long begin = tree_now();
    assert_int_equal(tree_ctl("status", NULL, &out), 0); /* the check runs, and the master answers */
    strbuf_free(&out);
    assert_true(tree_now() - begin < 600);
    assert_int_equal(tree_wait(first), 0);
    assert_int_equal(tree_wait(second), 0);
    assert_int_equal(tree_wait(third), 0);
    assert_int_equal(tree_count_log("reload: checking"), 2);
    tree_expect_id("third");
    tree_end(master);
}

static void crash(pid_t *pid)
{
    int session = tree_connect(pid, NULL);
    char line[256];
    tree_send(session, "crash\n");
    tree_read(session, line);
    assert_string_equal(line, "");
    close(session);
}

static void test_crash(void **state)
{
    (void)state;
    pid_t dead, next;
    tree_config("");
    pid_t master = tree_start_ready();
    crash(&dead);
    long long begin = tree_now();
    close(tree_connect(&next, NULL)); /* never refused: it waits in the backlog */
    assert_true(tree_now() - begin < 1000);
    assert_int_not_equal(dead, next);
    tree_await_log("died of signal 9", 1);
    assert_int_equal(tree_count_log("the next worker starts in"), 0);

    crash(NULL);
    tree_await_log("the next worker starts in 0.1 s", 1);
    crash(NULL);
    tree_await_log("the next worker starts in 0.2 s", 1);
    begin = tree_now();
    int session = tree_connect(NULL, NULL);
    assert_in_range(tree_now() - begin, 100, 1200);
    tree_expect_echo(session, "alive");
    close(session);
    tree_end(master);
}

static void test_crash_loop_and_repair(void **state)
{
    (void)state;
    struct strbuf out;
    char id[64];
    tree_config("");
    pid_t master = tree_start_ready();
    tree_config("start_status=3\n");
    crash(NULL);
    tree_await_log("the next worker starts in 1.6 s", 1); /* time enough for the reload to be first */
    int waiting = tree_try_connect(tree_path("sock"));
    assert_true(waiting >= 0);
    assert_int_equal(tree_reload_with("id=repaired\n", &out), 0);
    strbuf_free(&out);
    char line[256];
    tree_read(waiting, line);
    assert_non_null(strstr(line, "repaired"));
    close(waiting);
    poll(NULL, 0, 2000); /* the restart that was due is not */
    close(tree_connect(NULL, id));
    assert_string_equal(id, "repaired");
    assert_int_equal(tree_count_log("is active"), 2);
    tree_end(master);
}

static void test_status(void **state)
{
    (void)state;
    struct strbuf out;
    char expected[256];
    tree_config("");
    pid_t master = tree_start_ready(), worker;
    int one = tree_connect(NULL, NULL), two = tree_connect(NULL, NULL);
    tree_expect_echo(one, "count");
    tree_expect_echo(two, "count");
    assert_int_equal(tree_reload_with("", &out), 0);
    strbuf_free(&out);
    int three = tree_connect(&worker, NULL);
    tree_expect_echo(three, "count");
    assert_int_equal(tree_ctl("status", "--json", &out), 0);
    snprintf(expected, sizeof expected, "\"pid\":\t%d", (int)master);
    assert_non_null(strstr(strbuf_text(&out), expected));
    assert_non_null(strstr(strbuf_text(&out), "\"counted\":\t3"));
    assert_non_null(strstr(strbuf_text(&out), "\"workers\":\t2"));
    assert_non_null(strstr(strbuf_text(&out), "\"sessions\":\t3"));
    assert_non_null(strstr(strbuf_text(&out), "\"checksum\":\t\"c0ffee\""));
    strbuf_free(&out);
    close(one);
    close(two);
    tree_await_log("(draining) exited with status 0", 1);
    tree_expect_echo(three, "count");
    assert_int_equal(tree_ctl("status", NULL, &out), 0);
    assert_non_null(strstr(strbuf_text(&out), "           4  counted\n")); /* those of the one that is gone, too */
    assert_non_null(strstr(strbuf_text(&out), "sessions open   1\n"));
    snprintf(expected, sizeof expected, "configuration   %s\n", tree_path("conf"));
    assert_non_null(strstr(strbuf_text(&out), expected));
    assert_null(strstr(strbuf_text(&out), "draining"));
    strbuf_free(&out);

    kill(worker, SIGSTOP); /* one that hangs does not keep the answer */
    long long begin = tree_now();
    assert_int_equal(tree_ctl("status", NULL, &out), 0);
    assert_in_range(tree_now() - begin, 900, 3000);
    assert_non_null(strstr(strbuf_text(&out), "           4  counted\n"));
    strbuf_free(&out);
    kill(worker, SIGCONT);
    close(three);
    tree_end(master);
}

static void test_control_clients(void **state)
{
    (void)state;
    struct strbuf out;
    char line[256], flood[200];
    int silent[16];
    tree_config("");
    pid_t master = tree_start_ready();

    int fd = tree_try_connect(tree_path("control"));
    memset(flood, 'x', sizeof flood - 1);
    flood[sizeof flood - 1] = '\0';
    tree_send(fd, flood);
    tree_read(fd, line);
    assert_string_equal(line, "error 64");
    close(fd);
    fd = tree_try_connect(tree_path("control"));
    tree_send(fd, "re");
    tree_send(fd, "boot\n");
    tree_read(fd, line);
    assert_string_equal(line, "error 64");
    close(fd);

    long long begin = tree_now();
    for (int i = 0; i < 16; i++) {
        silent[i] = tree_try_connect(tree_path("control"));
        assert_true(silent[i] >= 0);
    }
    assert_int_equal(tree_ctl("status", NULL, &out), 75);
    strbuf_free(&out);
    tree_read(silent[0], line); /* cut off */
    assert_string_equal(line, "");
    assert_in_range(tree_now() - begin, 4500, 7000);
    for (int i = 0; i < 16; i++)
        close(silent[i]);
    assert_int_equal(tree_ctl("status", NULL, &out), 0);
    strbuf_free(&out);
    tree_end(master);
    assert_int_equal(tree_ctl("status", NULL, &out), 69);
    assert_non_null(strstr(strbuf_text(&out), "no posternd is running"));
    strbuf_free(&out);
}

#define TREE_TEST(function) cmocka_unit_test_setup_teardown(function, tree_setup, tree_teardown)

int main(int argc, char **argv)
{
    if (fake_worker_wanted(argc, argv))
        return fake_worker_main(argc, argv);
    const struct CMUnitTest tests[] = {
        TREE_TEST(test_good),          TREE_TEST(test_bad),
        TREE_TEST(test_needs_restart), TREE_TEST(test_two_at_once),
        TREE_TEST(test_crash),         TREE_TEST(test_crash_loop_and_repair),
        TREE_TEST(test_status),        TREE_TEST(test_control_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
