/*
 * srs - `posternctl srs`: rewrites an address as the check srs does, undoes one and says why not, and rotates the
 * secrets.
 *
 * forward and reverse run as the daemon's user, on the daemon's store and secrets; forward keeps a long sender in the
 * store, so that what it prints can be undone. Where the daemon finds no secrets it makes some; here only rotate does,
 * so that a question changes nothing.
 *
 * rotate runs as the user who owns the file: that is the daemon's, or root if the administrator keeps it in /etc.
 */
#include "checks/srs.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/state.h"
#include "srs/srs_keys.h"
#include "util/clock.h"
#include "util/utf8.h"
#include <sys/stat.h>
#include <sysexits.h>

#define DAY 86400

struct request {
    int64_t now;
    const char *domain;
};

static const struct forwarding_options *options_of(const struct engine *engine)
{
    const struct srs_check_options *check = conf_get(engine->conf, check_srs.name);
    return &check->forwarding;
}

/* For the terminal. */
static const char *clean(const struct ctl_call *call, const char *text)
{
    struct strbuf out;
    strbuf_init(&out, 0);
    utf8_add_clean(&out, span_of(text));
    const char *copy = arena_strdup(call->arena, strbuf_text(&out));
    strbuf_free(&out);
    return copy;
}

/* ---- forward, reverse ---- */

struct tool {
    struct ctl_state state;
    struct srs_options options;
    const struct forwarding_options *forwarding;
    const struct domain_set *srs_domains;
    struct srs *srs;
};

static int open_tool(const struct ctl_call *call, struct tool *tool)
{
    const char *problem = "";
    *tool = (struct tool){.srs = NULL};
    if (call->argument_count == 0)
        return ctl_usage_error(call, "ADDRESS is missing");
    int status = ctl_state_open_store(call, &tool->state);
    if (status != EX_OK)
        return status;
    tool->forwarding = options_of(tool->state.engine);
    tool->srs_domains = forwarding_collect_domains(tool->forwarding, call->arena);
    tool->options = forwarding_srs_options(&tool->state.engine->settings, tool->forwarding, call->arena);
    tool->srs = srs_open(&tool->options, tool->state.store, false, call->arena, &problem);
    return tool->srs ? EX_OK : ctl_fail(call, EX_CONFIG, "%s", problem);
}

static void close_tool(struct tool *tool)
{
    srs_close(tool->srs);
    ctl_state_close(&tool->state);
}

/* A whole sentence behind "ADDRESS: ". */
static const char *explain(enum srs_outcome outcome, bool is_forward)
{
    switch (outcome) {
    case SRS_NONE:
        return is_forward ? "is no address with a local part and a domain" : "is no SRS address";
    case SRS_MALFORMED:
        return "begins like an SRS address, but its fields are not those of one";
    case SRS_FORGED:
        return "forged: none of the secrets makes this hash";
    case SRS_EXPIRED:
        return "expired";
    case SRS_TOO_LONG:
        return "is too long, or the domain is";
    case SRS_UNKNOWN:
        return "genuine, but the sender that it stands for is not in the store";
    case SRS_DOWN:
        return "the sender is or would be in the store, and that does not answer";
    default:
        return "is fine";
    }
}

static int status_of(enum srs_outcome outcome)
{
    switch (outcome) {
    case SRS_OK:
        return EX_OK;
    case SRS_DOWN:
        return EX_TEMPFAIL;
    case SRS_FORGED:
    case SRS_EXPIRED:
    case SRS_UNKNOWN:
        return EX_NOUSER;
    default:
        return EX_DATAERR;
    }
}

/* "written 3 days ago" */
static const char *tell_age(struct arena *arena, int64_t age)
{
    if (age < 0)
        return "written tomorrow, by a clock ahead of this one";
    return age == 0 ? "written today" : arena_printf(arena, "written %d day%s ago", (int)age, age == 1 ? "" : "s");
}

