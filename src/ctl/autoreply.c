/*
 * autoreply - `posternctl autoreply`: its verbs, and what they share.
 *
 * A change is read, made and swapped in: two administrators, or a web page and one, never undo each other's change
 * unseen.
 */
#include "ctl/autoreply.h"
#include "checks/autoreply.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "util/clock.h"
#include <sysexits.h>

/* What activate and reset add: a name, each octet escaped, and the digits of a generation. */
_Static_assert(RESPONDER_JSON_MAX + 2 * RESPONDER_NAME_MAX + 100 < STORE_VALUE_MAX, "a responder that fits must stay one");

#define TRACE_SECONDS ((RESPONDER_DAYS_MAX + 1) * INT64_C(86400))

void autoreply_say(const struct ctl_call *call, const struct responder *responder, const char *text)
{
    if (!call->json) {
        printf("%s: %s\n", responder->mailbox, text);
        return;
    }
    cJSON *object = cJSON_CreateObject();
    json_add_text(object, "mailbox", responder->mailbox);
    json_add_text(object, "active", responder->active);
    json_add_text(object, "text", text);
    json_print(stdout, object);
}

/* What stays of a responder that is deleted: its generation, for as long as anybody is remembered under it. A mailbox
 * that began again with 0 would forget who was answered since the last reset, and remember who was forgotten by it. */
static struct span trace_of(const struct ctl_call *call, const struct responder *responder)
{
    const struct responder trace = {.mailbox = responder->mailbox, .generation = responder->generation};
    return responder->generation ? span_of(responder_print(call->arena, &trace)) : (struct span){NULL, 0};
}

/* Puts WANTED in the place of what was read of the row. -1: somebody was faster. */
static int write_row(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox,
                     const struct autoreply_row *row, struct span wanted, int64_t expires)
{
    const struct store_change change = {.key = arena_printf(call->arena, RESPONDER_KEY "%s", mailbox),
                                        .value = wanted,
                                        .expires = wanted.ptr ? expires : 0,
                                        .is_conditional = row->kind != AUTOREPLY_ROW_FOREIGN,
                                        .expected = row->bytes};
    switch (store_apply(state->kept->store, &change, 1, clock_wall())) {
    case STORE_OK:
        return EX_OK;
    case STORE_DOWN:
        return ctl_store_is_silent(call, state, arena_printf(call->arena, "posternctl autoreply show %s", mailbox));
    default:
        return -1;
    }
}

/* One attempt. -1: somebody was faster. */
static int try_change(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox, unsigned flags,
                      autoreply_edit *edit, void *context, struct responder *responder)
{
    bool is_new = false;
    struct autoreply_row row;
    struct responder_problem problem;
    int status = autoreply_load(call, state, mailbox, responder, &row, flags & AUTOREPLY_MAY_BE_NEW ? &is_new : NULL);
    if (status == EX_OK)
        status = edit(call, context, responder);
    if (status != EX_OK)
        return status;
    if ((flags & AUTOREPLY_VERIFY) && responder_verify(call->arena, responder, &problem) != 0)
        return ctl_fail(call, EX_DATAERR, "%s", problem.text);
    return write_row(call, state, mailbox, &row, span_of(responder_print(call->arena, responder)), 0);
}

/* The same for a row that goes, whatever it holds. */
static int try_delete(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox)
{
    struct responder responder;
    struct autoreply_row row;
    autoreply_read(call, state, mailbox, &responder, &row);
    if (row.kind == AUTOREPLY_ROW_NONE || row.kind == AUTOREPLY_ROW_TRACE)
        return ctl_fail(call, EX_NOINPUT, "nothing is stored for %s", mailbox);
    if (row.kind == AUTOREPLY_ROW_DOWN)
        return ctl_store_is_down(call);
    return write_row(call, state, mailbox, &row, trace_of(call, &responder), clock_wall() + TRACE_SECONDS);
}

