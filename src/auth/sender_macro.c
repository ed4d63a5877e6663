/*
 * sender_macro - checks and expands in two walks over the same grammar.
 *
 * The numbers of transformers have no upper bound in the grammar; whatever is over 127 means "all labels" (RFC 7208
 * 7.3), so they are capped while they are read. Expansion is bounded: a value is at most as long as an SMTP path, a
 * text at most as long as a record, and the output is cut at EXPANSION_MAX.
 */
#include "auth/sender_macro.h"
#include "util/domain.h"
#include "util/strbuf.h"
#include <ctype.h>
#include <stdio.h>

#define EXPANSION_MAX 4096
#define PARTS_MAX 512
#define DELIMITERS ".-+,/_="

/* "%{d2r.}" taken apart. */
struct macro {
    char letter;
    bool is_escaped; /* upper case: URL-escape the value */
    unsigned keep;   /* 0 = all parts */
    bool is_reversed;
    struct span delimiters;
};

/* Reads what stands behind "%{". The octets taken, '}' included; 0: malformed, *AT says where. */
static size_t read_macro(struct span text, struct macro *macro, size_t *at)
{
    size_t i = 0;
    *macro = (struct macro){0};
    if (i < text.len && text.ptr[i] && strchr("slodiphcrtvSLODIPHCRTV", text.ptr[i])) {
        macro->is_escaped = isupper((unsigned char)text.ptr[i]);
        macro->letter = (char)tolower((unsigned char)text.ptr[i++]);
        bool any = false;
        for (; i < text.len && isdigit((unsigned char)text.ptr[i]); i++, any = true)
            macro->keep = macro->keep > 127 ? 128 : macro->keep * 10 + (unsigned)(text.ptr[i] - '0');
        if (any && macro->keep == 0) {
            *at = i - 1;
            return 0;
        }
        if (i < text.len && (text.ptr[i] == 'r' || text.ptr[i] == 'R')) {
            macro->is_reversed = true;
            i++;
        }
        macro->delimiters.ptr = text.ptr + i;
        for (; i < text.len && text.ptr[i] && strchr(DELIMITERS, text.ptr[i]); i++)
            macro->delimiters.len++;
        if (i < text.len && text.ptr[i] == '}')
            return i + 1;
    }
    *at = i;
    return 0;
}

/* toplabel of the grammar: letters, digits and inner hyphens, not of digits alone. */
static bool is_top_label(struct span label)
{
    bool letters = false;
    if (label.len == 0 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++) {
        unsigned char c = (unsigned char)label.ptr[i];
        if (!isalnum(c) && c != '-')
            return false;
        letters = letters || !isdigit(c);
    }
    return letters;
}

/* LITERAL: what stands behind the last macro. */
static bool ends_in_top_label(struct span literal)
{
    if (literal.len > 0 && literal.ptr[literal.len - 1] == '.')
        literal.len--;
    const char *dot = literal.len ? memrchr(literal.ptr, '.', literal.len) : NULL;
    if (!dot)
        return false;
    return is_top_label((struct span){dot + 1, (size_t)(literal.ptr + literal.len - dot - 1)});
}

const char *sender_macro_check(struct span text, enum sender_macro_kind kind, size_t *at)
{
    size_t literal = 0;
    bool ends_in_macro = false;
    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.ptr[i];
        *at = i;
        if (c != '%') {
            if (c > 0x7e || c < 0x20 || (c == ' ' && kind != SENDER_MACRO_TEXT))
                return "an octet that has no place here";
            ends_in_macro = false;
            i++;
            continue;
        }
        char next = i + 1 < text.len ? text.ptr[i + 1] : '\0';
        if (next == '{') {
            struct macro macro;
            size_t wrong = 0, taken = read_macro((struct span){text.ptr + i + 2, text.len - i - 2}, &macro, &wrong);
            *at = i + 2 + wrong;
            if (taken == 0)
                return "a malformed macro";
            *at = i + 2;
            if (kind == SENDER_MACRO_DOMAIN && strchr("crt", macro.letter))
                return "a macro that is for explanations only";
            i += 2 + taken;
        } else if (next == '%' || next == '_' || next == '-') {
            i += 2;
        } else {
            return "a percent sign that begins no macro";
        }
        literal = i;
        ends_in_macro = true;
    }
    *at = text.len;
    if (kind != SENDER_MACRO_DOMAIN || ends_in_macro)
        return NULL;
    if (text.len == 0)
        return "a domain is missing";
    return ends_in_top_label((struct span){text.ptr + literal, text.len - literal}) ? NULL
                                                                                    : "a domain without a top label";
}

