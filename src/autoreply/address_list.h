/*
 * address_list - the addresses in a header field such as To or Cc (RFC 5322 3.4, and what people write instead).
 * Private to autoreply/.
 *
 * THREADS: any. Memory: none that grows; time: proportional to the field.
 */
#ifndef POSTERN_AUTOREPLY_ADDRESS_LIST_H
#define POSTERN_AUTOREPLY_ADDRESS_LIST_H

#include "autoreply/addr_spec.h"
#include "util/span.h"

/* Calls VISIT for each address in VALUE (behind the colon, folded or not, any bytes), group members included, until it
 * says true. ADDRESS ends with the call. True if VISIT said so. */
bool address_list_each(struct span value, bool (*visit)(void *context, const struct addr_spec *address), void *context);

#endif
