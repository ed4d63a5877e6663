/*
 * scan_part - what the bytes of a part are, whatever its header says they are.
 *
 * Of each part the first LISTING_HEAD bytes are decoded. Only if they look like an archive, a winmail.dat or (by type
 * or name) a message is the whole part decoded, into an unlinked file, and looked into; a zip may also give itself
 * away by its end. Text is searched for uuencode. So the usual attachment, a picture or a PDF, costs 40 kB of base64.
 */
#include "mime/archive_list.h"
#include "mime/decode.h"
#include "mime/scan_private.h"
#include "mime/tnef.h"
#include "mime/unlinked.h"
#include "mime/uuencode.h"
#include "util/clock.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define TAIL 66000

struct head {
    char bytes[LISTING_HEAD + DECODE_ROOM];
    size_t len;
    bool whole; /* there is no more */
};

static bool is_message_name(const char *name)
{
    size_t len = strlen(name);
    return (len > 4 && (strcasecmp(name + len - 4, ".eml") == 0 || strcasecmp(name + len - 4, ".mht") == 0)) ||
           (len > 6 && strcasecmp(name + len - 6, ".mhtml") == 0);
}

static bool is_worth_a_look(const struct scan *scan, const char *head, size_t len, const char *name)
{
    return tnef_is_likely(head, len) || is_message_name(name) ||
           (scan->limits->open_archives && archive_is_likely(head, len, NULL, 0));
}

/* ---- archives ---- */

struct members {
    struct scan *scan;
    const char *path; /* of the archive */
};

static int visit_member(void *context, const char *member)
{
    struct members *members = context;
    struct scan *scan = members->scan;
    const char *slash = strrchr(member, '/');
    char *path = scan_join(members->path, member);
    if (scan->sink->name)
        scan->stopped = scan->sink->name(scan->sink->context, path, slash && slash[1] ? slash + 1 : member) != 0;
    free(path);
    return scan->stopped;
}

/* The archives of a message share one time limit: a hundred slow ones must not take a hundred times as long. */
static enum archive_status list_archive(struct scan *scan, int fd, struct members *members)
{
    struct archive_limits limits = scan->limits->archives;
    int64_t now = clock_monotonic_us();
    if (scan->archives_until_us == 0)
        scan->archives_until_us = now + limits.time_ms * 1000;
    limits.time_ms = (scan->archives_until_us - now) / 1000;
    if (limits.time_ms <= 0)
        return ARCHIVE_OVER_LIMIT;
    return archive_scan(scan->archives, fd, &limits, visit_member, members);
}

/* FD holds the archive from its offset 0 on. */
static void scan_archive(struct scan *scan, int fd, const char *prefix, const char *name, const char *head, size_t len)
{
    char stem[1024];
    char *path = scan_join(prefix, name);
    if (listing_is_stream(head, len) && listing_stem(name, stem, sizeof stem))
        scan_report_name(scan, path, stem);
    struct members members = {scan, path};
    enum archive_status status = scan->stopped ? ARCHIVE_STOPPED : list_archive(scan, fd, &members);
    if (status == ARCHIVE_OVER_LIMIT)
        scan_report_trouble(scan, SCAN_OVER_LIMIT, path, NULL);
    else if (status == ARCHIVE_ENCRYPTED)
        scan_report_trouble(scan, SCAN_ENCRYPTED, path, NULL);
    else if (status == ARCHIVE_UNREADABLE)
        scan_report_trouble(scan, SCAN_UNREADABLE, path, NULL);
    else if (status == ARCHIVE_TROUBLE)
        scan_report_trouble(scan, SCAN_FAILED, path, NULL);
    free(path);
}

/* A copy of BLOB in a file of its own, or -1. */
static int copy_blob(struct scan *scan, const struct source *blob)
{
    char block[16384];
    uint64_t at = 0;
    ssize_t n = 0;
    int fd = unlinked_file(scan->limits->directory);
    while (fd >= 0 && (n = source_read(blob, at, block, sizeof block)) > 0 && write_whole(fd, block, (size_t)n))
        at += (uint64_t)n;
    if (fd >= 0 && at < blob->len) {
        close(fd);
        return -1;
    }
    return fd;
}

/* ---- winmail.dat ---- */

struct winmail {
    struct scan *scan;
    const struct source *file;
    const char *path;
    char *name; /* the latest of the attachment under way, "" at first */
    unsigned level;
};

static int visit_tnef_name(void *context, struct span name)
{
    struct winmail *winmail = context;
    struct names names = {0};
    names_add(&names, name);
    if (names.count) {
        scan_report_name(winmail->scan, winmail->path, names.list[0]);
        free(winmail->name);
        winmail->name = strdup(names.list[0]);
    }
    names_free(&names);
    return winmail->scan->stopped;
}

static int visit_tnef_data(void *context, uint64_t offset, uint64_t len)
{
    struct winmail *winmail = context;
    struct source data = *winmail->file;
    data.start += offset;
    data.len = len;
    scan_blob(winmail->scan, &data, winmail->path, winmail->name && *winmail->name ? winmail->name : "attachment",
              winmail->level + 1);
    return winmail->scan->stopped;
}

