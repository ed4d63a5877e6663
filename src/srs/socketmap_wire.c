/*
 * socketmap_wire - netstrings, read strictly.
 *
 * A length with a leading zero, with more digits than the longest request needs, or with anything but a colon behind it
 * is refused as soon as it is seen, without waiting for the bytes that it promises: a client that speaks something else
 * is not to sit there until its time is over.
 */
#include "srs/socketmap_wire.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "LEN:" at the beginning of BYTES; *AT is behind it. */
static enum socketmap_progress take_length(struct span bytes, size_t max, size_t *len, size_t *at)
{
    *len = 0;
    for (*at = 0; *at < bytes.len && is_digit(bytes.ptr[*at]); ++*at) {
        if (*at > 0 && bytes.ptr[0] == '0')
            return SOCKETMAP_BROKEN;
        *len = *len * 10 + (size_t)(bytes.ptr[*at] - '0');
        if (*len > max)
            return SOCKETMAP_BROKEN;
    }
    if (*at == bytes.len)
        return SOCKETMAP_MORE;
    return bytes.ptr[(*at)++] == ':' && *at > 1 ? SOCKETMAP_REQUEST : SOCKETMAP_BROKEN;
}

static struct socketmap_request split(struct span content)
{
    const char *space = content.len ? memchr(content.ptr, ' ', content.len) : NULL;
    struct socketmap_request request = {.name = content, .key = {content.ptr + content.len, 0}};
    if (!space)
        return request;
    request.has_key = true;
    request.name.len = (size_t)(space - content.ptr);
    request.key = (struct span){space + 1, content.len - request.name.len - 1};
    return request;
}

enum socketmap_progress socketmap_wire_take(struct span bytes, size_t max, struct socketmap_request *request,
                                            size_t *taken)
{
    size_t len, at;
    enum socketmap_progress progress = take_length(bytes, max, &len, &at);
    if (progress != SOCKETMAP_REQUEST)
        return progress;
    if (bytes.len - at <= len)
        return SOCKETMAP_MORE;
    if (bytes.ptr[at + len] != ',')
        return SOCKETMAP_BROKEN;
    *request = split((struct span){bytes.ptr + at, len});
    *taken = at + len + 1;
    return SOCKETMAP_REQUEST;
}

void socketmap_wire_answer(struct strbuf *out, enum socketmap_status status, struct span text)
{
    static const char *const words[] = {"OK ", "NOTFOUND ", "TEMP ", "PERM "};
    bool is_reason = status == SOCKETMAP_TEMP || status == SOCKETMAP_PERM;
    if (status == SOCKETMAP_NOTFOUND)
        text.len = 0;
    if (is_reason && text.len > SOCKETMAP_REASON_MAX)
        text.len = SOCKETMAP_REASON_MAX;
    strbuf_printf(out, "%zu:%s", strlen(words[status]) + text.len, words[status]);
    if (is_reason)
        strbuf_add_printable(out, text);
    else
        strbuf_add(out, text);
    strbuf_putc(out, ',');
}
