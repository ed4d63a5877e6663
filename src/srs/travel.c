/*
 * travel - routes of all recipients, the question whether the sender needs rewriting, the dispatch, the SRS addresses.
 *
 * A recipient at another host, named as such by the client, is relayed and not forwarded: his mail is rewritten only if
 * it is a redirection come back (a Sieve script, a .forward: a client on this host, a stranger's reverse-path), or if
 * the reverse-path is one that we sign. Everything else that leaves does so by an alias or by our table.
 *
 * What is not known whole must not be taken apart, or somebody would not get his mail: an alias beyond the bounds is
 * left to the MTA as it is, and of our own table nothing is carried out.
 */
#include "srs/travel.h"
#include "util/domain.h"
#include "util/strbuf.h"
#include <string.h>

#define TOLD_MOST 8192 /* bytes */

struct working {
    struct arena *arena;
    const struct travel_question *question;
    struct travel *travel;
    struct dispatch_recipient *recipients;
    size_t route_count;
};

const char *travel_sender_text(enum travel_sender sender)
{
    static const char *const texts[] = {"the null reverse-path is never rewritten",
                                        "the reverse-path is an SRS address of ours already",
                                        "the reverse-path is in local_domains",
                                        "no srs { domain } is set",
                                        "the sender's SPF record permits our own addresses",
                                        "the reverse-path is signed",
                                        "the reverse-path is rewritten"};
    return texts[sender];
}

static bool is_signed_domain(const struct forwarding *forwarding, const char *address)
{
    char domain[DOMAIN_MAX + 1];
    return domain_of_address(address, domain) == 0 && domain_set_has(forwarding->options->sign_outgoing, domain);
}

static enum travel_sender judge_sender(const struct travel_question *question)
{
    const char *sender = question->message->reverse_path;
    const struct forwarding *forwarding = question->forwarding;
    if (!*sender)
        return TRAVEL_NULL;
    if (!forwarding->srs)
        return TRAVEL_OFF;
    if (forwarding_is_ours(forwarding, sender))
        return TRAVEL_OURS;
    if (question->is_own_user && is_signed_domain(forwarding, sender))
        return TRAVEL_SIGNED;
    return forwarding_is_local(forwarding, sender) ? TRAVEL_OWN : TRAVEL_FOREIGN;
}

/* The SRS address that was written to is taken out, whoever it stands for is put in: the MTA cannot do that. */
static void take_over(struct working *w, struct routes *routes)
{
    struct route *items = ARENA_ARRAY(w->arena, struct route, routes->count + 1);
    for (size_t i = 0; i < routes->count; i++) {
        items[i] = routes->items[i];
        items[i].is_self = false;
    }
    routes->items = items;
    routes->by_table = true;
    routes->stays = routes->is_direct = false;
}

/* The MTA does what it does with the recipient. */
static void leave_alone(struct working *w, struct routes *routes)
{
    struct route *route = ARENA_NEW(w->arena, struct route);
    *route = (struct route){routes->canonical, false, true, false};
    *routes = (struct routes){.items = route, .count = 1, .canonical = routes->canonical, .stays = true};
}

/* 0, or -1: our table cannot be carried out for him. */
static int check_whole(struct working *w, struct dispatch_recipient *recipient)
{
    struct routes *routes = &recipient->routes;
    if (routes->by_table && routes->count == 0)
        w->travel->loop = recipient->given;
    else if (routes->by_table && routes->is_cut)
        w->travel->problem = arena_printf(w->arena, "the forwards of %s lead too far: over %d addresses, %d levels, or a loop",
                                          recipient->given, ALIASES_TARGETS_MAX, ROUTES_TABLE_DEPTH);
    else if (routes->is_cut)
        leave_alone(w, routes);
    return w->travel->loop || w->travel->problem ? -1 : 0;
}

/* What leaves without being forwarded: the recipient was named at its own host, and nobody redirected it. */
static void leave_relayed(struct working *w, struct routes *routes)
{
    const struct travel_question *question = w->question;
    bool is_redirected = w->travel->sender == TRAVEL_FOREIGN && question->client_is_here;
    if (!routes->is_direct || is_redirected || w->travel->sender == TRAVEL_SIGNED)
        return;
    struct route *route = ARENA_NEW(w->arena, struct route);
    *route = routes->items[0];
    route->leaves = false;
    routes->items = route;
}

static bool find_routes(struct working *w, size_t i)
{
    const struct travel_question *question = w->question;
    const struct forwarding *forwarding = question->forwarding;
    const struct routes_source source = {forwarding->forwards, forwarding->state->aliases,
                                         forwarding->settings->general->local_domains, forwarding->settings->hostname};
    const struct travel_recipient *from = &question->recipients[i];
    struct dispatch_recipient *to = &w->recipients[i];
    *to = (struct dispatch_recipient){.given = from->given, .parameters = from->parameters};
    if (routes_find(&source, w->arena, from->original ? from->original : from->given, question->message->now,
                    &to->routes) != STORE_OK)
        return false;
    w->route_count += to->routes.count;
    if (w->route_count > TRAVEL_ROUTES_MAX)
        w->travel->problem = arena_printf(w->arena, "its recipients lead to over %d addresses", TRAVEL_ROUTES_MAX);
    if (check_whole(w, to) != 0)
        return true;
    if (from->original)
        take_over(w, &to->routes);
    else
        leave_relayed(w, &to->routes);
    return true;
}

