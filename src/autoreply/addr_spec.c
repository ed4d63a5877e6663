/*
 * addr_spec - a scanner for local parts, and util/domain for the rest.
 *
 * An unquoted local part may have dots where the grammar has none (some providers gave such addresses out); whoever
 * writes it down quotes it. What this does not do: comments and white space around the parts, which are no part of an
 * address in the envelope (address_list.c reads those of header fields).
 */
#include "autoreply/addr_spec.h"
#include "autoreply/mail_text.h"
#include "util/strbuf.h"
#include <ctype.h>

/* RFC 5322 atext, and every byte of a character that is not ASCII. */
static bool is_atext(char c)
{
    return (unsigned char)c >= 0x80 || isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* The '@' between the parts: the first one behind a quoted local part, else the last. NULL: there is none. */
static const char *find_at(struct span text)
{
    if (text.len == 0 || text.ptr[0] != '"')
        return memrchr(text.ptr, '@', text.len);
    for (size_t i = 1; i < text.len; i++) {
        if (text.ptr[i] == '\\')
            i++;
        else if (text.ptr[i] == '"')
            return i + 1 < text.len && text.ptr[i + 1] == '@' ? text.ptr + i + 1 : NULL;
    }
    return NULL;
}

static int read_local(struct span text, struct addr_spec *address)
{
    size_t len = 0;
    bool is_quoted = text.len >= 2 && text.ptr[0] == '"';
    if (is_quoted)
        text = (struct span){text.ptr + 1, text.len - 2};
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (is_quoted && c == '\\') {
            if (++i == text.len)
                return -1;
            c = text.ptr[i];
        }
        if (((unsigned char)c < 0x20) || c == 0x7f || (!is_quoted && !is_atext(c) && c != '.'))
            return -1;
        address->is_utf8 |= (unsigned char)c >= 0x80;
        address->local[len++] = c;
    }
    address->local[len] = '\0';
    return len > 0 && mail_text_is_line((struct span){address->local, len}) ? 0 : -1;
}

int addr_spec_parse(struct span text, struct addr_spec *address)
{
    const char *at = text.len <= ADDR_SPEC_MAX ? find_at(text) : NULL;
    address->is_utf8 = false;
    if (!at || read_local((struct span){text.ptr, (size_t)(at - text.ptr)}, address) != 0)
        return -1;
    if (domain_canonical((struct span){at + 1, text.len - (size_t)(at + 1 - text.ptr)}, address->domain) != 0)
        return -1;
    return addr_spec_is_in_bounds(address) ? 0 : -1;
}

void addr_spec_fold(struct addr_spec *address)
{
    for (char *p = address->local; *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 'a' - 'A');
    }
}

static bool dots_are_sound(const char *local)
{
    size_t len = strlen(local);
    return len > 0 && local[0] != '.' && local[len - 1] != '.' && !strstr(local, "..");
}

bool addr_spec_is_dot_string(const struct addr_spec *address)
{
    for (const char *p = address->local; *p; p++) {
        if (!is_atext(*p) && *p != '.')
            return false;
    }
    return dots_are_sound(address->local);
}

bool addr_spec_is_own_form(const struct addr_spec *address)
{
    for (const char *p = address->local; *p; p++) {
        if ((unsigned char)*p >= 0x80 || (!isalnum((unsigned char)*p) && !strchr(".-_", *p)))
            return false;
    }
    return strlen(address->local) <= 64 && dots_are_sound(address->local);
}

bool addr_spec_is_in_bounds(const struct addr_spec *address)
{
    size_t len = strlen(address->local) + 1 + strlen(address->domain);
    if (!addr_spec_is_dot_string(address)) {
        len += 2;
        for (const char *p = address->local; *p; p++)
            len += *p == '"' || *p == '\\';
    }
    return len <= ADDR_SPEC_MAX;
}

const char *addr_spec_print(struct arena *arena, const struct addr_spec *address)
{
    if (addr_spec_is_dot_string(address))
        return arena_printf(arena, "%s@%s", address->local, address->domain);
    struct strbuf out;
    strbuf_init(&out, 0);
    strbuf_putc(&out, '"');
    for (const char *p = address->local; *p; p++) {
        if (*p == '"' || *p == '\\')
            strbuf_putc(&out, '\\');
        strbuf_putc(&out, *p);
    }
    strbuf_printf(&out, "\"@%s", address->domain);
    const char *text = arena_strdup(arena, strbuf_text(&out));
    strbuf_free(&out);
    return text;
}

/* A BATV tag is a digit (of the key), three digits (of the day) and six hex digits; the field knows longer ones. */
static bool is_tag(const char *text, size_t len)
{
    if (len < 6 || len > 20 || !isdigit((unsigned char)text[0]))
        return false;
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] >= 0x80 || !isalnum((unsigned char)text[i]))
            return false;
    }
    return true;
}

/* What remains of LOCAL as PTR and LEN; LEN 0: it has no tag. */
static struct span find_untagged(const char *local)
{
    struct span none = {local, 0};
    if (strncasecmp(local, "btv1==", 6) == 0) {
        const char *end = strstr(local + 6, "==");
        return end && is_tag(local + 6, (size_t)(end - local - 6)) ? span_of(end + 2) : none;
    }
    if (strncasecmp(local, "prvs=", 5) != 0)
        return none;
    local += 5;
    const char *equals = strchr(local, '='), *slash = strrchr(local, '/');
    if (equals && is_tag(local, (size_t)(equals - local)))
        return span_of(equals + 1);
    if (slash && is_tag(slash + 1, strlen(slash + 1)))
        return (struct span){local, (size_t)(slash - local)};
    return none;
}

bool addr_spec_untag(struct addr_spec *address)
{
    struct span rest = find_untagged(address->local);
    if (rest.len == 0)
        return false;
    memmove(address->local, rest.ptr, rest.len);
    address->local[rest.len] = '\0';
    return true;
}
