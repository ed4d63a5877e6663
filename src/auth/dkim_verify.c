/*
 * dkim_verify - the way of a message through the verifier: signatures are chosen (dkim_choose.c), an engine sees header
 * and body, keys are fetched (dkim_keys.c), the engine compares.
 *
 * dkim_builtin.c is our own engine; dkim_libopendkim.c asks libopendkim. What does not depend on them is done here and
 * in the two files named above, so that both are given the same signatures and the same keys: parsing, choice, time,
 * the rules of a key record, the From fields, what a pass is worth.
 *
 * Not done: reporting (r=), ADSP, ATPS, third-party signatures.
 */
#include "auth/dkim_engine.h"
#include "auth/key_cache.h"
#include <openssl/evp.h>
#include <stdlib.h>

struct verifier_service *verifier_service_create(void)
{
    struct verifier_service *service = calloc(1, sizeof *service);
    if (!service)
        return NULL;
    service->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    service->keys = key_cache_create();
    if (!service->sha256 || !service->keys || !verifier_libopendkim_open(service)) {
        verifier_service_destroy(service);
        return NULL;
    }
    EVP_SIGNATURE *ed25519 = EVP_SIGNATURE_fetch(NULL, "ED25519", NULL);
    service->libcrypto_knows_ed25519 = ed25519 != NULL;
    EVP_SIGNATURE_free(ed25519);
    return service;
}

void verifier_service_destroy(struct verifier_service *service)
{
    if (!service)
        return;
    verifier_libopendkim_close(service);
    key_cache_destroy(service->keys);
    EVP_MD_free(service->sha256);
    free(service);
}

bool verifier_service_knows_ed25519(const struct verifier_service *service, enum verifier_engine_name engine)
{
    return engine == VERIFIER_LIBOPENDKIM ? service->libopendkim_knows_ed25519 : service->libcrypto_knows_ed25519;
}

/* ---- for the engines ---- */

void verifier_finish_candidate(struct candidate *candidate, enum auth_result result, const char *reason)
{
    candidate->result.result = result;
    candidate->result.reason = reason;
    candidate->is_done = true;
}

void verifier_finish_open(struct verifier *verifier, enum auth_result result, const char *reason)
{
    for (size_t i = 0; i < verifier->chosen_count; i++) {
        if (!verifier->chosen[i]->is_done)
            verifier_finish_candidate(verifier->chosen[i], result, reason);
    }
}

bool verifier_any_is_open(const struct verifier *verifier)
{
    for (size_t i = 0; i < verifier->chosen_count; i++) {
        if (!verifier->chosen[i]->is_done)
            return true;
    }
    return false;
}

void verifier_measure(struct candidate *candidate, int64_t length)
{
    const struct signature *signature = &candidate->signature;
    candidate->result.is_partial = signature->length >= 0 && signature->length < length;
}

void verifier_pass(struct verifier *verifier, struct candidate *candidate)
{
    verifier_finish_candidate(candidate, AUTH_PASS, NULL);
    candidate->result.counts = !candidate->result.is_partial || verifier->options->allow_l;
}

bool verifier_key_is_short(struct verifier *verifier, struct candidate *candidate, unsigned bits)
{
    unsigned min = verifier->options->min_key_bits;
    if (min < VERIFIER_KEY_BITS_MIN)
        min = VERIFIER_KEY_BITS_MIN;
    if (bits >= min)
        return false;
    verifier_finish_candidate(candidate, AUTH_POLICY,
                              arena_printf(verifier->arena, "the key has %u bits, fewer than %u", bits, min));
    return true;
}

/* ---- one message ---- */

struct verifier *verifier_begin(struct verifier_service *service, const struct verifier_options *options,
                                struct arena *arena, const struct message *message, struct dns *dns)
{
    struct verifier *verifier = ARENA_NEW(arena, struct verifier);
    verifier->service = service;
    verifier->options = options;
    verifier->arena = arena;
    verifier->message = message;
    verifier->engine = options->engine == VERIFIER_LIBOPENDKIM ? &verifier_libopendkim : &verifier_builtin;
    verifier_choose(verifier);
    if (!verifier_any_is_open(verifier))
        return verifier;
    verifier_prefetch_keys(verifier, dns);
    verifier->engine->begin(verifier);
    return verifier;
}

bool verifier_wants_body(const struct verifier *verifier)
{
    return verifier_any_is_open(verifier) && verifier->engine->wants_body(verifier);
}

void verifier_body(struct verifier *verifier, struct span bytes)
{
    if (bytes.len > 0 && verifier_wants_body(verifier))
        verifier->engine->body(verifier, bytes);
}

static const struct auth_dkim *results_of(const struct verifier *verifier)
{
    struct auth_dkim *dkim = ARENA_NEW(verifier->arena, struct auth_dkim);
    struct auth_dkim_signature *signatures =
        ARENA_ARRAY(verifier->arena, struct auth_dkim_signature, verifier->chosen_count + 1);
    for (size_t i = 0; i < verifier->chosen_count; i++)
        signatures[i] = verifier->chosen[i]->result;
    dkim->signatures = signatures;
    dkim->count = verifier->chosen_count;
    dkim->result = auth_dkim_best(signatures, dkim->count);
    return dkim;
}

const struct auth_dkim *verifier_finish(struct verifier *verifier, struct dns *dns, struct dns_budget *budget)
{
    if (verifier_any_is_open(verifier))
        verifier->engine->end_body(verifier);
    if (verifier_any_is_open(verifier))
        verifier_fetch_keys(verifier, dns, budget);
    if (verifier_any_is_open(verifier))
        verifier->engine->judge(verifier);
    verifier_finish_open(verifier, AUTH_TEMPERROR, "not judged"); /* an engine leaves none */
    return results_of(verifier);
}
