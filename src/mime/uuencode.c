/*
 * uuencode - finds "begin MODE NAME" and "begin-base64 MODE NAME" at the start of a line and decodes what follows.
 *
 * Outside of a file only such lines matter, and they are searched for, not walked to: text is mostly not this. Inside,
 * a line is decoded as its length character says; a line that fits nothing ends the file, as mail programs have it.
 * "=ybegin" (yEnc) is read in the same way, because Thunderbird does.
 * Lines over LINE_MAX_BYTES are no uuencode.
 */
#include "mime/uuencode.h"
#include <ctype.h>
#include <string.h>

#define LINE_MAX_BYTES 4096

void uuencode_init(struct uuencode *uu)
{
    strbuf_init(&uu->line, LINE_MAX_BYTES);
    uu->inside = uu->middle = uu->base64 = uu->yenc = false;
}

static void leave(struct uuencode *uu)
{
    if (uu->inside)
        uu->end(uu->context);
    uu->inside = false;
}

/* The name in "begin 644 name", ptr NULL if LINE is no such line. */
static struct span begin_name(struct span line, bool *base64)
{
    static const struct span none = {NULL, 0};
    size_t at = 5;
    if (line.len < 9 || strncasecmp(line.ptr, "begin", 5) != 0)
        return none;
    *base64 = line.len > 12 && strncasecmp(line.ptr + 5, "-base64", 7) == 0;
    if (*base64)
        at += 7;
    size_t blanks = at;
    while (at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t'))
        at++;
    size_t digits = at;
    while (at < line.len && line.ptr[at] >= '0' && line.ptr[at] <= '7')
        at++;
    if (digits == blanks || at - digits < 3 || at - digits > 6 || at >= line.len ||
        !isspace((unsigned char)line.ptr[at]))
        return none;
    return span_trim((struct span){line.ptr + at, line.len - at});
}

/* The name in "=ybegin part=1 line=128 size=9 name=run.exe", ptr NULL if LINE is no such line. */
static struct span yenc_name(struct span line)
{
    static const struct span none = {NULL, 0};
    if (line.len < 8 || strncasecmp(line.ptr, "=ybegin ", 8) != 0)
        return none;
    const char *name = memmem(line.ptr, line.len, " name=", 6);
    return name ? span_trim((struct span){name + 6, line.len - (size_t)(name + 6 - line.ptr)}) : none;
}

static void decode_yenc(struct uuencode *uu, struct span line)
{
    char out[LINE_MAX_BYTES];
    size_t n = 0;
    for (size_t i = 0; i < line.len && n < sizeof out; i++) {
        bool escaped = line.ptr[i] == '=' && i + 1 < line.len;
        i += escaped;
        out[n++] = (char)(line.ptr[i] - (escaped ? 106 : 42));
    }
    uu->data(uu->context, (struct span){out, n});
}

static unsigned value_of(char c)
{
    return ((unsigned char)c - 32u) & 63;
}

static void decode_uu(struct uuencode *uu, struct span line)
{
    char out[64];
    size_t left = value_of(line.ptr[0]), n = 0;
    if ((unsigned char)line.ptr[0] < 32 || (unsigned char)line.ptr[0] > 96 || line.len > 100) {
        leave(uu);
        return;
    }
    for (size_t i = 1; n < left && i < line.len; i += 4) {
        unsigned bits = 0;
        for (size_t j = 0; j < 4; j++)
            bits = bits << 6 | (i + j < line.len ? value_of(line.ptr[i + j]) : 0);
        for (int shift = 16; shift >= 0 && n < left; shift -= 8)
            out[n++] = (char)(bits >> shift);
    }
    uu->data(uu->context, (struct span){out, n});
}

static int base64_value(char c)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

/* Lines of base64 hold whole groups. */
static void decode_base64(struct uuencode *uu, struct span line)
{
    char out[LINE_MAX_BYTES];
    size_t n = 0;
    unsigned bits = 0, have = 0;
    for (size_t i = 0; i < line.len; i++) {
        int value = base64_value(line.ptr[i]);
        if (value < 0)
            continue;
        bits = bits << 6 | (unsigned)value;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (char)(bits >> have);
        }
    }
    uu->data(uu->context, (struct span){out, n});
}

static void take_line(struct uuencode *uu, struct span line)
{
    bool base64 = false;
    while (line.len > 0 && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == '\n'))
        line.len--;
    struct span name = begin_name(line, &base64), yname = yenc_name(line);
    bool yenc = yname.ptr && yname.len > 0;
    if (yenc || (name.ptr && name.len > 0)) {
        leave(uu);
        uu->begin(uu->context, yenc ? yname : name);
        uu->inside = true;
        uu->base64 = !yenc && base64;
        uu->yenc = yenc;
    } else if (uu->inside && uu->yenc) {
        if (line.len > 5 && strncasecmp(line.ptr, "=yend", 5) == 0)
            leave(uu);
        else if (line.len < 6 || strncasecmp(line.ptr, "=ypart", 6) != 0)
            decode_yenc(uu, line);
    } else if (uu->inside && (span_equals(line, "end") || span_equals(line, "====") || line.len == 0)) {
        if (line.len > 0)
            leave(uu);
    } else if (uu->inside && uu->base64) {
        decode_base64(uu, line);
    } else if (uu->inside) {
        decode_uu(uu, line);
    }
}

/* How many bytes of TEXT, which starts a line, are of no interest: up to a line that may start a file. */
static size_t skip_prose(struct span text)
{
    const char *at = text.ptr, *end = text.ptr + text.len;
    while (at < end) {
        if (end - at < 7 || strncasecmp(at, "begin", 5) == 0 || strncasecmp(at, "=ybegin", 7) == 0)
            return (size_t)(at - text.ptr);
        const char *next = memchr(at, '\n', (size_t)(end - at));
        if (!next)
            return (size_t)(at - text.ptr);
        at = next + 1;
    }
    return text.len;
}

void uuencode_feed(struct uuencode *uu, struct span text)
{
    while (text.len > 0) {
        if (!uu->inside && !uu->middle && uu->line.len == 0) {
            size_t n = skip_prose(text);
            text.ptr += n;
            text.len -= n;
        }
        const char *newline = text.len > 0 ? memchr(text.ptr, '\n', text.len) : NULL;
        size_t n = newline ? (size_t)(newline - text.ptr) + 1 : text.len;
        if (!uu->middle)
            strbuf_add(&uu->line, (struct span){text.ptr, n});
        if (newline) {
            if (!uu->middle && !uu->line.truncated)
                take_line(uu, (struct span){strbuf_text(&uu->line), uu->line.len});
            else
                leave(uu);
            uu->middle = false;
            strbuf_free(&uu->line);
        } else if (uu->line.truncated) {
            uu->middle = true;
        }
        text.ptr += n;
        text.len -= n;
    }
}

void uuencode_finish(struct uuencode *uu)
{
    if (!uu->middle && uu->line.len > 0)
        take_line(uu, (struct span){strbuf_text(&uu->line), uu->line.len});
    leave(uu);
}

void uuencode_free(struct uuencode *uu)
{
    strbuf_free(&uu->line);
}
