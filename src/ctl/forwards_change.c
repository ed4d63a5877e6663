/*
 * forwards add, delete - one address of the forward table in the store.
 *
 * A change is read, made and swapped in, so that two administrators never undo each other's change unseen.
 */
#include "ctl/forwards.h"
#include "ctl/json.h"
#include "util/clock.h"
#include <sysexits.h>

#define TRIES 50
#define PAUSE_US 10000

struct request {
    bool delete, keep;            /* add: the options */
    struct alias_address address; /* folded */
    const char *name;             /* the same, printed */
    const char *targets[FORWARDS_TARGETS_MAX];
    size_t count;
};

typedef int forwards_edit(const struct ctl_call *call, const struct request *request, struct forward *forward);

static int read_arguments(const struct ctl_call *call, struct request *request)
{
    char text[ALIAS_ADDRESS_MAX];
    if (call->argument_count == 0)
        return ctl_usage_error(call, "ADDRESS is missing");
    const char *why = forward_read_address(span_of(call->arguments[0]), &request->address);
    if (why)
        return ctl_fail(call, EX_DATAERR, "address: \"%s\" %s", call->arguments[0], why);
    alias_address_print(&request->address, text);
    request->name = arena_strdup(call->arena, text);
    for (size_t i = 1; i < call->argument_count; i++) {
        struct alias_address target;
        why = forward_read_target(&request->address, span_of(call->arguments[i]), &target);
        if (why)
            return ctl_fail(call, EX_DATAERR, "target: \"%s\" %s", call->arguments[i], why);
        alias_address_print(&target, text);
        request->targets[request->count++] = arena_strdup(call->arena, text);
    }
    return EX_OK;
}

static void say(const struct ctl_call *call, const char *address, const struct forward *forward)
{
    if (call->json) {
        json_print(stdout, forwards_json(address, forward));
        return;
    }
    if (forward->count == 0) {
        printf("%s: is not sent on any more\n", address);
        return;
    }
    printf("%s: is sent on to", address);
    for (size_t i = 0; i < forward->count; i++)
        printf(" %s", forward->targets[i]);
    puts(forward->deletes ? "; no copy stays" : "; a copy stays");
}

/* One attempt. -1: somebody was faster. */
static int try_change(const struct ctl_call *call, const struct ctl_state *state, const struct request *request,
                      forwards_edit *edit, struct forward *forward)
{
    struct store_value value = {{NULL, 0}, 0};
    struct store *store = state->kept->store;
    const char *key = arena_printf(call->arena, FORWARD_KEY "%s", request->name);
    int64_t now = clock_wall();
    *forward = (struct forward){.count = 0};
    enum store_outcome outcome = store_get(store, call->arena, key, now, &value);
    if (outcome == STORE_DOWN)
        return ctl_store_is_down(call);
    bool is_damaged = outcome == STORE_OK && forward_load(call->arena, value.bytes, forward) != 0;
    if (is_damaged && request->count > 0)
        return ctl_fail(call, EX_DATAERR, "what is stored for %s is damaged; delete it first", request->name);
    if (is_damaged)
        *forward = (struct forward){.count = 0};
    int status = is_damaged ? EX_OK : edit(call, request, forward);
    if (status != EX_OK)
        return status;
    struct span wanted = forward->count > 0 ? forward_print(call->arena, forward) : (struct span){NULL, 0};
    switch (store_swap(store, key, value.bytes, wanted, 0, now)) {
    case STORE_OK:
        return EX_OK;
    case STORE_DOWN:
        return ctl_store_is_silent(call, state, "posternctl forwards list");
    default:
        return -1;
    }
}

static int change(const struct ctl_call *call, const struct ctl_state *state, const struct request *request,
                  forwards_edit *edit)
{
    struct forward forward;
    int status = -1;
    for (int i = 0; i < TRIES && status < 0; i++) {
        if (i > 0)
            clock_sleep_us(PAUSE_US);
        status = try_change(call, state, request, edit, &forward);
    }
    if (status < 0)
        return ctl_fail(call, EX_TEMPFAIL, "others change %s all the time; nothing was changed", request->name);
    if (status == EX_OK)
        say(call, request->name, &forward);
    return status;
}

