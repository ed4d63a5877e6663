/*
 * unlinked - files without a name, for what has to be on disk for a moment. THREADS: any.
 */
#ifndef POSTERN_UTIL_UNLINKED_H
#define POSTERN_UTIL_UNLINKED_H

#include <stdbool.h>
#include <stddef.h>

/* A descriptor open for reading and writing, or -1 with errno. */
int unlinked_file(const char *directory);

/* False with errno if not all of it could be written. */
bool write_whole(int fd, const void *bytes, size_t len);

#endif
