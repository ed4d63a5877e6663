/*
 * alias_local - aliases(5) of Postfix and Sendmail: "name: target, target".
 *
 * A name is a local part; quotes around it are taken off. Names with a domain are never looked up by the MTA, and "+"
 * lines (NIS) are for programs of old: both are left out with a warning. owner-NAME entries are names like others.
 */
#include "aliases/alias_table.h"

/* Where the colon is, or LINE.len. */
static size_t find_colon(struct span line, bool *open)
{
    size_t i = 0;
    *open = false;
    for (; i < line.len && (*open || line.ptr[i] != ':'); i++) {
        if (line.ptr[i] == '\\' && i + 1 < line.len)
            i++;
        else if (line.ptr[i] == '"')
            *open = !*open;
    }
    return i;
}

static void read_entry(struct alias_load *load, unsigned number, struct span line)
{
    struct alias_address address;
    bool open;
    size_t colon = find_colon(line, &open);
    struct span name = span_trim((struct span){line.ptr, colon}), targets = {"", 0};
    if (colon < line.len)
        targets = span_trim((struct span){line.ptr + colon + 1, line.len - colon - 1});
    int shown = (int)(name.len > 80 ? 80 : name.len);
    if (open)
        alias_problem(load, number, "a quote is not closed");
    else if (line.ptr[0] == '+')
        alias_warning(load, number, "'%.*s' is left out: there is no NIS here", shown, name.ptr);
    else if (colon == line.len || name.len == 0)
        alias_problem(load, number, "is not of the form 'name: target'");
    else if (targets.len == 0)
        alias_problem(load, number, "'%.*s' has no target", shown, name.ptr);
    else if (alias_address_parse(name, &address) != 0 || address.domain[0])
        alias_warning(load, number, "'%.*s' is no local name; the line is left out", shown, name.ptr);
    else
        alias_entry_take(load, number, &address, targets, false);
}

void alias_local_read(struct alias_load *load, struct alias_reader *reader)
{
    alias_lines_read(load, reader, read_entry);
}
