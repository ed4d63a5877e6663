/*
 * forwards_csv - lines "address,target,delete", as providers get them out of their spreadsheets.
 *
 * Taken is what can mean one thing only: a mark of the byte order, CR LF, quotes, a header, empty rows and columns,
 * Excel's "sep=;", and ";" or a tab between the fields. The separator is the first of the three in the first record
 * outside quotes: none of them stands in an address, and a target field has several targets only behind the first one.
 * Everything else is a problem: more columns, another word than 0 or 1, two lines that disagree on delete.
 *
 * A value in the map is a letter, 'd' (delete) or 'k' (keep), and behind it targets as they are printed, each with a
 * NUL. Each line of an address is a value of its own.
 */
#include "srs/forwards_csv.h"
#include "aliases/alias_reader.h"
#include "srs/forward_row.h"

#define SHOWN 80 /* octets of a field in a message */
#define FIELDS 3

struct csv {
    struct alias_load *load;
    struct strbuf rooms[FIELDS + 1];
    char separator;  /* NUL: not known yet */
    bool has_begun;  /* a header may not come any more */
};

static void refuse(struct csv *csv, unsigned line, struct span text, const char *why)
{
    alias_problem(csv->load, line, "'%.*s%s' %s", (int)(text.len > SHOWN ? SHOWN : text.len), text.ptr,
                  text.len > SHOWN ? "..." : "", why);
}

static char find_separator(struct span record)
{
    bool inside = false;
    for (size_t i = 0; i < record.len; i++) {
        char c = record.ptr[i];
        if (c == '"')
            inside = !inside;
        else if (!inside && (c == ',' || c == ';' || c == '\t'))
            return c;
    }
    return ',';
}

/* ---- targets ---- */

static bool is_between(char c)
{
    return c && strchr(" \t\r\n,;", c);
}

static size_t token_end(struct span text, size_t i)
{
    bool inside = false;
    for (; i < text.len && (inside || !is_between(text.ptr[i])); i++) {
        if (text.ptr[i] == '\\' && i + 1 < text.len)
            i++;
        else if (text.ptr[i] == '"')
            inside = !inside;
    }
    return i < text.len ? i : text.len;
}

static bool is_in_row(struct span row, const char *target)
{
    for (const char *at = row.ptr + 1; at < row.ptr + row.len; at += strlen(at) + 1) {
        if (forward_is_same(at, target))
            return true;
    }
    return false;
}

static size_t targets_in(struct span row)
{
    size_t count = 0;
    for (const char *at = row.ptr + 1; at < row.ptr + row.len; at += strlen(at) + 1)
        count++;
    return count;
}

/* Puts the targets in TEXT that are new to ADDRESS behind those in load->value; FIRST is its first line's value. */
static bool read_targets(struct csv *csv, unsigned line, const struct alias_address *address, strmap_at first,
                         struct span text)
{
    const struct strmap *map = csv->load->table->map;
    struct strbuf *value = &csv->load->value;
    size_t known = 0;
    bool is_some = false;
    for (strmap_at at = first; at; at = strmap_next(map, at))
        known += targets_in(strmap_value(map, at));
    for (size_t i = 0, end; i < text.len; i = end) {
        struct alias_address target;
        char printed[ALIAS_ADDRESS_MAX];
        end = i + 1;
        if (is_between(text.ptr[i]))
            continue;
        is_some = true;
        end = token_end(text, i);
        struct span token = {text.ptr + i, end - i};
        const char *why = forward_read_target(address, token, &target);
        if (why) {
            refuse(csv, line, token, why);
            return false;
        }
        alias_address_print(&target, printed);
        bool is_known = is_in_row((struct span){value->ptr, value->len}, printed);
        for (strmap_at at = first; at && !is_known; at = strmap_next(map, at))
            is_known = is_in_row(strmap_value(map, at), printed);
        if (is_known)
            continue;
        if (known++ == FORWARDS_TARGETS_MAX) {
            alias_problem(csv->load, line, "more than %d targets of one address", FORWARDS_TARGETS_MAX);
            return false;
        }
        strbuf_puts(value, printed);
        strbuf_putc(value, '\0');
    }
    if (!is_some)
        refuse(csv, line, text, "names no target");
    return is_some;
}

/* ---- lines ---- */

static void take(struct csv *csv, unsigned line, const struct span fields[FIELDS])
{
    struct alias_address address;
    char text[ALIAS_ADDRESS_MAX];
    struct strmap *map = csv->load->table->map;
    struct strbuf *value = &csv->load->value;
    const char *why = forward_read_address(fields[0], &address);
    bool deletes = span_equals(fields[2], "1");
    if (why) {
        refuse(csv, line, fields[0], why);
        return;
    }
    if (!deletes && !span_equals(fields[2], "0")) {
        refuse(csv, line, fields[2], "says neither 1 (delete after forwarding) nor 0 (keep a copy)");
        return;
    }
    struct span key = alias_key(&address, text);
    strmap_at first = strmap_find(map, key);
    if (first && strmap_value(map, first).ptr[0] != (deletes ? 'd' : 'k')) {
        refuse(csv, line, fields[0], deletes ? "has delete = 0 in a line before" : "has delete = 1 in a line before");
        return;
    }
    value->len = 0;
    strbuf_putc(value, deletes ? 'd' : 'k');
    if (read_targets(csv, line, &address, first, fields[1]) && value->len > 1)
        strmap_add(map, key, (struct span){value->ptr, value->len});
}

/* Names of columns: nothing with an '@' in it, and no 0 or 1. Names that say that the columns stand in another order
 * are a problem, which FIELDS beyond repair would not show. */
