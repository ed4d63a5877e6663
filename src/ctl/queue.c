/*
 * queue - `posternctl queue`: what waits in the spool to be sent.
 *
 * It works on the file itself, so it can be asked while no daemon runs; what it marks (attempt now, delete) a running
 * daemon takes up within a second, any other when it starts.
 */
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/state.h"
#include "util/clock.h"
#include "util/utf8.h"
#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>

struct request {
    bool all;
};

static int failed(const struct ctl_call *call, const char *problem)
{
    return ctl_fail(call, EX_TEMPFAIL, "the spool cannot be used: %s", problem);
}

/* A reply of the MTA, for the terminal. */
static const char *clean(const struct ctl_call *call, const char *text)
{
    struct strbuf out;
    strbuf_init(&out, 0);
    utf8_add_clean(&out, span_of(text));
    const char *copy = arena_strdup(call->arena, strbuf_text(&out));
    strbuf_free(&out);
    return copy;
}

static cJSON *entry_to_json(const struct spool_entry *entry)
{
    char added[CLOCK_TEXT_SIZE], next[CLOCK_TEXT_SIZE];
    cJSON *item = cJSON_CreateObject();
    cJSON_AddNumberToObject(item, "id", (double)entry->id);
    json_add_text(item, "kind", entry->kind);
    json_add_text(item, "from", entry->reverse_path);
    json_add_text(item, "to", entry->forward_paths);
    cJSON_AddNumberToObject(item, "bytes", (double)entry->bytes);
    json_add_text(item, "added", clock_format(entry->added, added));
    json_add_text(item, "next_attempt", clock_format(entry->next_attempt, next));
    cJSON_AddNumberToObject(item, "attempts", entry->attempts);
    json_add_text(item, "last_reply", entry->last_reply);
    cJSON_AddBoolToObject(item, "is_being_sent", entry->is_being_sent);
    cJSON_AddBoolToObject(item, "is_decided", entry->is_decided);
    return item;
}

static const char *when(const struct spool_entry *entry, char text[CLOCK_TEXT_SIZE])
{
    if (entry->is_being_sent)
        return "is being sent";
    return entry->next_attempt <= clock_wall() ? "now" : clock_format(entry->next_attempt, text);
}

static void print_head(void)
{
    printf("%8s  %-10s %8s  %-20s  %-20s %5s  %s\n", "ID", "KIND", "BYTES", "ADDED", "NEXT ATTEMPT", "TRIED", "FROM, TO");
}

static void print_entry(const struct ctl_call *call, const struct spool_entry *entry)
{
    char added[CLOCK_TEXT_SIZE], next[CLOCK_TEXT_SIZE];
    printf("%8lld  %-10s %8llu  %-20s  %-20s %5u  <%s> to %s\n", (long long)entry->id, clean(call, entry->kind),
           (unsigned long long)entry->bytes, clock_format(entry->added, added), when(entry, next), entry->attempts,
           clean(call, entry->reverse_path), clean(call, entry->forward_paths));
    if (entry->last_reply)
        printf("%8s  %s\n", "", clean(call, entry->last_reply));
    if (entry->is_decided)
        printf("%8s  is not sent any more; stays until what follows from that could be done\n", "");
}

/* ---- list ---- */

static int list(const struct ctl_call *call, struct spool *spool)
{
    struct spool_entry *entries;
    size_t count;
    const char *problem = "";
    if (spool_list(spool, call->arena, &entries, &count, &problem) != 0)
        return failed(call, problem);
    cJSON *array = call->json ? cJSON_CreateArray() : NULL;
    if (!array && count == 0)
        puts("the queue is empty");
    else if (!array)
        print_head();
    for (size_t i = 0; i < count; i++) {
        if (array)
            cJSON_AddItemToArray(array, entry_to_json(&entries[i]));
        else
            print_entry(call, &entries[i]);
    }
    if (array)
        json_print(stdout, array);
    return EX_OK;
}

/* ---- show ---- */

static int read_id(const struct ctl_call *call, const char *text, int64_t *id)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (!*text || *end || errno || number < 1)
        return ctl_usage_error(call, "\"%s\" is no number of an entry", text);
    *id = number;
    return EX_OK;
}

static int no_such_entry(const struct ctl_call *call, int64_t id)
{
    return ctl_fail(call, EX_NOINPUT, "there is no entry %lld in the queue", (long long)id);
}

static int show(const struct ctl_call *call, struct spool *spool)
{
    int64_t id;
    struct spool_entry entry;
    struct span content;
    const char *problem = "";
    int status = read_id(call, call->arguments[0], &id);
    if (status != EX_OK)
        return status;
    int found = spool_show(spool, call->arena, id, &entry, &content, &problem);
    if (found != 0)
        return found > 0 ? no_such_entry(call, id) : failed(call, problem);
    if (call->json) {
        cJSON *object = entry_to_json(&entry);
        json_add_lines(object, "content", content);
        json_print(stdout, object);
        return EX_OK;
    }
    print_head();
    print_entry(call, &entry);
    putchar('\n');
    fwrite(content.ptr, 1, content.len, stdout);
    return EX_OK;
}