static int others_change(const struct ctl_call *call, const char *mailbox)
{
    return ctl_fail(call, EX_TEMPFAIL, "others change %s all the time; nothing was changed", mailbox);
}

int autoreply_change(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox, unsigned flags,
                     autoreply_edit *edit, void *context, struct responder *responder)
{
    for (int i = 0; i < AUTOREPLY_TRIES; i++) {
        int status = try_change(call, state, mailbox, flags, edit, context, responder);
        if (status >= 0)
            return status;
        clock_sleep_us(AUTOREPLY_PAUSE_US);
    }
    return others_change(call, mailbox);
}

int autoreply_remove(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox)
{
    for (int i = 0; i < AUTOREPLY_TRIES; i++) {
        int status = try_delete(call, state, mailbox);
        if (status >= 0)
            return status;
        clock_sleep_us(AUTOREPLY_PAUSE_US);
    }
    return others_change(call, mailbox);
}

static void warn(const struct ctl_call *call, const struct responder *responder, const char *text)
{
    fprintf(stderr, "posternctl %s: warning: %s: %s\n", call->command->name, responder->mailbox, text);
}

void autoreply_warn(const struct ctl_call *call, const struct ctl_state *state, const struct responder *responder)
{
    const struct domain_set *ours = state->engine->settings.general->local_domains;
    const char *domain = strrchr(responder->mailbox, '@') + 1;
    if (!domain_set_has(ours, domain))
        warn(call, responder, arena_printf(call->arena, "%s is not one of local_domains", domain));
    for (size_t i = 0; i < responder->count; i++) {
        const char *from = responder->messages[i].from, *at = from ? strrchr(from, '@') : NULL;
        if (at && !domain_set_has(ours, at + 1))
            warn(call, responder,
                 arena_printf(call->arena,
                              "from: %s is at none of local_domains; if it is not the owner's, he writes "
                              "in the name of somebody else",
                              from));
        else if (at && !autoreply_means(call, state, from, responder->mailbox))
            warn(call, responder,
                 arena_printf(call->arena, "from: by the alias tables %s is not an address of this mailbox", from));
    }
}

void autoreply_warn_of_mode(const struct ctl_call *call, const struct ctl_state *state)
{
    const struct plan *plan = &state->engine->plan;
    const char *what = "is off";
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->entries[i].check == &check_autoreply)
            what = plan->entries[i].mode == MODE_MONITOR ? "only monitors" : NULL;
    }
    if (what)
        fprintf(stderr, "posternctl %s: warning: the check autoreply %s (its mode, or the global one), so no reply is sent\n",
                call->command->name, what);
}

const char *autoreply_force(const struct ctl_call *call, const struct responder *responder, int64_t now,
                            bool *is_in_force)
{
    const char *why = NULL;
    *is_in_force = responder_in_force(call->arena, responder, now == AUTOREPLY_LAST ? clock_wall() : now, &why);
    return *is_in_force ? "in force" : why;
}

static const struct ctl_verb verbs[] = {
    {"list", autoreply_list, "the mailboxes that have something stored, and what is in force"},
    {"show", autoreply_show, "what a mailbox has stored"},
    {"set", autoreply_set, "store a message, or change one"},
    {"activate", autoreply_activate, "make one message of a mailbox the active one"},
    {"off", autoreply_off, "make none of them active"},
    {"delete", autoreply_delete, "delete one message, or all that a mailbox has stored"},
    {"reset", autoreply_reset, "forget who was answered: everybody, or one sender"},
    {"seen", autoreply_seen, "who was answered, and when they will be again"},
    {"import", autoreply_import, "store the messages of many mailboxes, all or none"},
    {"export", autoreply_export, "print what import reads"},
    {"preview", autoreply_preview, "the reply that a message would get, or why it gets none"},
    {0},
};

int ctl_autoreply(int argc, char **argv)
{
    return ctl_dispatch("posternctl autoreply", verbs, argc, argv);
}
