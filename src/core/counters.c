/* counters - a sorted table, found by bisection; a message increments two or three of some fifty. */
#include "core/counters.h"
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

struct counter {
    const char *name;
    _Atomic uint64_t value;
};

struct counters {
    struct arena *arena;
    struct counter *items;
    size_t count, capacity;
};

struct counters *counters_create(struct arena *arena)
{
    struct counters *counters = ARENA_NEW(arena, struct counters);
    counters->arena = arena;
    return counters;
}

/* The place of NAME, or where it would be put. */
static size_t place_of(const struct counters *counters, const char *name)
{
    size_t low = 0, high = counters->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(counters->items[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void counters_register(struct counters *counters, const char *name)
{
    size_t at = place_of(counters, name);
    if (at < counters->count && strcmp(counters->items[at].name, name) == 0)
        return;
    counters->items = arena_grow(counters->arena, counters->items, &counters->capacity, counters->count + 1,
                                 sizeof *counters->items);
    memmove(counters->items + at + 1, counters->items + at, (counters->count - at) * sizeof *counters->items);
    counters->items[at].name = name;
    atomic_init(&counters->items[at].value, 0);
    counters->count++;
}

void counters_increment(struct counters *counters, const char *name)
{
    size_t at = place_of(counters, name);
    if (at < counters->count && strcmp(counters->items[at].name, name) == 0)
        atomic_fetch_add_explicit(&counters->items[at].value, 1, memory_order_relaxed);
}

void counters_print(const struct counters *counters, struct strbuf *out)
{
    for (size_t i = 0; i < counters->count; i++) {
        uint64_t value = atomic_load_explicit(&counters->items[i].value, memory_order_relaxed);
        if (value)
            strbuf_printf(out, "%s=%llu\n", counters->items[i].name, (unsigned long long)value);
    }
}
