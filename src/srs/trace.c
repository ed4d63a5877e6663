/*
 * trace - a token is the beginning of a SHA-256 of the address. Whoever has an idea of the address can test it; it
 * hides nothing from him but what he knows already.
 *
 * The field comes back from hosts that we do not know, so it is read leniently: only the tokens matter, wherever they
 * stand in it. A sender who invents one can hurt his own message and no other.
 */
#include "srs/trace.h"
#include "util/strbuf.h"
#include "util/strset.h"
#include <ctype.h>
#include <openssl/evp.h>
#include <string.h>

#define TOKEN_BYTES 8
#define TOKENS_A_LINE 4
#define ADDRESS_MOST 1000 /* octets in a Delivered-To */
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

/* What RECIPIENTS are known by: tokens, and the addresses themselves, in lower case. A header may hold a megabyte and a
 * message thousands of recipients, so each is looked up and not searched for. */
struct names {
    struct arena *arena;
    struct strset *set;
    const char *const *recipients;
    size_t count;
};

static struct span folded(struct arena *arena, struct span text)
{
    char *copy = arena_spandup(arena, text);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = (char)tolower((unsigned char)copy[i]);
    return (struct span){copy, text.len};
}

static struct names names_of(struct arena *arena, const char *const *recipients, size_t count)
{
    struct names names = {arena, strset_create(arena), recipients, count};
    for (size_t i = 0; i < count; i++) {
        struct token token = token_of(recipients[i]);
        strset_add(names.set, span_of(token.text));
        strset_add(names.set, folded(arena, span_of(recipients[i])));
    }
    return names;
}

/* Which recipient goes by NAME, that is in the set? */
static const char *called(const struct names *names, struct span name)
{
    for (size_t i = 0; i < names->count; i++) {
        struct token token = token_of(names->recipients[i]);
        if (span_equals(name, token.text) || span_equals_nocase(name, names->recipients[i]))
            return names->recipients[i];
    }
    return NULL;
}

/* Whom does the trace VALUE name? A token is a word of its own. */
static const char *traced(const struct names *names, struct span value)
{
    for (size_t i = 0, end; i < value.len; i = end + 1) {
        for (end = i; end < value.len && isalnum((unsigned char)value.ptr[end]);)
            end++;
        struct span word = {value.ptr + i, end - i};
        if (word.len == 2 * TOKEN_BYTES && strset_has(names->set, word))
            return called(names, word);
    }
    return NULL;
}

static const char *delivered(const struct names *names, struct span value)
{
    value = span_trim(value);
    if (value.len > ADDRESS_MOST)
        return NULL;
    struct span address = folded(names->arena, value);
    return strset_has(names->set, address) ? called(names, address) : NULL;
}

struct trace trace_find(struct arena *arena, const struct message *message, const char *const *recipients, size_t count)
{
    struct trace trace = {0, NULL};
    struct names names = {.set = NULL};
    for (size_t i = 0; i < message->header_count; i++) {
        const struct header_field *field = &message->headers[i];
        bool is_trace = span_equals_nocase(field->name, TRACE_FIELD);
        if (!is_trace && !span_equals_nocase(field->name, "Delivered-To"))
            continue;
        trace.hops += is_trace;
        if (!names.set)
            names = names_of(arena, recipients, count);
        if (!trace.seen_again)
            trace.seen_again = is_trace ? traced(&names, field->value) : delivered(&names, field->value);
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
