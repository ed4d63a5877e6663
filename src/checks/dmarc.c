/*
 * dmarc - the look-ups begin when the header is complete and are wanted at the end of the message, when SPF and DKIM
 * have their results.
 *
 * Each author domain is evaluated and the one that asks for the most decides. A From field that names so many domains
 * that they cannot be looked at is treated as one without a usable author: otherwise a list of a hundred strangers
 * before the forged one would use up the message's DNS budget and buy a temperror. If it is the time that is used up,
 * by several authors, the message is put off: their name servers may be slow in good faith.
 *
 * always_enforce refuses what is not aligned even if the domain publishes nothing; never_enforce wins over it, because
 * it is the exception one makes by hand.
 *
 * What this does not do: reports (RFC 9990, 9991).
 */
#include "checks/dmarc.h"
#include "auth/authres.h"
#include "util/clock.h"
#include "util/strbuf.h"
#include <sys/random.h>

#define PREFETCH_MAX 8 /* author domains whose names are asked for ahead */

static const struct check_why whys[] = {
    {"dmarc.reject", "The message fails DMARC and the policy is reject."},
    {"dmarc.quarantine", "The message fails DMARC and the policy is quarantine."},
    {"dmarc.none", "The message fails DMARC and the policy is none."},
    {"dmarc.always-enforce", "The message is not aligned with an author domain of always_enforce."},
    {"dmarc.temperror", "DMARC cannot be evaluated now."},
    {"dmarc.permerror", "The author's domain has several DMARC records or a malformed one."},
    {"dmarc.no-from", "There is no usable author domain."},
    {"dmarc.multiple-from", "There are several author domains."},
    {NULL, NULL}};

static struct result act(int action, const char *why)
{
    static const enum result_code codes[] = {RESULT_OK, RESULT_TAG, RESULT_QUARANTINE, RESULT_DEFER, RESULT_REJECT};
    return (struct result){codes[action], action == CHECK_DMARC_ACCEPT ? NULL : why, NULL};
}

static struct result decide_policy(const struct check_dmarc_options *options, enum auth_policy disposition)
{
    switch (disposition) {
    case AUTH_POLICY_REJECT:
        return act(options->reject, "dmarc.reject");
    case AUTH_POLICY_QUARANTINE:
        return act(options->quarantine, "dmarc.quarantine");
    case AUTH_POLICY_NONE:
        break;
    }
    return act(options->none, "dmarc.none");
}

struct result check_dmarc_decide(const struct check_dmarc_options *options, const struct check_dmarc_facts *facts)
{
    const struct author_list *authors = facts->authors;
    const struct policyeval *eval = facts->eval;
    if (authors && (authors->count == 0 || authors->is_over || facts->used_up))
        return act(options->no_from, "dmarc.no-from");
    if (authors && authors->count > 1 && options->multiple_from == CHECK_DMARC_REJECT_SEVERAL)
        return act(CHECK_DMARC_REJECT, "dmarc.multiple-from");
    if (authors && facts->is_late && options->no_from == CHECK_DMARC_REJECT)
        return act(CHECK_DMARC_TEMPFAIL, "dmarc.temperror");
    if (!eval || eval->dmarc.result == AUTH_PASS || facts->is_exempt)
        return RESULT(RESULT_OK);
    if (facts->is_forced && eval->alignment == ALIGNMENT_NO)
        return act(CHECK_DMARC_REJECT, "dmarc.always-enforce");
    switch (eval->dmarc.result) {
    case AUTH_FAIL:
        return decide_policy(options, eval->disposition);
    case AUTH_TEMPERROR:
        return act(options->common.on_error == ON_ERROR_TEMPFAIL ? CHECK_DMARC_TEMPFAIL : options->temperror,
                   "dmarc.temperror");
    case AUTH_PERMERROR:
        return act(options->permerror, "dmarc.permerror");
    default:
        return RESULT(RESULT_OK);
    }
}

/* What lives from the header to the end of the message. */
struct work {
    struct author_list authors;
};

static struct work *work_of(const struct check_call *call)
{
    if (*call->state)
        return *call->state;
    struct work *work = ARENA_NEW(call->arena, struct work);
    author_list_init(&work->authors, call->arena);
    for (size_t i = 0; i < call->message->header_count; i++) {
        const struct header_field *field = &call->message->headers[i];
        if (span_equals_nocase(span_trim(field->name), "From"))
            author_add_field(&work->authors, field->value);
    }
    *call->state = work;
    return work;
}

