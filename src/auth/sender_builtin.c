/*
 * sender_builtin - check_host() of RFC 7208, a walk over the parsed terms.
 *
 * One struct walk is one evaluation with all its includes and redirects, because the limits are for the whole of it.
 * `include` calls check_domain() again and `redirect` goes round its loop; both count as terms, so ten of them end any
 * recursion. When the first term that needs the DNS is reached, the look-ups of all such terms are started, so that a
 * record of ten includes takes as long as the slowest of them, and a record that matches on ip4 asks nothing.
 *
 * A void look-up (4.6.4) is one of a term, NXDOMAIN or without data: the address of `a` and `exists`, the names of `mx`
 * and `ptr`; not the addresses of those names, for a host with one family of addresses only is no sign of abuse.
 *
 * What this does not do: libspf2's best guess, type 99, RFC 4408.
 */
#include "auth/sender_eval.h"
#include "auth/sender_macro.h"
#include "util/domain.h"

struct walk {
    const struct sender_query *query;
    struct sender_answer *answer;
    const char *validated; /* p of the macros, once it was looked for */
    const char *validated_for;
};

/* A domain under evaluation. */
struct frame {
    struct walk *walk;
    const char *domain;
    struct sender_record record;
    bool is_prefetched;
};

enum match { MATCH_NO, MATCH_YES, MATCH_TEMPERROR, MATCH_PERMERROR };

static enum auth_result check_domain(struct walk *walk, const char *domain, bool is_include);

static enum match give_up(struct walk *walk, enum match match, const char *reason)
{
    walk->answer->reason = reason;
    return match;
}

static const char *validated_name(void *context);

static const char *expand(struct frame *frame, const char *text, enum sender_macro_kind kind)
{
    const struct sender_query *query = frame->walk->query;
    struct sender_macro_values values = {.local = query->local,   .origin = query->domain, .domain = frame->domain,
                                         .helo = query->helo,     .receiver = query->receiver,
                                         .client = query->client, .now = query->now,
                                         .validated = validated_name, .context = frame};
    return sender_macro_expand(query->arena, text, kind, &values);
}

static const char *target_of(struct frame *frame, const struct sender_term *term)
{
    return term->target ? expand(frame, term->target, SENDER_MACRO_DOMAIN) : frame->domain;
}

static const struct dns_answer *ask(struct walk *walk, const char *name, enum dns_type type)
{
    static const struct dns_answer nothing = {.outcome = DNS_NXDOMAIN};
    const struct sender_query *query = walk->query;
    return sender_is_askable(name) ? dns_query(query->dns, query->budget, query->arena, name, type) : &nothing;
}

