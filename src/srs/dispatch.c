/*
 * dispatch - first the question whether anybody here gets the message, then each recipient's way.
 *
 * Without a copy that stays here (or where no copies may be made), the message itself takes the one reverse-path, and
 * only what Postern's own table does is an edit: the MTA follows its aliases with the new reverse-path by itself. An
 * address that is added so and that the MTA expands once more leads to what is added beside it; the MTA delivers once.
 *
 * Otherwise what leaves goes into copies, and its recipients are taken out of the message. What of them stays here is
 * added again by its final address; if the MTA would expand that once more ("user: user, x@gmail") it would reach the
 * other host a second time, so it goes by a copy as well, with the reverse-path as it was.
 */
#include "srs/dispatch.h"
#include "util/strset.h"
#include <ctype.h>
#include <string.h>

struct planning {
    struct arena *arena;
    const struct dispatch_options *options;
    struct strset *sent; /* "SRS-DOMAIN ADDRESS" of the copies, ADDRESS of what was added */
    const struct dispatch_recipient *recipients;
    bool *is_removed; /* one a recipient */
    struct dispatch *out;
};

static bool any_leaves(const struct dispatch_recipient *recipient)
{
    for (size_t i = 0; i < recipient->routes.count; i++) {
        if (recipient->routes.items[i].leaves)
            return true;
    }
    return false;
}

static bool any_stays(const struct dispatch_recipient *recipient)
{
    for (size_t i = 0; i < recipient->routes.count; i++) {
        if (!recipient->routes.items[i].leaves)
            return true;
    }
    return recipient->routes.count == 0;
}

static void append(struct arena *arena, struct dispatch_address **items, size_t *count, size_t *capacity,
                   const char *address, const char *parameters)
{
    *items = arena_grow(arena, *items, capacity, *count + 1, sizeof **items);
    (*items)[(*count)++] = (struct dispatch_address){address, parameters};
}

static void take_out(struct planning *planning, const struct dispatch_recipient *recipient)
{
    struct dispatch *out = planning->out;
    planning->is_removed[recipient - planning->recipients] = true;
    out->removed =
        arena_grow(planning->arena, out->removed, &out->removed_capacity, out->removed_count + 1, sizeof *out->removed);
    out->removed[out->removed_count++] = recipient->given;
}

static void put_in(struct planning *planning, const char *address, const char *parameters)
{
    struct dispatch *out = planning->out;
    if (strset_add(planning->sent, span_of(address)))
        append(planning->arena, &out->added, &out->added_count, &out->added_capacity, address, parameters);
}

static struct dispatch_copy *copy_of(struct planning *planning, const char *srs_domain)
{
    struct dispatch *out = planning->out;
    for (size_t i = 0; i < out->copy_count; i++) {
        const char *there = out->copies[i].srs_domain;
        if (there == srs_domain || (there && srs_domain && strcmp(there, srs_domain) == 0))
            return &out->copies[i];
    }
    out->copies =
        arena_grow(planning->arena, out->copies, &out->copy_capacity, out->copy_count + 1, sizeof *out->copies);
    out->copies[out->copy_count] = (struct dispatch_copy){.srs_domain = srs_domain};
    return &out->copies[out->copy_count++];
}

/* An address gets one copy, however many lead to it. */
static void send_copy(struct planning *planning, const char *srs_domain, const char *address, const char *parameters)
{
    const char *key = arena_printf(planning->arena, "%c %s", srs_domain ? 's' : 'h', address);
    if (!strset_add(planning->sent, span_of(key)))
        return;
    struct dispatch_copy *copy = copy_of(planning, srs_domain);
    append(planning->arena, &copy->to, &copy->count, &copy->capacity, address, parameters);
}

/* Would the MTA deliver to the recipient alone, if he stays in the message? */
static bool is_plain(const struct dispatch_recipient *recipient)
{
    for (size_t i = 0; i < recipient->routes.count; i++) {
        const struct route *route = &recipient->routes.items[i];
        if (route->is_self)
            return recipient->routes.by_table && !route->expands_more;
    }
    return false;
}

