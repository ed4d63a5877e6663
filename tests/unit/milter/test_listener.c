/*
 * listener with a libmilter of the test's own: one that knows "fd:", as Debian's does, and one that does not, as
 * Sendmail's; like the real ones it serves only connections of the family that it was told to listen for.
 */
#include "unit.h"

#include <stdbool.h> /* before mfapi.h, which has a bool of its own else */

#include "milter/listener.h"
#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char directory[] = "/tmp/postern-listenerXXXXXX";

static struct {
    bool knows_fd;
    const char *conn;
    int fd, family;
} lib;

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

int smfi_setconn(char *conn)
{
    lib.conn = conn;
    return MI_SUCCESS;
}

/* "inet:PORT@[ADDRESS]" or "unix:PATH". */
static bool parse(const char *conn, union address *address, socklen_t *len)
{
    char text[64];
    unsigned port;
    memset(address, 0, sizeof *address);
    if (sscanf(conn, "inet:%u@[%63[^]]]", &port, text) == 2) {
        address->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        *len = sizeof address->in;
        return inet_pton(AF_INET, text, &address->in.sin_addr) == 1;
    }
    if (sscanf(conn, "inet6:%u@[%63[^]]]", &port, text) == 2) {
        address->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        *len = sizeof address->in6;
        return inet_pton(AF_INET6, text, &address->in6.sin6_addr) == 1;
    }
    address->un.sun_family = AF_UNIX;
    *len = sizeof address->un;
    return sscanf(conn, "unix:%107s", address->un.sun_path) == 1;
}

static int open_socket(const char *conn)
{
    union address address;
    socklen_t len;
    assert_true(parse(conn, &address, &len));
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, &address.any, len) != 0 || listen(fd, 5) != 0)
        return -1;
    lib.family = address.any.sa_family;
    return fd;
}

int smfi_opensocket(bool rmsocket)
{
    assert_false(rmsocket);
    if (strncmp(lib.conn, "fd:", 3) == 0) {
        lib.fd = lib.knows_fd ? atoi(lib.conn + 3) : -1;
        return lib.fd >= 0 ? MI_SUCCESS : MI_FAILURE;
    }
    lib.fd = open_socket(lib.conn);
    return lib.fd >= 0 ? MI_SUCCESS : MI_FAILURE;
}

/* What somebody connects to at OURS arrives at the library's descriptor, in the family that it expects. */
static void expect_served(int ours)
{
    union address address;
    socklen_t len = sizeof address;
    assert_int_equal(getsockname(ours, &address.any, &len), 0);
    int client = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, &address.any, len), 0);
    assert_int_equal(write(client, "x", 1), 1);
    len = sizeof address;
    int server = accept4(lib.fd, &address.any, &len, SOCK_CLOEXEC);
    assert_true(server >= 0);
    assert_int_equal(address.any.sa_family, lib.family);
    char byte = 0;
    assert_int_equal(read(server, &byte, 1), 1);
    assert_int_equal(byte, 'x');
    close(server);
    close(client);
}

static char *ours_unix(void)
{
    static char conn[64];
    snprintf(conn, sizeof conn, "unix:%s/ours", directory);
    return conn;
}

static void test_takes_a_descriptor(void **state)
{
    (void)state;
    int ours = open_socket(ours_unix());
    lib.knows_fd = true;
    assert_int_equal(listener_open(ours, directory), ours);
    assert_int_equal(lib.fd, ours);
    expect_served(ours);
    close(ours);
    unlink(ours_unix() + 5);
}

static void test_lays_ours_over_theirs(void **state)
{
    (void)state;
    const char *const conns[] = {ours_unix(), "inet:0@[127.0.0.1]", "inet:0@[0.0.0.0]", "inet6:0@[::1]"};
    lib.knows_fd = false;
    for (size_t i = 0; i < sizeof conns / sizeof *conns; i++) {
        char left[64];
        int ours = open_socket(conns[i]);
        if (ours < 0 && strncmp(conns[i], "inet6", 5) == 0)
            continue; /* a machine without IPv6 */
        assert_true(ours >= 0);
        int family = lib.family, theirs = listener_open(ours, directory);
        assert_int_equal(theirs, lib.fd);
        assert_int_not_equal(theirs, ours);
        assert_int_equal(lib.family, family);
        expect_served(ours);
        snprintf(left, sizeof left, "%s/listen.%d", directory, (int)getpid());
        assert_int_not_equal(access(left, F_OK), 0);
        close(ours); /* as the worker does: the library goes on with its own descriptor */
        close(theirs);
        unlink(ours_unix() + 5);
    }
}

static void test_refused(void **state)
{
    (void)state;
    char nowhere[200];
    int ours = open_socket(ours_unix());
    lib.knows_fd = false;
    assert_int_equal(listener_open(ours, "/nowhere"), -1);
    memset(nowhere, 'x', sizeof nowhere - 1);
    nowhere[0] = '/';
    nowhere[sizeof nowhere - 1] = '\0';
    assert_int_equal(listener_open(ours, nowhere), -1);
    close(ours);
    unlink(ours_unix() + 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_a_descriptor),
        cmocka_unit_test(test_lays_ours_over_theirs),
        cmocka_unit_test(test_refused),
    };
    if (!mkdtemp(directory))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(directory);
    return failed;
}
