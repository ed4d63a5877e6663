/*
 * alias_table - a table's file and the lists that it includes, read into a map each.
 *
 * Lists are read once each, however often they are named, and kept beside the table: a look-up follows them like other
 * aliases, under the same bound of depth. One that cannot be read is left out with a warning, and watched: it may come.
 * An included list has no continued lines; each line is a right side of its own.
 */
#include "aliases/alias_table.h"
#include "aliases/alias_reader.h"
#include <stdlib.h>

const char *alias_table_split(const char *name, enum alias_kind *kind, const char **path)
{
    static const char *const names[] = {[ALIAS_VIRTUAL] = "virtual:", [ALIAS_LOCAL] = "aliases:", [ALIAS_CSV] = "csv:"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t len = strlen(names[i]);
        if (strncmp(name, names[i], len) == 0) {
            *kind = (enum alias_kind)i;
            *path = name + len;
            return name[len] == '/' ? NULL : "does not name the file by its whole path";
        }
    }
    return "is no table: it must begin with virtual:, aliases: or csv:";
}

struct alias_mark alias_mark_of(const struct stat *status)
{
    return (struct alias_mark){
        (uint64_t)status->st_dev,        (uint64_t)status->st_ino, (uint64_t)status->st_size,
        (int64_t)status->st_ctim.tv_sec, status->st_ctim.tv_nsec,  (int64_t)status->st_mtim.tv_sec,
        status->st_mtim.tv_nsec,
    };
}

static void file_add(struct alias_table *table, const char *path, const struct stat *status)
{
    table->files =
        arena_grow(table->arena, table->files, &table->file_capacity, table->file_count + 1, sizeof *table->files);
    table->files[table->file_count++] = (struct alias_file){arena_strdup(table->arena, path), alias_mark_of(status)};
}

bool alias_table_look(const struct alias_table *table, struct alias_mark *marks)
{
    bool changed = false;
    for (size_t i = 0; i < table->file_count; i++) {
        struct stat status;
        if (stat(table->files[i].path, &status) != 0)
            memset(&status, 0, sizeof status);
        marks[i] = alias_mark_of(&status);
        changed = changed || memcmp(&marks[i], &table->files[i].mark, sizeof *marks) != 0;
    }
    return changed;
}

/* ---- lists ---- */

/* The rest of the list PATH is missing: KIND as in a row. */
static void miss_rest(struct alias_load *load, const char *path, char kind)
{
    const char row[] = {kind, '\0'};
    strmap_add(load->table->includes, span_of(path), (struct span){row, sizeof row});
}

static void read_list(struct alias_load *load, const char *path)
{
    struct stat status;
    struct span line;
    unsigned number;
    const char *problem, *table_path = load->path;
    struct alias_reader *reader = alias_reader_open(path, ALIAS_INCLUDE_MAX, &status, &problem);
    enum alias_line got = ALIAS_LINE_END;
    size_t targets = 0;
    load->path = path;
    file_add(load->table, path, &status);
    strmap_add(load->table->includes, span_of(path), (struct span){NULL, 0});
    if (!reader) {
        alias_warning(load, 0, "the list is left out: %s", problem);
        miss_rest(load, path, 'P');
    }
    while (reader && (got = alias_reader_line(reader, &line, &number, &problem)) == ALIAS_LINE_OK) {
        line = span_trim(line);
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        alias_targets_read(load, number, line);
        targets += load->targets;
        if (targets > ALIASES_TARGETS_MAX) {
            alias_warning(load, number, "more than %d targets; the rest is left out", ALIASES_TARGETS_MAX);
            miss_rest(load, path, 'C');
            break;
        }
        strmap_add(load->table->includes, span_of(path), (struct span){strbuf_text(&load->value), load->value.len});
    }
    if (got == ALIAS_LINE_BAD) {
        alias_warning(load, number, "%s; the list is read no further", problem);
        miss_rest(load, path, 'P');
    }
    alias_reader_close(reader);
    load->path = table_path;
}

/* Lists wait in a row; those that they name are put behind them. */
struct queue {
    struct alias_load *load;
    const char **paths;
    size_t count, capacity;
};

static void queue_targets(struct queue *queue, struct span row)
{
    for (const char *at = row.ptr, *end = row.ptr + row.len; at < end; at += strlen(at) + 1) {
        if (*at != 'I')
            continue;
        bool known = false;
        for (size_t i = 0; i < queue->count && !known; i++)
            known = strcmp(queue->paths[i], at + 1) == 0;
        if (known)
            continue;
        struct arena *arena = queue->load->table->arena;
        if (queue->count == ALIAS_INCLUDES_MAX) {
            alias_warning(queue->load, 0, "more than %d lists; %s is left out", ALIAS_INCLUDES_MAX, at + 1);
            continue;
        }
        queue->paths = arena_grow(arena, queue->paths, &queue->capacity, queue->count + 1, sizeof *queue->paths);
        queue->paths[queue->count++] = arena_strdup(arena, at + 1);
    }
}

