/*
 * archive_rar5 - whether a rar5 archive has anything encrypted. libarchive 3.6 does not say.
 *
 * Walks the block headers (crc, size, type, flags, sizes as numbers of 7 bits a byte) and looks for the archive
 * encryption header (type 4) and for the encryption record (type 1) in the extra area of a file. Checksums are not
 * asked: a wrong one changes nothing about what is encrypted.
 */
#include "mime/archive_list.h"
#include <string.h>
#include <unistd.h>

#define BLOCKS_MAX 100000
#define WINDOW 4096 /* bytes of a header that are looked at */

struct cursor {
    const unsigned char *at, *end;
    bool bad;
};

static uint64_t take_number(struct cursor *cursor)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        if (cursor->at >= cursor->end)
            break;
        unsigned char byte = *cursor->at++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return number;
    }
    cursor->bad = true;
    return 0;
}

/* The extra area is the last EXTRA bytes of the header that CURSOR ends with. */
static bool has_encryption_record(struct cursor cursor, uint64_t extra)
{
    if (extra > (uint64_t)(cursor.end - cursor.at))
        return false;
    cursor.at = cursor.end - extra;
    while (cursor.at < cursor.end && !cursor.bad) {
        uint64_t size = take_number(&cursor);
        const unsigned char *next = cursor.at + size;
        if (cursor.bad || size > (uint64_t)(cursor.end - cursor.at))
            return false;
        if (take_number(&cursor) == 1)
            return true;
        cursor.at = next;
    }
    return false;
}

/* Reads the block at *OFFSET and moves on to the next. False at the end or where it makes no sense. */
static bool read_block(int fd, uint64_t *offset, bool *encrypted)
{
    unsigned char window[WINDOW];
    ssize_t n = pread(fd, window, sizeof window, (off_t)*offset);
    if (n < 7)
        return false;
    struct cursor cursor = {window + 4, window + n, false};
    uint64_t size = take_number(&cursor);
    uint64_t next = *offset + (uint64_t)(cursor.at - window) + size;
    if (cursor.bad || size == 0 || size > 2 << 20)
        return false;
    if (size < (uint64_t)(cursor.end - cursor.at))
        cursor.end = cursor.at + size;
    uint64_t type = take_number(&cursor), flags = take_number(&cursor);
    uint64_t extra = flags & 1 ? take_number(&cursor) : 0;
    uint64_t data = flags & 2 ? take_number(&cursor) : 0;
    if (type == 4 || (!cursor.bad && (type == 2 || type == 3) && has_encryption_record(cursor, extra)))
        *encrypted = true;
    if (cursor.bad || type == 5 || data > INT64_MAX - next)
        return false;
    *offset = next + data;
    return true;
}

bool rar5_is_encrypted(int fd)
{
    static const char signature[8] = "Rar!\x1a\x07\x01";
    static char head[1 << 20]; /* a self-extractor stands before it */
    ssize_t n = pread(fd, head, sizeof head, 0);
    const char *at = n > 0 ? memmem(head, (size_t)n, signature, sizeof signature) : NULL;
    bool encrypted = false;
    uint64_t offset = at ? (uint64_t)(at - head) + sizeof signature : 0;
    for (unsigned blocks = 0; at && !encrypted && blocks < BLOCKS_MAX; blocks++) {
        if (!read_block(fd, &offset, &encrypted))
            break;
    }
    return encrypted;
}
