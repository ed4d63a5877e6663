/*
 * alias_expand - from one address to all that it means, depth first.
 *
 * A node is an address, or a list. What is on the way from the start to here and comes again is a loop; what was looked
 * at before is not looked at again, so that a net of aliases costs its size and not the number of ways through it. An
 * address that means itself ("alice: alice, bob") stays, as with Postfix: virtual aliases are not asked of it again,
 * but aliases(5) still are; if those say so too, it is final. Behind aliases(5), addresses at local_domain stay with
 * local(8) and see no virtual alias.
 *
 * A tag that the key did not have goes over to the targets of virtual aliases (Postfix:
 * propagate_unmatched_extensions).
 */
#include "aliases/alias_lookup.h"
#include "util/strset.h"

#define NODES_MAX 10000 /* looked at for one address */
#define FEW 8

/* How far an address has come: which tables are still to be asked of it. */
enum stage { STAGE_VIRTUAL, STAGE_LOCAL, STAGE_FINAL };

struct frame { /* the way from the start */
    const struct frame *up;
    const char *key;
    unsigned depth;
};

/* Texts that are in it once: few as a rule, so they are compared one by one until they are many. */
struct distinct {
    const char *few[FEW];
    size_t count;
    struct strset *many; /* NULL: FEW is enough */
};

struct expansion {
    const struct aliases *aliases;
    const struct alias_set *set;
    struct arena *arena;
    struct distinct seen, item_set, route_set;
    const char **items, **routes;
    unsigned char *flags; /* of the routes */
    size_t item_count, item_capacity, route_count, route_capacity, flag_capacity, nodes;
    bool is_alias, is_cut, is_partial, is_catch_all;
};

static void visit_address(struct expansion *e, const struct frame *up, const struct alias_address *address,
                          enum stage stage);

/* TEXT on E's arena if it is new to SET, else NULL. */
static const char *distinct_add(struct expansion *e, struct distinct *set, const char *text)
{
    size_t len = strlen(text);
    if (set->many)
        return strset_add(set->many, (struct span){text, len}) ? arena_spandup(e->arena, (struct span){text, len}) : NULL;
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->few[i], text) == 0)
            return NULL;
    }
    const char *copy = arena_spandup(e->arena, (struct span){text, len});
    if (set->count < FEW) {
        set->few[set->count++] = copy;
        return copy;
    }
    set->many = strset_create(e->arena);
    for (size_t i = 0; i < set->count; i++)
        strset_add(set->many, span_of(set->few[i]));
    strset_add(set->many, (struct span){copy, len});
    return copy;
}

static bool is_over(struct expansion *e, unsigned depth)
{
    if (e->route_count > ALIASES_TARGETS_MAX || e->nodes > NODES_MAX || depth > ALIASES_DEPTH_MAX) {
        e->is_cut = true;
        return true;
    }
    return false;
}

/* May the node of this name be looked at, and for the first time? Its name on E's arena, or NULL. */
static const char *enter(struct expansion *e, const struct frame *up, const char *key)
{
    for (const struct frame *frame = up; frame; frame = frame->up) {
        if (strcmp(frame->key, key) == 0) {
            e->is_cut = true;
            return NULL;
        }
    }
    e->nodes++;
    return is_over(e, up ? up->depth + 1 : 0) ? NULL : distinct_add(e, &e->seen, key);
}

/* Of an address (folded) that is followed no further, though a table may speak of it. */
static unsigned flags_of(const struct expansion *e, const struct alias_address *folded)
{
    const char *tag = alias_address_tag(folded, e->aliases->delimiters);
    unsigned flags = 0;
    if (alias_find_virtual(e->aliases, e->set, folded, tag).form != ALIAS_NONE)
        flags |= ROUTE_IS_KEY_VIRTUAL;
    if (alias_find_local(e->aliases, e->set, folded, tag).form != ALIAS_NONE)
        flags |= ROUTE_IS_KEY_LOCAL;
    return flags;
}

