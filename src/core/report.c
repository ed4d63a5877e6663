/*
 * report - who, what, why, how long: the same fields in the same order for every event.
 *
 * A message is one line; what a check thought on the way is in `posternctl explain`, not in the log.
 */
#include "core/report.h"
#include "util/log.h"
#include <stdio.h>

#define RECIPIENTS_SHOWN 20 /* addresses listed in a line; more are counted: "+80" */
#define FIELDS_MAX 24

struct line {
    struct log_field fields[FIELDS_MAX];
    size_t count;
    char client[NETADDR_TEXT_SIZE];
};

static void add(struct line *line, const char *key, const char *text)
{
    if (text)
        line->fields[line->count++] = LOG_STRING(key, text);
}

static void add_number(struct line *line, const char *key, int64_t number)
{
    line->fields[line->count++] = LOG_NUMBER(key, number);
}

static void add_session(struct line *line, const struct session *session, const struct message *message)
{
    add(line, "id", message && message->queue_id ? message->queue_id : session->id);
    add(line, "session", session->id);
    add(line, "client", netaddr_format(&session->client, line->client));
    add(line, "client_name", session->client_name);
    add(line, "helo", session->helo ? session->helo : "");
    add(line, "class", session_class_name(session_class(session)));
    add(line, "login", session->login);
    if (message)
        add(line, "from", message->reverse_path);
}

static void add_verdict(struct line *line, const struct verdict *verdict)
{
    add(line, "verdict", disposition_name(verdict->disposition));
    if (verdict->check) {
        add(line, "phase", phase_name(verdict->phase));
        add(line, "check", verdict->check);
        add(line, "why", verdict->why);
    }
    add(line, "reply", verdict->reply);
}

static void list_recipients(struct strbuf *out, const struct message *message)
{
    size_t shown = 0, rest = 0;
    for (size_t i = 0; i < message->recipient_count; i++) {
        if (message->recipients[i].verdict.reply)
            continue;
        if (shown >= RECIPIENTS_SHOWN) {
            rest++;
            continue;
        }
        strbuf_printf(out, "%s%s", shown++ ? "," : "", message->recipients[i].address);
    }
    if (rest)
        strbuf_printf(out, ",+%zu", rest);
}

static void list_times(struct strbuf *out, const struct engine *engine, const struct message *message)
{
    for (size_t i = 0; i < engine->plan.count; i++) {
        if (message->check_us[i] > 0)
            strbuf_printf(out, "%s%s:%lld", out->len ? "," : "", engine->plan.entries[i].check->name,
                          (long long)message->check_us[i]);
    }
}

static void count(const struct engine *engine, const char *prefix, const char *name)
{
    char text[96];
    if (name && (size_t)snprintf(text, sizeof text, "%s.%s", prefix, name) < sizeof text)
        counters_increment(engine->counters, text);
}

void report_message(const struct engine *engine, const struct session *session, struct message *message)
{
    struct line line = {.count = 0};
    struct strbuf recipients, times;
    if (message->is_logged)
        return;
    message->is_logged = true;
    count(engine, "message", disposition_name(message->verdict.disposition));
    count(engine, "why", message->verdict.why);
    if (!log_wants(LEVEL_INFO))
        return;
    strbuf_init(&recipients, 8192);
    strbuf_init(&times, 1024);
    list_recipients(&recipients, message);
    list_times(&times, engine, message);
    add_session(&line, session, message);
    add(&line, "to", strbuf_text(&recipients));
    if (message->content)
        add_number(&line, "size", (int64_t)content_size(message->content));
    add_verdict(&line, &message->verdict);
    add(&line, "us", strbuf_text(&times));
    log_event(LEVEL_INFO, "message", line.fields, line.count);
    strbuf_free(&recipients);
    strbuf_free(&times);
}

static void report_one(const char *event, const struct session *session, const struct message *message,
                       const struct recipient *recipient, const struct verdict *verdict)
{
    struct line line = {.count = 0};
    add_session(&line, session, message);
    if (recipient)
        add(&line, "rcpt", recipient->address);
    add_verdict(&line, verdict);
    log_event(LEVEL_INFO, event, line.fields, line.count);
}

void report_recipient(const struct engine *engine, const struct session *session, const struct message *message,
                      const struct recipient *recipient, const struct verdict *verdict)
{
    count(engine, "recipient", "refused");
    count(engine, "why", verdict->why);
    report_one("recipient", session, message, recipient, verdict);
}

void report_monitor(const struct engine *engine, const struct session *session, const struct message *message,
                    const struct recipient *recipient, const struct verdict *verdict)
{
    count(engine, "monitor", verdict->why);
    report_one("monitor", session, message, recipient, verdict);
}

void report_error(const struct engine *engine, const struct session *session, const struct message *message,
                  const char *check, const char *text)
{
    struct line line = {.count = 0};
    count(engine, "error", check);
    add_session(&line, session, message);
    add(&line, "check", check);
    add(&line, "error", text);
    log_event(LEVEL_ERROR, "error", line.fields, line.count);
}
