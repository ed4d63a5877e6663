/*
 * archive_list - what libarchive finds in a file, and in the files inside it.
 *
 * Per file: (1) a compressed stream is unpacked into an unlinked file and that is looked at; (2) else libarchive lists
 * the members; each member's first bytes are looked at, and one that looks like an archive is unpacked and listed in
 * its turn; (3) a zip is also searched for names that its directory does not lead to, and read a second time front to
 * back if there are any. Names are delivered once per file, however often they stand in it.
 *
 * Only formats and filters that work inside the process are switched on: libarchive's "all" would start programs
 * (lrzip, grzip). Errors of one member do not end the listing; they end up in the status.
 */
#include "mime/archive_listing.h"
#include "mime/archive_reader.h"
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EMBEDDED_MAX (1 << 20) /* bytes that are searched for an archive behind something else */
#define PEEK 512 /* enough to know any archive by but an ISO image */

/* What Explorer or an archiver opens by its name, whatever stands in front of the archive in it. */
static bool is_archive_name(const char *name)
{
    static const char *const endings[] = {".zip", ".jar", ".rar", ".7z", ".cab", ".zipx"};
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i]);
        if (len > n && strcasecmp(name + len - n, endings[i]) == 0)
            return true;
    }
    return false;
}

/* What the member A stands on starts with; unpacked and listed if that looks like an archive. */
static void look_inside(struct level *level, struct archive *a, const char *name, uint64_t size)
{
    struct listing *listing = level->listing;
    static char head[LISTING_HEAD]; /* used up before anything nested is looked at */
    ssize_t n = listing_read(a, head, PEEK);
    if (n == PEEK && (size == 0 || (size > 32774 && size % 2048 == 0)))
        n += listing_read(a, head + PEEK, sizeof head - PEEK) > 0 ? (ssize_t)(sizeof head - PEEK) : 0;
    if (n < 0) {
        listing->unreadable = true;
        return;
    }
    if (!archive_is_likely(head, (size_t)n, NULL, 0) && !(n == PEEK && is_archive_name(name)))
        return;
    if (level->depth >= listing->limits->max_depth) {
        listing->over = true;
        return;
    }
    int fd = listing_unpack(listing, a, head, (size_t)n);
    if (fd < 0)
        return;
    char path[LISTING_PATH];
    listing_join_path(level->prefix, name, path, sizeof path);
    listing_file(listing, fd, path, level->depth + 1);
    close(fd);
}

static const char *name_of(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname_utf8(entry);
    if (!name)
        name = archive_entry_pathname(entry);
    return name ? name : "";
}

static void visit_member(struct level *level, struct archive *a, struct archive_entry *entry)
{
    struct listing *listing = level->listing;
    char *name = strdup(name_of(entry)); /* the entry is used again while the data is read */
    if (!name)
        abort();
    bool directory = archive_entry_filetype(entry) == AE_IFDIR;
    bool encrypted = archive_entry_is_encrypted(entry);
    listing->encrypted |= encrypted;
    uint64_t size = archive_entry_size_is_set(entry) ? (uint64_t)archive_entry_size(entry) : 0;
    bool has_data = archive_entry_filetype(entry) == AE_IFREG && !encrypted;
    if (*name && !directory)
        listing_deliver(level, name);
    if (has_data && !listing_ended(listing))
        look_inside(level, a, name, size);
    free(name);
}

static bool says_encrypted(struct archive *a)
{
    const char *error = archive_error_string(a);
    return archive_read_has_encrypted_entries(a) > 0 ||
           (error && (strstr(error, "ncrypt") || strstr(error, "assphrase")));
}