static int forward(const struct ctl_call *call, const struct request *request, struct tool *tool)
{
    const char *address = call->arguments[0], *result;
    const char *domain = request->domain ? request->domain : tool->forwarding->domain;
    if (!domain)
        return ctl_fail(call, EX_USAGE, "the configuration names no domain for SRS, and there is no --domain");
    enum srs_outcome outcome = srs_forward(tool->srs, call->arena, address, domain, request->now, false, &result);
    if (call->json) {
        cJSON *object = cJSON_CreateObject();
        json_add_text(object, "address", address);
        json_add_text(object, "domain", domain);
        json_add_text(object, "outcome", srs_outcome_name(outcome));
        json_add_text(object, "result", result);
        json_print(stdout, object);
    } else if (outcome == SRS_OK) {
        puts(clean(call, result));
    }
    return outcome == SRS_OK
               ? EX_OK
               : ctl_fail(call, status_of(outcome), "%s: %s", clean(call, address), explain(outcome, true));
}

/* Mail to an SRS address in another domain is not looked at by the check. */
static bool is_ours(const struct tool *tool, const char *address)
{
    char domain[DOMAIN_MAX + 1];
    return domain_of_address(address, domain) == 0 && domain_set_has(tool->srs_domains, domain);
}

static void print_original(const struct ctl_call *call, const struct tool *tool, const char *result, const int64_t *age)
{
    puts(clean(call, result));
    if (age)
        printf("  %s, good for %d days\n", tell_age(call->arena, *age), (int)tool->options.max_age);
    else
        puts("  of another forwarder, who knows how old it is");
    if (!is_ours(tool, call->arguments[0]))
        puts("  in a domain that is not ours: Postern leaves mail to it alone");
}

static int reverse(const struct ctl_call *call, const struct request *request, struct tool *tool)
{
    const char *address = call->arguments[0], *result;
    int64_t age = 0;
    enum srs_outcome outcome = srs_reverse(tool->srs, call->arena, address, request->now, &result);
    bool is_dated = outcome != SRS_FORGED && srs_codec_age(call->arena, address, request->now, &age);
    if (call->json) {
        cJSON *object = cJSON_CreateObject();
        json_add_text(object, "address", address);
        json_add_text(object, "outcome", srs_outcome_name(outcome));
        json_add_text(object, "result", result);
        if (is_dated)
            cJSON_AddNumberToObject(object, "age_days", (double)age);
        else
            cJSON_AddNullToObject(object, "age_days");
        cJSON_AddNumberToObject(object, "max_age_days", (double)tool->options.max_age);
        cJSON_AddBoolToObject(object, "is_ours", is_ours(tool, address));
        json_print(stdout, object);
    } else if (outcome == SRS_OK) {
        print_original(call, tool, result, is_dated ? &age : NULL);
    }
    if (outcome == SRS_OK)
        return EX_OK;
    const char *when = "";
    if (is_dated)
        when = arena_printf(call->arena, "; %s, and good for %d days", tell_age(call->arena, age),
                            (int)tool->options.max_age);
    return ctl_fail(call, status_of(outcome), "%s: %s%s", clean(call, address), explain(outcome, false), when);
}

static int with_tool(const struct ctl_call *call, const struct request *request,
                     int (*work)(const struct ctl_call *call, const struct request *request, struct tool *tool))
{
    struct tool tool;
    int status = open_tool(call, &tool);
    if (status == EX_OK)
        status = work(call, request, &tool);
    close_tool(&tool);
    return status;
}

static int run_forward(const struct ctl_call *call, void *request)
{
    return with_tool(call, request, forward);
}

static int run_reverse(const struct ctl_call *call, void *request)
{
    return with_tool(call, request, reverse);
}

/* ---- rotate ---- */

static void print_rotated(const struct ctl_call *call, const char *path, bool is_made, size_t kept)
{
    if (call->json) {
        cJSON *object = cJSON_CreateObject();
        json_add_text(object, "file", path);
        cJSON_AddBoolToObject(object, "is_new", is_made);
        cJSON_AddNumberToObject(object, "old_secrets", (double)kept);
        json_print(stdout, object);
    } else if (is_made) {
        printf("%s: made, with one secret\n", path);
    } else {
        printf("%s: a new secret signs, %zu older %s\n", path, kept, kept == 1 ? "one verifies" : "ones verify");
    }
}

