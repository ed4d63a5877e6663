/*
 * dns - looks at names and budgets, then hands the call to the backend that was created.
 *
 * Whatever cannot be asked for is SERVFAIL here, so no backend sees a name that would not fit into a question.
 */
#include "dns/dns.h"
#include "dns/backend.h"
#include "util/clock.h"
#include <stdio.h>

static bool name_is_sound(const char *name)
{
    size_t len = strnlen(name, NAME_MAX_OCTETS + 1), label = 0;
    if (len == 0 || len > NAME_MAX_OCTETS)
        return false;
    for (size_t i = 0; i <= len; i++) {
        if (name[i] != '.' && name[i] != '\0') {
            label++;
            continue;
        }
        if (label == 0 || label > LABEL_MAX_OCTETS)
            return false;
        label = 0;
    }
    return true;
}

const struct dns_answer *dns_query(struct dns *dns, struct dns_budget *budget, struct arena *arena, const char *name,
                                   enum dns_type type)
{
    struct dns_answer *answer = ARENA_NEW(arena, struct dns_answer);
    answer->outcome = DNS_SERVFAIL;
    if (!name_is_sound(name))
        return answer;
    int64_t left = budget->deadline_us - clock_monotonic_us();
    answer->outcome = DNS_TIMEOUT;
    if (left <= 0 || budget->queries_left == 0)
        return answer;
    budget->queries_left--;
    dns->query(dns, arena, name, type, left < budget->timeout_us ? left : budget->timeout_us, answer);
    return answer;
}

void dns_prefetch(struct dns *dns, const char *name, enum dns_type type)
{
    if (name_is_sound(name))
        dns->prefetch(dns, name, type);
}

void dns_destroy(struct dns *dns)
{
    if (dns)
        dns->destroy(dns);
}

const char *dns_reverse_name(struct arena *arena, const struct netaddr *addr)
{
    const uint8_t *b = addr->bytes;
    if (addr->family == AF_INET)
        return arena_printf(arena, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
    char text[4 * 16 + sizeof "ip6.arpa"], *to = text;
    for (int i = 15; i >= 0; i--)
        to += snprintf(to, 5, "%x.%x.", b[i] & 15, b[i] >> 4);
    memcpy(to, "ip6.arpa", sizeof "ip6.arpa");
    return arena_strdup(arena, text);
}

const char *dns_outcome_name(enum dns_outcome outcome)
{
    static const char *const names[] = {"answer", "nxdomain", "nodata", "servfail", "timeout", "bogus"};
    return names[outcome];
}
