/*
 * status - ask, wait a second at most, print what is known. A worker that hangs is shown with its last report.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/status.h"
#include "util/clock.h"
#include <unistd.h>

#define GATHER_TIME 1000000 /* microseconds */

static void add_line(struct strbuf *out, const char *name, struct span value)
{
    strbuf_printf(out, "%s=", name);
    strbuf_add(out, value);
    strbuf_putc(out, '\n');
}

void status_render(const struct status *status, struct strbuf *out)
{
    const struct fleet *fleet = status->fleet;
    int64_t now = clock_monotonic_us();
    const char *report = fleet->active ? fleet->active->report : "";
    struct span config = tally_find(report, "config");
    long sessions = 0;
    strbuf_printf(out, "version=%s\npid=%d\nuptime=%lld\n", PACKAGE_VERSION, (int)getpid(),
                  (long long)((now - status->started) / 1000000));
    add_line(out, "config", config.len ? config : span_of(fleet->config));
    add_line(out, "checksum", tally_find(report, "checksum"));
    for (const struct worker *worker = fleet->workers; worker; worker = worker->next) {
        strbuf_printf(out, "worker=%d %s %lld %ld\n", (int)worker->pid, worker_state_name(worker),
                      (long long)((now - worker->started) / 1000000), worker_sessions(worker));
        sessions += worker_sessions(worker);
    }
    strbuf_printf(out, "sessions=%ld\n", sessions);
    struct tally sum;
    fleet_count(fleet, &sum);
    tally_print(&sum, out);
    tally_free(&sum);
}

static void finish(void *context)
{
    struct status *status = context;
    loop_stop_timer(status->loop, &status->deadline);
    status->gathering = false;
    struct strbuf text;
    strbuf_init(&text, 0);
    status_render(status, &text);
    status->on_end(status->context, status->ticket, strbuf_text(&text));
    strbuf_free(&text);
}

void status_init(struct status *status, struct loop *loop, struct fleet *fleet)
{
    *status = (struct status){.loop = loop, .fleet = fleet, .started = clock_monotonic_us()};
    status->deadline = (struct loop_timer){.on_due = finish, .context = status};
}

unsigned long status_request(struct status *status)
{
    if (status->gathering)
        return status->ticket;
    status->gathering = true;
    status->ticket++;
    bool any = fleet_ask_reports(status->fleet);
    loop_start_timer(status->loop, &status->deadline, any ? GATHER_TIME : 0);
    return status->ticket;
}

void status_reports_in(struct status *status)
{
    if (status->gathering)
        finish(status);
}
