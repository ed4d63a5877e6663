/*
 * srs_keys - the secrets file: one secret a line, the first one signs, all verify.
 *
 * Lines that begin with # are comments; "# retired YYYY-MM-DD" says when the keys behind it were replaced, so that
 * srs_keys_rotate() knows which are too old to be of use. A file of PostSRSd's can be used as it is. Line ends may be
 * CRLF, white space around a secret does not belong to it.
 *
 * The file must be a regular one (no symbolic link), belong to root or to whoever reads it, have a mode of 0640 at
 * most, SRS_KEYS_FILE_MAX octets and SRS_KEYS_LINE_MAX a line. It is written anew as FILE.new and renamed into place,
 * so a reader sees the old one or the new one; a lock on the file itself (flock(2)) keeps two rotations apart.
 *
 * OWNS: a struct srs_keys owns its secrets and wipes them. THREADS: any, one for each struct srs_keys.
 * ERRORS: -1 and *PROBLEM ("FILE: text" or "FILE:LINE: text", on ARENA).
 */
#ifndef POSTERN_SRS_SRS_KEYS_H
#define POSTERN_SRS_SRS_KEYS_H

#include "util/arena.h"
#include "util/span.h"
#include <stdbool.h>
#include <stdint.h>

#define SRS_KEYS_MAX 100 /* secrets in a file */
#define SRS_KEYS_LINE_MAX 1000
#define SRS_KEYS_FILE_MAX 100000

struct srs_keys {
    struct span *secrets; /* at least one */
    size_t count;
};

/* NULL: see ERRORS; *IS_MISSING if it is not there at all. */
struct srs_keys *srs_keys_read(const char *path, struct arena *arena, bool *is_missing, const char **problem);
void srs_keys_free(struct srs_keys *keys);

/* Makes a file with one new random key, mode 0600. 1: somebody was first, which is as good. */
int srs_keys_create(const char *path, struct arena *arena, const char **problem);

/* Puts a new key first, and leaves out those that were retired more than MAX_AGE days before NOW (seconds since 1970).
 * Mode, owner (the
 * group only if it may read) and comments stay. *KEPT: how many old keys still verify. */
int srs_keys_rotate(const char *path, struct arena *arena, int64_t max_age, int64_t now, size_t *kept,
                    const char **problem);

#endif
