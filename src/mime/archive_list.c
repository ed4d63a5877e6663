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
#include "mime/archive_list.h"
#include "mime/unlinked.h"
#include "util/strbuf.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


#define BLOCK 65536
#define PEEK 512 /* enough to know any archive by but an ISO image */

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

struct source {
    int fd;
    off_t base, at, size;
    char block[BLOCK];
};

enum formats { FORMATS_ALL, FORMATS_ZIP_FRONT_TO_BACK, FORMATS_RAW };

static bool list_file(struct listing *listing, int fd, const char *prefix, unsigned depth);

static bool ended(const struct listing *listing)
{
    return listing->over || listing->stopped || listing->failed;
}

/* ---- names ---- */

static bool seen_before(struct level *level, const char *name)
{
    if (level->seen_count * 2 >= level->seen_size) {
        size_t size = level->seen_size ? level->seen_size * 2 : 256;
        uint64_t *grown = calloc(size, sizeof *grown);
        if (!grown)
            abort();
        for (size_t i = 0; i < level->seen_size; i++) {
            size_t at = level->seen[i] & (size - 1);
            while (level->seen[i] && grown[at])
                at = (at + 1) & (size - 1);
            if (level->seen[i])
                grown[at] = level->seen[i];
        }
        free(level->seen);
        level->seen = grown;
        level->seen_size = size;
    }
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    hash = hash ? hash : 1;
    size_t at = hash & (level->seen_size - 1);
    for (; level->seen[at]; at = (at + 1) & (level->seen_size - 1)) {
        if (level->seen[at] == hash)
            return true;
    }
    level->seen[at] = hash;
    level->seen_count++;
    return false;
}

/* "PREFIX/NAME"; of what is too long the end. */
static void join_path(const char *prefix, const char *name, char *path, size_t size)
{
    struct strbuf whole;
    strbuf_init(&whole, 0);
    strbuf_puts(&whole, prefix);
    strbuf_puts(&whole, *prefix && *name ? "/" : "");
    strbuf_puts(&whole, name);
    size_t skip = whole.len > size - 1 ? whole.len - (size - 1) : 0;
    memcpy(path, strbuf_text(&whole) + skip, whole.len - skip + 1);
    strbuf_free(&whole);
}

/* Not 0 to stop. Fits zip_find_names(). */
static int deliver(void *context, const char *name)
{
    struct level *level = context;
    struct listing *listing = level->listing;
    char path[LISTING_PATH];
    if (seen_before(level, name))
        return 0;
    if (listing->entries >= listing->limits->max_entries) {
        listing->over = true;
        return 1;
    }
    listing->entries++;
    join_path(level->prefix, name, path, sizeof path);
    if (listing->visit(listing->context, path) != 0)
        listing->stopped = true;
    return listing->stopped;
}

/* ---- libarchive over a file ---- */

static ssize_t source_read(struct archive *a, void *context, const void **block)
{
    struct source *source = context;
    ssize_t n = pread(source->fd, source->block, sizeof source->block, source->base + source->at);
    if (n < 0)
        archive_set_error(a, errno, "read error");
    else
        source->at += n;
    *block = source->block;
    return n;
}

static la_int64_t source_seek(struct archive *a, void *context, la_int64_t offset, int whence)
{
    struct source *source = context;
    off_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? source->at : source->size - source->base;
    if (offset < -from || offset > source->size) {
        archive_set_error(a, EINVAL, "seek outside of the file");
        return ARCHIVE_FATAL;
    }
    return source->at = from + offset;
}

static la_int64_t source_skip(struct archive *a, void *context, la_int64_t request)
{
    struct source *source = context;
    (void)a;
    off_t left = source->size - source->base - source->at;
    if (request > left)
        request = left > 0 ? left : 0;
    source->at += request;
    return request;
}

