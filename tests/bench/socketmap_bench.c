/*
 * socketmap_bench - look-ups a second of an SRS server, asked as Postfix asks: a connection has one request under way.
 *
 *     socketmap_bench forward|reverse CONNECTIONS MILLISECONDS SERVER
 *
 * SERVER is unix:PATH (a socketmap), inet:PORT (one on 127.0.0.1), or tcp:FORWARD,REVERSE (the ports of tcp_table(5)
 * maps there, "get KEY"). Before the time runs it has KEYS senders forwarded, and so has the addresses that can be
 * undone. Every answer must be a good one. Printed is the rate, and how much of the time this program itself was busy.
 *
 * One thread with one epoll; what it does for an answer is to look for its end and to send the next request, which was
 * made before.
 */
#include "util/clock.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define KEYS 1000
#define CONNECTIONS_MOST 100

struct text {
    char bytes[400];
    size_t len;
};

struct server {
    bool is_table; /* tcp_table(5), not socketmap_table(5) */
    const char *path;
    int forward_port, reverse_port;
};

struct connection {
    int fd;
    size_t key;
    struct text answer;
};

static void die(const char *what)
{
    fprintf(stderr, "socketmap_bench: %s\n", what);
    exit(1);
}

static struct server parse_server(const char *text)
{
    struct server server = {0};
    if (strncmp(text, "unix:", 5) == 0)
        server.path = text + 5;
    else if (sscanf(text, "inet:%d", &server.forward_port) == 1)
        server.reverse_port = server.forward_port;
    else if (sscanf(text, "tcp:%d,%d", &server.forward_port, &server.reverse_port) == 2)
        server.is_table = true;
    else
        die("the server is unix:PATH, inet:PORT or tcp:PORT,PORT");
    return server;
}

static int connect_to(const struct server *server, bool is_reverse)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(server->path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), error;
    if (server->path) {
        snprintf(un.sun_path, sizeof un.sun_path, "%s", server->path);
        error = connect(fd, (struct sockaddr *)&un, sizeof un);
    } else {
        in.sin_port = htons((uint16_t)(is_reverse ? server->reverse_port : server->forward_port));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        error = connect(fd, (struct sockaddr *)&in, sizeof in);
    }
    if (error)
        die(strerror(errno));
    return fd;
}

static void make_request(const struct server *server, bool is_reverse, const char *key, struct text *request)
{
    const char *map = is_reverse ? "reverse" : "forward";
    int len = server->is_table ? snprintf(request->bytes, sizeof request->bytes, "get %s\n", key)
                               : snprintf(request->bytes, sizeof request->bytes, "%zu:%s %s,",
                                          strlen(map) + 1 + strlen(key), map, key);
    request->len = (size_t)len;
}

/* The value in a whole answer, NUL-terminated; NULL if it is not whole. */
static char *value_of(const struct server *server, struct text *answer)
{
    char last = server->is_table ? '\n' : ',';
    if (answer->len == 0 || answer->bytes[answer->len - 1] != last)
        return NULL;
    answer->bytes[answer->len - 1] = '\0';
    char *value = answer->bytes;
    if (!server->is_table) {
        size_t len = strtoul(answer->bytes, &value, 10);
        if (*value++ != ':' || strlen(value) != len)
            die(answer->bytes);
    }
    if (strncmp(value, server->is_table ? "200 " : "OK ", server->is_table ? 4 : 3) != 0)
        die(value);
    return strchr(value, ' ') + 1;
}

static void send_request(int fd, const struct text *request)
{
    if (send(fd, request->bytes, request->len, MSG_NOSIGNAL) != (ssize_t)request->len)
        die("cannot send");
}

/* True once the answer is whole; then it was a good one. */
static bool read_answer(const struct server *server, struct connection *connection)
{
    struct text *answer = &connection->answer;
    ssize_t n = recv(connection->fd, answer->bytes + answer->len, sizeof answer->bytes - answer->len, 0);
    if (n <= 0)
        die("the server closed the connection");
    answer->len += (size_t)n;
    return value_of(server, answer) != NULL;
}

/* The requests to be measured. */
static void prepare(const struct server *server, bool is_reverse, struct text requests[KEYS])
{
    struct connection connection = {.fd = connect_to(server, false)};
    for (size_t i = 0; i < KEYS; i++) {
        char sender[100];
        snprintf(sender, sizeof sender, "user%04zu@sender%03zu.example", i * 7919 % 10000, i % 500);
        make_request(server, false, sender, &requests[i]);
        if (!is_reverse)
            continue;
        send_request(connection.fd, &requests[i]);
        connection.answer.len = 0;
        while (!read_answer(server, &connection))
            ;
        make_request(server, true, strchr(connection.answer.bytes, ' ') + 1, &requests[i]);
    }
    close(connection.fd);
}

static uint64_t measure(const struct server *server, bool is_reverse, int count, int64_t us,
                        const struct text requests[KEYS])
{
    static struct connection connections[CONNECTIONS_MOST];
    struct epoll_event events[CONNECTIONS_MOST];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    uint64_t answers = 0;
    for (int i = 0; i < count; i++) {
        connections[i] = (struct connection){.fd = connect_to(server, is_reverse), .key = (size_t)i * KEYS / 100};
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event);
    }
    int64_t end = clock_monotonic_us() + us;
    for (int i = 0; i < count; i++)
        send_request(connections[i].fd, &requests[connections[i].key]);
    while (clock_monotonic_us() < end) {
        int n = epoll_wait(epoll, events, CONNECTIONS_MOST, 5000);
        if (n <= 0)
            die("the server does not answer");
        for (int i = 0; i < n; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!read_answer(server, connection))
                continue;
            answers++;
            connection->answer.len = 0;
            connection->key = (connection->key + 1) % KEYS;
            send_request(connection->fd, &requests[connection->key]);
        }
    }
    for (int i = 0; i < count; i++)
        close(connections[i].fd);
    close(epoll);
    return answers;
}

static double busy_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int argc, char **argv)
{
    static struct text requests[KEYS];
    if (argc != 5)
        die("forward|reverse CONNECTIONS MILLISECONDS SERVER");
    bool is_reverse = strcmp(argv[1], "reverse") == 0;
    int count = atoi(argv[2]);
    int64_t us = atoll(argv[3]) * 1000;
    struct server server = parse_server(argv[4]);
    if (count < 1 || count > CONNECTIONS_MOST || us < 1)
        die("1 to 100 connections, and some time");
    prepare(&server, is_reverse, requests);
    double busy = busy_seconds();
    int64_t start = clock_monotonic_us();
    uint64_t answers = measure(&server, is_reverse, count, us, requests);
    double seconds = (double)(clock_monotonic_us() - start) / 1e6;
    printf("%.0f %.2f\n", (double)answers / seconds, (busy_seconds() - busy) / seconds);
    return 0;
}
