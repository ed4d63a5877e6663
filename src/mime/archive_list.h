/*
 * archive_list - lists one archive; runs in the child process that archive_server.c forked. Private to mime/.
 *
 * THREADS: one, with a process of its own: it may spin, and somebody else has to end it.
 */
#ifndef POSTERN_MIME_ARCHIVE_LIST_H
#define POSTERN_MIME_ARCHIVE_LIST_H

#include "mime/archive.h"
#include <sys/types.h>

#define LISTING_HEAD                                                                                                   \
    40000                  /* bytes at the start of a file that tell what it is: the mark of an ISO image is the last  \
                            */
#define LISTING_PATH 16384 /* bytes a path may have; of longer ones the end is kept */

/* Lists the file behind FD; VISIT gets each path, not 0 stops. */
enum archive_status listing_run(int fd, const char *directory, const struct archive_limits *limits,
                                archive_visit *visit, void *context);

/* By its first bytes a compressed stream of one file, or a tar archive. */
bool listing_is_stream(const char *head, size_t len);
bool listing_is_tar(const char *head, size_t len);

/* Where in BYTES a rar, 7z or cab begins; -1 if nowhere. */
ssize_t listing_embedded(const char *bytes, size_t len);

/* "dir/run.exe.gz" -> "run.exe". False if NAME has no such ending. */
bool listing_stem(const char *name, char *stem, size_t size);

/* The original name in the header of a gzip stream. */
bool listing_gzip_name(const char *head, size_t len, char *name, size_t size);

/* What the raw bytes of a zip say, whatever its directory leads to (archive_zip.c). */
struct zip_marks {
    uint64_t first_local; /* offset of the first local header */
    unsigned local_headers, central_headers;
    bool encrypted;
    bool stopped; /* NAME asked to stop */
};

/* Searches all of FD for local and central headers and reports their names, a NUL as U+2400. */
void zip_find_names(int fd, struct zip_marks *marks, int (*name)(void *context, const char *name), void *context);

/* Reports the names of files in the UDF directories of an image, if it has any (archive_udf.c). */
void udf_find_names(int fd, int (*name)(void *context, const char *name), void *context);

/* True if a member or the headers of the rar5 archive in FD are encrypted (archive_rar5.c). */
bool rar5_is_encrypted(int fd);

#endif
