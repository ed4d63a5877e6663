/*
 * spf - `posternctl spf`: what SPF says of one client and one sender, and why. The engines are the daemon's.
 *
 * It evaluates one identity: MAIL FROM, or postmaster@HELO for the null reverse-path.
 */
#include "auth/sender.h"
#include "core/settings.h"
#include "ctl/ctl.h"
#include "util/clock.h"
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

struct request {
    const char *client_ip, *helo, *from, *server;
    enum sender_engine engine;
    long void_limit, timeout_ms;
    bool json;
};

static const char usage[] =
    "usage: posternctl spf --client-ip IP [--helo NAME] --from ADDR [--dns SERVER[@PORT]] [--engine builtin|libspf2]\n"
    "           [--void-limit N] [--timeout SECONDS] [--json]\n"
    "  --from '<>' is the null reverse-path: the identity is then postmaster@HELO.\n";

static int usage_error(const char *what)
{
    fprintf(stderr, "posternctl spf: %s\n%s", what, usage);
    return EX_USAGE;
}

/* A number from 0 to MAX. */
static bool read_number(const char *text, double max, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return *text && !*end && *number >= 0 && *number <= max;
}

static int read_option(struct request *request, int option)
{
    double number;
    switch (option) {
    case 'i':
        request->client_ip = optarg;
        return 0;
    case 'h':
        request->helo = optarg;
        return 0;
    case 'f':
        request->from = optarg;
        return 0;
    case 'd':
        request->server = optarg;
        return 0;
    case 'e':
        if (strcmp(optarg, "builtin") != 0 && strcmp(optarg, "libspf2") != 0)
            return usage_error("--engine: say builtin or libspf2");
        request->engine = optarg[0] == 'b' ? SENDER_BUILTIN : SENDER_LIBSPF2;
        return 0;
    case 'v':
        if (!read_number(optarg, 100, &number) || number != (long)number)
            return usage_error("--void-limit: is no number from 0 to 100");
        request->void_limit = (long)number;
        return 0;
    case 't':
        if (!read_number(optarg, 60, &number) || number < 0.001)
            return usage_error("--timeout: is no number of seconds up to 60");
        request->timeout_ms = (long)(number * 1000);
        return 0;
    case 'j':
        request->json = true;
        return 0;
    case 'c': /* every subcommand takes it; this one has no use for it */
        return 0;
    case 'H':
        fputs(usage, stdout);
        return -1;
    default:
        fputs(usage, stderr);
        return EX_USAGE;
    }
}

static int read_arguments(struct request *request, int argc, char **argv)
{
    static const struct option options[] = {{"client-ip", 1, NULL, 'i'}, {"helo", 1, NULL, 'h'},
                                            {"from", 1, NULL, 'f'},      {"dns", 1, NULL, 'd'},
                                            {"engine", 1, NULL, 'e'},    {"void-limit", 1, NULL, 'v'},
                                            {"timeout", 1, NULL, 't'},   {"json", 0, NULL, 'j'},
                                            {"help", 0, NULL, 'H'},      {NULL, 0, NULL, 0}};
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        int status = read_option(request, option);
        if (status != 0)
            return status;
    }
    if (optind < argc)
        return usage_error("there is something that is no option");
    if (!request->client_ip)
        return usage_error("--client-ip is missing");
    if (!request->from)
        return usage_error("--from is missing");
    return 0;
}

static void add_string(cJSON *object, const char *key, const char *text)
{
    if (text)
        cJSON_AddStringToObject(object, key, text);
    else
        cJSON_AddNullToObject(object, key);
}

static void print_json(const struct sender_answer *answer, bool is_helo)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "result", auth_result_name(answer->result));
    cJSON_AddStringToObject(object, "identity", is_helo ? "helo" : "mailfrom");
    add_string(object, "domain", answer->domain);
    add_string(object, "mechanism", answer->term);
    add_string(object, "record", answer->record);
    cJSON_AddNumberToObject(object, "lookups", answer->lookups);
    cJSON_AddNumberToObject(object, "void_lookups", answer->void_lookups);
    add_string(object, "reason", answer->reason);
    add_string(object, "explanation", answer->explanation);
    char *text = cJSON_PrintUnformatted(object);
    puts(text ? text : "{}");
    free(text);
    cJSON_Delete(object);
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

static int evaluate(const struct request *request, struct dns *dns, struct arena *arena)
{
    int64_t timeout_us = (int64_t)request->timeout_ms * 1000;
    struct dns_budget budget = {clock_monotonic_us() + 4 * timeout_us, timeout_us, 100};
    struct sender_query query = {.dns = dns, .budget = &budget, .arena = arena, .helo = request->helo,
                                 .now = clock_wall(), .void_limit = (unsigned)request->void_limit};
    char host[256] = "";
    struct sender_answer answer;
    const char *from = request->from;
    if (netaddr_parse(request->client_ip, &query.client) != 0)
        return usage_error("--client-ip: is no IP address");
    size_t len = strlen(from);
    if (len >= 2 && from[0] == '<' && from[len - 1] == '>')
        from = arena_spandup(arena, (struct span){from + 1, len - 2});
    if (gethostname(host, sizeof host - 1) == 0)
        query.receiver = host;
    sender_split(arena, from, request->helo, &query.local, &query.domain);
    sender_check(request->engine, &query, &answer);
    if (request->json)
        print_json(&answer, !*from);
    else
        print_text(&answer, !*from);
    return EX_OK;
}

int ctl_spf(int argc, char **argv)
{
    struct request request = {.void_limit = 2, .timeout_ms = 5000};
    int status = read_arguments(&request, argc, argv);
    if (status != 0)
        return status < 0 ? EX_OK : status;
    const char *why = NULL;
    struct string_list servers = {request.server ? 1 : 0, &request.server};
    struct dns *dns = dns_create(&(struct dns_options){.servers = &servers}, &why);
    if (!dns) {
        fprintf(stderr, "posternctl spf: %s\n", why);
        return EX_UNAVAILABLE;
    }
    struct arena *arena = arena_create(8192);
    status = evaluate(&request, dns, arena);
    arena_destroy(arena);
    dns_destroy(dns);
    return status;
}
