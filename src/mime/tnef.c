/*
 * tnef - a bounded reader: names and data of attachments, nothing else.
 *
 * The file is a signature, a key, and attributes: level, id, length, data, checksum. The attributes that matter:
 * attAttachRendData begins an attachment, attAttachTitle is its short name, attAttachTransportFilename another one,
 * attAttachData its bytes, attAttachment a list of MAPI properties with the long name and, for embedded messages,
 * an object whose data is a TNEF file again. The message's own MAPI list (attMAPIProps) has no attachments.
 *
 * Every length is checked against what is left before it is used; no length decides how much is allocated. Checksums
 * are not asked: a program that shows the file would not ask either. A MAPI type that is not known ends that list,
 * because its length is not known.
 */
#include "mime/tnef.h"
#include "mime/params.h"
#include <unistd.h>

#define SIGNATURE 0x223e9f78u
#define ATTRIBUTES_MAX 20000
#define PROPERTIES_MAX 5000
#define NAME_BYTES 4096

enum attribute {
    ATTACH_TITLE = 0x8010,
    ATTACH_DATA = 0x800f,
    ATTACH_TRANSPORT_FILENAME = 0x9001,
    ATTACH_REND_DATA = 0x9002,
    ATTACHMENT_PROPERTIES = 0x9005
};

enum property {
    PR_DISPLAY_NAME = 0x3001,
    PR_ATTACH_DATA = 0x3701,
    PR_ATTACH_EXTENSION = 0x3703,
    PR_ATTACH_FILENAME = 0x3704,
    PR_ATTACH_LONG_FILENAME = 0x3707,
    PR_ATTACH_PATHNAME = 0x3708,
    PR_ATTACH_TRANSPORT_NAME = 0x370c,
    PR_ATTACH_LONG_PATHNAME = 0x370d
};

enum { TYPE_OBJECT = 0x0d, TYPE_STRING = 0x1e, TYPE_UNICODE = 0x1f, TYPE_BINARY = 0x102, TYPE_MANY = 0x1000 };

struct reader {
    int fd;
    uint64_t at, end;
    bool bad, stopped;
    const struct tnef_visitor *visitor;
};

static uint64_t left(const struct reader *reader)
{
    return reader->end - reader->at;
}

static bool take_bytes(struct reader *reader, void *to, size_t len)
{
    if (reader->bad || left(reader) < len || pread(reader->fd, to, len, (off_t)reader->at) != (ssize_t)len) {
        reader->bad = true;
        return false;
    }
    reader->at += len;
    return true;
}

