/* A real server: what clients may do, and what they may not. */
#include "unit.h"

#include "place.h"
#include "util/clock.h"
#include "util/log.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int connected(const struct place *place)
{
    int fd = place_connect(place->path);
    if (fd < 0)
        fail_msg("connect: %s", strerror(errno));
    return fd;
}

static void test_answers(void **state)
{
    const struct place *place = *state;
    int fd = connected(place);
    assert_string_equal(client_ask(fd, "forward u@remote.example"), "OK SRS0=remote.example=u@srs.example.net");
    assert_string_equal(client_ask(fd, "reverse SRS0=remote.example=u@srs.example.net"), "OK u@remote.example");
    assert_string_equal(client_ask(fd, "forward u@example.net"), "NOTFOUND ");
    assert_string_equal(client_ask(fd, "forward down@remote.example"), "TEMP the store does not answer");
    assert_string_equal(client_ask(fd, "srs u@example.net"), "PERM unknown map srs; there are forward and reverse");
    client_ask_many(fd, 0, 100);
    close(fd);
}

/* Many requests in one write, more than are read at once, the last one in two pieces. */
static void test_pipelined(void **state)
{
    const struct place *place = *state;
    enum { COUNT = 3000 };
    char *all = malloc(COUNT * 40);
    size_t len = 0;
    for (int i = 0; i < COUNT; i++)
        len += (size_t)sprintf(all + len, "25:forward u%04d@remote.test,", i);
    int fd = connected(place);
    client_send(fd, all, len - 5);
    for (int i = 0; i < COUNT; i++) {
        char expected[100];
        if (i == COUNT - 1)
            client_send(fd, all + len - 5, 5);
        snprintf(expected, sizeof expected, "OK SRS0=remote.test=u%04d@srs.example.net", i);
        assert_string_equal(client_read(fd), expected);
    }
    free(all);
    close(fd);
}

static void test_octet_by_octet(void **state)
{
    const struct place *place = *state;
    static const char bytes[] = "24:forward u@remote.example,24:forward v@remote.example,";
    int fd = connected(place);
    for (size_t i = 0; i < sizeof bytes - 1; i++) {
        client_send(fd, bytes + i, 1);
        clock_sleep_us(2000);
    }
    assert_string_equal(client_read(fd), "OK SRS0=remote.example=u@srs.example.net");
    assert_string_equal(client_read(fd), "OK SRS0=remote.example=v@srs.example.net");
    close(fd);
}

static void test_half_closed(void **state)
{
    const struct place *place = *state;
    int fd = connected(place);
    client_send(fd, "24:forward u@remote.example,", 28);
    shutdown(fd, SHUT_WR);
    assert_string_equal(client_read(fd), "OK SRS0=remote.example=u@srs.example.net");
    assert_null(client_read(fd));
    close(fd);
}

/* What was whole before the broken one is answered. */
static void test_broken(void **state)
{
    const struct place *place = *state;
    static const char *const rows[] = {"get u@remote.example\n", "2049:", "024:forward u@remote.example,",
                                       "24:forward u@remote.example;", "99999999999999999999:"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int fd = connected(place);
        client_send(fd, "24:forward u@remote.example,", 28);
        client_send(fd, rows[i], strlen(rows[i]));
        assert_string_equal(client_read(fd), "OK SRS0=remote.example=u@srs.example.net");
        assert_null(client_read(fd));
        close(fd);
    }
    int fd = connected(place);
    char longest[SOCKETMAP_REQUEST_MAX + 1] = "forward ";
    memset(longest + 8, 'x', sizeof longest - 9);
    assert_string_equal(client_ask(fd, longest), "NOTFOUND ");
    client_ask_many(fd, 0, 1);
    close(fd);
}

struct crowd {
    const struct place *place;
    int number;
};

static void *ask_in_turn(void *context)
{
    struct crowd *crowd = context;
    int fds[20];
    for (int i = 0; i < 20; i++)
        fds[i] = connected(crowd->place);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 20; i++)
            client_ask_many(fds[i], crowd->number * 1000 + i, crowd->number * 1000 + i + 3);
    }
    for (int i = 0; i < 20; i++)
        close(fds[i]);
    return NULL;
}

static void test_many_clients(void **state)
{
    struct crowd crowds[8];
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        crowds[i] = (struct crowd){*state, i};
        assert_int_equal(pthread_create(&threads[i], NULL, ask_in_turn, &crowds[i]), 0);
    }
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
}

static void test_slow_look_ups(void **state)
{
    const struct place *place = *state;
    int slow[3];
    for (int i = 0; i < 3; i++) {
        slow[i] = connected(place);
        client_send(slow[i], "27:forward slow@remote.example,", 31);
    }
    while (fake_srs_waiting() < 3)
        clock_sleep_us(1000);
    int fd = connected(place);
    client_ask_many(fd, 0, 100);
    fake_srs_release();
    for (int i = 0; i < 3; i++) {
        assert_string_equal(client_read(slow[i]), "OK SRS0=remote.example=slow@srs.example.net");
        close(slow[i]);
    }
    close(fd);
}

