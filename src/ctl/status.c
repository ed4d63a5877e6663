/*
 * status - `posternctl status`: the master's key=value lines for people, or as one JSON object.
 */
#include "ctl/control.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include <stdio.h>
#include <stdlib.h>

#define TIMEOUT 10000 /* milliseconds */

struct worker_line {
    char state[16];
    long long pid, age, sessions;
};

/* "PID STATE AGE SESSIONS" */
static bool parse_worker(const char *value, struct worker_line *worker)
{
    return sscanf(value, "%lld %15s %lld %lld", &worker->pid, worker->state, &worker->age, &worker->sessions) == 4;
}

static const char *print_time(long long seconds, char text[48])
{
    if (seconds >= 86400)
        snprintf(text, 48, "%lld d %lld h", seconds / 86400, seconds / 3600 % 24);
    else if (seconds >= 3600)
        snprintf(text, 48, "%lld h %lld min", seconds / 3600, seconds / 60 % 60);
    else if (seconds >= 60)
        snprintf(text, 48, "%lld min %lld s", seconds / 60, seconds % 60);
    else
        snprintf(text, 48, "%lld s", seconds);
    return text;
}

/* Calls EACH with every "key=value" line, cut into its two halves; TEXT is spent. */
static void for_each_line(char *text, void (*each)(void *context, const char *key, const char *value), void *context)
{
    for (char *line; (line = strsep(&text, "\n"));) {
        char *value = strchr(line, '=');
        if (!value)
            continue;
        *value++ = '\0';
        each(context, line, value);
    }
}

/* ---- for people ---- */

struct page {
    char version[64], pid[32];
    struct strbuf workers, counters, head;
};

static void add_to_page(void *context, const char *key, const char *value)
{
    struct page *page = context;
    struct worker_line worker;
    char time[48];
    if (strcmp(key, "version") == 0)
        snprintf(page->version, sizeof page->version, "%s", value);
    else if (strcmp(key, "pid") == 0)
        snprintf(page->pid, sizeof page->pid, "%s", value);
    else if (strcmp(key, "uptime") == 0)
        strbuf_printf(&page->head, "running for     %s\n", print_time(strtoll(value, NULL, 10), time));
    else if (strcmp(key, "config") == 0)
        strbuf_printf(&page->head, "configuration   %s\n", value);
    else if (strcmp(key, "checksum") == 0)
        strbuf_printf(&page->head, "checksum        %s\n", *value ? value : "(no worker has told yet)");
    else if (strcmp(key, "sessions") == 0)
        strbuf_printf(&page->head, "sessions open   %s\n", value);
    else if (strcmp(key, "worker") == 0 && parse_worker(value, &worker))
        strbuf_printf(&page->workers, "%-8lld %-10s %-16s %8lld\n", worker.pid, worker.state,
                      print_time(worker.age, time), worker.sessions);
    else if (strncmp(key, "counter.", 8) == 0)
        strbuf_printf(&page->counters, "%12s  %s\n", value, key + 8);
}

static void print_page(char *text)
{
    struct page page = {.version = "?", .pid = "?"};
    strbuf_init(&page.head, 0);
    strbuf_init(&page.workers, 0);
    strbuf_init(&page.counters, 0);
    for_each_line(text, add_to_page, &page);
    printf("Postern %s, process %s\n\n%s", page.version, page.pid, strbuf_text(&page.head));
    printf("\n%-8s %-10s %-16s %8s\n%s", "WORKER", "STATE", "AGE", "SESSIONS",
           page.workers.len ? page.workers.ptr : "none is running; see the log\n");
    printf("\n%12s  %s\n%s", "COUNT", "OF", page.counters.len ? page.counters.ptr : "           -  nothing yet\n");
    strbuf_free(&page.head);
    strbuf_free(&page.workers);
    strbuf_free(&page.counters);
}

/* ---- for programs ---- */

struct object {
    cJSON *root, *workers, *counters;
};

static void add_to_object(void *context, const char *key, const char *value)
{
    struct object *object = context;
    struct worker_line worker;
    if (strcmp(key, "worker") == 0 && parse_worker(value, &worker)) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "pid", (double)worker.pid);
        json_add_text(item, "state", worker.state);
        cJSON_AddNumberToObject(item, "age", (double)worker.age);
        cJSON_AddNumberToObject(item, "sessions", (double)worker.sessions);
        cJSON_AddItemToArray(object->workers, item);
    } else if (strncmp(key, "counter.", 8) == 0) {
        cJSON_AddNumberToObject(object->counters, key + 8, strtod(value, NULL));
    } else if (strcmp(key, "pid") == 0 || strcmp(key, "uptime") == 0 || strcmp(key, "sessions") == 0) {
        cJSON_AddNumberToObject(object->root, key, strtod(value, NULL));
    } else {
        json_add_text(object->root, key, value);
    }
}

static void print_json(char *text)
{
    struct object object = {cJSON_CreateObject(), cJSON_CreateArray(), cJSON_CreateObject()};
    for_each_line(text, add_to_object, &object);
    cJSON_AddItemToObject(object.root, "workers", object.workers);
    cJSON_AddItemToObject(object.root, "counters", object.counters);
    json_print(stdout, object.root);
}

static int run(const struct ctl_call *call, void *request)
{
    (void)request;
    struct strbuf text;
    strbuf_init(&text, 0);
    int code = ctl_ask(call, "status", TIMEOUT, &text);
    if (code)
        fputs(strbuf_text(&text), stderr);
    else if (text.len && call->json)
        print_json(text.ptr);
    else if (text.len)
        print_page(text.ptr);
    strbuf_free(&text);
    return code;
}

static const struct ctl_command command = {
    .name = "status",
    .usage = "usage: posternctl status [-c FILE] [--control PATH] [-w WORKER] [--json]\n"
             "\n"
             "Shows what posternd and its workers are doing, and the counters since it was started.\n",
    .shared = CTL_DAEMON | CTL_JSON,
    .run = run,
};

int ctl_status(int argc, char **argv)
{
    return ctl_run(&command, NULL, argc, argv);
}
