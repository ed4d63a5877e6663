/*
 * dkim_keys - the keys of the signatures, by name from our dns: asked for as soon as the header is known, waited for at
 * the end of the message.
 *
 * A name is asked for once, however many signatures use it. NXDOMAIN and an empty answer are permerror, a name server
 * that does not answer is temperror (RFC 6376 6.1.2).
 *
 * Who writes signatures of his own before one in the name of the author he forges must not buy that one a temperror,
 * for with that DMARC asks for nothing. So each key has a share of the time that is left, and a signature for whose key
 * there is no look-up left is neutral.
 */
#include "auth/dkim_engine.h"
#include "util/clock.h"

void verifier_prefetch_keys(const struct verifier *verifier, struct dns *dns)
{
    for (size_t i = 0; dns && i < verifier->chosen_count; i++) {
        if (!verifier->chosen[i]->is_done)
            dns_prefetch(dns, verifier->chosen[i]->signature.key_name, DNS_TXT);
    }
}

static void read_key(struct verifier *verifier, struct candidate *candidate, const struct dns_answer *answer)
{
    const struct dns_record *record = NULL;
    size_t meant = 0;
    for (size_t i = 0; i < answer->count; i++) {
        if (signature_key_is_meant(answer->records[i].text)) {
            record = record ? record : &answer->records[i];
            meant++;
        }
    }
    if (meant != 1) {
        verifier_finish_candidate(candidate, AUTH_PERMERROR, meant ? "several key records" : "no key record");
        return;
    }
    signature_key_parse(verifier->arena, record->text, &candidate->key);
    const struct signature *signature = &candidate->signature;
    if (candidate->key.problem)
        verifier_finish_candidate(candidate, AUTH_PERMERROR, candidate->key.problem);
    else if (candidate->key.is_ed25519 != (signature->code == SIGNATURE_ED25519_SHA256))
        verifier_finish_candidate(candidate, AUTH_PERMERROR, "the key is of another type than the signature");
    else if (candidate->key.is_strict && signature->is_of_subdomain)
        verifier_finish_candidate(candidate, AUTH_PERMERROR, "the key is not for subdomains");
    if (candidate->is_done)
        candidate->key.record = NULL;
}

/* What the key of the signature at NUMBER may cost: as much of the time as each of those behind it. They were all asked
 * for together, so that most answers are there already. */
static struct dns_budget share_of(const struct verifier *verifier, size_t number, const struct dns_budget *budget)
{
    struct dns_budget share = *budget;
    int64_t open = 0;
    for (size_t i = number; i < verifier->chosen_count; i++)
        open += !verifier->chosen[i]->is_done;
    int64_t part = (budget->deadline_us - clock_monotonic_us()) / open;
    if (part < share.timeout_us)
        share.timeout_us = part;
    return share;
}

/* NULL: there is no look-up left. */
static const struct dns_answer *ask(struct verifier *verifier, size_t number, const struct dns_answer **answers,
                                    struct dns *dns, struct dns_budget *budget)
{
    const char *name = verifier->chosen[number]->signature.key_name;
    for (size_t i = 0; i < number; i++) {
        if (answers[i] && strcmp(verifier->chosen[i]->signature.key_name, name) == 0)
            return answers[i];
    }
    if (number > 0 && budget->queries_left == 0)
        return NULL;
    struct dns_budget share = share_of(verifier, number, budget);
    const struct dns_answer *answer = dns_query(dns, &share, verifier->arena, name, DNS_TXT);
    budget->queries_left = share.queries_left;
    return answer;
}

void verifier_fetch_keys(struct verifier *verifier, struct dns *dns, struct dns_budget *budget)
{
    const struct dns_answer *answers[VERIFIER_SIGNATURES_MAX] = {NULL};
    for (size_t i = 0; i < verifier->chosen_count && i < VERIFIER_SIGNATURES_MAX; i++) {
        struct candidate *candidate = verifier->chosen[i];
        if (candidate->is_done)
            continue;
        if (!dns) {
            verifier_finish_candidate(candidate, AUTH_TEMPERROR, "no name server");
            continue;
        }
        answers[i] = ask(verifier, i, answers, dns, budget);
        if (!answers[i]) {
            verifier_finish_candidate(candidate, AUTH_NEUTRAL, "too many look-ups for the keys of other signatures");
            continue;
        }
        switch (answers[i]->outcome) {
        case DNS_ANSWER:
            read_key(verifier, candidate, answers[i]);
            break;
        case DNS_NXDOMAIN:
        case DNS_NODATA:
            verifier_finish_candidate(candidate, AUTH_PERMERROR, "no key for signature");
            break;
        default:
            verifier_finish_candidate(
                candidate, AUTH_TEMPERROR,
                arena_printf(verifier->arena, "the key cannot be had now: %s", dns_outcome_name(answers[i]->outcome)));
        }
    }
}