/* IS_PLAIN: no table speaks of it. */
static void add(struct expansion *e, const struct alias_address *address, bool is_plain)
{
    char text[ALIAS_ADDRESS_MAX];
    alias_address_print(address, text);
    const char *route = distinct_add(e, &e->route_set, text);
    if (!route)
        return;
    if (e->route_count >= ALIASES_TARGETS_MAX) {
        e->route_count = ALIASES_TARGETS_MAX + 1; /* is_over() from now on */
        e->is_cut = true;
        return;
    }
    e->routes = arena_grow(e->arena, e->routes, &e->route_capacity, e->route_count + 1, sizeof *e->routes);
    e->flags = arena_grow(e->arena, e->flags, &e->flag_capacity, e->route_count + 1, sizeof *e->flags);
    struct alias_address canonical = *address;
    alias_address_fold(&canonical);
    e->flags[e->route_count] = is_plain ? 0 : (unsigned char)flags_of(e, &canonical);
    e->routes[e->route_count++] = route;
    if (is_plain)
        alias_cut_tag(e->aliases, &canonical);
    else
        alias_canonical(e->aliases, e->set, &canonical);
    alias_address_print(&canonical, text);
    const char *item = distinct_add(e, &e->item_set, text);
    if (!item)
        return;
    e->items = arena_grow(e->arena, e->items, &e->item_capacity, e->item_count + 1, sizeof *e->items);
    e->items[e->item_count++] = item;
}

/* "local@domain" as tables keep it; the last '@' is before the domain. */
static void read_target(const char *text, struct alias_address *address)
{
    const char *at = strrchr(text, '@');
    address->local_len = (size_t)(at - text);
    memcpy(address->local, text, address->local_len);
    address->local[address->local_len] = '\0';
    memcpy(address->domain, at + 1, strlen(at + 1) + 1);
}

static bool is_same(const struct alias_address *a, const struct alias_address *b)
{
    if (strcmp(a->domain, b->domain) != 0)
        return false;
    struct alias_address left = *a, right = *b;
    alias_address_fold(&left);
    alias_address_fold(&right);
    return strcmp(left.local, right.local) == 0;
}

static void visit_virtual_target(struct expansion *e, const struct frame *frame, const struct alias_address *from,
                                 const char *tag, const char *target)
{
    struct alias_address address;
    if (target[0] == 'D') {
        address = *from;
        memcpy(address.domain, target + 2, strlen(target + 2) + 1);
    } else {
        size_t more = tag ? strlen(tag) : 0;
        read_target(target + 1, &address);
        if (address.local_len + more <= ALIAS_LOCAL_MAX) {
            memcpy(address.local + address.local_len, tag ? tag : "", more + 1);
            address.local_len += more;
        }
    }
    visit_address(e, frame, &address, is_same(from, &address) ? STAGE_LOCAL : STAGE_VIRTUAL);
}

/* Does MARK stand for targets that the table does not have? */
static bool is_missing(struct expansion *e, const char *mark)
{
    e->is_cut |= *mark == 'C';
    e->is_partial |= *mark == 'C' || *mark == 'P';
    return *mark == 'C' || *mark == 'P';
}

static void visit_local_target(struct expansion *e, const struct frame *frame, const struct alias_address *from,
                               const struct alias_table *table, const char *target);

static void visit_list(struct expansion *e, const struct frame *up, const struct alias_address *from,
                       const struct alias_table *table, const char *path)
{
    const char *key = enter(e, up, arena_printf(e->arena, "I%s", path));
    if (!key)
        return;
    struct frame frame = {up, key, up->depth + 1};
    strmap_at first = strmap_find(table->includes, span_of(path));
    e->is_partial |= !first; /* there were too many lists */
    for (strmap_at at = first; at; at = strmap_next(table->includes, at)) {
        struct span row = strmap_value(table->includes, at);
        for (const char *p = row.ptr; p < row.ptr + row.len && !is_over(e, 0); p += strlen(p) + 1)
            if (!is_missing(e, p))
                visit_local_target(e, &frame, from, table, p);
    }
}

