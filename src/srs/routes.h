/*
 * routes - where a recipient's mail ends: through Postern's forward table and the MTA's aliases to final addresses.
 *
 * The forward table is asked of the address itself and of every address that it, or an alias, leads to. What local(8)
 * expands over and over ("alice: alice, alice@elsewhere" in aliases(5)) cannot be taken apart by address: it counts as
 * one local address, and the MTA does the rest. So does an alias that means more than addresses (a command, a file, a
 * list that cannot be read), or more of them than the tables keep.
 *
 * Bounds: those of aliases.h, ROUTES_TABLE_DEPTH entries of the forward table one behind the other. A loop ends where
 * it closes. THREADS: any. OWNS: results are on the arena.
 */
#ifndef POSTERN_SRS_ROUTES_H
#define POSTERN_SRS_ROUTES_H

#include "srs/forwards.h"
#include "aliases/aliases.h"

#define ROUTES_TABLE_DEPTH 20

struct route {
    const char *address;
    bool leaves;       /* its domain is none of ours, and not this host */
    bool is_self;      /* it is the recipient */
    bool expands_more; /* an MTA that takes it as a recipient puts it through its virtual aliases again */
};

struct routes {
    const struct route *items; /* distinct */
    size_t count;
    const char *canonical; /* of the recipient; the address as it is if it has no canonical form */
    bool by_table;         /* Postern's own table has a part in it: the MTA would not do this by itself */
    bool stays;            /* the recipient itself is among them: is_self */
    bool is_direct;        /* nothing was expanded: the one route is the recipient */
    bool is_cut;           /* a loop or a bound: some may be missing */
};

struct routes_source {
    struct forwards *forwards; /* NULL: no table */
    struct aliases *aliases;
    const struct domain_set *local_domains;
    const char *hostname; /* ours, canonical; NULL: unknown */
};

/* Is mail for DOMAIN (canonical) received here: is it in LOCAL_DOMAINS, or this very host? HOSTNAME ours or NULL. */
bool routes_is_here(const char *domain, const struct domain_set *local_domains, const char *hostname);

/* Of ADDRESS as at RCPT. STORE_OK, or STORE_DOWN if the table does not answer. */
enum store_outcome routes_find(const struct routes_source *source, struct arena *arena, const char *address, int64_t now,
                               struct routes *routes);

#endif
