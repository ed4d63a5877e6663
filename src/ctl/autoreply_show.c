/* autoreply list, show, export - what is stored, for people and as JSON. */
#include "ctl/autoreply.h"
#include "ctl/json.h"
#include "util/clock.h"
#include <stdlib.h>
#include <sysexits.h>

struct request {
    int64_t now;
};

/* All that is stored, by mailbox. */
struct collection {
    const struct ctl_call *call;
    struct responder *items;
    size_t count, capacity;
    int status; /* EX_DATAERR once something was damaged */
};

static bool collect(void *context, const char *key, const struct store_value *value)
{
    struct collection *all = context;
    struct responder_problem problem;
    struct arena *arena = all->call->arena;
    if (value->expires) /* of one that was deleted */
        return true;
    struct span copy = {arena_spandup(arena, value->bytes), value->bytes.len};
    all->items = arena_grow(arena, all->items, &all->capacity, all->count + 1, sizeof *all->items);
    if (responder_load(arena, copy, &all->items[all->count], &problem) == 0)
        all->count++;
    else
        all->status = ctl_fail(all->call, EX_DATAERR, "what is stored for %s is damaged: %s",
                               key + strlen(RESPONDER_KEY), problem.text);
    return true;
}

static int by_mailbox(const void *a, const void *b)
{
    return strcmp(((const struct responder *)a)->mailbox, ((const struct responder *)b)->mailbox);
}

static int collect_all(const struct ctl_state *state, struct collection *all)
{
    if (store_each(state->kept->store, RESPONDER_KEY, clock_wall(), collect, all) != STORE_OK)
        return ctl_store_is_down(all->call);
    if (all->count > 0)
        qsort(all->items, all->count, sizeof *all->items, by_mailbox);
    return EX_OK;
}

/* ---- list ---- */

/* Of a row that is never used: that; else what autoreply_force() says. */
static const char *force_of(const struct ctl_call *call, const struct ctl_state *state,
                            const struct responder *responder, int64_t now, bool *is_in_force)
{
    struct aliases_targets targets;
    const char *unused = autoreply_unused(call, state, responder->mailbox, &targets);
    *is_in_force = false;
    return unused ? unused : autoreply_force(call, responder, now, is_in_force);
}

/* What the address means now, if it is never looked up itself any more; else null. */
static void add_alias_of(cJSON *item, const struct ctl_call *call, const struct ctl_state *state, const char *mailbox)
{
    struct aliases_targets targets;
    if (!autoreply_unused(call, state, mailbox, &targets)) {
        cJSON_AddNullToObject(item, "alias_of");
        return;
    }
    cJSON *array = cJSON_AddArrayToObject(item, "alias_of");
    for (size_t i = 0; i < targets.count; i++)
        cJSON_AddItemToArray(array, cJSON_CreateString(targets.items[i]));
}

static cJSON *list_item(const struct ctl_call *call, const struct ctl_state *state, const struct responder *responder,
                        int64_t now)
{
    bool is_in_force;
    const char *why = force_of(call, state, responder, now, &is_in_force);
    cJSON *item = cJSON_CreateObject();
    json_add_text(item, "mailbox", responder->mailbox);
    cJSON *names = cJSON_AddArrayToObject(item, "messages");
    for (size_t i = 0; i < responder->count; i++)
        cJSON_AddItemToArray(names, cJSON_CreateString(responder->messages[i].name));
    json_add_text(item, "active", responder->active);
    cJSON_AddBoolToObject(item, "in_force", is_in_force);
    json_add_text(item, "why", is_in_force ? NULL : why);
    add_alias_of(item, call, state, responder->mailbox);
    return item;
}

static void print_list(const struct ctl_call *call, const struct ctl_state *state, const struct collection *all,
                       int64_t now)
{
    cJSON *array = call->json ? cJSON_CreateArray() : NULL;
    if (!array && all->count == 0 && all->status == EX_OK)
        puts("nothing is stored for any mailbox");
    else if (!array && all->count > 0)
        printf("%-32s %-20s %8s  %s\n", "MAILBOX", "ACTIVE", "MESSAGES", "NOW");
    for (size_t i = 0; i < all->count; i++) {
        bool is_in_force;
        const struct responder *responder = &all->items[i];
        if (array)
            cJSON_AddItemToArray(array, list_item(call, state, responder, now));
        else
            printf("%-32s %-20s %8zu  %s\n", responder->mailbox, responder->active ? responder->active : "-",
                   responder->count, force_of(call, state, responder, now, &is_in_force));
    }
    if (array)
        json_print(stdout, array);
}

static int run_list(const struct ctl_call *call, void *context)
{
    const struct request *request = context;
    struct ctl_state state;
    struct collection all = {.call = call};
    int status = ctl_state_open(call, &state);
    if (status == EX_OK)
        status = collect_all(&state, &all);
    if (status == EX_OK) {
        if (all.count > 0)
            autoreply_warn_of_mode(call, &state);
        print_list(call, &state, &all, request->now);
        status = all.status;
    }
    ctl_state_close(&state);
    return status;
}

static const struct ctl_option options[] = {
    {.name = "now", .type = CTL_TIME, .offset = offsetof(struct request, now)},
    {0},
};

int autoreply_list(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "autoreply list",
        .usage = "usage: posternctl autoreply list [-c FILE] [--now TIME] [--json]\n"
                 "  Every mailbox with stored messages, the active one, and whether it is in force now (or at TIME: "
                 "seconds\n"
                 "  since 1970 or 2026-11-22T03:00:00Z), or why not.\n",
        .shared = CTL_JSON,
        .options = options,
        .only_reads = true,
        .run = run_list,
    };
    struct request request = {AUTOREPLY_LAST};
    return ctl_run(&command, &request, argc, argv);
}

