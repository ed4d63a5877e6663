/* autoreply activate, off, delete - which of the stored messages is active, and taking them away. */
#include "ctl/autoreply.h"
#include <sysexits.h>

struct request {
    const char *name; /* NULL: all */
    bool was_active;
};

static int find(const struct ctl_call *call, const struct responder *responder, const char *name, size_t *number)
{
    const struct responder_message *message = responder_find(responder, name);
    if (!message)
        return ctl_fail(call, EX_NOINPUT, "%s has no message \"%s\"", responder->mailbox, name);
    *number = (size_t)(message - responder->messages);
    return EX_OK;
}

static bool is_active(const struct responder *responder, const char *name)
{
    return responder->active && strcmp(responder->active, name) == 0;
}

static int edit_activate(const struct ctl_call *call, void *context, struct responder *responder)
{
    const struct request *request = context;
    size_t number = 0;
    int status = find(call, responder, request->name, &number);
    if (status == EX_OK)
        responder->active = responder->messages[number].name;
    return status;
}

static int edit_off(const struct ctl_call *call, void *context, struct responder *responder)
{
    struct request *request = context;
    (void)call;
    request->was_active = responder->active;
    responder->active = NULL;
    return EX_OK;
}

static int edit_delete(const struct ctl_call *call, void *context, struct responder *responder)
{
    struct request *request = context;
    size_t number = 0;
    int status = find(call, responder, request->name, &number);
    if (status != EX_OK)
        return status;
    request->was_active = is_active(responder, request->name);
    if (request->was_active)
        responder->active = NULL;
    responder->count--;
    memmove(&responder->messages[number], &responder->messages[number + 1],
            (responder->count - number) * sizeof *responder->messages);
    return EX_OK;
}

/* What is gone does not come back: it goes by the name it is stored under, and not by one that a typing error, or the same
 * command a second time, leads to. */
static int refuse_alias(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox)
{
    const char *canonical = aliases_canonical(state->kept->aliases, call->arena, call->arguments[0]);
    if (canonical && strcmp(canonical, mailbox) == 0)
        return EX_OK;
    return ctl_fail(call, EX_NOINPUT, "nothing is stored for %s itself; what is stored for %s is deleted by that name",
                    canonical ? canonical : call->arguments[0], mailbox);
}

/* Opens, finds the mailbox, makes the change (EDIT NULL: all of it goes), and says TELL of it. What is made active is
 * to be read one day; the others take what there is. */
static int change(const struct ctl_call *call, struct request *request, autoreply_edit *edit,
                  const char *(*tell)(const struct ctl_call *call, const struct request *request,
                                      const struct responder *responder))
{
    struct ctl_state state;
    const char *mailbox = NULL;
    request->name = call->argument_count > 1 ? call->arguments[1] : NULL;
    bool activates = edit == edit_activate;
    int status = activates ? autoreply_open(call, &state, &mailbox) : autoreply_open_row(call, &state, &mailbox);
    struct responder responder = {.mailbox = mailbox};
    if (status == EX_OK && (!edit || edit == edit_delete))
        status = refuse_alias(call, &state, mailbox);
    if (status == EX_OK)
        status = edit ? autoreply_change(call, &state, mailbox, 0, edit, request, &responder)
                      : autoreply_remove(call, &state, mailbox);
    if (status == EX_OK && activates)
        autoreply_warn_of_mode(call, &state);
    if (status == EX_OK)
        autoreply_say(call, &responder, tell(call, request, &responder));
    ctl_state_close(&state);
    return status;
}

/* ---- activate ---- */

static const char *tell_activated(const struct ctl_call *call, const struct request *request,
                                  const struct responder *responder)
{
    bool is_in_force;
    return arena_printf(call->arena, "\"%s\" is active: %s", request->name,
                        autoreply_force(call, responder, AUTOREPLY_LAST, &is_in_force));
}

static int run_activate(const struct ctl_call *call, void *request)
{
    if (call->argument_count == 1)
        return ctl_usage_error(call, "NAME is missing");
    return change(call, request, edit_activate, tell_activated);
}

int autoreply_activate(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "autoreply activate",
        .usage = "usage: posternctl autoreply activate [-c FILE] MAILBOX NAME [--json]\n"
                 "  From now on NAME is the active message of MAILBOX, and no other.\n",
        .shared = CTL_JSON,
        .arguments = 2,
        .run = run_activate,
    };
    struct request request = {NULL, false};
    return ctl_run(&command, &request, argc, argv);
}

/* ---- off ---- */

static const char *tell_off(const struct ctl_call *call, const struct request *request,
                            const struct responder *responder)
{
    (void)call;
    (void)responder;
    return request->was_active ? "no message is active any more" : "no message was active";
}

static int run_off(const struct ctl_call *call, void *request)
{
    return change(call, request, edit_off, tell_off);
}

int autoreply_off(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "autoreply off",
        .usage = "usage: posternctl autoreply off [-c FILE] MAILBOX [--json]\n"
                 "  No message of MAILBOX is active any more; all stay stored.\n",
        .shared = CTL_JSON,
        .arguments = 1,
        .run = run_off,
    };
    struct request request = {NULL, false};
    return ctl_run(&command, &request, argc, argv);
}

/* ---- delete ---- */

static const char *tell_deleted(const struct ctl_call *call, const struct request *request,
                                const struct responder *responder)
{
    (void)responder;
    if (!request->name)
        return "all of it is deleted";
    return arena_printf(call->arena, "\"%s\" is deleted%s", request->name,
                        request->was_active ? "; it was the active message" : "");
}

static int run_delete(const struct ctl_call *call, void *request)
{
    return change(call, request, call->argument_count > 1 ? edit_delete : NULL, tell_deleted);
}

int autoreply_delete(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "autoreply delete",
        .usage =
            "usage: posternctl autoreply delete [-c FILE] MAILBOX [NAME] [--json]\n"
            "  Deletes the message NAME, or everything that MAILBOX has stored, damaged or not. Who was answered stays\n"
            "  remembered for his days. MAILBOX must be the name it is stored under, not an alias of that.\n",
        .shared = CTL_JSON,
        .arguments = 2,
        .run = run_delete,
    };
    struct request request = {NULL, false};
    return ctl_run(&command, &request, argc, argv);
}
