/*
 * autoreply set - one stored message, from options. What is not named stays as it was; an empty text takes a field
 * away.
 *
 * Values are judged by the same code that judges an import; its words lose the place in the list, which nobody typed.
 */
#include "ctl/autoreply.h"
#include "ctl/input.h"
#include <ctype.h>
#include <sysexits.h>

struct request {
    const char *name;
    const char *subject, *body, *body_file, *start, *end, *zone, *from, *display_name; /* NULL: not given */
    struct string_list exclude;
    unsigned weekdays;
    int64_t days; /* 0: not given */
    bool weekdays_are_given, activate, was_new;
};

/* "mon" -> 0; -1: no day */
static int read_day(const char *text, size_t len)
{
    static const char names[] = "montuewedthufrisatsun";
    for (int day = 0; day < 7; day++) {
        if (len == 3 && strncasecmp(text, names + 3 * day, 3) == 0)
            return day;
    }
    return -1;
}

/* "mon,tue", "mon-fri", "sat-mon"; "" is every day. */
static const char *read_weekdays(const struct ctl_call *call, void *context, const char *value)
{
    struct request *request = context;
    (void)call;
    request->weekdays_are_given = true;
    request->weekdays = 0;
    for (const char *p = value; *p;) {
        size_t len = strcspn(p, ","), first = strcspn(p, ",-");
        int from = read_day(p, first), to = from;
        if (first < len)
            to = read_day(p + first + 1, len - first - 1);
        if (from < 0 || to < 0)
            return "is no list of weekdays; say mon,tue or mon-fri";
        for (int day = from;; day = (day + 1) % 7) {
            request->weekdays |= 1u << day;
            if (day == to)
                break;
        }
        p += len;
        if (*p && !*++p)
            return "ends with a comma";
    }
    return NULL;
}

static void put_text(const char **member, const char *given)
{
    if (given)
        *member = *given ? given : NULL;
}

static void put_fields(struct responder_message *message, const struct request *request)
{
    put_text(&message->subject, request->subject);
    put_text(&message->start, request->start);
    put_text(&message->end, request->end);
    put_text(&message->zone, request->zone);
    put_text(&message->from, request->from);
    if (request->body)
        message->body = request->body;
    if (request->weekdays_are_given)
        message->weekdays = request->weekdays;
    if (request->days)
        message->days = request->days;
    if (request->exclude.count > 0) {
        size_t kept = 0; /* --exclude "" alone: none */
        for (size_t i = 0; i < request->exclude.count; i++) {
            if (*request->exclude.items[i])
                request->exclude.items[kept++] = request->exclude.items[i];
        }
        message->excluded = request->exclude.items;
        message->excluded_count = kept;
    }
}

/* A copy of the messages with room for one more, which is the named one. */
static struct responder_message *message_of(const struct ctl_call *call, struct responder *responder, const char *name)
{
    struct responder_message *there = responder_find(responder, name);
    if (there)
        return there;
    struct responder_message *messages = ARENA_ARRAY(call->arena, struct responder_message, responder->count + 1);
    if (responder->count > 0)
        memcpy(messages, responder->messages, responder->count * sizeof *messages);
    responder->messages = messages;
    there = &messages[responder->count++];
    *there = (struct responder_message){.name = name, .days = RESPONDER_DAYS_DEFAULT};
    return there;
}

/* What concerns the message that is set is said without its number. */
static int refuse(const struct ctl_call *call, const struct responder *responder, const char *name,
                  const struct responder_problem *problem)
{
    for (size_t i = 0; i < responder->count; i++) {
        const char *prefix = arena_printf(call->arena, "messages[%zu].", i);
        if (strncmp(problem->text, prefix, strlen(prefix)) != 0)
            continue;
        const char *text = problem->text + strlen(prefix);
        if (strcmp(responder->messages[i].name, name) == 0)
            return ctl_fail(call, EX_DATAERR, "%s", text);
        return ctl_fail(call, EX_DATAERR, "message \"%s\", which is stored already: %s", responder->messages[i].name,
                        text);
    }
    return ctl_fail(call, EX_DATAERR, "%s", problem->text);
}

static int edit(const struct ctl_call *call, void *context, struct responder *responder)
{
    struct request *request = context;
    struct responder_problem problem;
    request->was_new = !responder_find(responder, request->name);
    if (request->was_new && responder->count == RESPONDER_MESSAGES_MAX)
        return ctl_fail(call, EX_DATAERR, "messages: %s has %d already, which is the most", responder->mailbox,
                        RESPONDER_MESSAGES_MAX);
    put_fields(message_of(call, responder, request->name), request);
    put_text(&responder->display_name, request->display_name);
    if (request->activate)
        responder->active = request->name;
    if (request->was_new && !request->body)
        return ctl_fail(call, EX_DATAERR, "body: it is missing; \"%s\" is new and needs --body or --body-file",
                        request->name);
    return responder_verify(call->arena, responder, &problem) == 0 ? EX_OK
                                                                   : refuse(call, responder, request->name, &problem);
}

