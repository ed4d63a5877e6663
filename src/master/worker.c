/*
 * worker - start, link, end of one process. Which of them is the active one, and what follows a death, is fleet's.
 *
 * A worker that closes its link but goes on living is broken: nobody can tell it to drain any more. It is killed, and
 * what follows is the same as after any other death.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/link.h"
#include "master/spawn.h"
#include "master/tally.h"
#include "master/worker.h"
#include "util/clock.h"
#include "util/log.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLOSED_GRACE 1000000 /* microseconds; a process that ends closes its descriptors before it can be reaped */

/* False: nothing more to read. */
static bool read_datagram(struct worker *worker)
{
    static char text[LINK_TEXT_MAX + 1];
    ssize_t len = link_receive(worker->link.fd, text);
    if (len <= 0) {
        if (len == 0)
            loop_unwatch(worker->loop, &worker->link);
        return false;
    }
    if (strcmp(text, "ready") == 0 && !worker->ready) {
        worker->ready = true;
        loop_stop_timer(worker->loop, &worker->deadline);
        worker->owner->on_ready(worker->owner->context, worker);
    } else if (strcmp(text, "closed") == 0 && worker->closing) {
        worker->closing = false;
        worker->owner->on_closed(worker->owner->context, worker);
    } else if (strncmp(text, "report\n", 7) == 0) {
        free(worker->report);
        worker->report = strdup(text + 7);
        if (!worker->report)
            abort();
        worker->asked = false;
        worker->owner->on_report(worker->owner->context, worker);
    }
    return true;
}

static void on_link(void *context, short revents)
{
    struct worker *worker = context;
    (void)revents;
    if (!read_datagram(worker) && !worker->link.watching)
        loop_start_timer(worker->loop, &worker->deadline, CLOSED_GRACE);
}

static void on_deadline(void *context)
{
    struct worker *worker = context;
    log_text(LEVEL_ERROR, "worker %d %s; killing it", (int)worker->pid,
             worker->link.watching ? "is not ready in time" : "closed its link but does not end");
    worker_kill(worker);
}

struct worker *worker_start(struct loop *loop, const char *program, const char *config, int listen_fd,
                            int64_t ready_timeout, const struct worker_owner *owner)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return NULL;
    char fds[32];
    snprintf(fds, sizeof fds, "%d,%d", listen_fd, pair[1]);
    char *argv[] = {(char *)program, "-c", (char *)config, "-W", fds, NULL};
    struct spawn_fd kept[] = {{listen_fd, listen_fd}, {pair[1], pair[1]}};
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker)
        worker->report = strdup("");
    if (!worker || !worker->report)
        abort();
    worker->loop = loop;
    worker->owner = owner;
    worker->started = clock_monotonic_us();
    worker->link = (struct loop_watch){.fd = pair[0], .events = POLLIN, .on_event = on_link, .context = worker};
    worker->deadline = (struct loop_timer){.on_due = on_deadline, .context = worker};
    int error = loop_watch(loop, &worker->link) < 0 ? EMFILE : spawn_program(argv, kept, 2, &worker->pid);
    close(pair[1]);
    if (error) {
        worker_destroy(worker);
        errno = error;
        return NULL;
    }
    loop_start_timer(loop, &worker->deadline, ready_timeout);
    return worker;
}

void worker_read_rest(struct worker *worker)
{
    while (read_datagram(worker))
        ;
}

void worker_destroy(struct worker *worker)
{
    loop_unwatch(worker->loop, &worker->link);
    loop_stop_timer(worker->loop, &worker->deadline);
    close(worker->link.fd);
    free(worker->report);
    free(worker);
}

void worker_drain(struct worker *worker)
{
    worker->state = WORKER_DRAINING;
    worker->closing = true;
    if (link_tell(worker->link.fd, "drain") < 0)
        log_text(LEVEL_WARNING, "worker %d does not hear that it shall drain: %s", (int)worker->pid, strerror(errno));
}

void worker_kill(struct worker *worker)
{
    worker->killed = true;
    kill(worker->pid, SIGKILL);
}

void worker_ask_report(struct worker *worker)
{
    if (worker->ready && worker->link.watching && !worker->asked)
        worker->asked = link_tell(worker->link.fd, "report") == 0;
}

long worker_sessions(const struct worker *worker)
{
    struct span value = tally_find(worker->report, "sessions");
    return value.len ? strtol(value.ptr, NULL, 10) : 0;
}

const char *worker_state_name(const struct worker *worker)
{
    static const char *const names[] = {"starting", "active", "draining"};
    return names[worker->state];
}
