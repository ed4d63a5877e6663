/*
 * srs_address - reads a path as MTAs read it, and writes one as RFC 5321 wants it.
 *
 * Reading is lenient: quotes may stand around a part of the local part only (a."b c"@x, RFC 822), dots may stand
 * anywhere, octets above 127 are taken as they are (SMTPUTF8, or a client that did not ask). Writing is strict: what is
 * no dot-string is quoted. So a..b@x comes back as "a..b"@x, which is the same mailbox. Control characters are refused,
 * because no quoting makes them safe in a command.
 *
 * A domain is not looked at for sense, only for octets that would end it or the command. The caller knows what a domain
 * of his is.
 */
#include "srs/srs_address.h"

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_atext(char c)
{
    return is_alphanumeric(c) || (unsigned char)c >= 0x80 || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_literal(struct span domain)
{
    if (domain.len < 3 || domain.ptr[0] != '[' || domain.ptr[domain.len - 1] != ']')
        return false;
    for (size_t i = 1; i < domain.len - 1; i++) {
        if (!is_alphanumeric(domain.ptr[i]) && !(domain.ptr[i] && strchr(".:-", domain.ptr[i])))
            return false;
    }
    return true;
}

bool srs_address_is_domain(struct span domain)
{
    if (domain.len == 0 || domain.len > SRS_PATH_MAX || domain.ptr[0] == '.')
        return false;
    for (size_t i = 0; i < domain.len; i++) {
        char c = domain.ptr[i];
        if (c == '.' && i > 0 && domain.ptr[i - 1] == '.')
            return false;
        if (!is_alphanumeric(c) && (unsigned char)c < 0x80 && c != '.' && c != '-' && c != '_')
            return is_literal(domain);
    }
    return true;
}

bool srs_address_split(struct arena *arena, const char *address, struct srs_address *parts)
{
    char *local = arena_alloc(arena, strlen(address) + 1);
    size_t len = 0;
    bool is_quoted = false, was_quoted = false;
    const char *at = address;
    for (; *at && (is_quoted || *at != '@'); at++) {
        if (*at == '"') {
            is_quoted = !is_quoted;
            was_quoted = true;
            continue;
        }
        if (*at == '\\' && !*++at)
            return false;
        if (is_control(*at))
            return false;
        local[len++] = *at;
    }
    if (!*at || (len == 0 && !was_quoted))
        return false;
    parts->local = (struct span){local, len};
    parts->domain = span_of(arena_strdup(arena, at + 1));
    return srs_address_is_domain(parts->domain);
}

static bool is_dot_string(struct span local)
{
    if (local.len == 0 || local.ptr[local.len - 1] == '.')
        return false;
    for (size_t i = 0; i < local.len; i++) {
        if (local.ptr[i] == '.' ? i == 0 || local.ptr[i - 1] == '.' : !is_atext(local.ptr[i]))
            return false;
    }
    return true;
}

const char *srs_address_join(struct arena *arena, const struct srs_address *parts, size_t *local_length)
{
    char *text = arena_alloc(arena, 2 * parts->local.len + 2 + 1 + parts->domain.len + 1), *end = text;
    bool is_plain = is_dot_string(parts->local);
    if (!is_plain)
        *end++ = '"';
    for (size_t i = 0; i < parts->local.len; i++) {
        if (parts->local.ptr[i] == '"' || parts->local.ptr[i] == '\\')
            *end++ = '\\';
        *end++ = parts->local.ptr[i];
    }
    if (!is_plain)
        *end++ = '"';
    if (local_length)
        *local_length = (size_t)(end - text);
    *end++ = '@';
    memcpy(end, parts->domain.ptr, parts->domain.len);
    return text;
}
