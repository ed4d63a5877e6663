/*
 * strset - a set of byte strings.
 *
 * OWNS: nothing of its own; table and copies live in the arena it was created on. THREADS: built by one, read by many.
 */
#ifndef POSTERN_UTIL_STRSET_H
#define POSTERN_UTIL_STRSET_H

#include "util/arena.h"
#include "util/span.h"
#include <stdbool.h>

struct strset;

struct strset *strset_create(struct arena *arena);

/* Copies MEMBER. True if it is new. */
bool strset_add(struct strset *set, struct span member);
bool strset_has(const struct strset *set, struct span member);
size_t strset_count(const struct strset *set);

/* Calls VISIT for each member, in no order that means anything. */
void strset_each(const struct strset *set, void (*visit)(void *context, const char *member), void *context);

#endif