static void visit_tnef_attachment(void *context)
{
    struct winmail *winmail = context;
    free(winmail->name);
    winmail->name = NULL;
}

static void scan_winmail(struct scan *scan, const struct source *file, const char *prefix, const char *name,
                         unsigned level)
{
    char *path = scan_join(prefix, name);
    struct winmail winmail = {scan, file, path, NULL, level};
    struct tnef_visitor visitor = {&winmail, visit_tnef_name, visit_tnef_data, visit_tnef_attachment};
    /* the reader wants a descriptor, and what it gives out are offsets in it from the source's start */
    struct tnef_visitor shifted = visitor;
    struct source whole = *file;
    whole.start = 0;
    winmail.file = &whole;
    enum tnef_status status = tnef_read(file->fd, file->start, file->len, &shifted);
    if (status == TNEF_DAMAGED)
        scan_report_trouble(scan, SCAN_UNREADABLE, path, NULL);
    free(winmail.name);
    free(path);
}

bool scan_blob(struct scan *scan, const struct source *blob, const char *prefix, const char *name, unsigned level)
{
    char *head = malloc(LISTING_HEAD);
    if (!head)
        abort();
    ssize_t n = source_read(blob, 0, head, LISTING_HEAD);
    size_t len = n > 0 ? (size_t)n : 0;
    bool known = is_worth_a_look(scan, head, len, name);
    if (known && level > scan->limits->max_levels) {
        scan_report_trouble(scan, SCAN_OVER_LIMIT, prefix, name);
    } else if (known && tnef_is_likely(head, len)) {
        scan_winmail(scan, blob, prefix, name, level);
    } else if (known && is_message_name(name)) {
        char *path = scan_join(prefix, name);
        scan_structure(scan, blob, NULL, path, level + 1);
        free(path);
    } else if (known) {
        int fd = copy_blob(scan, blob);
        if (fd < 0)
            scan_report_trouble(scan, SCAN_FAILED, prefix, name);
        else
            scan_archive(scan, fd, prefix, name, head, len);
        if (fd >= 0)
            close(fd);
    }
    free(head);
    return known;
}

/* ---- uuencode ---- */

struct uufile {
    struct scan *scan;
    const char *prefix;
    unsigned level;
    char *name;
    struct strbuf head;
    int fd; /* -1 until the head turned out to be of interest */
    bool dropped;
};

static void uufile_begin(void *context, struct span name)
{
    struct uufile *file = context;
    struct names names = {0};
    names_add(&names, name);
    free(file->name);
    file->name = strdup(names.count ? names.list[0] : "attachment");
    scan_report_name(file->scan, file->prefix, file->name);
    names_free(&names);
    strbuf_init(&file->head, LISTING_HEAD);
    file->fd = -1;
    file->dropped = false;
}

static void uufile_decide(struct uufile *file)
{
    file->dropped = !is_worth_a_look(file->scan, strbuf_text(&file->head), file->head.len, file->name);
    if (file->dropped)
        return;
    file->fd = unlinked_file(file->scan->limits->directory);
    if (file->fd < 0 || !write_whole(file->fd, strbuf_text(&file->head), file->head.len)) {
        scan_report_trouble(file->scan, SCAN_FAILED, file->prefix, file->name);
        file->dropped = true;
    }
}

static void uufile_data(void *context, struct span bytes)
{
    struct uufile *file = context;
    if (file->dropped || file->scan->stopped)
        return;
    size_t room = LISTING_HEAD - file->head.len;
    struct span first = {bytes.ptr, file->fd >= 0 ? 0 : bytes.len < room ? bytes.len : room};
    strbuf_add(&file->head, first);
    bytes.ptr += first.len;
    bytes.len -= first.len;
    if (file->fd < 0 && file->head.len == LISTING_HEAD)
        uufile_decide(file);
    if (file->fd >= 0 && bytes.len > 0 && !write_whole(file->fd, bytes.ptr, bytes.len)) {
        scan_report_trouble(file->scan, SCAN_FAILED, file->prefix, file->name);
        file->dropped = true;
    }
}

static void uufile_end(void *context)
{
    struct uufile *file = context;
    if (file->fd < 0 && !file->dropped && !file->scan->stopped)
        uufile_decide(file);
    off_t size = file->fd >= 0 ? lseek(file->fd, 0, SEEK_END) : 0;
    if (!file->dropped && size > 0) {
        struct source blob = {.fd = file->fd, .len = (uint64_t)size};
        scan_blob(file->scan, &blob, file->prefix, file->name, file->level + 1);
    }
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    strbuf_free(&file->head);
}

