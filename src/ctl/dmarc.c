/*
 * dmarc - `posternctl dmarc`: what a domain publishes, and what DMARC says given the results of SPF and DKIM. Record,
 * walk, alignment and policy are the daemon's; the options of the check (lists, actions) are not applied.
 */
#include "auth/author.h"
#include "auth/policyeval.h"
#include "ctl/ctl.h"
#include "ctl/json.h"
#include "ctl/options.h"
#include "util/clock.h"
#include "util/domain.h"
#include <stdio.h>
#include <sysexits.h>

#define RESULTS_MAX 64

struct request {
    const char *from;
    int mode;
    bool evaluate;
    struct policyeval_identifier identifiers[RESULTS_MAX];
    size_t count;
};

/* "pass:example.net" */
static const char *add_identifier(const struct ctl_call *call, struct request *request, const char *text, bool is_spf)
{
    const char *colon = strchr(text, ':');
    char name[DOMAIN_MAX + 1];
    enum auth_result result;
    if (!colon ||
        auth_result_parse(arena_spandup(call->arena, (struct span){text, (size_t)(colon - text)}), &result) != 0)
        return "is neither pass:DOMAIN nor another result with a domain";
    if (domain_canonical(span_of(colon + 1), name) != 0)
        return "has no domain name behind the colon";
    if (request->count == RESULTS_MAX)
        return "is one too many: at most 64 results";
    request->identifiers[request->count++] =
        (struct policyeval_identifier){arena_strdup(call->arena, name), result, is_spf};
    return NULL;
}

static const char *read_spf(const struct ctl_call *call, void *request, const char *value)
{
    return add_identifier(call, request, value, true);
}

static const char *read_dkim(const struct ctl_call *call, void *request, const char *value)
{
    return add_identifier(call, request, value, false);
}

