/*
 * arena - memory that is given back all at once.
 *
 * Postern knows three lifetimes: the configuration, a session, a message. Each has one arena, so that a check frees
 * nothing by hand and nothing outlives what it belongs to.
 *
 * OWNS: every block it handed out, and whatever arena_on_destroy() was told of.
 * THREADS: none inside; an arena belongs to whoever holds the session, the message or the configuration under
 * construction.
 * ERRORS: running out of memory ends the process (the master starts a fresh worker, the MTA answers 4xx and comes
 * back). What a client sends is bounded long before that; see docs/adr/0002-out-of-memory.md.
 */
#ifndef POSTERN_UTIL_ARENA_H
#define POSTERN_UTIL_ARENA_H

#include "util/span.h"
#include <stdarg.h>
#include <stddef.h>

struct arena;

/* BLOCK is the size in bytes of the pieces it takes from malloc; larger requests get a piece of their own. */
struct arena *arena_create(size_t block);

/* Runs the destructors, latest first, then frees everything. NULL is fine. */
void arena_destroy(struct arena *arena);

/* SIZE zeroed bytes, aligned for any type. Never NULL. */
void *arena_alloc(struct arena *arena, size_t size);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *)arena_alloc((arena), (n) * sizeof(type)))

/* Copies, NUL-terminated. arena_strdup(NULL) is NULL. */
char *arena_strdup(struct arena *arena, const char *string);
char *arena_spandup(struct arena *arena, struct span span);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A vector that grows: room for NEEDED elements of SIZE bytes; *CAPACITY is in elements. The old one is left behind. */
void *arena_grow(struct arena *arena, void *old, size_t *capacity, size_t needed, size_t size);

/* Registers DESTROY(OBJECT) for the end of the arena: how a library's handle gets a lifetime. */
void arena_on_destroy(struct arena *arena, void (*destroy)(void *object), void *object);

/* Bytes taken from malloc so far. */
size_t arena_size(const struct arena *arena);

#endif
