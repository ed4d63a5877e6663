/*
 * store_link - a socket that never blocks, poll() with what is left of the call's time, and hiredis's reader.
 *
 * A link on which anything went wrong is closed: after a time-out the reply of one call would be read as that of the
 * next. Replies are bounded, for the reader would take whatever comes.
 */
#include "store/store_link.h"
#include "util/clock.h"
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define REPLY_MOST ((size_t)96 * 1024 * 1024) /* more than a page of the longest values */

void store_command_init(struct store_command *command, struct arena *arena, size_t capacity)
{
    *command = (struct store_command){.argv = ARENA_ARRAY(arena, const char *, capacity),
                                      .lengths = ARENA_ARRAY(arena, size_t, capacity),
                                      .capacity = (int)capacity};
}

void store_command_add(struct store_command *command, struct span argument)
{
    if (command->argc == command->capacity)
        return; /* counted wrongly: the server will complain of too few */
    command->argv[command->argc] = argument.ptr ? argument.ptr : "";
    command->lengths[command->argc++] = argument.ptr ? argument.len : 0;
}

void store_command_number(struct store_command *command, struct arena *arena, int64_t number)
{
    store_command_add(command, span_of(arena_printf(arena, "%lld", (long long)number)));
}

void store_link_close(struct store_link *link)
{
    if (link->session) {
        ERR_clear_error();
        SSL_free(link->session);
    }
    if (link->reader)
        redisReaderFree(link->reader);
    if (link->fd >= 0)
        close(link->fd);
    *link = (struct store_link){.fd = -1};
}

bool store_link_is_stale(const struct store_link *link)
{
    struct pollfd pfd = {.fd = link->fd, .events = POLLIN};
    if (poll(&pfd, 1, 0) == 0)
        return false;
    if (!link->session)
        return true;
    /* TLS 1.3 sends tickets after the handshake: bytes, but no reply. */
    char byte;
    ERR_clear_error();
    int result = SSL_peek(link->session, &byte, 1);
    return result > 0 || SSL_get_error(link->session, result) != SSL_ERROR_WANT_READ;
}

/* Until EVENTS or the deadline. */
static bool wait_for(int fd, short events, const struct store_server *server, struct store_call *call)
{
    for (;;) {
        int64_t left = call->deadline - clock_monotonic_us();
        struct pollfd pfd = {.fd = fd, .events = events};
        int ready = left > 0 ? poll(&pfd, 1, left / 1000 < INT_MAX ? (int)(left / 1000) + 1 : INT_MAX) : 0;
        if (ready > 0)
            return true;
        if (ready == 0 && left <= 0)
            store_call_fail(call, "%s does not answer in time", server->name);
        else if (ready < 0 && errno != EINTR)
            store_call_fail(call, "%s: poll: %s", server->name, strerror(errno));
        else
            continue;
        return false;
    }
}

/* What a call of libssl that did not succeed waits for, or why there is nothing to wait for. */
static bool wait_for_tls(const struct store_link *link, int result, const struct store_server *server,
                         struct store_call *call)
{
    int error = SSL_get_error(link->session, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return wait_for(link->fd, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, server, call);
    char why[200];
    store_tls_explain(link->session, result, why, sizeof why);
    store_call_fail(call, "%s: %s", server->name, why);
    return false;
}

/* Some of the bytes; -1 with a reason. */
static ssize_t write_some(const struct store_link *link, const char *bytes, size_t len,
                          const struct store_server *server, struct store_call *call)
{
    for (;;) {
        if (link->session) {
            ERR_clear_error();
            int n = SSL_write(link->session, bytes, len < INT_MAX ? (int)len : INT_MAX);
            if (n > 0)
                return n;
            if (!wait_for_tls(link, n, server, call))
                return -1;
            continue;
        }
        ssize_t n = send(link->fd, bytes, len, MSG_NOSIGNAL);
        if (n > 0)
            return n;
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            store_call_fail(call, "%s: %s", server->name, strerror(errno));
            return -1;
        }
        if (!wait_for(link->fd, POLLOUT, server, call))
            return -1;
    }
}

static ssize_t read_some(const struct store_link *link, char *bytes, size_t size, const struct store_server *server,
                         struct store_call *call)
{
    for (;;) {
        if (link->session) {
            ERR_clear_error();
            int n = SSL_read(link->session, bytes, (int)size);
            if (n > 0)
                return n;
            if (!wait_for_tls(link, n, server, call))
                return -1;
            continue;
        }
        ssize_t n = recv(link->fd, bytes, size, 0);
        if (n > 0)
            return n;
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            store_call_fail(call, "%s: %s", server->name, n == 0 ? "it closed the connection" : strerror(errno));
            return -1;
        }
        if (!wait_for(link->fd, POLLIN, server, call))
            return -1;
    }
}

