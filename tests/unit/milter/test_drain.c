/*
 * drain with a listener thread like libmilter's: poll() for five seconds, then accept(). It can be held just before the
 * accept(), with the socket already looked up as the kernel does it: on the file, not on the number.
 */
#include "unit.h"

#include "milter/drain.h"
#include "util/clock.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char directory[] = "/tmp/postern-drainXXXXXX";

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

static struct {
    pthread_t thread;
    int fd, old; /* old: the other listener's copy of the socket */
    union address address;
    socklen_t len;
    atomic_int taken;                    /* connections */
    atomic_bool hold, held, end, polled; /* polled: it has been in poll(), or is about to be */
} lib;

static void *listen_like_libmilter(void *context)
{
    while (!atomic_load(&lib.end)) {
        struct pollfd poll_fd = {.fd = lib.fd, .events = POLLIN};
        atomic_store(&lib.polled, true);
        if (poll(&poll_fd, 1, 5000) != 1)
            continue;
        int looked_up = dup(lib.fd);
        while (atomic_load(&lib.hold)) {
            atomic_store(&lib.held, true);
            clock_sleep_us(1000);
        }
        int taken = accept4(looked_up, NULL, NULL, SOCK_CLOEXEC);
        close(looked_up);
        if (taken >= 0) {
            atomic_fetch_add(&lib.taken, 1);
            close(taken);
        }
    }
    return context;
}

/* False: this machine does not have the family. */
static bool begin(int family)
{
    memset(&lib.address, 0, sizeof lib.address);
    lib.address.any.sa_family = (sa_family_t)family;
    lib.len = family == AF_INET6 ? sizeof lib.address.in6 : sizeof lib.address.in;
    if (family == AF_UNIX) {
        lib.len = sizeof lib.address.un;
        snprintf(lib.address.un.sun_path, sizeof lib.address.un.sun_path, "%s/ours", directory);
    } else if (family == AF_INET6) {
        lib.address.in6.sin6_addr = in6addr_loopback;
    } else {
        lib.address.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    lib.fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (lib.fd < 0 || bind(lib.fd, &lib.address.any, lib.len) != 0) {
        assert_int_equal(family, AF_INET6);
        return false;
    }
    assert_int_equal(listen(lib.fd, 5), 0);
    assert_int_equal(getsockname(lib.fd, &lib.address.any, &lib.len), 0);
    lib.old = dup(lib.fd);
    atomic_store(&lib.taken, 0);
    atomic_store(&lib.end, false);
    atomic_store(&lib.polled, false);
    atomic_store(&lib.held, false);
    assert_int_equal(pthread_create(&lib.thread, NULL, listen_like_libmilter, NULL), 0);
    while (!atomic_load(&lib.polled))
        clock_sleep_us(1000);
    clock_sleep_us(20000);
    return true;
}

static int connect_to_old(void)
{
    int fd = socket(lib.address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, &lib.address.any, lib.len), 0);
    return fd;
}

static void await(const atomic_bool *what)
{
    for (int i = 0; !atomic_load(what); i++) {
        assert_true(i < 10000);
        clock_sleep_us(1000);
    }
}

static void await_past(int64_t patience)
{
    int64_t end = clock_monotonic_us() + patience;
    while (!drain_is_past(lib.fd)) {
        assert_true(clock_monotonic_us() < end);
        clock_sleep_us(1000);
    }
}

/* Whoever comes now waits for the other listener. */
static void expect_closed(void)
{
    int before = atomic_load(&lib.taken), client = connect_to_old();
    clock_sleep_us(50000);
    assert_int_equal(atomic_load(&lib.taken), before);
    int taken = accept4(lib.old, NULL, NULL, SOCK_CLOEXEC);
    assert_true(taken >= 0);
    close(taken);
    close(client);
}

static void finish(void)
{
    atomic_store(&lib.end, true);
    assert_int_equal(pthread_kill(lib.thread, SIGURG), 0);
    pthread_join(lib.thread, NULL);
    close(lib.fd);
    close(lib.old);
    if (lib.address.any.sa_family == AF_UNIX)
        unlink(lib.address.un.sun_path);
}

static const int families[] = {AF_UNIX, AF_INET, AF_INET6};

static void test_asleep_in_poll(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        if (!begin(families[i]))
            continue;
        assert_int_equal(drain_listener(lib.fd, lib.thread, directory), 0);
        await_past(2000000); /* it sleeps for five seconds if nobody wakes it */
        expect_closed();
        finish();
    }
}

static void test_in_accept(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        atomic_store(&lib.hold, true);
        if (!begin(families[i])) {
            atomic_store(&lib.hold, false);
            continue;
        }
        int client = connect_to_old();
        await(&lib.held);
        assert_int_equal(drain_listener(lib.fd, lib.thread, directory), 0);
        for (int j = 0; j < 20; j++) {
            assert_false(drain_is_past(lib.fd));
            clock_sleep_us(5000);
        }
        assert_int_equal(atomic_load(&lib.taken), 0);
        atomic_store(&lib.hold, false);
        await_past(2000000);
        assert_true(atomic_load(&lib.taken) >= 1); /* ours may just be on its way */
        clock_sleep_us(20000);
        assert_int_equal(atomic_load(&lib.taken), 2); /* the client, and ours */
        expect_closed();
        close(client);
        finish();
    }
}

static void test_refused(void **state)
{
    (void)state;
    assert_true(begin(AF_UNIX));
    assert_int_equal(drain_listener(lib.fd, lib.thread, "/nowhere"), -1);
    int client = connect_to_old(); /* as it was */
    for (int i = 0; atomic_load(&lib.taken) == 0; i++) {
        assert_true(i < 10000);
        clock_sleep_us(1000);
    }
    close(client);
    assert_int_equal(drain_listener(lib.fd, lib.thread, directory), 0); /* for finish() to wake it */
    finish();
}

static void test_nothing_is_left_behind(void **state)
{
    (void)state;
    char path[64];
    assert_true(begin(AF_UNIX));
    assert_int_equal(drain_listener(lib.fd, lib.thread, directory), 0);
    snprintf(path, sizeof path, "%s/drain.%d", directory, (int)getpid());
    assert_int_not_equal(access(path, F_OK), 0);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asleep_in_poll),
        cmocka_unit_test(test_in_accept),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nothing_is_left_behind),
    };
    if (!mkdtemp(directory))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(directory);
    return failed;
}