/* "2.0.0.1.0.D.B.8...": in an explanation the case shows. */
static const char *dotted_client(struct arena *arena, const struct netaddr *client)
{
    char text[NETADDR_TEXT_SIZE];
    if (client->family != AF_INET6)
        return arena_strdup(arena, netaddr_format(client, text));
    char *nibbles = arena_alloc(arena, 64), *to = nibbles;
    for (int i = 0; i < 16; i++)
        to += sprintf(to, "%s%X.%X", i ? "." : "", client->bytes[i] >> 4, client->bytes[i] & 15);
    return nibbles;
}

static const char *value_of(struct arena *arena, char letter, const struct sender_macro_values *values)
{
    char text[NETADDR_TEXT_SIZE];
    switch (letter) {
    case 's':
        return arena_printf(arena, "%s@%s", values->local, values->origin);
    case 'l':
        return values->local;
    case 'o':
        return values->origin;
    case 'd':
        return values->domain;
    case 'i':
        return dotted_client(arena, &values->client);
    case 'p':
        return values->validated ? values->validated(values->context) : "unknown";
    case 'h':
        return values->helo;
    case 'c':
        return arena_strdup(arena, netaddr_format(&values->client, text));
    case 'r':
        return values->receiver;
    case 't':
        return arena_printf(arena, "%lld", (long long)values->now);
    default:
        return values->client.family == AF_INET6 ? "ip6" : "in-addr";
    }
}

static void add_part(struct strbuf *out, struct span part, bool is_escaped)
{
    for (size_t i = 0; i < part.len; i++) {
        unsigned char c = (unsigned char)part.ptr[i];
        if (!is_escaped || isalnum(c) || strchr("-._~", c))
            strbuf_putc(out, (char)c);
        else
            strbuf_printf(out, "%%%02X", c);
    }
}

static void add_macro(struct strbuf *out, const struct macro *macro, const char *value)
{
    struct span parts[PARTS_MAX];
    size_t count = 0;
    const char *start = value, *p = value;
    for (;; p++) {
        bool is_delimiter = macro->delimiters.len ? *p && memchr(macro->delimiters.ptr, *p, macro->delimiters.len)
                                                  : *p == '.';
        if (*p && (!is_delimiter || count == PARTS_MAX - 1))
            continue;
        parts[count++] = (struct span){start, (size_t)(p - start)};
        if (!*p)
            break;
        start = p + 1;
    }
    size_t first = macro->keep && macro->keep < count ? count - macro->keep : 0;
    for (size_t i = first; i < count; i++) {
        if (i > first)
            strbuf_putc(out, '.');
        /* Reversed, the last parts are those that stood first. */
        add_part(out, parts[macro->is_reversed ? count - 1 - i : i], macro->is_escaped);
    }
}

/* Leaves out labels from the left until the rest is short enough (RFC 7208 7.3). */
static const char *cut_domain(struct arena *arena, const char *name)
{
    size_t len = strlen(name);
    if (len > 0 && name[len - 1] == '.')
        len--;
    while (len > DOMAIN_MAX) {
        const char *dot = memchr(name, '.', len);
        if (!dot)
            break;
        len -= (size_t)(dot + 1 - name);
        name = dot + 1;
    }
    return arena_spandup(arena, (struct span){name, len});
}

const char *sender_macro_expand(struct arena *arena, const char *text, enum sender_macro_kind kind,
                                const struct sender_macro_values *values)
{
    struct strbuf out;
    strbuf_init(&out, EXPANSION_MAX);
    for (const char *p = text; *p; p++) {
        struct macro macro;
        size_t wrong;
        if (*p != '%') {
            strbuf_putc(&out, *p);
        } else if (p[1] == '{') {
            size_t taken = read_macro(span_of(p + 2), &macro, &wrong);
            if (taken == 0)
                break; /* not checked: nothing good can come of it */
            add_macro(&out, &macro, value_of(arena, macro.letter, values));
            p += 1 + taken;
        } else if (p[1]) {
            strbuf_puts(&out, p[1] == '%' ? "%" : p[1] == '_' ? " " : "%20");
            p++;
        }
    }
    const char *result = kind == SENDER_MACRO_DOMAIN ? cut_domain(arena, strbuf_text(&out))
                                                     : arena_strdup(arena, strbuf_text(&out));
    strbuf_free(&out);
    return result;
}
