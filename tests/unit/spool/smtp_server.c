/* smtp_server - every phase asks the rules first. */
#include "unit.h"

#include "smtp_server.h"
#include "util/clock.h"
#include "util/strbuf.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECT, EHLO, HELO, MAIL, RCPT, DATA, DOT, RSET, QUIT, PHASES };
static const char *const names[PHASES] = {"CONNECT", "EHLO", "HELO", "MAIL", "RCPT", "DATA", "DOT", "RSET", "QUIT"};
static const char *const usual[PHASES] = {"220 test ESMTP",
                                          "250-test\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250-DSN\r\n250 SMTPUTF8",
                                          "250 test",
                                          "250 2.1.0 Ok",
                                          "250 2.1.5 Ok",
                                          "354 go ahead",
                                          "250 2.0.0 Ok: queued",
                                          "250 2.0.0 Ok",
                                          "221 2.0.0 Bye"};

struct rule {
    int phase, nth;
    char reply[512];
};

struct server {
    int fd, port;
    pthread_t thread;
    atomic_bool is_stopping;
    atomic_int open;
    pthread_mutex_t mutex; /* the rest */
    struct rule rules[64];
    size_t rule_count;
    int counts[PHASES], delays[PHASES];
    struct server_message *messages;
    size_t message_count;
};

struct client {
    struct server *server;
    int fd;
    char in[4096];
    size_t at, end;
};

static int phase_of(const char *name)
{
    for (int i = 0; i < PHASES; i++) {
        if (strncasecmp(name, names[i], strlen(names[i])) == 0)
            return i;
    }
    return -1;
}

/* What the rules say for the next time of PHASE. */
static void reply_of(struct server *server, int phase, char *reply, size_t size)
{
    pthread_mutex_lock(&server->mutex);
    int nth = ++server->counts[phase];
    int delay = server->delays[phase];
    snprintf(reply, size, "%s", usual[phase]);
    for (size_t i = 0; i < server->rule_count; i++) {
        if (server->rules[i].phase == phase && (server->rules[i].nth == 0 || server->rules[i].nth == nth))
            snprintf(reply, size, "%s", server->rules[i].reply[0] ? server->rules[i].reply : usual[phase]);
    }
    pthread_mutex_unlock(&server->mutex);
    if (delay)
        clock_sleep_us((int64_t)delay * 1000);
}

/* -1: the end. */
static int next_byte(struct client *client)
{
    while (client->at == client->end) {
        struct pollfd fd = {client->fd, POLLIN, 0};
        if (client->server->is_stopping)
            return -1;
        if (poll(&fd, 1, 50) <= 0)
            continue;
        ssize_t n = recv(client->fd, client->in, sizeof client->in, 0);
        if (n <= 0)
            return -1;
        client->at = 0;
        client->end = (size_t)n;
    }
    return (unsigned char)client->in[client->at++];
}

/* A line with its LF. False: the connection is over. */
static bool next_line(struct client *client, struct strbuf *line)
{
    line->len = 0;
    for (int c; (c = next_byte(client)) >= 0;) {
        strbuf_putc(line, (char)c);
        if (c == '\n')
            return true;
    }
    return false;
}

/* The first digit of the reply; 0: hang up. */
static char answer(struct client *client, int phase, char *said)
{
    char reply[512];
    reply_of(client->server, phase, reply, sizeof reply - 3);
    snprintf(said, 512, "%s", reply);
    if (strcmp(reply, "CUT") == 0 || strcmp(reply, "TAKE+CUT") == 0)
        return 0;
    if (strcmp(reply, "HANG") == 0) {
        while (next_byte(client) >= 0)
            ;
        return 0;
    }
    strcat(reply, "\r\n");
    send(client->fd, reply, strlen(reply), MSG_NOSIGNAL);
    return reply[0];
}

static void keep(struct server *server, const struct strbuf *mail, const struct strbuf *rcpts,
                 const struct strbuf *content, bool was_accepted)
{
    pthread_mutex_lock(&server->mutex);
    if (server->message_count < SERVER_MESSAGES_MAX) {
        struct server_message *message = &server->messages[server->message_count++];
        message->mail = strdup(strbuf_text(mail));
        message->rcpts = strdup(strbuf_text(rcpts));
        message->content = malloc(content->len + 1);
        memcpy(message->content, strbuf_text(content), content->len + 1);
        message->len = content->len;
        message->was_accepted = was_accepted;
    }
    pthread_mutex_unlock(&server->mutex);
}

/* From the 354 on. The first digit of the reply to the dot, 0: hang up. */
static char take_content(struct client *client, struct strbuf *line, const struct strbuf *mail,
                         const struct strbuf *rcpts)
{
    struct strbuf content;
    char said[512], digit = 0;
    strbuf_init(&content, 64 << 20);
    while (next_line(client, line)) {
        if (line->len == 3 && memcmp(line->ptr, ".\r\n", 3) == 0) {
            /* before the reply is out, so that nobody sees the reply and not the message */
            pthread_mutex_lock(&client->server->mutex);
            bool is_taken = true;
            int nth = client->server->counts[DOT] + 1;
            for (size_t i = 0; i < client->server->rule_count; i++) {
                const struct rule *rule = &client->server->rules[i];
                if (rule->phase == DOT && (rule->nth == 0 || rule->nth == nth))
                    is_taken = !rule->reply[0] || rule->reply[0] == '2' || strcmp(rule->reply, "TAKE+CUT") == 0;
            }
            pthread_mutex_unlock(&client->server->mutex);
            keep(client->server, mail, rcpts, &content, is_taken);
            digit = answer(client, DOT, said);
            break;
        }
        strbuf_add(&content, (struct span){line->ptr, line->len});
    }
    strbuf_free(&content);
    return digit;
}

