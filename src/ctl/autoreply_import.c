/*
 * autoreply import - the responders of many mailboxes from JSON, all of them or none.
 *
 * Every responder is read and judged first, each for itself, so that all that is wrong is said at once, with the place
 * in the array, the mailbox and the field. Then all are put into the store in one step. What a mailbox had stored
 * before is replaced; only its generation never goes back, or who was forgotten by a reset would be remembered again.
 * So the step is taken only if every mailbox is as it was when its generation was read; else they are all read again.
 */
#include "ctl/autoreply.h"
#include "ctl/input.h"
#include "ctl/json.h"
#include "ctl/json_items.h"
#include "util/clock.h"
#include "util/strmap.h"
#include <stdlib.h>
#include <sysexits.h>

#define INPUT_MAX ((size_t)256 << 20) /* bytes */

struct import {
    const struct ctl_call *call;
    struct ctl_state *state;
    struct span *items;
    struct responder *responders;
    size_t count, problems;
    struct strmap *places; /* mailbox -> its number, as text */
};

static void __attribute__((format(printf, 3, 4))) complain(struct import *import, size_t i, const char *format, ...)
{
    char text[1024];
    va_list args;
    const char *mailbox = import->responders[i].mailbox;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    import->problems++;
    ctl_fail(import->call, EX_DATAERR, "[%zu]%s%s: %s", i, mailbox ? " " : "", mailbox ? mailbox : "", text);
}

/* The mailbox that is meant, if it is an alias; not the same one twice. */
static void settle_mailbox(struct import *import, size_t i)
{
    struct arena *arena = import->call->arena;
    struct responder *responder = &import->responders[i];
    struct aliases *aliases = import->state->kept->aliases;
    const char *canonical = aliases_canonical(aliases, arena, responder->mailbox), *wanted = NULL;
    struct aliases_targets targets = aliases_expand(aliases, arena, responder->mailbox);
    for (size_t k = 0; canonical && k < targets.count && !wanted; k++) {
        if (targets.count == 1 || strcmp(targets.items[k], canonical) == 0)
            wanted = targets.items[k];
    }
    if (!wanted) {
        complain(import, i, "mailbox: it is an alias that does not mean exactly one mailbox");
        return;
    }
    responder->mailbox = wanted;
    strmap_at there = strmap_find(import->places, span_of(wanted));
    if (there) {
        struct span place = strmap_value(import->places, there);
        complain(import, i, "mailbox: it stands at [%.*s] already", (int)place.len, place.ptr);
        return;
    }
    strmap_add(import->places, span_of(wanted), span_of(arena_printf(arena, "%zu", i)));
}

/* For the message of a problem: the mailbox of an object that could not be read otherwise. */
static const char *peek_mailbox(struct arena *arena, struct span json)
{
    cJSON *object = cJSON_ParseWithLength(json.ptr, json.len);
    const cJSON *mailbox = cJSON_GetObjectItemCaseSensitive(object, "mailbox");
    struct strbuf clean;
    strbuf_init(&clean, 300);
    if (cJSON_IsString(mailbox))
        strbuf_add_printable(&clean, span_of(mailbox->valuestring));
    const char *text = clean.len ? arena_strdup(arena, strbuf_text(&clean)) : NULL;
    strbuf_free(&clean);
    cJSON_Delete(object);
    return text;
}

static void read_item(struct import *import, size_t i)
{
    struct arena *arena = import->call->arena;
    struct responder_problem problem;
    if (responder_parse(arena, import->items[i], &import->responders[i], &problem) == 0) {
        settle_mailbox(import, i);
        return;
    }
    import->responders[i].mailbox = peek_mailbox(arena, import->items[i]);
    complain(import, i, "%s", problem.text);
}

/* What is to be written for RESPONDER, who is new or replaces what CALL's arena gets as expected. Where what is there
 * cannot be compared, it is replaced whatever it is. */
