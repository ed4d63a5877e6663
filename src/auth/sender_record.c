/*
 * sender_record - a term at a time, each by the rule of its name.
 *
 * A slash is a letter of domain-specs too, so the prefix lengths of "a:example.net/24//64" are found from the end, and
 * what is left must be a domain-spec. The whole record is read before anything in it is believed: a fault behind the
 * term that would have matched is a fault (RFC 7208 4.6).
 *
 * What this does not do: expand macros, or look whether names exist.
 */
#include "auth/sender_record.h"
#include "auth/sender_macro.h"
#include <arpa/inet.h>
#include <ctype.h>

#define VERSION_LENGTH 6

struct parser {
    struct arena *arena;
    struct span text;
    struct sender_record *record;
    struct sender_fault *fault;
    size_t capacity;
};

static const struct {
    const char *name;
    enum sender_mechanism mechanism;
    enum { NO_TARGET, MAY_TARGET, MUST_TARGET } target;
    bool has_lengths;
} mechanisms[] = {{"all", SENDER_ALL, NO_TARGET, false},        {"include", SENDER_INCLUDE, MUST_TARGET, false},
                  {"a", SENDER_A, MAY_TARGET, true},            {"mx", SENDER_MX, MAY_TARGET, true},
                  {"ptr", SENDER_PTR, MAY_TARGET, false},       {"ip4", SENDER_IP4, MUST_TARGET, true},
                  {"ip6", SENDER_IP6, MUST_TARGET, true},       {"exists", SENDER_EXISTS, MUST_TARGET, false}};

bool sender_record_is(struct span text)
{
    return text.len >= VERSION_LENGTH && strncasecmp(text.ptr, "v=spf1", VERSION_LENGTH) == 0 &&
           (text.len == VERSION_LENGTH || text.ptr[VERSION_LENGTH] == ' ');
}

static int fail(struct parser *parser, const char *at, const char *what)
{
    *parser->fault = (struct sender_fault){(size_t)(at - parser->text.ptr), what};
    return -1;
}

static const char *span_end(struct span span)
{
    return span.ptr + span.len;
}

/* A domain-spec in SPEC, copied to *TARGET. */
static int parse_domain(struct parser *parser, struct span spec, const char **target)
{
    size_t at = 0;
    const char *wrong = sender_macro_check(spec, SENDER_MACRO_DOMAIN, &at);
    if (wrong)
        return fail(parser, spec.ptr + at, wrong);
    *target = arena_spandup(parser->arena, spec);
    return 0;
}

/* DIGITS as a prefix length up to MAX: no leading zero. */
static int parse_bits(struct parser *parser, struct span digits, unsigned max, unsigned *bits)
{
    if (digits.len == 0)
        return fail(parser, digits.ptr, "a prefix length is missing");
    if (digits.len > 3 || (digits.len > 1 && digits.ptr[0] == '0'))
        return fail(parser, digits.ptr, "a malformed prefix length");
    *bits = 0;
    for (size_t i = 0; i < digits.len; i++)
        *bits = *bits * 10 + (unsigned)(digits.ptr[i] - '0');
    return *bits <= max ? 0 : fail(parser, digits.ptr, "a prefix length that is out of range");
}

/* Cuts "/digits" off the end of *REST; false if there is none. */
static bool cut_length(struct span *rest, struct span *digits)
{
    size_t n = 0;
    while (n < rest->len && isdigit((unsigned char)rest->ptr[rest->len - 1 - n]))
        n++;
    if (n == 0 || n == rest->len || rest->ptr[rest->len - 1 - n] != '/')
        return false;
    *digits = (struct span){span_end(*rest) - n, n};
    rest->len -= n + 1;
    return true;
}

/* Takes the lengths off the end of *REST, which is left as the domain-spec with its colon, or empty. */
static int parse_dual_lengths(struct parser *parser, struct span *rest, struct sender_term *term)
{
    struct span digits;
    if (!cut_length(rest, &digits))
        return 0;
    if (rest->len > 0 && rest->ptr[rest->len - 1] == '/') {
        rest->len--;
        if (parse_bits(parser, digits, 128, &term->bits6) != 0)
            return -1;
        if (!cut_length(rest, &digits))
            return 0;
    }
    return parse_bits(parser, digits, 32, &term->bits4);
}

