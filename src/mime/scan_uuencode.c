/*
 * scan_uuencode - files written into text, each looked at as if it were a part of its own.
 *
 * The first LISTING_HEAD bytes of a file are kept in memory; only one that is of interest goes to the disk.
 */
#include "mime/archive_list.h"
#include "mime/decode.h"
#include "mime/scan_private.h"
#include "util/unlinked.h"
#include "mime/uuencode.h"
#include <stdlib.h>
#include <unistd.h>

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
    file->dropped = !scan_is_worth_a_look(file->scan, strbuf_text(&file->head), file->head.len, file->name);
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

void scan_uuencode(struct scan *scan, const struct source *source, GMimeContentEncoding encoding,
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
