/*
 * spf - `posternctl spf`: what SPF says of one client and one sender, and why. The engines are the daemon's.
 *
 * It evaluates one identity: MAIL FROM, or postmaster@HELO for the null reverse-path.
 */
#include "auth/sender.h"
#include "core/settings.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/options.h"
#include "util/clock.h"
#include <sysexits.h>
#include <unistd.h>

struct request {
    const char *client_ip, *helo, *from;
    int engine;
    int64_t void_limit, timeout_ms;
};

static void print_json(const struct sender_answer *answer, bool is_helo)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "result", auth_result_name(answer->result));
    cJSON_AddStringToObject(object, "identity", is_helo ? "helo" : "mailfrom");
    json_add_text(object, "domain", answer->domain);
    json_add_text(object, "mechanism", answer->term);
    json_add_text(object, "record", answer->record);
    cJSON_AddNumberToObject(object, "lookups", answer->lookups);
    cJSON_AddNumberToObject(object, "void_lookups", answer->void_lookups);
    json_add_text(object, "reason", answer->reason);
    json_add_text(object, "explanation", answer->explanation);
    json_print(stdout, object);
}

static void print_text(const struct sender_answer *answer, bool is_helo)
{
    printf("result       %s\nidentity     %s\n", auth_result_name(answer->result),
           is_helo ? "HELO (null reverse-path)" : "MAIL FROM");
    printf("domain       %s\n", answer->domain ? answer->domain : "(none)");
    printf("record       %s\n", answer->record ? answer->record : "(none)");
    printf("mechanism    %s\n", answer->term ? answer->term : "(none)");
    bool says_more = answer->reason && !(answer->term && strncmp(answer->reason, "mechanism ", 10) == 0);
    if (says_more)
        printf("reason       %s\n", answer->reason);
    printf("lookups      %u of %d, %u void\n", answer->lookups, SENDER_LOOKUPS_MAX, answer->void_lookups);
    if (answer->explanation)
        printf("explanation  %s\n", answer->explanation);
}

static int evaluate(const struct ctl_call *call, const struct request *request, struct dns *dns)
{
    struct arena *arena = call->arena;
    int64_t timeout_us = request->timeout_ms * 1000;
    struct dns_budget budget = {clock_monotonic_us() + 4 * timeout_us, timeout_us, 100};
    struct sender_query query = {.dns = dns,
                                 .budget = &budget,
                                 .arena = arena,
                                 .helo = request->helo,
                                 .now = clock_wall(),
                                 .void_limit = (unsigned)request->void_limit};
    char host[256] = "";
    struct sender_answer answer;
    const char *from = request->from;
    if (netaddr_parse(request->client_ip, &query.client) != 0)
        return ctl_usage_error(call, "--client-ip: \"%s\" is no IP address", request->client_ip);
    size_t len = strlen(from);
    if (len >= 2 && from[0] == '<' && from[len - 1] == '>')
        from = arena_spandup(arena, (struct span){from + 1, len - 2});
    if (gethostname(host, sizeof host - 1) == 0)
        query.receiver = host;
    sender_split(arena, from, request->helo, &query.local, &query.domain);
    sender_check((enum sender_engine)request->engine, &query, &answer);
    if (call->json)
        print_json(&answer, !*from);
    else
        print_text(&answer, !*from);
    return EX_OK;
}

static int run(const struct ctl_call *call, void *context)
{
    const struct request *request = context;
    if (!request->client_ip)
        return ctl_usage_error(call, "--client-ip is missing");
    if (!request->from)
        return ctl_usage_error(call, "--from is missing");
    struct dns *dns = ctl_open_dns(call);
    if (!dns)
        return EX_UNAVAILABLE;
    int status = evaluate(call, request, dns);
    dns_destroy(dns);
    return status;
}

static const struct option_word engines[] = {{"builtin", SENDER_BUILTIN}, {"libspf2", SENDER_LIBSPF2}, {0}};

static const struct ctl_option options[] = {
    {.name = "client-ip", .type = CTL_TEXT, .offset = offsetof(struct request, client_ip)},
    {.name = "helo", .type = CTL_TEXT, .offset = offsetof(struct request, helo)},
    {.name = "from", .type = CTL_TEXT, .offset = offsetof(struct request, from)},
    {.name = "engine", .type = CTL_WORD, .offset = offsetof(struct request, engine), .words = engines},
    {.name = "void-limit", .type = CTL_NUMBER, .offset = offsetof(struct request, void_limit), .max = 100},
    {.name = "timeout", .type = CTL_SECONDS, .offset = offsetof(struct request, timeout_ms), .min = 1, .max = 60000},
    {0},
};

static const struct ctl_command command = {
    .name = "spf",
    .usage = "usage: posternctl spf --client-ip IP [--helo NAME] --from ADDR [--dns SERVER[@PORT]]\n"
             "           [--engine builtin|libspf2] [--void-limit N] [--timeout SECONDS] [--json]\n"
             "  --from '<>' is the null reverse-path: the identity is then postmaster@HELO.\n",
    .shared = CTL_DNS | CTL_JSON,
    .options = options,
    .run = run,
};

int ctl_spf(int argc, char **argv)
{
    struct request request = {.engine = SENDER_BUILTIN, .void_limit = 2, .timeout_ms = 5000};
    return ctl_run(&command, &request, argc, argv);
}
