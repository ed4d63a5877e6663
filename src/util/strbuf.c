/*
 * strbuf - doubling buffer with a cap. The cap is what keeps a hostile message from growing a log line or a reply.
 */
#include "util/strbuf.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void strbuf_init(struct strbuf *buf, size_t limit)
{
    *buf = (struct strbuf){.limit = limit ? limit : (size_t)1 << 20};
}

void strbuf_free(struct strbuf *buf)
{
    free(buf->ptr);
    *buf = (struct strbuf){.limit = buf->limit};
}

static size_t reserve(struct strbuf *buf, size_t wanted)
{
    size_t room = buf->limit - buf->len;
    if (wanted > room) {
        wanted = room;
        buf->truncated = true;
    }
    if (buf->len + wanted + 1 > buf->capacity) {
        size_t grown = buf->capacity ? buf->capacity : 64;
        while (grown < buf->len + wanted + 1)
            grown *= 2;
        buf->ptr = realloc(buf->ptr, grown);
        if (!buf->ptr)
            abort();
        buf->capacity = grown;
    }
    return wanted;
}

void strbuf_add(struct strbuf *buf, struct span bytes)
{
    size_t n = reserve(buf, bytes.len);
    if (n)
        memcpy(buf->ptr + buf->len, bytes.ptr, n);
    buf->len += n;
    buf->ptr[buf->len] = '\0';
}

void strbuf_puts(struct strbuf *buf, const char *string)
{
    strbuf_add(buf, span_of(string));
}

void strbuf_putc(struct strbuf *buf, char c)
{
    if (buf->len + 1 >= buf->capacity || buf->len >= buf->limit) {
        strbuf_add(buf, (struct span){&c, 1});
        return;
    }
    buf->ptr[buf->len++] = c;
    buf->ptr[buf->len] = '\0';
}

void strbuf_printf(struct strbuf *buf, const char *format, ...)
{
    char small[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (len < 0)
        return;
    if ((size_t)len < sizeof small) {
        strbuf_add(buf, (struct span){small, (size_t)len});
        return;
    }
    char *large = malloc((size_t)len + 1);
    if (!large)
        abort();
    va_start(args, format);
    vsnprintf(large, (size_t)len + 1, format, args);
    va_end(args);
    strbuf_add(buf, (struct span){large, (size_t)len});
    free(large);
}

const char *strbuf_text(const struct strbuf *buf)
{
    return buf->ptr ? buf->ptr : "";
}

void strbuf_add_printable(struct strbuf *buf, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        strbuf_putc(buf, c >= 0x20 && c <= 0x7e ? (char)c : '?');
    }
}
