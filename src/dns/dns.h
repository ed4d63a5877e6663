/*
 * dns - the only way out of src/ to the domain name system; libunbound behind it, a fake beside it.
 *
 * OWNS: the resolver and its cache. THREADS: any number of dns_lookup() at once; create and destroy alone.
 */
#ifndef POSTERN_DNS_DNS_H
#define POSTERN_DNS_DNS_H

#include "conf/conf.h"
#include <stdint.h>

struct dns;

enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28 };

enum dns_outcome {
    DNS_ANSWER,   /* at least one record of the type */
    DNS_NXDOMAIN, /* the name does not exist */
    DNS_NODATA,   /* the name exists, the type does not */
    DNS_SERVFAIL, /* the servers answered badly or not at all */
    DNS_TIMEOUT,  /* not within the time given */
    DNS_BOGUS     /* DNSSEC says it is forged */
};

/* SERVERS: "192.0.2.53", "2001:db8::53", "127.0.0.1@5353"; none = those of resolv.conf. NULL: *WHY (static) says. */
struct dns *dns_create(const struct string_list *servers, const char **why);
void dns_destroy(struct dns *dns);

/* Is there a record? NAME is canonical (util/domain.h). Waits at most TIMEOUT_MS. */
enum dns_outcome dns_lookup(struct dns *dns, const char *name, enum dns_type type, int64_t timeout_ms);

const char *dns_outcome_name(enum dns_outcome outcome);

/* For unit tests: answers from a table instead of the network. "name type" -> outcome; what is not listed is
 * NXDOMAIN. */
struct dns_fake_row {
    const char *name;
    enum dns_type type;
    enum dns_outcome outcome;
};
struct dns *dns_create_fake(const struct dns_fake_row *rows, size_t count);

#endif
