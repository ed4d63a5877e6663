/*
 * alias_lookup - which entry speaks of an address, and what it means in the end. THREADS: any; nothing here changes.
 */
#ifndef POSTERN_ALIASES_ALIAS_LOOKUP_H
#define POSTERN_ALIASES_ALIAS_LOOKUP_H

#include "aliases/alias_set.h"

struct aliases {
    struct arena *arena;
    struct alias_tables tables;
    const char *delimiters;          /* NULL: none */
    const char *local_domain;        /* canonical; NULL: none */
    const struct domain_set *local_domains;
    struct strmap *domains; /* alias_domains: both canonical */
};

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

/* Likewise one that no table speaks of: only its tag is taken off. */
void alias_cut_tag(const struct aliases *aliases, struct alias_address *address);

struct aliases_targets alias_expand(const struct aliases *aliases, const struct alias_set *set, struct arena *arena,
                                    const struct alias_address *address);

#endif
