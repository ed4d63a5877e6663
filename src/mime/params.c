/*
 * params - reads parameters where the grammar of RFC 2045 would give up.
 *
 * A parameter is whatever has a '=' with something like a name before it, after a ';', a line or white space. A quote
 * that is never closed ends with the value. Unquoted values may hold spaces. Lines that begin a parameter end the one
 * before, semicolon or not. Nothing here chooses among values; names.c reports them all.
 */
#include "mime/params.h"
#include <ctype.h>
#include <errno.h>
#include <glib.h>
#include <gmime/gmime.h>
#include <iconv.h>
#include <stdlib.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool ends_name(char c)
{
    return is_blank(c) || c == ';' || c == '"' || c == ',' || c == '=';
}

/* The name that ends before the '=' at AT, comments and blanks between them stepped over. */
static struct span name_before(const char *start, const char *at)
{
    while (at > start && is_blank(at[-1]))
        at--;
    if (at > start && at[-1] == ')') {
        while (at > start && at[-1] != '(')
            at--;
        at -= at > start;
        while (at > start && is_blank(at[-1]))
            at--;
    }
    const char *end = at;
    while (at > start && !ends_name(at[-1]))
        at--;
    return (struct span){at, (size_t)(end - at)};
}

/* "filename*12*" -> "filename", 12, encoded. */
static void split_name(struct param *param)
{
    struct span name = param->name;
    const char *star = memchr(name.ptr, '*', name.len);
    if (!star)
        return;
    const char *at = star + 1, *end = name.ptr + name.len;
    int index = 0;
    bool digits = false;
    for (; at < end && isdigit((unsigned char)*at) && index < 100000; at++, digits = true)
        index = index * 10 + (*at - '0');
    param->index = digits ? index : -1;
    param->encoded = !digits || at < end;
    param->name.len = (size_t)(star - name.ptr);
}

/* True if a line that starts at AT begins a parameter: something like a name, and '='. */
static bool starts_param(const char *at, const char *end)
{
    const char *from = at;
    while (at < end && !ends_name(*at) && at - from < 40)
        at++;
    return at > from && at < end && *at == '=' && !memmem(from, (size_t)(at - from), "?", 1);
}

static const char *take_quoted(struct param *param, const char *at, const char *end)
{
    const char *from = ++at;
    while (at < end && *at != '"')
        at += *at == '\\' && at + 1 < end ? 2 : 1;
    if (at > end)
        at = end;
    param->quoted = true;
    param->value = (struct span){from, (size_t)(at - from)};
    param->open = at >= end;
    if (at < end)
        at++;
    const char *rest = at;
    while (at < end && *at != ';' && !is_blank(*at))
        at++;
    param->whole = (struct span){from, (size_t)(at - from)};
    if (at == rest)
        param->whole = param->value;
    return at;
}

static const char *take_unquoted(struct param *param, const char *at, const char *end)
{
    const char *from = at;
    param->value = (struct span){from, 0};
    bool lines = false;
    for (; at < end && *at != ';'; at++) {
        if (*at != '\n' || at + 1 >= end)
            continue;
        const char *next = at + 1;
        while (next < end && is_blank(*next))
            next++;
        if (!lines)
            param->value.len = (size_t)(at - from);
        lines = true;
        if (starts_param(next, end))
            break;
    }
    param->whole = span_trim((struct span){from, (size_t)(at - from)});
    param->value = lines ? span_trim(param->value) : param->whole;
    return at;
}

void params_each(struct span value, int (*visit)(void *context, const struct param *param), void *context)
{
    const char *at = value.ptr, *end = value.ptr + value.len;
    while (at < end) {
        const char *equals = memchr(at, '=', (size_t)(end - at));
        if (!equals)
            return;
        struct param param = {.name = name_before(at, equals), .index = -1};
        at = equals + 1;
        if (param.name.len == 0)
            continue;
        split_name(&param);
        while (at < end && is_blank(*at))
            at++;
        at = at < end && *at == '"' ? take_quoted(&param, at, end) : take_unquoted(&param, at, end);
        if (visit(context, &param) != 0)
            return;
    }
}

/* ---- text ---- */

