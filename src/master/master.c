/*
 * master - wiring of the room: who hears what from whom.
 *
 * Signals come through a signalfd, so that nothing runs in a handler. SIGHUP asks for a reload, SIGCHLD has the dead
 * collected, SIGTERM and SIGINT begin the end: the socket goes first, the workers drain for drain_timeout, what is left
 * is killed; a second signal kills at once. The control socket answers until the last worker is gone, so that one can
 * look on.
 * The master reads nothing that comes from the net, and parses no configuration (docs/adr/0001).
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/control.h"
#include "master/fleet.h"
#include "master/listen.h"
#include "master/master.h"
#include "master/notify.h"
#include "master/pidfile.h"
#include "master/probe.h"
#include "master/reload.h"
#include "master/status.h"
#include "master/user.h"
#include "util/log.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#define REPORT_EVERY 10000000 /* microseconds; what a worker that crashes may take with it of the counters */

struct master {
    struct master_options options;
    struct setup setup;
    struct listener milter, control_socket;
    struct pidfile pidfile;
    struct loop loop;
    struct loop_watch signals;
    struct loop_timer drain_end, reports;
    struct fleet fleet;
    struct reload reload;
    struct status status;
    struct control control;
    bool ready, stopping;
    int exit_code;
};

/* ---- opening ---- */