static bool is_header(struct csv *csv, unsigned line, const struct span fields[FIELDS])
{
    for (size_t i = 0; i < FIELDS; i++) {
        if (fields[i].len && memchr(fields[i].ptr, '@', fields[i].len))
            return false;
    }
    if (span_equals(fields[2], "0") || span_equals(fields[2], "1"))
        return false;
    if (span_equals_nocase(fields[0], "target") || span_equals_nocase(fields[1], "address"))
        alias_problem(csv->load, line, "the columns stand in another order than address, target, delete");
    return true;
}

static void judge(struct csv *csv, unsigned line, const struct span fields[FIELDS + 1], size_t count)
{
    static const char *const names[] = {"address", "target", "delete"};
    bool is_empty = true;
    for (size_t i = 0; i < FIELDS; i++)
        is_empty = is_empty && fields[i].len == 0;
    if (is_empty)
        return;
    if (!csv->has_begun && count == FIELDS && is_header(csv, line, fields)) {
        csv->has_begun = true;
        return;
    }
    csv->has_begun = true;
    if (count < FIELDS) {
        alias_problem(csv->load, line, "there is no field %s", names[count]);
        return;
    }
    for (size_t i = 0; i < FIELDS; i++) {
        if (fields[i].len == 0) {
            alias_problem(csv->load, line, "the field %s is empty", names[i]);
            return;
        }
    }
    take(csv, line, fields);
}

static void read_record(struct csv *csv, unsigned line, struct span record)
{
    struct span fields[FIELDS + 1] = {{"", 0}, {"", 0}, {"", 0}, {"", 0}};
    size_t count = 0;
    if (!csv->separator && record.len == 5 && span_equals_nocase((struct span){record.ptr, 4}, "sep=") &&
        strchr(",;\t", record.ptr[4])) {
        csv->separator = record.ptr[4];
        return;
    }
    if (!csv->separator)
        csv->separator = find_separator(record);
    while (record.ptr) {
        size_t i = count < FIELDS ? count : FIELDS;
        const char *problem = alias_csv_field(&record, csv->separator, &csv->rooms[i], &fields[i]);
        if (!problem && i == FIELDS && fields[i].len > 0)
            problem = "there are more fields than address, target and delete";
        if (problem) {
            alias_problem(csv->load, line, "%s", problem);
            return;
        }
        count += count < FIELDS;
    }
    judge(csv, line, fields, count);
}

static void read_all(struct alias_load *load, struct alias_reader *reader)
{
    struct csv csv = {.load = load};
    struct span record;
    unsigned line;
    const char *problem;
    enum alias_line got;
    for (size_t i = 0; i <= FIELDS; i++)
        strbuf_init(&csv.rooms[i], ALIAS_LINE_MAX);
    while ((got = alias_reader_record(reader, &record, &line, &problem)) == ALIAS_LINE_OK) {
        struct span text = span_trim(record);
        if (text.len > 0 && text.ptr[0] != '#')
            read_record(&csv, line, record);
    }
    if (got == ALIAS_LINE_BAD)
        alias_problem(load, line, "%s", problem);
    for (size_t i = 0; i <= FIELDS; i++)
        strbuf_free(&csv.rooms[i]);
}

struct alias_table *forwards_csv_open(const char *name, const char *local_domain, struct conf_problems *problems)
{
    (void)local_domain;
    return alias_table_read_with(strchr(name, ':') + 1, read_all, problems);
}

struct alias_table *forwards_csv_of(const char *label, struct span bytes, struct conf_problems *problems)
{
    return alias_table_of(label, bytes, read_all, problems);
}

/* ---- look-ups ---- */

static void collect(const struct strmap *map, strmap_at first, struct arena *arena, struct forward *forward)
{
    size_t count = 0;
    for (strmap_at at = first; at; at = strmap_next(map, at))
        count += targets_in(strmap_value(map, at));
    const char **targets = ARENA_ARRAY(arena, const char *, count);
    *forward = (struct forward){targets, 0, strmap_value(map, first).ptr[0] == 'd'};
    for (strmap_at at = first; at; at = strmap_next(map, at)) {
        struct span row = strmap_value(map, at);
        for (const char *p = row.ptr + 1; p < row.ptr + row.len; p += strlen(p) + 1)
            targets[forward->count++] = arena_strdup(arena, p);
    }
}

bool forwards_csv_find(const struct alias_table *table, struct arena *arena, struct span key, struct forward *forward)
{
    strmap_at first = strmap_find(table->map, key);
    if (first)
        collect(table->map, first, arena, forward);
    return first != 0;
}

struct each {
    const struct alias_table *table;
    struct arena *arena;
    forwards_visitor *visit;
    void *context;
};

static void visit_key(void *context, struct span key, strmap_at at)
{
    const struct each *each = context;
    struct alias_address address;
    struct forward forward;
    char text[ALIAS_ADDRESS_MAX];
    size_t local = key.len;
    while (key.ptr[local - 1] != '@') /* the last one; a key has a domain */
        local--;
    address.local_len = local - 1;
    memcpy(address.local, key.ptr, local - 1);
    address.local[local - 1] = '\0';
    memcpy(address.domain, key.ptr + local, key.len - local);
    address.domain[key.len - local] = '\0';
    alias_address_print(&address, text);
    collect(each->table->map, at, each->arena, &forward);
    each->visit(each->context, arena_strdup(each->arena, text), &forward);
}

void forwards_csv_each(const struct alias_table *table, struct arena *arena, forwards_visitor *visit, void *context)
{
    struct each each = {table, arena, visit, context};
    strmap_each_key(table->map, visit_key, &each);
}
