/*
 * autoreply reset, seen - the memory of who was answered.
 *
 * To forget everybody is one small change: the generation in the responder, which is part of every key of the memory.
 * The old rows expire by themselves.
 */
#include "autoreply/memory.h"
#include "ctl/autoreply.h"
#include "ctl/json.h"
#include "util/clock.h"
#include <sysexits.h>

/* ---- reset ---- */

static int edit_generation(const struct ctl_call *call, void *context, struct responder *responder)
{
    (void)call;
    (void)context;
    responder->generation = responder->generation < RESPONDER_GENERATION_MAX ? responder->generation + 1 : 0;
    return EX_OK;
}

struct keys {
    struct arena *arena;
    const char **items;
    size_t count, capacity;
};

static bool keep_key(void *context, const char *key, const struct store_value *value)
{
    struct keys *keys = context;
    (void)value;
    keys->items = arena_grow(keys->arena, keys->items, &keys->capacity, keys->count + 1, sizeof *keys->items);
    keys->items[keys->count++] = arena_strdup(keys->arena, key);
    return true;
}

static int forget_sender(const struct ctl_call *call, struct ctl_state *state, const struct responder *responder,
                         const char *argument)
{
    struct keys keys = {.arena = call->arena};
    struct store *store = state->kept->store;
    struct responding *responding = autoreply_responding(state);
    const char *sender = responding_sender(responding, call->arena, argument, clock_wall());
    responding_close(responding);
    size_t deleted = 0;
    if (!sender)
        return ctl_fail(call, EX_DATAERR, "sender: \"%s\" is no address", argument);
    if (store_each(store, memory_key(call->arena, responder, sender, NULL), clock_wall(), keep_key, &keys) != STORE_OK)
        return ctl_store_is_down(call);
    for (size_t i = 0; i < keys.count; i++) {
        enum store_outcome outcome = store_delete(store, keys.items[i], clock_wall());
        if (outcome == STORE_DOWN)
            return ctl_fail(call, EX_TEMPFAIL, "the store does not answer; some of it may be forgotten");
        deleted += outcome == STORE_OK;
    }
    autoreply_say(call, responder,
                  arena_printf(call->arena, deleted ? "%s is forgotten" : "%s was not remembered", sender));
    return EX_OK;
}

static int run_reset(const struct ctl_call *call, void *context)
{
    struct ctl_state state;
    struct responder responder;
    struct autoreply_row row;
    const char *mailbox;
    (void)context;
    int status = autoreply_open(call, &state, &mailbox);
    if (status == EX_OK && call->argument_count > 1) {
        status = autoreply_load(call, &state, mailbox, &responder, &row, NULL);
        if (status == EX_OK)
            status = forget_sender(call, &state, &responder, call->arguments[1]);
    } else if (status == EX_OK) {
        status = autoreply_change(call, &state, mailbox, 0, edit_generation, NULL, &responder);
        if (status == EX_OK)
            autoreply_say(call, &responder, "everybody is forgotten and will be answered anew");
    }
    ctl_state_close(&state);
    return status;
}

int autoreply_reset(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "autoreply reset",
        .usage = "usage: posternctl autoreply reset [-c FILE] MAILBOX [SENDER] [--json]\n"
                 "  Forgets that SENDER, or anybody, was answered for MAILBOX: he is answered at his next message.\n",
        .shared = CTL_JSON,
        .arguments = 2,
        .run = run_reset,
    };
    return ctl_run(&command, NULL, argc, argv);
}

/* ---- seen ---- */

struct listing {
    const struct ctl_call *call;
    const struct responder *responder;
    const char **fingerprints; /* of its messages, in their order */
    size_t count;
};

/* The message of that fingerprint; NULL: it is changed or deleted since. */
static const char *message_of(const struct listing *listing, const char *fingerprint)
{
    for (size_t i = 0; i < listing->responder->count; i++) {
        if (strcmp(listing->fingerprints[i], fingerprint) == 0)
            return listing->responder->messages[i].name;
    }
    return NULL;
}

static void print_json(const struct listing *listing, const char *sender, const char *message,
                       const struct memory_mark *mark, const char *answered, const char *again)
{
    cJSON *item = cJSON_CreateObject();
    json_add_text(item, "sender", sender);
    json_add_text(item, "message", message);
    cJSON_AddBoolToObject(item, "confirmed", !mark->is_reserved);
    json_add_text(item, "answered", answered);
    json_add_text(item, "again", again);
    char *text = cJSON_PrintUnformatted(item);
    printf("%s%s", listing->count ? ",\n" : "[\n", text ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(item);
}

/* Rows are printed as they come: there may be a million. */
static bool print_row(void *context, const char *key, const struct store_value *value)
{
    struct listing *listing = context;
    struct arena *arena = arena_create(2048);
    struct memory_mark mark;
    const char *sender, *fingerprint;
    char answered[CLOCK_TEXT_SIZE], again[CLOCK_TEXT_SIZE];
    if (memory_key_parse(arena, key, &sender, &fingerprint) == 0 &&
        memory_mark_parse(arena, value->bytes, &mark) == 0) {
        const char *message = message_of(listing, fingerprint);
        clock_format(mark.at, answered);
        clock_format(value->expires, again);
        if (listing->call->json)
            print_json(listing, sender, message, &mark, answered, again);
        else if (!listing->count)
            printf("%-40s %-20s  %-20s  %s\n", "SENDER", "ANSWERED", "AGAIN FROM", "MESSAGE");
        if (!listing->call->json)
            printf("%-40s %-20s  %-20s  %s%s\n", sender, answered, again, message ? message : "(an older text)",
                   mark.is_reserved ? ", being queued" : "");
        listing->count++;
    }
    arena_destroy(arena);
    return true;
}

static int list_seen(const struct ctl_call *call, const struct ctl_state *state, const struct responder *responder)
{
    struct listing listing = {call, responder, NULL, 0};
    listing.fingerprints = ARENA_ARRAY(call->arena, const char *, responder->count + 1);
    for (size_t i = 0; i < responder->count; i++)
        listing.fingerprints[i] = responder_fingerprint(call->arena, &responder->messages[i]);
    const char *prefix = memory_key(call->arena, responder, NULL, NULL);
    enum store_outcome outcome = store_each(state->kept->store, prefix, clock_wall(), print_row, &listing);
    if (call->json)
        puts(listing.count ? "\n]" : "[]");
    else if (outcome == STORE_OK && !listing.count)
        printf("nobody is remembered for %s\n", responder->mailbox);
    return outcome == STORE_OK ? EX_OK : ctl_store_is_down(call);
}

static int run_seen(const struct ctl_call *call, void *context)
{
    struct ctl_state state;
    struct responder responder;
    struct autoreply_row row;
    const char *mailbox;
    (void)context;
    int status = autoreply_open(call, &state, &mailbox);
    if (status == EX_OK)
        status = autoreply_load(call, &state, mailbox, &responder, &row, NULL);
    if (status == EX_OK)
        status = list_seen(call, &state, &responder);
    ctl_state_close(&state);
    return status;
}

int autoreply_seen(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "autoreply seen",
        .usage = "usage: posternctl autoreply seen [-c FILE] MAILBOX [--json]\n"
                 "  Who was answered for MAILBOX, when, with which message, and from when on he will be again.\n",
        .shared = CTL_JSON,
        .arguments = 1,
        .only_reads = true,
        .run = run_seen,
    };
    return ctl_run(&command, NULL, argc, argv);
}
