/*
 * What systemd hears: NOTIFY_SOCKET is the test's own, and posternd speaks to it as sd_notify(3) says.
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
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int notify_fd = -1;

static int setup(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (tree_setup(state) != 0)
        return -1;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", tree_path("notify"));
    notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    return bind(notify_fd, (struct sockaddr *)&address, sizeof address);
}

static int teardown(void **state)
{
    close(notify_fd);
    unsetenv("NOTIFY_SOCKET");
    return tree_teardown(state);
}

/* The next message that is no mere STATUS, within PATIENCE ms; "" if there is none. */
static const char *next_message(int patience)
{
    static char text[512];
    for (long long end = tree_now() + patience;;) {
        struct pollfd poll_fd = {.fd = notify_fd, .events = POLLIN};
        long long left = end - tree_now();
        text[0] = '\0';
        if (left < 0 || poll(&poll_fd, 1, (int)left) != 1)
            return text;
        ssize_t len = recv(notify_fd, text, sizeof text - 1, 0);
        assert_true(len > 0);
        text[len] = '\0';
        if (strncmp(text, "STATUS=", 7) != 0)
            return text;
    }
}

static void expect_ready(void)
{
    assert_string_equal(next_message(TREE_PATIENCE), "READY=1");
}

static long long monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* BEFORE: when the reload was asked for. */
static void expect_reloading(long long before)
{
    long long when = 0;
    int used = 0;
    const char *text = next_message(TREE_PATIENCE);
    if (sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%lld%n", &when, &used) != 1 || text[used] != '\0')
        fail_msg("not the word of a reload: \"%s\"", text);
    assert_true(when >= before && when <= monotonic_us());
}

static void end(pid_t master)
{
    kill(master, SIGTERM);
    assert_string_equal(next_message(TREE_PATIENCE), "STOPPING=1");
    assert_int_equal(tree_wait(master), 0);
    assert_string_equal(next_message(0), "");
}

static void test_start_and_stop(void **state)
{
    (void)state;
    tree_config("start_delay=1000\n");
    pid_t master = tree_start();
    assert_string_equal(next_message(200), ""); /* there is no worker yet */
    expect_ready();
    assert_int_equal(tree_count_log("is active"), 1);
    int session = tree_connect(NULL, NULL);
    kill(master, SIGTERM);
    assert_string_equal(next_message(TREE_PATIENCE), "STOPPING=1");
    tree_expect_echo(session, "still served");
    close(session);
    assert_int_equal(tree_wait(master), 0);
    assert_string_equal(next_message(0), "");
}

static void test_never_ready(void **state)
{
    (void)state;
    tree_config("start_status=3\n");
    assert_int_not_equal(tree_wait(tree_start()), 0);
    for (const char *text = next_message(0); *text; text = next_message(0))
        assert_null(strstr(text, "READY"));
}

static void test_reload(void **state)
{
    (void)state;
    tree_config("close_delay=1000\n");
    pid_t master = tree_start();
    expect_ready();
    tree_config("id=second\nstart_delay=1000\n");
    long long before = monotonic_us();
    kill(master, SIGHUP);
    expect_reloading(before);
    assert_string_equal(next_message(200), ""); /* the new worker is not there yet */
    tree_await_log(" drains", 1);
    assert_string_equal(next_message(200), ""); /* the old one still takes connections */
    expect_ready();
    assert_int_equal(tree_count_log("reload done"), 1);
    tree_config("bad=one\n"); /* the old one stays, and is ready */
    before = monotonic_us();
    kill(master, SIGHUP);
    expect_reloading(before);
    expect_ready();
    end(master);
}

/* Who stops in the middle of a reload is not ready again. */
static void test_stop_during_reload(void **state)
{
    (void)state;
    tree_config("");
    pid_t master = tree_start();
    expect_ready();
    tree_config("start_delay=1000\n");
    long long before = monotonic_us();
    kill(master, SIGHUP);
    expect_reloading(before);
    end(master);
}

static void test_status(void **state)
{
    (void)state;
    char text[512];
    tree_config("");
    pid_t master = tree_start_ready(), worker;
    close(tree_connect(&worker, NULL));
    char wanted[64];
    snprintf(wanted, sizeof wanted, "STATUS=worker %d is active, 1 in all", (int)worker);
    for (bool found = false; !found;) {
        struct pollfd poll_fd = {.fd = notify_fd, .events = POLLIN};
        assert_int_equal(poll(&poll_fd, 1, TREE_PATIENCE), 1);
        ssize_t len = recv(notify_fd, text, sizeof text - 1, 0);
        text[len > 0 ? len : 0] = '\0';
        found = strcmp(text, wanted) == 0;
    }
    end(master);
}

#define NOTIFY_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(int argc, char **argv)
{
    if (fake_worker_wanted(argc, argv))
        return fake_worker_main(argc, argv);
#ifndef HAVE_LIBSYSTEMD
    return 77; /* automake's word for a test that was skipped */
#endif
    const struct CMUnitTest tests[] = {
        NOTIFY_TEST(test_start_and_stop),     NOTIFY_TEST(test_never_ready), NOTIFY_TEST(test_reload),
        NOTIFY_TEST(test_stop_during_reload), NOTIFY_TEST(test_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