static int read_body(const struct ctl_call *call, struct request *request)
{
    struct span bytes;
    if (!request->body_file)
        return EX_OK;
    if (request->body)
        return ctl_usage_error(call, "--body and --body-file cannot go together");
    int status = ctl_read_input(call, request->body_file, "body", RESPONDER_BODY_MAX, &bytes);
    if (status != EX_OK)
        return status;
    if (memchr(bytes.ptr, '\0', bytes.len))
        return ctl_fail(call, EX_DATAERR, "body: it holds a NUL byte");
    request->body = bytes.ptr;
    return EX_OK;
}

static int run(const struct ctl_call *call, void *context)
{
    struct request *request = context;
    struct ctl_state state;
    struct responder responder;
    const char *mailbox;
    bool is_in_force;
    if (call->argument_count < 2)
        return ctl_usage_error(call, "%s is missing", call->argument_count ? "NAME" : "MAILBOX");
    request->name = call->arguments[1];
    int status = read_body(call, request);
    if (status != EX_OK)
        return status;
    status = autoreply_open(call, &state, &mailbox);
    if (status == EX_OK)
        status = autoreply_change(call, &state, mailbox, AUTOREPLY_MAY_BE_NEW, edit, request, &responder);
    if (status == EX_OK) {
        bool is_active = responder.active && strcmp(responder.active, request->name) == 0;
        autoreply_warn(call, &state, &responder);
        if (is_active)
            autoreply_warn_of_mode(call, &state);
        autoreply_say(call, &responder,
                      arena_printf(call->arena, "%s \"%s\"%s%s", request->was_new ? "stored" : "changed", request->name,
                                   is_active ? ", the active message: " : ", which is not active",
                                   is_active ? autoreply_force(call, &responder, AUTOREPLY_LAST, &is_in_force) : ""));
    }
    ctl_state_close(&state);
    return status;
}

static const struct ctl_option options[] = {
    {.name = "subject", .type = CTL_TEXT, .offset = offsetof(struct request, subject)},
    {.name = "body", .type = CTL_TEXT, .offset = offsetof(struct request, body)},
    {.name = "body-file", .type = CTL_TEXT, .offset = offsetof(struct request, body_file)},
    {.name = "start", .type = CTL_TEXT, .offset = offsetof(struct request, start)},
    {.name = "end", .type = CTL_TEXT, .offset = offsetof(struct request, end)},
    {.name = "weekdays", .type = CTL_READ, .read = read_weekdays},
    {.name = "zone", .type = CTL_TEXT, .offset = offsetof(struct request, zone)},
    {.name = "from", .type = CTL_TEXT, .offset = offsetof(struct request, from)},
    {.name = "exclude", .type = CTL_TEXTS, .offset = offsetof(struct request, exclude)},
    {.name = "days", .type = CTL_NUMBER, .offset = offsetof(struct request, days), .min = 1, .max = RESPONDER_DAYS_MAX},
    {.name = "display-name", .type = CTL_TEXT, .offset = offsetof(struct request, display_name)},
    {.name = "activate", .type = CTL_FLAG, .offset = offsetof(struct request, activate)},
    {0},
};

int autoreply_set(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "autoreply set",
        .usage =
            "usage: posternctl autoreply set [-c FILE] MAILBOX NAME [--body TEXT | --body-file FILE|-]\n"
            "           [--subject TEXT] [--start TIME] [--end TIME] [--weekdays DAYS] [--zone ZONE] [--from ADDR]\n"
            "           [--exclude ADDR]... [--days N] [--display-name TEXT] [--activate] [--json]\n"
            "  Stores the message NAME, or changes what is given of it; an empty text takes a field away. A new one\n"
            "  needs a body. Times are local ones of ZONE (UTC), 2026-12-24T18:00:00. DAYS: mon,tue or mon-fri.\n"
            "  ADDR may be @domain for --exclude. N: days between replies to one sender, 1 to 30 (7).\n",
        .shared = CTL_JSON,
        .arguments = 2,
        .options = options,
        .run = run,
    };
    struct request request = {.name = NULL};
    return ctl_run(&command, &request, argc, argv);
}
