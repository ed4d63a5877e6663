/*
 * header_text - small readers, each a single pass.
 */
#include "autoreply/header_text.h"
#include "util/strbuf.h"

bool header_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

const char *header_comment_end(const char *p, const char *end)
{
    size_t depth = 0;
    for (; p < end; p++) {
        if (*p == '\\' && p + 1 < end)
            p++;
        else if (*p == '(')
            depth++;
        else if (*p == ')' && --depth == 0)
            return p + 1;
    }
    return NULL;
}

const char *header_quoted_end(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (*p == '\\' && p + 1 < end)
            p++;
        else if (*p == '"')
            return p + 1;
    }
    return NULL;
}

bool header_skip(const char **p, const char *end)
{
    while (*p < end && (header_is_blank(**p) || **p == '(')) {
        const char *next = **p == '(' ? header_comment_end(*p, end) : *p + 1;
        if (!next) {
            *p = end;
            return false;
        }
        *p = next;
    }
    return true;
}

struct span header_word(const char **p, const char *end, const char *stops)
{
    const char *start = *p;
    while (*p < end && !header_is_blank(**p) && **p != '(' && !(**p && strchr(stops, **p)))
        (*p)++;
    return (struct span){start, (size_t)(*p - start)};
}

struct span header_keyword(const char **p, const char *end, const char *stops)
{
    while (*p < end && (**p == '"' || **p == '\0' || header_is_blank(**p)))
        (*p)++;
    struct span word = header_word(p, end, stops);
    const char *nul = memchr(word.ptr, '\0', word.len);
    if (nul)
        word.len = (size_t)(nul - word.ptr);
    return word;
}

bool header_is(const struct header_field *field, const char *name)
{
    return span_equals_nocase(span_trim(field->name), name);
}

const struct header_field *header_next(const struct header_field *headers, size_t count, const char *name, size_t *at)
{
    while (*at < count) {
        const struct header_field *field = &headers[(*at)++];
        if (header_is(field, name))
            return field;
    }
    return NULL;
}

const char *header_show(struct arena *arena, struct span value, size_t max)
{
    struct strbuf out;
    bool is_blank = false;
    strbuf_init(&out, max);
    value = span_trim(value);
    for (size_t i = 0; i < value.len && !out.truncated; i++) {
        if (header_is_blank(value.ptr[i])) {
            is_blank = true;
            continue;
        }
        if (is_blank)
            strbuf_putc(&out, ' ');
        is_blank = false;
        strbuf_add_printable(&out, (struct span){value.ptr + i, 1});
    }
    const char *text = arena_printf(arena, "%s%s", strbuf_text(&out), out.truncated ? "..." : "");
    strbuf_free(&out);
    return text;
}