static int parse_network(struct parser *parser, struct span value, struct sender_term *term)
{
    bool is_four = term->mechanism == SENDER_IP4;
    struct span digits;
    char text[INET6_ADDRSTRLEN + 1];
    if (cut_length(&value, &digits) &&
        parse_bits(parser, digits, is_four ? 32 : 128, is_four ? &term->bits4 : &term->bits6) != 0)
        return -1;
    if (value.len >= sizeof text || memchr(value.ptr, '\0', value.len))
        return fail(parser, value.ptr, "no IP network");
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    if (inet_pton(is_four ? AF_INET : AF_INET6, text, term->network) != 1)
        return fail(parser, value.ptr, is_four ? "no IPv4 network" : "no IPv6 network");
    return 0;
}

/* NAME and what follows it, up to the end of the term. */
static int parse_directive(struct parser *parser, struct span whole, char qualifier, struct span name, struct span rest)
{
    struct sender_term term = {.qualifier = qualifier, .bits4 = 32, .bits6 = 128};
    size_t i = 0, count = sizeof mechanisms / sizeof *mechanisms;
    while (i < count && !span_equals_nocase(name, mechanisms[i].name))
        i++;
    if (i == count)
        return fail(parser, name.ptr, "an unknown mechanism");
    term.mechanism = mechanisms[i].mechanism;
    term.text = arena_spandup(parser->arena, whole);
    bool is_network = term.mechanism == SENDER_IP4 || term.mechanism == SENDER_IP6;
    if (mechanisms[i].has_lengths && !is_network && parse_dual_lengths(parser, &rest, &term) != 0)
        return -1;
    if (rest.len > 0 && (rest.ptr[0] != ':' || mechanisms[i].target == NO_TARGET))
        return fail(parser, rest.ptr, "something that does not belong to the mechanism");
    if (rest.len == 0 && mechanisms[i].target == MUST_TARGET)
        return fail(parser, rest.ptr, "the mechanism lacks its value");
    struct span value = {rest.ptr + 1, rest.len ? rest.len - 1 : 0};
    if (is_network && parse_network(parser, value, &term) != 0)
        return -1;
    if (!is_network && rest.len > 0 && parse_domain(parser, value, &term.target) != 0)
        return -1;
    struct sender_record *record = parser->record;
    record->terms = arena_grow(parser->arena, record->terms, &parser->capacity, record->count + 1, sizeof term);
    record->terms[record->count++] = term;
    return 0;
}

static int parse_modifier(struct parser *parser, struct span name, struct span value)
{
    const char **known = span_equals_nocase(name, "redirect") ? &parser->record->redirect
                         : span_equals_nocase(name, "exp")    ? &parser->record->exp
                                                              : NULL;
    if (known && *known)
        return fail(parser, name.ptr, "a modifier that may stand only once");
    if (known)
        return parse_domain(parser, value, known);
    size_t at = 0;
    const char *wrong = sender_macro_check(value, SENDER_MACRO_STRING, &at);
    return wrong ? fail(parser, value.ptr + at, wrong) : 0;
}

static int parse_term(struct parser *parser, struct span term)
{
    const char *start = term.ptr, *p = start, *end = span_end(term);
    char qualifier = '+';
    if (p < end && *p && strchr("+-~?", *p))
        qualifier = *p++;
    struct span name = {p, 0};
    if (p < end && isalpha((unsigned char)*p) && !((unsigned char)*p & 0x80)) {
        while (p < end && !((unsigned char)*p & 0x80) && *p && (isalnum((unsigned char)*p) || strchr("-_.", *p)))
            p++;
    }
    name.len = (size_t)(p - name.ptr);
    if (name.len == 0)
        return fail(parser, p, "neither a mechanism nor a modifier");
    struct span rest = {p, (size_t)(end - p)};
    if (rest.len > 0 && rest.ptr[0] == '=') {
        if (name.ptr != start)
            return fail(parser, start, "a qualifier before a modifier");
        return parse_modifier(parser, name, (struct span){p + 1, rest.len - 1});
    }
    return parse_directive(parser, term, qualifier, name, rest);
}

int sender_record_parse(struct arena *arena, struct span text, struct sender_record *record, struct sender_fault *fault)
{
    struct parser parser = {arena, text, record, fault, 0};
    *record = (struct sender_record){0};
    *fault = (struct sender_fault){0, NULL};
    if (!sender_record_is(text))
        return fail(&parser, text.ptr, "no v=spf1 at the beginning");
    const char *p = text.ptr + VERSION_LENGTH, *end = span_end(text);
    while (p < end) {
        while (p < end && *p == ' ')
            p++;
        const char *start = p;
        while (p < end && *p != ' ')
            p++;
        if (p > start && parse_term(&parser, (struct span){start, (size_t)(p - start)}) != 0)
            return -1;
    }
    return 0;
}