static int open_sockets(struct master *master, const struct user *user, struct strbuf *why)
{
    struct endpoint milter, control;
    struct listen_access access = {.mode = master->setup.socket_mode, .user = user->uid};
    struct listen_access private = {.uid = user->uid, .gid = user->gid, .mode = 0600, .user = user->uid};
    if (endpoint_parse(&milter, "socket", master->setup.socket, why) < 0 ||
        endpoint_of_path(&control, "control", master->setup.control, why) < 0)
        return EX_CONFIG;
    int code = user_find_owner(master->setup.socket_owner, &access.uid, why);
    if (access.uid == (uid_t)-1)
        access.uid = user->uid;
    if (code == 0)
        code = user_find_group(master->setup.socket_group, &access.gid, why);
    if (code == 0)
        code = listen_open(&master->milter, &milter, "socket", &access, why);
    if (code == 0)
        code = listen_open(&master->control_socket, &control, "control", &private, why);
    return code;
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void close_all(struct master *master)
{
    listen_close(&master->milter);
    listen_close(&master->control_socket);
    pidfile_close(&master->pidfile);
    free(master);
}

int master_open(struct master **out, const struct master_options *options, struct strbuf *why)
{
    struct master *master = calloc(1, sizeof *master);
    if (!master)
        abort();
    struct user user;
    master->options = *options;
    master->milter = master->control_socket = LISTENER_CLOSED;
    master->pidfile = PIDFILE_CLOSED;
    int code = probe_run(options->worker, options->config, &master->setup, why);
    if (code == 0)
        code = user_find(&user, master->setup.user, why);
    if (code == 0)
        code = open_sockets(master, &user, why);
    if (code == 0 && options->pid_file)
        code = pidfile_open(&master->pidfile, options->pid_file, why);
    raise_descriptor_limit();
    if (code == 0)
        code = user_become(&user, why);
    if (code) {
        close_all(master);
        return code;
    }
    *out = master;
    return 0;
}

/* ---- what the parts tell ---- */

static void on_worker_active(void *context, struct worker *worker)
{
    struct master *master = context;
    reload_worker_active(&master->reload, worker);
    if (!master->ready) {
        master->ready = true;
        notify_ready();
        if (master->options.on_ready)
            master->options.on_ready(master->options.context);
    }
    notify_status("worker %d is active, %u in all", (int)worker->pid, master->fleet.count);
}

static void on_worker_failed(void *context, int status)
{
    struct master *master = context;
    reload_worker_failed(&master->reload, status);
    if (!master->ready && !master->stopping) {
        log_text(LEVEL_ERROR, "the first worker was never ready; giving up");
        master->exit_code = status == EX_CONFIG ? EX_CONFIG : EX_SOFTWARE;
        loop_stop(&master->loop);
    }
}

static void on_worker_lost(void *context)
{
    struct master *master = context;
    reload_worker_lost(&master->reload);
}

static void on_reports(void *context)
{
    struct master *master = context;
    status_reports_in(&master->status);
}

static void on_fleet_empty(void *context)
{
    struct master *master = context;
    loop_stop(&master->loop);
}

static void on_reload_begin(void *context)
{
    (void)context;
    notify_reloading();
}

static void on_reload_end(void *context, unsigned long ticket, int code, const char *text)
{
    struct master *master = context;
    if (!master->stopping)
        notify_ready();
    control_answer(&master->control, CONTROL_RELOAD, ticket, code, text);
}

static void on_status_end(void *context, unsigned long ticket, const char *text)
{
    struct master *master = context;
    control_answer(&master->control, CONTROL_STATUS, ticket, 0, text);
}

static unsigned long on_command(void *context, enum control_command command)
{
    struct master *master = context;
    return command == CONTROL_STATUS ? status_request(&master->status) : reload_request(&master->reload);
}

static void on_time_to_report(void *context)
{
    struct master *master = context;
    fleet_ask_reports(&master->fleet);
    loop_start_timer(&master->loop, &master->reports, REPORT_EVERY);
}

/* ---- signals and the end ---- */

static void on_drain_timeout(void *context)
{
    struct master *master = context;
    log_text(LEVEL_WARNING, "drain_timeout is over");
    fleet_kill(&master->fleet);
}

static void stop(struct master *master, const char *signal)
{
    if (master->stopping) {
        log_text(LEVEL_WARNING, "%s again: not waiting any longer", signal);
        fleet_kill(&master->fleet);
        return;
    }
    log_text(LEVEL_INFO, "%s: closing the socket; %u workers drain, for %lld ms at most", signal, master->fleet.count,
             (long long)master->setup.drain_timeout);
    master->stopping = true;
    notify_stopping();
    listen_close(&master->milter);
    reload_close(&master->reload);
    loop_start_timer(&master->loop, &master->drain_end, master->setup.drain_timeout * 1000);
    fleet_drain(&master->fleet);
}

static void on_signal(void *context, short revents)
{
    struct master *master = context;
    struct signalfd_siginfo info;
    (void)revents;
    while (read(master->signals.fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            fleet_reap(&master->fleet);
        else if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
            stop(master, info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
        else if (info.ssi_signo == SIGHUP && !master->stopping)
            reload_request(&master->reload);
    }
}

static int watch_signals(struct master *master)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    master->signals = (struct loop_watch){.fd = fd, .events = POLLIN, .on_event = on_signal, .context = master};
    return fd < 0 ? -1 : loop_watch(&master->loop, &master->signals);
}

static void wire(struct master *master)
{
    struct fleet_events events = {.on_active = on_worker_active,
                                  .on_failed = on_worker_failed,
                                  .on_lost = on_worker_lost,
                                  .on_reports = on_reports,
                                  .on_empty = on_fleet_empty,
                                  .context = master};
    fleet_init(&master->fleet, &master->loop, master->options.worker, master->options.config, master->milter.fd,
               &events);
    reload_init(&master->reload, &master->loop, &master->fleet, &master->setup);
    master->reload.on_begin = on_reload_begin;
    master->reload.on_end = on_reload_end;
    master->reload.context = master;
    status_init(&master->status, &master->loop, &master->fleet);
    master->status.on_end = on_status_end;
    master->status.context = master;
    control_open(&master->control, &master->loop, master->control_socket.fd, on_command, master);
    master->drain_end = (struct loop_timer){.on_due = on_drain_timeout, .context = master};
    master->reports = (struct loop_timer){.on_due = on_time_to_report, .context = master};
    loop_start_timer(&master->loop, &master->reports, REPORT_EVERY);
}

/* 0, or a code after the reason was logged. */
static int start(struct master *master)
{
    if (watch_signals(master) < 0) {
        log_text(LEVEL_ERROR, "cannot start: %s", strerror(errno));
        return EX_OSERR;
    }
    int error = fleet_start(&master->fleet);
    if (error == 0)
        return 0;
    const char *user = master->setup.user;
    log_text(LEVEL_ERROR, "cannot run %s%s%s: %s", master->options.worker, *user ? " as user " : "", user,
             strerror(error));
    return error == EACCES ? EX_NOPERM : EX_OSERR;
}

int master_run(struct master *master)
{
    log_open(&master->setup.log);
    log_text(LEVEL_INFO, "posternd %s starts: %s, configuration %s", PACKAGE_VERSION, master->setup.socket,
             master->options.config);
    loop_init(&master->loop);
    wire(master);
    master->exit_code = start(master);
    if (master->exit_code == 0 && loop_run(&master->loop) < 0) {
        log_text(LEVEL_ERROR, "poll: %s", strerror(errno));
        master->exit_code = EX_OSERR;
    }
    int code = master->exit_code;
    control_close(&master->control);
    fleet_destroy(&master->fleet);
    if (master->signals.fd >= 0)
        close(master->signals.fd);
    strbuf_free(&master->reload.answer);
    log_text(LEVEL_INFO, "posternd ends with status %d", code);
    close_all(master);
    return code;
}
