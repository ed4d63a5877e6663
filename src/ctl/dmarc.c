/*
 * dmarc - `posternctl dmarc`: what a domain publishes, and what DMARC says given the results of SPF and DKIM. Record,
 * walk, alignment and policy are the daemon's; the options of the check (lists, actions) are not applied.
 */
#include "auth/author.h"
#include "auth/policyeval.h"
#include "ctl/ctl.h"
#include "util/clock.h"
#include "util/domain.h"
#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#define RESULTS_MAX 64

struct request {
    const char *domain, *from, *server;
    enum treewalk_mode mode;
    bool json, evaluate;
    struct policyeval_identifier identifiers[RESULTS_MAX];
    size_t count;
    struct arena *arena;
};

static const char usage[] =
    "usage: posternctl dmarc DOMAIN [--dns SERVER[@PORT]] [--org-domain treewalk|psl] [--json]\n"
    "       posternctl dmarc --evaluate --from \"FROM FIELD VALUE\" [--spf RESULT:DOMAIN] [--dkim RESULT:DOMAIN]...\n"
    "           [--dns SERVER[@PORT]] [--org-domain treewalk|psl] [--json]\n"
    "  The first shows what DOMAIN publishes, the second what DMARC says of a message with these results.\n";

static int usage_error(const char *what, const char *value)
{
    fprintf(stderr, "posternctl dmarc: %s%s%s\n%s", what, value ? ": " : "", value ? value : "", usage);
    return EX_USAGE;
}

/* "pass:example.net" */
static int add_identifier(struct request *request, const char *text, bool is_spf)
{
    const char *colon = strchr(text, ':');
    char name[DOMAIN_MAX + 1];
    enum auth_result result;
    if (!colon ||
        auth_result_parse(arena_spandup(request->arena, (struct span){text, (size_t)(colon - text)}), &result) != 0)
        return usage_error("neither pass:DOMAIN nor another result with a domain", text);
    if (domain_canonical(span_of(colon + 1), name) != 0)
        return usage_error("has no domain name behind the colon", text);
    if (request->count == RESULTS_MAX)
        return usage_error("at most 64 results", NULL);
    request->identifiers[request->count++] =
        (struct policyeval_identifier){arena_strdup(request->arena, name), result, is_spf};
    return 0;
}

static int read_option(struct request *request, int option)
{
    switch (option) {
    case 'e':
        request->evaluate = true;
        return 0;
    case 'f':
        request->from = optarg;
        return 0;
    case 's':
    case 'k':
        return add_identifier(request, optarg, option == 's');
    case 'd':
        request->server = optarg;
        return 0;
    case 'o':
        if (strcmp(optarg, "treewalk") != 0 && strcmp(optarg, "psl") != 0)
            return usage_error("--org-domain: say treewalk or psl", NULL);
        request->mode = optarg[0] == 't' ? TREEWALK_DNS : TREEWALK_PSL;
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
    static const struct option options[] = {
        {"evaluate", 0, NULL, 'e'}, {"from", 1, NULL, 'f'}, {"spf", 1, NULL, 's'},
        {"dkim", 1, NULL, 'k'},     {"dns", 1, NULL, 'd'},  {"org-domain", 1, NULL, 'o'},
        {"json", 0, NULL, 'j'},     {"help", 0, NULL, 'H'}, {NULL, 0, NULL, 0}};
    char name[DOMAIN_MAX + 1];
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
        int status = read_option(request, option);
        if (status != 0)
            return status;
    }
    if (!request->evaluate && optind < argc)
        request->domain = argv[optind++];
    if (optind < argc)
        return usage_error("there is something that is no option", argv[optind]);
    if (request->evaluate)
        return request->from ? 0 : usage_error("--from is missing", NULL);
    if (!request->domain || request->from || request->count > 0)
        return usage_error(request->domain ? "--from, --spf and --dkim belong to --evaluate" : "which domain?", NULL);
    if (domain_canonical(span_of(request->domain), name) != 0)
        return usage_error("is no domain name", request->domain);
    request->domain = arena_strdup(request->arena, name);
    return 0;
}

static void add_string(cJSON *object, const char *key, const char *text)
{
    if (text)
        cJSON_AddStringToObject(object, key, text);
    else
        cJSON_AddNullToObject(object, key);
}

static void add_queries(cJSON *object, const struct walker *walker)
{
    size_t count;
    const char *const *names = walker_queries(walker, &count);
    cJSON *list = cJSON_AddArrayToObject(object, "queries");
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(names[i]));
}

static void print_object(cJSON *object)
{
    char *text = cJSON_PrintUnformatted(object);
    puts(text ? text : "{}");
    free(text);
    cJSON_Delete(object);
}

