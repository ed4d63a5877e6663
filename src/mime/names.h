/*
 * names - every file name that the header of one part offers. Private to mime/.
 *
 * OWNS: its strings; names_free(). THREADS: none inside.
 */
#ifndef POSTERN_MIME_NAMES_H
#define POSTERN_MIME_NAMES_H

#include "util/span.h"
#include <stdbool.h>
#include <stddef.h>

struct name_pieces;

struct names {
    char **list; /* each once, in the order found; without NUL (shown as U+2400) */
    size_t count, room;
    struct name_pieces *pieces;
    bool overflow; /* there were more than we are ready to keep */
};

/* Adds the names in the value of a field (FIELD: "Content-Type", ...). Fields that offer no names are ignored. */
void names_add_field(struct names *names, struct span field, struct span value);

/* False if a field of that name can neither name a file nor say what a part is. */
bool names_field_matters(struct span field);

/* Call after the last field of the part: joins continuations, which may be spread over fields. */
void names_join(struct names *names);

/* Adds one candidate as it is. */
void names_add(struct names *names, struct span name);

void names_free(struct names *names);

#endif
