/*
 * names - all readings of a name, not the best one.
 *
 * Each value of filename, filename*, name and name* is read in the ways that programs are known to read it: escapes
 * undone or not, percent-decoding with a charset or without, RFC 2047 words decoded though they do not belong there,
 * comments dropped, folds dropped. Continuations are joined by index over gaps, up to the first gap, and in the order
 * they stand in; of pieces with the same index once the first and once the last is taken.
 *
 * Content-Description counts only where it looks like the name of a file, because it is prose.
 */
#include "mime/names.h"
#include "mime/params.h"
#include <ctype.h>
#include <stdlib.h>

#define NAMES_MAX 500
#define PIECES_MAX 500

struct piece {
    bool filename; /* filename, not name */
    bool encoded;
    int index;
    unsigned order;
    struct strbuf value;
};

struct name_pieces {
    struct piece list[PIECES_MAX];
    unsigned count;
};

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

static void names_add_buf(struct names *names, struct strbuf *text)
{
    names_add(names, (struct span){strbuf_text(text), text->len});
    strbuf_free(text);
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* True if there was anything to decode. */
static bool percent_decode(struct strbuf *to, struct span text)
{
    bool any = false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '%' && i + 2 < text.len && hex(text.ptr[i + 1]) >= 0 && hex(text.ptr[i + 2]) >= 0) {
            strbuf_putc(to, (char)(hex(text.ptr[i + 1]) << 4 | hex(text.ptr[i + 2])));
            i += 2;
            any = true;
        } else {
            strbuf_putc(to, text.ptr[i]);
        }
    }
    return any;
}

/* As it is, with words decoded, with percents decoded. */
static void add_text(struct names *names, struct span text)
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
        percent_decode(&other, text);
        names_add_buf(names, &other);
    }
}

/* TEXT is "charset'language'percent-encoded", or only the last of it. */
static void add_encoded(struct names *names, struct span text)
{
    struct strbuf bytes, utf8;
    struct span charset = {"", 0};
    const char *first = memchr(text.ptr, '\'', text.len);
    const char *second = first ? memchr(first + 1, '\'', text.len - (size_t)(first + 1 - text.ptr)) : NULL;
    names_add(names, text);
    if (second) {
        charset = (struct span){text.ptr, (size_t)(first - text.ptr)};
        text = (struct span){second + 1, text.len - (size_t)(second + 1 - text.ptr)};
    }
    strbuf_init(&bytes, 0);
    strbuf_init(&utf8, 0);
    percent_decode(&bytes, text);
    struct span decoded = {strbuf_text(&bytes), bytes.len};
    add_text(names, decoded);
    text_to_utf8(&utf8, charset, decoded);
    names_add_buf(names, &utf8);
    strbuf_free(&bytes);
}

/* Copies VALUE without line ends; with UNESCAPE without backslashes; with SQUEEZE without the blanks of a fold. */
static struct strbuf unfold(struct span value, bool unescape, bool squeeze)
{
    struct strbuf text;
    strbuf_init(&text, 0);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bool line_end = c == '\n' || (c == '\r' && i + 1 < value.len && value.ptr[i + 1] == '\n');
        if (line_end) {
            while (squeeze && c == '\n' && i + 1 < value.len && (value.ptr[i + 1] == ' ' || value.ptr[i + 1] == '\t'))
                i++;
            continue;
        }
        if (unescape && c == '\\' && i + 1 < value.len)
            c = value.ptr[++i];
        strbuf_putc(&text, c);
    }
    return text;
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
        add_text(names, span);
    strbuf_free(text);
}

