/*
 * store_secret - the password of the store, from a file that others may not read.
 *
 * THREADS: any. OWNS: texts are on the arena.
 */
#ifndef POSTERN_STORE_STORE_SECRET_H
#define POSTERN_STORE_STORE_SECRET_H

#include "util/arena.h"

/* The first line of the file at PATH: "PASSWORD", or "USER:PASSWORD" if *USER is NULL so far. NULL, or what is wrong
 * (on PROBLEM_ARENA). */
const char *store_secret_read(const char *path, struct arena *arena, struct arena *problem_arena, const char **user,
                              const char **password);

#endif
