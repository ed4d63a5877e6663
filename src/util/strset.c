/*
 * strset - open addressing, doubled at three quarters full.
 */
#include "util/strset.h"
#include "util/strhash.h"
#include <stdint.h>

struct slot {
    uint64_t hash;
    const char *member;
    size_t len;
};

struct strset {
    struct arena *arena;
    struct slot *slots;
    size_t count, size; /* size is a power of two, 0 at first */
};

struct strset *strset_create(struct arena *arena)
{
    struct strset *set = ARENA_NEW(arena, struct strset);
    set->arena = arena;
    return set;
}

static struct slot *slot_find(const struct strset *set, struct span member, uint64_t hash)
{
    size_t i = hash & (set->size - 1);
    for (;; i = (i + 1) & (set->size - 1)) {
        struct slot *slot = &set->slots[i];
        if (!slot->member ||
            (slot->hash == hash && slot->len == member.len &&
             (member.len == 0 || memcmp(slot->member, member.ptr, member.len) == 0)))
            return slot;
    }
}

static void grow(struct strset *set)
{
    struct slot *old = set->slots;
    size_t old_size = set->size;
    set->size = old_size ? old_size * 2 : 16;
    set->slots = ARENA_ARRAY(set->arena, struct slot, set->size);
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].member)
            *slot_find(set, (struct span){old[i].member, old[i].len}, old[i].hash) = old[i];
    }
}

bool strset_add(struct strset *set, struct span member)
{
    if (set->count * 4 >= set->size * 3)
        grow(set);
    uint64_t hash = strhash(member);
    struct slot *slot = slot_find(set, member, hash);
    if (slot->member)
        return false;
    *slot = (struct slot){hash, arena_spandup(set->arena, member), member.len};
    set->count++;
    return true;
}

bool strset_has(const struct strset *set, struct span member)
{
    return set->size && slot_find(set, member, strhash(member))->member;
}

size_t strset_count(const struct strset *set)
{
    return set->count;
}

void strset_each(const struct strset *set, void (*visit)(void *context, const char *member), void *context)
{
    for (size_t i = 0; i < set->size; i++) {
        if (set->slots[i].member)
            visit(context, set->slots[i].member);
    }
}
