/*
 * problem - messages about a configuration.
 *
 * Every message passes here, so that all have one form, none is told twice, and none carries a control byte of the
 * file to the terminal. They are kept until the whole file was read, and then told in the order of its lines: faults of
 * the structure are found before those of the values, which is nobody's business. A name that is nearly right gets a
 * suggestion: the nearest one by edit distance, if it is at most two steps away and more of the name is right than
 * wrong.
 */
#include "conf/loader.h"
#include "util/strbuf.h"
#include <stdlib.h>

#define QUOTE_MAX 80 /* octets of a value in a message */
#define NAME_MAX_COMPARED 40

static void add_clean(struct strbuf *out, const char *text)
{
    for (const char *p = text; *p; p++)
        strbuf_putc(out, (unsigned char)*p < 0x20 || *p == 0x7f ? '?' : *p);
}

struct problem {
    size_t file; /* the number of the first problem in this file */
    int line;
    size_t number;
    const char *name, *text;
};

static void keep(struct loader *loader, const char *file, int line, const char *text)
{
    size_t n = loader->kept++;
    loader->problem = arena_grow(loader->scratch, loader->problem, &loader->capacity, n + 1, sizeof *loader->problem);
    size_t first = 0;
    while (first < n && strcmp(loader->problem[first].name, file) != 0)
        first++;
    loader->problem[n] =
        (struct problem){first, line, n, arena_strdup(loader->scratch, file), arena_strdup(loader->scratch, text)};
}

static int compare(const void *left, const void *right)
{
    const struct problem *a = left, *b = right;
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

void conf_print_problem(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

void problem_tell(struct loader *loader)
{
    if (loader->kept == 0 || !loader->problems)
        return;
    qsort(loader->problem, loader->kept, sizeof *loader->problem, compare);
    for (size_t i = 0; i < loader->kept; i++) {
        loader->problems->count++;
        if (loader->problems->report)
            loader->problems->report(loader->problems->context, loader->problem[i].text);
    }
    if (loader->kept >= PROBLEMS_MAX && loader->problems->report)
        loader->problems->report(loader->problems->context, "there may be more problems; these are enough for now");
}

static void __attribute__((format(printf, 3, 0)))
add_formatted(struct strbuf *out, struct arena *scratch, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = arena_alloc(scratch, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, args);
    strbuf_puts(out, text);
}

void problem_report(struct loader *loader, const char *file, int line, const struct conf_section *section,
                    struct span name, const char *format, ...)
{
    struct strbuf raw, text;
    strbuf_init(&raw, 0);
    strbuf_init(&text, 0);
    if (loader->defaults)
        strbuf_puts(&raw, "default of ");
    else if (line > 0)
        strbuf_printf(&raw, "%s:%d: ", file, line);
    else
        strbuf_printf(&raw, "%s: ", file);
    if (section && section->name[0])
        strbuf_printf(&raw, "%s: ", section->name);
    if (name.len > 0)
        strbuf_printf(&raw, "%.*s: ", (int)name.len, name.ptr);
    va_list args;
    va_start(args, format);
    add_formatted(&raw, loader->scratch, format, args);
    va_end(args);
    add_clean(&text, strbuf_text(&raw));
    loader->found++;
    if (loader->kept < PROBLEMS_MAX && strset_add(loader->known, span_of(strbuf_text(&text))))
        keep(loader, file, line, strbuf_text(&text));
    strbuf_free(&raw);
    strbuf_free(&text);
}

const char *problem_quote(struct loader *loader, struct span text)
{
    bool cut = text.len > QUOTE_MAX;
    return arena_printf(loader->scratch, "'%.*s%s'", (int)(cut ? QUOTE_MAX : text.len), text.ptr, cut ? "..." : "");
}

/* Levenshtein's distance, for short names; anything long is far away. */
static size_t edit_distance(struct span a, const char *b)
{
    size_t row[NAME_MAX_COMPARED + 1], blen = strlen(b);
    if (a.len > NAME_MAX_COMPARED || blen > NAME_MAX_COMPARED)
        return SIZE_MAX;
    for (size_t j = 0; j <= blen; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= blen; j++) {
            size_t above = row[j], best = diagonal + (a.ptr[i - 1] != b[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[blen];
}

static void keep_nearest(struct span name, const char *candidate, const char **nearest, size_t *distance)
{
    size_t d = edit_distance(name, candidate);
    if (d < *distance && d <= 2 && d * 2 < name.len + 1) {
        *distance = d;
        *nearest = candidate;
    }
}

const char *problem_suggest_section(struct loader *loader, struct span name)
{
    const char *nearest = NULL;
    size_t distance = SIZE_MAX;
    for (size_t i = 0; i < loader->count; i++)
        keep_nearest(name, loader->sections[i].name, &nearest, &distance);
    return nearest && *nearest ? arena_printf(loader->scratch, " (did you mean '%s'?)", nearest) : "";
}

const char *problem_suggest_option(struct loader *loader, const struct conf_section *section, struct span name)
{
    const char *nearest = NULL;
    size_t distance = SIZE_MAX;
    for (size_t i = 0; i < loader->count; i++) {
        if (&loader->sections[i] == section || !slot_find(loader, &loader->sections[i], name))
            continue;
        if (!loader->sections[i].name[0])
            return " (it belongs to the top level of the file)";
        nearest = loader->sections[i].name;
    }
    if (nearest)
        return arena_printf(loader->scratch, " (it belongs to section '%s')", nearest);
    for (const struct option_row *row = section->rows; row->name; row++)
        keep_nearest(name, row->name, &nearest, &distance);
    return nearest ? arena_printf(loader->scratch, " (did you mean '%s'?)", nearest) : "";
}