static bool write_all(const struct store_link *link, const char *bytes, size_t len, const struct store_server *server,
                      struct store_call *call)
{
    while (len > 0) {
        ssize_t n = write_some(link, bytes, len, server, call);
        if (n < 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static redisReply *read_reply(const struct store_link *link, const struct store_server *server, struct store_call *call)
{
    char bytes[16384];
    size_t total = 0;
    void *reply = NULL;
    for (;;) {
        if (redisReaderGetReply(link->reader, &reply) != REDIS_OK) {
            store_call_fail(call, "%s speaks no Redis: %s", server->name, link->reader->errstr);
            return NULL;
        }
        if (reply)
            return reply;
        ssize_t n = read_some(link, bytes, sizeof bytes, server, call);
        if (n < 0)
            return NULL;
        total += (size_t)n;
        if (total > REPLY_MOST) {
            store_call_fail(call, "%s: a reply of more than %zu bytes", server->name, REPLY_MOST);
            return NULL;
        }
        redisReaderFeed(link->reader, bytes, (size_t)n);
    }
}

redisReply *store_link_ask(struct store_link *link, const struct store_server *server, struct store_call *call,
                           const struct store_command *command)
{
    char *bytes = NULL;
    long long len = redisFormatCommandArgv(&bytes, command->argc, command->argv, command->lengths);
    if (len < 0) {
        store_call_fail(call, "%s: out of memory", server->name);
        return NULL;
    }
    redisReply *reply = NULL;
    if (write_all(link, bytes, (size_t)len, server, call))
        reply = read_reply(link, server, call);
    redisFreeCommand(bytes);
    return reply;
}

/* A command whose reply must be no error. */
static bool greet(struct store_link *link, const struct store_server *server, struct store_call *call,
                  const char *const *words, int count)
{
    const char *argv[3] = {NULL};
    size_t lengths[3] = {0};
    struct store_command command = {.argv = argv, .lengths = lengths, .capacity = 3};
    for (int i = 0; i < count; i++)
        store_command_add(&command, span_of(words[i]));
    redisReply *reply = store_link_ask(link, server, call, &command);
    if (!reply)
        return false;
    bool fine = reply->type != REDIS_REPLY_ERROR;
    if (!fine)
        store_call_fail(call, "%s: %s: %.200s", server->name, words[0], reply->str);
    freeReplyObject(reply);
    return fine;
}

static bool introduce(struct store_link *link, const struct store_server *server, struct store_call *call)
{
    char number[16];
    snprintf(number, sizeof number, "%d", server->database);
    if (server->password && server->user) {
        if (!greet(link, server, call, (const char *[]){"AUTH", server->user, server->password}, 3))
            return false;
    } else if (server->password) {
        if (!greet(link, server, call, (const char *[]){"AUTH", server->password}, 2))
            return false;
    }
    return server->database == 0 || greet(link, server, call, (const char *[]){"SELECT", number}, 2);
}

static bool connect_to(struct store_link *link, const struct sockaddr *address, socklen_t len,
                       const struct store_server *server, struct store_call *call)
{
    int one = 1, error = 0;
    socklen_t size = sizeof error;
    link->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (link->fd >= 0 && address->sa_family != AF_UNIX) {
        setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(link->fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    }
    if (link->fd < 0 || connect(link->fd, address, len) != 0) {
        error = errno;
        if (link->fd >= 0 && error == EINPROGRESS) {
            if (!wait_for(link->fd, POLLOUT, server, call))
                return false;
            getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        }
    }
    if (error)
        store_call_fail(call, "%s: %s", server->name, strerror(error));
    return error == 0;
}

static bool connect_to_path(struct store_link *link, const struct store_server *server, struct store_call *call)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(server->path) >= sizeof address.sun_path) {
        store_call_fail(call, "%s: the path is too long for a socket", server->name);
        return false;
    }
    memcpy(address.sun_path, server->path, strlen(server->path) + 1);
    return connect_to(link, (const struct sockaddr *)&address, sizeof address, server, call);
}

/* Each address gets its share of the time, so that a dead one does not use up that of the next. */
static bool connect_to_host(struct store_link *link, const struct store_server *server, struct store_call *call)
{
    struct addrinfo *addresses = store_resolve(server->resolver, call);
    int64_t deadline = call->deadline, left = 0;
    for (const struct addrinfo *a = addresses; a; a = a->ai_next)
        left++;
    bool connected = false;
    for (const struct addrinfo *a = addresses; a && !connected; a = a->ai_next, left--) {
        int64_t now = clock_monotonic_us();
        call->deadline = now + (deadline - now) / left;
        store_link_close(link);
        connected = connect_to(link, a->ai_addr, a->ai_addrlen, server, call);
    }
    call->deadline = deadline;
    if (addresses)
        freeaddrinfo(addresses);
    return connected;
}

static bool shake_hands(struct store_link *link, const struct store_server *server, struct store_call *call)
{
    link->session = store_tls_begin(server->tls, link->fd, server->host);
    if (!link->session) {
        store_call_fail(call, "%s: TLS cannot begin", server->name);
        return false;
    }
    for (;;) {
        ERR_clear_error();
        int result = SSL_do_handshake(link->session);
        if (result == 1)
            return true;
        if (!wait_for_tls(link, result, server, call))
            return false;
    }
}

bool store_link_open(struct store_link *link, const struct store_server *server, struct store_call *call)
{
    *link = (struct store_link){.fd = -1};
    bool open = server->path ? connect_to_path(link, server, call) : connect_to_host(link, server, call);
    if (open && server->tls)
        open = shake_hands(link, server, call);
    if (open && !(link->reader = redisReaderCreate()))
        open = store_call_fail(call, "out of memory") == STORE_OK;
    if (open)
        open = introduce(link, server, call);
    if (!open)
        store_link_close(link);
    return open;
}
