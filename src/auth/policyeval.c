/*
 * policyeval - record, policy, alignment, result, in this order.
 *
 * permerror is the sender's fault and asks for nothing: several records at the author domain, a malformed one, one
 * without a usable policy. RFC 9989 would go on to the parent's record where the author domain has several; the domain
 * did publish something, so Postern reports that and enforces nothing. temperror stands where a missing answer could
 * have changed the result: the record cannot be had, the organizational domain of a passing identifier cannot be
 * told, or an aligned SPF or DKIM result is itself a temperror. One aligned pass is enough, whatever else failed.
 */
#include "auth/policyeval.h"

const struct treewalk_step *policyeval_find_record(const struct treewalk *walk)
{
    if (walk->start->finding == TREEWALK_RECORD)
        return walk->start;
    if (walk->start->finding != TREEWALK_NOTHING || walk->failed)
        return NULL;
    return walk->org ? walk->org : walk->psd;
}

/* The first step whose records are at fault; NULL. */
static const struct treewalk_step *find_fault(const struct treewalk *walk)
{
    for (size_t i = 0; i < walk->count; i++) {
        if (walk->steps[i]->finding == TREEWALK_SEVERAL || walk->steps[i]->finding == TREEWALK_BROKEN)
            return walk->steps[i];
    }
    return NULL;
}

static void settle_absence(struct arena *arena, const struct treewalk *walk, struct auth_dmarc *dmarc)
{
    const struct treewalk_step *fault = find_fault(walk);
    if (fault) {
        dmarc->result = AUTH_PERMERROR;
        dmarc->record_domain = fault->domain;
        dmarc->reason =
            fault->finding == TREEWALK_SEVERAL
                ? arena_printf(arena, "more than one DMARC record at _dmarc.%s", fault->domain)
                : arena_printf(arena, "malformed DMARC record at _dmarc.%s: %s", fault->domain, fault->record.error);
    } else if (walk->failed) {
        dmarc->result = AUTH_TEMPERROR;
        dmarc->reason = arena_printf(arena, "no answer for _dmarc.%s (%s)", walk->failed->domain,
                                     dns_outcome_name(walk->failed->outcome));
    } else {
        dmarc->result = AUTH_NONE;
        dmarc->reason = "no DMARC record";
    }
}

static void settle_policy(struct walker *walker, const char *author, const struct treewalk_step *step,
                          struct auth_dmarc *dmarc)
{
    const struct policyrec *record = &step->record;
    bool is_subdomain = strcmp(step->domain, author) != 0;
    bool exists = true;
    if (is_subdomain && record->np != record->sp)
        exists = walker_domain_exists(walker, author);
    dmarc->record_domain = step->domain;
    dmarc->policy = policyrec_policy(record, is_subdomain, exists);
}

struct tally {
    bool spf, dkim, unknown, temperror; /* temperror: of an identifier that is aligned or may be */
};

static struct tally align(struct walker *walker, const char *author, const struct policyrec *record,
                          const struct policyeval_input *input)
{
    struct tally tally = {false, false, false, false};
    for (size_t i = 0; i < input->count; i++) {
        const struct policyeval_identifier *identifier = &input->identifiers[i];
        if (identifier->result != AUTH_PASS && identifier->result != AUTH_TEMPERROR)
            continue;
        bool strict = record && (identifier->is_spf ? record->strict_spf : record->strict_dkim);
        enum alignment alignment = alignment_find(walker, author, identifier->domain, strict);
        if (alignment == ALIGNMENT_NO)
            continue;
        if (identifier->result == AUTH_TEMPERROR)
            tally.temperror = true;
        else if (alignment == ALIGNMENT_UNKNOWN)
            tally.unknown = true;
        else if (identifier->is_spf)
            tally.spf = true;
        else
            tally.dkim = true;
    }
    return tally;
}

