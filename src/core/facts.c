/* facts - a short vector: a message has some dozen facts, and a walk over it beats any table. */
#include "core/facts.h"
#include <string.h>

const struct fact *facts_get(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->count; i++) {
        if (strcmp(facts->items[i].name, name) == 0)
            return &facts->items[i];
    }
    return NULL;
}

void facts_set(struct facts *facts, struct arena *arena, const char *name, const char *text, const void *value)
{
    struct fact fact = {name, arena_strdup(arena, text), value};
    for (size_t i = 0; i < facts->count; i++) {
        if (strcmp(facts->items[i].name, name) == 0) {
            facts->items[i] = fact;
            return;
        }
    }
    facts->items = arena_grow(arena, facts->items, &facts->capacity, facts->count + 1, sizeof fact);
    facts->items[facts->count++] = fact;
}
