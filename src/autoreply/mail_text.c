/*
 * mail_text - characters and header words. Bodies are in mail_text_body.c.
 *
 * Encoded-words never split a character (RFC 2047 5), so each can be decoded alone. Of the two encodings the shorter
 * one is taken: Q for what is nearly ASCII, B for the rest. ASCII text with "=?" in it is encoded, too: readers would
 * decode it otherwise, and a stranger's Subject could say in the reply what it did not say before.
 */
#include "autoreply/mail_text.h"
#include <ctype.h>
#include <glib.h>

#define WORD_MAX 75      /* octets of an encoded-word */
#define WORD_FRAME 12    /* "=?UTF-8?Q?" and "?=" */
#define WORD_ROOM_MIN 12 /* less room than this on a line begins a new one: a character of four octets in Q */

/* The character at P: its octets, 0 if there is none; *CODE is it. */
static size_t read_character(const char *p, const char *end, gunichar *code)
{
    if (p == end)
        return 0;
    *code = (unsigned char)*p;
    if (*code < 0x80)
        return 1;
    *code = g_utf8_get_char_validated(p, end - p);
    return *code == (gunichar)-1 || *code == (gunichar)-2 ? 0 : (size_t)(g_utf8_next_char(p) - p);
}

/* C0, DEL, C1, and the separators of lines and paragraphs. */
static bool is_control(gunichar code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

static bool is_sound(struct span text, bool is_line)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    gunichar code;
    while (p < end) {
        size_t len = read_character(p, end, &code);
        if (len == 0 || code == 0 || (is_line && is_control(code)))
            return false;
        p += len;
    }
    return true;
}

bool mail_text_is_utf8(struct span text)
{
    return is_sound(text, false);
}

bool mail_text_is_line(struct span text)
{
    return is_sound(text, true);
}

bool mail_text_is_ascii(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text >= 0x80)
            return false;
    }
    return true;
}

const char *mail_text_clean(struct arena *arena, struct span bytes, size_t max)
{
    struct strbuf out;
    bool is_blank = false;
    size_t fits = 0; /* how much of it leaves room for the dots */
    strbuf_init(&out, max + 8);
    const char *p = bytes.ptr, *end = bytes.ptr + bytes.len;
    while (p < end && out.len <= max) {
        gunichar code = 0;
        size_t len = read_character(p, end, &code);
        if (len > 0 && (is_control(code) || code == ' ')) {
            is_blank = out.len > 0;
        } else {
            if (is_blank)
                strbuf_putc(&out, ' ');
            is_blank = false;
            if (len > 0)
                strbuf_add(&out, (struct span){p, len});
            else
                strbuf_puts(&out, "\xef\xbf\xbd");
            if (out.len + 3 <= max)
                fits = out.len;
        }
        p += len > 0 ? len : 1;
    }
    const char *text =
        out.len <= max ? arena_strdup(arena, strbuf_text(&out)) : arena_printf(arena, "%.*s...", (int)fits, out.ptr);
    strbuf_free(&out);
    return text;
}

/* ---- encoded-words ---- */

/* RFC 2047 5 (3): what may stand in a phrase; '_' is a blank. */
static bool is_q_safe(char c)
{
    return (unsigned char)c < 0x80 && (isalnum((unsigned char)c) || (c && strchr("!*+-/", c)));
}

static size_t q_cost(struct span character)
{
    return character.len == 1 && (is_q_safe(character.ptr[0]) || character.ptr[0] == ' ') ? 1 : 3 * character.len;
}

static bool is_q_shorter(const char *text)
{
    size_t q = 0;
    for (const char *p = text; *p; p++)
        q += q_cost((struct span){p, 1});
    return q <= (strlen(text) + 2) / 3 * 4;
}

static void add_q(struct strbuf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_q_safe(text.ptr[i]))
            strbuf_putc(out, text.ptr[i]);
        else if (text.ptr[i] == ' ')
            strbuf_putc(out, '_');
        else
            strbuf_printf(out, "=%02X", (unsigned char)text.ptr[i]);
    }
}

