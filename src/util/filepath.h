/*
 * filepath - the directory that a file lies in.
 * THREADS: any. ERRORS: -1 and errno.
 */
#ifndef POSTERN_UTIL_FILEPATH_H
#define POSTERN_UTIL_FILEPATH_H

#include <limits.h>

/* The directory of PATH in OUT: "/" of "/file", "." of "file". 0, or -1 (ENAMETOOLONG). */
int filepath_directory(const char *path, char out[PATH_MAX]);

/* Makes the names in the directory of PATH survive a power failure: a file that was made, renamed or removed there. */
int filepath_sync_directory(const char *path);

#endif