/* ---- flush, delete ---- */

/* MARK for each entry that is named, or for all. A number that is none of the queue's stops nothing. */
static int mark_entries(const struct ctl_call *call, struct spool *spool,
                        int (*mark)(struct spool *spool, int64_t id, const char **problem), const char *done)
{
    const char *problem = "";
    int marked = 0, status = EX_OK;
    for (size_t i = 0; i < call->argument_count; i++) {
        int64_t id;
        if (read_id(call, call->arguments[i], &id) != EX_OK) /* before any is marked */
            return EX_USAGE;
    }
    for (size_t i = 0; i < call->argument_count; i++) {
        int64_t id = strtoll(call->arguments[i], NULL, 10);
        int count = mark(spool, id, &problem);
        if (count < 0)
            return failed(call, problem);
        marked += count;
        if (count == 0)
            status = no_such_entry(call, id);
    }
    if (call->argument_count == 0 && (marked = mark(spool, 0, &problem)) < 0)
        return failed(call, problem);
    if (call->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddNumberToObject(object, "entries", marked);
        json_print(stdout, object);
    } else {
        printf("%d %s %s\n", marked, marked == 1 ? "entry" : "entries", done);
    }
    return status;
}

static int flush(const struct ctl_call *call, struct spool *spool)
{
    return mark_entries(call, spool, spool_flush, "will be tried now");
}

static int delete (const struct ctl_call *call, struct spool *spool)
{
    return mark_entries(call, spool, spool_delete, "will be deleted");
}

/* ---- the verbs ---- */

static int with_spool(const struct ctl_call *call, int (*work)(const struct ctl_call *call, struct spool *spool))
{
    struct ctl_state state;
    int status = ctl_state_open_spool(call, &state);
    if (status == EX_OK)
        status = work(call, state.spool);
    ctl_state_close(&state);
    return status;
}

static int run_list(const struct ctl_call *call, void *request)
{
    (void)request;
    return with_spool(call, list);
}

static int run_show(const struct ctl_call *call, void *request)
{
    (void)request;
    return call->argument_count ? with_spool(call, show) : ctl_usage_error(call, "ID is missing");
}

static int run_flush(const struct ctl_call *call, void *request)
{
    (void)request;
    return with_spool(call, flush);
}

static int run_delete(const struct ctl_call *call, void *context)
{
    const struct request *request = context;
    if (request->all == (call->argument_count > 0))
        return ctl_usage_error(call, request->all ? "--all and ID cannot go together" : "ID is missing");
    return with_spool(call, delete);
}

static int queue_list(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "queue list",
        .usage = "usage: posternctl queue list [-c FILE] [--json]\n"
                 "  What waits to be sent, in the order in which it came, with the MTA's last answer.\n",
        .shared = CTL_JSON,
        .run = run_list,
    };
    return ctl_run(&command, NULL, argc, argv);
}

static int queue_show(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "queue show",
        .usage = "usage: posternctl queue show [-c FILE] ID [--json]\n"
                 "  One entry, and the message as it will be sent.\n",
        .shared = CTL_JSON,
        .arguments = 1,
        .run = run_show,
    };
    return ctl_run(&command, NULL, argc, argv);
}

static int queue_flush(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "queue flush",
        .usage = "usage: posternctl queue flush [-c FILE] [ID...] [--json]\n"
                 "  Tries to send these entries now, or all; a running posternd does it within a second.\n",
        .shared = CTL_JSON,
        .arguments = SIZE_MAX,
        .run = run_flush,
    };
    return ctl_run(&command, NULL, argc, argv);
}

static int queue_delete(int argc, char **argv)
{
    static const struct ctl_option options[] = {
        {.name = "all", .type = CTL_FLAG, .offset = offsetof(struct request, all)},
        {0},
    };
    static const struct ctl_command command = {
        .name = "queue delete",
        .usage =
            "usage: posternctl queue delete [-c FILE] ID... | --all [--json]\n"
            "  Deletes these entries, or all; a running posternd does it within a second, except for one that is just\n"
            "  being sent. The sender of a message whose reply is deleted counts as not answered.\n",
        .shared = CTL_JSON,
        .arguments = SIZE_MAX,
        .options = options,
        .run = run_delete,
    };
    struct request request = {false};
    return ctl_run(&command, &request, argc, argv);
}

static const struct ctl_verb verbs[] = {
    {"list", queue_list, "what waits to be sent"},
    {"show", queue_show, "one entry, and its message"},
    {"flush", queue_flush, "try to send now"},
    {"delete", queue_delete, "delete entries"},
    {0},
};

int ctl_queue(int argc, char **argv)
{
    return ctl_dispatch("posternctl queue", verbs, argc, argv);
}
