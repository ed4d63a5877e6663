/*
 * archive_stream - unpacking: a member of an archive, or a compressed stream that is a file by itself.
 *
 * What is unpacked goes to an unlinked file and is looked at there, within the listing's bounds.
 */
#include "mime/archive_listing.h"
#include "mime/archive_reader.h"
#include "util/unlinked.h"
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ssize_t listing_read(struct archive *a, char *buffer, size_t want)
{
    size_t done = 0;
    while (done < want) {
        la_ssize_t n = archive_read_data(a, buffer + done, want - done);
        if (n == ARCHIVE_RETRY)
            continue;
        if (n < 0)
            return done > 0 ? (ssize_t)done : -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

int listing_unpack(struct listing *listing, struct archive *a, const char *head, size_t head_len)
{
    char *block = malloc(LISTING_BLOCK);
    if (!block)
        abort();
    int fd = unlinked_file(listing->directory);
    listing->failed |= fd < 0;
    ssize_t n = (ssize_t)head_len;
    memcpy(block, head, head_len);
    while (fd >= 0 && n > 0 && !listing_ended(listing)) {
        listing->expanded += (uint64_t)n;
        if (listing->expanded > listing->limits->max_expanded)
            listing->over = true;
        else if (!write_whole(fd, block, (size_t)n))
            listing->failed = true;
        else
            n = listing_read(a, block, LISTING_BLOCK);
    }
    if (n < 0)
        listing->unreadable = true; /* what was unpacked is looked at all the same */
    free(block);
    if (fd >= 0 && listing_ended(listing)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* The name stands behind an extra field of up to 64 kB. */
static void deliver_gzip_name(struct level *level, const char *head, size_t head_len)
{
    char name[1024], *room = NULL;
    if (head_len == LISTING_HEAD && (room = malloc(2 * LISTING_BLOCK))) {
        ssize_t n = pread(level->fd, room, 2 * LISTING_BLOCK, 0);
        head = n > 0 ? room : head;
        head_len = n > 0 ? (size_t)n : head_len;
    }
    if (listing_gzip_name(head, head_len, name, sizeof name))
        listing_deliver(level, name);
    free(room);
}

bool listing_stream(struct level *level, const char *head, size_t head_len)
{
    struct listing *listing = level->listing;
    char name[1024] = "", path[LISTING_PATH];
    deliver_gzip_name(level, head, head_len);
    if (listing_stem(level->prefix, name, sizeof name))
        listing_deliver(level, name);
    struct reader_source *source = malloc(sizeof *source);
    char *inner = malloc(LISTING_HEAD);
    if (!source || !inner)
        abort();
    enum formats raw = memcmp(head, "\x1f\x8b", 2) == 0 ? FORMATS_RAW_GZIP : FORMATS_RAW;
    struct archive *a = listing_ended(listing) ? NULL : reader_open(source, level->fd, 0, raw);
    struct archive_entry *entry;
    bool known = a && archive_read_next_header(a, &entry) == ARCHIVE_OK && archive_filter_count(a) > 1;
    ssize_t n = known ? listing_read(a, inner, LISTING_HEAD) : 0;
    listing->unreadable |= n < 0;
    if (n > 0 && archive_is_likely(inner, (size_t)n, NULL, 0)) {
        unsigned depth = level->depth + !listing_is_tar(inner, (size_t)n); /* .tar.gz is one archive, not two */
        listing->over |= depth > listing->limits->max_depth;
        int fd = listing_ended(listing) ? -1 : listing_unpack(listing, a, inner, (size_t)n);
        listing_join_path(level->prefix, depth > level->depth ? name : "", path, sizeof path);
        if (fd >= 0) {
            listing_file(listing, fd, *name && depth > level->depth ? path : level->prefix, depth);
            close(fd);
        }
    }
    if (a)
        archive_read_free(a);
    free(inner);
    free(source);
    return known;
}
