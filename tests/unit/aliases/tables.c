/* Files and tables for the tests of this folder. */
#include "tables.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void keep_problem(void *context, const char *text)
{
    strbuf_puts(context, text);
    strbuf_putc(context, '\n');
}

struct tables *tables_begin(void)
{
    struct tables *tables = calloc(1, sizeof *tables);
    if (!tables)
        abort();
    strcpy(tables->directory, "/tmp/test_aliases.XXXXXX");
    if (!mkdtemp(tables->directory))
        abort();
    tables->arena = arena_create(4096);
    strbuf_init(&tables->problems, 0);
    tables->names.items = tables->name_items;
    tables->domains.items = tables->domain_items;
    struct domain_set *local = domain_set_create(tables->arena);
    domain_set_add(local, "example.net");
    domain_set_add(local, ".local.example");
    tables->options = (struct aliases_options){&tables->names, &tables->domains, "+", "example.net", local};
    return tables;
}

void tables_end(struct tables *tables)
{
    char command[128];
    aliases_close(tables->aliases);
    snprintf(command, sizeof command, "rm -r '%s'", tables->directory);
    if (system(command) != 0)
        abort();
    strbuf_free(&tables->problems);
    arena_destroy(tables->arena);
    free(tables);
}

const char *tables_write(struct tables *tables, const char *name, const char *text)
{
    const char *path = arena_printf(tables->arena, "%s/%s", tables->directory, name);
    const char *other = arena_printf(tables->arena, "%s.new", path);
    FILE *file = fopen(other, "w");
    if (!file)
        abort();
    for (const char *p = text; *p; p++) {
        if (*p == '%' && p[1] == '/')
            fputs(tables->directory, file);
        else
            putc(*p, file);
    }
    if (fclose(file) != 0 || rename(other, path) != 0)
        abort();
    return path;
}

void tables_add(struct tables *tables, const char *form, const char *name, const char *text)
{
    if (tables->names.count == TABLES_MAX)
        abort();
    const char *path = tables_write(tables, name, text);
    tables->name_items[tables->names.count++] = arena_printf(tables->arena, "%s:%s", form, path);
}

bool tables_open(struct tables *tables)
{
    struct conf_problems problems = {keep_problem, &tables->problems, 0};
    tables->aliases = aliases_open(&tables->options, &problems);
    if ((tables->aliases == NULL) != (problems.count > 0))
        abort();
    return tables->aliases;
}

const char *tables_canonical(struct tables *tables, const char *address)
{
    const char *canonical = aliases_canonical(tables->aliases, tables->arena, address);
    return canonical ? canonical : "-";
}

static const char *join(struct tables *tables, const char *const *items, size_t count, bool is_cut)
{
    const char *text = count ? "" : "-";
    for (size_t i = 0; i < count; i++)
        text = arena_printf(tables->arena, "%s%s%s", text, i ? " " : "", items[i]);
    return is_cut ? arena_printf(tables->arena, "%s (cut)", text) : text;
}

const char *tables_expand(struct tables *tables, const char *address)
{
    struct aliases_targets targets = aliases_expand(tables->aliases, tables->arena, address);
    return join(tables, targets.routes, targets.route_count, targets.is_cut);
}

const char *tables_items(struct tables *tables, const char *address)
{
    struct aliases_targets targets = aliases_expand(tables->aliases, tables->arena, address);
    return join(tables, targets.items, targets.count, targets.is_cut);
}
