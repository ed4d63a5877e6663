/*
 * signature - the tags of a DKIM-Signature field (RFC 6376 3.5), each judged by its own rule.
 *
 * Bounds, each far above what is seen in the field: 32 kB of a field, 64 tags, 256 names in h=, 250 octets of i=,
 * 1000 octets of key (an RSA key of 6000 bits). Besides keeping the work small they keep off libopendkim's fixed
 * buffers (1024 octets for a key, 4096 for h=, 64 kB for a field), which cut silently.
 *
 * Not done: U-labels in d= (RFC 8616); libopendkim refuses 8-bit bytes in a signature.
 */
#include "auth/signature.h"
#include "auth/tag_list.h"
#include "util/domain.h"
#include <ctype.h>
#include <stdio.h>

#define FIELD_MAX 32768
#define HEADERS_MAX 256
#define HEADERS_OCTETS_MAX 4000
#define IDENTITY_MAX 250
#define SELECTOR_MAX 200

/* Digits only, below 10^15. */
static bool read_number(struct span value, int64_t *number)
{
    if (value.len == 0 || value.len > 15)
        return false;
    *number = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return false;
        *number = *number * 10 + (value.ptr[i] - '0');
    }
    return true;
}

static bool selector_is_fine(struct span selector)
{
    size_t label = 0;
    for (size_t i = 0; i < selector.len; i++) {
        unsigned char c = (unsigned char)selector.ptr[i];
        if (c == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (c >= 0x80 || !(isalnum(c) || c == '-' || c == '_') || ++label > DOMAIN_LABEL_MAX) {
            return false;
        }
    }
    return label > 0 && selector.len <= SELECTOR_MAX;
}

static const char *read_names(struct arena *arena, const struct tags *tags, struct signature *signature)
{
    char domain[DOMAIN_MAX + 1];
    const struct tag *d = tags_get(tags, "d"), *s = tags_get(tags, "s");
    if (!d || domain_canonical(d->value, domain) != 0)
        return d ? "d= is no domain name" : "d= is missing";
    signature->domain = arena_strdup(arena, domain);
    if (!s || !selector_is_fine(s->value))
        return s ? "s= is no selector" : "s= is missing";
    signature->selector = arena_spandup(arena, s->value);
    const char *name = arena_printf(arena, "%s._domainkey.%s", signature->selector, domain);
    if (strlen(name) > DOMAIN_MAX)
        return "the name of the key is too long";
    signature->key_name = name;
    return NULL;
}

/* Quoted-printable (RFC 6376 2.11) must be whole: libopendkim reads past the end of one that is cut off. */
static bool escapes_are_whole(const char *text)
{
    for (; *text; text++) {
        if (*text == '=' &&
            (!text[1] || !strchr("0123456789ABCDEF", text[1]) || !text[2] || !strchr("0123456789ABCDEF", text[2])))
            return false;
    }
    return true;
}

static const char *read_identity(struct arena *arena, const struct tags *tags, struct signature *signature)
{
    char domain[DOMAIN_MAX + 1];
    const struct tag *i = tags_get(tags, "i");
    if (!i)
        return NULL;
    char *text = tags_without_space(arena, i->value);
    const char *at = strrchr(text, '@');
    if (!at || strlen(text) > IDENTITY_MAX || strchr(text, '@') != at || !escapes_are_whole(text) ||
        domain_canonical(span_of(at + 1), domain) != 0)
        return "i= is no identity";
    if (!domain_is_within(domain, signature->domain))
        return "the domain of i= is not within d=";
    signature->identity = text;
    signature->is_of_subdomain = strcmp(domain, signature->domain) != 0;
    return NULL;
}

static const char *read_algorithm(struct arena *arena, const struct tags *tags, struct signature *signature)
{
    static const char *const names[] = {"", "rsa-sha1", "rsa-sha256", "ed25519-sha256"};
    const struct tag *a = tags_get(tags, "a");
    if (!a)
        return "a= is missing";
    if (a->value.len <= 32 && !memchr(a->value.ptr, '\n', a->value.len)) {
        char *text = arena_spandup(arena, a->value);
        for (char *p = text; *p; p++)
            *p = (char)tolower((unsigned char)*p);
        signature->algorithm = text;
    }
    for (size_t i = 1; i < sizeof names / sizeof *names; i++) {
        if (strcmp(signature->algorithm, names[i]) == 0)
            signature->code = (enum signature_algorithm)i;
    }
    return signature->code == SIGNATURE_UNKNOWN ? "a= is no known algorithm" : NULL;
}

static const char *read_canonicalization(struct arena *arena, const struct tags *tags, struct signature *signature)
{
    (void)arena;
    const struct tag *c = tags_get(tags, "c");
    if (!c)
        return NULL;
    static const char *const known[] = {"simple",         "relaxed",        "simple/simple",
                                        "relaxed/simple", "simple/relaxed", "relaxed/relaxed"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (span_equals_nocase(c->value, known[i])) {
            signature->header_is_relaxed = i % 2 == 1;
            signature->body_is_relaxed = i >= 4;
            return NULL;
        }
    }
    return "c= is no known canonicalization";
}

static bool header_name_is_fine(const char *name)
{
    for (const char *p = name; *p; p++) {
        if (*p <= ' ' || *p > '~')
            return false;
    }
    return *name != '\0';
}

static const char *read_headers(struct arena *arena, const struct tags *tags, struct signature *signature)
{
    const struct tag *h = tags_get(tags, "h");
    if (!h || h->value.len > HEADERS_OCTETS_MAX)
        return h ? "h= is too long" : "h= is missing";
    const char **names = ARENA_ARRAY(arena, const char *, HEADERS_MAX);
    char *next = tags_without_space(arena, h->value);
    signature->headers = names;
    while (next) {
        char *name = next, *colon = strchr(next, ':');
        next = colon ? colon + 1 : NULL;
        if (colon)
            *colon = '\0';
        if (!header_name_is_fine(name))
            return "h= is no list of field names";
        if (signature->header_count == HEADERS_MAX)
            return "h= names too many fields";
        names[signature->header_count++] = name;
    }
    return signature_covers(signature, span_of("From")) ? NULL : "h= does not name From";
}

static const char *read_times(struct arena *arena, const struct tags *tags, struct signature *signature)
{
    (void)arena;
    const struct tag *t = tags_get(tags, "t"), *x = tags_get(tags, "x"), *l = tags_get(tags, "l");
    if (t && !read_number(t->value, &signature->timestamp))
        return "t= is no time";
    if (x && !read_number(x->value, &signature->expiry))
        return "x= is no time";
    if (t && x && signature->expiry <= signature->timestamp)
        return "x= is not after t=";
    if (l && !read_number(l->value, &signature->length))
        return "l= is no length";
    return NULL;
}

static const char *read_hashes(struct arena *arena, const struct tags *tags, struct signature *signature)
{
    const struct tag *b = tags_get(tags, "b"), *bh = tags_get(tags, "bh");
    if (!b || !bh)
        return b ? "bh= is missing" : "b= is missing";
    signature->b = tags_without_space(arena, b->value);
    signature->b_place = b->place;
    signature->body_hash = tags_without_space(arena, bh->value);
    if (!tags_is_base64_of_opendkim(signature->b))
        return signature->b = "", "b= is no base64";
    return tags_is_base64(signature->body_hash) ? NULL : "bh= is no base64";
}

static const char *read_version(struct arena *arena, const struct tags *tags, struct signature *signature)
{
    (void)signature;
    const struct tag *v = tags_get(tags, "v"), *q = tags_get(tags, "q");
    if (!v || !span_equals(v->value, "1"))
        return v ? "v= is not 1" : "v= is missing";
    if (!q)
        return NULL;
    char *next = tags_without_space(arena, q->value), *method;
    while ((method = strsep(&next, ":"))) {
        if (strcasecmp(method, "dns/txt") == 0)
            return NULL;
    }
    return "q= is no known way to the key";
}

void signature_parse(struct arena *arena, struct span value, struct signature *signature)
{
    static const char *const none[] = {NULL};
    struct tags tags;
    *signature = (struct signature){.domain = "",
                                    .selector = "",
                                    .algorithm = "",
                                    .b = "",
                                    .body_hash = "",
                                    .headers = none,
                                    .length = -1,
                                    .timestamp = -1,
                                    .expiry = -1};
    if (value.len > FIELD_MAX) {
        signature->problem = "the signature is too long";
        return;
    }
    signature->problem = tags_parse(value, false, &tags);
    /* Read on for what can be said about it, but let the first problem stand. */
    static const char *(*const readers[])(struct arena *, const struct tags *, struct signature *) = {
        read_version,          read_names,   read_algorithm, read_hashes, read_identity,
        read_canonicalization, read_headers, read_times};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        const char *problem = readers[i](arena, &tags, signature);
        if (!signature->problem)
            signature->problem = problem;
    }
}

bool signature_covers(const struct signature *signature, struct span name)
{
    for (size_t i = 0; i < signature->header_count; i++) {
        if (span_equals_nocase(name, signature->headers[i]))
            return true;
    }
    return false;
}
