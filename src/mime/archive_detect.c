/*
 * archive_detect - what the first bytes say.
 *
 * A table of magic numbers, the checksum of an old tar header, and two searches: for a zip that stands behind other
 * data (a picture, a self-extractor), and for rar and 7z inside a program. A wrong "yes" costs one short-lived process,
 * a wrong "no" lets an archive through unopened, so the searches are generous.
 */
#include "mime/archive_list.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct magic {
    unsigned offset, len;
    const char *bytes;
};

#define MAGIC(offset, bytes)                                                                                           \
    {                                                                                                                  \
        offset, sizeof(bytes) - 1, bytes                                                                               \
    }

static const struct magic streams[] = {
    MAGIC(0, "\x1f\x8b\x08"),
    MAGIC(0, "\x1f\x9d"),
    MAGIC(0, "BZh"),
    MAGIC(0, "\xfd"
             "7zXZ\0"),
    MAGIC(0, "\x28\xb5\x2f\xfd"),
    MAGIC(0, "\x5d\0\0"),
    MAGIC(0, "LZIP"),
    MAGIC(0, "\x04\x22\x4d\x18"),
};

static const struct magic containers[] = {
    MAGIC(0, "PK\x03\x04"), MAGIC(0, "PK\x05\x06"),   MAGIC(0, "PK\x01\x02"),         MAGIC(0, "PK\x07\x08"),
    MAGIC(0, "PK00PK"),     MAGIC(0, "Rar!\x1a\x07"), MAGIC(0, "7z\xbc\xaf\x27\x1c"), MAGIC(0, "MSCF"),
    MAGIC(257, "ustar"),    MAGIC(32769, "CD001"),    MAGIC(0, "!<arch>\n"),          MAGIC(0, "070701"),
    MAGIC(0, "070702"),     MAGIC(0, "070707"),       MAGIC(0, "\xc7\x71"),           MAGIC(0, "\x71\xc7"),
    MAGIC(0, "xar!"),
    /* libarchive cannot read these, which Windows or 7-Zip open: they are unreadable, not unknown */
    MAGIC(0, "MSWIM\0\0\0"), MAGIC(0, "vhdxfile"), MAGIC(0, "conectix"), MAGIC(7, "**ACE**"), MAGIC(32769, "BEA01"),
};

static bool has_magic(const struct magic *magic, size_t count, const char *head, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        if (len >= magic[i].offset + magic[i].len && memcmp(head + magic[i].offset, magic[i].bytes, magic[i].len) == 0)
            return true;
    }
    return false;
}

bool listing_is_stream(const char *head, size_t len)
{
    if (len >= 4 && (head[0] & 0xf0) == 0x50 && memcmp(head + 1, "\x2a\x4d\x18", 3) == 0)
        return true; /* a skippable frame of zstd */
    return has_magic(streams, sizeof streams / sizeof *streams, head, len);
}

/* The checksum of the header is the sum of its bytes, with the field of the sum itself read as spaces. */
bool listing_is_tar(const char *head, size_t len)
{
    if (len < 512 || head[0] == '\0')
        return false;
    if (memcmp(head + 257, "ustar", 5) == 0)
        return true;
    unsigned long sum = 0, stated = 0;
    for (size_t i = 0; i < 512; i++)
        sum += i >= 148 && i < 156 ? ' ' : (unsigned char)head[i];
    for (size_t i = 148; i < 156; i++) {
        if (head[i] >= '0' && head[i] <= '7')
            stated = stated * 8 + (unsigned long)(head[i] - '0');
        else if (head[i] != ' ' && head[i] != '\0')
            return false;
    }
    return sum == stated;
}

static bool is_lha(const char *head, size_t len)
{
    return len > 21 && head[2] == '-' && (head[3] == 'l' || head[3] == 'p') && head[6] == '-' &&
           strchr("hzm", head[4]) && head[4];
}

/* As memmem(), which is ten times slower on needles as short as these in haystacks of a hundred kilobytes. */
static const char *find(const char *bytes, size_t len, const char *needle, size_t needle_len)
{
    const char *at = bytes, *end = bytes + len;
    while (bytes && (size_t)(end - at) >= needle_len &&
           (at = memchr(at, needle[0], (size_t)(end - at) - needle_len + 1))) {
        if (memcmp(at, needle, needle_len) == 0)
            return at;
        at++;
    }
    return NULL;
}

static bool holds(const char *bytes, size_t len, const char *needle, size_t needle_len)
{
    return bytes && find(bytes, len, needle, needle_len);
}

/* Where a rar, 7z or cab begins behind something else. -1 if nowhere. */
ssize_t listing_embedded(const char *bytes, size_t len)
{
    static const struct magic marks[] = {MAGIC(0, "Rar!\x1a\x07"), MAGIC(0, "7z\xbc\xaf\x27\x1c"),
                                         MAGIC(0, "MSCF\0\0\0\0")};
    const char *first = NULL;
    for (size_t i = 0; bytes && i < sizeof marks / sizeof *marks; i++) {
        const char *at = find(bytes, len, marks[i].bytes, marks[i].len);
        if (at && (!first || at < first))
            first = at;
    }
    return first ? first - bytes : -1;
}

bool archive_is_likely(const char *head, size_t len, const char *tail, size_t tail_len)
{
    if (has_magic(containers, sizeof containers / sizeof *containers, head, len) || listing_is_stream(head, len) ||
        listing_is_tar(head, len) || is_lha(head, len))
        return true;
    if (holds(head, len, "PK\x03\x04", 4) || holds(tail, tail_len, "PK\x05\x06", 4) ||
        holds(tail, tail_len, "PK\x01\x02", 4))
        return true;
    return listing_embedded(head, len) >= 0;
}

/* True if BYTES begin a program, in which an archive may stand too far behind for archive_is_likely() to see it. */
bool archive_is_program(const char *head, size_t len)
{
    return len > 4 && (memcmp(head, "MZ", 2) == 0 || memcmp(head, "\x7f\x45LF", 4) == 0);
}

bool listing_stem(const char *name, char *stem, size_t size)
{
    static const char *const endings[] = {".gz", ".bz2", ".xz", ".zst", ".z", ".lzma", ".lz", ".lz4", ".bz",
                                          ".gzip", ".bzip2"};
    const char *slash = strrchr(name, '/');
    if (slash)
        name = slash + 1;
    size_t len = strlen(name);
    while (len > 0 && strchr(". \t", name[len - 1])) /* Windows drops them */
        len--;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i]);
        if (len > n && strncasecmp(name + len - n, endings[i], n) == 0)
            return (size_t)snprintf(stem, size, "%.*s", (int)(len - n), name) < size;
    }
    return false;
}

bool listing_gzip_name(const char *head, size_t len, char *name, size_t size)
{
    if (len < 12 || memcmp(head, "\x1f\x8b", 2) != 0 || !(head[3] & 8))
        return false;
    size_t at = 10;
    if (head[3] & 4)
        at += 2 + ((unsigned char)head[10] | (size_t)(unsigned char)head[11] << 8);
    if (at >= len)
        return false;
    size_t n = strnlen(head + at, len - at);
    return n > 0 && n < len - at && (size_t)snprintf(name, size, "%s", head + at) < size;
}