static void visit_value(void *context, struct span value)
{
    queue_targets(context, value);
}

static void read_lists(struct alias_load *load)
{
    struct queue queue = {load, NULL, 0, 0};
    strmap_each(load->table->map, visit_value, &queue);
    for (size_t i = 0; i < queue.count; i++) {
        read_list(load, queue.paths[i]);
        struct span path = span_of(queue.paths[i]);
        for (strmap_at at = strmap_find(load->table->includes, path); at; at = strmap_next(load->table->includes, at))
            queue_targets(&queue, strmap_value(load->table->includes, at));
    }
}

/* ---- the table ---- */

static void read_file(struct alias_load *load, alias_parser *parse, struct alias_reader *reader)
{
    parse(load, reader);
    if (load->problem_count == 0 && load->table->kind == ALIAS_LOCAL)
        read_lists(load);
    if (load->told_problems > ALIAS_PROBLEMS_MAX) {
        char text[128];
        snprintf(text, sizeof text, "%zu more lines are wrong", load->problem_count - ALIAS_PROBLEMS_MAX);
        load->told_problems = 0;
        alias_problem(load, 0, "%s", text);
    }
    if (load->told_warnings > ALIAS_PROBLEMS_MAX) {
        load->told_warnings = 0;
        alias_warning(load, 0, "%zu more warnings", load->warning_count - ALIAS_PROBLEMS_MAX);
    }
    strmap_seal(load->table->map);
    strmap_seal(load->table->includes);
}

/* Ends LOAD and READER. */
static struct alias_table *load_table(struct alias_load *load, alias_parser *parse, struct alias_reader *reader)
{
    strbuf_init(&load->value, 2 * ALIAS_LINE_MAX);
    read_file(load, parse, reader);
    alias_reader_close(reader);
    strbuf_free(&load->value);
    if (load->problem_count == 0)
        return load->table;
    alias_table_free(load->table);
    return NULL;
}

static struct alias_load begin_load(enum alias_kind kind, const char *path, const char *local_domain,
                                    struct conf_problems *problems)
{
    struct arena *arena = arena_create(4096);
    struct alias_table *table = ARENA_NEW(arena, struct alias_table);
    *table = (struct alias_table){
        .arena = arena, .kind = kind, .map = strmap_create(), .includes = strmap_create()};
    return (struct alias_load){
        .table = table, .local_domain = local_domain, .path = path, .problems = problems};
}

/* NAME: of the table, for the message that there is no such file. */
static struct alias_table *read_path(const char *name, const char *path, alias_parser *parse, struct alias_load *load)
{
    struct stat status;
    const char *problem;
    struct alias_reader *reader = alias_reader_open(path, ALIAS_FILE_MAX, &status, &problem);
    file_add(load->table, path, &status);
    load->path = reader ? load->table->files[0].path : name;
    if (reader)
        return load_table(load, parse, reader);
    alias_problem(load, 0, "%s", problem);
    alias_table_free(load->table);
    return NULL;
}

struct alias_table *alias_table_read(const char *name, const char *local_domain, struct conf_problems *problems)
{
    static alias_parser *const parsers[] = {
        [ALIAS_VIRTUAL] = alias_virtual_read, [ALIAS_LOCAL] = alias_local_read, [ALIAS_CSV] = alias_csv_read};
    enum alias_kind kind = ALIAS_VIRTUAL;
    const char *path, *problem = alias_table_split(name, &kind, &path);
    struct alias_load load = begin_load(kind, name, local_domain, problems);
    if (!problem)
        return read_path(name, path, parsers[kind], &load);
    alias_problem(&load, 0, "%s", problem);
    alias_table_free(load.table);
    return NULL;
}

struct alias_table *alias_table_read_with(const char *path, alias_parser *parse, struct conf_problems *problems)
{
    struct alias_load load = begin_load(ALIAS_CSV, path, NULL, problems);
    return read_path(path, path, parse, &load);
}

struct alias_table *alias_table_of(const char *label, struct span bytes, alias_parser *parse,
                                   struct conf_problems *problems)
{
    struct alias_load load = begin_load(ALIAS_CSV, label, NULL, problems);
    return load_table(&load, parse, alias_reader_of(bytes));
}

void alias_table_free(struct alias_table *table)
{
    if (!table)
        return;
    strmap_destroy(table->map);
    strmap_destroy(table->includes);
    arena_destroy(table->arena);
}