static void settle_result(const struct tally *tally, struct auth_dmarc *dmarc)
{
    if (tally->spf || tally->dkim) {
        dmarc->result = AUTH_PASS;
    } else if (tally->unknown) {
        dmarc->result = AUTH_TEMPERROR;
        dmarc->reason = "the organizational domain cannot be told now";
    } else if (tally->temperror) {
        dmarc->result = AUTH_TEMPERROR;
        dmarc->reason = "an aligned SPF or DKIM result is temperror";
    } else {
        dmarc->result = AUTH_FAIL;
        dmarc->reason = "no aligned SPF or DKIM pass";
    }
}

static enum auth_policy dispose(const struct policyeval_input *input, const struct policyrec *record,
                                enum auth_policy policy)
{
    if (record->is_test || (input->honour_pct && input->sample >= (unsigned)record->pct))
        return policyrec_weaken(policy);
    return policy;
}

void policyeval_author(struct walker *walker, const char *author, const struct policyeval_input *input,
                       struct policyeval *eval)
{
    const struct treewalk *walk = walker_walk(walker, author);
    const struct treewalk_step *step = policyeval_find_record(walk);
    struct auth_dmarc *dmarc = &eval->dmarc;
    *eval = (struct policyeval){.dmarc.author_domain = author, .record = step ? &step->record : NULL};
    dmarc->org_domain = walk->org_domain ? walk->org_domain : author;
    bool has_policy = step && step->record.has_policy;
    struct tally tally = {false, false, false, false};
    if (has_policy || input->needs_alignment)
        tally = align(walker, author, eval->record, input);
    dmarc->spf_aligned = tally.spf;
    dmarc->dkim_aligned = tally.dkim;
    eval->alignment = tally.spf || tally.dkim            ? ALIGNMENT_YES
                      : tally.unknown || tally.temperror ? ALIGNMENT_UNKNOWN
                                                         : ALIGNMENT_NO;
    if (has_policy) {
        settle_policy(walker, author, step, dmarc);
        settle_result(&tally, dmarc);
        dmarc->effective = dispose(input, &step->record, dmarc->policy);
        if (dmarc->result == AUTH_FAIL)
            eval->disposition = dmarc->effective;
    } else if (step) {
        dmarc->result = AUTH_PERMERROR;
        dmarc->record_domain = step->domain;
        dmarc->reason = step->record.error;
    } else {
        settle_absence(walker_arena(walker), walk, dmarc);
    }
}

static int rank(const struct policyeval *eval)
{
    static const int ranks[] = {[AUTH_PASS] = 0, [AUTH_NONE] = 1,      [AUTH_PERMERROR] = 2,
                                [AUTH_FAIL] = 3, [AUTH_TEMPERROR] = 4, [AUTH_POLICY] = 0};
    return (eval->disposition != AUTH_POLICY_NONE ? 10 * (int)eval->disposition : 0) + ranks[eval->dmarc.result];
}

bool policyeval_is_stricter(const struct policyeval *a, const struct policyeval *b)
{
    return rank(a) > rank(b);
}

struct policyeval_identifier *policyeval_identifiers(struct arena *arena, const struct auth_spf *spf,
                                                     const struct auth_dkim *dkim, size_t *count)
{
    size_t most = 1 + (dkim ? dkim->count : 0);
    struct policyeval_identifier *list = ARENA_ARRAY(arena, struct policyeval_identifier, most);
    *count = 0;
    if (spf) { /* MAIL FROM; for the null reverse-path postmaster@HELO takes its place (RFC 7208 2.4) */
        const char *domain = spf->mailfrom_domain ? spf->mailfrom_domain : spf->helo_domain;
        enum auth_result result = spf->mailfrom_domain ? spf->mailfrom_result : spf->helo_result;
        if (!domain && spf->domain) { /* from another filter's header */
            domain = spf->domain;
            result = spf->result;
        }
        if (domain && *domain)
            list[(*count)++] = (struct policyeval_identifier){domain, result, true};
    }
    for (size_t i = 0; dkim && i < dkim->count; i++) {
        const struct auth_dkim_signature *signature = &dkim->signatures[i];
        bool is_usable = signature->result == AUTH_PASS ? signature->counts : signature->result == AUTH_TEMPERROR;
        if (signature->domain && is_usable)
            list[(*count)++] = (struct policyeval_identifier){signature->domain, signature->result, false};
    }
    return list;
}
