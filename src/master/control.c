/*
 * control - three states a client: it is asking, it waits for us, it takes the answer. Only in the second may it take
 * its time, because that is ours. The answer is written at once as far as the socket takes it.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/control.h"
#include <errno.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#define PATIENCE 5000000    /* microseconds */
#define ACCEPT_PAUSE 500000 /* microseconds, when accept() finds no descriptor */

static const char *const commands[CONTROL_COMMANDS] = {"reload", "status"};

static void close_client(struct control_client *client)
{
    loop_unwatch(client->control->loop, &client->watch);
    loop_stop_timer(client->control->loop, &client->deadline);
    close(client->watch.fd);
    strbuf_free(&client->answer);
    client->open = client->waiting = false;
}

static void on_patience_over(void *context)
{
    close_client(context);
}

static void write_answer(struct control_client *client)
{
    while (client->sent < client->answer.len) {
        ssize_t sent = send(client->watch.fd, client->answer.ptr + client->sent, client->answer.len - client->sent,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0)
            break;
        client->sent += (size_t)sent;
    }
    close_client(client);
}

static void answer_client(struct control_client *client, int code, const char *text)
{
    client->waiting = false;
    if (code)
        strbuf_printf(&client->answer, "error %d\n", code);
    else
        strbuf_puts(&client->answer, "ok\n");
    strbuf_puts(&client->answer, text);
    client->watch.events = POLLOUT;
    loop_start_timer(client->control->loop, &client->deadline, PATIENCE);
    write_answer(client);
}

static void run_line(struct control_client *client)
{
    struct span line = span_trim((struct span){client->line, client->line_len});
    for (int command = 0; command < CONTROL_COMMANDS; command++) {
        if (!span_equals(line, commands[command]))
            continue;
        client->command = (enum control_command)command;
        client->watch.events = 0; /* POLLHUP comes without being asked for */
        loop_stop_timer(client->control->loop, &client->deadline);
        client->waiting = true;
        client->ticket = client->control->ask(client->control->context, client->command);
        return;
    }
    answer_client(client, EX_USAGE, "the commands are: reload, status\n");
}

static void on_client(void *context, short revents)
{
    struct control_client *client = context;
    if (client->answer.len) {
        write_answer(client);
        return;
    }
    if (client->waiting) {
        if (revents & (POLLHUP | POLLERR | POLLNVAL))
            close_client(client);
        return;
    }
    ssize_t len =
        recv(client->watch.fd, client->line + client->line_len, sizeof client->line - client->line_len, MSG_DONTWAIT);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len <= 0) {
        close_client(client);
        return;
    }
    client->line_len += (size_t)len;
    if (memchr(client->line, '\n', client->line_len)) {
        client->line_len = (size_t)((char *)memchr(client->line, '\n', client->line_len) - client->line);
        run_line(client);
    } else if (client->line_len == sizeof client->line) {
        answer_client(client, EX_USAGE, "the line is too long\n");
    }
}

static void on_connection(void *context, short revents)
{
    struct control *control = context;
    (void)revents;
    int fd = accept4(control->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            loop_unwatch(control->loop, &control->listener);
            loop_start_timer(control->loop, &control->pause, ACCEPT_PAUSE);
        }
        return;
    }
    struct control_client *client = control->clients;
    while (client < control->clients + CONTROL_CLIENTS && client->open)
        client++;
    if (client == control->clients + CONTROL_CLIENTS) {
        const char busy[] = "error 75\ntoo many clients at once\n";
        (void)!send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        close(fd);
        return;
    }
    *client = (struct control_client){
        .control = control,
        .watch = {.fd = fd, .events = POLLIN, .on_event = on_client, .context = client},
        .deadline = {.on_due = on_patience_over, .context = client},
        .open = true,
    };
    strbuf_init(&client->answer, 0);
    loop_start_timer(control->loop, &client->deadline, PATIENCE);
    if (loop_watch(control->loop, &client->watch) < 0)
        close_client(client);
}

static void on_pause_over(void *context)
{
    struct control *control = context;
    loop_watch(control->loop, &control->listener);
}

void control_open(struct control *control, struct loop *loop, int listen_fd, control_ask ask, void *context)
{
    *control = (struct control){
        .loop = loop,
        .listener = {.fd = listen_fd, .events = POLLIN, .on_event = on_connection, .context = control},
        .pause = {.on_due = on_pause_over, .context = control},
        .ask = ask,
        .context = context,
    };
    loop_watch(loop, &control->listener);
}

void control_answer(struct control *control, enum control_command command, unsigned long ticket, int code,
                    const char *text)
{
    for (int i = 0; i < CONTROL_CLIENTS; i++) {
        struct control_client *client = &control->clients[i];
        if (client->open && client->waiting && client->command == command && client->ticket == ticket)
            answer_client(client, code, text);
    }
}

void control_close(struct control *control)
{
    loop_unwatch(control->loop, &control->listener);
    loop_stop_timer(control->loop, &control->pause);
    for (int i = 0; i < CONTROL_CLIENTS; i++)
        if (control->clients[i].open)
            close_client(&control->clients[i]);
}
