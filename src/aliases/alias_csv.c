/*
 * alias_csv - lines "address,target[,anything]" by RFC 4180, as spreadsheets write them.
 *
 * Further lines of the same address add their targets: that is how one writes several in a spreadsheet; several in one
 * field, with white space or commas between them (in quotes), are taken too. A first line "address,target" is a header.
 * Lines that begin with '#' and empty ones do not count.
 */
#include "aliases/alias_reader.h"
#include "aliases/alias_table.h"

/* The field at the start of *REST without its quotes, in OUT; *REST is what is behind its comma. NULL, or what is wrong
 * with it. */
static const char *read_field(struct span *rest, struct strbuf *out)
{
    size_t i = 0;
    struct span all = *rest;
    out->len = 0;
    while (i < all.len && (all.ptr[i] == ' ' || all.ptr[i] == '\t'))
        i++;
    if (i < all.len && all.ptr[i] == '"') {
        for (i++; i < all.len && (all.ptr[i] != '"' || (i + 1 < all.len && all.ptr[i + 1] == '"')); i++) {
            strbuf_putc(out, all.ptr[i]);
            if (all.ptr[i] == '"')
                i++;
        }
        if (i++ >= all.len)
            return "a quote is not closed";
        while (i < all.len && (all.ptr[i] == ' ' || all.ptr[i] == '\t'))
            i++;
        if (i < all.len && all.ptr[i] != ',')
            return "there is text behind a closing quote";
    } else {
        for (; i < all.len && all.ptr[i] != ','; i++) {
            if (all.ptr[i] == '"')
                return "a quote stands inside a field";
            strbuf_putc(out, all.ptr[i]);
        }
    }
    *rest = i < all.len ? (struct span){all.ptr + i + 1, all.len - i - 1} : (struct span){NULL, 0};
    return NULL;
}

static struct span field_text(const struct strbuf *field)
{
    return span_trim((struct span){strbuf_text(field), field->len});
}

static void read_record(struct alias_load *load, unsigned number, struct span record, struct strbuf *key,
                        struct strbuf *targets)
{
    struct alias_address address;
    const char *problem = read_field(&record, key);
    if (!problem && !record.ptr)
        problem = "there is no second field";
    if (!problem)
        problem = read_field(&record, targets);
    struct span name = field_text(key), target = field_text(targets);
    if (problem)
        alias_problem(load, number, "%s", problem);
    else if (number == 1 && span_equals_nocase(name, "address") && span_equals_nocase(target, "target"))
        return;
    else if (name.len == 0 || target.len == 0)
        alias_problem(load, number, "%s is empty", name.len == 0 ? "the address" : "the target");
    else if (alias_address_parse(name, &address) != 0)
        alias_warning(load, number, "'%.*s' is no address; the line is left out", (int)(name.len > 80 ? 80 : name.len),
                      name.ptr);
    else
        alias_entry_take(load, number, &address, target, true);
}

void alias_csv_read(struct alias_load *load, struct alias_reader *reader)
{
    struct span record;
    struct strbuf key, targets;
    unsigned number;
    const char *problem;
    enum alias_line got;
    strbuf_init(&key, ALIAS_LINE_MAX);
    strbuf_init(&targets, ALIAS_LINE_MAX);
    while ((got = alias_reader_record(reader, &record, &number, &problem)) == ALIAS_LINE_OK) {
        struct span line = span_trim(record);
        if (line.len > 0 && line.ptr[0] != '#')
            read_record(load, number, record, &key, &targets);
    }
    if (got == ALIAS_LINE_BAD)
        alias_problem(load, number, "%s", problem);
    strbuf_free(&key);
    strbuf_free(&targets);
}