static int prepare(const struct import *import, const struct ctl_call *call, struct responder *responder,
                   struct store_change *change)
{
    struct responder stored;
    struct autoreply_row row;
    autoreply_read(call, import->state, responder->mailbox, &stored, &row);
    if (row.kind == AUTOREPLY_ROW_DOWN)
        return ctl_store_is_down(call);
    if (row.damage)
        fprintf(stderr, "posternctl %s: warning: what was stored for %s is damaged, and replaced: %s\n",
                call->command->name, responder->mailbox, row.damage);
    if (stored.generation > responder->generation)
        responder->generation = stored.generation;
    *change = (struct store_change){.key = arena_printf(call->arena, RESPONDER_KEY "%s", responder->mailbox),
                                    .value = span_of(responder_print(call->arena, responder)),
                                    .is_conditional = row.kind != AUTOREPLY_ROW_FOREIGN,
                                    .expected = row.bytes};
    return EX_OK;
}

/* -1: somebody changed one of them meanwhile. CALL has an arena for this attempt. */
static int try_apply(struct import *import, const struct ctl_call *call)
{
    struct store_change *changes = ARENA_ARRAY(call->arena, struct store_change, import->count + 1);
    for (size_t i = 0; i < import->count; i++) {
        int status = prepare(import, call, &import->responders[i], &changes[i]);
        if (status != EX_OK)
            return status;
    }
    switch (ctl_state_apply(import->call, import->state, changes, import->count)) {
    case STORE_OK:
        return EX_OK;
    case STORE_PRESENT:
        return -1;
    default:
        return ctl_store_is_silent(
            call, import->state,
            arena_printf(call->arena, "posternctl autoreply show %s", import->responders[0].mailbox));
    }
}

static int apply(struct import *import)
{
    for (int i = 0; i < AUTOREPLY_TRIES; i++) {
        struct ctl_call attempt = *import->call;
        attempt.arena = arena_create(65536);
        int status = try_apply(import, &attempt);
        arena_destroy(attempt.arena);
        if (status >= 0)
            return status;
        clock_sleep_us(AUTOREPLY_PAUSE_US);
    }
    return ctl_fail(import->call, EX_TEMPFAIL, "others change these mailboxes all the time; nothing was changed");
}

static void say(const struct import *import)
{
    if (import->call->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddNumberToObject(object, "imported", (double)import->count);
        json_print(stdout, object);
    } else {
        printf("%zu %s\n", import->count, import->count == 1 ? "mailbox imported" : "mailboxes imported");
    }
}

static int import_items(struct import *import)
{
    import->responders = ARENA_ARRAY(import->call->arena, struct responder, import->count + 1);
    import->places = strmap_create();
    for (size_t i = 0; i < import->count; i++)
        read_item(import, i);
    strmap_destroy(import->places);
    if (import->problems > 0)
        return ctl_fail(import->call, EX_DATAERR, "%zu of %zu cannot be imported; nothing was changed",
                        import->problems, import->count);
    for (size_t i = 0; i < import->count; i++)
        autoreply_warn(import->call, import->state, &import->responders[i]);
    int status = apply(import);
    if (status == EX_OK)
        say(import);
    return status;
}

static int run(const struct ctl_call *call, void *context)
{
    struct ctl_state state;
    struct span text;
    struct import import = {.call = call, .state = &state};
    (void)context;
    int status = ctl_read_input(call, call->argument_count ? call->arguments[0] : "-", NULL, INPUT_MAX, &text);
    if (status != EX_OK)
        return status;
    const char *why = json_items_cut(call->arena, text, &import.items, &import.count);
    if (why)
        return ctl_fail(call, EX_DATAERR, "%s", why);
    status = ctl_state_open(call, &state);
    if (status == EX_OK)
        status = import_items(&import);
    ctl_state_close(&state);
    return status;
}

int autoreply_import(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "autoreply import",
        .usage =
            "usage: posternctl autoreply import [-c FILE] [FILE|-] [--json]\n"
            "  Stores the responders of a JSON array (or one), as export prints them, each instead of all that its\n"
            "  mailbox had: all of them or, if one is wrong, none.\n",
        .shared = CTL_JSON,
        .arguments = 1,
        .run = run,
    };
    return ctl_run(&command, NULL, argc, argv);
}