static struct span folded(struct arena *arena, const char *address)
{
    char *copy = arena_strdup(arena, address);
    for (char *p = copy; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return span_of(copy);
}

/* Who stands in the message and stays there is not put in: the MTA would deliver to them twice. */
static void drop_doubles(struct planning *planning, size_t count)
{
    struct dispatch *out = planning->out;
    struct strset *there = strset_create(planning->arena);
    size_t kept = 0;
    for (size_t i = 0; i < count && out->added_count > 0; i++) {
        if (!planning->is_removed[i])
            strset_add(there, folded(planning->arena, planning->recipients[i].given));
    }
    for (size_t i = 0; i < out->added_count; i++) {
        if (!strset_has(there, folded(planning->arena, out->added[i].address)))
            out->added[kept++] = out->added[i];
    }
    out->added_count = kept;
}

/* What leaves goes by a copy of its own, or not at all; what stays here is in the message again, by its final
 * address. */
static void part(struct planning *planning, const struct dispatch_recipient *recipient)
{
    bool is_held_back = planning->options->stays_home && any_stays(recipient);
    bool may_stay = is_plain(recipient);
    if (!may_stay)
        take_out(planning, recipient);
    for (size_t i = 0; i < recipient->routes.count; i++) {
        const struct route *route = &recipient->routes.items[i];
        if (route->leaves && !is_held_back)
            send_copy(planning, recipient->srs_domain, route->address, recipient->parameters);
        else if (!route->leaves && route->expands_more)
            send_copy(planning, NULL, route->address, recipient->parameters);
        else if (!route->leaves && !(may_stay && route->is_self))
            put_in(planning, route->address, recipient->parameters);
    }
}

/* The one reverse-path serves all: only what the MTA would not do by itself is an edit. */
static void edit(struct planning *planning, const struct dispatch_recipient *recipient)
{
    const struct routes *routes = &recipient->routes;
    if (!routes->by_table || routes->count == 0) /* 0: a circle; the MTA has him as he is */
        return;
    if (!routes->stays)
        take_out(planning, recipient);
    for (size_t i = 0; i < routes->count; i++) {
        if (!routes->items[i].is_self)
            put_in(planning, routes->items[i].address, recipient->parameters);
    }
}

/* Can the message itself carry the reverse-path of all that leaves, with nobody here seeing it? */
static bool is_of_one_piece(const struct dispatch_recipient *recipients, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (any_stays(&recipients[i]) || !any_leaves(&recipients[i]) ||
            strcmp(recipients[i].srs_domain, recipients[0].srs_domain) != 0)
            return false;
    }
    return true;
}

struct dispatch dispatch_plan(struct arena *arena, const struct dispatch_recipient *recipients, size_t count,
                              const struct dispatch_options *options)
{
    struct dispatch out = {.srs_domain = NULL};
    bool *is_removed = ARENA_ARRAY(arena, bool, count + 1);
    struct planning planning = {arena, options, strset_create(arena), recipients, is_removed, &out};
    bool rewrites = false;
    for (size_t i = 0; i < count; i++) {
        out.is_forward |= any_leaves(&recipients[i]);
        rewrites |= any_leaves(&recipients[i]) && recipients[i].srs_domain;
    }
    bool parts = options->splits && rewrites && !is_of_one_piece(recipients, count);
    for (size_t i = 0; i < count; i++) {
        const struct dispatch_recipient *recipient = &recipients[i];
        bool leaves = any_leaves(recipient);
        if (leaves && (parts || (options->splits && options->stays_home && any_stays(recipient)))) {
            part(&planning, recipient);
            continue;
        }
        if (leaves && !out.srs_domain)
            out.srs_domain = recipient->srs_domain;
        edit(&planning, recipient);
    }
    drop_doubles(&planning, count);
    out.is_empty = out.removed_count == count && out.added_count == 0;
    return out;
}
