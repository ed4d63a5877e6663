/*
 * sender - the way to the engines, and what comes before them: the identity, and the choice of the record.
 *
 * A domain that cannot have a record (RFC 7208 4.3) gets `none` without a question. Type 99 is never asked.
 */
#include "auth/sender.h"
#include "auth/sender_eval.h"
#include "util/domain.h"
#include "util/strbuf.h"

#define PRINTABLE_MAX 1024

bool sender_is_error(enum dns_outcome outcome)
{
    return outcome == DNS_SERVFAIL || outcome == DNS_TIMEOUT || outcome == DNS_BOGUS;
}

bool sender_is_askable(const char *name)
{
    size_t label = 0;
    if (!*name || strlen(name) > DOMAIN_MAX)
        return false;
    for (const char *p = name;; p++) {
        if (*p && *p != '.') {
            label++;
            continue;
        }
        if (label == 0 || label > DOMAIN_LABEL_MAX)
            return false;
        if (!*p)
            return true;
        label = 0;
    }
}

const char *sender_printable(struct arena *arena, struct span bytes)
{
    struct strbuf safe;
    strbuf_init(&safe, PRINTABLE_MAX);
    strbuf_add_printable(&safe, bytes);
    const char *copy = arena_strdup(arena, strbuf_text(&safe));
    strbuf_free(&safe);
    return copy;
}

int sender_domain(const char *name, char *out)
{
    return name && domain_canonical(span_of(name), out) == 0 && strchr(out, '.') ? 0 : -1;
}

void sender_split(struct arena *arena, const char *address, const char *helo, const char **local, const char **domain)
{
    const char *at = strrchr(address, '@');
    *local = "postmaster";
    *domain = *address ? (at ? at + 1 : address) : helo ? helo : "";
    if (at && at > address)
        *local = arena_spandup(arena, (struct span){address, (size_t)(at - address)});
}

enum sender_found sender_find(const struct sender_query *query, const char *domain, struct span *text,
                              struct sender_record *record, const char **reason)
{
    const struct dns_answer *answer = dns_query(query->dns, query->budget, query->arena, domain, DNS_TXT);
    size_t count = 0;
    if (sender_is_error(answer->outcome)) {
        *reason = arena_printf(query->arena, "no answer for %s TXT (%s)", domain, dns_outcome_name(answer->outcome));
        return SENDER_FOUND_ERROR;
    }
    for (size_t i = 0; i < answer->count; i++) {
        if (sender_record_is(answer->records[i].text) && count++ == 0)
            *text = answer->records[i].text;
    }
    if (count == 0) {
        *reason = arena_printf(query->arena, "%s has no SPF record", domain);
        return SENDER_FOUND_NONE;
    }
    if (count > 1) {
        *reason = arena_printf(query->arena, "%s has %zu SPF records", domain, count);
        return SENDER_FOUND_SEVERAL;
    }
    struct sender_fault fault;
    if (sender_record_parse(query->arena, *text, record, &fault) != 0) {
        *reason = arena_printf(query->arena, "record of %s, at octet %zu: %s", domain, fault.at, fault.what);
        return SENDER_FOUND_MALFORMED;
    }
    return SENDER_FOUND;
}

void sender_check(enum sender_engine engine, const struct sender_query *query, struct sender_answer *answer)
{
    char domain[DOMAIN_MAX + 1];
    struct sender_query canonical = *query;
    *answer = (struct sender_answer){.result = AUTH_NONE, .reason = "no fully qualified domain name"};
    if (sender_domain(query->domain, domain) != 0)
        return;
    canonical.domain = answer->domain = arena_strdup(query->arena, domain);
    if (!canonical.helo)
        canonical.helo = "unknown";
    if (!canonical.receiver)
        canonical.receiver = "unknown";
    answer->reason = NULL;
    if (query->client.family == AF_UNSPEC)
        answer->reason = "the client's address is not known";
    else if (engine == SENDER_LIBSPF2)
        sender_check_libspf2(&canonical, answer);
    else
        sender_check_builtin(&canonical, answer);
}