/* ---- show ---- */

static void print_weekdays(unsigned weekdays)
{
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    const char *comma = "";
    fputs("  weekdays  ", stdout);
    for (unsigned day = 0; day < 7; day++) {
        if (weekdays >> day & 1) {
            printf("%s%s", comma, names[day]);
            comma = ",";
        }
    }
    putchar('\n');
}

static void print_body(const char *body)
{
    for (const char *line = body; *line;) {
        size_t len = strcspn(line, "\n");
        printf("  | %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
}

static void print_message(const struct responder *responder, const struct responder_message *message)
{
    bool is_active = responder->active && strcmp(responder->active, message->name) == 0;
    printf("\n%s%s\n", message->name, is_active ? " (active)" : "");
    if (message->weekdays)
        print_weekdays(message->weekdays);
    if (message->start)
        printf("  start     %s\n", message->start);
    if (message->end)
        printf("  end       %s\n", message->end);
    printf("  zone      %s\n", message->zone);
    printf("  days      %lld between two replies to a sender\n", (long long)message->days);
    if (message->from)
        printf("  from      %s\n", message->from);
    for (size_t i = 0; i < message->excluded_count; i++)
        printf("  excluded  %s\n", message->excluded[i]);
    printf("  subject   %s\n", message->subject ? message->subject : "(Auto: and the subject that is answered)");
    print_body(message->body);
}

static void print_responder(const struct ctl_call *call, const struct ctl_state *state,
                            const struct responder *responder, int64_t now)
{
    bool is_in_force;
    printf("mailbox   %s\n", responder->mailbox);
    if (responder->display_name)
        printf("name      %s\n", responder->display_name);
    printf("active    %s\nnow       %s\n", responder->active ? responder->active : "-",
           force_of(call, state, responder, now, &is_in_force));
    for (size_t i = 0; i < responder->count; i++)
        print_message(responder, &responder->messages[i]);
}

static int run_show(const struct ctl_call *call, void *context)
{
    const struct request *request = context;
    struct ctl_state state;
    struct responder responder;
    struct autoreply_row row;
    const char *mailbox;
    int status = autoreply_open_row(call, &state, &mailbox);
    if (status == EX_OK)
        status = autoreply_load(call, &state, mailbox, &responder, &row, NULL);
    if (status == EX_OK)
        autoreply_warn_of_mode(call, &state);
    if (status == EX_OK && call->json)
        json_print(stdout, cJSON_Parse(responder_print(call->arena, &responder)));
    else if (status == EX_OK)
        print_responder(call, &state, &responder, request->now);
    ctl_state_close(&state);
    return status;
}

int autoreply_show(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "autoreply show",
        .usage = "usage: posternctl autoreply show [-c FILE] MAILBOX [--now TIME] [--json]\n"
                 "  All messages that MAILBOX has stored. With --json one responder, as import reads it.\n",
        .shared = CTL_JSON,
        .arguments = 1,
        .options = options,
        .only_reads = true,
        .run = run_show,
    };
    struct request request = {AUTOREPLY_LAST};
    return ctl_run(&command, &request, argc, argv);
}

/* ---- export ---- */

static int collect_named(const struct ctl_call *call, const struct ctl_state *state, struct collection *all)
{
    int status = EX_OK;
    for (size_t i = 0; i < call->argument_count && status == EX_OK; i++) {
        const char *mailbox;
        struct autoreply_row row;
        all->items = arena_grow(call->arena, all->items, &all->capacity, all->count + 1, sizeof *all->items);
        status = autoreply_mailbox(call, state, call->arguments[i], &mailbox);
        if (status == EX_OK)
            status = autoreply_load(call, state, mailbox, &all->items[all->count++], &row, NULL);
    }
    return status;
}

/* What is never used is left out, and said: import would take it for the mailbox's that the alias means. */
static cJSON *print_used(const struct ctl_call *call, const struct ctl_state *state, const struct collection *all)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < all->count; i++) {
        struct aliases_targets targets;
        const char *mailbox = all->items[i].mailbox, *unused = autoreply_unused(call, state, mailbox, &targets);
        if (unused)
            fprintf(stderr, "posternctl %s: warning: what is stored for %s is left out: %s\n", call->command->name,
                    mailbox, unused);
        else
            cJSON_AddItemToArray(array, cJSON_Parse(responder_print(call->arena, &all->items[i])));
    }
    return array;
}

static int run_export(const struct ctl_call *call, void *context)
{
    (void)context;
    struct ctl_state state;
    struct collection all = {.call = call};
    int status = ctl_state_open(call, &state);
    if (status == EX_OK)
        status = call->argument_count ? collect_named(call, &state, &all) : collect_all(&state, &all);
    if (status == EX_OK) {
        json_print(stdout, print_used(call, &state, &all));
        status = all.status;
    }
    ctl_state_close(&state);
    return status;
}

int autoreply_export(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "autoreply export",
        .usage = "usage: posternctl autoreply export [-c FILE] [MAILBOX...] [--json]\n"
                 "  Everything that is stored, or what these mailboxes have, as the JSON that import reads. What is "
                 "never used,\n"
                 "  because its address has become an alias, is left out, and that is said.\n",
        .shared = CTL_JSON,
        .arguments = SIZE_MAX,
        .only_reads = true,
        .run = run_export,
    };
    return ctl_run(&command, NULL, argc, argv);
}