/* A little-endian number of LEN (1 to 4) bytes; 0 and `bad` where the file ends. */
static uint32_t take(struct reader *reader, size_t len)
{
    unsigned char bytes[4] = {0};
    if (!take_bytes(reader, bytes, len))
        return 0;
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void skip(struct reader *reader, uint64_t len)
{
    if (len > left(reader))
        reader->bad = true;
    else
        reader->at += len;
}

/* LEN bytes are a name; of very long ones the end. */
static void report_name(struct reader *reader, uint64_t at, uint64_t len, bool unicode)
{
    char bytes[NAME_BYTES];
    if (len > sizeof bytes) {
        at += (len - sizeof bytes) & ~UINT64_C(1);
        len = sizeof bytes;
    }
    if (reader->stopped || pread(reader->fd, bytes, (size_t)len, (off_t)at) != (ssize_t)len)
        return;
    struct span name = {bytes, (size_t)len};
    struct strbuf utf8;
    strbuf_init(&utf8, 0);
    if (unicode) {
        while (name.len >= 2 && bytes[name.len - 1] == 0 && bytes[name.len - 2] == 0)
            name.len -= 2;
        text_to_utf8(&utf8, span_of("UTF-16LE"), name);
        name = (struct span){strbuf_text(&utf8), utf8.len};
    }
    while (name.len > 0 && name.ptr[name.len - 1] == '\0')
        name.len--;
    if (name.len > 0 && reader->visitor->name(reader->visitor->context, name) != 0)
        reader->stopped = true;
    strbuf_free(&utf8);
}

static void report_data(struct reader *reader, uint64_t at, uint64_t len)
{
    if (!reader->stopped && len > 0 && reader->visitor->data(reader->visitor->context, at, len) != 0)
        reader->stopped = true;
}

static bool is_name(uint32_t id)
{
    return id == PR_DISPLAY_NAME || id == PR_ATTACH_EXTENSION || id == PR_ATTACH_FILENAME ||
           id == PR_ATTACH_LONG_FILENAME || id == PR_ATTACH_PATHNAME || id == PR_ATTACH_TRANSPORT_NAME ||
           id == PR_ATTACH_LONG_PATHNAME;
}

/* Bytes of one value of a fixed type, padded to 4; 0 for a type of its own length, or an unknown one. */
static unsigned fixed_size(uint32_t type)
{
    switch (type) {
    case 0x01: /* null */
    case 0x02: /* 16-bit, padded */
    case 0x03:
    case 0x04:
    case 0x0a:
    case 0x0b:
        return 4;
    case 0x05:
    case 0x06:
    case 0x07:
    case 0x14:
    case 0x40:
        return 8;
    case 0x48:
        return 16;
    default:
        return 0;
    }
}

/* One value of variable length. */
static void take_variable(struct reader *reader, uint32_t type, uint32_t id)
{
    uint64_t len = take(reader, 4), at = reader->at;
    skip(reader, len);
    if (reader->bad)
        return;
    if (is_name(id) && type != TYPE_OBJECT)
        report_name(reader, at, len, type == TYPE_UNICODE);
    else if (id == PR_ATTACH_DATA && type == TYPE_OBJECT && len > 16)
        report_data(reader, at + 16, len - 16); /* behind the id of its interface */
    else if (id == PR_ATTACH_DATA && type == TYPE_BINARY)
        report_data(reader, at, len);
    uint64_t padding = -len & 3;
    skip(reader, padding < left(reader) ? padding : left(reader));
}

/* The name of a named property, which we only step over. */
static void skip_property_name(struct reader *reader)
{
    skip(reader, 16);
    if (take(reader, 4) == 0) {
        skip(reader, 4);
        return;
    }
    uint64_t len = take(reader, 4);
    skip(reader, len);
    skip(reader, reader->bad ? 0 : -len & 3);
}

static void take_property(struct reader *reader)
{
    uint32_t type = take(reader, 2), id = take(reader, 2);
    if (id >= 0x8000 && !reader->bad)
        skip_property_name(reader);
    uint32_t base = type & ~(uint32_t)TYPE_MANY;
    unsigned size = fixed_size(base);
    bool variable = base == TYPE_OBJECT || base == TYPE_STRING || base == TYPE_UNICODE || base == TYPE_BINARY;
    if (size == 0 && !variable)
        reader->bad = true;
    uint64_t count = !reader->bad && (variable || type & TYPE_MANY) ? take(reader, 4) : 1;
    if (size > 0) {
        skip(reader, count * size);
        return;
    }
    for (uint64_t i = 0; i < count && !reader->bad && !reader->stopped; i++)
        take_variable(reader, base, id);
}

static void take_properties(struct reader *reader)
{
    uint32_t count = take(reader, 4);
    for (uint32_t i = 0; i < count && i < PROPERTIES_MAX && !reader->bad && !reader->stopped; i++)
        take_property(reader);
}

static void take_attribute(struct reader *reader)
{
    uint32_t level = take(reader, 1), id = take(reader, 4) & 0xffff;
    uint64_t len = take(reader, 4), at = reader->at;
    bool cut = !reader->bad && len > left(reader);
    if (cut)
        len = left(reader); /* what is there of it counts */
    struct reader inner = *reader;
    inner.end = at + len;
    if (reader->bad || (level != 1 && level != 2)) {
        reader->bad = true;
        return;
    }
    if (id == ATTACH_REND_DATA)
        reader->visitor->attachment(reader->visitor->context);
    else if (id == ATTACH_TITLE || id == ATTACH_TRANSPORT_FILENAME)
        report_name(&inner, at, len, false);
    else if (id == ATTACH_DATA)
        report_data(&inner, at, len);
    else if (id == ATTACHMENT_PROPERTIES)
        take_properties(&inner);
    reader->stopped = inner.stopped;
    reader->bad = cut || inner.bad;
    if (inner.bad && !cut)
        reader->bad = false; /* one list that makes no sense; what follows may */
    skip(reader, len);
    skip(reader, left(reader) < 2 ? left(reader) : 2);
}

bool tnef_is_likely(const char *head, size_t len)
{
    return len >= 6 && memcmp(head, "\x78\x9f\x3e\x22", 4) == 0;
}

enum tnef_status tnef_read(int fd, uint64_t offset, uint64_t len, const struct tnef_visitor *visitor)
{
    struct reader reader = {.fd = fd, .at = offset, .end = offset + len, .visitor = visitor};
    if (take(&reader, 4) != SIGNATURE)
        return TNEF_NONE;
    take(&reader, 2);
    for (unsigned i = 0; i < ATTRIBUTES_MAX && left(&reader) > 0 && !reader.bad && !reader.stopped; i++)
        take_attribute(&reader);
    if (reader.stopped)
        return TNEF_STOPPED;
    return reader.bad || left(&reader) > 0 ? TNEF_DAMAGED : TNEF_DONE;
}
