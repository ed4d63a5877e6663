/*
 * copies - what goes into the spool for a message that travels on: one entry a copy, all of them or none.
 *
 * A copy is the message as it was received, with our trace field in front. THREADS: any.
 */
#ifndef POSTERN_SRS_COPIES_H
#define POSTERN_SRS_COPIES_H

#include "srs/travel.h"

#define COPIES_KIND "forward"

/* NOTIFY and ORCPT (RFC 3461 4) of the parameters of a RCPT, as far as they are ASCII; NULL: neither. */
const char *copies_rcpt_parameters(struct arena *arena, const char *parameters);

/* Durable when it says SPOOL_OK, and then the message has to be answered 250. TRACE: value of the field, or NULL. IDS
 * of the entries, one a copy. */
enum spool_outcome copies_add(const struct forwarding *forwarding, struct arena *arena, const struct message *message,
                              const struct travel *travel, const char *trace, int64_t *ids);

#endif