static struct result on_eoh(const struct check_call *call)
{
    const struct check_dmarc_options *options = call->options;
    if (options->source != AUTHRES_SELF || !call->services->dns)
        return RESULT(RESULT_DUNNO);
    const struct author_list *authors = &work_of(call)->authors;
    for (size_t i = 0; i < authors->count && i < PREFETCH_MAX; i++)
        treewalk_prefetch(call->arena, call->services->dns, authors->domains[i], options->org_domain);
    return RESULT(RESULT_DUNNO);
}

static unsigned draw(void)
{
    uint32_t number = 0;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != (ssize_t)sizeof number)
        return 0;
    return number % 100;
}

/* How much the author domain of EVAL is refused once the administrator's lists are applied; for the strictest. */
static int weight(const struct check_dmarc_options *options, const struct check_dmarc_facts *facts)
{
    return (int)check_dmarc_decide(options, facts).code;
}

/* Evaluates all author domains; FACTS tells of the one that decides. */
static void evaluate(const struct check_call *call, struct work *work, struct check_dmarc_facts *facts)
{
    const struct check_dmarc_options *options = call->options;
    struct policyeval_input input = {.honour_pct = options->honour_pct, .sample = options->honour_pct ? draw() : 0};
    struct walker *walker =
        walker_create(call->arena, call->services->dns, call->message->dns_budget, options->org_domain);
    input.identifiers =
        policyeval_identifiers(call->arena, call_value(call, "spf"), call_value(call, "dkim"), &input.count);
    bool from_exempt_host = netset_has(options->never_enforce_networks, &call->session->client);
    for (size_t i = 0; i < work->authors.count && !work->authors.is_over; i++) {
        const char *author = work->authors.domains[i];
        struct policyeval *eval = ARENA_NEW(call->arena, struct policyeval);
        struct check_dmarc_facts here = {.eval = eval};
        here.is_exempt = from_exempt_host || domain_set_has(options->never_enforce, author);
        here.is_forced = domain_set_has(options->always_enforce, author);
        input.needs_alignment = here.is_forced;
        policyeval_author(walker, author, &input, eval);
        if (eval->dmarc.result == AUTH_TEMPERROR && work->authors.count > 1) {
            facts->used_up |= call->message->dns_budget->queries_left == 0;
            facts->is_late |= clock_monotonic_us() >= call->message->dns_budget->deadline_us;
        }
        int ours = weight(options, &here), best = facts->eval ? weight(options, facts) : -1;
        if (ours > best || (ours == best && policyeval_is_stricter(eval, facts->eval))) {
            here.used_up = facts->used_up;
            here.is_late = facts->is_late;
            *facts = here;
        }
    }
    facts->authors = &work->authors;
}

static void tell(const struct check_call *call, const struct check_dmarc_facts *facts)
{
    struct auth_dmarc *dmarc = ARENA_NEW(call->arena, struct auth_dmarc);
    *dmarc =
        facts->eval ? facts->eval->dmarc : (struct auth_dmarc){.result = AUTH_PERMERROR, .reason = "no author domain"};
    const struct author_list *authors = facts->authors;
    if (authors && !facts->eval)
        dmarc->reason = authors->problem ? authors->problem : "no From field";
    struct strbuf text;
    strbuf_init(&text, 1024);
    strbuf_printf(&text, "%s", auth_result_name(dmarc->result));
    if (dmarc->author_domain)
        strbuf_printf(&text, " from=%s", dmarc->author_domain);
    if (dmarc->record_domain)
        strbuf_printf(&text, " policy=%s record=%s", auth_policy_name(dmarc->policy), dmarc->record_domain);
    if (dmarc->spf_aligned || dmarc->dkim_aligned)
        strbuf_printf(&text, " aligned=%s", !dmarc->spf_aligned ? "dkim" : dmarc->dkim_aligned ? "spf,dkim" : "spf");
    if (dmarc->reason)
        strbuf_printf(&text, " (%s)", dmarc->reason);
    facts_set(call->facts, call->arena, "dmarc", strbuf_text(&text), dmarc);
    strbuf_free(&text);
    if (!authors)
        return;
    strbuf_init(&text, 1024);
    for (size_t i = 0; i < authors->count; i++)
        strbuf_printf(&text, "%s%s", i ? " " : "", authors->domains[i]);
    facts_set(call->facts, call->arena, "dmarc.authors", strbuf_text(&text), authors);
    strbuf_free(&text);
}

