/*
 * value - the text of one value, and what it means.
 *
 * libconfuse could parse numbers and booleans itself, but it knows no ranges, reads 010 as octal, and stops at the
 * first fault. So it hands over texts, and this file says of each what is wrong with it. Nothing is guessed: a number
 * with an unknown unit, a fraction or a sign too many is refused.
 */
#include "conf/loader.h"
#include "core/template.h"

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {"", 1}, {"k", 1024}, {"M", 1024 * 1024}, {"G", 1024 * 1024 * 1024}, {NULL, 0}};

static const struct unit duration_units[] = {{"", 1000},     {"ms", 1},       {"s", 1000}, {"m", 60000},
                                             {"h", 3600000}, {"d", 86400000}, {NULL, 0}};

/* The digits at *TEXT, which is moved behind them. 0; 1 = no digits; 2 = too many of them. */
static int parse_digits(const char **text, uint64_t *number)
{
    const char *p = *text;
    *number = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = (unsigned)(*p - '0');
        if (*number > (UINT64_MAX - digit) / 10)
            return 2;
        *number = *number * 10 + digit;
    }
    int none = p == *text;
    *text = p;
    return none;
}

/* A number and a unit, the product at most INT64_MAX. 0; 1 = not of this form; 2 = too large. */
static int parse_with_unit(const char *text, const struct unit *units, uint64_t *product)
{
    uint64_t number;
    int fault = parse_digits(&text, &number);
    if (fault)
        return fault;
    for (; units->name; units++) {
        if (strcasecmp(text, units->name) != 0)
            continue;
        if (number > INT64_MAX / units->factor)
            return 2;
        *product = number * units->factor;
        return 0;
    }
    return 1;
}

static const char *check_range(struct arena *arena, const struct option_row *row, int64_t number)
{
    if (number >= row->min && (row->max == 0 || number <= row->max))
        return NULL;
    return arena_printf(arena, "is out of range (%s)", describe_range(arena, row));
}

static const char *parse_bool(const char *text, bool *member)
{
    static const char *const yes[] = {"yes", "true", "on"}, *const no[] = {"no", "false", "off"};
    for (size_t i = 0; i < 3; i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *member = strcasecmp(text, yes[i]) == 0;
            return NULL;
        }
    }
    return "is neither yes nor no";
}

static const char *parse_int(struct arena *arena, const struct option_row *row, const char *text, int64_t *member)
{
    uint64_t number;
    bool negative = *text == '-';
    const char *p = text + negative;
    int fault = parse_digits(&p, &number);
    if (fault == 2 || (fault == 0 && !*p && number > INT64_MAX))
        return "is too large a number";
    if (fault || *p)
        return "is no whole number";
    *member = negative ? -(int64_t)number : (int64_t)number;
    return check_range(arena, row, *member);
}

static const char *parse_size(struct arena *arena, const struct option_row *row, const char *text, uint64_t *member)
{
    uint64_t bytes = 0;
    int fault = parse_with_unit(text, size_units, &bytes);
    if (fault)
        return fault == 2 ? "is too large a size" : "is no size (a number and optional k, M or G)";
    *member = bytes;
    return check_range(arena, row, (int64_t)bytes);
}

static const char *parse_duration(struct arena *arena, const struct option_row *row, const char *text, int64_t *member)
{
    uint64_t ms = 0;
    int fault = parse_with_unit(text, duration_units, &ms);
    if (fault)
        return fault == 2 ? "is too long a time" : "is no length of time (a number and ms, s, m, h or d)";
    *member = (int64_t)ms;
    return check_range(arena, row, *member);
}

static const char *parse_mode(struct arena *arena, const struct option_row *row, const char *text, int64_t *member)
{
    size_t len = strlen(text);
    if (len == 0 || len > 5 || strspn(text, "01234567") != len)
        return "is no file mode (octal digits, as 0660)";
    int64_t mode = 0;
    for (const char *p = text; *p; p++)
        mode = mode * 8 + (*p - '0');
    int64_t max = row->max ? row->max : 07777;
    if (mode < row->min || mode > max)
        return arena_printf(arena, "is out of range (%s)", describe_range(arena, row));
    *member = mode;
    return NULL;
}

const struct option_word *value_find_word(const struct option_row *row, struct span name)
{
    for (const struct option_word *word = row->words; word && word->name; word++) {
        if (span_equals_nocase(name, word->name))
            return word;
    }
    return NULL;
}

static const char *parse_enum(struct arena *arena, const struct option_row *row, const char *text, int *member)
{
    const struct option_word *word = value_find_word(row, span_of(text));
    if (!word)
        return arena_printf(arena, "is none of: %s", describe_range(arena, row));
    *member = word->value;
    return NULL;
}

static const char *parse_template(struct arena *arena, const struct option_row *row, const char *text,
                                  const struct template **member)
{
    const char *why = NULL;
    if (!*text && (!row->def || !*row->def)) /* only what is unset by default can be unset */
        *member = NULL;
    else
        *member = template_parse(arena, text, row->placeholders ? row->placeholders : "",
                                 row->reply_class ? row->reply_class : "45", &why);
    return why;
}

static const char *parse_typed(struct arena *arena, const struct option_row *row, const char *text, void *member)
{
    switch (row->type) {
    case OPTION_BOOL:
        return parse_bool(text, member);
    case OPTION_INT:
        return parse_int(arena, row, text, member);
    case OPTION_SIZE:
        return parse_size(arena, row, text, member);
    case OPTION_DURATION:
        return parse_duration(arena, row, text, member);
    case OPTION_MODE:
        return parse_mode(arena, row, text, member);
    case OPTION_ENUM:
        return parse_enum(arena, row, text, member);
    case OPTION_TEMPLATE:
        return parse_template(arena, row, text, member);
    case OPTION_STRING:
        *(const char **)member = *text ? arena_strdup(arena, text) : NULL;
        return NULL;
    case OPTION_FLAGS:
    case OPTION_STRINGS:
    case OPTION_NETWORKS:
    case OPTION_DOMAINS:
    case OPTION_WORDS:
        break;
    }
    return "is no single value";
}

const char *value_parse(struct arena *arena, const struct option_row *row, const char *text, void *member)
{
    const char *why = parse_typed(arena, row, text, member);
    if (!why && row->verify && (*text || row->type != OPTION_STRING))
        why = row->verify(text);
    return why;
}
