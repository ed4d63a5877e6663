/*
 * srs_address - an address taken apart and put together, quoting (RFC 5321 4.1.2) undone and done. Private to srs/.
 *
 * An SRS address carries a local part inside another one: "a b"@x cannot travel as it is written, SRS0=...=a b must be
 * quoted as a whole. So local parts are handled without their quotes, and get them where they need some.
 *
 * OWNS: nothing; results are on the arena. THREADS: any.
 */
#ifndef POSTERN_SRS_SRS_ADDRESS_H
#define POSTERN_SRS_SRS_ADDRESS_H

#include "util/arena.h"
#include "util/span.h"
#include <stdbool.h>

#define SRS_PATH_MAX 254 /* octets of an address, RFC 5321 4.5.3.1.3 without the brackets */

struct srs_address {
    struct span local; /* unquoted: may be empty, may hold any octet but controls */
    struct span domain;
};

/* False: ADDRESS has no local part, no domain, a control character, a quote that does not end, or a domain that is
 * none. */
bool srs_address_split(struct arena *arena, const char *address, struct srs_address *parts);

/* The opposite. *LOCAL_LENGTH (if asked for): octets of the local part as written. */
const char *srs_address_join(struct arena *arena, const struct srs_address *parts, size_t *local_length);

/* Can it stand behind an "@", and in an SRS address, where "=" ends it? A name in ASCII or UTF-8, or an address
 * literal. */
bool srs_address_is_domain(struct span domain);

#endif
