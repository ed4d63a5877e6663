/*
 * alias_set - the tables in force, and how look-ups and the thread that reads them again share them.
 *
 * A set never changes. A look-up takes the current one (the lock is held for that alone) and gives it back; the watch
 * puts a new set in its place and frees the old one when nobody has it any more. So a look-up waits for no file, and
 * never has the work of freeing a large table.
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

struct aliases {
    struct arena *arena;
    const struct string_list *names; /* "virtual:/PATH" */
    const char *delimiters;          /* NULL: none */
    const char *local_domain;        /* canonical; NULL: none */
    const struct domain_set *local_domains;
    struct strmap *domains; /* alias_domains: both canonical */
    pthread_mutex_t lock;   /* guards current, and the taking of it */
    struct alias_set *current;
    struct alias_watch *watch; /* NULL: there are no tables */
};

struct alias_set *alias_set_take(struct aliases *aliases);
void alias_set_give(struct alias_set *set);

/* ---- look-ups (alias_lookup.c) ---- */

enum alias_form { ALIAS_NONE, ALIAS_WHOLE, ALIAS_TAGLESS, ALIAS_DOMAIN };

/* What a key means: the values from AT on in MAP, or for one of alias_domains the domain alone. */
struct alias_found {
    enum alias_form form; /* of the key that is there */
    const struct strmap *map;
    strmap_at at;
    const struct alias_table *table; /* NULL: alias_domains */
};

/* ADDRESS is folded and has a domain; TAG is what alias_address_tag() says of it. In virtual and CSV tables in the
 * order of Postfix: user+tag@domain, user@domain, and without the domain if it is local_domain, then @domain. */
struct alias_found alias_find_virtual(const struct aliases *aliases, const struct alias_set *set,
                                      const struct alias_address *address, const char *tag);
/* In aliases(5) tables, if the domain is a local one: user+tag, user. */
struct alias_found alias_find_local(const struct aliases *aliases, const struct alias_set *set,
                                    const struct alias_address *address, const char *tag);

/* ADDRESS (folded) made canonical. */
void alias_canonical(const struct aliases *aliases, const struct alias_set *set, struct alias_address *address);

struct aliases_targets alias_expand(const struct aliases *aliases, const struct alias_set *set, struct arena *arena,
                                    const struct alias_address *address);

/* ---- the watch (alias_watch.c) ---- */

/* NULL if no thread could be started. */
struct alias_watch *alias_watch_start(struct aliases *aliases);
void alias_watch_stop(struct alias_watch *watch);

#endif