/* Lists what libarchive finds from BASE on. How many members, or -1 if it knows no format there. */
static int list_members(struct level *level, off_t base, enum formats formats, bool *zip)
{
    struct listing *listing = level->listing;
    struct reader_source *source = malloc(sizeof *source);
    if (!source)
        abort();
    struct archive *a = reader_open(source, level->fd, base, formats);
    int count = a ? 0 : -1, retries = 0, status = ARCHIVE_EOF;
    struct archive_entry *entry;
    while (a && !listing_ended(listing)) {
        status = archive_read_next_header(a, &entry);
        if (status == ARCHIVE_RETRY && retries++ < 100)
            continue;
        if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
            break;
        if (++count > 2 * (int)(listing->limits->max_entries / 2 + 1))
            listing->over = true;
        else
            visit_member(level, a, entry);
    }
    if (a) {
        *zip = (archive_format(a) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_ZIP;
        listing->encrypted |= says_encrypted(a);
        if (archive_format(a) == ARCHIVE_FORMAT_RAR_V5)
            listing->encrypted |= rar5_is_encrypted(level->fd);
        if (!listing_ended(listing) && status != ARCHIVE_EOF && formats == FORMATS_ALL)
            listing->unreadable |= !says_encrypted(a);
        archive_read_free(a);
    }
    free(source);
    return count;
}

static bool ends_like_zip(int fd)
{
    struct stat st;
    char tail[66000];
    if (fstat(fd, &st) != 0)
        return false;
    off_t from = st.st_size > (off_t)sizeof tail ? st.st_size - (off_t)sizeof tail : 0;
    ssize_t n = pread(fd, tail, sizeof tail, from);
    return n > 0 && memmem(tail, (size_t)n, "PK\x05\x06", 4);
}

/* A rar, 7z or cab behind something else: a self-extractor, a picture. */
static bool list_embedded(struct level *level, bool *zip)
{
    char *room = malloc(EMBEDDED_MAX);
    if (!room)
        abort();
    ssize_t n = pread(level->fd, room, EMBEDDED_MAX, 0), at = n > 0 ? listing_embedded(room, (size_t)n) : -1;
    free(room);
    return at > 0 && list_members(level, at, FORMATS_ALL, zip) > 0;
}

bool listing_file(struct listing *listing, int fd, const char *prefix, unsigned depth)
{
    struct level level = {.listing = listing, .prefix = prefix, .depth = depth, .fd = fd};
    struct zip_marks marks = {0};
    bool zip = false;
    char *head = malloc(LISTING_HEAD);
    if (!head)
        abort();
    ssize_t n = pread(fd, head, LISTING_HEAD, 0);
    bool likely = n > 0 && archive_is_likely(head, (size_t)n, NULL, 0);
    bool known = n > 0 && listing_is_stream(head, (size_t)n) && listing_stream(&level, head, (size_t)n);
    int count = known || listing_ended(listing) ? 0 : list_members(&level, 0, FORMATS_ALL, &zip);
    if (!known && count <= 0 && !listing_ended(listing) && list_embedded(&level, &zip))
        count = 1;
    known |= count >= 0;
    if (!listing_ended(listing) && (zip || count < 0 || ends_like_zip(fd))) {
        zip_find_names(fd, &marks, listing_deliver, &level);
        listing->encrypted |= marks.encrypted;
        if (!listing_ended(listing) && marks.local_headers > 0 && (!zip || (int)marks.local_headers != count))
            list_members(&level, (off_t)marks.first_local, FORMATS_ZIP_FRONT_TO_BACK, &zip);
        known |= marks.local_headers + marks.central_headers > 0;
    }
    if (!listing_ended(listing))
        udf_find_names(fd, listing_deliver, &level);
    if (!known && likely && !listing_ended(listing))
        listing->unreadable = true;
    free(head);
    free(level.seen);
    return known || likely;
}

enum archive_status listing_run(int fd, const char *directory, const struct archive_limits *limits,
                                archive_visit *visit, void *context)
{
    struct listing listing = {.limits = limits, .directory = directory, .visit = visit, .context = context};
    bool known = listing_file(&listing, fd, "", 1);
    if (listing.stopped)
        return ARCHIVE_STOPPED;
    if (listing.failed)
        return ARCHIVE_TROUBLE;
    if (listing.over)
        return ARCHIVE_OVER_LIMIT;
    if (listing.encrypted)
        return ARCHIVE_ENCRYPTED;
    if (!known)
        return ARCHIVE_NONE;
    return listing.unreadable ? ARCHIVE_UNREADABLE : ARCHIVE_DONE;
}
