/*
 * probe - two pipes and a deadline.
 *
 * The child is over when both pipes are at their end and it can be reaped. It is reaped by looking, every few
 * milliseconds and only after the pipes have ended, so that the same code runs inside the master and in programs
 * that have no SIGCHLD to wait for. What it says is bounded; the rest is read and dropped, so that it never sticks.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/probe.h"
#include "master/spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define TEXT_LIMIT 262144 /* bytes kept of each pipe */
#define LOOK_EVERY 2000   /* microseconds */

static void close_pipe(struct loop *loop, struct loop_watch *watch)
{
    if (!watch->watching)
        return;
    loop_unwatch(loop, watch);
    close(watch->fd);
}

static void release(struct probe *probe)
{
    close_pipe(probe->loop, &probe->out.watch);
    close_pipe(probe->loop, &probe->err.watch);
    loop_stop_timer(probe->loop, &probe->deadline);
    loop_stop_timer(probe->loop, &probe->look);
    probe->pid = 0;
}

static void finish(struct probe *probe, int wait_status)
{
    struct probe_result result = {.status = EX_SOFTWARE};
    struct strbuf problems;
    strbuf_init(&problems, TEXT_LIMIT);
    strbuf_puts(&problems, strbuf_text(&probe->err.text));
    if (problems.len && problems.ptr[problems.len - 1] != '\n')
        strbuf_putc(&problems, '\n');
    if (probe->timed_out) {
        strbuf_printf(&problems, "the worker program did not finish its check within %d s\n",
                      (int)(PROBE_TIMEOUT / 1000000));
    } else if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) {
        struct strbuf why;
        strbuf_init(&why, 0);
        result.status = setup_parse(&result.setup, strbuf_text(&probe->out.text), &why) == 0 ? 0 : EX_CONFIG;
        if (result.status)
            strbuf_printf(&problems, "%s\n", strbuf_text(&why));
        strbuf_free(&why);
    } else if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EX_CONFIG) {
        result.status = EX_CONFIG;
    } else {
        strbuf_puts(&problems, "the worker program ");
        spawn_describe(wait_status, &problems);
        strbuf_puts(&problems, " while it checked the configuration\n");
    }
    release(probe);
    strbuf_free(&probe->out.text);
    strbuf_free(&probe->err.text);
    result.problems = strbuf_text(&problems);
    probe->on_done(probe->context, &result);
    strbuf_free(&problems);
}

static void on_look(void *context)
{
    struct probe *probe = context;
    int wait_status = 0;
    pid_t got = waitpid(probe->pid, &wait_status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR))
        loop_start_timer(probe->loop, &probe->look, LOOK_EVERY);
    else
        finish(probe, wait_status);
}

static void on_deadline(void *context)
{
    struct probe *probe = context;
    probe->timed_out = true;
    kill(-probe->pid, SIGKILL);
    close_pipe(probe->loop, &probe->out.watch);
    close_pipe(probe->loop, &probe->err.watch);
    on_look(probe);
}

static void read_pipe(struct probe *probe, struct loop_watch *watch, struct strbuf *text)
{
    char bytes[4096];
    ssize_t len = read(watch->fd, bytes, sizeof bytes);
    if (len > 0) {
        strbuf_add(text, (struct span){bytes, (size_t)len});
        return;
    }
    if (len < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    close_pipe(probe->loop, watch);
    if (!probe->out.watch.watching && !probe->err.watch.watching && !probe->look.running)
        on_look(probe);
}

static void on_out(void *context, short revents)
{
    struct probe *probe = context;
    (void)revents;
    read_pipe(probe, &probe->out.watch, &probe->out.text);
}

static void on_err(void *context, short revents)
{
    struct probe *probe = context;
    (void)revents;
    read_pipe(probe, &probe->err.watch, &probe->err.text);
}

static int start_child(struct probe *probe, const char *worker, const char *config)
{
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0)
        return errno;
    if (pipe2(err, O_CLOEXEC | O_NONBLOCK) < 0) {
        int error = errno;
        close(out[0]);
        close(out[1]);
        return error;
    }
    /* The child's ends wait like everybody else's standard output. */
    fcntl(out[1], F_SETFL, 0);
    fcntl(err[1], F_SETFL, 0);
    char *argv[] = {(char *)worker, "-T", "master", "-c", (char *)config, NULL};
    struct spawn_fd fds[] = {{out[1], STDOUT_FILENO}, {err[1], STDERR_FILENO}};
    int error = spawn_program(argv, fds, 2, &probe->pid);
    close(out[1]);
    close(err[1]);
    if (error) {
        close(out[0]);
        close(err[0]);
        return error;
    }
    probe->out.watch = (struct loop_watch){.fd = out[0], .events = POLLIN, .on_event = on_out, .context = probe};
    probe->err.watch = (struct loop_watch){.fd = err[0], .events = POLLIN, .on_event = on_err, .context = probe};
    return 0;
}

int probe_start(struct probe *probe, struct loop *loop, const char *worker, const char *config,
                void (*on_done)(void *context, const struct probe_result *result), void *context)
{
    *probe = (struct probe){.loop = loop, .on_done = on_done, .context = context};
    strbuf_init(&probe->out.text, TEXT_LIMIT);
    strbuf_init(&probe->err.text, TEXT_LIMIT);
    int error = start_child(probe, worker, config);
    if (error) {
        probe->pid = 0;
        return error;
    }
    probe->deadline = (struct loop_timer){.on_due = on_deadline, .context = probe};
    probe->look = (struct loop_timer){.on_due = on_look, .context = probe};
    loop_start_timer(loop, &probe->deadline, PROBE_TIMEOUT);
    if (loop_watch(loop, &probe->out.watch) < 0 || loop_watch(loop, &probe->err.watch) < 0) {
        probe_abort(probe);
        return EMFILE;
    }
    return 0;
}

void probe_abort(struct probe *probe)
{
    if (!probe->pid)
        return;
    kill(-probe->pid, SIGKILL);
    while (waitpid(probe->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    release(probe);
    strbuf_free(&probe->out.text);
    strbuf_free(&probe->err.text);
}

struct sync {
    struct loop loop;
    struct setup *setup;
    struct strbuf *problems;
    int status;
};

static void on_sync_done(void *context, const struct probe_result *result)
{
    struct sync *sync = context;
    sync->status = result->status;
    if (result->status == 0)
        *sync->setup = result->setup;
    strbuf_puts(sync->problems, result->problems);
    loop_stop(&sync->loop);
}

int probe_run(const char *worker, const char *config, struct setup *setup, struct strbuf *problems)
{
    struct sync sync = {.setup = setup, .problems = problems, .status = EX_OSERR};
    struct probe probe;
    loop_init(&sync.loop);
    int error = probe_start(&probe, &sync.loop, worker, config, on_sync_done, &sync);
    if (error) {
        strbuf_printf(problems, "cannot run the worker program %s: %s\n", worker, strerror(error));
        return EX_OSERR;
    }
    if (loop_run(&sync.loop) < 0)
        probe_abort(&probe);
    return sync.status;
}
