/*
 * dns - the only way out of src/ to the domain name system; libunbound behind it, a fake beside it.
 *
 * A message has one budget of time and queries (struct dns_budget) that all its look-ups share. dns_prefetch() starts a
 * look-up whose answer will be wanted later, so that look-ups that do not depend on each other run at the same time;
 * dns_query() then finds it in the cache or waits for the rest of it.
 *
 * OWNS: the resolver and its cache; answers live on the caller's arena. THREADS: any number of dns_query() and
 * dns_prefetch() at once; a budget belongs to one session; create and destroy alone.
 */
#ifndef POSTERN_DNS_DNS_H
#define POSTERN_DNS_DNS_H

#include "conf/conf.h"
#include "util/arena.h"
#include "util/netaddr.h"
#include "util/span.h"
#include <stdint.h>

struct dns;

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28 };

enum dns_outcome {
    DNS_ANSWER,   /* at least one record of the type */
    DNS_NXDOMAIN, /* the name does not exist */
    DNS_NODATA,   /* the name exists, the type does not */
    DNS_SERVFAIL, /* the servers answered badly or not at all; also: the name cannot be asked for */
    DNS_TIMEOUT,  /* not within the time given, or the budget is used up */
    DNS_BOGUS     /* DNSSEC says it is forged */
};

struct dns_record {
    struct netaddr addr; /* A, AAAA */
    unsigned preference; /* MX */
    const char *name;    /* MX, PTR: canonical, without the trailing dot; "" = the root */
    struct span text;    /* TXT: the character-strings joined; any bytes; NUL-terminated beyond len */
};

struct dns_answer {
    enum dns_outcome outcome;
    struct dns_record *records; /* in the order of the answer, of the asked type only */
    size_t count;
};

/* What one message may still spend. */
struct dns_budget {
    int64_t deadline_us;   /* clock_monotonic_us() time */
    int64_t timeout_us;    /* of one query */
    unsigned queries_left;
};

struct dns_options {
    const struct string_list *servers; /* "192.0.2.53", "127.0.0.1@5353"; none = those of resolv.conf */
    uint64_t cache_size;               /* bytes; 0 = libunbound's own */
    bool dnssec;                       /* validate with the distribution's root anchor */
};

/* NULL: *WHY (static) says. */
struct dns *dns_create(const struct dns_options *options, const char **why);
void dns_destroy(struct dns *dns);

/* NAME: any domain name without trailing dot, labels 1..63 octets, 253 in all (else SERVFAIL); need not be a host name,
 * and a backslash in it is a byte like others. Waits at most for what the budget allows. Never NULL. */
const struct dns_answer *dns_query(struct dns *dns, struct dns_budget *budget, struct arena *arena, const char *name,
                                   enum dns_type type);

/* Starts the same look-up and does not wait. Costs no query of the budget; bounded inside. */
void dns_prefetch(struct dns *dns, const char *name, enum dns_type type);

/* "4.3.2.1.in-addr.arpa" or the ip6.arpa name of ADDR. */
const char *dns_reverse_name(struct arena *arena, const struct netaddr *addr);

const char *dns_outcome_name(enum dns_outcome outcome);

/* For unit tests: answers from a table instead of the network; what is not listed is NXDOMAIN, unless the name is
 * listed with another type (then NODATA). TEXT is the record: "192.0.2.1", "10 mx.example", a TXT's text. Several rows
 * of one name and type are several records. */
struct dns_fake_row {
    const char *name;
    enum dns_type type;
    enum dns_outcome outcome; /* DNS_ANSWER with text, anything else without */
    const char *text;
};
struct dns *dns_create_fake(const struct dns_fake_row *rows, size_t count);

/* How often the fake was asked, and for what: "name type" joined with ' ' ("example.net TXT mx.example.net A");
 * prefetches are not in it. Valid until the next query. For tests. */
const char *dns_fake_log(struct dns *dns);

#endif