void text_to_utf8(struct strbuf *to, struct span charset, struct span bytes)
{
    char name[64];
    if (charset.len == 0 || charset.len >= sizeof name || span_equals_nocase(charset, "utf-8")) {
        strbuf_add(to, bytes);
        return;
    }
    memcpy(name, charset.ptr, charset.len);
    name[charset.len] = '\0';
    char *language = strchr(name, '*'); /* RFC 2231 section 5 */
    if (language)
        *language = '\0';
    iconv_t converter = iconv_open("UTF-8", name);
    if (converter == (iconv_t)-1) {
        strbuf_add(to, bytes);
        return;
    }
    char *in = (char *)bytes.ptr, room[512];
    size_t left = bytes.len;
    while (left > 0) {
        char *out = room;
        size_t free_room = sizeof room;
        size_t n = iconv(converter, &in, &left, &out, &free_room);
        strbuf_add(to, (struct span){room, sizeof room - free_room});
        if (n == (size_t)-1 && errno != E2BIG && left > 0) { /* what does not fit stays as it is */
            strbuf_putc(to, *in++);
            left--;
        }
    }
    iconv_close(converter);
}

struct word {
    struct span charset, text;
    char encoding;
    const char *end; /* behind the word */
};

/* A word that starts at AT ("=?"); its end may be missing. */
static bool take_word(struct word *word, const char *at, const char *end)
{
    const char *charset = at + 2, *mark = memchr(charset, '?', (size_t)(end - charset));
    if (!mark || mark == charset || end - mark < 3 || mark[2] != '?' || !strchr("bBqQ", mark[1]) || !mark[1])
        return false;
    const char *text = mark + 3, *close = text;
    while (close < end && !(close[0] == '?' && (close + 1 == end || close[1] == '=')))
        close++;
    word->charset = (struct span){charset, (size_t)(mark - charset)};
    word->text = (struct span){text, (size_t)(close - text)};
    word->encoding = (char)toupper((unsigned char)mark[1]);
    word->end = end - close >= 2 ? close + 2 : end;
    return true;
}

static void decode_word_text(struct strbuf *to, const struct word *word)
{
    GMimeEncoding state;
    g_mime_encoding_init_decode(&state, word->encoding == 'B' ? GMIME_CONTENT_ENCODING_BASE64
                                                              : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
    char *copy = malloc(word->text.len + 3), *room = malloc(g_mime_encoding_outlen(&state, word->text.len + 3) + 16);
    if (!copy || !room)
        abort();
    memcpy(copy, word->text.ptr, word->text.len);
    for (size_t i = 0; word->encoding == 'Q' && i < word->text.len; i++) {
        if (copy[i] == '_')
            copy[i] = ' ';
    }
    size_t len = word->text.len, sextets = 0;
    for (size_t i = 0; word->encoding == 'B' && i < word->text.len; i++)
        sextets += isalnum((unsigned char)copy[i]) || copy[i] == '+' || copy[i] == '/';
    for (size_t missing = -sextets & 3; word->encoding == 'B' && missing > 0 && missing < 3 && len < word->text.len + 3;
         missing--)
        copy[len++] = '='; /* the decoder drops a group that is not whole */
    size_t n = g_mime_encoding_flush(&state, copy, len, room);
    strbuf_add(to, (struct span){room, n});
    free(copy);
    free(room);
}

bool text_decode_words(struct strbuf *to, struct span text)
{
    const char *at = text.ptr, *end = text.ptr + text.len;
    struct strbuf bytes; /* of words in one charset side by side: a character may be split between them */
    struct span charset = {NULL, 0};
    bool any = false;
    strbuf_init(&bytes, 0);
    while (at < end) {
        const char *next = memmem(at, (size_t)(end - at), "=?", 2);
        struct word word;
        bool is_word = next && take_word(&word, next, end);
        const char *plain_end = is_word ? next : next ? next + 2 : end;
        struct span plain = {at, (size_t)(plain_end - at)};
        bool between = charset.ptr && is_word && span_trim(plain).len == 0;
        if (charset.ptr && (!between || word.charset.len != charset.len ||
                            strncasecmp(word.charset.ptr, charset.ptr, charset.len) != 0)) {
            text_to_utf8(to, charset, (struct span){strbuf_text(&bytes), bytes.len});
            strbuf_free(&bytes);
            charset.ptr = NULL;
        }
        if (!between)
            strbuf_add(to, plain);
        at = plain_end;
        if (is_word) {
            decode_word_text(&bytes, &word);
            charset = word.charset;
            at = word.end;
            any = true;
        }
    }
    if (charset.ptr)
        text_to_utf8(to, charset, (struct span){strbuf_text(&bytes), bytes.len});
    strbuf_free(&bytes);
    return any;
}
