/*
 * strmap - records in one growing piece of memory, and an open-addressing table of their places.
 *
 * A place is counted in words of four bytes, so that 32 bits are enough and a slot of the table has eight bytes. The
 * further values of a key are records without a key. The values of a key are a ring: the slot has the last one, and
 * behind that comes the first, so that both ends are at hand for one link a record. The two lengths are written seven
 * bits a byte, the lower ones first, one byte each as a rule. The piece grows by mremap(), which moves pages and not
 * bytes, when it is large. Word 0 is never a record's.
 */
#include "util/strmap.h"
#include "util/strhash.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define WORD sizeof(uint32_t)

#define LENGTHS_MAX 10 /* octets of both lengths */

struct record {
    strmap_at next;
    unsigned char bytes[]; /* 2 * length of the key, 1 more if it is the first of its ring; length of the value; both */
};

/* A record read. */
struct parts {
    bool is_first;
    struct span key, value;
};

struct slot {
    uint32_t hash;
    strmap_at last;
};

struct strmap {
    struct slot *slots;
    size_t count, size; /* size is a power of two, 0 at first */
    uint32_t *words;
    size_t used, capacity; /* in words */
};

/* ---- memory: malloc's while small, pages of our own when large ---- */

#define LARGE ((size_t)1 << 20)

static void out_of_memory(void)
{
    fputs("postern: out of memory\n", stderr);
    abort();
}

/* SIZE zeroed bytes. */
static void *memory_get(size_t size)
{
    if (size < LARGE) {
        void *memory = calloc(1, size ? size : 1);
        if (!memory)
            out_of_memory();
        return memory;
    }
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        out_of_memory();
    /* Look-ups are spread over all of it: with large pages most find their address translated. A wish, so the result
     * does not matter. For all of the mapping, or mremap() would find two. */
    madvise(pages, size, MADV_HUGEPAGE);
    return pages;
}

static void memory_give(void *memory, size_t size)
{
    if (size < LARGE)
        free(memory);
    else
        munmap(memory, size);
}

/* MEMORY of SIZE bytes with room for WANTED; what is new is not set to anything. */
static void *memory_resize(void *memory, size_t size, size_t wanted)
{
    if (size >= LARGE && wanted >= LARGE) {
        void *moved = mremap(memory, size, wanted, MREMAP_MAYMOVE);
        if (moved == MAP_FAILED)
            out_of_memory();
        return moved;
    }
    void *other = memory_get(wanted);
    if (size > 0)
        memcpy(other, memory, size < wanted ? size : wanted);
    memory_give(memory, size);
    return other;
}

/* ---- records ---- */

struct strmap *strmap_create(void)
{
    struct strmap *map = memory_get(sizeof *map);
    map->used = 1;
    return map;
}

void strmap_destroy(struct strmap *map)
{
    if (!map)
        return;
    memory_give(map->slots, map->size * sizeof *map->slots);
    memory_give(map->words, map->capacity * WORD);
    memory_give(map, sizeof *map);
}

static struct record *record_at(const struct strmap *map, strmap_at at)
{
    return (struct record *)(void *)(map->words + at);
}

static unsigned char *put_length(unsigned char *out, uint64_t length)
{
    for (; length > 0x7f; length >>= 7)
        *out++ = (unsigned char)(length | 0x80);
    *out++ = (unsigned char)length;
    return out;
}

static inline const unsigned char *get_length(const unsigned char *at, uint64_t *length)
{
    unsigned shift = 7;
    for (*length = *at & 0x7f; *at & 0x80; shift += 7)
        *length |= (uint64_t)(*++at & 0x7f) << shift;
    return at + 1;
}

static inline struct parts record_read(const struct record *record)
{
    uint64_t key, value;
    const unsigned char *at = get_length(get_length(record->bytes, &key), &value);
    const char *bytes = (const char *)at;
    return (struct parts){key & 1, {bytes, (size_t)(key >> 1)}, {bytes + (key >> 1), (size_t)value}};
}

