/*
 * domain - domain names in one form, and sets of them.
 *
 * The canonical form is lower case, A-labels (RFC 5891), without the trailing dot of the root.
 * OWNS: a domain_set lives in its arena. THREADS: built by one, read by many.
 */
#ifndef POSTERN_UTIL_DOMAIN_H
#define POSTERN_UTIL_DOMAIN_H

#include "util/arena.h"
#include "util/span.h"
#include <stdbool.h>

#define DOMAIN_MAX 253      /* octets in a name without the trailing dot (RFC 1035 2.3.4) */
#define DOMAIN_LABEL_MAX 63 /* octets in a label */

/* NAME in canonical form in OUT (DOMAIN_MAX + 1 bytes). 0, or -1: no domain name. Underscores are let through, for
 * hosts in the field have them; a name of digits and dots only is an address and is refused. */
int domain_canonical(struct span name, char out[DOMAIN_MAX + 1]);

/* The same of what stands behind the last '@' of ADDRESS. 0, or -1: there is no '@', or no domain name behind it. */
int domain_of_address(const char *address, char out[DOMAIN_MAX + 1]);

/* True if NAME is SUFFIX or below it; both canonical. */
bool domain_is_within(const char *name, const char *suffix);

struct domain_set;
struct domain_set *domain_set_create(struct arena *arena);

/* "example.net" is this name, ".example.net" every name below it (not itself). NULL, or why ENTRY is refused
 * (static text). */
const char *domain_set_add(struct domain_set *set, const char *entry);
bool domain_set_has(const struct domain_set *set, const char *canonical);
size_t domain_set_count(const struct domain_set *set);

#endif
