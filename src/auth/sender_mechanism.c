/*
 * sender_mechanism - the mechanisms of RFC 7208 section 5 that compare the client with addresses and names.
 *
 * A void look-up (4.6.4) is one of a term, NXDOMAIN or without data: the address of `a` and `exists`, the names of `mx`
 * and `ptr`; not the addresses of those names, for a host with one family of addresses only is no sign of abuse.
 *
 * The names of the client's address are the client's own, and so are the name servers that are asked for them and for
 * their addresses. They must not use up the time for the terms behind, which would buy a forger a temperror: together
 * they have half of what is left when the first of them is asked for. Without an answer `ptr` does not match.
 */
#include "auth/sender_walk.h"
#include "util/clock.h"
#include "util/domain.h"

static enum sender_match give_up(struct sender_walk *walk, enum sender_match match, const char *reason)
{
    walk->answer->reason = reason;
    return match;
}

static const char *validated_name(void *context);

const char *sender_expand(struct sender_frame *frame, const char *text, enum sender_macro_kind kind)
{
    const struct sender_query *query = frame->walk->query;
    struct sender_macro_values values = {.local = query->local,
                                         .origin = query->domain,
                                         .domain = frame->domain,
                                         .helo = query->helo,
                                         .receiver = query->receiver,
                                         .client = query->client,
                                         .now = query->now,
                                         .validated = validated_name,
                                         .context = frame};
    return sender_macro_expand(query->arena, text, kind, &values);
}

const char *sender_target(struct sender_frame *frame, const struct sender_term *term)
{
    return term->target ? sender_expand(frame, term->target, SENDER_MACRO_DOMAIN) : frame->domain;
}

const struct dns_answer *sender_ask(struct sender_walk *walk, const char *name, enum dns_type type)
{
    static const struct dns_answer nothing = {.outcome = DNS_NXDOMAIN};
    const struct sender_query *query = walk->query;
    return sender_is_askable(name) ? dns_query(query->dns, query->budget, query->arena, name, type) : &nothing;
}

/* A look-up of a term itself. NULL: *MATCH is the end of it. */
static const struct dns_answer *ask_term(struct sender_walk *walk, const char *name, enum dns_type type,
                                         enum sender_match *match)
{
    const struct dns_answer *answer = sender_ask(walk, name, type);
    *match = MATCH_NO;
    if (answer->outcome == DNS_ANSWER)
        return answer;
    if (sender_is_error(answer->outcome)) {
        *match = give_up(walk, MATCH_TEMPERROR,
                         arena_printf(walk->query->arena, "%s: %s", name, dns_outcome_name(answer->outcome)));
    } else if (++walk->answer->void_lookups > walk->query->void_limit) {
        *match = give_up(walk, MATCH_PERMERROR, "too many look-ups without an answer");
    }
    return NULL;
}

static enum dns_type address_type(const struct sender_walk *walk)
{
    return walk->query->client.family == AF_INET6 ? DNS_AAAA : DNS_A;
}

static bool is_within(const struct netaddr *addr, const uint8_t *network, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    uint8_t mask = (uint8_t)(0xff00 >> rest);
    return memcmp(addr->bytes, network, whole) == 0 &&
           (rest == 0 || (addr->bytes[whole] & mask) == (network[whole] & mask));
}

static bool any_address(const struct sender_walk *walk, const struct dns_answer *answer, const struct sender_term *term)
{
    const struct netaddr *client = &walk->query->client;
    unsigned bits = client->family == AF_INET6 ? term->bits6 : term->bits4;
    for (size_t i = 0; i < answer->count; i++) {
        if (is_within(client, answer->records[i].addr.bytes, bits))
            return true;
    }
    return false;
}

static enum sender_match match_a(struct sender_frame *frame, const struct sender_term *term)
{
    enum sender_match match;
    const struct dns_answer *answer =
        ask_term(frame->walk, sender_target(frame, term), address_type(frame->walk), &match);
    return !answer ? match : any_address(frame->walk, answer, term) ? MATCH_YES : MATCH_NO;
}

static enum sender_match match_mx(struct sender_frame *frame, const struct sender_term *term)
{
    struct sender_walk *walk = frame->walk;
    enum sender_match match;
    const struct dns_answer *mx = ask_term(walk, sender_target(frame, term), DNS_MX, &match);
    if (!mx)
        return match;
    if (mx->count > SENDER_NAMES_MAX)
        return give_up(walk, MATCH_PERMERROR, "more than 10 MX names");
    for (size_t i = 1; i < mx->count; i++)
        dns_prefetch(walk->query->dns, mx->records[i].name, address_type(walk));
    for (size_t i = 0; i < mx->count; i++) {
        const struct dns_answer *addresses = sender_ask(walk, mx->records[i].name, address_type(walk));
        if (sender_is_error(addresses->outcome))
            return give_up(
                walk, MATCH_TEMPERROR,
                arena_printf(walk->query->arena, "%s: %s", mx->records[i].name, dns_outcome_name(addresses->outcome)));
        if (any_address(walk, addresses, term))
            return MATCH_YES;
    }
    return MATCH_NO;
}