static void switch_on(struct archive *a, enum formats formats)
{
    if (formats == FORMATS_RAW) {
        archive_read_support_filter_gzip(a);
        archive_read_support_filter_bzip2(a);
        archive_read_support_filter_xz(a);
        archive_read_support_filter_lzma(a);
        archive_read_support_filter_lzip(a);
        archive_read_support_filter_zstd(a);
        archive_read_support_filter_lz4(a);
        archive_read_support_filter_compress(a);
        archive_read_support_format_raw(a);
        return;
    }
    if (formats == FORMATS_ZIP_FRONT_TO_BACK) {
        archive_read_support_format_zip_streamable(a);
        return;
    }
    archive_read_support_format_zip(a);
    archive_read_support_format_7zip(a);
    archive_read_support_format_rar(a);
    archive_read_support_format_rar5(a);
    archive_read_support_format_tar(a);
    archive_read_support_format_cab(a);
    archive_read_support_format_lha(a);
    archive_read_support_format_iso9660(a);
    archive_read_support_format_cpio(a);
    archive_read_support_format_ar(a);
    archive_read_support_format_xar(a);
}

/* NULL if libarchive knows no format for it. SOURCE must live as long as the archive. */
static struct archive *open_archive(struct source *source, int fd, off_t base, enum formats formats)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return NULL;
    *source = (struct source){.fd = fd, .base = base, .size = st.st_size};
    struct archive *a = archive_read_new();
    if (!a)
        abort();
    switch_on(a, formats);
    archive_read_set_read_callback(a, source_read);
    archive_read_set_seek_callback(a, source_seek);
    archive_read_set_skip_callback(a, source_skip);
    archive_read_set_callback_data(a, source);
    if (archive_read_open1(a) == ARCHIVE_OK)
        return a;
    archive_read_free(a);
    return NULL;
}

/* ---- members ---- */

static ssize_t read_up_to(struct archive *a, char *buffer, size_t want)
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

