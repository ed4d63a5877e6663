/*
 * strmap - records in one growing piece of memory, and an open-addressing table of their places.
 *
 * A place is counted in words of four bytes, so that 32 bits are enough and a slot of the table has eight bytes. The
 * further values of a key are records without a key, chained behind the first, which knows the last of the chain. The
 * piece grows by realloc(), which moves pages and not bytes when it is large. Word 0 is never a record's.
 */
#include "util/strmap.h"
#include "util/strhash.h"
#include <stdio.h>
#include <stdlib.h>

#define WORD sizeof(uint32_t)

struct record {
    strmap_at next, last;
    uint32_t key_len, value_len;
    char bytes[]; /* key, value */
};

struct slot {
    uint32_t hash;
    strmap_at at;
};

struct strmap {
    struct slot *slots;
    size_t count, size; /* size is a power of two, 0 at first */
    uint32_t *words;
    size_t used, capacity; /* in words */
};

static void *must_realloc(void *memory, size_t size)
{
    void *moved = realloc(memory, size ? size : 1);
    if (!moved) {
        fputs("postern: out of memory\n", stderr);
        abort();
    }
    return moved;
}

struct strmap *strmap_create(void)
{
    struct strmap *map = must_realloc(NULL, sizeof *map);
    *map = (struct strmap){.used = 1};
    return map;
}

void strmap_destroy(struct strmap *map)
{
    if (!map)
        return;
    free(map->slots);
    free(map->words);
    free(map);
}

static struct record *record_at(const struct strmap *map, strmap_at at)
{
    return (struct record *)(void *)(map->words + at);
}

static strmap_at record_add(struct strmap *map, struct span key, struct span value)
{
    size_t words = (sizeof(struct record) + key.len + value.len + WORD - 1) / WORD;
    if (map->used + words > UINT32_MAX) {
        fputs("postern: a table in memory is too large\n", stderr);
        abort();
    }
    if (map->used + words > map->capacity) {
        map->capacity = map->used + words + map->capacity / 2 + 256;
        map->words = must_realloc(map->words, map->capacity * WORD);
    }
    strmap_at at = (strmap_at)map->used;
    map->used += words;
    struct record *record = record_at(map, at);
    *record = (struct record){0, at, (uint32_t)key.len, (uint32_t)value.len};
    if (key.len)
        memcpy(record->bytes, key.ptr, key.len);
    if (value.len)
        memcpy(record->bytes + key.len, value.ptr, value.len);
    return at;
}

static struct slot *slot_find(const struct strmap *map, struct span key, uint32_t hash)
{
    for (size_t i = hash & (map->size - 1);; i = (i + 1) & (map->size - 1)) {
        struct slot *slot = &map->slots[i];
        if (!slot->at)
            return slot;
        if (slot->hash != hash)
            continue;
        const struct record *record = record_at(map, slot->at);
        if (record->key_len == key.len && (key.len == 0 || memcmp(record->bytes, key.ptr, key.len) == 0))
            return slot;
    }
}

static void grow(struct strmap *map)
{
    struct slot *old = map->slots;
    size_t old_size = map->size;
    map->size = old_size ? old_size * 2 : 16;
    map->slots = must_realloc(NULL, map->size * sizeof *map->slots);
    memset(map->slots, 0, map->size * sizeof *map->slots);
    for (size_t i = 0; i < old_size; i++) {
        size_t to = old[i].hash & (map->size - 1);
        while (old[i].at && map->slots[to].at)
            to = (to + 1) & (map->size - 1);
        if (old[i].at)
            map->slots[to] = old[i];
    }
    free(old);
}

bool strmap_add(struct strmap *map, struct span key, struct span value)
{
    if (map->count * 4 >= map->size * 3)
        grow(map);
    uint32_t hash = (uint32_t)(strhash(key) >> 32);
    struct slot *slot = slot_find(map, key, hash);
    if (!slot->at) {
        *slot = (struct slot){hash, record_add(map, key, value)};
        map->count++;
        return true;
    }
    strmap_at at = record_add(map, (struct span){NULL, 0}, value);
    struct record *first = record_at(map, slot->at);
    record_at(map, first->last)->next = at;
    first->last = at;
    return false;
}

strmap_at strmap_find(const struct strmap *map, struct span key)
{
    return map->size ? slot_find(map, key, (uint32_t)(strhash(key) >> 32))->at : 0;
}

strmap_at strmap_next(const struct strmap *map, strmap_at at)
{
    return record_at(map, at)->next;
}

struct span strmap_value(const struct strmap *map, strmap_at at)
{
    const struct record *record = record_at(map, at);
    return (struct span){record->bytes + record->key_len, record->value_len};
}

void strmap_each_key(const struct strmap *map, void (*visit)(void *context, struct span key, strmap_at at),
                     void *context)
{
    for (size_t i = 0; i < map->size; i++) {
        strmap_at at = map->slots[i].at;
        if (at)
            visit(context, (struct span){record_at(map, at)->bytes, record_at(map, at)->key_len}, at);
    }
}

void strmap_each(const struct strmap *map, void (*visit)(void *context, struct span value), void *context)
{
    for (size_t i = 0; i < map->size; i++) {
        for (strmap_at at = map->slots[i].at; at; at = strmap_next(map, at))
            visit(context, strmap_value(map, at));
    }
}

size_t strmap_count(const struct strmap *map)
{
    return map->count;
}

size_t strmap_size(const struct strmap *map)
{
    return sizeof *map + map->size * sizeof *map->slots + map->capacity * WORD;
}

void strmap_seal(struct strmap *map)
{
    if (map->words) {
        map->capacity = map->used;
        map->words = must_realloc(map->words, map->used * WORD);
    }
}
