/*
 * archive_reader - libarchive over a file, with the formats and filters that work inside the process. Private to mime/.
 *
 * OWNS: the caller frees the archive with archive_read_free() and keeps its source until then. THREADS: none inside.
 */
#ifndef POSTERN_MIME_ARCHIVE_READER_H
#define POSTERN_MIME_ARCHIVE_READER_H

#include <archive.h>
#include <sys/types.h>

#define READER_BLOCK 65536

struct reader_source {
    int fd;
    off_t base, at, size;
    char block[READER_BLOCK];
};

enum formats { FORMATS_ALL, FORMATS_ZIP_FRONT_TO_BACK, FORMATS_RAW, FORMATS_RAW_GZIP };

/* The archive in FD from BASE on. NULL if libarchive knows no format for it. */
struct archive *reader_open(struct reader_source *source, int fd, off_t base, enum formats formats);

#endif
