/*
 * dkim_header - h= is read from left to right, and each name takes the last field of that name that is not taken yet; a
 * name for which none is left stands for nothing, and so keeps a field of that name from being added (over-signing).
 *
 * The signature's own field comes last, without the value of b= and without CRLF at the end. Should h= name
 * DKIM-Signature so often that the signature's own turn comes, it is hashed with its b=, and never verifies: the signer
 * cannot have known it. Fields are clean (field_is_clean): each CRLF in them is part of a fold.
 */
#include "auth/dkim_header.h"

#define BUFFER 4096

struct sink {
    EVP_MD_CTX *context;
    bool is_broken;
    size_t used;
    char buffer[BUFFER];
};

static void drain(struct sink *sink)
{
    if (EVP_DigestUpdate(sink->context, sink->buffer, sink->used) != 1)
        sink->is_broken = true;
    sink->used = 0;
}

static void put_char(struct sink *sink, char c)
{
    if (sink->used == BUFFER)
        drain(sink);
    sink->buffer[sink->used++] = c;
}

static void put(struct sink *sink, struct span bytes)
{
    while (bytes.len > 0) {
        if (sink->used == BUFFER)
            drain(sink);
        size_t room = BUFFER - sink->used, take = bytes.len < room ? bytes.len : room;
        memcpy(sink->buffer + sink->used, bytes.ptr, take);
        sink->used += take;
        bytes.ptr += take;
        bytes.len -= take;
    }
}

static void put_name(struct sink *sink, struct span name, bool is_relaxed)
{
    if (!is_relaxed) {
        put(sink, name);
    } else {
        name = span_trim(name);
        for (size_t i = 0; i < name.len; i++) {
            char c = name.ptr[i];
            put_char(sink, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
        }
    }
    put_char(sink, ':');
}

/* A value in relaxed form, piece by piece: white space at its ends is dropped, elsewhere it is one blank. */
struct relaxed {
    bool has_begun, space;
};

static void put_relaxed(struct sink *sink, struct relaxed *state, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.ptr[i];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            state->space = true;
            continue;
        }
        if (state->space && state->has_begun)
            put_char(sink, ' ');
        state->space = false;
        state->has_begun = true;
        put_char(sink, c);
    }
}

static void put_value(struct sink *sink, struct relaxed *state, struct span bytes, bool is_relaxed)
{
    if (is_relaxed)
        put_relaxed(sink, state, bytes);
    else
        put(sink, bytes);
}

/* How many of the names before the one at NUMBER are the same. */
static size_t repeats(const struct signature *signature, size_t number)
{
    size_t count = 0;
    for (size_t i = 0; i < number; i++)
        count += strcasecmp(signature->headers[i], signature->headers[number]) == 0;
    return count;
}

static void put_signed_fields(struct sink *sink, const struct field_index *fields, const struct signature *signature)
{
    bool is_relaxed = signature->header_is_relaxed;
    for (size_t i = 0; i < signature->header_count; i++) {
        const struct header_field *field =
            field_index_get(fields, span_of(signature->headers[i]), repeats(signature, i));
        if (!field)
            continue;
        struct relaxed state = {false, false};
        put_name(sink, field->name, is_relaxed);
        put_value(sink, &state, field->value, is_relaxed);
        put(sink, (struct span){"\r\n", 2});
    }
}

static void put_signature(struct sink *sink, const struct signature *signature, const struct header_field *field)
{
    struct relaxed state = {false, false};
    const char *behind = signature->b_place.ptr + signature->b_place.len;
    struct span before = {field->value.ptr, (size_t)(signature->b_place.ptr - field->value.ptr)};
    struct span after = {behind, (size_t)(field->value.ptr + field->value.len - behind)};
    put_name(sink, field->name, signature->header_is_relaxed);
    put_value(sink, &state, before, signature->header_is_relaxed);
    put_value(sink, &state, after, signature->header_is_relaxed);
}

bool header_hash(const EVP_MD *sha256, const struct field_index *fields, const struct signature *signature,
                 const struct header_field *field, unsigned char digest[HEADER_HASH_SIZE])
{
    struct sink sink;
    unsigned size = 0;
    sink.used = 0;
    sink.context = EVP_MD_CTX_new();
    sink.is_broken = !sink.context || EVP_DigestInit_ex2(sink.context, sha256, NULL) != 1;
    if (!sink.is_broken) {
        put_signed_fields(&sink, fields, signature);
        put_signature(&sink, signature, field);
        drain(&sink);
    }
    bool is_fine = !sink.is_broken && EVP_DigestFinal_ex(sink.context, digest, &size) == 1 && size == HEADER_HASH_SIZE;
    EVP_MD_CTX_free(sink.context);
    return is_fine;
}
