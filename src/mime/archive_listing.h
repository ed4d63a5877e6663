/*
 * archive_listing - one listing under way: what archive_list.c, archive_stream.c and archive_paths.c share.
 *
 * OWNS: a level has a set of the names it delivered; listing_file() frees it. THREADS: one.
 */
#ifndef POSTERN_MIME_ARCHIVE_LISTING_H
#define POSTERN_MIME_ARCHIVE_LISTING_H

#include "mime/archive_list.h"
#include <archive.h>
#include <stdint.h>

#define LISTING_BLOCK 65536 /* bytes unpacked at once */

struct listing {
    const struct archive_limits *limits;
    const char *directory;
    archive_visit *visit;
    void *context;
    unsigned entries;
    uint64_t expanded;
    bool over, encrypted, unreadable, stopped, failed;
};

/* One file under way: the outermost or a nested one. */
struct level {
    struct listing *listing;
    const char *prefix; /* path of the file itself, "" for the outermost */
    unsigned depth;     /* 1 = the outermost */
    int fd;
    uint64_t *seen; /* hashes of delivered names: open addressing, 0 = free */
    size_t seen_size, seen_count;
};

/* Nobody wants more of it. */
static inline bool listing_ended(const struct listing *listing)
{
    return listing->over || listing->stopped || listing->failed;
}

/* "PREFIX/NAME"; of what is too long the end. */
void listing_join_path(const char *prefix, const char *name, char *path, size_t size);

/* Hands NAME, within the level CONTEXT, to the listing's visitor, once. Not 0 to stop. Fits zip_find_names(). */
int listing_deliver(void *context, const char *name);

/* WANT bytes of the member that A stands on, fewer at its end; -1 if nothing could be read. */
ssize_t listing_read(struct archive *a, char *buffer, size_t want);

/* Unpacks HEAD and what follows in A into an unlinked file: its descriptor, or -1 with the listing's mark set. */
int listing_unpack(struct listing *listing, struct archive *a, const char *head, size_t head_len);

/* Lists what is in FD, the DEPTHth archive within each other. True if it is any archive; what is wrong with it is in
 * the listing's marks. */
bool listing_file(struct listing *listing, int fd, const char *prefix, unsigned depth);

/* A compressed stream: its own name, if it tells one, and what it unpacks to. False if it is none. */
bool listing_stream(struct level *level, const char *head, size_t head_len);

#endif
