/*
 * names - all readings of a name, not the best one.
 *
 * Each value of filename, filename*, name and name* is read in the ways that programs are known to read it: escapes
 * undone or not, percent-decoding with a charset or without, RFC 2047 words decoded though they do not belong there,
 * comments dropped, folds dropped. Continuations are read piece by piece here and joined in names_pieces.c.
 *
 * Content-Description counts only where it looks like the name of a file, because it is prose.
 */
#include "mime/names_private.h"
#include <ctype.h>
#include <stdlib.h>

#define NAMES_MAX 500

void names_add(struct names *names, struct span name)
{
    struct strbuf text;
    name = span_trim(name);
    strbuf_init(&text, 0);
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '\0')
            strbuf_puts(&text, "\xe2\x90\x80");
        else
            strbuf_putc(&text, name.ptr[i]);
    }
    bool known = text.len == 0;
    for (size_t i = 0; i < names->count && !known; i++)
        known = strcmp(names->list[i], text.ptr) == 0;
    names->overflow |= !known && names->count >= NAMES_MAX;
    if (known || names->count >= NAMES_MAX) {
        strbuf_free(&text);
        return;
    }
    if (names->count == names->room) {
        names->room = names->room ? names->room * 2 : 8;
        names->list = realloc(names->list, names->room * sizeof *names->list);
        if (!names->list)
            abort();
    }
    names->list[names->count++] = text.ptr;
}

void names_add_buf(struct names *names, struct strbuf *text)
{
    names_add(names, (struct span){strbuf_text(text), text->len});
    strbuf_free(text);
}

void names_add_text(struct names *names, struct span text)
{
    struct strbuf other;
    names_add(names, text);
    if (memmem(text.ptr, text.len, "=?", 2)) {
        strbuf_init(&other, 0);
        text_decode_words(&other, text);
        names_add_buf(names, &other);
    }
    if (memchr(text.ptr, '%', text.len)) {
        strbuf_init(&other, 0);
        names_percent_decode(&other, text);
        names_add_buf(names, &other);
    }
}

/* TEXT is "charset'language'percent-encoded", or only the last of it. */
static void add_encoded(struct names *names, struct span text)
{
    struct strbuf bytes, utf8;
    names_add(names, text);
    struct span charset = names_take_charset(&text);
    strbuf_init(&bytes, 0);
    strbuf_init(&utf8, 0);
    names_percent_decode(&bytes, text);
    struct span decoded = {strbuf_text(&bytes), bytes.len};
    names_add_text(names, decoded);
    text_to_utf8(&utf8, charset, decoded);
    names_add_buf(names, &utf8);
    strbuf_free(&bytes);
}

static struct strbuf without_comments(struct span value)
{
    struct strbuf text;
    int depth = 0;
    strbuf_init(&text, 0);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '(')
            depth++;
        else if (c == ')' && depth > 0)
            depth--;
        else if (depth == 0)
            strbuf_putc(&text, c);
    }
    return text;
}

static void add_buf_text(struct names *names, struct strbuf *text, bool encoded)
{
    struct span span = {strbuf_text(text), text->len};
    if (encoded)
        add_encoded(names, span);
    else
        names_add_text(names, span);
    strbuf_free(text);
}

static void add_value(struct names *names, const struct param *param, struct span value)
{
    struct strbuf text = names_unfold(value, param->quoted, false);
    add_buf_text(names, &text, param->encoded);
    if (memchr(value.ptr, '\n', value.len)) {
        text = names_unfold(value, param->quoted, true);
        add_buf_text(names, &text, param->encoded);
    }
    if (param->quoted && memchr(value.ptr, '\\', value.len)) {
        text = names_unfold(value, false, false);
        add_buf_text(names, &text, param->encoded);
    }
    if (!param->quoted && memchr(value.ptr, '(', value.len)) {
        text = without_comments(value);
        add_buf_text(names, &text, param->encoded);
    }
}

/* A quoted value with what sticks to it, the quotes gone: "run".exe */
static void add_glued(struct names *names, struct span whole)
{
    struct strbuf text;
    strbuf_init(&text, 0);
    for (size_t i = 0; i < whole.len; i++) {
        if (whole.ptr[i] != '"')
            strbuf_putc(&text, whole.ptr[i]);
    }
    names_add_buf(names, &text);
}

