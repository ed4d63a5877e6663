/*
 * field_index - the header fields of a message by name, from the last to the first (RFC 6376 5.4.2).
 *
 * Sorted once, so that a look-up costs little however many fields a sender writes. OWNS: what it has is on the arena
 * given; it points into the message's header. THREADS: none inside, and none needed once it is built.
 */
#ifndef POSTERN_AUTH_FIELD_INDEX_H
#define POSTERN_AUTH_FIELD_INDEX_H

#include "core/message.h"

struct field_index {
    const struct header_field **fields;
    size_t count;
};

/* No octets but what RFC 5322 lets a field hold, 8-bit ones in the value aside: no NUL, no CR or LF that is no fold. */
bool field_is_clean(const struct header_field *field);

/* The clean fields of MESSAGE, or the others. */
struct field_index field_index_create(struct arena *arena, const struct message *message, bool clean);

/* The N-th field of NAME (any case) from the end of the header, from 0; NULL: there are not so many. */
const struct header_field *field_index_get(const struct field_index *index, struct span name, size_t n);

#endif