static strmap_at record_add(struct strmap *map, bool is_first, struct span key, struct span value)
{
    unsigned char lengths[LENGTHS_MAX + 2];
    unsigned char *end = put_length(put_length(lengths, (uint64_t)key.len << 1 | is_first), value.len);
    size_t count = (size_t)(end - lengths);
    size_t words = (sizeof(struct record) + count + key.len + value.len + WORD - 1) / WORD;
    if (map->used + words > UINT32_MAX) {
        fputs("postern: a table in memory is too large\n", stderr);
        abort();
    }
    if (map->used + words > map->capacity) {
        size_t capacity = map->used + words + map->capacity / 2 + 256;
        map->words = memory_resize(map->words, map->capacity * WORD, capacity * WORD);
        map->capacity = capacity;
    }
    strmap_at at = (strmap_at)map->used;
    map->used += words;
    struct record *record = record_at(map, at);
    record->next = at;
    memcpy(record->bytes, lengths, count);
    if (key.len)
        memcpy(record->bytes + count, key.ptr, key.len);
    if (value.len)
        memcpy(record->bytes + count + key.len, value.ptr, value.len);
    return at;
}

static strmap_at first_of(const struct strmap *map, const struct slot *slot)
{
    return record_at(map, slot->last)->next;
}

static struct slot *slot_find(const struct strmap *map, struct span key, uint32_t hash)
{
    for (size_t i = hash & (map->size - 1);; i = (i + 1) & (map->size - 1)) {
        struct slot *slot = &map->slots[i];
        if (!slot->last)
            return slot;
        if (slot->hash != hash)
            continue;
        struct parts parts = record_read(record_at(map, first_of(map, slot)));
        if (parts.key.len == key.len && (key.len == 0 || memcmp(parts.key.ptr, key.ptr, key.len) == 0))
            return slot;
    }
}

static void grow(struct strmap *map)
{
    struct slot *old = map->slots;
    size_t old_size = map->size;
    map->size = old_size ? old_size * 2 : 16;
    map->slots = memory_get(map->size * sizeof *map->slots);
    for (size_t i = 0; i < old_size; i++) {
        size_t to = old[i].hash & (map->size - 1);
        while (old[i].last && map->slots[to].last)
            to = (to + 1) & (map->size - 1);
        if (old[i].last)
            map->slots[to] = old[i];
    }
    memory_give(old, old_size * sizeof *old);
}

bool strmap_add(struct strmap *map, struct span key, struct span value)
{
    if (map->count * 4 >= map->size * 3)
        grow(map);
    uint32_t hash = (uint32_t)(strhash(key) >> 32);
    struct slot *slot = slot_find(map, key, hash);
    if (!slot->last) {
        *slot = (struct slot){hash, record_add(map, true, key, value)};
        map->count++;
        return true;
    }
    strmap_at at = record_add(map, false, (struct span){NULL, 0}, value);
    struct record *last = record_at(map, slot->last);
    record_at(map, at)->next = last->next;
    last->next = at;
    slot->last = at;
    return false;
}

strmap_at strmap_find(const struct strmap *map, struct span key)
{
    if (map->size == 0)
        return 0;
    const struct slot *slot = slot_find(map, key, (uint32_t)(strhash(key) >> 32));
    return slot->last ? first_of(map, slot) : 0;
}

strmap_at strmap_next(const struct strmap *map, strmap_at at)
{
    strmap_at next = record_at(map, at)->next;
    return record_read(record_at(map, next)).is_first ? 0 : next;
}

struct span strmap_value(const struct strmap *map, strmap_at at)
{
    return record_read(record_at(map, at)).value;
}

void strmap_each_key(const struct strmap *map, void (*visit)(void *context, struct span key, strmap_at at),
                     void *context)
{
    for (size_t i = 0; i < map->size; i++) {
        if (map->slots[i].last) {
            strmap_at at = first_of(map, &map->slots[i]);
            visit(context, record_read(record_at(map, at)).key, at);
        }
    }
}

void strmap_each(const struct strmap *map, void (*visit)(void *context, struct span value), void *context)
{
    for (size_t i = 0; i < map->size; i++) {
        for (strmap_at at = map->slots[i].last ? first_of(map, &map->slots[i]) : 0; at; at = strmap_next(map, at))
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
    if (!map->words)
        return;
    map->words = memory_resize(map->words, map->capacity * WORD, map->used * WORD);
    map->capacity = map->used;
}