/* VALUE up to the first of STOPS. */
static struct span cut_at(struct span value, const char *stops)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] && strchr(stops, value.ptr[i]))
            return (struct span){value.ptr, i};
    }
    return value;
}

static int take_param(void *context, const struct param *param)
{
    struct names *names = context;
    bool filename = span_equals_nocase(param->name, "filename");
    if (!filename && !span_equals_nocase(param->name, "name"))
        return 0;
    if (param->index >= 0)
        names_keep_piece(names, param, filename);
    add_value(names, param, param->value);
    if (param->quoted && param->whole.len != param->value.len)
        add_glued(names, param->whole);
    else if (param->whole.len != param->value.len)
        add_value(names, param, param->whole);
    if (param->open) { /* the value may be meant to end here */
        add_value(names, param, cut_at(param->value, ";"));
        add_value(names, param, cut_at(param->value, "\n"));
    } else if (!param->quoted) {
        add_value(names, param, cut_at(param->value, " \t"));
    }
    return 0;
}

/* ---- Content-Description ---- */

/* One word (or some words, if the ending is none that domains have) with an extension of 1 to 10 letters and digits. */
static bool looks_like_file(struct span text)
{
    const char *dot = memrchr(text.ptr, '.', text.len);
    if (!dot || dot == text.ptr || text.len > 255)
        return false;
    struct span extension = {dot + 1, text.len - (size_t)(dot + 1 - text.ptr)};
    if (extension.len < 1 || extension.len > 10)
        return false;
    for (size_t i = 0; i < extension.len; i++) {
        if (!isalnum((unsigned char)extension.ptr[i]))
            return false;
    }
    if (memchr(text.ptr, '@', text.len) || memmem(text.ptr, text.len, "://", 3))
        return false;
    bool domain = span_equals_nocase(extension, "com") || span_equals_nocase(extension, "ws");
    bool words = memchr(text.ptr, ' ', text.len) != NULL;
    return !(domain && (words || (text.len > 4 && strncasecmp(text.ptr, "www.", 4) == 0)));
}

static void add_description(struct names *names, struct span value)
{
    struct strbuf plain = names_unfold(value, false, false), decoded;
    strbuf_init(&decoded, 0);
    text_decode_words(&decoded, (struct span){strbuf_text(&plain), plain.len});
    struct span text = span_trim((struct span){strbuf_text(&decoded), decoded.len});
    while (text.len > 0 && strchr("\"'.", text.ptr[text.len - 1]) && text.ptr[text.len - 1])
        text.len--;
    while (text.len > 0 && (text.ptr[0] == '"' || text.ptr[0] == '\'')) {
        text.ptr++;
        text.len--;
    }
    if (text.len > 0 && looks_like_file(text))
        names_add(names, text);
    strbuf_free(&plain);
    strbuf_free(&decoded);
}

/* For readings in which a continuation would be joined a second time. */
static int take_whole_param(void *context, const struct param *param)
{
    return param->index < 0 ? take_param(context, param) : 0;
}

static void add_params(struct names *names, struct span value)
{
    params_each(value, take_param, names);
    if (memchr(value.ptr, '"', value.len))
        params_each_torn(value, take_whole_param, names);
    if (memmem(value.ptr, value.len, "=?", 2)) { /* some decode the words of the field before they take it apart */
        struct strbuf decoded;
        strbuf_init(&decoded, 0);
        if (text_decode_words(&decoded, value))
            params_each((struct span){strbuf_text(&decoded), decoded.len}, take_whole_param, names);
        strbuf_free(&decoded);
    }
}

static bool is_one_of(struct span field, const char *const *fields)
{
    while (*fields && !span_equals_nocase(field, *fields))
        fields++;
    return *fields != NULL;
}

bool names_field_matters(struct span field)
{
    return (field.len > 7 && strncasecmp(field.ptr, "content", 7) == 0) || span_equals_nocase(field, "X-Sun-Data-Name");
}

void names_add_field(struct names *names, struct span field, struct span value)
{
    /* Thunderbird takes a name from the first two where there is no better one. */
    static const char *const whole[] = {"Content-Name", "X-Sun-Data-Name", "Content-Description", NULL};
    static const char *const params[] = {"Content-Type", "Content-Disposition", NULL};
    if (is_one_of(field, whole))
        add_description(names, value);
    else if (is_one_of(field, params))
        add_params(names, value);
}

void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    names_pieces_free(names);
    free(names->list);
    *names = (struct names){0};
}
