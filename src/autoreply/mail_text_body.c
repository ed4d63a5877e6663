/*
 * mail_text_body - a body that arrives as it was written, whatever MTAs stand between.
 *
 * 7bit only where nothing on the way has a reason to touch it: no long line, no "From " that old programs put a ">"
 * before, no blank at the end of a line but that of a signature's "-- ". Quoted-printable keeps the octets of a
 * character on one line, so that a reader who sees it undecoded sees whole ones.
 */
#include "autoreply/mail_text.h"
#include <glib.h>

enum encoding { ENCODING_7BIT, ENCODING_QUOTED, ENCODING_BASE64 };

/* Up to the LF or the end; *TEXT goes behind the LF. */
static struct span next_line(const char **text)
{
    size_t len = strcspn(*text, "\n");
    struct span line = {*text, len};
    *text += (*text)[len] ? len + 1 : len;
    return line;
}

static bool is_from_line(struct span line)
{
    return line.len >= 5 && memcmp(line.ptr, "From ", 5) == 0;
}

static bool is_untouchable(struct span line)
{
    bool has_blank_end = line.len > 0 && (line.ptr[line.len - 1] == ' ' || line.ptr[line.len - 1] == '\t');
    return line.len <= MAIL_TEXT_LINE && !is_from_line(line) && (!has_blank_end || span_equals(line, "-- "));
}

static enum encoding choose(const char *text)
{
    size_t len = strlen(text), others = 0;
    bool is_plain = true;
    for (size_t i = 0; i < len; i++) {
        others += (unsigned char)text[i] >= 0x80;
        is_plain =
            is_plain && ((unsigned char)text[i] >= 0x20 || text[i] == '\n' || text[i] == '\t') && text[i] != 0x7f;
    }
    if (others * 3 >= len && others > 0)
        return ENCODING_BASE64;
    for (const char *at = text; *at && is_plain;)
        is_plain = is_untouchable(next_line(&at));
    return is_plain && others == 0 ? ENCODING_7BIT : ENCODING_QUOTED;
}

/* The octets that must stay together at P: a character, or a byte. */
static size_t unit_len(const char *p, const char *end)
{
    gunichar code = (unsigned char)*p < 0x80 ? 0 : g_utf8_get_char_validated(p, end - p);
    return code == (gunichar)-1 || code == (gunichar)-2 || code == 0 ? 1 : (size_t)(g_utf8_next_char(p) - p);
}

static bool is_literal(struct span line, size_t at)
{
    unsigned char c = (unsigned char)line.ptr[at];
    if (c == ' ' || c == '\t')
        return at + 1 < line.len;
    return c > 0x20 && c < 0x7f && c != '=' && !(at == 0 && (is_from_line(line) || c == '.'));
}

static void add_quoted_line(struct strbuf *out, struct span line)
{
    size_t column = 0;
    for (size_t i = 0; i < line.len;) {
        size_t len = unit_len(line.ptr + i, line.ptr + line.len), cost = is_literal(line, i) ? 1 : 3 * len;
        bool is_last = i + len == line.len;
        if (column + cost + !is_last > MAIL_TEXT_LINE) { /* a soft line break takes one octet */
            strbuf_puts(out, "=\r\n");
            column = 0;
        }
        if (cost == 1)
            strbuf_putc(out, line.ptr[i]);
        for (size_t k = 0; cost > 1 && k < len; k++)
            strbuf_printf(out, "=%02X", (unsigned char)line.ptr[i + k]);
        column += cost;
        i += len;
    }
    strbuf_puts(out, "\r\n");
}

static void add_base64(struct strbuf *out, const char *text)
{
    struct strbuf lines;
    strbuf_init(&lines, 2 * strlen(text) + 2);
    while (*text) {
        strbuf_add(&lines, next_line(&text));
        strbuf_puts(&lines, "\r\n");
    }
    char *encoded = g_base64_encode((const guchar *)strbuf_text(&lines), lines.len);
    for (const char *p = encoded; *p;) {
        size_t len = strnlen(p, MAIL_TEXT_LINE);
        strbuf_add(out, (struct span){p, len});
        strbuf_puts(out, "\r\n");
        p += len;
    }
    g_free(encoded);
    strbuf_free(&lines);
}

const char *mail_text_body_encoding(const char *text)
{
    static const char *const names[] = {"7bit", "quoted-printable", "base64"};
    return names[choose(text)];
}

const char *mail_text_add_body(struct strbuf *out, const char *text)
{
    enum encoding encoding = choose(text);
    if (encoding == ENCODING_BASE64)
        add_base64(out, text);
    for (const char *at = text; *at && encoding != ENCODING_BASE64;) {
        struct span line = next_line(&at);
        if (encoding == ENCODING_QUOTED) {
            add_quoted_line(out, line);
        } else {
            strbuf_add(out, line);
            strbuf_puts(out, "\r\n");
        }
    }
    return mail_text_body_encoding(text);
}
