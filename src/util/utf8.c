/* utf8 - decoding one character, with the checks that RFC 3629 section 3 asks for. */
#include "util/utf8.h"
#include <stdint.h>

size_t utf8_decode(struct span bytes, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    if (bytes.len == 0)
        return 0;
    size_t n = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
    if (n == 0 || n > bytes.len)
        return 0;
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    *code = c;
    return c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? n : 0;
}

size_t utf8_length(struct span bytes)
{
    uint32_t code;
    return utf8_decode(bytes, &code);
}

void utf8_add_clean(struct strbuf *out, struct span bytes)
{
    while (bytes.len > 0) {
        uint32_t code = 0;
        size_t n = utf8_decode(bytes, &code);
        if (n == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0)) {
            strbuf_putc(out, '?');
            n = n ? n : 1;
        } else {
            strbuf_add(out, (struct span){bytes.ptr, n});
        }
        bytes = (struct span){bytes.ptr + n, bytes.len - n};
    }
}
