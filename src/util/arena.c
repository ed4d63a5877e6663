/*
 * arena - a list of malloc'ed blocks with a bump pointer in the newest.
 *
 * It never frees a single allocation and never moves one. Blocks come from calloc, so memory is zeroed once.
 */
#include "util/arena.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct block {
    struct block *next;
    size_t used, size;
    max_align_t data[];
};

struct destructor {
    struct destructor *next;
    void (*destroy)(void *);
    void *object;
};

struct arena {
    struct block *blocks;
    struct destructor *destructors;
    size_t block_size, total;
};

static void out_of_memory(void)
{
    static const char text[] = "postern: out of memory\n";
    fwrite(text, 1, sizeof text - 1, stderr);
    abort();
}

static void *must_calloc(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory)
        out_of_memory();
    return memory;
}

struct arena *arena_create(size_t block)
{
    struct arena *arena = must_calloc(sizeof *arena);
    arena->block_size = block;
    return arena;
}

void arena_destroy(struct arena *arena)
{
    if (!arena)
        return;
    for (struct destructor *d = arena->destructors; d; d = d->next)
        d->destroy(d->object);
    for (struct block *b = arena->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(arena);
}

static struct block *block_add(struct arena *arena, size_t size)
{
    struct block *block = must_calloc(sizeof *block + size);
    block->size = size;
    arena->total += sizeof *block + size;
    /* A piece for one large request goes behind the current block, whose rest stays in use. */
    if (arena->blocks && size > arena->block_size) {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t align = sizeof(max_align_t);
    if (size > SIZE_MAX / 2)
        out_of_memory();
    size = (size + align - 1) / align * align;
    struct block *block = arena->blocks;
    if (!block || block->size - block->used < size)
        block = block_add(arena, size > arena->block_size ? size : arena->block_size);
    void *memory = (char *)block->data + block->used;
    block->used += size;
    return memory;
}

char *arena_spandup(struct arena *arena, struct span span)
{
    char *copy = arena_alloc(arena, span.len + 1);
    if (span.len)
        memcpy(copy, span.ptr, span.len);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *string)
{
    return string ? arena_spandup(arena, span_of(string)) : NULL;
}

/* Tried in what the newest block has left, so that most texts are rendered once. */
char *arena_printf(struct arena *arena, const char *format, ...)
{
    struct block *block = arena->blocks;
    char *rest = block ? (char *)block->data + block->used : NULL;
    size_t room = block ? (block->size - block->used) / sizeof(max_align_t) * sizeof(max_align_t) : 0;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(rest, room, format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < room)
        return arena_alloc(arena, (size_t)len + 1);
    if (room > 0) /* what has not been given out is zero */
        memset(rest, 0, room);
    char *text = arena_alloc(arena, (size_t)len + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}

void *arena_grow(struct arena *arena, void *old, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity)
        return old;
    size_t grown = *capacity ? *capacity * 2 : 8;
    while (grown < needed)
        grown *= 2;
    void *vector = arena_alloc(arena, grown * size);
    if (*capacity)
        memcpy(vector, old, *capacity * size);
    *capacity = grown;
    return vector;
}

void arena_on_destroy(struct arena *arena, void (*destroy)(void *object), void *object)
{
    struct destructor *d = ARENA_NEW(arena, struct destructor);
    d->destroy = destroy;
    d->object = object;
    d->next = arena->destructors;
    arena->destructors = d;
}

size_t arena_size(const struct arena *arena)
{
    return arena->total;
}
