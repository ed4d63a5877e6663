/*
 * template - parsed once into literal and placeholder pieces, expanded for each reply.
 *
 * Everything that can be wrong with an administrator's text is found at parse time; expansion cannot fail.
 */
#include "core/template.h"
#include "util/strbuf.h"
#include <ctype.h>
#include <stdbool.h>

#define VALUE_MAX 255 /* octets a placeholder may bring */

struct piece {
    const char *literal;     /* NULL for a placeholder */
    const char *placeholder;
};

struct template {
    const char *text;
    struct piece *pieces;
    size_t count, capacity;
};

static bool name_is_allowed(struct span name, const char *allowed)
{
    for (const char *p = allowed ? allowed : ""; *p;) {
        size_t n = strcspn(p, " ");
        if (n == name.len && memcmp(p, name.ptr, n) == 0)
            return true;
        p += n + (p[n] == ' ');
    }
    return false;
}

/* "550 5.7.1 " at the start of TEXT: its length, or 0. */
static size_t codes_length(const char *text)
{
    const char *p = text;
    if (!isdigit((unsigned char)p[0]) || p[1] < '0' || p[1] > '5' || !isdigit((unsigned char)p[2]) || p[3] != ' ')
        return 0;
    p += 4;
    if (!isdigit((unsigned char)p[0]) || p[1] != '.')
        return 0;
    p += 2;
    for (int part = 0; part < 2; part++) {
        size_t digits = strspn(p, "0123456789");
        if (digits < 1 || digits > 3)
            return 0;
        p += digits;
        if (*p++ != (part == 0 ? '.' : ' '))
            return 0;
    }
    return (size_t)(p - text);
}

static const char *find_fault(struct arena *arena, const char *text, const char *classes)
{
    size_t codes = codes_length(text);
    if (codes == 0)
        return "must begin with an SMTP code and an enhanced status code, like \"550 5.7.1 \"";
    if (!strchr(classes, text[0]))
        return arena_printf(arena, "must have an SMTP code that begins with %s%s%s", (char[]){classes[0], 0},
                            classes[1] ? " or " : "", classes[1] ? classes + 1 : "");
    if (text[4] != text[0])
        return "has an enhanced status code of another class than its SMTP code";
    if (strncmp(text, "421", 3) == 0)
        return "must not have the code 421: it would close the session";
    if (!text[codes])
        return "has no text behind the codes";
    for (const char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
            return "must be printable ASCII on one line";
    }
    return strlen(text) > REPLY_MAX ? "is longer than an SMTP reply line" : NULL;
}

static void add_piece(struct arena *arena, struct template *template, struct span text, bool placeholder)
{
    if (text.len == 0)
        return;
    template->pieces = arena_grow(arena, template->pieces, &template->capacity, template->count + 1,
                                  sizeof *template->pieces);
    struct piece *piece = &template->pieces[template->count++];
    *piece = (struct piece){NULL, NULL};
    *(placeholder ? &piece->placeholder : &piece->literal) = arena_spandup(arena, text);
}

const struct template *template_parse(struct arena *arena, const char *text, const char *allowed, const char *classes,
                                      const char **why)
{
    struct template *template = ARENA_NEW(arena, struct template);
    if ((*why = find_fault(arena, text, classes)))
        return NULL;
    template->text = arena_strdup(arena, text);
    const char *start = template->text, *p = start;
    while (*p) {
        if (*p != '{') {
            p++;
            continue;
        }
        if (p[1] == '{') { /* one brace stays, the other goes */
            add_piece(arena, template, (struct span){start, (size_t)(p + 1 - start)}, false);
            start = p += 2;
            continue;
        }
        const char *end = strchr(p, '}');
        struct span name = {p + 1, end ? (size_t)(end - p - 1) : 0};
        if (!end || !name_is_allowed(name, allowed)) {
            *why = arena_printf(arena, "has a placeholder that does not exist here: %.*s (allowed: %s)",
                                (int)(end ? name.len + 2 : strlen(p)), p, allowed && *allowed ? allowed : "none");
            return NULL;
        }
        add_piece(arena, template, (struct span){start, (size_t)(p - start)}, false);
        add_piece(arena, template, name, true);
        start = p = end + 1;
    }
    add_piece(arena, template, span_of(start), false);
    return template;
}

const char *template_expand(const struct template *template, struct arena *arena, const struct placeholder *values)
{
    struct strbuf out;
    strbuf_init(&out, REPLY_MAX);
    for (size_t i = 0; i < template->count; i++) {
        const struct piece *piece = &template->pieces[i];
        if (piece->literal) {
            strbuf_puts(&out, piece->literal);
            continue;
        }
        for (const struct placeholder *v = values; v && v->name; v++) {
            if (strcmp(v->name, piece->placeholder) != 0)
                continue;
            struct span value = v->value;
            if (value.len > VALUE_MAX)
                value.len = VALUE_MAX;
            strbuf_add_printable(&out, value);
        }
    }
    const char *reply = arena_strdup(arena, strbuf_text(&out));
    strbuf_free(&out);
    return reply;
}

const char *template_text(const struct template *template)
{
    return template->text;
}
