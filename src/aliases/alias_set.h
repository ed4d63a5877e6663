/*
 * alias_set - tables in force, and how look-ups and the thread that reads them again share them.
 *
 * A set never changes. A look-up takes the current one (the lock is held for that alone) and gives it back; the watch
 * puts a new set in its place and frees the old one when nobody has it any more. So a look-up waits for no file, and
 * never has the work of freeing a large table.
 *
 * OWNS: its sets and, in them, the tables. THREADS: open and close by one; a set is taken and given by any.
 */
#ifndef POSTERN_ALIASES_ALIAS_SET_H
#define POSTERN_ALIASES_ALIAS_SET_H

#include "aliases/alias_table.h"
#include <pthread.h>
#include <stdatomic.h>

struct alias_set {
    struct alias_table **tables;
    size_t count;
    atomic_uint readers;
    struct alias_set *next; /* of those that wait to be freed */
};

struct alias_watch;

struct alias_tables {
    const struct string_list *names;  /* "virtual:/PATH" */
    const char *local_domain;         /* of names without one, canonical; NULL: none */
    alias_table_read_function *read;  /* alias_table_read(), or another room's */
    pthread_mutex_t lock;             /* guards current, and the taking of it */
    struct alias_set *current;
    struct alias_watch *watch; /* NULL: there are no tables */
};

/* Reads all tables, and starts the watch. 0, or -1 after all problems were reported; in both cases it is to be closed.
 * What is given must outlive it. */
int alias_tables_open(struct alias_tables *tables, const struct string_list *names, const char *local_domain,
                      alias_table_read_function *read, struct conf_problems *problems);
void alias_tables_close(struct alias_tables *tables);

struct alias_set *alias_set_take(struct alias_tables *tables);
void alias_set_give(struct alias_set *set);

/* ---- the watch (alias_watch.c) ---- */

/* NULL if no thread could be started. */
struct alias_watch *alias_watch_start(struct alias_tables *tables);
void alias_watch_stop(struct alias_watch *watch);

#endif
