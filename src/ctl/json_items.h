/*
 * json_items - the items of a JSON array as the text they are, for readers that are stricter than cJSON.
 * THREADS: plain functions.
 */
#ifndef POSTERN_CTL_JSON_ITEMS_H
#define POSTERN_CTL_JSON_ITEMS_H

#include "util/arena.h"
#include "util/span.h"

/* Cuts TEXT, an array, or an object (which is its own only item), into *ITEMS, which point into it. An item is not
 * looked into further than to find its end. NULL, or what is wrong, on ARENA. */
const char *json_items_cut(struct arena *arena, struct span text, struct span **items, size_t *count);

#endif
