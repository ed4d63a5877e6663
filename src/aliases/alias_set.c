/*
 * alias_set - opens the tables, and hands out the set of those in force.
 *
 * A table that cannot be read at the start is a problem of the configuration; one that goes bad later is the watch's.
 */
#include "aliases/alias_set.h"
#include <stdlib.h>

static struct alias_set *read_all(const struct alias_tables *tables, struct conf_problems *problems)
{
    struct alias_set *set = calloc(1, sizeof *set);
    struct alias_table **members = calloc(tables->names->count + 1, sizeof(struct alias_table *));
    if (!set || !members)
        abort();
    set->tables = members;
    for (size_t i = 0; i < tables->names->count; i++) {
        struct alias_table *table = tables->read(tables->names->items[i], tables->local_domain, problems);
        if (table) {
            table->refs = 1;
            set->tables[set->count++] = table;
        }
    }
    return set;
}

int alias_tables_open(struct alias_tables *tables, const struct string_list *names, const char *local_domain,
                      alias_table_read_function *read, struct conf_problems *problems)
{
    unsigned before = problems->count;
    *tables = (struct alias_tables){.names = names, .local_domain = local_domain, .read = read};
    pthread_mutex_init(&tables->lock, NULL);
    tables->current = read_all(tables, problems);
    if (problems->count != before)
        return -1;
    if (names->count == 0)
        return 0;
    tables->watch = alias_watch_start(tables);
    if (tables->watch)
        return 0;
    problems->count++;
    problems->report(problems->context, "the tables cannot be watched: no thread could be started");
    return -1;
}

void alias_tables_close(struct alias_tables *tables)
{
    if (!tables->current)
        return;
    alias_watch_stop(tables->watch);
    for (size_t i = 0; i < tables->current->count; i++)
        alias_table_free(tables->current->tables[i]);
    free(tables->current->tables);
    free(tables->current);
    pthread_mutex_destroy(&tables->lock);
}

struct alias_set *alias_set_take(struct alias_tables *tables)
{
    pthread_mutex_lock(&tables->lock);
    struct alias_set *set = tables->current;
    atomic_fetch_add_explicit(&set->readers, 1, memory_order_relaxed);
    pthread_mutex_unlock(&tables->lock);
    return set;
}

void alias_set_give(struct alias_set *set)
{
    atomic_fetch_sub_explicit(&set->readers, 1, memory_order_release);
}
