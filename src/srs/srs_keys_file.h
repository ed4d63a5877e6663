/*
 * srs_keys_file - the secrets file as a file: opened with care, read whole, replaced in one step. Private to srs/.
 *
 * THREADS: any. ERRORS: -1 and *PROBLEM ("FILE: text", on ARENA), if nothing else is said.
 */
#ifndef POSTERN_SRS_SRS_KEYS_FILE_H
#define POSTERN_SRS_SRS_KEYS_FILE_H

#include "util/arena.h"
#include "util/span.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct srs_keys_file {
    struct span content; /* malloc'ed; srs_keys_wipe() ends it */
    struct stat status;
    int fd; /* -1: closed */
};

/* Checked and read. IS_LOCKED: with an exclusive lock that lives as long as `fd`, which stays open; it waits for it. */
int srs_keys_file_read(const char *path, bool is_locked, struct arena *arena, struct srs_keys_file *file,
                       bool *is_missing, const char **problem);
void srs_keys_file_close(struct srs_keys_file *file);

/* Writes CONTENT in the place of FILE, which is locked, with its mode and owner. On the disk when it returns. */
int srs_keys_file_replace(const char *path, const struct srs_keys_file *file, struct span content, struct arena *arena,
                          const char **problem);

/* Writes CONTENT into a file of mode 0600 that was not there. On the disk when it returns. 1: it is there already. */
int srs_keys_file_create(const char *path, struct span content, struct arena *arena, const char **problem);

/* free(), when nothing can be read from it any more. */
void srs_keys_wipe(struct span secret);

#endif
