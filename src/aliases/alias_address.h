/*
 * alias_address - an address taken apart, in the forms that tables and envelopes write it (RFC 5321 4.1.2, RFC 6531).
 *
 * OWNS: everything is inside the struct. THREADS: plain values.
 */
#ifndef POSTERN_ALIASES_ALIAS_ADDRESS_H
#define POSTERN_ALIASES_ALIAS_ADDRESS_H

#include "util/domain.h"
#include "util/strbuf.h"

#define ALIAS_LOCAL_MAX 256               /* octets; RFC 5321 has 64, signed reverse-paths have more */
#define ALIAS_DOMAIN_MAX (DOMAIN_MAX + 2) /* an address literal has brackets */
/* Both with '@' and NUL, the local part in quotes with each byte escaped. */
#define ALIAS_ADDRESS_MAX (2 * ALIAS_LOCAL_MAX + 2 + 1 + ALIAS_DOMAIN_MAX + 1)

struct alias_address {
    char local[ALIAS_LOCAL_MAX + 1];   /* without its quotes; no control bytes, sound UTF-8 */
    char domain[ALIAS_DOMAIN_MAX + 1]; /* canonical, or an address literal in brackets; "": none */
    size_t local_len;                  /* 0: "@domain" */
};

/* "user@domain", "quoted user"@domain, user, @domain. 0, or -1: it is none of these. */
int alias_address_parse(struct span text, struct alias_address *address);

/* The local part in lower case, beyond ASCII too. */
void alias_address_fold(struct alias_address *address);

/* "local@domain", with quotes only where they are needed. */
void alias_address_print(const struct alias_address *address, char out[ALIAS_ADDRESS_MAX]);

/* Where the sub-address begins (at the delimiter), or NULL: "user+tag" with one of DELIMITERS, as Postfix splits it:
 * never a null user; with '-' not mailer-daemon, owner-x and x-request. */
const char *alias_address_tag(const struct alias_address *address, const char *delimiters);

#endif