static void print_queries(const struct walker *walker)
{
    size_t count;
    const char *const *names = walker_queries(walker, &count);
    for (size_t i = 0; i < count; i++)
        printf("%-13s %s\n", i == 0 ? "queries" : "", names[i]);
}

static void print_evaluation_json(const struct author_list *authors, const struct policyeval *eval,
                                  const struct walker *walker)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "result", auth_result_name(eval->dmarc.result));
    cJSON_AddStringToObject(object, "policy", auth_policy_name(eval->dmarc.policy));
    cJSON_AddStringToObject(object, "disposition", auth_policy_name(eval->disposition));
    cJSON *list = cJSON_AddArrayToObject(object, "author_domains");
    for (size_t i = 0; i < authors->count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(authors->domains[i]));
    add_string(object, "org_domain", eval->dmarc.org_domain);
    cJSON *alignment = cJSON_AddObjectToObject(object, "alignment");
    cJSON_AddBoolToObject(alignment, "spf", eval->dmarc.spf_aligned);
    cJSON_AddBoolToObject(alignment, "dkim", eval->dmarc.dkim_aligned);
    add_queries(object, walker);
    print_object(object);
}

static void print_evaluation(const struct author_list *authors, const struct policyeval *eval,
                             const struct walker *walker)
{
    const struct auth_dmarc *dmarc = &eval->dmarc;
    printf("result        %s%s%s\n", auth_result_name(dmarc->result), dmarc->reason ? ": " : "",
           dmarc->reason ? dmarc->reason : "");
    printf("policy        %s\ndisposition   %s\n", auth_policy_name(dmarc->policy),
           auth_policy_name(eval->disposition));
    for (size_t i = 0; i < authors->count; i++)
        printf("%-13s %s\n", i == 0 ? "author" : "", authors->domains[i]);
    if (authors->count > 1)
        printf("%-13s %s\n", "decides", dmarc->author_domain ? dmarc->author_domain : "(none)");
    if (authors->problem)
        printf("%-13s %s\n", "From", authors->problem);
    printf("org domain    %s\n", dmarc->org_domain ? dmarc->org_domain : "(none)");
    if (dmarc->record_domain)
        printf("record of     %s%s%s\n", dmarc->record_domain, eval->record ? ": " : "",
               eval->record ? eval->record->text : "");
    printf("alignment     spf %s, dkim %s\n", dmarc->spf_aligned ? "yes" : "no", dmarc->dkim_aligned ? "yes" : "no");
    print_queries(walker);
}

/* No author, no DMARC: permerror, and nothing is asked for. */
static void evaluate(const struct request *request, struct walker *walker)
{
    struct author_list authors;
    struct policyeval_input input = {.identifiers = request->identifiers, .count = request->count};
    struct policyeval worst = {.dmarc.result = AUTH_PERMERROR, .dmarc.reason = "no author domain"};
    author_list_init(&authors, request->arena);
    author_add_field(&authors, span_of(request->from));
    if (authors.is_over)
        worst.dmarc.reason = authors.problem;
    for (size_t i = 0; i < authors.count && !authors.is_over; i++) {
        struct policyeval eval;
        policyeval_author(walker, authors.domains[i], &input, &eval);
        if (i == 0 || policyeval_is_stricter(&eval, &worst))
            worst = eval;
    }
    if (request->json)
        print_evaluation_json(&authors, &worst, walker);
    else
        print_evaluation(&authors, &worst, walker);
}

static const char *describe_finding(const struct treewalk_step *step)
{
    switch (step->finding) {
    case TREEWALK_RECORD:
        return "record";
    case TREEWALK_SEVERAL:
        return "more than one DMARC record: none of them counts";
    case TREEWALK_BROKEN:
        return "malformed";
    case TREEWALK_FAILED:
        return "no answer";
    case TREEWALK_NOTHING:
        break;
    }
    return "no record";
}

static cJSON *notes_of(const struct policyrec *record)
{
    cJSON *list = cJSON_CreateArray();
    for (size_t i = 0; i < record->note_count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(record->notes[i]));
    return list;
}