/* Unpacks HEAD and what follows in A into an unlinked file: its descriptor, or -1 with the listing's mark set. */
static int unpack(struct listing *listing, struct archive *a, const char *head, size_t head_len)
{
    char *block = malloc(BLOCK);
    if (!block)
        abort();
    int fd = unlinked_file(listing->directory);
    listing->failed |= fd < 0;
    ssize_t n = (ssize_t)head_len;
    memcpy(block, head, head_len);
    while (fd >= 0 && n > 0 && !ended(listing)) {
        listing->expanded += (uint64_t)n;
        if (listing->expanded > listing->limits->max_expanded)
            listing->over = true;
        else if (!write_whole(fd, block, (size_t)n))
            listing->failed = true;
        else
            n = read_up_to(a, block, BLOCK);
    }
    if (n < 0)
        listing->unreadable = true; /* what was unpacked is looked at all the same */
    free(block);
    if (fd >= 0 && ended(listing)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* What the member A stands on starts with; unpacked and listed if that looks like an archive. */
static void look_inside(struct level *level, struct archive *a, const char *name, uint64_t size)
{
    struct listing *listing = level->listing;
    static char head[LISTING_HEAD]; /* used up before anything nested is looked at */
    ssize_t n = read_up_to(a, head, PEEK);
    if (n == PEEK && (size == 0 || (size > 32774 && size % 2048 == 0)))
        n += read_up_to(a, head + PEEK, sizeof head - PEEK) > 0 ? (ssize_t)(sizeof head - PEEK) : 0;
    if (n < 0) {
        listing->unreadable = true;
        return;
    }
    if (!archive_is_likely(head, (size_t)n, NULL, 0))
        return;
    if (level->depth >= listing->limits->max_depth) {
        listing->over = true;
        return;
    }
    int fd = unpack(listing, a, head, (size_t)n);
    if (fd < 0)
        return;
    char path[LISTING_PATH];
    join_path(level->prefix, name, path, sizeof path);
    list_file(listing, fd, path, level->depth + 1);
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
        deliver(level, name);
    if (has_data && !ended(listing))
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
    struct source *source = malloc(sizeof *source);
    if (!source)
        abort();
    struct archive *a = open_archive(source, level->fd, base, formats);
    int count = a ? 0 : -1, retries = 0, status = ARCHIVE_EOF;
    struct archive_entry *entry;
    while (a && !ended(listing)) {
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
        if (!ended(listing) && status != ARCHIVE_EOF && formats == FORMATS_ALL)
            listing->unreadable |= !says_encrypted(a);
        archive_read_free(a);
    }
    free(source);
    return count;
}

/* A compressed stream: its own name, if it tells one, and what it unpacks to. */
static bool list_stream(struct level *level, const char *head, size_t head_len)
{
    struct listing *listing = level->listing;
    char name[1024] = "", path[LISTING_PATH];
    if (listing_gzip_name(head, head_len, name, sizeof name))
        deliver(level, name);
    if (listing_stem(level->prefix, name, sizeof name))
        deliver(level, name);
    struct source *source = malloc(sizeof *source);
    char *inner = malloc(LISTING_HEAD);
    if (!source || !inner)
        abort();
    struct archive *a = ended(listing) ? NULL : open_archive(source, level->fd, 0, FORMATS_RAW);
    struct archive_entry *entry;
    bool known = a && archive_read_next_header(a, &entry) == ARCHIVE_OK && archive_filter_count(a) > 1;
    ssize_t n = known ? read_up_to(a, inner, LISTING_HEAD) : 0;
    listing->unreadable |= n < 0;
    if (n > 0 && archive_is_likely(inner, (size_t)n, NULL, 0)) {
        unsigned depth = level->depth + !listing_is_tar(inner, (size_t)n); /* .tar.gz is one archive, not two */
        listing->over |= depth > listing->limits->max_depth;
        int fd = ended(listing) ? -1 : unpack(listing, a, inner, (size_t)n);
        join_path(level->prefix, depth > level->depth ? name : "", path, sizeof path);
        if (fd >= 0) {
            list_file(listing, fd, *name && depth > level->depth ? path : level->prefix, depth);
            close(fd);
        }
    }
    if (a)
        archive_read_free(a);
    free(inner);
    free(source);
    return known;
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

/* True if it is any archive. What is wrong with it is in the listing's marks. */
static bool list_file(struct listing *listing, int fd, const char *prefix, unsigned depth)
{
    struct level level = {.listing = listing, .prefix = prefix, .depth = depth, .fd = fd};
    struct zip_marks marks = {0};
    bool zip = false;
    char *head = malloc(LISTING_HEAD);
    if (!head)
        abort();
    ssize_t n = pread(fd, head, LISTING_HEAD, 0);
    bool likely = n > 0 && archive_is_likely(head, (size_t)n, NULL, 0);
    bool known = n > 0 && listing_is_stream(head, (size_t)n) && list_stream(&level, head, (size_t)n);
    int count = known || ended(listing) ? 0 : list_members(&level, 0, FORMATS_ALL, &zip);
    known |= count >= 0;
    if (!ended(listing) && (zip || count < 0 || ends_like_zip(fd))) {
        zip_find_names(fd, &marks, deliver, &level);
        listing->encrypted |= marks.encrypted;
        if (!ended(listing) && marks.local_headers > 0 && (!zip || (int)marks.local_headers != count))
            list_members(&level, (off_t)marks.first_local, FORMATS_ZIP_FRONT_TO_BACK, &zip);
        known |= marks.local_headers + marks.central_headers > 0;
    }
    if (!known && likely && !ended(listing))
        listing->unreadable = true;
    free(head);
    free(level.seen);
    return known || likely;
}

enum archive_status listing_run(int fd, const char *directory, const struct archive_limits *limits,
                                archive_visit *visit, void *context)
{
    struct listing listing = {.limits = limits, .directory = directory, .visit = visit, .context = context};
    bool known = list_file(&listing, fd, "", 1);
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
