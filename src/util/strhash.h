/*
 * strhash - a hash of bytes for tables in memory. It is keyed per process, so that nobody who can choose addresses can
 * choose collisions; never write it down. THREADS: any.
 */
#ifndef POSTERN_UTIL_STRHASH_H
#define POSTERN_UTIL_STRHASH_H

#include "util/span.h"
#include <stdint.h>

/* Never 0. */
uint64_t strhash(struct span bytes);

#endif
