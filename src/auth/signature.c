/*
 * signature - one reader for both lists: tags, "=", values, ";". Then each tag is judged by its own rule.
 *
 * Bounds, each far above what is seen in the field: 32 kB of a field, 64 tags, 256 names in h=, 250 octets of i=,
 * 1000 octets of key (an RSA key of 6000 bits). Besides keeping the work small they keep off libopendkim's fixed
 * buffers (1024 octets for a key, 4096 for h=, 64 kB for a field), which cut silently.
 *
 * Not done: U-labels in d= (RFC 8616); libopendkim refuses 8-bit bytes in a signature.
 */
#include "auth/signature.h"
#include "util/domain.h"
#include <ctype.h>
#include <stdio.h>

#define FIELD_MAX 32768
#define TAGS_MAX 64
#define HEADERS_MAX 256
#define HEADERS_OCTETS_MAX 4000
#define IDENTITY_MAX 250
#define KEY_MAX 1000
#define SELECTOR_MAX 200

struct tag {
    struct span name, value; /* without white space around them */
};

struct tags {
    struct tag items[TAGS_MAX];
    size_t count;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const struct tag *tags_get(const struct tags *tags, const char *name)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (span_equals(tags->items[i].name, name))
            return &tags->items[i];
    }
    return NULL;
}

static bool name_is_fine(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c >= 0x80 || !(isalnum(c) || c == '_') || (i == 0 && !isalpha(c)))
            return false;
    }
    return name.len > 0;
}

/* LENIENT: any byte but NUL in a value, for notes in keys. NULL or what is wrong. */
static const char *tags_parse(struct span text, bool lenient, struct tags *tags)
{
    tags->count = 0;
    if (memchr(text.ptr, '\0', text.len))
        return "a NUL byte";
    while (span_trim(text).len > 0) {
        const char *end = memchr(text.ptr, ';', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        const char *equals = memchr(text.ptr, '=', len);
        if (!equals)
            return "a tag without a value";
        struct tag tag = {span_trim((struct span){text.ptr, (size_t)(equals - text.ptr)}),
                          span_trim((struct span){equals + 1, len - (size_t)(equals + 1 - text.ptr)})};
        if (!name_is_fine(tag.name))
            return "a malformed tag";
        for (size_t i = 0; i < tag.value.len && !lenient; i++) {
            char c = tag.value.ptr[i];
            if (!is_space(c) && (c < 0x21 || c > 0x7e))
                return "a byte that may not stand there";
        }
        for (size_t i = 0; i < tags->count; i++) {
            if (tags->items[i].name.len == tag.name.len &&
                memcmp(tags->items[i].name.ptr, tag.name.ptr, tag.name.len) == 0)
                return "a tag twice";
        }
        if (tags->count == TAGS_MAX)
            return "too many tags";
        tags->items[tags->count++] = tag;
        text.ptr += end ? len + 1 : len;
        text.len -= end ? len + 1 : len;
    }
    return NULL;
}

static char *without_space(struct arena *arena, struct span value)
{
    char *text = arena_alloc(arena, value.len + 1), *to = text;
    for (size_t i = 0; i < value.len; i++) {
        if (!is_space(value.ptr[i]))
            *to++ = value.ptr[i];
    }
    return text;
}

static bool is_base64(const char *text)
{
    size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    return len >= 2 && len % 4 != 1 && strspn(text + len, "=") <= 2 && text[len + strspn(text + len, "=")] == '\0';
}

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
    char *text = without_space(arena, i->value);
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
    static const char *const known[] = {"simple", "relaxed", "simple/simple", "relaxed/simple",
                                        "simple/relaxed", "relaxed/relaxed"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (span_equals_nocase(c->value, known[i])) {
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
    char *next = without_space(arena, h->value);
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
    signature->b = without_space(arena, b->value);
    if (!is_base64(signature->b))
        return signature->b = "", "b= is no base64";
    return is_base64(without_space(arena, bh->value)) ? NULL : "bh= is no base64";
}

static const char *read_version(struct arena *arena, const struct tags *tags, struct signature *signature)
{
    (void)signature;
    const struct tag *v = tags_get(tags, "v"), *q = tags_get(tags, "q");
    if (!v || !span_equals(v->value, "1"))
        return v ? "v= is not 1" : "v= is missing";
    if (!q)
        return NULL;
    char *next = without_space(arena, q->value), *method;
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
    *signature = (struct signature){.domain = "", .selector = "", .algorithm = "", .b = "", .headers = none,
                                    .length = -1, .timestamp = -1, .expiry = -1};
    if (value.len > FIELD_MAX) {
        signature->problem = "the signature is too long";
        return;
    }
    signature->problem = tags_parse(value, false, &tags);
    /* Read on for what can be said about it, but let the first problem stand. */
    static const char *(*const readers[])(struct arena *, const struct tags *, struct signature *) = {
        read_version,  read_names,            read_algorithm, read_hashes,
        read_identity, read_canonicalization, read_headers,   read_times};
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

/* Is WORD in the colon-separated list of the tag? */
static bool list_has(struct arena *arena, const struct tag *tag, const char *word)
{
    char *next = without_space(arena, tag->value), *item;
    while ((item = strsep(&next, ":"))) {
        if (strcasecmp(item, word) == 0)
            return true;
    }
    return false;
}

static const char *read_key(struct arena *arena, const struct tags *tags, struct signature_key *key)
{
    const struct tag *v = tags_get(tags, "v"), *k = tags_get(tags, "k"), *h = tags_get(tags, "h");
    const struct tag *s = tags_get(tags, "s"), *t = tags_get(tags, "t"), *p = tags_get(tags, "p");
    if (v && !span_equals(v->value, "DKIM1"))
        return "the key record is of another version";
    if (v && v != tags->items)
        return "the key record does not begin with its version";
    if (k && !span_equals_nocase(k->value, "rsa") && !span_equals_nocase(k->value, "ed25519"))
        return "the key is of an unknown type";
    key->is_ed25519 = k && span_equals_nocase(k->value, "ed25519");
    if (h && !list_has(arena, h, "sha256"))
        return "the key is not for SHA-256";
    if (s && !list_has(arena, s, "*") && !list_has(arena, s, "email"))
        return "the key is not for mail";
    if (!p)
        return "the key record holds no key";
    const char *data = without_space(arena, p->value);
    key->is_revoked = *data == '\0';
    if (key->is_revoked)
        return "the key is revoked";
    if (!is_base64(data) || strlen(data) > KEY_MAX)
        return is_base64(data) ? "the key is too long" : "the key is no base64";
    key->is_strict = t && list_has(arena, t, "s");
    key->record = arena_printf(arena, "v=DKIM1;k=%s;p=%s", key->is_ed25519 ? "ed25519" : "rsa", data);
    return NULL;
}

void signature_key_parse(struct arena *arena, struct span record, struct signature_key *key)
{
    struct tags tags;
    *key = (struct signature_key){.problem = NULL};
    key->problem = tags_parse(record, true, &tags) ? "the key record is malformed" : read_key(arena, &tags, key);
}

bool signature_key_is_meant(struct span record)
{
    struct tags tags;
    struct span text = span_trim(record);
    if (text.len >= 7 && memcmp(text.ptr, "v=DKIM1", 7) == 0)
        return true;
    return !tags_parse(record, true, &tags) && tags_get(&tags, "p");
}
