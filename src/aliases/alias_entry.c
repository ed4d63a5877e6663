/*
 * alias_entry - what the parsers have in common: the right side of a line, and putting a line into the table.
 *
 * A right side is a row of addresses with commas or white space between them (RFC 822 comments in parentheses count as
 * white space, "<user@domain>" as user@domain). Commands ("|...") and files ("/...") go up to the next comma, for their
 * arguments must not become addresses; they and Sendmail's "error:..." are left out without a word, since they are as
 * they should be: mail that ends there means no mailbox. But the row says that something was left out (but for
 * /dev/null), so that nobody takes the rest for all that the alias does. "\user" is user: Sendmail looks for no alias
 * of it, but Postfix does, and one that names itself ends there with both. What is no address at all is left out with a
 * warning: the MTA does not refuse the table for it either.
 */
#include "aliases/alias_reader.h"
#include "aliases/alias_table.h"
#include "util/log.h"
#include <stdarg.h>
#include <stdio.h>

#define SHOWN 80 /* octets of a target in a message */

static void add_clean(struct strbuf *out, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

static void add_clean(struct strbuf *out, const char *format, va_list args)
{
    char text[512];
    vsnprintf(text, sizeof text, format, args);
    for (const char *p = text; *p; p++)
        strbuf_putc(out, (unsigned char)*p < ' ' || *p == 0x7f ? '?' : *p);
}

static void add_place(struct strbuf *out, const struct alias_load *load, unsigned line)
{
    strbuf_init(out, 8192);
    strbuf_puts(out, load->path);
    if (line > 0)
        strbuf_printf(out, ":%u", line);
    strbuf_puts(out, ": ");
}

void alias_problem(struct alias_load *load, unsigned line, const char *format, ...)
{
    struct strbuf text;
    va_list args;
    load->problem_count++;
    load->problems->count++;
    if (load->told_problems++ >= ALIAS_PROBLEMS_MAX)
        return;
    add_place(&text, load, line);
    va_start(args, format);
    add_clean(&text, format, args);
    va_end(args);
    load->problems->report(load->problems->context, strbuf_text(&text));
    strbuf_free(&text);
}

void alias_warning(struct alias_load *load, unsigned line, const char *format, ...)
{
    struct strbuf text;
    va_list args;
    load->warning_count++;
    if (load->told_warnings++ >= ALIAS_PROBLEMS_MAX)
        return;
    add_place(&text, load, line);
    va_start(args, format);
    add_clean(&text, format, args);
    va_end(args);
    log_text(LEVEL_WARNING, "%s", strbuf_text(&text));
    strbuf_free(&text);
}

struct span alias_key(const struct alias_address *address, char out[ALIAS_ADDRESS_MAX])
{
    char *end = out;
    memcpy(end, address->local, address->local_len);
    end += address->local_len;
    size_t len = strlen(address->domain);
    if (len)
        *end++ = '@';
    memcpy(end, address->domain, len);
    return (struct span){out, (size_t)(end - out) + len};
}

static void add_target(struct alias_load *load, char kind, struct span text)
{
    strbuf_putc(&load->value, kind);
    strbuf_add(&load->value, text);
    strbuf_putc(&load->value, '\0');
    load->targets++;
}

void alias_targets_miss(struct alias_load *load, char kind)
{
    bool *has = kind == 'C' ? &load->misses_cut : &load->misses_part;
    if (*has)
        return;
    *has = true;
    strbuf_putc(&load->value, kind);
    strbuf_putc(&load->value, '\0');
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Behind a comment that begins at TEXT[I]; comments nest. */
static size_t skip_comment(struct span text, size_t i)
{
    unsigned depth = 0;
    for (; i < text.len; i++) {
        if (text.ptr[i] == '\\')
            i++;
        else if (text.ptr[i] == '(')
            depth++;
        else if (text.ptr[i] == ')' && --depth == 0)
            return i + 1;
    }
    return text.len;
}

/* Where the token that begins at TEXT[I] ends. *OPEN: a quote in it is not closed. */
static size_t token_end(struct span text, size_t i, bool *open)
{
    bool to_comma = text.ptr[i] == '|' || text.ptr[i] == '/';
    *open = false;
    for (; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\\' && i + 1 < text.len)
            i++;
        else if (c == '"')
            *open = !*open;
        else if (!*open && (c == ',' || (!to_comma && (is_space(c) || c == '('))))
            break;
    }
    return i < text.len ? i : text.len;
}

/* TOKEN without quotes around all of it, in OUT; so "|cmd" and ":include:/a b" are written. */
static struct span unquote_whole(struct span token, struct strbuf *out)
{
    if (token.len < 2 || token.ptr[0] != '"' || token.ptr[token.len - 1] != '"')
        return token;
    out->len = 0;
    strbuf_puts(out, "");
    for (size_t i = 1; i < token.len - 1; i++) {
        if (token.ptr[i] == '\\' && i + 1 < token.len - 1)
            i++;
        strbuf_putc(out, token.ptr[i]);
    }
    return (struct span){strbuf_text(out), out->len};
}

static void warn_target(struct alias_load *load, unsigned line, struct span token, const char *text)
{
    alias_targets_miss(load, 'P');
    alias_warning(load, line, "'%.*s%s' %s; it is left out", (int)(token.len > SHOWN ? SHOWN : token.len), token.ptr,
                  token.len > SHOWN ? "..." : "", text);
}

static void read_include(struct alias_load *load, unsigned line, struct span token, struct span path)
{
    if (path.len == 0 || path.ptr[0] != '/')
        warn_target(load, line, token, "names no file by its whole path");
    else if (load->table->kind != ALIAS_LOCAL)
        warn_target(load, line, token, "is no address; lists are for aliases(5) only");
    else
        add_target(load, 'I', path);
}

static void read_address(struct alias_load *load, unsigned line, struct span token)
{
    struct alias_address address;
    char text[ALIAS_ADDRESS_MAX];
    struct span bare = token;
    if (bare.len > 2 && bare.ptr[0] == '<' && bare.ptr[bare.len - 1] == '>')
        bare = (struct span){bare.ptr + 1, bare.len - 2};
    if (bare.len > 1 && bare.ptr[0] == '\\')
        bare = (struct span){bare.ptr + 1, bare.len - 1};
    else if (bare.len > 3 && memcmp(bare.ptr, "%1@", 3) == 0)
        bare = (struct span){bare.ptr + 2, bare.len - 2};
    if (alias_address_parse(bare, &address) != 0) {
        warn_target(load, line, token, "is no address");
        return;
    }
    if (address.local_len == 0) {
        if (load->targets > 0 || load->table->kind == ALIAS_LOCAL)
            warn_target(load, line, token, "may only be the first target of an address with a domain");
        else
            add_target(load, 'D', alias_key(&address, text));
        return;
    }
    if (!address.domain[0] && !load->local_domain) {
        warn_target(load, line, token, "has no domain, and there is no local_domain");
        return;
    }
    if (!address.domain[0])
        memcpy(address.domain, load->local_domain, strlen(load->local_domain) + 1);
    add_target(load, 'A', alias_key(&address, text));
}

static void read_target(struct alias_load *load, unsigned line, struct span token)
{
    struct strbuf plain;
    strbuf_init(&plain, ALIAS_LINE_MAX);
    struct span bare = unquote_whole(token, &plain);
    if (bare.len > 9 && strncasecmp(bare.ptr, ":include:", 9) == 0)
        read_include(load, line, token, (struct span){bare.ptr + 9, bare.len - 9});
    else if (bare.len > 0 && bare.ptr[0] != '|' && bare.ptr[0] != '/')
        read_address(load, line, token);
    else if (!span_equals(bare, "/dev/null"))
        alias_targets_miss(load, 'P');
    strbuf_free(&plain);
}

void alias_targets_read(struct alias_load *load, unsigned line, struct span text)
{
    load->value.len = 0;
    load->targets = 0;
    load->misses_cut = load->misses_part = false;
    text = span_trim(text);
    if (text.len >= 6 && strncasecmp(text.ptr, "error:", 6) == 0)
        return;
    for (size_t i = 0; i < text.len;) {
        bool open;
        if (text.ptr[i] == ',' || is_space(text.ptr[i])) {
            i++;
            continue;
        }
        if (text.ptr[i] == '(') {
            i = skip_comment(text, i);
            continue;
        }
        size_t end = token_end(text, i, &open);
        if (open) {
            alias_problem(load, line, "a quote is not closed");
            return;
        }
        if (load->targets == ALIASES_TARGETS_MAX) {
            alias_targets_miss(load, 'C');
            alias_warning(load, line, "more than %d targets; the rest is left out", ALIASES_TARGETS_MAX);
            return;
        }
        read_target(load, line, (struct span){text.ptr + i, end - i});
        i = end;
    }
}

/* KEY means load->value. */
static void add(struct alias_load *load, unsigned line, struct span key, bool many)
{
    struct strmap *map = load->table->map;
    struct span value = {strbuf_text(&load->value), load->value.len};
    strmap_at there = strmap_find(map, key);
    if (there && !many) {
        struct span known = strmap_value(map, there);
        if (known.len != value.len || memcmp(known.ptr, value.ptr, value.len) != 0)
            alias_warning(load, line, "'%.*s' was here before with other targets, which stay", (int)key.len, key.ptr);
        return;
    }
    strmap_add(map, key, value);
}

void alias_entry_take(struct alias_load *load, unsigned line, struct alias_address *address, struct span targets,
                      bool many)
{
    char text[ALIAS_ADDRESS_MAX];
    alias_address_fold(address);
    alias_targets_read(load, line, targets);
    add(load, line, alias_key(address, text), many);
}

void alias_lines_read(struct alias_load *load, struct alias_reader *reader,
                      void (*read_entry)(struct alias_load *load, unsigned line, struct span text))
{
    struct span text;
    unsigned line;
    const char *problem;
    enum alias_line got;
    while ((got = alias_reader_logical(reader, &text, &line, &problem)) == ALIAS_LINE_OK)
        read_entry(load, line, text);
    if (got == ALIAS_LINE_BAD)
        alias_problem(load, line, "%s", problem);
}
