/*
 * postern-worker - configuration -> services -> milter. Wiring only.
 *
 * One process has exactly one configuration from start to end: a reload is a new process. posternd starts it with
 * -W LISTEN,LINK; the other options answer questions and end.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "auth/dkim_verify.h"
#include "core/engine.h"
#include "master/link.h"
#include "mime/archive.h"
#include "milter/milter.h"
#include "services.h"
#include "util/clock.h"
#include "util/log.h"
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#define DRAIN_LINGER_US 2000000 /* connections taken in the last instant have no session yet: wait for them */
#define DRAIN_POLL_US 50000
#define CLOSED_POLL_US 1000
#define CLOSED_PATIENCE_US 5000000 /* the master waits no longer either */

struct worker {
    struct engine *engine;
    struct link_handler handler;
    int link_fd;
    _Atomic bool draining;
    bool serves; /* of the main thread */
};

static void open_log(const struct settings *settings)
{
    struct log_options options = {"postern", (enum log_target)settings->log->target,
                                  (enum log_format)settings->log->format, (enum log_level)settings->log->level,
                                  settings->log->facility};
    log_open(&options);
}

static void print_master_options(const struct settings *settings)
{
    const struct general_settings *general = settings->general;
    printf("socket=%s\nsocket_owner=%s\nsocket_group=%s\nsocket_mode=%04llo\nuser=%s\ncontrol=%s\n"
           "drain_timeout=%lld\nlog_target=%d\nlog_format=%d\nlog_level=%d\nlog_facility=%d\n",
           general->socket, general->socket_owner ? general->socket_owner : "",
           general->socket_group ? general->socket_group : "", (unsigned long long)general->socket_mode,
           general->user ? general->user : "", general->control ? general->control : "",
           (long long)general->drain_timeout, settings->log->target, settings->log->format, settings->log->level,
           settings->log->facility);
}

static int print_options(const char *what)
{
    size_t count;
    const struct conf_section *sections = engine_sections(&count);
    if (strcmp(what, "options") == 0)
        conf_print_options(stdout, sections, count);
    else if (strcmp(what, "conf") == 0)
        conf_print_annotated(stdout, sections, count);
    else if (strcmp(what, "mdoc") == 0)
        conf_print_mdoc(stdout, sections, count);
    else if (strcmp(what, "whys") == 0)
        engine_print_whys(stdout);
    else
        return -1;
    return 0;
}

/* -t and -T: answers and ends. */
static int answer(const char *what, const char *path)
{
    struct conf_problems problems = {conf_print_problem, NULL, 0}, warnings = problems;
    if (what && print_options(what) == 0)
        return EX_OK;
    struct engine *engine = engine_create(path, &problems);
    if (!engine || services_check(engine, &problems, &warnings) != 0)
        return EX_CONFIG;
    if (what && strcmp(what, "plan") == 0)
        plan_print(&engine->plan, stdout);
    else if (what && strcmp(what, "master") == 0)
        print_master_options(&engine->settings);
    else if (what)
        return fprintf(stderr, "postern-worker: -T %s: say options, plan, conf, mdoc, whys or master\n", what), EX_USAGE;
    else
        services_print_checked(path, &warnings);
    engine_destroy(engine);
    return EX_OK;
}

/* Tells the master when no new connection comes to us any more; not at all if libmilter does not get there. */
static void await_closed(const struct worker *worker)
{
    int64_t end = clock_monotonic_us() + CLOSED_PATIENCE_US;
    while (!milter_is_closed() && clock_monotonic_us() < end)
        clock_sleep_us(CLOSED_POLL_US);
    if (milter_is_closed())
        link_send_closed(worker->link_fd);
    else
        log_text(LEVEL_WARNING, "worker %d: libmilter still listens", (int)getpid());
}

/* Ends the process once nobody is left to serve, and the MTA has said what became of the reply that it is being handed;
 * smfi_stop() would break the sessions that are open. */
static void *wait_for_sessions(void *context)
{
    struct worker *worker = context;
    await_closed(worker);
    int64_t start = clock_monotonic_us();
    services_drain(worker->engine);
    while (milter_sessions() > 0 || !services_are_drained(worker->engine) ||
           clock_monotonic_us() - start < DRAIN_LINGER_US)
        clock_sleep_us(DRAIN_POLL_US);
    link_send_report(worker->link_fd, &worker->handler);
    log_text(LEVEL_INFO, "worker %d: drained", (int)getpid());
    archive_scanner_destroy(worker->engine->services.archives); /* its process must not outlive us */
    _exit(EX_OK);
}

