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

#define TRACE_SECONDS ((RESPONDER_DAYS_MAX + 1) * INT64_C(86400))

int autoreply_store_is_down(const struct ctl_call *call)
{
    const char *more = call->command->only_reads ? "" : "; nothing was changed";
    return ctl_fail(call, EX_TEMPFAIL, "the store does not answer%s", more);
}

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

/* The addresses as one text, some of them if they are many. */
static const char *join(struct arena *arena, const struct aliases_targets *targets)
{
    const char *text = "";
    for (size_t i = 0; i < targets->count && i < 5; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", targets->items[i]);
    return targets->count > 5 ? arena_printf(arena, "%s and %zu more", text, targets->count - 5) : text;
}

int autoreply_mailbox(const struct ctl_call *call, const struct ctl_state *state, const char *argument,
                      const char **mailbox)
{
    struct aliases *aliases = state->kept->aliases;
    const char *canonical = aliases_canonical(aliases, call->arena, argument);
    if (!canonical)
        return ctl_fail(call, EX_DATAERR, "mailbox: \"%s\" is no address", argument);
    if (strlen(canonical) > STORE_KEY_MAX - strlen(RESPONDER_KEY))
        return ctl_fail(call, EX_DATAERR, "mailbox: \"%s\" is too long", argument);
    struct aliases_targets targets = aliases_expand(aliases, call->arena, canonical);
    *mailbox = canonical;
    for (size_t i = 0; i < targets.count; i++) {
        if (strcmp(targets.items[i], canonical) == 0)
            return EX_OK;
    }
    if (targets.is_cut)
        return ctl_fail(call, EX_DATAERR, "mailbox: %s is an alias in a loop, or of too many addresses", canonical);
    if (targets.count == 0)
        return ctl_fail(call, EX_DATAERR, "mailbox: %s is an alias that means no mailbox", canonical);
    if (targets.count > 1)
        return ctl_fail(call, EX_DATAERR, "mailbox: %s is an alias of several: %s", canonical,
                        join(call->arena, &targets));
    *mailbox = targets.items[0];
    fprintf(stderr, "posternctl %s: %s means the mailbox %s\n", call->command->name, canonical, *mailbox);
    return EX_OK;
}

int autoreply_open(const struct ctl_call *call, struct ctl_state *state, const char **mailbox)
{
    *state = (struct ctl_state){.engine = NULL};
    if (call->argument_count == 0)
        return ctl_usage_error(call, "MAILBOX is missing");
    int status = ctl_state_open(call, state);
    return status == EX_OK ? autoreply_mailbox(call, state, call->arguments[0], mailbox) : status;
}

int autoreply_load(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox,
                   struct responder *responder, struct span *expected, bool *is_new)
{
    struct store_value value;
    struct responder_problem problem;
    const char *key = arena_printf(call->arena, RESPONDER_KEY "%s", mailbox);
    *expected = (struct span){NULL, 0};
    *responder = (struct responder){.mailbox = mailbox};
    if (is_new)
        *is_new = true;
    switch (store_get(state->kept->store, call->arena, key, clock_wall(), &value)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
        return is_new ? EX_OK : ctl_fail(call, EX_NOINPUT, "nothing is stored for %s", mailbox);
    default:
        return autoreply_store_is_down(call);
    }
    bool is_trace = value.expires != 0; /* see trace_of() */
    if (is_trace && !is_new)
        return ctl_fail(call, EX_NOINPUT, "nothing is stored for %s", mailbox);
    if (is_new)
        *is_new = is_trace;
    *expected = value.bytes;
    if (responder_load(call->arena, value.bytes, responder, &problem) == 0)
        return EX_OK;
    return ctl_fail(call, EX_DATAERR, "what is stored for %s is damaged: %s", mailbox, problem.text);
}

/* What stays of a responder that is deleted: its generation, for as long as anybody is remembered under it. A mailbox
 * that began again with 0 would forget who was answered since the last reset, and remember who was forgotten by it. */
static struct span trace_of(const struct ctl_call *call, const struct responder *responder)
{
    const struct responder trace = {.mailbox = responder->mailbox, .generation = responder->generation};
    return responder->generation ? span_of(responder_print(call->arena, &trace)) : (struct span){NULL, 0};
}

/* One attempt. -1: somebody was faster. */
static int try_change(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox, unsigned flags,
                      autoreply_edit *edit, void *context, struct responder *responder)
{
    bool is_new = false;
    struct span expected, wanted;
    struct responder_problem problem;
    int status =
        autoreply_load(call, state, mailbox, responder, &expected, flags & AUTOREPLY_MAY_BE_NEW ? &is_new : NULL);
    if (status == EX_OK)
        status = edit(call, context, responder);
    if (status != EX_OK)
        return status;
    if ((flags & AUTOREPLY_VERIFY) && responder_verify(call->arena, responder, &problem) != 0)
        return ctl_fail(call, EX_DATAERR, "%s", problem.text);
    int64_t now = clock_wall(), expires = flags & AUTOREPLY_DELETE ? now + TRACE_SECONDS : 0;
    wanted = flags & AUTOREPLY_DELETE ? trace_of(call, responder) : span_of(responder_print(call->arena, responder));
    switch (store_swap(state->kept->store, arena_printf(call->arena, RESPONDER_KEY "%s", mailbox), expected,
                       wanted, expires, now)) {
    case STORE_OK:
        return EX_OK;
    case STORE_PRESENT:
    case STORE_ABSENT:
        return -1;
    default:
        return autoreply_store_is_down(call);
    }
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
    return ctl_fail(call, EX_TEMPFAIL, "others change %s all the time; nothing was changed", mailbox);
}

static void warn(const struct ctl_call *call, const struct responder *responder, const char *text)
{
    fprintf(stderr, "posternctl %s: warning: %s: %s\n", call->command->name, responder->mailbox, text);
}

bool autoreply_means(const struct ctl_call *call, const struct ctl_state *state, const char *address,
                     const char *mailbox)
{
    struct aliases_targets targets = aliases_expand(state->kept->aliases, call->arena, address);
    for (size_t i = 0; i < targets.count; i++) {
        if (strcmp(targets.items[i], mailbox) == 0)
            return true;
    }
    return false;
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
