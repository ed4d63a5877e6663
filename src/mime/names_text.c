/* names_text - taking the coats off a value: folds, backslashes, percents, the charset in front. */
#include "mime/names_private.h"

struct strbuf names_unfold(struct span value, bool unescape, bool squeeze)
{
    struct strbuf text;
    strbuf_init(&text, 0);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bool line_end = c == '\n' || (c == '\r' && i + 1 < value.len && value.ptr[i + 1] == '\n');
        if (line_end) {
            while (squeeze && c == '\n' && i + 1 < value.len && (value.ptr[i + 1] == ' ' || value.ptr[i + 1] == '\t'))
                i++;
            continue;
        }
        if (unescape && c == '\\' && i + 1 < value.len)
            c = value.ptr[++i];
        strbuf_putc(&text, c);
    }
    return text;
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

void names_percent_decode(struct strbuf *to, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '%' && i + 2 < text.len && hex(text.ptr[i + 1]) >= 0 && hex(text.ptr[i + 2]) >= 0) {
            strbuf_putc(to, (char)(hex(text.ptr[i + 1]) << 4 | hex(text.ptr[i + 2])));
            i += 2;
        } else {
            strbuf_putc(to, text.ptr[i]);
        }
    }
}

/* RFC 2231 4. */
struct span names_take_charset(struct span *text)
{
    const char *first = memchr(text->ptr, '\'', text->len);
    const char *second = first ? memchr(first + 1, '\'', text->len - (size_t)(first + 1 - text->ptr)) : NULL;
    if (!second)
        return (struct span){"", 0};
    struct span charset = {text->ptr, (size_t)(first - text->ptr)};
    *text = (struct span){second + 1, text->len - (size_t)(second + 1 - text->ptr)};
    return charset;
}
