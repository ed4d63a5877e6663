/*
 * reload - probe, start, hand over. The phases are the states between two events; every end goes through finish(), what
 * ends without the new configuration through fail().
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/reload.h"
#include "util/log.h"
#include <sysexits.h>

static void begin_later(struct reload *reload)
{
    reload->ticket++;
    reload->phase = RELOAD_DEFERRED;
    loop_start_timer(reload->loop, &reload->begin, 0);
}

static void finish(struct reload *reload, int code)
{
    reload->phase = RELOAD_IDLE;
    unsigned long ticket = reload->ticket;
    bool again = reload->queued;
    reload->queued = false;
    if (again)
        begin_later(reload);
    struct strbuf answer = reload->answer;
    strbuf_init(&reload->answer, 0);
    reload->on_end(reload->context, ticket, code, strbuf_text(&answer));
    strbuf_free(&answer);
}

static void fail(struct reload *reload, int code)
{
    log_text(LEVEL_ERROR, "reload failed; the old configuration stays in force");
    strbuf_puts(&reload->answer, "the old configuration stays in force\n");
    finish(reload, code);
}

/* Each line to the log and to the client. */
static void pass_on(struct reload *reload, enum log_level level, const char *prefix, const char *lines)
{
    while (*lines) {
        int len = (int)strcspn(lines, "\n");
        log_text(level, "%s%.*s", prefix, len, lines);
        strbuf_printf(&reload->answer, "%s%.*s\n", prefix, len, lines);
        lines += len;
        lines += *lines == '\n';
    }
}

static void warn_of_restart(struct reload *reload)
{
    struct strbuf names;
    strbuf_init(&names, 0);
    setup_compare(reload->setup, &reload->wanted, &names);
    if (names.len) {
        struct strbuf line;
        strbuf_init(&line, 0);
        strbuf_printf(&line, "warning: changed, but in force only after a restart of posternd: %s\n", names.ptr);
        pass_on(reload, LEVEL_WARNING, "", line.ptr);
        strbuf_free(&line);
    }
    strbuf_free(&names);
}

static void on_probe_done(void *context, const struct probe_result *result)
{
    struct reload *reload = context;
    pass_on(reload, result->status ? LEVEL_ERROR : LEVEL_WARNING, "", result->problems);
    if (result->status) {
        fail(reload, result->status);
        return;
    }
    reload->wanted = result->setup;
    warn_of_restart(reload);
    int error = fleet_start(reload->fleet);
    if (error) {
        pass_on(reload, LEVEL_ERROR, "cannot start a worker: ",
                reload->fleet->count >= FLEET_MAX ? "too many are still draining" : strerror(error));
        fail(reload, EX_OSERR);
        return;
    }
    reload->phase = RELOAD_STARTING;
}

static void refuse(struct reload *reload)
{
    pass_on(reload, LEVEL_WARNING, "", "posternd is shutting down");
    fail(reload, EX_TEMPFAIL);
}

static void on_begin(void *context)
{
    struct reload *reload = context;
    if (reload->closed) {
        refuse(reload);
        return;
    }
    log_text(LEVEL_INFO, "reload: checking %s", reload->fleet->config);
    reload->on_begin(reload->context);
    reload->phase = RELOAD_PROBING;
    int error =
        probe_start(&reload->probe, reload->loop, reload->fleet->program, reload->fleet->config, on_probe_done, reload);
    if (error) {
        pass_on(reload, LEVEL_ERROR, "cannot run the worker program: ", strerror(error));
        fail(reload, EX_OSERR);
    }
}

void reload_init(struct reload *reload, struct loop *loop, struct fleet *fleet, struct setup *setup)
{
    *reload = (struct reload){.loop = loop, .fleet = fleet, .setup = setup};
    reload->begin = (struct loop_timer){.on_due = on_begin, .context = reload};
    strbuf_init(&reload->answer, 0);
}

unsigned long reload_request(struct reload *reload)
{
    if (reload->phase == RELOAD_DEFERRED)
        return reload->ticket; /* nothing was read yet */
    if (reload->phase != RELOAD_IDLE) {
        reload->queued = true;
        return reload->ticket + 1;
    }
    begin_later(reload);
    return reload->ticket;
}

/* What concerns the master itself. */
static void take_over(struct reload *reload)
{
    reload->setup->log = reload->wanted.log;
    reload->setup->drain_timeout = reload->wanted.drain_timeout;
    log_open(&reload->setup->log);
}

void reload_worker_active(struct reload *reload, const struct worker *worker)
{
    if (reload->phase != RELOAD_STARTING)
        return;
    take_over(reload);
    strbuf_printf(&reload->answer, "the new configuration is in force, in worker %d\n", (int)worker->pid);
    log_text(LEVEL_INFO, "reload done; the new configuration is in force");
    finish(reload, 0);
}

void reload_worker_failed(struct reload *reload, int status)
{
    if (reload->phase != RELOAD_STARTING)
        return;
    pass_on(reload, LEVEL_ERROR, "",
            status == EX_CONFIG ? "the new worker refused the configuration; its reasons are in the log"
                                : "the new worker died before it was ready; see the log");
    fail(reload, status == EX_CONFIG ? EX_CONFIG : EX_SOFTWARE);
}

void reload_worker_lost(struct reload *reload)
{
    if (reload->phase != RELOAD_STARTING)
        return;
    take_over(reload);
    pass_on(reload, LEVEL_ERROR, "",
            "the new worker died while it took over; another one follows, with the configuration as it is then");
    finish(reload, EX_SOFTWARE);
}

void reload_close(struct reload *reload)
{
    reload->closed = true;
    if (reload->phase == RELOAD_PROBING)
        probe_abort(&reload->probe);
    loop_stop_timer(reload->loop, &reload->begin);
    if (reload->phase != RELOAD_IDLE)
        refuse(reload); /* a queued one gets its turn, and its refusal, from the loop */
}
