/*
 * print - the table of `posternd -T options` and the annotated postern.conf.
 *
 * Both are made of the rows and nothing else. In the annotated file prose begins with "# " and an option with '#' and
 * its name, so that removing the '#' in front of a name is all it takes to set the option.
 */
#include "conf/loader.h"
#include "conf/wrap.h"

#define WIDTH 100 /* columns */
#define DEFAULT_WIDTH 24

/* "One of: a, b" and the like; NULL if there is nothing to say. */
static const char *range_sentence(struct arena *arena, const struct option_row *row)
{
    const char *range = describe_range(arena, row);
    if (!range)
        return NULL;
    switch (row->type) {
    case OPTION_ENUM:
        return arena_printf(arena, "one of: %s", range);
    case OPTION_FLAGS:
        return arena_printf(arena, "any of: %s", range);
    case OPTION_TEMPLATE:
        return arena_printf(arena, "placeholders: %s", range);
    default:
        return range;
    }
}

static void print_row(FILE *out, struct arena *arena, const struct conf_section *section, const struct option_row *row)
{
    const char *def = describe_default(arena, row), *range = range_sentence(arena, row);
    const char *name = section->name[0] ? arena_printf(arena, "%s.%s", section->name, row->name) : row->name;
    bool is_short = strlen(def) <= DEFAULT_WIDTH, beside = range && strlen(range) <= 32;
    fprintf(out, "%-34s %-17s", name, describe_type(row));
    if (is_short && beside)
        fprintf(out, " %-*s %s\n", DEFAULT_WIDTH, def, range);
    else if (is_short)
        fprintf(out, " %s\n", def);
    else
        fprintf(out, " %-*s%s%s\n", beside ? DEFAULT_WIDTH : 0, "(below)", beside ? " " : "", beside ? range : "");
    if (!is_short)
        wrap_print(out, "    ", arena_printf(arena, "default: %s", def), WIDTH, false, NULL);
    if (range && !beside)
        wrap_print(out, "    ", range, WIDTH, false, NULL);
    wrap_print(out, "    ", row->help ? row->help : "", WIDTH, false, NULL);
}

void conf_print_options(FILE *out, const struct conf_section *sections, size_t count)
{
    struct arena *arena = arena_create(4096);
    fprintf(out, "%-34s %-17s %-*s %s\n", "OPTION", "TYPE", DEFAULT_WIDTH, "DEFAULT", "RANGE");
    for (size_t i = 0; i < count; i++) {
        for (const struct option_row *row = sections[i].rows; row->name; row++)
            print_row(out, arena, &sections[i], row);
    }
    arena_destroy(arena);
}

static void annotate_row(FILE *out, struct arena *arena, const struct option_row *row, const char *indent)
{
    const char *prefix = arena_printf(arena, "%s# ", indent), *def = describe_default(arena, row);
    const char *range = range_sentence(arena, row);
    const char *facts = arena_printf(arena, "Type: %s%s%s. Default: %s", describe_type(row), range ? "; " : "",
                                     range ? range : "", def);
    wrap_print(out, prefix, row->help ? row->help : "", WIDTH, false, NULL);
    wrap_print(out, prefix, facts, WIDTH, false, NULL);
    fprintf(out, "%s#%s = %s\n\n", indent, row->name, def);
}

static void annotate_section(FILE *out, struct arena *arena, const struct conf_section *section)
{
    bool top = !section->name[0];
    wrap_print(out, "# ", section->summary ? section->summary : "", WIDTH, false, NULL);
    fputs("\n", out);
    if (!top)
        fprintf(out, "%s {\n", section->name);
    for (const struct option_row *row = section->rows; row->name; row++)
        annotate_row(out, arena, row, top ? "" : "    ");
    if (!top)
        fputs("}\n\n", out);
}

void conf_print_annotated(FILE *out, const struct conf_section *sections, size_t count)
{
    static const char intro[] =
        "postern.conf - every option with its default. Remove the '#' in front of a name to set the option. "
        "In double quotes ${NAME} stands for an environment variable and \\ begins an escape sequence, in single "
        "quotes "
        "neither does. A list may be extended with += instead of =. include(\"file\") reads another file.";
    struct arena *arena = arena_create(4096);
    wrap_print(out, "# ", intro, WIDTH, false, NULL);
    fputs("\n", out);
    for (size_t i = 0; i < count; i++)
        annotate_section(out, arena, &sections[i]);
    arena_destroy(arena);
}
