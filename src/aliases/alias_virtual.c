/*
 * alias_virtual - Postfix's virtual(5), and with it Sendmail's virtusertable as text: a key, white space, its targets.
 *
 * What Postfix refuses a line for, or what looks like a file of another form, is a problem of the table. A key that is
 * no address is none of ours: old tables declare their domains by lines like "example.net anything".
 */
#include "aliases/alias_table.h"

/* Where the key ends: at white space outside quotes. */
static size_t key_end(struct span line, bool *open)
{
    size_t i = 0;
    *open = false;
    for (; i < line.len; i++) {
        if (line.ptr[i] == '\\') {
            if (++i == line.len)
                break;
        } else if (line.ptr[i] == '"') {
            *open = !*open;
        } else if (!*open && strchr(" \t\r\v\f", line.ptr[i])) {
            break;
        }
    }
    return i;
}

static void read_entry(struct alias_load *load, unsigned number, struct span line)
{
    struct alias_address address;
    bool open;
    size_t end = key_end(line, &open);
    struct span key = {line.ptr, end}, targets = span_trim((struct span){line.ptr + end, line.len - end});
    if (open)
        alias_problem(load, number, "a quote is not closed");
    else if (targets.len == 0)
        alias_problem(load, number, "'%.*s' has no target", (int)(end > 80 ? 80 : end), line.ptr);
    else if (key.ptr[end - 1] == ':')
        alias_problem(load, number, "is of the form 'name: target'; is this a table for aliases:%s?", load->path);
    else if (alias_address_parse(key, &address) != 0)
        alias_warning(load, number, "'%.*s' is no address; the line is left out", (int)(end > 80 ? 80 : end), line.ptr);
    else
        alias_entry_take(load, number, &address, targets, false);
}

void alias_virtual_read(struct alias_load *load, struct alias_reader *reader)
{
    alias_lines_read(load, reader, read_entry);
}
