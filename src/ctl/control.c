/*
 * control - one question, one answer.
 *
 * Where the socket is stands in the configuration, which the worker program reads for us as it does for the master; so
 * a configuration that is broken hides the socket, and --control names it then.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "ctl/control.h"
#include "master/endpoint.h"
#include "master/probe.h"
#include "master/spawn.h"
#include "util/clock.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

/* A reload would be refused for the same problems, so another way to posternd is of no use to who asks for one. */
static void say_not_found(const char *command, int code, const struct strbuf *problems)
{
    bool has_end = problems->len > 0 && problems->ptr[problems->len - 1] == '\n';
    fprintf(stderr, "%s%s", strbuf_text(problems), has_end ? "" : "\n");
    if (code == EX_CONFIG && strcmp(command, "reload") == 0)
        fputs("posternctl: the configuration is bad, nothing was reloaded\n", stderr);
    else
        fputs("posternctl: cannot find the control socket; --control PATH names it\n", stderr);
}

static int find_control(const struct ctl_call *call, const char *command, char path[PATH_MAX])
{
    if (call->control) {
        snprintf(path, PATH_MAX, "%s", call->control);
        return 0;
    }
    char worker[PATH_MAX];
    struct strbuf text;
    struct setup *setup = calloc(1, sizeof *setup);
    if (!setup)
        abort();
    strbuf_init(&text, 0);
    int code = EX_OSERR;
    if (spawn_find_worker(call->worker, worker, sizeof worker, &text) == 0)
        code = probe_run(worker, call->config, setup, &text);
    if (code)
        say_not_found(command, code, &text);
    snprintf(path, PATH_MAX, "%s", setup->control);
    strbuf_free(&text);
    free(setup);
    return code;
}

static int open_connection(const char *path, int *fd)
{
    struct endpoint endpoint;
    struct strbuf why;
    strbuf_init(&why, 0);
    if (endpoint_of_path(&endpoint, "control", path, &why) < 0) {
        fprintf(stderr, "posternctl: %s\n", strbuf_text(&why));
        strbuf_free(&why);
        return EX_CONFIG;
    }
    strbuf_free(&why);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd >= 0 && connect(*fd, &endpoint.address.any, endpoint.length) == 0)
        return 0;
    int error = errno;
    if (*fd >= 0)
        close(*fd);
    if (error == ENOENT || error == ECONNREFUSED)
        fprintf(stderr, "posternctl: no posternd is running on %s\n", path);
    else
        fprintf(stderr, "posternctl: cannot reach posternd on %s: %s\n", path, strerror(error));
    return error == EACCES || error == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
}

/* 0: everything read. */
static int read_answer(int fd, int64_t deadline, struct strbuf *answer)
{
    for (;;) {
        char bytes[4096];
        int64_t left = (deadline - clock_monotonic_us()) / 1000;
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (left <= 0 || poll(&poll_fd, 1, (int)left) == 0) {
            fputs("posternctl: posternd does not answer in time\n", stderr);
            return EX_TEMPFAIL;
        }
        ssize_t len = recv(fd, bytes, sizeof bytes, 0);
        if (len > 0)
            strbuf_add(answer, (struct span){bytes, (size_t)len});
        else if (len == 0 || (errno == ECONNRESET && answer->len)) /* reset: it did not want to hear our command */
            return 0;
        else if (errno != EINTR && errno != EAGAIN) {
            fprintf(stderr, "posternctl: reading the answer: %s\n", strerror(errno));
            return EX_UNAVAILABLE;
        }
    }
}

/* "ok\n..." or "error N\n...". */
static int split_answer(const char *answer, struct strbuf *text)
{
    int code = 0, used = 0;
    if (strncmp(answer, "ok\n", 3) == 0) {
        used = 3;
    } else if (sscanf(answer, "error %d%*1[\n]%n", &code, &used) != 1 || used == 0 || code < 1 || code > 255) {
        fputs("posternctl: posternd ended before it answered\n", stderr);
        return EX_PROTOCOL;
    }
    strbuf_puts(text, answer + used);
    return code;
}

int ctl_ask(const struct ctl_call *call, const char *command, int timeout, struct strbuf *text)
{
    char path[PATH_MAX];
    int fd, code = find_control(call, command, path);
    if (code == 0)
        code = open_connection(path, &fd);
    if (code)
        return code;
    struct strbuf answer;
    strbuf_init(&answer, 0);
    /* A master that is too busy answers and closes before it has read a word: look for its answer in any case. */
    char line[32];
    int len = snprintf(line, sizeof line, "%s\n", command);
    (void)!send(fd, line, (size_t)len, MSG_NOSIGNAL);
    code = read_answer(fd, clock_monotonic_us() + (int64_t)timeout * 1000, &answer);
    close(fd);
    if (code == 0)
        code = split_answer(strbuf_text(&answer), text);
    strbuf_free(&answer);
    return code;
}