static void talk(struct client *client)
{
    struct strbuf line, mail, rcpts;
    char said[512], digit;
    strbuf_init(&line, 64 << 20);
    strbuf_init(&mail, 0);
    strbuf_init(&rcpts, 0);
    digit = answer(client, CONNECT, said);
    while (digit && next_line(client, &line)) {
        int phase = phase_of(line.ptr);
        while (line.len && strchr("\r\n", line.ptr[line.len - 1]))
            line.ptr[--line.len] = '\0';
        if (phase <= CONNECT || phase == DOT) {
            const char *unknown = "500 5.5.1 what?\r\n";
            send(client->fd, unknown, strlen(unknown), MSG_NOSIGNAL);
            continue;
        }
        digit = answer(client, phase, said);
        if (phase == MAIL || phase == RSET) {
            mail.len = rcpts.len = 0;
            strbuf_puts(&mail, line.ptr);
            strbuf_puts(&rcpts, "");
        } else if (phase == RCPT && digit == '2') {
            strbuf_puts(&rcpts, line.ptr);
            strbuf_putc(&rcpts, '\n');
        } else if (phase == DATA && digit == '3') {
            digit = take_content(client, &line, &mail, &rcpts);
        } else if (phase == QUIT) {
            break;
        }
    }
    strbuf_free(&rcpts);
    strbuf_free(&mail);
    strbuf_free(&line);
}

static void *serve_client(void *context)
{
    struct client *client = context;
    talk(client);
    close(client->fd);
    atomic_fetch_sub(&client->server->open, 1);
    free(client);
    return NULL;
}

static void *serve(void *context)
{
    struct server *server = context;
    while (!server->is_stopping) {
        struct pollfd fd = {server->fd, POLLIN, 0};
        if (poll(&fd, 1, 50) <= 0)
            continue;
        struct client *client = calloc(1, sizeof *client);
        client->server = server;
        client->fd = accept(server->fd, NULL, NULL);
        pthread_t thread;
        atomic_fetch_add(&server->open, 1);
        pthread_create(&thread, NULL, serve_client, client);
        pthread_detach(thread);
    }
    return NULL;
}

struct server *server_start(void)
{
    struct server *server = calloc(1, sizeof *server);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    server->messages = calloc(SERVER_MESSAGES_MAX, sizeof *server->messages);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->fd >= 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(server->fd, 20), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&at, &len), 0);
    server->port = ntohs(at.sin_port);
    pthread_mutex_init(&server->mutex, NULL);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
    return server;
}

void server_stop(struct server *server)
{
    server->is_stopping = true;
    pthread_join(server->thread, NULL);
    while (server->open > 0)
        clock_sleep_us(1000);
    close(server->fd);
    for (size_t i = 0; i < server->message_count; i++) {
        free(server->messages[i].mail);
        free(server->messages[i].rcpts);
        free(server->messages[i].content);
    }
    free(server->messages);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

int server_port(const struct server *server)
{
    return server->port;
}

void server_rule(struct server *server, const char *phase, int nth, const char *reply)
{
    pthread_mutex_lock(&server->mutex);
    assert_true(server->rule_count < sizeof server->rules / sizeof *server->rules);
    struct rule *rule = &server->rules[server->rule_count++];
    rule->phase = phase_of(phase);
    rule->nth = nth;
    snprintf(rule->reply, sizeof rule->reply, "%s", reply ? reply : "");
    pthread_mutex_unlock(&server->mutex);
}

void server_delay(struct server *server, const char *phase, int ms)
{
    pthread_mutex_lock(&server->mutex);
    server->delays[phase_of(phase)] = ms;
    pthread_mutex_unlock(&server->mutex);
}

int server_count(struct server *server, const char *phase)
{
    pthread_mutex_lock(&server->mutex);
    int count = server->counts[phase_of(phase)];
    pthread_mutex_unlock(&server->mutex);
    return count;
}

size_t server_messages(struct server *server)
{
    pthread_mutex_lock(&server->mutex);
    size_t count = server->message_count;
    pthread_mutex_unlock(&server->mutex);
    return count;
}

const struct server_message *server_message(struct server *server, size_t nth)
{
    for (int i = 0; i < 1000 && server_messages(server) <= nth; i++)
        clock_sleep_us(10000);
    return server_messages(server) > nth ? &server->messages[nth] : NULL;
}

size_t server_count_content(struct server *server, const char *text)
{
    size_t count = 0;
    pthread_mutex_lock(&server->mutex);
    for (size_t i = 0; i < server->message_count; i++)
        count += server->messages[i].was_accepted && strstr(server->messages[i].content, text);
    pthread_mutex_unlock(&server->mutex);
    return count;
}
