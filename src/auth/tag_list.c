/* tag_list - one reader for both lists of DKIM, the signature and the key record. A tag may stand there once. */
#include "auth/tag_list.h"
#include <ctype.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

const struct tag *tags_get(const struct tags *tags, const char *name)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (span_equals(tags->items[i].name, name))
            return &tags->items[i];
    }
    return NULL;
}

static bool name_is_fine(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c >= 0x80 || !(isalnum(c) || c == '_') || (i == 0 && !isalpha(c)))
            return false;
    }
    return name.len > 0;
}

const char *tags_parse(struct span text, bool lenient, struct tags *tags)
{
    tags->count = 0;
    if (memchr(text.ptr, '\0', text.len))
        return "a NUL byte";
    while (span_trim(text).len > 0) {
        const char *end = memchr(text.ptr, ';', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        const char *equals = memchr(text.ptr, '=', len);
        if (!equals)
            return "a tag without a value";
        struct span place = {equals + 1, len - (size_t)(equals + 1 - text.ptr)};
        struct tag tag = {span_trim((struct span){text.ptr, (size_t)(equals - text.ptr)}), span_trim(place), place};
        if (!name_is_fine(tag.name))
            return "a malformed tag";
        for (size_t i = 0; i < tag.value.len && !lenient; i++) {
            char c = tag.value.ptr[i];
            if (!is_space(c) && (c < 0x21 || c > 0x7e))
                return "a byte that may not stand there";
        }
        for (size_t i = 0; i < tags->count; i++) {
            if (tags->items[i].name.len == tag.name.len &&
                memcmp(tags->items[i].name.ptr, tag.name.ptr, tag.name.len) == 0)
                return "a tag twice";
        }
        if (tags->count == TAGS_MAX)
            return "too many tags";
        tags->items[tags->count++] = tag;
        text.ptr += end ? len + 1 : len;
        text.len -= end ? len + 1 : len;
    }
    return NULL;
}

char *tags_without_space(struct arena *arena, struct span value)
{
    char *text = arena_alloc(arena, value.len + 1), *to = text;
    for (size_t i = 0; i < value.len; i++) {
        if (!is_space(value.ptr[i]))
            *to++ = value.ptr[i];
    }
    return text;
}

#define BASE64 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

bool tags_is_base64(const char *text)
{
    size_t len = strspn(text, BASE64);
    return len >= 2 && len % 4 != 1 && strspn(text + len, "=") <= 2 && text[len + strspn(text + len, "=")] == '\0';
}

bool tags_is_base64_of_opendkim(const char *text)
{
    size_t len = strspn(text, BASE64);
    return len >= 2 && len % 4 != 1 && text[len + strspn(text + len, BASE64 "=")] == '\0';
}