/* A look-up of a term itself. NULL: *MATCH is the end of it. */
static const struct dns_answer *ask_term(struct walk *walk, const char *name, enum dns_type type, enum match *match)
{
    const struct dns_answer *answer = ask(walk, name, type);
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

static enum dns_type address_type(const struct walk *walk)
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

static bool any_address(const struct walk *walk, const struct dns_answer *answer, const struct sender_term *term)
{
    const struct netaddr *client = &walk->query->client;
    unsigned bits = client->family == AF_INET6 ? term->bits6 : term->bits4;
    for (size_t i = 0; i < answer->count; i++) {
        if (is_within(client, answer->records[i].addr.bytes, bits))
            return true;
    }
    return false;
}

static enum match match_a(struct frame *frame, const struct sender_term *term)
{
    enum match match;
    const struct dns_answer *answer = ask_term(frame->walk, target_of(frame, term), address_type(frame->walk), &match);
    return !answer ? match : any_address(frame->walk, answer, term) ? MATCH_YES : MATCH_NO;
}

static enum match match_mx(struct frame *frame, const struct sender_term *term)
{
    struct walk *walk = frame->walk;
    enum match match;
    const struct dns_answer *mx = ask_term(walk, target_of(frame, term), DNS_MX, &match);
    if (!mx)
        return match;
    if (mx->count > SENDER_NAMES_MAX)
        return give_up(walk, MATCH_PERMERROR, "more than 10 MX names");
    for (size_t i = 1; i < mx->count; i++)
        dns_prefetch(walk->query->dns, mx->records[i].name, address_type(walk));
    for (size_t i = 0; i < mx->count; i++) {
        const struct dns_answer *addresses = ask(walk, mx->records[i].name, address_type(walk));
        if (sender_is_error(addresses->outcome))
            return give_up(walk, MATCH_TEMPERROR, arena_printf(walk->query->arena, "%s: %s", mx->records[i].name,
                                                               dns_outcome_name(addresses->outcome)));
        if (any_address(walk, addresses, term))
            return MATCH_YES;
    }
    return MATCH_NO;
}

static bool has_address(struct walk *walk, const char *name)
{
    static const struct sender_term exact = {.bits4 = 32, .bits6 = 128};
    const struct dns_answer *addresses = ask(walk, name, address_type(walk));
    return addresses->outcome == DNS_ANSWER && any_address(walk, addresses, &exact);
}

/* The first ten names that lead back to the client, in *NAMES; how many (RFC 7208 5.5). */
static size_t validate_names(struct walk *walk, const struct dns_answer *ptr, const char *names[SENDER_NAMES_MAX])
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

static enum match match_ptr(struct frame *frame, const struct sender_term *term)
{
    struct walk *walk = frame->walk;
    const char *names[SENDER_NAMES_MAX], *target = target_of(frame, term);
    const struct dns_answer *ptr = ask(walk, dns_reverse_name(walk->query->arena, &walk->query->client), DNS_PTR);
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
    struct frame *frame = context;
    struct walk *walk = frame->walk;
    if (walk->validated && strcmp(walk->validated_for, frame->domain) == 0)
        return walk->validated;
    const char *names[SENDER_NAMES_MAX], *best = NULL;
    const struct dns_answer *ptr = ask(walk, dns_reverse_name(walk->query->arena, &walk->query->client), DNS_PTR);
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

static enum match match_include(struct frame *frame, const struct sender_term *term)
{
    switch (check_domain(frame->walk, target_of(frame, term), true)) {
    case AUTH_PASS:
        return MATCH_YES;
    case AUTH_TEMPERROR:
        return MATCH_TEMPERROR;
    case AUTH_PERMERROR:
        return MATCH_PERMERROR;
    case AUTH_NONE:
        return give_up(frame->walk, MATCH_PERMERROR,
                       arena_printf(frame->walk->query->arena, "%s: nothing to include there", term->text));
    default:
        return MATCH_NO;
    }
}

/* Starts the look-ups of the terms from NUMBER on whose names are known. */
static void prefetch(struct frame *frame, size_t number)
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

static bool count_lookup(struct walk *walk)
{
    if (walk->answer->lookups == SENDER_LOOKUPS_MAX) {
        walk->answer->reason = "more than 10 terms that cost look-ups";
        return false;
    }
    walk->answer->lookups++;
    return true;
}

static enum match match_term(struct frame *frame, size_t number)
{
    const struct sender_term *term = &frame->record.terms[number];
    const struct netaddr *client = &frame->walk->query->client;
    enum match match;
    switch (term->mechanism) {
    case SENDER_ALL:
        return MATCH_YES;
    case SENDER_IP4:
        return client->family == AF_INET && is_within(client, term->network, term->bits4) ? MATCH_YES : MATCH_NO;
    case SENDER_IP6:
        return client->family == AF_INET6 && is_within(client, term->network, term->bits6) ? MATCH_YES : MATCH_NO;
    default:
        break;
    }
    if (!count_lookup(frame->walk))
        return MATCH_PERMERROR;
    prefetch(frame, number);
    switch (term->mechanism) {
    case SENDER_INCLUDE:
        return match_include(frame, term);
    case SENDER_A:
        return match_a(frame, term);
    case SENDER_MX:
        return match_mx(frame, term);
    case SENDER_PTR:
        return match_ptr(frame, term);
    default: /* exists: an A record, whatever the family of the client */
        return ask_term(frame->walk, target_of(frame, term), DNS_A, &match) ? MATCH_YES : match;
    }
}

/* The text of exp=. Whatever is wrong with it, there is just none (RFC 7208 6.2). */
static const char *fetch_explanation(struct frame *frame)
{
    const struct sender_query *query = frame->walk->query;
    size_t at;
    if (!frame->record.exp)
        return NULL;
    const struct dns_answer *answer = ask(frame->walk, expand(frame, frame->record.exp, SENDER_MACRO_DOMAIN), DNS_TXT);
    if (answer->outcome != DNS_ANSWER || answer->count != 1 ||
        sender_macro_check(answer->records[0].text, SENDER_MACRO_TEXT, &at) != NULL)
        return NULL;
    const char *text = expand(frame, arena_spandup(query->arena, answer->records[0].text), SENDER_MACRO_TEXT);
    return sender_printable(query->arena, span_of(text));
}

static enum auth_result matched(struct frame *frame, const struct sender_term *term, bool is_include)
{
    struct sender_answer *answer = frame->walk->answer;
    enum auth_result result = term->qualifier == '-'   ? AUTH_FAIL
                              : term->qualifier == '~' ? AUTH_SOFTFAIL
                              : term->qualifier == '?' ? AUTH_NEUTRAL
                                                       : AUTH_PASS;
    if (is_include)
        return result;
    answer->term = term->text;
    if (result == AUTH_FAIL || result == AUTH_SOFTFAIL)
        answer->reason = arena_printf(frame->walk->query->arena, "mechanism %s", term->text);
    if (result == AUTH_FAIL)
        answer->explanation = fetch_explanation(frame);
    return result;
}

/* The record of the frame's domain; SENDER_FOUND, or the result that takes its place. */
static bool find_record(struct frame *frame, enum auth_result *result)
{
    struct walk *walk = frame->walk;
    struct span text;
    const char *reason = NULL;
    enum sender_found found = SENDER_FOUND_NONE;
    if (sender_is_askable(frame->domain) && strchr(frame->domain, '.'))
        found = sender_find(walk->query, frame->domain, &text, &frame->record, &reason);
    if (found == SENDER_FOUND || found == SENDER_FOUND_MALFORMED) {
        if (!walk->answer->record)
            walk->answer->record = sender_printable(walk->query->arena, text);
    }
    *result = found == SENDER_FOUND_NONE ? AUTH_NONE : found == SENDER_FOUND_ERROR ? AUTH_TEMPERROR : AUTH_PERMERROR;
    if (found != SENDER_FOUND)
        walk->answer->reason = reason;
    return found == SENDER_FOUND;
}

static enum auth_result check_domain(struct walk *walk, const char *domain, bool is_include)
{
    for (bool is_redirected = false;; is_redirected = true) {
        struct frame frame = {.walk = walk, .domain = domain};
        enum auth_result result;
        if (!find_record(&frame, &result))
            return is_redirected && result == AUTH_NONE ? AUTH_PERMERROR : result;
        for (size_t i = 0; i < frame.record.count; i++) {
            switch (match_term(&frame, i)) {
            case MATCH_NO:
                break;
            case MATCH_YES:
                return matched(&frame, &frame.record.terms[i], is_include);
            case MATCH_TEMPERROR:
                return AUTH_TEMPERROR;
            case MATCH_PERMERROR:
                return AUTH_PERMERROR;
            }
        }
        if (!frame.record.redirect)
            return AUTH_NEUTRAL;
        if (!count_lookup(walk))
            return AUTH_PERMERROR;
        domain = expand(&frame, frame.record.redirect, SENDER_MACRO_DOMAIN);
    }
}

void sender_check_builtin(const struct sender_query *query, struct sender_answer *answer)
{
    struct walk walk = {.query = query, .answer = answer};
    answer->result = check_domain(&walk, query->domain, false);
}
