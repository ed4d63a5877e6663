/*
 * routes - a walk from table to table, with the aliases of the MTA in between.
 *
 * An address is looked up in the forward table first, because Postern acts before the MTA does. What stands there is
 * followed for each of its targets, and for the address itself as an alias if a copy stays. Otherwise its aliases are
 * asked (aliases_expand() has loops and bounds of its own), and each address that they lead to is a question to the
 * forward table again.
 *
 * Each address is visited once, in canonical form, so that a loop ends where it closes.
 */
#include "srs/routes.h"
#include "util/domain.h"
#include "util/strset.h"
#include <string.h>

#define SCRATCH_BLOCK 8192

struct walk {
    const struct routes_source *source;
    struct arena *arena, *kept; /* for the walk; for the routes, which are a tenth of it */
    int64_t now;
    struct strset *visited, *known;
    struct route *items;
    size_t capacity;
    struct routes *routes;
    bool is_down;
};

/* Names without a domain mean this host in every table, and are completed with its name or with localhost. */
bool routes_is_host(const char *domain, const char *hostname)
{
    return strcmp(domain, "localhost") == 0 || strcmp(domain, "localhost.localdomain") == 0 ||
           (hostname && strcmp(domain, hostname) == 0);
}

/* No domain, or one that cannot be any, is a matter of this host's. */
static bool leaves(const struct walk *walk, const char *address)
{
    char domain[DOMAIN_MAX + 1];
    const char *at = strrchr(address, '@');
    if (!at)
        return false;
    if (domain_canonical(span_of(at + 1), domain) != 0)
        return at[1] != '\0'; /* an address literal */
    return !domain_set_has(walk->source->local_domains, domain) && !routes_is_host(domain, walk->source->hostname);
}

static bool is_self(const struct walk *walk, const char *address)
{
    const char *canonical = aliases_canonical(walk->source->aliases, walk->arena, address);
    return strcmp(canonical ? canonical : address, walk->routes->canonical) == 0;
}

static void add(struct walk *walk, const char *address, bool expands_more)
{
    struct routes *routes = walk->routes;
    if (!strset_add(walk->known, span_of(address)))
        return;
    if (routes->count >= ALIASES_TARGETS_MAX) {
        routes->is_cut = true;
        return;
    }
    walk->items = arena_grow(walk->kept, walk->items, &walk->capacity, routes->count + 1, sizeof *walk->items);
    walk->items[routes->count++] =
        (struct route){arena_strdup(walk->kept, address), leaves(walk, address), is_self(walk, address), expands_more};
    routes->stays |= walk->items[routes->count - 1].is_self;
    routes->items = walk->items;
}

static void visit(struct walk *walk, const char *address, unsigned depth);

/* Does local(8) expand one of them again and again? Then they cannot be told apart by address. */
static bool has_local_key(const struct aliases_targets *targets)
{
    for (size_t i = 0; i < targets->route_count; i++) {
        if (targets->route_flags[i] & ROUTE_IS_KEY_LOCAL)
            return true;
    }
    return false;
}

/* What the MTA makes of ADDRESS. */
static void follow_aliases(struct walk *walk, const char *canonical, const char *address, unsigned depth)
{
    struct aliases_targets targets = aliases_expand(walk->source->aliases, walk->arena, address);
    if (targets.is_partial) { /* taken apart it would lose what we do not see */
        add(walk, address, false);
        return;
    }
    walk->routes->is_cut |= targets.is_cut;
    if (targets.route_count == 0 || has_local_key(&targets)) {
        add(walk, address, targets.route_count > 0);
        return;
    }
    if (!targets.is_alias) {
        add(walk, address, false);
        return;
    }
    for (size_t i = 0; i < targets.route_count && !walk->is_down; i++) { /* down: each would wait for the store again */
        const char *next = aliases_canonical(walk->source->aliases, walk->arena, targets.routes[i]);
        struct forward unused;
        bool is_itself = !next || strcmp(next, canonical) == 0;
        if (!is_itself && walk->source->forwards &&
            forwards_find(walk->source->forwards, walk->arena, next, walk->now, &unused) != STORE_ABSENT)
            visit(walk, targets.routes[i], depth + 1);
        else
            add(walk, targets.routes[i], targets.route_flags[i] & ROUTE_IS_KEY_VIRTUAL);
    }
}

static void visit(struct walk *walk, const char *address, unsigned depth)
{
    struct forward forward;
    const char *canonical = aliases_canonical(walk->source->aliases, walk->arena, address);
    if (!canonical)
        canonical = address;
    if (!strset_add(walk->visited, span_of(canonical)))
        return;
    if (depth > ROUTES_TABLE_DEPTH) {
        walk->routes->is_cut = true;
        return;
    }
    enum store_outcome outcome =
        walk->source->forwards ? forwards_find(walk->source->forwards, walk->arena, canonical, walk->now, &forward)
                               : STORE_ABSENT;
    walk->is_down |= outcome == STORE_DOWN;
    if (walk->is_down)
        return;
    if (outcome != STORE_OK) {
        follow_aliases(walk, canonical, address, depth);
        return;
    }
    walk->routes->by_table = true;
    if (!forward.deletes)
        follow_aliases(walk, canonical, address, depth);
    for (size_t i = 0; i < forward.count && !walk->is_down; i++)
        visit(walk, forward.targets[i], depth + 1);
}

enum store_outcome routes_find(const struct routes_source *source, struct arena *arena, const char *address, int64_t now,
                               struct routes *routes)
{
    struct arena *scratch = arena_create(SCRATCH_BLOCK);
    struct walk walk = {.source = source,
                        .arena = scratch,
                        .kept = arena,
                        .now = now,
                        .visited = strset_create(scratch),
                        .known = strset_create(scratch),
                        .routes = routes};
    *routes = (struct routes){.canonical = aliases_canonical(source->aliases, arena, address)};
    if (!routes->canonical)
        routes->canonical = arena_strdup(arena, address);
    visit(&walk, address, 0);
    arena_destroy(scratch);
    if (walk.is_down)
        return STORE_DOWN;
    routes->is_direct = !routes->by_table && routes->count == 1 && strcmp(routes->items[0].address, address) == 0;
    return STORE_OK;
}
