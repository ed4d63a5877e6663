/*
 * archive_zip - the names in a zip by its raw bytes.
 *
 * Programs disagree about which names a zip has: Explorer reads the central directory, others walk the local headers,
 * repair tools search for signatures. Whoever wants to hide a name writes the two differently, mangles the end record
 * or puts data in front. So besides what libarchive lists, every local and every central header that stands anywhere
 * in the file counts, with the Unicode path of its extra field. A stored zip inside shows its names too; they are
 * there.
 *
 * Not done: nothing is inflated here, and nothing is believed but lengths that stay inside the file.
 */
#include "mime/archive_list.h"
#include "util/strbuf.h"
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define NAME_LIMIT 4096 /* bytes; a longer "name" is an accident of the search */

struct zip {
    const unsigned char *bytes;
    size_t size;
    struct zip_marks *marks;
    int (*name)(void *context, const char *name);
    void *context;
};

static unsigned get16(const unsigned char *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

static void deliver(struct zip *zip, const unsigned char *name, size_t len)
{
    struct strbuf text;
    strbuf_init(&text, 4 * NAME_LIMIT);
    for (size_t i = 0; i < len; i++) {
        if (name[i] == 0)
            strbuf_puts(&text, "\xe2\x90\x80");
        else
            strbuf_putc(&text, (char)name[i]);
    }
    bool directory = len > 0 && (name[len - 1] == '/' || name[len - 1] == '\\');
    if (len > 0 && !directory && zip->name(zip->context, strbuf_text(&text)) != 0)
        zip->marks->stopped = true;
    strbuf_free(&text);
}

/* Info-ZIP's Unicode path (0x7075): version, CRC of the name it replaces, the name in UTF-8. The CRC is not asked. */
static void deliver_extra(struct zip *zip, const unsigned char *extra, size_t len)
{
    while (len >= 4 && !zip->marks->stopped) {
        size_t n = get16(extra + 2);
        if (n > len - 4)
            return;
        if (get16(extra) == 0x7075 && n > 5 && n - 5 <= NAME_LIMIT)
            deliver(zip, extra + 9, n - 5);
        extra += 4 + n;
        len -= 4 + n;
    }
}

/* One header with a fixed part of FIXED bytes, its flags at FLAGS and the length of its name at NAME_LEN. */
static bool read_header(struct zip *zip, size_t at, size_t fixed, size_t flags, size_t name_len)
{
    const unsigned char *header = zip->bytes + at;
    if (zip->size - at < fixed)
        return false;
    size_t n = get16(header + name_len), extra = get16(header + name_len + 2);
    unsigned method = get16(header + flags + 2);
    if (n == 0 || n > NAME_LIMIT || n > zip->size - at - fixed || method > 99)
        return false;
    if (get16(header + flags) & 1)
        zip->marks->encrypted = true;
    deliver(zip, header + fixed, n);
    if (extra > zip->size - at - fixed - n)
        extra = zip->size - at - fixed - n;
    deliver_extra(zip, header + fixed + n, extra);
    return true;
}

void zip_find_names(int fd, struct zip_marks *marks, int (*name)(void *context, const char *name), void *context)
{
    struct stat st;
    *marks = (struct zip_marks){0};
    if (fstat(fd, &st) != 0 || st.st_size < 30)
        return;
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return;
    struct zip zip = {map, (size_t)st.st_size, marks, name, context};
    const unsigned char *at = zip.bytes, *end = zip.bytes + zip.size;
    while (!marks->stopped && (at = memmem(at, (size_t)(end - at), "PK", 2)) && end - at > 4) {
        size_t offset = (size_t)(at - zip.bytes);
        if (at[2] == 3 && at[3] == 4 && read_header(&zip, offset, 30, 6, 26)) {
            if (marks->local_headers++ == 0)
                marks->first_local = offset;
        } else if (at[2] == 1 && at[3] == 2 && read_header(&zip, offset, 46, 8, 28)) {
            marks->central_headers++;
        }
        at += 2;
    }
    munmap(map, zip.size);
}