/* Searches what SOURCE decodes to; of HEAD_ONLY no more than its first bytes. */
static void scan_uuencode(struct scan *scan, const struct source *source, GMimeContentEncoding encoding,
                          const char *prefix, unsigned level, bool head_only)
{
    struct uufile file = {.scan = scan, .prefix = prefix, .level = level, .fd = -1};
    struct uuencode uu = {.context = &file, .begin = uufile_begin, .data = uufile_data, .end = uufile_end};
    struct decoder *decoder = malloc(sizeof *decoder);
    char *room = malloc(DECODE_ROOM);
    if (!decoder || !room)
        abort();
    decode_begin(decoder, source, encoding);
    uuencode_init(&uu);
    ssize_t n;
    while (!scan->stopped && (n = decode_next(decoder, room)) > 0) {
        uuencode_feed(&uu, (struct span){room, (size_t)n});
        if (head_only && !uu.inside)
            break;
    }
    uuencode_finish(&uu);
    uuencode_free(&uu);
    free(file.name);
    free(room);
    free(decoder);
}

void scan_text(struct scan *scan, const struct source *source, const char *prefix, unsigned level)
{
    scan_uuencode(scan, source, GMIME_CONTENT_ENCODING_DEFAULT, prefix, level, false);
}

/* ---- parts ---- */

static void read_head(const struct part *part, struct decoder *decoder, struct head *head)
{
    ssize_t n = 0;
    head->len = 0;
    decode_begin(decoder, &part->body, part->encoding);
    while (head->len < LISTING_HEAD && (n = decode_next(decoder, head->bytes + head->len)) > 0)
        head->len += (size_t)n;
    head->whole = n <= 0;
}

/* The whole part in an unlinked file: HEAD and what DECODER has behind it. -1 if that failed. */
static int decode_to_file(struct scan *scan, struct decoder *decoder, const struct head *head)
{
    char *room = malloc(DECODE_ROOM);
    if (!room)
        abort();
    int fd = unlinked_file(scan->limits->directory);
    bool good = fd >= 0 && write_whole(fd, head->bytes, head->len);
    ssize_t n;
    while (good && (n = decode_next(decoder, room)) != 0)
        good = n > 0 && write_whole(fd, room, (size_t)n);
    free(room);
    if (!good && fd >= 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool ends_like_zip(const struct part *part, const struct head *head)
{
    if (head->whole || part->text)
        return false;
    char *tail = malloc(TAIL * 3 / 2);
    if (!tail)
        abort();
    size_t n = decode_tail(&part->body, part->encoding, tail,
                           part->encoding == GMIME_CONTENT_ENCODING_BASE64 ? TAIL * 3 / 2 : TAIL);
    bool like = archive_is_likely(NULL, 0, tail, n);
    free(tail);
    return like;
}

/* Which of its names makes PART a message, NULL if none. */
static const char *message_name(const struct part *part)
{
    for (size_t i = 0; i < part->names->count; i++) {
        if (is_message_name(part->names->list[i]))
            return part->names->list[i];
    }
    return NULL;
}

/* The decoded part as a file: archive, winmail.dat or message. */
static void look_into(struct scan *scan, const struct part *part, struct decoder *decoder, const struct head *head,
                      bool archive)
{
    int fd = decode_to_file(scan, decoder, head);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
    if (size < 0) {
        scan_report_trouble(scan, SCAN_FAILED, part->prefix, part->label);
        return;
    }
    struct source blob = {.fd = fd, .len = (uint64_t)size};
    size_t len = head->len < LISTING_HEAD ? head->len : LISTING_HEAD;
    if (part->message || message_name(part)) {
        char *path = scan_join(part->prefix, part->label);
        scan_structure(scan, &blob, NULL, path, part->level + 1);
        free(path);
    }
    if (tnef_is_likely(head->bytes, head->len))
        scan_winmail(scan, &blob, part->prefix, part->label, part->level);
    else if (archive)
        scan_archive(scan, fd, part->prefix, part->label, head->bytes, len);
    close(fd);
}

static void report_size(struct scan *scan, const struct part *part)
{
    if (!scan->sink->size || scan->stopped || (part->names->count == 0 && part->text))
        return;
    char *path = scan_join(part->prefix, part->label);
    uint64_t size = decode_size(&part->body, part->encoding);
    scan->stopped = scan->sink->size(scan->sink->context, path, size) != 0;
    free(path);
}

void scan_part(struct scan *scan, const struct part *part)
{
    struct decoder *decoder = malloc(sizeof *decoder);
    struct head *head = malloc(sizeof *head);
    if (!decoder || !head)
        abort();
    read_head(part, decoder, head);
    bool archive = scan->limits->open_archives &&
                   (archive_is_likely(head->bytes, head->len, NULL, 0) || ends_like_zip(part, head));
    if (!scan->stopped && (archive || part->message || tnef_is_likely(head->bytes, head->len) || message_name(part)))
        look_into(scan, part, decoder, head, archive);
    bool base64 = part->encoding == GMIME_CONTENT_ENCODING_BASE64;
    bool prose = part->text || !base64 || memmem(head->bytes, head->len, "begin", 5);
    if (!scan->stopped && !archive && prose)
        scan_uuencode(scan, &part->body, part->encoding, part->prefix, part->level, base64 && !part->text);
    report_size(scan, part);
    free(head);
    free(decoder);
}
