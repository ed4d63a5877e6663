/*
 * forward_row - one forward, as it is judged, added up and written to the store.
 *
 * OWNS: nothing; what lasts is on the arena given. THREADS: plain functions.
 */
#ifndef POSTERN_SRS_FORWARD_ROW_H
#define POSTERN_SRS_FORWARD_ROW_H

#include "aliases/alias_address.h"
#include "srs/forwards.h"

#define FORWARD_KEY "forward/" /* before the address as it is printed, in the store */

/* TEXT ("user@example.net", "@example.net") as a key: local part in lower case, domain canonical. NULL, or why it is
 * refused, to be read behind it ("is no address"). */
const char *forward_read_address(struct span text, struct alias_address *address);

/* TEXT as a target of OWN (folded; NULL: not known): one that SMTP can carry (RFC 5321 4.5.3.1), and not OWN itself.
 * Likewise. */
const char *forward_read_target(const struct alias_address *own, struct span text, struct alias_address *target);

/* Are they, as alias_address_print() prints them, the same mailbox? Local parts compare without case. */
bool forward_is_same(const char *a, const char *b);

/* Puts TARGET (printed, on the arena) behind those of FORWARD if it is new. False: they are FORWARDS_TARGETS_MAX
 * already. */
bool forward_add_target(struct arena *arena, struct forward *forward, const char *target);

/* The row in the store, text: a line "1 delete" or "1 keep", then each target in a line. forward_load(): 0, or -1 if
 * BYTES are none. */
struct span forward_print(struct arena *arena, const struct forward *forward);
int forward_load(struct arena *arena, struct span bytes, struct forward *forward);

#endif