static bool leaves(const struct routes *routes)
{
    for (size_t i = 0; i < routes->count; i++) {
        if (routes->items[i].leaves)
            return true;
    }
    return false;
}

/* Who is forwarded; and whether the SPF of the sender spares us the rewriting. */
static void find_forwarded(struct working *w)
{
    struct travel *travel = w->travel;
    const struct travel_question *question = w->question;
    const char **forwarded = ARENA_ARRAY(w->arena, const char *, question->recipient_count + 1);
    for (size_t i = 0; i < question->recipient_count; i++) {
        const struct routes *routes = &w->recipients[i].routes;
        if (leaves(routes) && !(travel->sender == TRAVEL_SIGNED && routes->is_direct))
            forwarded[travel->forwarded_count++] = routes->canonical;
    }
    travel->forwarded = forwarded;
    if (travel->forwarded_count && travel->sender == TRAVEL_FOREIGN && question->is_allowed &&
        question->is_allowed(question->context))
        travel->sender = TRAVEL_ALLOWED;
    for (size_t i = 0; i < question->recipient_count; i++) {
        struct dispatch_recipient *recipient = &w->recipients[i];
        if (travel->sender == TRAVEL_FOREIGN)
            recipient->srs_domain = forwarding_srs_domain(question->forwarding, recipient->given, recipient->routes.canonical);
        else if (travel->sender == TRAVEL_SIGNED)
            recipient->srs_domain = question->forwarding->options->domain;
    }
}

static const char *rewrite(struct working *w, const char *srs_domain)
{
    const struct travel_question *question = w->question;
    const char *sender = question->message->reverse_path, *result = NULL;
    if (!srs_domain)
        return sender;
    switch (srs_forward(question->forwarding->srs, w->arena, sender, srs_domain, question->message->now,
                        question->is_trial, &result)) {
    case SRS_OK:
        return result;
    case SRS_DOWN:
        w->travel->outcome = STORE_DOWN;
        return NULL;
    default:
        w->travel->problem = arena_printf(w->arena, "%s has no SRS address at %s", sender, srs_domain);
        return NULL;
    }
}

static void rewrite_all(struct working *w)
{
    struct travel *travel = w->travel;
    const struct dispatch *dispatch = &travel->dispatch;
    const char **paths = ARENA_ARRAY(w->arena, const char *, dispatch->copy_count + 1);
    if (dispatch->srs_domain)
        travel->reverse_path = rewrite(w, dispatch->srs_domain);
    for (size_t i = 0; i < dispatch->copy_count; i++)
        paths[i] = rewrite(w, dispatch->copies[i].srs_domain);
    travel->copy_paths = paths;
}

struct travel travel_find(struct arena *arena, const struct travel_question *question)
{
    struct travel travel = {.outcome = STORE_OK, .sender = judge_sender(question)};
    struct working w = {.arena = arena, .question = question, .travel = &travel};
    w.recipients = ARENA_ARRAY(arena, struct dispatch_recipient, question->recipient_count + 1);
    for (size_t i = 0; i < question->recipient_count; i++) {
        if (!find_routes(&w, i)) {
            travel.outcome = STORE_DOWN;
            travel.problem = "the forward table does not answer";
        }
        if (travel.problem || travel.loop)
            return travel;
    }
    find_forwarded(&w);
    const struct dispatch_options options = {
        .splits = question->forwarding->options->mixed == FORWARDING_SPLIT && !question->is_held,
        .stays_home = question->stays_home};
    travel.dispatch = dispatch_plan(arena, w.recipients, question->recipient_count, &options);
    rewrite_all(&w);
    if (travel.outcome == STORE_DOWN)
        travel.problem = "a long sender cannot be stored: the store does not answer";
    return travel;
}

const char *travel_tell(struct arena *arena, const struct travel *travel)
{
    const struct dispatch *dispatch = &travel->dispatch;
    struct strbuf text;
    strbuf_init(&text, TOLD_MOST);
    if (travel->reverse_path)
        strbuf_printf(&text, "reverse-path %s; ", travel->reverse_path);
    for (size_t i = 0; i < dispatch->copy_count; i++) {
        strbuf_printf(&text, "copy from <%s> to", travel->copy_paths[i]);
        for (size_t j = 0; j < dispatch->copies[i].count; j++)
            strbuf_printf(&text, " %s", dispatch->copies[i].to[j].address);
        strbuf_puts(&text, "; ");
    }
    for (size_t i = 0; i < dispatch->removed_count; i++)
        strbuf_printf(&text, "without %s; ", dispatch->removed[i]);
    for (size_t i = 0; i < dispatch->added_count; i++)
        strbuf_printf(&text, "also to %s; ", dispatch->added[i].address);
    if (text.len || dispatch->is_forward)
        strbuf_puts(&text, travel_sender_text(travel->sender));
    const char *copy = text.len ? arena_strdup(arena, strbuf_text(&text)) : NULL;
    strbuf_free(&text);
    return copy;
}
