/*
 * strmap - byte strings by byte strings, packed: for tables of a million lines.
 *
 * A key may have several values; they keep their order. A map takes about 22 bytes a key besides the bytes themselves.
 * OWNS: copies of everything in it. THREADS: built by one, read by many.
 * ERRORS: running out of memory, or past 16 GB, ends the process (docs/adr/0002-out-of-memory.md).
 */
#ifndef POSTERN_UTIL_STRMAP_H
#define POSTERN_UTIL_STRMAP_H

#include "util/span.h"
#include <stdint.h>

struct strmap;
typedef uint32_t strmap_at; /* a value's place; 0: none */

struct strmap *strmap_create(void);
void strmap_destroy(struct strmap *map); /* NULL is fine */

/* Adds VALUE behind the ones that KEY has. True if KEY is new. Both less than 4 GB. */
bool strmap_add(struct strmap *map, struct span key, struct span value);

/* The first value of KEY, and the one behind AT. */
strmap_at strmap_find(const struct strmap *map, struct span key);
strmap_at strmap_next(const struct strmap *map, strmap_at at);

/* The value there, valid until the next strmap_add(). */
struct span strmap_value(const struct strmap *map, strmap_at at);

/* Calls VISIT with every key and its first value, in no order that means anything. */
void strmap_each_key(const struct strmap *map, void (*visit)(void *context, struct span key, strmap_at at),
                     void *context);

/* Calls VISIT with every value, in no order that means anything. */
void strmap_each(const struct strmap *map, void (*visit)(void *context, struct span value), void *context);

size_t strmap_count(const struct strmap *map); /* of keys */
size_t strmap_size(const struct strmap *map);  /* bytes taken */

/* Gives back what was taken for growth; nothing more is added. */
void strmap_seal(struct strmap *map);

#endif
