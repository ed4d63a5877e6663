/*
 * archive_udf - the names in the UDF side of a disc image.
 *
 * An image may have an ISO 9660 directory and a UDF one (ECMA-167) that name different files. Windows shows the UDF
 * one, libarchive reads the other. So wherever a UDF mark stands, every file identifier descriptor that stands
 * anywhere in the file counts, whatever directory leads to it.
 *
 * Not done: the data of the files; an archive that only the UDF side names is not opened.
 */
#include "mime/archive_list.h"
#include "util/strbuf.h"
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARKS_AT 32768 /* the volume recognition sequence, one descriptor a sector */
#define MARKS_LEN (32 * 2048)
#define FIXED 38 /* bytes of a file identifier descriptor before what has a length of its own */
#define IS_DIRECTORY_OR_PARENT 0x0a

static bool has_mark(int fd)
{
    char marks[MARKS_LEN];
    ssize_t n = pread(fd, marks, sizeof marks, MARKS_AT);
    return n > 0 && memmem(marks, (size_t)n, "NSR0", 4);
}

/* ECMA-167 14.4 behind a tag (7.2) with its identifier 257 and its checksum. */
static bool is_identifier(const unsigned char *tag)
{
    unsigned sum = 0;
    for (size_t i = 0; i < 16; i++)
        sum += i == 4 ? 0u : tag[i];
    return tag[0] == 1 && tag[1] == 1 && (tag[2] == 2 || tag[2] == 3) && tag[3] == 0 && (sum & 0xff) == tag[4];
}

/* A name of 8 or 16 bits a character, as its first byte says. */
static int report(const unsigned char *name, size_t len, int (*visit)(void *context, const char *name), void *context)
{
    struct strbuf text;
    strbuf_init(&text, 0);
    size_t width = name[0] == 16 ? 2 : 1;
    for (size_t i = 1; i + width <= len; i += width) {
        char utf8[6];
        gunichar c = width == 2 ? (gunichar)(name[i] << 8 | name[i + 1]) : name[i];
        strbuf_add(&text, (struct span){utf8, (size_t)g_unichar_to_utf8(c ? c : 0x2400, utf8)});
    }
    int stop = text.len > 0 ? visit(context, strbuf_text(&text)) : 0;
    strbuf_free(&text);
    return stop;
}

void udf_find_names(int fd, int (*name)(void *context, const char *name), void *context)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size < MARKS_AT || !has_mark(fd))
        return;
    size_t size = (size_t)st.st_size;
    unsigned char *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return;
    for (size_t at = 0; size - at > FIXED; at += 4) { /* they are padded to 4 */
        if (map[at] != 1 || !is_identifier(map + at))
            continue;
        size_t len = map[at + 19], skip = map[at + 36] | (size_t)map[at + 37] << 8;
        if (len < 2 || (map[at + 18] & IS_DIRECTORY_OR_PARENT) || size - at - FIXED < skip + len)
            continue;
        if (report(map + at + FIXED + skip, len, name, context) != 0)
            break;
    }
    munmap(map, size);
}
