/*
 * fleet - who is active, and what follows a death.
 *
 * The two slots `active` and `candidate` are the whole state. A restart after a crash and a reload both go through
 * fleet_start(), so there cannot be two candidates, and the active slot changes hands in one place, on_ready().
 * The listening socket is shared, so for a moment both may accept: `taking_over` is the time from there until
 * make_known(), and everything that may end it calls that. Nothing waits meanwhile.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/fleet.h"
#include "master/spawn.h"
#include "util/clock.h"
#include "util/log.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#define READY_TIMEOUT 30000000 /* microseconds, all of them */
#define GOOD_LIFE 60000000     /* a worker that lived so long did not die of its start */
#define FIRST_DELAY 100000
#define LONGEST_DELAY 10000000

static void make_known(struct fleet *fleet)
{
    if (!fleet->taking_over)
        return;
    for (const struct worker *worker = fleet->workers; worker; worker = worker->next)
        if (worker->closing)
            return;
    fleet->taking_over = false;
    loop_stop_timer(fleet->loop, &fleet->closing_end);
    log_text(LEVEL_INFO, "worker %d is active", (int)fleet->active->pid);
    fleet->events.on_active(fleet->events.context, fleet->active);
}

static void on_closed(void *context, struct worker *worker)
{
    (void)worker;
    make_known(context);
}

static void on_closing_end(void *context)
{
    struct fleet *fleet = context;
    for (struct worker *worker = fleet->workers; worker; worker = worker->next) {
        if (worker->closing)
            log_text(LEVEL_WARNING, "worker %d drains, but does not say that it takes no more connections; not waiting",
                     (int)worker->pid);
        worker->closing = false;
    }
    make_known(fleet);
}

static void on_ready(void *context, struct worker *worker)
{
    struct fleet *fleet = context;
    if (worker != fleet->candidate)
        return; /* one that was let go before it was ready */
    struct worker *before = fleet->active;
    fleet->candidate = NULL;
    fleet->active = worker;
    fleet->once_active = true;
    worker->state = WORKER_ACTIVE;
    if (before) {
        log_text(LEVEL_INFO, "worker %d drains", (int)before->pid);
        worker_drain(before);
    }
    worker_ask_report(worker);
    fleet->taking_over = true;
    loop_start_timer(fleet->loop, &fleet->closing_end, FLEET_CLOSING_TIME);
    make_known(fleet);
}

static void tell_if_all_reported(struct fleet *fleet)
{
    for (const struct worker *worker = fleet->workers; worker; worker = worker->next)
        if (worker->asked)
            return;
    fleet->events.on_reports(fleet->events.context);
}

static void on_report(void *context, struct worker *worker)
{
    (void)worker;
    tell_if_all_reported(context);
}

static void schedule_restart(struct fleet *fleet, int64_t life)
{
    if (life >= GOOD_LIFE)
        fleet->failures = 0;
    int64_t delay = 0;
    if (fleet->failures > 0) {
        unsigned doublings = fleet->failures - 1;
        delay = doublings > 6 ? LONGEST_DELAY : (int64_t)FIRST_DELAY << doublings;
    }
    fleet->failures++;
    if (delay)
        log_text(LEVEL_WARNING, "the next worker starts in %d.%d s", (int)(delay / 1000000),
                 (int)(delay % 1000000 / 100000));
    loop_start_timer(fleet->loop, &fleet->restart, delay);
}

static void on_restart(void *context)
{
    struct fleet *fleet = context;
    if (fleet->draining || fleet->active || fleet->candidate)
        return;
    int error = fleet_start(fleet);
    if (error) {
        log_text(LEVEL_ERROR, "cannot start a worker: %s", strerror(error));
        schedule_restart(fleet, 0);
    }
}

void fleet_init(struct fleet *fleet, struct loop *loop, const char *program, const char *config, int listen_fd,
                const struct fleet_events *events)
{
    *fleet = (struct fleet){.loop = loop,
                            .program = program,
                            .config = config,
                            .listen_fd = listen_fd,
                            .ready_timeout = READY_TIMEOUT,
                            .events = *events,
                            .owner = {on_ready, on_closed, on_report, fleet},
                            .restart = {.on_due = on_restart, .context = fleet},
                            .closing_end = {.on_due = on_closing_end, .context = fleet}};
}

int fleet_start(struct fleet *fleet)
{
    if (fleet->draining || fleet->count >= FLEET_MAX)
        return EAGAIN;
    struct worker *worker =
        worker_start(fleet->loop, fleet->program, fleet->config, fleet->listen_fd, fleet->ready_timeout, &fleet->owner);
    if (!worker)
        return errno;
    log_text(LEVEL_INFO, "worker %d starts", (int)worker->pid);
    loop_stop_timer(fleet->loop, &fleet->restart);
    if (fleet->candidate)
        worker_drain(fleet->candidate);
    fleet->candidate = worker;
    worker->next = fleet->workers;
    fleet->workers = worker;
    fleet->count++;
    return 0;
}