static void print_domain_json(const struct treewalk *walk, const struct policyeval *eval, const struct walker *walker)
{
    cJSON *object = cJSON_CreateObject();
    const struct auth_dmarc *dmarc = &eval->dmarc;
    bool has_policy = eval->record && eval->record->has_policy;
    cJSON_AddStringToObject(object, "domain", walk->start->domain);
    add_string(object, "org_domain", walk->org_domain);
    add_string(object, "record_domain", eval->record ? dmarc->record_domain : NULL);
    add_string(object, "record", eval->record ? eval->record->text : NULL);
    add_string(object, "policy", has_policy ? auth_policy_name(dmarc->policy) : NULL);
    add_string(object, "disposition", has_policy ? auth_policy_name(eval->disposition) : NULL);
    add_string(object, "error", has_policy || dmarc->result == AUTH_NONE ? NULL : dmarc->reason);
    cJSON *steps = cJSON_AddArrayToObject(object, "walk");
    for (size_t i = 0; i < walk->count; i++) {
        const struct treewalk_step *step = walk->steps[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", step->domain);
        cJSON_AddStringToObject(item, "answer", dns_outcome_name(step->outcome));
        cJSON_AddStringToObject(item, "finding", describe_finding(step));
        add_string(item, "record", step->record.text);
        add_string(item, "error", step->record.error);
        cJSON_AddItemToObject(item, "notes", notes_of(&step->record));
        cJSON_AddItemToArray(steps, item);
    }
    add_queries(object, walker);
    print_object(object);
}

/* Which tag of the record the policy is of, for the domain that was walked from. */
static const char *describe_tag(const struct treewalk *walk, const struct policyeval *eval)
{
    const struct policyrec *record = eval->record;
    if (strcmp(eval->dmarc.record_domain, walk->start->domain) == 0)
        return "p";
    if (record->np != record->sp && eval->dmarc.policy == record->np)
        return "np: the domain does not exist";
    return record->has_sp ? "sp: a subdomain" : "p";
}

static void print_policy(const struct treewalk *walk, const struct policyeval *eval)
{
    const struct policyrec *record = eval->record;
    const struct auth_dmarc *dmarc = &eval->dmarc;
    printf("policy: %s (%s), from the record of %s\n", auth_policy_name(dmarc->policy), describe_tag(walk, eval),
           dmarc->record_domain);
    if (dmarc->effective != dmarc->policy)
        printf("    %s for now, because of t=y\n", auth_policy_name(dmarc->effective));
    if (strcmp(dmarc->record_domain, walk->start->domain) == 0 && (record->sp != record->p || record->np != record->p))
        printf("    for its subdomains: %s; for those that do not exist: %s\n", auth_policy_name(record->sp),
               auth_policy_name(record->np));
    printf("alignment: SPF %s, DKIM %s\n", record->strict_spf ? "strict" : "relaxed",
           record->strict_dkim ? "strict" : "relaxed");
}

static void print_domain(const struct treewalk *walk, const struct policyeval *eval)
{
    for (size_t i = 0; i < walk->count; i++) {
        const struct treewalk_step *step = walk->steps[i];
        printf("_dmarc.%s: %s", step->domain, describe_finding(step));
        if (step->outcome != DNS_ANSWER)
            printf(" (%s)", dns_outcome_name(step->outcome));
        putchar('\n');
        if (step->record.text && step->finding != TREEWALK_SEVERAL)
            printf("    %s\n", step->record.text);
        if (step->record.error)
            printf("    error: %s\n", step->record.error);
        for (size_t n = 0; n < step->record.note_count; n++)
            printf("    note: %s\n", step->record.notes[n]);
    }
    printf("organizational domain: %s\n", walk->org_domain ? walk->org_domain : "cannot be told now");
    if (eval->record && eval->record->has_policy)
        print_policy(walk, eval);
    else
        printf("policy: none in force: %s\n", eval->dmarc.reason ? eval->dmarc.reason : "no DMARC record");
}

static void inspect(const struct request *request, struct walker *walker)
{
    struct policyeval_input input = {.count = 0};
    struct policyeval eval;
    const struct treewalk *walk = walker_walk(walker, request->domain);
    policyeval_author(walker, request->domain, &input, &eval);
    if (request->json)
        print_domain_json(walk, &eval, walker);
    else
        print_domain(walk, &eval);
}

int ctl_dmarc(int argc, char **argv)
{
    struct arena *arena = arena_create(8192);
    struct request request = {.mode = TREEWALK_DNS, .arena = arena};
    int status = read_arguments(&request, argc, argv);
    if (status == 0) {
        const char *why = NULL;
        struct string_list servers = {request.server ? 1 : 0, &request.server};
        struct dns *dns = dns_create(&(struct dns_options){.servers = &servers}, &why);
        if (dns) {
            struct dns_budget budget = {clock_monotonic_us() + 20000000, 5000000, 100};
            struct walker *walker = walker_create(arena, dns, &budget, request.mode);
            if (request.evaluate)
                evaluate(&request, walker);
            else
                inspect(&request, walker);
            dns_destroy(dns);
        } else {
            fprintf(stderr, "posternctl dmarc: %s\n", why);
            status = EX_UNAVAILABLE;
        }
    }
    arena_destroy(arena);
    return status < 0 ? EX_OK : status;
}
