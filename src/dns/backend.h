/* backend - what the resolver and the fake have in common; only for the files of dns/. */
#ifndef POSTERN_DNS_BACKEND_H
#define POSTERN_DNS_BACKEND_H

#include "dns/dns.h"

/* The first member of each backend's own struct. */
struct dns {
    enum dns_outcome (*lookup)(struct dns *dns, const char *name, enum dns_type type, int64_t timeout_ms);
    void (*destroy)(struct dns *dns);
};

#endif
