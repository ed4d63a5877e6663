/* place - see place.h. */
#include "unit.h"

#include "place.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

int place_begin(void **state)
{
    struct arena *arena = arena_create(4096);
    struct place *place = ARENA_NEW(arena, struct place);
    struct domain_set *domains = domain_set_create(arena), *local_domains = domain_set_create(arena);
    domain_set_add(domains, "srs.example.net");
    domain_set_add(local_domains, "example.net");
    place->arena = arena;
    strcpy(place->directory, "/tmp/postern-socketmap-XXXXXX");
    if (!mkdtemp(place->directory))
        return -1;
    snprintf(place->path, sizeof place->path, "%s/srs.sock", place->directory);
    snprintf(place->socket, sizeof place->socket, "unix:%s", place->path);
    place->options = (struct socketmap_options){.socket = place->socket,
                                                .mode = 0600,
                                                .domain = "srs.example.net",
                                                .domains = domains,
                                                .local_domains = local_domains};
    *state = place;
    return 0;
}

int place_begin_open(void **state)
{
    if (place_begin(state) != 0)
        return -1;
    struct place *place = *state;
    place->map = place_open(place);
    return 0;
}

int place_end(void **state)
{
    struct place *place = *state;
    socketmap_close(place->map);
    unlink(place->path);
    int left = rmdir(place->directory); /* nothing else may lie in it */
    arena_destroy(place->arena);
    return left;
}

struct socketmap *place_open(struct place *place)
{
    const char *problem;
    struct socketmap *map = socketmap_open(&place->options, NULL, place->arena, &problem);
    if (!map)
        fail_msg("%s", problem);
    return map;
}

const char *place_problem(struct place *place)
{
    const char *problem;
    assert_null(socketmap_open(&place->options, NULL, place->arena, &problem));
    return problem;
}

static int connect_to(const struct sockaddr *address, socklen_t length)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct timeval patience = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, address, length) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int place_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return connect_to((struct sockaddr *)&address, sizeof address);
}

int place_connect_inet(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect_to((struct sockaddr *)&address, sizeof address);
}

void client_send(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            fail_msg("send: %s", strerror(errno));
        bytes += n;
        len -= (size_t)n;
    }
}

static bool read_octet(int fd, char *octet)
{
    ssize_t n = recv(fd, octet, 1, 0);
    if (n < 0 && errno != ECONNRESET)
        fail_msg("recv: %s", strerror(errno));
    return n == 1;
}

const char *client_read(int fd)
{
    static _Thread_local char text[4096];
    size_t len = 0;
    char c;
    if (!read_octet(fd, &c))
        return NULL;
    do {
        assert_true(c >= '0' && c <= '9' && len < 1000);
        len = len * 10 + (size_t)(c - '0');
        assert_true(read_octet(fd, &c));
    } while (c != ':');
    for (size_t i = 0; i < len; i++)
        assert_true(read_octet(fd, text + i));
    text[len] = '\0';
    assert_true(read_octet(fd, &c) && c == ',');
    return text;
}

const char *client_ask(int fd, const char *request)
{
    char line[3000];
    int len = snprintf(line, sizeof line, "%zu:%s,", strlen(request), request);
    client_send(fd, line, (size_t)len);
    return client_read(fd);
}

void client_ask_many(int fd, int from, int to)
{
    for (int i = from; i < to; i++) {
        char request[100], expected[100];
        snprintf(request, sizeof request, "forward u%d@remote.example", i);
        snprintf(expected, sizeof expected, "OK SRS0=remote.example=u%d@srs.example.net", i);
        const char *answer = client_ask(fd, request);
        if (!answer || strcmp(answer, expected) != 0)
            fail_msg("%s: %s", request, answer ? answer : "closed");
    }
}