static void log_death(const struct worker *worker, int wait_status)
{
    struct strbuf text;
    strbuf_init(&text, 0);
    spawn_describe(wait_status, &text);
    bool clean = worker->state == WORKER_DRAINING && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
    log_text(clean ? LEVEL_INFO : LEVEL_ERROR, "worker %d (%s) %s", (int)worker->pid, worker_state_name(worker),
             strbuf_text(&text));
    strbuf_free(&text);
}

/* The one who was taking over is dead. What follows is what follows any crash. */
static void lose(struct fleet *fleet)
{
    fleet->taking_over = false;
    loop_stop_timer(fleet->loop, &fleet->closing_end);
    fleet->events.on_lost(fleet->events.context);
}

static void bury(struct fleet *fleet, struct worker *worker, int wait_status)
{
    worker->ready = true; /* a "ready" that is found only now must not make a dead worker the active one */
    worker_read_rest(worker);
    log_death(worker, wait_status);
    for (struct worker **at = &fleet->workers; *at; at = &(*at)->next) {
        if (*at == worker) {
            *at = worker->next;
            break;
        }
    }
    fleet->count--;
    bool was_active = worker == fleet->active, was_candidate = worker == fleet->candidate, was_asked = worker->asked;
    int64_t life = clock_monotonic_us() - worker->started;
    fleet->active = was_active ? NULL : fleet->active;
    fleet->candidate = was_candidate ? NULL : fleet->candidate;
    tally_add_report(&fleet->ended, worker->report);
    worker_destroy(worker);

    if (was_active && fleet->taking_over)
        lose(fleet);
    make_known(fleet); /* the dead one may be the last that was waited for */
    if (was_candidate)
        fleet->events.on_failed(fleet->events.context, WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1);
    if (was_asked)
        tell_if_all_reported(fleet);
    if ((was_active || was_candidate) && fleet->once_active && !fleet->draining && !fleet->active && !fleet->candidate)
        schedule_restart(fleet, life);
    if (fleet->draining && fleet->count == 0)
        fleet->events.on_empty(fleet->events.context);
}

void fleet_reap(struct fleet *fleet)
{
    struct worker *next;
    for (struct worker *worker = fleet->workers; worker; worker = next) {
        next = worker->next;
        int wait_status;
        pid_t got = waitpid(worker->pid, &wait_status, WNOHANG);
        if (got == worker->pid)
            bury(fleet, worker, wait_status);
    }
}

void fleet_drain(struct fleet *fleet)
{
    fleet->draining = true;
    fleet->taking_over = false;
    fleet->active = fleet->candidate = NULL;
    loop_stop_timer(fleet->loop, &fleet->closing_end);
    loop_stop_timer(fleet->loop, &fleet->restart);
    for (struct worker *worker = fleet->workers; worker; worker = worker->next)
        if (worker->state != WORKER_DRAINING)
            worker_drain(worker);
    if (fleet->count == 0)
        fleet->events.on_empty(fleet->events.context);
}

void fleet_kill(struct fleet *fleet)
{
    for (struct worker *worker = fleet->workers; worker; worker = worker->next) {
        log_text(LEVEL_WARNING, "killing worker %d with %ld sessions open by its last report", (int)worker->pid,
                 worker_sessions(worker));
        worker_kill(worker);
    }
}

bool fleet_ask_reports(struct fleet *fleet)
{
    bool any = false;
    for (struct worker *worker = fleet->workers; worker; worker = worker->next) {
        worker_ask_report(worker);
        any = any || worker->asked;
    }
    return any;
}

void fleet_count(const struct fleet *fleet, struct tally *sum)
{
    *sum = (struct tally){0};
    struct strbuf text;
    strbuf_init(&text, 0);
    for (size_t i = 0; i < fleet->ended.count; i++)
        strbuf_printf(&text, "%s=%llu\n", fleet->ended.entries[i].name,
                      (unsigned long long)fleet->ended.entries[i].value);
    tally_add_report(sum, strbuf_text(&text));
    strbuf_free(&text);
    for (const struct worker *worker = fleet->workers; worker; worker = worker->next)
        tally_add_report(sum, worker->report);
}

void fleet_destroy(struct fleet *fleet)
{
    loop_stop_timer(fleet->loop, &fleet->restart);
    loop_stop_timer(fleet->loop, &fleet->closing_end);
    while (fleet->workers) {
        struct worker *next = fleet->workers->next;
        worker_destroy(fleet->workers);
        fleet->workers = next;
    }
    tally_free(&fleet->ended);
}