static void add_value(struct names *names, const struct param *param, struct span value)
{
    struct strbuf text = unfold(value, param->quoted, false);
    add_buf_text(names, &text, param->encoded);
    if (memchr(value.ptr, '\n', value.len)) {
        text = unfold(value, param->quoted, true);
        add_buf_text(names, &text, param->encoded);
    }
    if (param->quoted && memchr(value.ptr, '\\', value.len)) {
        text = unfold(value, false, false);
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

static void keep_piece(struct names *names, const struct param *param, bool filename)
{
    if (!names->pieces)
        names->pieces = calloc(1, sizeof *names->pieces);
    if (!names->pieces)
        abort();
    struct name_pieces *pieces = names->pieces;
    if (pieces->count == PIECES_MAX) {
        names->overflow = true;
        return;
    }
    struct piece *piece = &pieces->list[pieces->count];
    *piece = (struct piece){filename, param->encoded, param->index, pieces->count, {0}};
    piece->value = unfold(param->value, param->quoted, false);
    pieces->count++;
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
        keep_piece(names, param, filename);
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

/* ---- continuations ---- */

enum join { JOIN_FIRST, JOIN_LAST, JOIN_AS_WRITTEN, JOIN_TO_GAP };

static int by_index(const void *a, const void *b)
{
    const struct piece *const *x = a, *const *y = b;
    if ((*x)->index != (*y)->index)
        return (*x)->index < (*y)->index ? -1 : 1;
    return (*x)->order < (*y)->order ? -1 : 1;
}

static bool skipped(struct piece *const *pieces, unsigned i, unsigned count, enum join how)
{
    if (how == JOIN_AS_WRITTEN)
        return false;
    if (how == JOIN_LAST)
        return i + 1 < count && pieces[i + 1]->index == pieces[i]->index;
    return i > 0 && pieces[i - 1]->index == pieces[i]->index;
}

static void join(struct names *names, struct piece *const *pieces, unsigned count, enum join how)
{
    struct strbuf bytes, utf8;
    struct span charset = {"", 0};
    bool started = false;
    int expected = 0;
    strbuf_init(&bytes, 0);
    strbuf_init(&utf8, 0);
    for (unsigned i = 0; i < count; i++) {
        if (skipped(pieces, i, count, how))
            continue;
        if (how == JOIN_TO_GAP && pieces[i]->index != expected++)
            break;
        struct span text = {strbuf_text(&pieces[i]->value), pieces[i]->value.len};
        const char *first = pieces[i]->encoded && !started ? memchr(text.ptr, '\'', text.len) : NULL;
        const char *second = first ? memchr(first + 1, '\'', text.len - (size_t)(first + 1 - text.ptr)) : NULL;
        if (second) {
            charset = (struct span){text.ptr, (size_t)(first - text.ptr)};
            text = (struct span){second + 1, text.len - (size_t)(second + 1 - text.ptr)};
        }
        started = true;
        if (pieces[i]->encoded)
            percent_decode(&bytes, text);
        else
            strbuf_add(&bytes, text);
    }
    struct span joined = {strbuf_text(&bytes), bytes.len};
    text_to_utf8(&utf8, charset, joined);
    names_add_buf(names, &utf8);
    add_text(names, joined);
    strbuf_free(&bytes);
}

static void join_kind(struct names *names, bool filename)
{
    struct piece *pieces[PIECES_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < names->pieces->count; i++) {
        if (names->pieces->list[i].filename == filename)
            pieces[count++] = &names->pieces->list[i];
    }
    if (count == 0)
        return;
    join(names, pieces, count, JOIN_AS_WRITTEN);
    qsort(pieces, count, sizeof *pieces, by_index);
    join(names, pieces, count, JOIN_FIRST);
    join(names, pieces, count, JOIN_LAST);
    join(names, pieces, count, JOIN_TO_GAP);
}

void names_join(struct names *names)
{
    if (!names->pieces)
        return;
    join_kind(names, true);
    join_kind(names, false);
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
    struct strbuf plain = unfold(value, false, false), decoded;
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
    return (field.len > 7 && strncasecmp(field.ptr, "content", 7) == 0) ||
           span_equals_nocase(field, "X-Sun-Data-Name");
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
    for (unsigned i = 0; names->pieces && i < names->pieces->count; i++)
        strbuf_free(&names->pieces->list[i].value);
    free(names->pieces);
    free(names->list);
    *names = (struct names){0};
}
