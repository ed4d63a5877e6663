/*
 * subject - the old value is kept byte for byte and moved to a line of its own if the first line would grow too long.
 *
 * White space between two encoded-words is not shown (RFC 2047 6.2), so an encoded tag carries its blank inside. An
 * ASCII tag that looks like an encoded-word is encoded too, because otherwise readers would decode it.
 */
#include "core/subject.h"
#include "util/strbuf.h"

#define LINE_LIMIT 76 /* octets of a line that holds an encoded-word (RFC 2047 2) */

/* The octets of the UTF-8 character at P, 0 if there is none that may stand in a Subject. */
static size_t character_len(const unsigned char *p)
{
    size_t len = p[0] >= 0x20 && p[0] < 0x7f ? 1
                 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
                 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
                 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                               : 0;
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return len;
}

bool subject_is_taggable(const char *tag)
{
    for (const unsigned char *p = (const unsigned char *)tag; *p;) {
        size_t len = character_len(p);
        if (len == 0)
            return false;
        p += len;
    }
    return true;
}

static void encode_base64(struct strbuf *out, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i += 3) {
        unsigned char a = (unsigned char)text[i], b = 0, c = 0;
        if (i + 1 < len)
            b = (unsigned char)text[i + 1];
        if (i + 2 < len)
            c = (unsigned char)text[i + 2];
        strbuf_putc(out, digits[a >> 2]);
        strbuf_putc(out, digits[(a & 3) << 4 | b >> 4]);
        strbuf_putc(out, i + 1 < len ? digits[(b & 15) << 2 | c >> 6] : '=');
        strbuf_putc(out, i + 2 < len ? digits[c & 63] : '=');
    }
}

static bool is_plain(const char *tag)
{
    for (const char *p = tag; *p; p++) {
        if ((unsigned char)*p > 0x7e)
            return false;
    }
    return !strstr(tag, "=?");
}

const char *subject_tag(struct arena *arena, const char *tag, struct span value)
{
    struct strbuf out;
    strbuf_init(&out, value.len + 256);
    if (is_plain(tag)) {
        strbuf_puts(&out, tag);
    } else {
        strbuf_puts(&out, "=?UTF-8?B?");
        encode_base64(&out, arena_printf(arena, "%s ", tag));
        strbuf_puts(&out, "?=");
    }
    value = span_trim(value);
    const char *fold = memchr(value.ptr, '\n', value.len);
    size_t first = fold ? (size_t)(fold - value.ptr) : value.len;
    if (value.len > 0)
        strbuf_puts(&out, strlen("Subject: ") + out.len + 1 + first > LINE_LIMIT ? "\n " : " ");
    for (size_t i = 0; i < value.len; i++) {
        bool is_crlf = value.ptr[i] == '\r' && i + 1 < value.len && value.ptr[i + 1] == '\n';
        if (!is_crlf && value.ptr[i]) /* what follows is C text */
            strbuf_putc(&out, value.ptr[i]);
    }
    const char *text = arena_strdup(arena, strbuf_text(&out));
    strbuf_free(&out);
    return text;
}
