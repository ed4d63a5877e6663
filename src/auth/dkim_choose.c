/*
 * dkim_choose - which signatures of a message are verified, and what is wrong with them before anything is computed.
 *
 * All are parsed by us (signature.c). Those aligned with the From domain come first, well-formed before malformed, and
 * of these max_signatures are reported. What breaks our own rules (malformed, SHA-1, expired, a From field left out)
 * has its result here, and no engine ever sees it.
 *
 * Our own rules beyond the RFC's: a From field above the signed one does not break a signature whose h= names From only
 * once, and it is the one that many programs show, so a signature counts for something only if it covers every From
 * field (RFC 6376 8.15). NUL, a bare CR or a bare LF in a field is read in one way by one program and in another by the
 * next: such a field is signed by nobody, and a signature that names it is permerror.
 */
#include "auth/author.h"
#include "auth/dkim_engine.h"
#include "util/domain.h"
#include <stdlib.h>

#define FOUND_MAX 100 /* DKIM-Signature fields that are looked at */
#define B_SHOWN 12    /* characters of b= in the results */

/* How DOMAIN stands to the authors of the message. */
static int alignment_of(const struct author_list *authors, const char *domain)
{
    int best = 0;
    for (size_t i = 0; i < authors->count; i++) {
        const char *author = authors->domains[i];
        if (strcmp(author, domain) == 0)
            return 2;
        if (domain_is_within(author, domain) || domain_is_within(domain, author))
            best = 1;
    }
    return best;
}

static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *x = *(struct candidate *const *)a, *y = *(struct candidate *const *)b;
    if (!x->signature.problem != !y->signature.problem)
        return x->signature.problem ? 1 : -1;
    if (x->alignment != y->alignment)
        return y->alignment - x->alignment;
    return x->order < y->order ? -1 : 1;
}

static void judge_field(struct signature *signature, const struct header_field *field, size_t authors)
{
    size_t covered = 0;
    for (size_t i = 0; i < signature->header_count; i++)
        covered += strcasecmp(signature->headers[i], "From") == 0;
    if (!signature->problem && !field_is_clean(field))
        signature->problem = "the signature holds bytes that no field may hold";
    if (!signature->problem && covered < authors)
        signature->problem = "h= does not cover every From field";
}

static bool is_signature(const struct header_field *field)
{
    return span_equals_nocase(field->name, "DKIM-Signature");
}

static void add_candidate(struct verifier *verifier, const struct header_field *field, size_t from_count,
                          const struct author_list *authors)
{
    struct candidate *candidate = &verifier->candidates[verifier->count];
    struct signature *signature = &candidate->signature;
    signature_parse(verifier->arena, field->value, signature);
    judge_field(signature, field, from_count);
    candidate->field = field;
    candidate->order = verifier->count;
    candidate->alignment = *signature->domain ? alignment_of(authors, signature->domain) : 0;
    candidate->result = (struct auth_dkim_signature){
        .domain = signature->domain,
        .selector = signature->selector,
        .identity = signature->identity,
        .algorithm = signature->algorithm,
        .b = arena_spandup(verifier->arena, (struct span){signature->b, strnlen(signature->b, B_SHOWN)})};
    verifier->chosen[verifier->count++] = candidate;
}

static void find_candidates(struct verifier *verifier)
{
    const struct message *message = verifier->message;
    struct author_list authors;
    size_t total = 0, from_count = 0;
    for (size_t i = 0; i < message->header_count; i++)
        total += is_signature(&message->headers[i]);
    if (total > FOUND_MAX)
        total = FOUND_MAX;
    author_list_init(&authors, verifier->arena);
    for (size_t i = 0; i < message->header_count && total > 0; i++) {
        if (!span_equals_nocase(span_trim(message->headers[i].name), "From"))
            continue;
        from_count++;
        if (!authors.is_over)
            author_add_field(&authors, message->headers[i].value);
    }
    verifier->candidates = ARENA_ARRAY(verifier->arena, struct candidate, total + 1);
    verifier->chosen = ARENA_ARRAY(verifier->arena, struct candidate *, total + 1);
    for (size_t i = 0; i < message->header_count && verifier->count < total; i++) {
        if (is_signature(&message->headers[i]))
            add_candidate(verifier, &message->headers[i], from_count, &authors);
    }
}

/* What can be said without key and body. */
static void judge_early(const struct verifier *verifier, struct candidate *candidate)
{
    const struct signature *signature = &candidate->signature;
    int64_t drift = verifier->options->clock_drift, now = verifier->message->now;
    if (signature->problem)
        verifier_finish_candidate(candidate, AUTH_PERMERROR, signature->problem);
    else if (signature->code == SIGNATURE_RSA_SHA1)
        verifier_finish_candidate(candidate, AUTH_PERMERROR, "SHA-1 is too weak");
    else if (signature->code == SIGNATURE_ED25519_SHA256 &&
             !verifier_service_knows_ed25519(verifier->service, verifier->options->engine))
        verifier_finish_candidate(candidate, AUTH_NEUTRAL, "Ed25519 is not supported here");
    else if (signature->expiry >= 0 && now > signature->expiry + drift)
        verifier_finish_candidate(candidate, AUTH_PERMERROR, "the signature has expired");
    else if (signature->timestamp >= 0 && signature->timestamp > now + drift)
        verifier_finish_candidate(candidate, AUTH_PERMERROR, "the signature is of the future");
}

static void judge_signed_fields(const struct field_index *unclean, struct candidate *candidate)
{
    const struct signature *signature = &candidate->signature;
    for (size_t i = 0; i < signature->header_count && !candidate->is_done; i++) {
        if (field_index_get(unclean, span_of(signature->headers[i]), 0))
            verifier_finish_candidate(candidate, AUTH_PERMERROR, "a signed field holds bytes that no field may hold");
    }
}

void verifier_choose(struct verifier *verifier)
{
    find_candidates(verifier);
    if (verifier->count == 0)
        return;
    struct field_index unclean = field_index_create(verifier->arena, verifier->message, false);
    unsigned max = verifier->options->max_signatures;
    qsort(verifier->chosen, verifier->count, sizeof(struct candidate *), compare_candidates);
    verifier->chosen_count = verifier->count < max ? verifier->count : max;
    for (size_t i = 0; i < verifier->chosen_count; i++) {
        verifier->chosen[i]->is_chosen = true;
        judge_early(verifier, verifier->chosen[i]);
        judge_signed_fields(&unclean, verifier->chosen[i]);
    }
}
