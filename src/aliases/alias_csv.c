/*
 * alias_csv - lines "address,target[,anything]" by RFC 4180, as spreadsheets write them.
 *
 * Further lines of the same address add their targets: that is how one writes several in a spreadsheet; several in one
 * field, with white space or commas between them (in quotes), are taken too. A first line "address,target" is a header.
 * Lines that begin with '#' and empty ones do not count.
 */
#include "aliases/alias_reader.h"
#include "aliases/alias_table.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The text between the quotes that begin at ALL[*I], in ROOM; *I is behind the second one. */
static const char *read_quoted(struct span all, size_t *i, struct strbuf *room)
{
    size_t at = *i + 1;
    room->len = 0;
    strbuf_puts(room, "");
    for (; at < all.len && (all.ptr[at] != '"' || (at + 1 < all.len && all.ptr[at + 1] == '"')); at++) {
        strbuf_putc(room, all.ptr[at]);
        if (all.ptr[at] == '"')
            at++;
    }
    *i = at + 1;
    return at < all.len ? NULL : "a quote is not closed";
}

const char *alias_csv_field(struct span *rest, char separator, struct strbuf *room, struct span *field)
{
    struct span all = *rest;
    size_t i = 0;
    while (i < all.len && is_blank(all.ptr[i]) && all.ptr[i] != separator)
        i++;
    if (i < all.len && all.ptr[i] == '"') {
        const char *problem = read_quoted(all, &i, room);
        if (problem)
            return problem;
        *field = span_trim((struct span){strbuf_text(room), room->len});
        while (i < all.len && is_blank(all.ptr[i]) && all.ptr[i] != separator)
            i++;
        if (i < all.len && all.ptr[i] != separator)
            return "there is text behind a closing quote";
    } else {
        const char *end = all.len ? memchr(all.ptr, separator, all.len) : NULL;
        i = end ? (size_t)(end - all.ptr) : all.len;
        if (i && memchr(all.ptr, '"', i))
            return "a quote stands inside a field";
        *field = span_trim((struct span){all.ptr, i});
    }
    *rest = i < all.len ? (struct span){all.ptr + i + 1, all.len - i - 1} : (struct span){NULL, 0};
    return NULL;
}

static void read_record(struct alias_load *load, unsigned number, struct span record, struct strbuf *rooms)
{
    struct alias_address address;
    struct span name, target;
    const char *problem = alias_csv_field(&record, ',', &rooms[0], &name);
    if (!problem && !record.ptr)
        problem = "there is no second field";
    if (!problem)
        problem = alias_csv_field(&record, ',', &rooms[1], &target);
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
    struct strbuf rooms[2];
    unsigned number;
    const char *problem;
    enum alias_line got;
    strbuf_init(&rooms[0], ALIAS_LINE_MAX);
    strbuf_init(&rooms[1], ALIAS_LINE_MAX);
    while ((got = alias_reader_record(reader, &record, &number, &problem)) == ALIAS_LINE_OK) {
        struct span line = span_trim(record);
        if (line.len > 0 && line.ptr[0] != '#')
            read_record(load, number, record, rooms);
    }
    if (got == ALIAS_LINE_BAD)
        alias_problem(load, number, "%s", problem);
    strbuf_free(&rooms[0]);
    strbuf_free(&rooms[1]);
}