static int rotate(const struct ctl_call *call, const struct request *request, struct ctl_state *state)
{
    const struct srs_options options =
        forwarding_srs_options(&state->engine->settings, options_of(state->engine), call->arena);
    struct stat file;
    const char *problem = "";
    size_t kept = 0;
    const char *path = options.secrets_file;
    bool is_there = lstat(path, &file) == 0;
    int status = is_there && file.st_uid == 0 ? EX_OK : ctl_state_become_user(call, state);
    if (status != EX_OK)
        return status;
    int done = is_there ? 1 : srs_keys_create(path, call->arena, &problem);
    bool is_made = done == 0;
    if (done == 1)
        done = srs_keys_rotate(path, call->arena, options.max_age, request->now, &kept, &problem);
    if (done != 0)
        return ctl_fail(call, EX_CONFIG, "%s", problem);
    print_rotated(call, path, is_made, kept);
    return EX_OK;
}

static int run_rotate(const struct ctl_call *call, void *request)
{
    struct ctl_state state;
    int status = ctl_state_read(call, &state);
    if (status == EX_OK)
        status = rotate(call, request, &state);
    ctl_state_close(&state);
    return status;
}

/* ---- the verbs ---- */

static int srs_forward_verb(int argc, char **argv)
{
    static const struct ctl_option options[] = {
        {.name = "domain", .type = CTL_TEXT, .offset = offsetof(struct request, domain)},
        {.name = "now", .type = CTL_TIME, .offset = offsetof(struct request, now)},
        {0},
    };
    static const struct ctl_command command = {
        .name = "srs forward",
        .usage =
            "usage: posternctl srs forward [-c FILE] ADDRESS [--domain DOMAIN] [--now TIME] [--json]\n"
            "  ADDRESS as it is rewritten when a message from there is forwarded. One that is too long is kept in\n"
            "  the store.\n",
        .shared = CTL_JSON,
        .arguments = 1,
        .options = options,
        .run = run_forward,
    };
    struct request request = {.now = clock_wall()};
    return ctl_run(&command, &request, argc, argv);
}

static const struct ctl_option now_options[] = {
    {.name = "now", .type = CTL_TIME, .offset = offsetof(struct request, now)},
    {0},
};

static int srs_reverse_verb(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "srs reverse",
        .usage = "usage: posternctl srs reverse [-c FILE] ADDRESS [--now TIME] [--json]\n"
                 "  The address that the SRS address ADDRESS stands for and its age, or why it is refused.\n",
        .shared = CTL_JSON,
        .arguments = 1,
        .options = now_options,
        .run = run_reverse,
    };
    struct request request = {.now = clock_wall()};
    return ctl_run(&command, &request, argc, argv);
}

static int srs_rotate_verb(int argc, char **argv)
{
    static const struct ctl_command command = {
        .name = "srs rotate",
        .usage = "usage: posternctl srs rotate [-c FILE] [--now TIME] [--json]\n"
                 "  A new secret signs from now on; the old ones verify until what they signed has expired. Makes the\n"
                 "  file if there is none. A running posternd takes it up within two seconds.\n",
        .shared = CTL_JSON,
        .options = now_options,
        .run = run_rotate,
    };
    struct request request = {.now = clock_wall()};
    return ctl_run(&command, &request, argc, argv);
}

static const struct ctl_verb verbs[] = {
    {"forward", srs_forward_verb, "an address as it is rewritten"},
    {"reverse", srs_reverse_verb, "what a rewritten address stands for, or why it is refused"},
    {"rotate", srs_rotate_verb, "a new secret to sign with"},
    {0},
};

int ctl_srs(int argc, char **argv)
{
    return ctl_dispatch("posternctl srs", verbs, argc, argv);
}
