/*
 * describe - an option row in words: for messages, tables, the annotated file and the manual.
 */
#include "conf/loader.h"
#include "util/strbuf.h"
#include <inttypes.h>

const char *describe_type(const struct option_row *row)
{
    switch (row->type) {
    case OPTION_BOOL:
        return "yes or no";
    case OPTION_INT:
        return "number";
    case OPTION_SIZE:
        return "size";
    case OPTION_DURATION:
        return "time";
    case OPTION_MODE:
        return "file mode";
    case OPTION_STRING:
        return "text";
    case OPTION_ENUM:
        return "word";
    case OPTION_FLAGS:
        return "list of words";
    case OPTION_STRINGS:
        return "list of texts";
    case OPTION_NETWORKS:
        return "list of networks";
    case OPTION_DOMAINS:
        return "list of domains";
    case OPTION_WORDS:
        return "list of names";
    case OPTION_TEMPLATE:
        return "SMTP reply";
    }
    return "";
}

const char *describe_duration(struct arena *arena, int64_t ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    if (ms == 0)
        return "0";
    size_t i = 0;
    while (ms % units[i].ms != 0)
        i++;
    return arena_printf(arena, "%" PRId64 "%s", ms / units[i].ms, units[i].unit);
}

const char *describe_size(struct arena *arena, uint64_t bytes)
{
    static const char *const units[] = {"", "k", "M", "G"};
    size_t i = 0;
    while (i < 3 && bytes > 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        i++;
    }
    return arena_printf(arena, "%" PRIu64 "%s", bytes, units[i]);
}

static const char *describe_number(struct arena *arena, const struct option_row *row, int64_t number)
{
    if (row->type == OPTION_SIZE)
        return describe_size(arena, (uint64_t)number);
    if (row->type == OPTION_DURATION)
        return describe_duration(arena, number);
    if (row->type == OPTION_MODE)
        return arena_printf(arena, "%04" PRIo64, (uint64_t)number);
    return arena_printf(arena, "%" PRId64, number);
}

static const char *describe_words(struct arena *arena, const struct option_row *row)
{
    const char *words = NULL;
    for (const struct option_word *word = row->words; word && word->name; word++)
        words = words ? arena_printf(arena, "%s, %s", words, word->name) : word->name;
    return words;
}

static const char *describe_placeholders(struct arena *arena, const char *names)
{
    struct strbuf out;
    strbuf_init(&out, 0);
    for (const char *p = names ? names : ""; *p;) {
        size_t n = strcspn(p, " ");
        if (n > 0)
            strbuf_printf(&out, "%s{%.*s}", out.len ? " " : "", (int)n, p);
        p += n + (p[n] == ' ');
    }
    const char *text = out.len ? arena_strdup(arena, strbuf_text(&out)) : NULL;
    strbuf_free(&out);
    return text;
}

const char *describe_range(struct arena *arena, const struct option_row *row)
{
    switch (row->type) {
    case OPTION_ENUM:
    case OPTION_FLAGS:
        return describe_words(arena, row);
    case OPTION_TEMPLATE:
        return describe_placeholders(arena, row->placeholders);
    case OPTION_INT:
    case OPTION_SIZE:
    case OPTION_DURATION:
    case OPTION_MODE:
        if (row->max == 0 && row->type == OPTION_MODE)
            return arena_printf(arena, "%s to 7777", describe_number(arena, row, row->min));
        if (row->max == 0)
            return arena_printf(arena, "at least %s", describe_number(arena, row, row->min));
        return arena_printf(arena, "%s to %s", describe_number(arena, row, row->min),
                            describe_number(arena, row, row->max));
    default:
        return NULL;
    }
}

/* TEXT in double quotes, as libconfuse reads them. */
static const char *quote(struct arena *arena, const char *text)
{
    struct strbuf out;
    strbuf_init(&out, 0);
    strbuf_putc(&out, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\' || (*p == '$' && p[1] == '{'))
            strbuf_putc(&out, '\\');
        strbuf_putc(&out, *p);
    }
    strbuf_putc(&out, '"');
    const char *quoted = arena_strdup(arena, strbuf_text(&out));
    strbuf_free(&out);
    return quoted;
}

static const char *describe_zero(const struct option_row *row)
{
    for (const struct option_word *word = row->words; row->type == OPTION_ENUM && word && word->name; word++) {
        if (word->value == 0)
            return word->name;
    }
    if (row->type == OPTION_BOOL)
        return "no";
    return slot_is_list(row->type) ? "{}" : row->type == OPTION_STRING || row->type == OPTION_TEMPLATE ? "\"\"" : "0";
}

const char *describe_default(struct arena *arena, const struct option_row *row)
{
    const char *def = row->def;
    if (!def || !*def)
        return describe_zero(row);
    bool written = *def == '"' || *def == '\'';
    if (slot_is_list(row->type))
        return *def == '{' ? def : arena_printf(arena, "{ %s }", written ? def : quote(arena, def));
    if (written)
        return def;
    bool text = row->type == OPTION_STRING || row->type == OPTION_TEMPLATE || row->type == OPTION_MODE;
    return text ? quote(arena, def) : def;
}