static const char *reply_of(const struct check_call *call, const struct check_dmarc_facts *facts, struct result result)
{
    const struct check_dmarc_options *options = call->options;
    const struct auth_dmarc *dmarc = facts->eval ? &facts->eval->dmarc : NULL;
    bool is_own = strcmp(result.why, "dmarc.always-enforce") == 0;
    bool is_from = strcmp(result.why, "dmarc.no-from") == 0 || strcmp(result.why, "dmarc.multiple-from") == 0;
    const char *domain = dmarc && dmarc->author_domain ? dmarc->author_domain : "";
    const char *policy_domain = is_own                          ? call->settings->hostname
                                : dmarc && dmarc->record_domain ? dmarc->record_domain
                                                                : domain;
    const char *reason = !facts->authors               ? ""
                         : facts->authors->fields == 0 ? "there is none"
                         : facts->used_up              ? "too many author domains"
                         : facts->authors->problem     ? facts->authors->problem
                                                       : "several author domains";
    char client[NETADDR_TEXT_SIZE];
    const struct placeholder values[] = {{"domain", span_of(domain)},
                                         {"policy_domain", span_of(policy_domain)},
                                         {"reason", span_of(reason)},
                                         {"client", span_of(netaddr_format(&call->session->client, client))},
                                         {NULL, {NULL, 0}}};
    return template_expand(is_from                       ? options->reply_from
                           : result.code == RESULT_DEFER ? options->reply_temperror
                                                         : options->reply,
                           call->arena, values);
}

static struct result on_eom(const struct check_call *call)
{
    const struct check_dmarc_options *options = call->options;
    struct check_dmarc_facts facts = {.eval = NULL};
    if (options->source == AUTHRES_HEADER_OF_ANOTHER) {
        const struct auth_dmarc *dmarc = authres_read_dmarc(call->arena, call->message);
        if (!dmarc)
            return RESULT(RESULT_DUNNO);
        struct policyeval *eval = ARENA_NEW(call->arena, struct policyeval);
        *eval = (struct policyeval){.dmarc = *dmarc};
        eval->alignment = dmarc->result == AUTH_TEMPERROR ? ALIGNMENT_UNKNOWN : ALIGNMENT_NO;
        eval->disposition = dmarc->result == AUTH_FAIL ? dmarc->effective : AUTH_POLICY_NONE;
        facts.eval = eval;
        facts.is_exempt = netset_has(options->never_enforce_networks, &call->session->client) ||
                          (dmarc->author_domain && domain_set_has(options->never_enforce, dmarc->author_domain));
        facts.is_forced = dmarc->author_domain && domain_set_has(options->always_enforce, dmarc->author_domain);
    } else if (call->services->dns) {
        evaluate(call, work_of(call), &facts);
    } else {
        return (struct result){RESULT_ERROR, NULL, "there is no resolver"};
    }
    tell(call, &facts);
    struct result result = check_dmarc_decide(options, &facts);
    if (result.code == RESULT_REJECT || result.code == RESULT_DEFER)
        result.reply = reply_of(call, &facts, result);
    else if (result.code == RESULT_OK && facts.eval && facts.eval->dmarc.result == AUTH_PASS)
        result.code = RESULT_VOUCH;
    return result;
}

static const char *const provides[] = {"dmarc", "dmarc.authors", NULL};
static const char *const needs_facts[] = {"spf", "dkim", NULL};

const struct check check_dmarc = {
    .name = "dmarc",
    .summary = "Carries out the DMARC policy of the author's domain (RFC 9989).",
    .rows = dmarc_rows,
    .options_size = sizeof(struct check_dmarc_options),
    .whys = whys,
    .needs = NEEDS_HEADER,
    .provides = provides,
    .needs_facts = needs_facts,
    .may_vouch = true,
    .on_eoh = on_eoh,
    .on_eom = on_eom,
};
