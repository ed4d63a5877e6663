/*
 * mdoc - the options as a part of postern.conf(5), in mdoc(7).
 *
 * Texts of the rows may hold anything that mdoc gives a meaning to: backslashes, a dot or an apostrophe at the start of
 * a line, quotes, and on macro lines words that are macros themselves ("No", "Or"). All are escaped, so that the page
 * shows what the row says.
 */
#include "conf/loader.h"
#include "conf/wrap.h"

#define WIDTH 78 /* columns */

static void put_char(FILE *out, char c)
{
    switch (c) {
    case '\\':
        fputs("\\e", out);
        return;
    case '"':
        fputs("\\(dq", out);
        return;
    case '-':
        fputs("\\-", out);
        return;
    case '~':
        fputs("\\(ti", out);
        return;
    case '^':
        fputs("\\(ha", out);
        return;
    case '`':
        fputs("\\(ga", out);
        return;
    case '\'':
        fputs("\\(aq", out);
        return;
    default:
        fputc(c, out);
    }
}

static void put_word(FILE *out, const char *word, size_t len, bool first)
{
    if (first && len > 0 && (*word == '.' || *word == '\''))
        fputs("\\&", out);
    for (size_t i = 0; i < len; i++) {
        if (word[i] == '-') /* in prose a hyphen, not a minus sign */
            fputc('-', out);
        else
            put_char(out, word[i]);
    }
}

/* One argument of a macro line. */
static void put_argument(FILE *out, const char *text)
{
    fputs(" \"\\&", out);
    for (; *text; text++)
        put_char(out, *text);
    fputc('"', out);
}

static void print_facts(FILE *out, struct arena *arena, const struct option_row *row)
{
    const char *range = describe_range(arena, row);
    fprintf(out, "Type: %s", describe_type(row));
    if (range) {
        const char *kind = row->type == OPTION_ENUM       ? "one of"
                           : row->type == OPTION_FLAGS    ? "any of"
                           : row->type == OPTION_TEMPLATE ? "placeholders"
                                                          : "range";
        fprintf(out, "; %s\n.Ql", kind);
        put_argument(out, range);
        fputs(" .\n", out);
    } else {
        fputs(".\n", out);
    }
    fputs("Default:\n.Ql", out);
    put_argument(out, describe_default(arena, row));
    fputs(" .\n", out);
}

static void print_section(FILE *out, struct arena *arena, const struct conf_section *section)
{
    fputs(".Ss", out);
    put_argument(out, section->name[0] ? arena_printf(arena, "Section %s", section->name) : "Top level");
    fputc('\n', out);
    wrap_print(out, "", section->summary ? section->summary : "", WIDTH, true, put_word);
    if (!section->rows->name)
        return;
    fputs(".Bl -tag -width Ds\n", out);
    for (const struct option_row *row = section->rows; row->name; row++) {
        fputs(".It Ic", out);
        put_argument(out, row->name);
        fputc('\n', out);
        wrap_print(out, "", row->help ? row->help : "", WIDTH, true, put_word);
        print_facts(out, arena, row);
    }
    fputs(".El\n", out);
}

void conf_print_mdoc(FILE *out, const struct conf_section *sections, size_t count)
{
    struct arena *arena = arena_create(4096);
    fputs(".Sh OPTIONS\n", out);
    for (size_t i = 0; i < count; i++)
        print_section(out, arena, &sections[i]);
    arena_destroy(arena);
}