static void add_b(struct strbuf *out, struct span text)
{
    char *encoded = g_base64_encode((const guchar *)text.ptr, text.len);
    strbuf_puts(out, encoded);
    g_free(encoded);
}

/* How many octets of TEXT, in whole characters, fit into ROOM octets of an encoded-word. In base64 that is all of it,
 * or a multiple of three: some readers join the words before they decode them, and stop at padding in the middle. */
static size_t count_fitting(const char *text, size_t room, bool is_q)
{
    const char *p = text, *end = text + strlen(text);
    size_t cost = 0, fitting = 0;
    gunichar code;
    while (p < end) {
        size_t len = read_character(p, end, &code);
        len = len > 0 ? len : 1;
        cost = is_q ? cost + q_cost((struct span){p, len}) : ((size_t)(p - text) + len + 2) / 3 * 4;
        if (cost > room)
            break;
        p += len;
        if (is_q || p == end || (p - text) % 3 == 0)
            fitting = (size_t)(p - text);
    }
    return fitting;
}

static void add_word(struct strbuf *out, struct span text, bool is_q)
{
    strbuf_printf(out, "=?UTF-8?%c?", is_q ? 'Q' : 'B');
    (is_q ? add_q : add_b)(out, text);
    strbuf_puts(out, "?=");
}

static size_t add_words(struct strbuf *out, size_t column, const char *text)
{
    bool prefers_q = is_q_shorter(text);
    while (*text) {
        if (column + WORD_FRAME + WORD_ROOM_MIN > MAIL_TEXT_LINE) {
            strbuf_puts(out, "\r\n ");
            column = 1;
        }
        size_t room = MAIL_TEXT_LINE - column - WORD_FRAME, start = out->len;
        if (room > WORD_MAX - WORD_FRAME)
            room = WORD_MAX - WORD_FRAME;
        size_t len = prefers_q ? 0 : count_fitting(text, room, false);
        bool is_q = len == 0;
        if (is_q)
            len = count_fitting(text, room, true);
        add_word(out, (struct span){text, len}, is_q);
        column += out->len - start;
        text += len;
        if (*text) {
            strbuf_puts(out, "\r\n ");
            column = 1;
        }
    }
    return column;
}

static bool needs_words(const char *text)
{
    return !mail_text_is_ascii(text) || strstr(text, "=?");
}

size_t mail_text_add_unstructured(struct strbuf *out, size_t column, const char *text)
{
    if (needs_words(text))
        return add_words(out, column, text);
    while (*text) { /* a blank or more, and the word behind them */
        size_t blanks = strspn(text, " "), word = strcspn(text + blanks, " ");
        if (blanks > 0 && word > 0 && column + blanks + word > MAIL_TEXT_LINE) {
            strbuf_puts(out, "\r\n");
            column = 0;
        }
        strbuf_add(out, (struct span){text, blanks + word});
        column += blanks + word;
        text += blanks + word;
    }
    return column;
}

static bool is_plain_phrase(const char *text)
{
    bool is_plain = *text && *text != ' ' && text[strlen(text) - 1] != ' ' && !strstr(text, "  ");
    for (const char *p = text; *p && is_plain; p++)
        is_plain = isalnum((unsigned char)*p) || strchr(" !#$%&'*+-/=?^_`{|}~", *p);
    return is_plain;
}

size_t mail_text_add_phrase(struct strbuf *out, size_t column, const char *text)
{
    if (needs_words(text))
        return add_words(out, column, text);
    if (is_plain_phrase(text))
        return mail_text_add_unstructured(out, column, text);
    size_t start = out->len;
    strbuf_putc(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            strbuf_putc(out, '\\');
        strbuf_putc(out, *text);
    }
    strbuf_putc(out, '"');
    return column + (out->len - start);
}