/* The same as sender_ask() for a name that the client has chosen. */
static const struct dns_answer *ask_client(struct sender_walk *walk, const char *name, enum dns_type type)
{
    struct dns_budget *budget = walk->query->budget, part = *budget;
    struct sender_query query = *walk->query;
    struct sender_walk limited = {.query = &query};
    if (walk->reverse_deadline_us == 0) {
        int64_t now = clock_monotonic_us();
        walk->reverse_deadline_us = now + (budget->deadline_us - now) / 2;
    }
    part.deadline_us = walk->reverse_deadline_us;
    query.budget = &part;
    const struct dns_answer *answer = sender_ask(&limited, name, type);
    budget->queries_left = part.queries_left;
    return answer;
}

static bool has_address(struct sender_walk *walk, const char *name)
{
    static const struct sender_term exact = {.bits4 = 32, .bits6 = 128};
    const struct dns_answer *addresses = ask_client(walk, name, address_type(walk));
    return addresses->outcome == DNS_ANSWER && any_address(walk, addresses, &exact);
}

/* The first ten names that lead back to the client, in *NAMES; how many (RFC 7208 5.5). */
static size_t validate_names(struct sender_walk *walk, const struct dns_answer *ptr,
                             const char *names[SENDER_NAMES_MAX])
{
    size_t looked_at = ptr->count < SENDER_NAMES_MAX ? ptr->count : SENDER_NAMES_MAX, count = 0;
    for (size_t i = 1; i < looked_at; i++)
        dns_prefetch(walk->query->dns, ptr->records[i].name, address_type(walk));
    for (size_t i = 0; i < looked_at; i++) {
        if (has_address(walk, ptr->records[i].name))
            names[count++] = ptr->records[i].name;
    }
    return count;
}

static enum sender_match match_ptr(struct sender_frame *frame, const struct sender_term *term)
{
    struct sender_walk *walk = frame->walk;
    const char *names[SENDER_NAMES_MAX], *target = sender_target(frame, term);
    const struct dns_answer *ptr =
        ask_client(walk, dns_reverse_name(walk->query->arena, &walk->query->client), DNS_PTR);
    if (ptr->outcome == DNS_NXDOMAIN || ptr->outcome == DNS_NODATA) {
        if (++walk->answer->void_lookups > walk->query->void_limit)
            return give_up(walk, MATCH_PERMERROR, "too many look-ups without an answer");
    }
    size_t count = validate_names(walk, ptr, names);
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(names[i]), t = strlen(target);
        if (n >= t && strcasecmp(names[i] + n - t, target) == 0 && (n == t || names[i][n - t - 1] == '.'))
            return MATCH_YES;
    }
    return MATCH_NO;
}

/* RFC 7208 7.3: the domain itself, else one below it, else any. */
static const char *validated_name(void *context)
{
    struct sender_frame *frame = context;
    struct sender_walk *walk = frame->walk;
    if (walk->validated && strcmp(walk->validated_for, frame->domain) == 0)
        return walk->validated;
    const char *names[SENDER_NAMES_MAX], *best = NULL;
    const struct dns_answer *ptr =
        ask_client(walk, dns_reverse_name(walk->query->arena, &walk->query->client), DNS_PTR);
    size_t count = validate_names(walk, ptr, names);
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(names[i], frame->domain) == 0) {
            best = names[i];
            break;
        }
        if (!best || (domain_is_within(names[i], frame->domain) && !domain_is_within(best, frame->domain)))
            best = names[i];
    }
    walk->validated_for = frame->domain;
    return walk->validated = best ? best : "unknown";
}

void sender_prefetch(struct sender_frame *frame, size_t number)
{
    const struct sender_record *record = &frame->record;
    if (frame->is_prefetched)
        return;
    frame->is_prefetched = true;
    for (size_t i = number; i < record->count && i < number + SENDER_LOOKUPS_MAX; i++) {
        const struct sender_term *term = &record->terms[i];
        const char *name = term->target ? term->target : frame->domain;
        if (term->mechanism == SENDER_ALL)
            return;
        if (strchr(name, '%'))
            continue;
        if (term->mechanism == SENDER_INCLUDE)
            dns_prefetch(frame->walk->query->dns, name, DNS_TXT);
        else if (term->mechanism == SENDER_A)
            dns_prefetch(frame->walk->query->dns, name, address_type(frame->walk));
        else if (term->mechanism == SENDER_MX)
            dns_prefetch(frame->walk->query->dns, name, DNS_MX);
    }
}

static enum sender_match match_exists(struct sender_frame *frame, const struct sender_term *term)
{
    enum sender_match match; /* an A record, whatever the family of the client */
    return ask_term(frame->walk, sender_target(frame, term), DNS_A, &match) ? MATCH_YES : match;
}

enum sender_match sender_match_address(const struct sender_query *query, const struct sender_term *term)
{
    const struct netaddr *client = &query->client;
    bool is_ip4 = term->mechanism == SENDER_IP4;
    return client->family == (is_ip4 ? AF_INET : AF_INET6) &&
                   is_within(client, term->network, is_ip4 ? term->bits4 : term->bits6)
               ? MATCH_YES
               : MATCH_NO;
}

enum sender_match sender_match_names(struct sender_frame *frame, const struct sender_term *term)
{
    switch (term->mechanism) {
    case SENDER_A:
        return match_a(frame, term);
    case SENDER_MX:
        return match_mx(frame, term);
    case SENDER_PTR:
        return match_ptr(frame, term);
    default:
        return match_exists(frame, term);
    }
}
