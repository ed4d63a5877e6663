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
bool routes_is_here(const char *domain, const struct domain_set *local_domains, const char *hostname)
{
    return domain_set_has(local_domains, domain) || strcmp(domain, "localhost") == 0 ||
           strcmp(domain, "localhost.localdomain") == 0 || (hostname && strcmp(domain, hostname) == 0);
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
    return !routes_is_here(domain, walk->source->local_domains, walk->source->hostname);
}

static const char *canonical_of(const struct walk *walk, const char *address)
{
    const char *canonical = aliases_canonical(walk->source->aliases, walk->arena, address);
    return canonical ? canonical : address;
}

static bool is_self(const struct walk *walk, const char *address)
{
    return strcmp(canonical_of(walk, address), walk->routes->canonical) == 0;
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

/* Does local(8) expand one of them again and again? Then they cannot be told apart by address. */
static bool has_local_key(const struct aliases_targets *targets)
{
    for (size_t i = 0; i < targets->route_count; i++) {
        if (targets->route_flags[i] & ROUTE_IS_KEY_LOCAL)
            return true;
    }
    return false;
}

/* What our table says of CANONICAL. */
static enum store_outcome look_up(struct walk *walk, const char *canonical, struct forward *forward)
{
    const struct routes_source *source = walk->source;
    if (!source->forwards)
        return STORE_ABSENT;
    enum store_outcome outcome = forwards_find(source->forwards, walk->arena, canonical, walk->now, forward);
    walk->is_down |= outcome == STORE_DOWN; /* whoever asked again would wait again */
    return outcome;
}

/* May the walk go on from CANONICAL? Only once. */
static bool enter(struct walk *walk, const char *canonical, unsigned depth)
{
    if (walk->is_down || !strset_add(walk->visited, span_of(canonical)))
        return false;
    walk->routes->is_cut |= depth > ROUTES_TABLE_DEPTH;
    return depth <= ROUTES_TABLE_DEPTH;
}

static void follow_forward(struct walk *walk, const char *canonical, const char *address,
                           const struct forward *forward, unsigned depth);

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
    for (size_t i = 0; i < targets.route_count && !walk->is_down; i++) {
        const char *route = targets.routes[i], *next = canonical_of(walk, route);
        struct forward forward;
        if (strcmp(next, canonical) == 0 || look_up(walk, next, &forward) == STORE_ABSENT)
            add(walk, route, targets.route_flags[i] & ROUTE_IS_KEY_VIRTUAL);
        else if (enter(walk, next, depth + 1))
            follow_forward(walk, next, route, &forward, depth + 1);
    }
}

static void visit(struct walk *walk, const char *address, unsigned depth)
{
    struct forward forward;
    const char *canonical = canonical_of(walk, address);
    if (!enter(walk, canonical, depth))
        return;
    switch (look_up(walk, canonical, &forward)) {
    case STORE_OK:
        follow_forward(walk, canonical, address, &forward, depth);
        break;
    case STORE_ABSENT:
        follow_aliases(walk, canonical, address, depth);
        break;
    default:
        break;
    }
}

static void follow_forward(struct walk *walk, const char *canonical, const char *address,
                           const struct forward *forward, unsigned depth)
{
    walk->routes->by_table = true;
    if (!forward->deletes)
        follow_aliases(walk, canonical, address, depth);
    for (size_t i = 0; i < forward->count; i++)
        visit(walk, forward->targets[i], depth + 1);
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