static void start_drain(struct worker *worker)
{
    pthread_t thread;
    if (atomic_exchange(&worker->draining, true))
        return;
    milter_drain(worker->engine->settings.message->directory);
    int error = pthread_create(&thread, NULL, wait_for_sessions, worker);
    if (error)
        log_text(LEVEL_ERROR, "drain: %s", strerror(error));
    else
        pthread_detach(thread);
}

static void on_drain(void *context)
{
    start_drain(context);
}

static void on_orphaned(void *context)
{
    struct worker *worker = context;
    log_text(LEVEL_WARNING, "worker %d: posternd is gone, finishing the open sessions", (int)getpid());
    start_drain(worker);
    clock_sleep_us(worker->engine->settings.general->drain_timeout * 1000);
    _exit(EX_UNAVAILABLE);
}

static void on_report(void *context, struct strbuf *out)
{
    const struct worker *worker = context;
    strbuf_printf(out, "sessions=%u\nconfig=%s\nchecksum=%s\n", milter_sessions(), conf_path(worker->engine->conf),
                  conf_checksum(worker->engine->conf));
    counters_print(worker->engine->counters, out);
    services_report(worker->engine, out);
}

static void on_ready(void *context)
{
    struct worker *worker = context;
    worker->serves = true;
    link_send_ready(worker->link_fd);
}

/* A message's buffers come and go by the hundred kilobytes. Left to itself glibc gives them back to the kernel each
 * time and faults them in again, which costs more than reading the message; four arenas that keep 4 MB each do not. */
static void tune_malloc(void)
{
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, 4);
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
#endif
}

static int serve(const char *path, int listen_fd, int link_fd)
{
    tune_malloc();
    struct worker worker = {.link_fd = link_fd};
    struct conf_problems problems = {conf_print_problem, NULL, 0};
    /* Past RLIMIT_FSIZE a write shall fail like one to a full disk. */
    signal(SIGXFSZ, SIG_IGN);
    /* Signals from a terminal are for the master; libmilter would take them for "stop". */
    setpgid(0, 0);
    worker.engine = engine_create(path, &problems);
    if (!worker.engine)
        return EX_CONFIG;
    open_log(&worker.engine->settings);
    int status = engine_check_directory(worker.engine, &problems) == 0 ? services_open(worker.engine, &problems) : EX_CONFIG;
    if (status != EX_OK)
        return status;
    if (!verifier_service_knows_ed25519(worker.engine->services.verifier, VERIFIER_BUILTIN))
        log_text(LEVEL_WARNING, "libcrypto does not know Ed25519: such DKIM signatures are neutral");
    worker.handler = (struct link_handler){on_drain, on_report, on_orphaned, &worker};
    int error = link_open(link_fd, &worker.handler);
    if (error) {
        log_text(LEVEL_ERROR, "cannot start the link to posternd: %s", strerror(error));
        return EX_OSERR;
    }
    status = services_start(worker.engine);
    if (status != EX_OK)
        return status;
    status = milter_serve(worker.engine, listen_fd, on_ready, &worker) == 0 ? EX_OK : EX_SOFTWARE;
    while (status == EX_OK && !worker.serves)
        pause(); /* told to drain before it began; wait_for_sessions() ends us */
    return status;
}

int main(int argc, char **argv)
{
    const char *path = POSTERN_SYSCONFDIR "/postern/postern.conf", *what = NULL;
    int option, listen_fd = -1, link_fd = -1;
    bool only_check = false;
    while ((option = getopt(argc, argv, "c:tT:W:")) != -1) {
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case 't':
            only_check = true;
            break;
        case 'T':
            what = optarg;
            break;
        case 'W':
            if (sscanf(optarg, "%d,%d", &listen_fd, &link_fd) == 2)
                break;
            /* fall through */
        default:
            fputs("postern-worker is started by posternd(8)\n", stderr);
            return EX_USAGE;
        }
    }
    if (only_check || what)
        return answer(what, path);
    if (listen_fd < 0) {
        fputs("postern-worker is started by posternd(8)\n", stderr);
        return EX_USAGE;
    }
    return serve(path, listen_fd, link_fd);
}
