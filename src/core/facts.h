/*
 * facts - what the checks found out: one writer, many readers.
 *
 * A fact has a name ("helo.rule"), a text for people, and optionally a value for other checks. Session facts hold
 * for all messages of the session until they are set anew; message facts end with their message.
 * OWNS: texts are copied to the arena given. THREADS: those of the session they belong to.
 */
#ifndef POSTERN_CORE_FACTS_H
#define POSTERN_CORE_FACTS_H

#include "util/arena.h"
#include <stddef.h>

struct fact {
    const char *name;
    const char *text;
    const void *value;
};

struct facts {
    struct fact *items;
    size_t count, capacity;
};

/* Sets or replaces. NAME is kept, not copied; VALUE is kept and must live as long as the facts. */
void facts_set(struct facts *facts, struct arena *arena, const char *name, const char *text, const void *value);

/* NULL if nobody said so. */
const struct fact *facts_get(const struct facts *facts, const char *name);

#endif