/* ---- add ---- */

static int edit_add(const struct ctl_call *call, const struct request *request, struct forward *forward)
{
    for (size_t i = 0; i < request->count; i++) {
        if (!forward_add_target(call->arena, forward, request->targets[i]))
            return ctl_fail(call, EX_DATAERR, "target: %s has %d already", request->name, FORWARDS_TARGETS_MAX);
    }
    if (request->delete || request->keep)
        forward->deletes = request->delete;
    return EX_OK;
}

static int run_add(const struct ctl_call *call, void *context)
{
    struct request *request = context;
    struct ctl_state state = {.engine = NULL};
    int status = read_arguments(call, request);
    if (status == EX_OK && request->count == 0)
        return ctl_usage_error(call, "TARGET is missing");
    if (request->delete && request->keep)
        return ctl_usage_error(call, "--delete and --keep exclude each other");
    if (status == EX_OK)
        status = forwards_open_rows(call, &state);
    const char *other = status == EX_OK ? forwards_looked_up_as(call, &state, &request->address) : NULL;
    if (other)
        status = ctl_fail(call, EX_DATAERR, "address: mail to %s is looked up as %s; name that", request->name, other);
    if (status == EX_OK)
        status = change(call, &state, request, edit_add);
    ctl_state_close(&state);
    return status;
}

int forwards_add(int argc, char **argv)
{
    static const struct ctl_option options[] = {
        {.name = "delete", .type = CTL_FLAG, .offset = offsetof(struct request, delete)},
        {.name = "keep", .type = CTL_FLAG, .offset = offsetof(struct request, keep)},
        {0},
    };
    static const struct ctl_command command = {
        .name = "forwards add",
        .usage = "usage: posternctl forwards add [-c FILE] ADDRESS TARGET... [--delete | --keep] [--json]\n"
                 "  Mail to ADDRESS, or with @DOMAIN to whoever there has no forward of his own, is sent on to each TARGET\n"
                 "  too. With --delete the address itself gets no copy, with --keep it does; without them that stays as it\n"
                 "  was, and at first it does.\n",
        .shared = CTL_JSON,
        .arguments = 1 + FORWARDS_TARGETS_MAX,
        .options = options,
        .run = run_add,
    };
    struct request request = {.delete = false};
    return ctl_run(&command, &request, argc, argv);
}

/* ---- delete ---- */

static int edit_delete(const struct ctl_call *call, const struct request *request, struct forward *forward)
{
    if (forward->count == 0)
        return ctl_fail(call, EX_NOINPUT, "%s is not sent on", request->name);
    if (request->count == 0)
        *forward = (struct forward){.count = 0};
    for (size_t i = 0; i < request->count; i++) {
        const char **left = ARENA_ARRAY(call->arena, const char *, forward->count + 1);
        size_t count = 0;
        for (size_t k = 0; k < forward->count; k++) {
            if (!forward_is_same(forward->targets[k], request->targets[i]))
                left[count++] = forward->targets[k];
        }
        if (count == forward->count)
            return ctl_fail(call, EX_NOINPUT, "%s is not sent on to %s", request->name, request->targets[i]);
        forward->targets = left;
        forward->count = count;
    }
    return EX_OK;
}

static int run_delete(const struct ctl_call *call, void *context)
{
    struct request *request = context;
    struct ctl_state state = {.engine = NULL};
    int status = read_arguments(call, request);
    if (status == EX_OK)
        status = forwards_open_rows(call, &state);
    if (status == EX_OK)
        status = change(call, &state, request, edit_delete);
    ctl_state_close(&state);
    return status;
}

int forwards_delete(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "forwards delete",
        .usage = "usage: posternctl forwards delete [-c FILE] ADDRESS [TARGET...] [--json]\n"
                 "  Mail to ADDRESS is not sent on any more, or not to these of its targets.\n",
        .shared = CTL_JSON,
        .arguments = 1 + FORWARDS_TARGETS_MAX,
        .run = run_delete,
    };
    struct request request = {.delete = false};
    return ctl_run(&command, &request, argc, argv);
}
