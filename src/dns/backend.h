/* backend - what the resolver and the fake have in common; only for the files of dns/. */
#ifndef POSTERN_DNS_BACKEND_H
#define POSTERN_DNS_BACKEND_H

#include "dns/dns.h"

#define NAME_MAX_OCTETS 253  /* of a name in text, without the trailing dot */
#define LABEL_MAX_OCTETS 63

/* The first member of each backend's own struct. Names are sound: dns.c has looked. */
struct dns {
    /* Fills *ANSWER within TIMEOUT_US; records on ARENA. */
    void (*query)(struct dns *dns, struct arena *arena, const char *name, enum dns_type type, int64_t timeout_us,
                  struct dns_answer *answer);
    void (*prefetch)(struct dns *dns, const char *name, enum dns_type type);
    void (*destroy)(struct dns *dns);
};

/* Reads the LEN bytes at RDATA as a record of TYPE. 0, or -1: malformed. */
int rdata_parse(struct arena *arena, enum dns_type type, const unsigned char *rdata, size_t len,
                struct dns_record *record);

/* The records of *ANSWER from DATA (NULL behind the last) and LENGTHS. A malformed record makes it one that cannot be
 * used: SERVFAIL. */
void rdata_parse_all(struct arena *arena, enum dns_type type, char *const *data, const int *lengths,
                     struct dns_answer *answer);

#endif
