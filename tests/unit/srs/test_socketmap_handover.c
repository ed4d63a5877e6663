/* Opening, what is refused, and one server that takes over from another. */
#include "unit.h"

#include "place.h"
#include "util/clock.h"
#include "util/log.h"
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void check_problem(struct place *place, const char *text)
{
    const char *problem = place_problem(place);
    if (!strstr(problem, text))
        fail_msg("%s", problem);
}

static void test_problems(void **state)
{
    struct place *place = *state;
    char socket[300];
    place->options.socket = "srs.sock";
    check_problem(place, "socketmap: \"srs.sock\" is neither unix:PATH");
    snprintf(socket, sizeof socket, "unix:%s/missing/srs.sock", place->directory);
    place->options.socket = socket;
    check_problem(place, "No such file or directory");
    snprintf(socket, sizeof socket, "unix:%s/%090d", place->directory, 0);
    check_problem(place, "bytes long, a unix socket's may have 107");
    place->options.socket = place->socket;
    place->options.group = "no-such-group";
    check_problem(place, "socketmap_group: there is no group \"no-such-group\"");
    place->options.group = NULL;
    FILE *file = fopen(place->path, "w");
    fclose(file);
    check_problem(place, "exists and is no socket; it is left alone");
    struct stat there;
    assert_int_equal(stat(place->path, &there), 0);
    assert_true(S_ISREG(there.st_mode));
}

static void test_mode_and_group(void **state)
{
    struct place *place = *state;
    struct stat there;
    struct group *group = getgrgid(getegid());
    place->options.mode = 0620;
    place->options.group = group ? group->gr_name : NULL;
    place->map = place_open(place);
    assert_int_equal(lstat(place->path, &there), 0);
    assert_true(S_ISSOCK(there.st_mode));
    assert_int_equal(there.st_mode & 07777, 0620);
    assert_int_equal(there.st_gid, getegid());
    socketmap_close(place->map);
    place->map = NULL;
    assert_int_equal(lstat(place->path, &there), -1);
}

static void test_stale_socket(void **state)
{
    struct place *place = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", place->path);
    int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof address), 0);
    close(stale);
    place->map = place_open(place);
    int fd = place_connect(place->path);
    client_ask_many(fd, 0, 1);
    close(fd);
}

/* The old one answers who is connected to it, and leaves the new one's path alone. */
static void test_replaced(void **state)
{
    struct place *place = *state;
    struct socketmap *old = place_open(place);
    int before = place_connect(place->path);
    client_ask_many(before, 0, 1);
    place->map = place_open(place);
    int between = place_connect(place->path);
    socketmap_drain(old);
    socketmap_drain(old);
    int after = place_connect(place->path);
    assert_true(after >= 0);
    client_ask_many(before, 0, 10);
    client_ask_many(between, 0, 10);
    socketmap_close(old);
    assert_null(client_read(before));
    client_ask_many(between, 0, 10);
    client_ask_many(after, 0, 10);
    close(before);
    close(between);
    close(after);
    assert_int_equal(access(place->path, F_OK), 0);
    socketmap_drain(place->map);
    assert_int_equal(access(place->path, F_OK), -1);
}

/* All threads wait for the store; who stands in the backlog meanwhile is not lost by the drain. */
static void test_backlog(void **state)
{
    struct place *place = *state;
    place->map = place_open(place);
    int slow[4], waiting[5];
    for (int i = 0; i < 4; i++) {
        slow[i] = place_connect(place->path);
        client_send(slow[i], "27:forward slow@remote.example,", 31);
    }
    while (fake_srs_waiting() < 4)
        clock_sleep_us(1000);
    for (int i = 0; i < 5; i++)
        waiting[i] = place_connect(place->path);
    client_send(waiting[0], "24:forward u@remote.example,", 28);
    socketmap_drain(place->map);
    assert_int_equal(place_connect(place->path), -1);
    fake_srs_release();
    assert_string_equal(client_read(waiting[0]), "OK SRS0=remote.example=u@srs.example.net");
    for (int i = 0; i < 5; i++) {
        client_ask_many(waiting[i], 0, 2);
        close(waiting[i]);
    }
    for (int i = 0; i < 4; i++) {
        assert_string_equal(client_read(slow[i]), "OK SRS0=remote.example=slow@srs.example.net");
        close(slow[i]);
    }
}

struct callers {
    const struct place *place;
    _Atomic bool is_over;
    _Atomic int calls;
};

/* Connects anew for each request. */
static void *call(void *context)
{
    struct callers *callers = context;
    while (!atomic_load(&callers->is_over)) {
        int fd = place_connect(callers->place->path);
        if (fd < 0)
            fail_msg("connect: %s", strerror(errno));
        client_ask_many(fd, 0, 1);
        close(fd);
        atomic_fetch_add(&callers->calls, 1);
    }
    return NULL;
}

/* One reload after the other, and nobody is refused. */
static void test_under_load(void **state)
{
    struct place *place = *state;
    struct callers callers = {.place = place};
    pthread_t threads[3];
    struct socketmap *old[20];
    place->map = place_open(place);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, call, &callers), 0);
    for (int i = 0; i < 20; i++) {
        old[i] = place->map;
        place->map = place_open(place);
        clock_sleep_us(5000);
        socketmap_drain(old[i]);
        clock_sleep_us(5000);
    }
    atomic_store(&callers.is_over, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_true(atomic_load(&callers.calls) > 60);
    for (int i = 0; i < 20; i++)
        socketmap_close(old[i]);
    assert_int_equal(access(place->path, F_OK), 0);
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void test_inet(void **state)
{
    struct place *place = *state;
    char socket[64];
    int port = free_port(), fds[40];
    snprintf(socket, sizeof socket, "inet:%d@127.0.0.1", port);
    place->options.socket = socket;
    struct socketmap *old = place_open(place);
    place->map = place_open(place);
    for (int i = 0; i < 40; i++) /* by chance to the one or to the other */
        fds[i] = place_connect_inet(port);
    socketmap_drain(old);
    for (int i = 0; i < 40; i++)
        client_ask_many(fds[i], 0, 3);
    for (int i = 0; i < 40; i++) {
        int fd = place_connect_inet(port);
        client_ask_many(fd, 0, 1);
        close(fd);
    }
    socketmap_close(old);
    for (int i = 0; i < 40; i++)
        close(fds[i]);
}

static void test_inet_is_taken(void **state)
{
    struct place *place = *state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char option[64];
    int port = free_port(), other = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_port = htons((uint16_t)port);
    assert_int_equal(bind(other, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(other, 1), 0);
    snprintf(option, sizeof option, "inet:%d@127.0.0.1", port);
    place->options.socket = option;
    snprintf(option, sizeof option, "inet:%d@127.0.0.1", port);
    check_problem(place, "Address already in use");
    close(other);
}

int main(void)
{
    static const struct log_options quiet = {"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0};
    log_open(&quiet);
#define TEST(name) cmocka_unit_test_setup_teardown(name, place_begin, place_end)
    const struct CMUnitTest tests[] = {
        TEST(test_problems),      TEST(test_mode_and_group), TEST(test_stale_socket),
        TEST(test_replaced),      TEST(test_under_load),     TEST(test_inet),
        TEST(test_inet_is_taken), TEST(test_backlog), /* the last: what it releases stays so */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
