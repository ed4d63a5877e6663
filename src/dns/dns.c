/* dns - hands each call to the backend that was created. */
#include "dns/dns.h"
#include "dns/backend.h"

enum dns_outcome dns_lookup(struct dns *dns, const char *name, enum dns_type type, int64_t timeout_ms)
{
    return dns->lookup(dns, name, type, timeout_ms);
}

void dns_destroy(struct dns *dns)
{
    if (dns)
        dns->destroy(dns);
}

const char *dns_outcome_name(enum dns_outcome outcome)
{
    static const char *const names[] = {"answer", "nxdomain", "nodata", "servfail", "timeout", "bogus"};
    return names[outcome];
}
