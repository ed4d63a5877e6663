/*
 * dkim_builtin - our own engine: dkim_body.c hashes the body, dkim_header.c the header, public_key.c asks libcrypto.
 *
 * The body is hashed once for each canonicalization, at most twice, whatever the number of signatures. The order of the
 * verdicts is that of RFC 6376 6.1.3: what is wrong with key or length, then the signature, then the hash of the body.
 * A signature passes only if both hashes were computed to their end and both fit.
 */
#include "auth/dkim_body.h"
#include "auth/dkim_engine.h"
#include "auth/dkim_header.h"
#include "auth/key_cache.h"

struct builtin {
    struct field_index fields;
    struct body_hash *bodies[2]; /* simple, relaxed; NULL: nobody wants it */
};

static void begin(struct verifier *verifier)
{
    struct builtin *state = verifier->state = ARENA_NEW(verifier->arena, struct builtin);
    state->fields = field_index_create(verifier->arena, verifier->message, true);
    for (size_t i = 0; i < verifier->chosen_count; i++) {
        const struct signature *signature = &verifier->chosen[i]->signature;
        if (verifier->chosen[i]->is_done)
            continue;
        struct body_hash **body = &state->bodies[signature->body_is_relaxed];
        if (!*body)
            *body = body_hash_create(verifier->arena, verifier->service->sha256, signature->body_is_relaxed);
        body_hash_want(*body, signature->length);
    }
}

static bool wants_body(const struct verifier *verifier)
{
    (void)verifier;
    return true;
}

static void add_body(struct verifier *verifier, struct span bytes)
{
    struct builtin *state = verifier->state;
    for (size_t i = 0; i < 2; i++) {
        if (state->bodies[i])
            body_hash_add(state->bodies[i], bytes);
    }
}

static void end_body(struct verifier *verifier)
{
    struct builtin *state = verifier->state;
    for (size_t i = 0; i < 2; i++) {
        if (state->bodies[i])
            body_hash_end(state->bodies[i]);
    }
}

static bool spans_are_equal(struct span a, const unsigned char *bytes, size_t len)
{
    return a.len == len && memcmp(a.ptr, bytes, len) == 0;
}

/* The signature and the hash of the body, with a key that is fit for them. */
static void compare(struct verifier *verifier, struct candidate *candidate, struct public_key *key)
{
    const struct builtin *state = verifier->state;
    const struct signature *signature = &candidate->signature;
    const struct body_hash *body = state->bodies[signature->body_is_relaxed];
    const EVP_MD *sha256 = verifier->service->sha256;
    unsigned char header[HEADER_HASH_SIZE];
    int verdict = -1;
    if (signature->length > body_hash_length(body)) {
        verifier_finish_candidate(candidate, AUTH_PERMERROR, "l= is larger than the body");
        return;
    }
    const unsigned char *digest = body_hash_digest(body, signature->length);
    if (digest && header_hash(sha256, &state->fields, signature, candidate->field, header))
        verdict = public_key_verify(key, sha256, public_key_base64(verifier->arena, signature->b), header);
    if (verdict < 0)
        verifier_finish_candidate(candidate, AUTH_TEMPERROR, "libcrypto failed");
    else if (verdict == 0)
        verifier_finish_candidate(candidate, AUTH_FAIL, "signature did not verify");
    else if (!spans_are_equal(public_key_base64(verifier->arena, signature->body_hash), digest, BODY_HASH_SIZE))
        verifier_finish_candidate(candidate, AUTH_FAIL, "body hash did not verify");
    else
        verifier_pass(verifier, candidate);
}

static void judge_candidate(struct verifier *verifier, struct candidate *candidate)
{
    const struct builtin *state = verifier->state;
    struct public_key key;
    verifier_measure(candidate, body_hash_length(state->bodies[candidate->signature.body_is_relaxed]));
    struct key_cache *keys = verifier->service->keys;
    const char *problem =
        key_cache_take(keys, verifier->arena, candidate->key.data, candidate->key.is_ed25519, &key);
    if (problem)
        verifier_finish_candidate(candidate, AUTH_PERMERROR, problem);
    else if (key.is_ed25519 || !verifier_key_is_short(verifier, candidate, key.bits))
        compare(verifier, candidate, &key);
    key_cache_give(keys, candidate->key.data, &key);
}

static void judge(struct verifier *verifier)
{
    for (size_t i = 0; i < verifier->chosen_count; i++) {
        if (!verifier->chosen[i]->is_done)
            judge_candidate(verifier, verifier->chosen[i]);
    }
}

const struct verifier_engine verifier_builtin = {begin, wants_body, add_body, end_body, judge};