/* How many seconds until the other side closes, with nothing but answers read. */
static double seconds_to_end(int fd, int64_t start, bool reads)
{
    struct pollfd wait = {.fd = fd, .events = reads ? POLLIN : 0};
    assert_true(poll(&wait, 1, 15000) == 1);
    char byte;
    if (reads)
        assert_true(recv(fd, &byte, 1, 0) <= 0);
    return (double)(clock_monotonic_us() - start) / 1e6;
}

/* At the same time: one that stays idle, one that does not finish, one that finishes an octet a second, one that asks
 * and never reads. */
static void test_time(void **state)
{
    const struct place *place = *state;
    int idle = connected(place), unfinished = connected(place), dripping = connected(place), deaf = connected(place);
    client_ask_many(idle, 0, 1);
    client_ask_many(unfinished, 0, 1);
    int64_t start = clock_monotonic_us();
    client_send(unfinished, "24:forward u@", 13);
    size_t sent = 0;
    for (struct pollfd wait = {.fd = deaf, .events = POLLOUT}; poll(&wait, 1, 300) == 1; sent += 28)
        send(deaf, "24:forward u@remote.example,", 28, MSG_DONTWAIT | MSG_NOSIGNAL);
    assert_true(sent > 1000);
    for (int i = 0; i < 8; i++) {
        client_send(dripping, &"24:forward u@"[i], 1);
        clock_sleep_us(1000000);
        client_ask_many(idle, i, i + 10);
    }
    double seconds = seconds_to_end(unfinished, start, true);
    assert_true(seconds > 9.9 && seconds < 12.5);
    assert_true(seconds_to_end(dripping, start, true) < 12.5);
    assert_true(seconds_to_end(deaf, start, false) < 12.5);
    clock_sleep_us(1500000);
    client_ask_many(idle, 0, 1);
    close(idle);
    close(unfinished);
    close(dripping);
    close(deaf);
}

static void test_too_many(void **state)
{
    const struct place *place = *state;
    enum { MOST = SOCKETMAP_CONNECTIONS_MAX };
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = 3 * MOST;
    if (limit.rlim_cur > limit.rlim_max || setrlimit(RLIMIT_NOFILE, &limit) != 0)
        skip();
    static int fds[MOST];
    for (int i = 0; i < MOST; i++) {
        fds[i] = connected(place);
        client_ask_many(fds[i], i, i + 1);
    }
    int more = connected(place);
    assert_null(client_read(more));
    close(more);
    client_ask_many(fds[0], 0, 10);
    close(fds[1]);
    for (const char *answer = NULL; !answer; clock_sleep_us(1000)) { /* until that was noticed */
        fds[1] = connected(place);
        struct pollfd wait = {.fd = fds[1], .events = POLLIN};
        if (poll(&wait, 1, 50) == 1) {
            close(fds[1]);
            continue;
        }
        answer = client_ask(fds[1], "forward u@remote.example");
        assert_non_null(answer);
    }
    for (int i = 0; i < MOST; i++)
        close(fds[i]);
    setrlimit(RLIMIT_NOFILE, &before);
}

/* accept() finds no descriptor: who connects waits until there is one, the others do not. */
static void test_no_descriptor(void **state)
{
    const struct place *place = *state;
    struct rlimit before, limit;
    int first = connected(place);
    client_ask_many(first, 0, 1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = dup(first); /* the lowest free number; ours, and none is left for the server */
    close(next);
    limit = before;
    limit.rlim_cur = (rlim_t)next + 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int late = connected(place);
    assert_int_equal(late, next);
    client_send(late, "24:forward u@remote.example,", 28);
    struct pollfd wait = {.fd = late, .events = POLLIN};
    clock_t busy = clock();
    assert_int_equal(poll(&wait, 1, 300), 0);
    assert_true(clock() - busy < CLOCKS_PER_SEC / 10); /* the server does not try all the time */
    client_ask_many(first, 0, 10);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_string_equal(client_read(late), "OK SRS0=remote.example=u@srs.example.net");
    close(late);
    close(first);
}

int main(void)
{
    static const struct log_options quiet = {"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0};
    log_open(&quiet);
#define TEST(name) cmocka_unit_test_setup_teardown(name, place_begin_open, place_end)
    const struct CMUnitTest tests[] = {
        TEST(test_answers), TEST(test_pipelined),     TEST(test_octet_by_octet), TEST(test_half_closed),
        TEST(test_broken),  TEST(test_many_clients),  TEST(test_too_many),       TEST(test_no_descriptor),
        TEST(test_time),    TEST(test_slow_look_ups), /* the last: what it releases stays so */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
