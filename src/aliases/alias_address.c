/*
 * alias_address - what MTAs take is taken: dots anywhere in a local part, more than 64 octets, the bytes that RFC 5322
 * wants in quotes and that stand without them anyway. What could be read in two ways is not: a second '@' or white
 * space outside quotes, control bytes, bytes that are no UTF-8. There are no source routes, no comments, no display
 * names.
 *
 * Lower case beyond ASCII comes from the C library's table for UTF-8, whatever the locale of the process; nothing is
 * normalised, for no MTA does it.
 */
#include "aliases/alias_address.h"
#include "util/utf8.h"
#include <ctype.h>
#include <locale.h>
#include <pthread.h>
#include <wctype.h>

static locale_t utf8_locale;
static pthread_once_t utf8_once = PTHREAD_ONCE_INIT;

static void utf8_init(void)
{
    utf8_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static size_t encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00u >> n) | code);
    return n;
}

/* switch and no strchr(): tables are read by the million of lines. */
static bool is_only_in_quotes(char c)
{
    switch (c) {
    case '\0': case '"': case '\\': case '<': case '>': case '(': case ')': case ',': case ';': case ':': case ' ':
        return true;
    default:
        return false;
    }
}

/* RFC 5322 atext, and what RFC 6532 adds to it. */
static bool is_atext(char c)
{
    switch (c) {
    case '!': case '#': case '$': case '%': case '&': case '\'': case '*': case '+': case '-': case '/': case '=':
    case '?': case '^': case '_': case '`': case '{': case '|': case '}': case '~':
        return true;
    default:
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c & 0x80);
    }
}

static bool local_is_sound(const struct alias_address *address)
{
    uint32_t code = 0;
    for (size_t i = 0, n; i < address->local_len; i += n) {
        unsigned char c = (unsigned char)address->local[i];
        n = 1;
        if (c >= ' ' && c < 0x7f)
            continue;
        n = utf8_decode((struct span){address->local + i, address->local_len - i}, &code);
        if (n == 0 || code < ' ' || (code >= 0x7f && code < 0xa0))
            return false;
    }
    return true;
}

/* The local part of TEXT without quotes. What is behind it, ptr NULL: it is none. */
static struct span read_local(struct span text, struct alias_address *address)
{
    const struct span none = {NULL, 0};
    bool quoted = text.len > 0 && text.ptr[0] == '"';
    size_t i = quoted;
    for (; i < text.len && text.ptr[i] != (quoted ? '"' : '@'); i++) {
        if (quoted && text.ptr[i] == '\\' && ++i == text.len)
            return none;
        if (!quoted && is_only_in_quotes(text.ptr[i]))
            return none;
        if (address->local_len == ALIAS_LOCAL_MAX)
            return none;
        address->local[address->local_len++] = text.ptr[i];
    }
    if (quoted && (i++ == text.len || address->local_len == 0))
        return none;
    address->local[address->local_len] = '\0';
    return local_is_sound(address) ? (struct span){text.ptr + i, text.len - i} : none;
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]" */
static bool read_literal(struct span text, char *out)
{
    if (text.len < 3 || text.len > DOMAIN_MAX || text.ptr[text.len - 1] != ']')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (i > 0 && i < text.len - 1 && !isalnum(c) && (!c || !strchr(".:-", c)))
            return false;
        out[i] = (char)tolower(c);
    }
    out[text.len] = '\0';
    return true;
}

int alias_address_parse(struct span text, struct alias_address *address)
{
    address->local_len = 0;
    address->domain[0] = '\0';
    struct span rest = read_local(text, address);
    if (!rest.ptr || text.len == 0)
        return -1;
    if (rest.len == 0)
        return 0;
    if (rest.ptr[0] != '@' || rest.len == 1)
        return -1;
    rest.ptr++;
    rest.len--;
    if (rest.ptr[0] == '[')
        return read_literal(rest, address->domain) ? 0 : -1;
    return domain_canonical(rest, address->domain);
}

void alias_address_fold(struct alias_address *address)
{
    bool ascii = true;
    for (size_t i = 0; i < address->local_len; i++) {
        ascii = ascii && !((unsigned char)address->local[i] & 0x80);
        if (address->local[i] >= 'A' && address->local[i] <= 'Z')
            address->local[i] = (char)(address->local[i] + ('a' - 'A'));
    }
    pthread_once(&utf8_once, utf8_init);
    if (ascii || !utf8_locale)
        return;
    char folded[ALIAS_LOCAL_MAX + 1];
    size_t len = 0;
    uint32_t code = 0;
    for (size_t i = 0, n; i < address->local_len; i += n) {
        char bytes[4];
        n = utf8_decode((struct span){address->local + i, address->local_len - i}, &code);
        size_t m = encode((uint32_t)towlower_l((wint_t)code, utf8_locale), bytes);
        if (n == 0 || len + m > ALIAS_LOCAL_MAX)
            return; /* longer in lower case than there is room: left as it is */
        memcpy(folded + len, bytes, m);
        len += m;
    }
    memcpy(address->local, folded, len);
    address->local[len] = '\0';
    address->local_len = len;
}

/* RFC 5321 Dot-string: atoms with single dots between them. */
static bool needs_quotes(const struct alias_address *address)
{
    bool after_dot = true;
    for (size_t i = 0; i < address->local_len; i++) {
        char c = address->local[i];
        if (c == '.' ? after_dot : !is_atext(c))
            return true;
        after_dot = c == '.';
    }
    return after_dot && address->local_len > 0;
}

void alias_address_print(const struct alias_address *address, char out[ALIAS_ADDRESS_MAX])
{
    bool quoted = needs_quotes(address);
    if (quoted)
        *out++ = '"';
    for (size_t i = 0; i < address->local_len; i++) {
        if (quoted && (address->local[i] == '"' || address->local[i] == '\\'))
            *out++ = '\\';
        *out++ = address->local[i];
    }
    if (quoted)
        *out++ = '"';
    if (address->domain[0])
        *out++ = '@';
    memcpy(out, address->domain, strlen(address->domain) + 1);
}

const char *alias_address_tag(const struct alias_address *address, const char *delimiters)
{
    static const char *const whole[] = {"postmaster", "mailer-daemon", "double-bounce"};
    struct span local = {address->local, address->local_len};
    if (!delimiters)
        return NULL;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        if (span_equals_nocase(local, whole[i]))
            return NULL;
    }
    if (strchr(delimiters, '-') && (strncasecmp(local.ptr, "owner-", 6) == 0 ||
                                    (local.len > 8 && strcasecmp(local.ptr + local.len - 8, "-request") == 0)))
        return NULL;
    size_t len = strcspn(local.ptr, delimiters);
    return len == 0 || len == local.len ? NULL : local.ptr + len;
}
