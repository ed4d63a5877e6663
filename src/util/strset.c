/*
 * strset - open addressing, doubled at three quarters full; hashing is keyed per process, so that nobody who can
 * choose recipients can choose collisions.
 */
#include "util/strset.h"
#include <pthread.h>
#include <stdint.h>
#include <sys/random.h>

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

static uint64_t hash_key;
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void hash_key_init(void)
{
    if (getrandom(&hash_key, sizeof hash_key, GRND_NONBLOCK) != sizeof hash_key)
        hash_key = (uintptr_t)&hash_key * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t hash_of(struct span s)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ hash_key;
    for (size_t i = 0; i < s.len; i++) {
        hash = (hash ^ (unsigned char)s.ptr[i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash ? hash : 1;
}

struct strset *strset_create(struct arena *arena)
{
    pthread_once(&hash_key_once, hash_key_init);
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
    uint64_t hash = hash_of(member);
    struct slot *slot = slot_find(set, member, hash);
    if (slot->member)
        return false;
    *slot = (struct slot){hash, arena_spandup(set->arena, member), member.len};
    set->count++;
    return true;
}

bool strset_has(const struct strset *set, struct span member)
{
    return set->size && slot_find(set, member, hash_of(member))->member;
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
