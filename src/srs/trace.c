/*
 * trace - a token is the beginning of a SHA-256 of the address. Whoever has an idea of the address can test it; it
 * hides nothing from him but what he knows already.
 *
 * The field comes back from hosts that we do not know, so it is read leniently: only the tokens matter, wherever they
 * stand in it. A sender who invents one can hurt his own message and no other.
 */
#include "srs/trace.h"
#include "util/strbuf.h"
#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>

#define TOKEN_BYTES 8
#define TOKENS_A_LINE 4
#define VALUE_MOST 8192

struct token {
    char text[TOKEN_BYTES * 2 + 1];
};

static struct token token_of(const char *address)
{
    static const char salt[] = "postern forwarded ";
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    struct token token;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL) ||
        !EVP_DigestUpdate(context, salt, sizeof salt) || !EVP_DigestUpdate(context, address, strlen(address)) ||
        !EVP_DigestFinal_ex(context, digest, NULL))
        abort(); /* out of memory */
    EVP_MD_CTX_free(context);
    for (size_t i = 0; i < TOKEN_BYTES; i++)
        snprintf(token.text + 2 * i, 3, "%02x", digest[i]);
    return token;
}

static bool holds(struct span value, const char *token)
{
    size_t len = strlen(token);
    for (size_t i = 0; i + len <= value.len; i++) {
        if (memcmp(value.ptr + i, token, len) == 0)
            return true;
    }
    return false;
}

/* Whom does FIELD name of RECIPIENTS? */
static const char *named_by(const struct header_field *field, bool is_trace, const char *const *recipients,
                            const struct token *tokens, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_trace ? holds(field->value, tokens[i].text)
                     : span_equals_nocase(span_trim(field->value), recipients[i]))
            return recipients[i];
    }
    return NULL;
}

struct trace trace_find(struct arena *arena, const struct message *message, const char *const *recipients, size_t count)
{
    struct trace trace = {0, NULL};
    struct token *tokens = NULL;
    for (size_t i = 0; i < message->header_count; i++) {
        const struct header_field *field = &message->headers[i];
        bool is_trace = span_equals_nocase(field->name, TRACE_FIELD);
        if (!is_trace && !span_equals_nocase(field->name, "Delivered-To"))
            continue;
        trace.hops += is_trace;
        if (!tokens) {
            tokens = ARENA_ARRAY(arena, struct token, count + 1);
            for (size_t j = 0; j < count; j++)
                tokens[j] = token_of(recipients[j]);
        }
        if (!trace.seen_again && trace.hops <= TRACE_TOKENS_MAX)
            trace.seen_again = named_by(field, is_trace, recipients, tokens, count);
    }
    return trace;
}

const char *trace_value(struct arena *arena, const char *hostname, const char *id, const char *const *recipients,
                        size_t count)
{
    struct strbuf value;
    strbuf_init(&value, VALUE_MOST);
    strbuf_printf(&value, "by=%s; id=%s; for=", hostname, id);
    for (size_t i = 0; i < count && i < TRACE_TOKENS_MAX; i++)
        strbuf_printf(&value, "%s%s%s", i ? "," : "", i % TOKENS_A_LINE ? "" : "\n\t", token_of(recipients[i]).text);
    const char *copy = arena_strdup(arena, strbuf_text(&value));
    strbuf_free(&value);
    return copy;
}