static void visit_local_target(struct expansion *e, const struct frame *frame, const struct alias_address *from,
                               const struct alias_table *table, const char *target)
{
    struct alias_address address;
    if (target[0] == 'I') {
        visit_list(e, frame, from, table, target + 1);
        return;
    }
    read_target(target + 1, &address);
    bool stays = e->aliases->local_domain && strcmp(address.domain, e->aliases->local_domain) == 0;
    enum stage stage = stays ? STAGE_LOCAL : STAGE_VIRTUAL;
    if (is_same(from, &address))
        stage = STAGE_FINAL;
    visit_address(e, frame, &address, stage);
}

/* FOLDED as ADDRESS, in lower case. */
static void visit_found(struct expansion *e, const struct frame *frame, const struct alias_address *address,
                        const struct alias_found *found, bool local)
{
    const char *tag = found->form == ALIAS_TAGLESS ? alias_address_tag(address, e->aliases->delimiters) : NULL;
    for (strmap_at at = found->at; at; at = strmap_next(found->map, at)) {
        struct span row = strmap_value(found->map, at);
        for (const char *p = row.ptr; p < row.ptr + row.len && !is_over(e, 0); p += strlen(p) + 1) {
            if (is_missing(e, p))
                continue;
            e->is_catch_all |= found->form == ALIAS_DOMAIN && *p != 'D'; /* 'D': the same user elsewhere */
            if (local)
                visit_local_target(e, frame, address, found->table, p);
            else
                visit_virtual_target(e, frame, address, tag, p);
        }
    }
}

static void visit_address(struct expansion *e, const struct frame *up, const struct alias_address *address,
                          enum stage stage)
{
    struct alias_address folded = *address;
    char name[1 + ALIAS_ADDRESS_MAX];
    if (stage == STAGE_FINAL) {
        add(e, address, false);
        return;
    }
    alias_address_fold(&folded);
    name[0] = stage == STAGE_VIRTUAL ? 'V' : 'L';
    alias_address_print(&folded, name + 1);
    const char *key = enter(e, up, name);
    if (!key)
        return;
    struct frame frame = {up, key, up ? up->depth + 1 : 0};
    const char *tag = alias_address_tag(&folded, e->aliases->delimiters);
    struct alias_found found = {ALIAS_NONE, NULL, 0, NULL};
    if (stage == STAGE_VIRTUAL)
        found = alias_find_virtual(e->aliases, e->set, &folded, tag);
    bool local = found.form == ALIAS_NONE;
    if (local)
        found = alias_find_local(e->aliases, e->set, &folded, tag);
    if (!up)
        e->is_alias = found.form != ALIAS_NONE;
    if (found.form == ALIAS_NONE)
        add(e, address, stage == STAGE_VIRTUAL);
    else
        visit_found(e, &frame, address, &found, local);
}

struct aliases_targets alias_expand(const struct aliases *aliases, const struct alias_set *set, struct arena *arena,
                                    const struct alias_address *address)
{
    struct expansion e = {.aliases = aliases, .set = set, .arena = arena};
    visit_address(&e, NULL, address, STAGE_VIRTUAL);
    size_t routes = e.route_count > ALIASES_TARGETS_MAX ? ALIASES_TARGETS_MAX : e.route_count;
    return (struct aliases_targets){.items = e.items,
                                    .count = e.item_count,
                                    .routes = e.routes,
                                    .route_flags = e.flags,
                                    .route_count = routes,
                                    .is_alias = e.is_alias,
                                    .is_cut = e.is_cut,
                                    .is_partial = e.is_partial,
                                    .is_catch_all = e.is_catch_all};
}