static void add_queries(cJSON *object, const struct walker *walker)
{
    size_t count;
    const char *const *names = walker_queries(walker, &count);
    cJSON *list = cJSON_AddArrayToObject(object, "queries");
    for (size_t i = 0; i < count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(names[i]));
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
    json_add_text(object, "org_domain", eval->dmarc.org_domain);
    cJSON *alignment = cJSON_AddObjectToObject(object, "alignment");
    cJSON_AddBoolToObject(alignment, "spf", eval->dmarc.spf_aligned);
    cJSON_AddBoolToObject(alignment, "dkim", eval->dmarc.dkim_aligned);
    add_queries(object, walker);
    json_print(stdout, object);
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
static void evaluate(const struct ctl_call *call, const struct request *request, struct walker *walker)
{
    struct author_list authors;
    struct policyeval_input input = {.identifiers = request->identifiers, .count = request->count};
    struct policyeval worst = {.dmarc.result = AUTH_PERMERROR, .dmarc.reason = "no author domain"};
    author_list_init(&authors, call->arena);
    author_add_field(&authors, span_of(request->from));
    if (authors.is_over)
        worst.dmarc.reason = authors.problem;
    for (size_t i = 0; i < authors.count && !authors.is_over; i++) {
        struct policyeval eval;
        policyeval_author(walker, authors.domains[i], &input, &eval);
        if (i == 0 || policyeval_is_stricter(&eval, &worst))
            worst = eval;
    }
    if (call->json)
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
    json_add_text(object, "org_domain", walk->org_domain);
    json_add_text(object, "record_domain", eval->record ? dmarc->record_domain : NULL);
    json_add_text(object, "record", eval->record ? eval->record->text : NULL);
    json_add_text(object, "policy", has_policy ? auth_policy_name(dmarc->policy) : NULL);
    json_add_text(object, "disposition", has_policy ? auth_policy_name(eval->disposition) : NULL);
    json_add_text(object, "error", has_policy || dmarc->result == AUTH_NONE ? NULL : dmarc->reason);
    cJSON *steps = cJSON_AddArrayToObject(object, "walk");
    for (size_t i = 0; i < walk->count; i++) {
        const struct treewalk_step *step = walk->steps[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "name", step->domain);
        cJSON_AddStringToObject(item, "answer", dns_outcome_name(step->outcome));
        cJSON_AddStringToObject(item, "finding", describe_finding(step));
        json_add_text(item, "record", step->record.text);
        json_add_text(item, "error", step->record.error);
        cJSON_AddItemToObject(item, "notes", notes_of(&step->record));
        cJSON_AddItemToArray(steps, item);
    }
    add_queries(object, walker);
    json_print(stdout, object);
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

static void inspect(const struct ctl_call *call, const char *domain, struct walker *walker)
{
    struct policyeval_input input = {.count = 0};
    struct policyeval eval;
    const struct treewalk *walk = walker_walk(walker, domain);
    policyeval_author(walker, domain, &input, &eval);
    if (call->json)
        print_domain_json(walk, &eval, walker);
    else
        print_domain(walk, &eval);
}

/* EX_OK, or EX_USAGE and said. DOMAIN: room for DOMAIN_MAX + 1. */
static int check_request(const struct ctl_call *call, const struct request *request, char *domain)
{
    const char *argument = call->argument_count > 0 ? call->arguments[0] : NULL;
    if (request->evaluate) {
        if (argument)
            return ctl_usage_error(call, "\"%s\" is one argument too many", argument);
        return request->from ? EX_OK : ctl_usage_error(call, "--from is missing");
    }
    if (!argument)
        return ctl_usage_error(call, "which domain?");
    if (request->from || request->count > 0)
        return ctl_usage_error(call, "--from, --spf and --dkim belong to --evaluate");
    if (domain_canonical(span_of(argument), domain) != 0)
        return ctl_usage_error(call, "\"%s\" is no domain name", argument);
    return EX_OK;
}

static int run(const struct ctl_call *call, void *context)
{
    const struct request *request = context;
    char domain[DOMAIN_MAX + 1];
    int status = check_request(call, request, domain);
    if (status != EX_OK)
        return status;
    struct dns *dns = ctl_open_dns(call);
    if (!dns)
        return EX_UNAVAILABLE;
    struct dns_budget budget = {clock_monotonic_us() + 20000000, 5000000, 100};
    struct walker *walker = walker_create(call->arena, dns, &budget, (enum treewalk_mode)request->mode);
    if (request->evaluate)
        evaluate(call, request, walker);
    else
        inspect(call, domain, walker);
    dns_destroy(dns);
    return EX_OK;
}

static const struct option_word modes[] = {{"treewalk", TREEWALK_DNS}, {"psl", TREEWALK_PSL}, {0}};

static const struct ctl_option options[] = {
    {.name = "evaluate", .type = CTL_FLAG, .offset = offsetof(struct request, evaluate)},
    {.name = "from", .type = CTL_TEXT, .offset = offsetof(struct request, from)},
    {.name = "spf", .type = CTL_READ, .read = read_spf},
    {.name = "dkim", .type = CTL_READ, .read = read_dkim},
    {.name = "org-domain", .type = CTL_WORD, .offset = offsetof(struct request, mode), .words = modes},
    {0},
};

static const struct ctl_command command = {
    .name = "dmarc",
    .usage = "usage: posternctl dmarc DOMAIN [--dns SERVER[@PORT]] [--org-domain treewalk|psl] [--json]\n"
             "       posternctl dmarc --evaluate --from \"FROM FIELD VALUE\" [--spf RESULT:DOMAIN]\n"
             "           [--dkim RESULT:DOMAIN]... [--dns SERVER[@PORT]] [--org-domain treewalk|psl] [--json]\n"
             "  The first shows what DOMAIN publishes, the second what DMARC says of a message with these results.\n",
    .shared = CTL_DNS | CTL_JSON,
    .arguments = 1,
    .options = options,
    .run = run,
};

int ctl_dmarc(int argc, char **argv)
{
    struct request request = {.mode = TREEWALK_DNS};
    return ctl_run(&command, &request, argc, argv);
}
