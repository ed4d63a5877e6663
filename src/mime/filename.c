/*
 * filename - the extension as Windows, a browser or a C program would see it.
 *
 * The name is first brought into a plain form, an array of code points: compatibility forms are folded (NFKC: full
 * width, mathematical and circled letters, one-dot leader), letters are lowered, what nobody can see is dropped.
 * Bytes that are no UTF-8 are read as ISO 8859-1, so that a stray 0xA0 is the space it looks like.
 *
 * Then every place is tried at which some program may think that the name ends: the real end, each control character
 * (Windows and C stop there; programs that skip it are covered because control characters are stepped over) and each
 * ':' of an NTFS stream. From there back, what Windows drops (dots, white space, quotes, slashes, a CLSID) is dropped,
 * and what follows each dot of the last path component is looked up. So the work is linear in the name.
 *
 * Not done: percent-decoding and RFC 2047; whoever has the header has to do that. A CLSID alone ("x.{...}") is no
 * extension that the administrator listed.
 */
#include "mime/filename.h"
#include <glib.h>
#include <stdint.h>
#include <stdlib.h>

#define EXTENSION_MAX 64    /* bytes; longer ones are nobody's extension */
#define NAME_MAX_BYTES 4096 /* of longer names the end counts, and the start does not matter */

struct plain {
    uint32_t *chars;
    size_t len;
};

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0 && c != 0x85) || c == 0x2400;
}

static bool is_space(uint32_t c)
{
    return c == ' ' || c == 0x85 || c == 0x1680 || c == 0x2028 || c == 0x2029 || c == 0x2800 || c == 0x3164 ||
           (c >= 0x2000 && c <= 0x200a);
}

/* Code points that take no room on the screen: joiners, marks of direction, variation selectors, tags, fillers. */
static bool is_invisible(uint32_t c)
{
    return c == 0xad || c == 0x34f || c == 0x61c || c == 0x115f || c == 0x1160 || c == 0x17b4 || c == 0x17b5 ||
           (c >= 0x180b && c <= 0x180f) || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || c == 0xffa0 ||
           (c >= 0xfff0 && c <= 0xfffc) || (c >= 0x1bca0 && c <= 0x1bca3) || (c >= 0xe0000 && c <= 0xe0fff);
}

static bool is_slash(uint32_t c)
{
    return c == '/' || c == '\\' || c == 0x2044 || c == 0x2215 || c == 0x29f8 || c == 0x2216;
}

static bool is_dot(uint32_t c)
{
    return c == '.' || c == 0x3002 || c == 0xff61;
}

static bool is_quote(uint32_t c)
{
    return c == '"' || c == '\'' || c == '`' || c == '<' || c == '>' || c == 0xab || c == 0xbb || c == 0xb4 ||
           c == ';' || c == ',' || c == '*' || c == '?' || c == '|' || /* no file can end so: dropped on the way */
           (c >= 0x2018 && c <= 0x201f) || c == 0x2039 || c == 0x203a;
}

/* UTF-8 with the bytes that are none read as ISO 8859-1. g_free() it. */
static char *make_valid(const char *name, size_t len)
{
    GString *valid = g_string_sized_new(len + 16);
    while (len > 0) {
        const char *end;
        if (g_utf8_validate(name, (gssize)len, &end)) {
            g_string_append_len(valid, name, (gssize)len);
            break;
        }
        g_string_append_len(valid, name, end - name);
        g_string_append_unichar(valid, (unsigned char)*end);
        len -= (size_t)(end - name) + 1;
        name = end + 1;
    }
    return g_string_free(valid, FALSE);
}

static bool is_plain_ascii(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)name[i] >= 0x80)
            return false;
    }
    return true;
}

static struct plain make_plain(const char *name)
{
    size_t len = strlen(name);
    if (len > NAME_MAX_BYTES) {
        name += len - NAME_MAX_BYTES;
        len = NAME_MAX_BYTES;
    }
    struct plain plain = {0};
    if (is_plain_ascii(name, len)) {
        plain.chars = g_new(uint32_t, len + 1);
        for (size_t i = 0; i < len; i++)
            plain.chars[plain.len++] = (unsigned char)g_ascii_tolower(name[i]);
        return plain;
    }
    char *valid = make_valid(name, len);
    char *folded = g_utf8_normalize(valid, -1, G_NORMALIZE_ALL_COMPOSE);
    const char *from = folded ? folded : valid;
    plain.chars = g_new(uint32_t, strlen(from) + 1);
    for (; *from; from = g_utf8_next_char(from)) {
        uint32_t c = g_unichar_tolower(g_utf8_get_char(from));
        if (!is_invisible(c))
            plain.chars[plain.len++] = c;
    }
    g_free(folded);
    g_free(valid);
    return plain;
}

/* END without a CLSID ".{...}" before it; the same END if there is none. */
static size_t drop_clsid(const uint32_t *chars, size_t end)
{
    if (end < 3 || chars[end - 1] != '}')
        return end;
    for (size_t i = end - 1; i > 0 && end - i < 80; i--) {
        if (chars[i] == '{')
            return i;
    }
    return end;
}

/* Where the name ends for a program that drops what stands at its end and means nothing. */
static size_t drop_tail(const uint32_t *chars, size_t end)
{
    for (;;) {
        size_t before = end;
        while (end > 0 && (is_dot(chars[end - 1]) || is_space(chars[end - 1]) || is_control(chars[end - 1]) ||
                           is_quote(chars[end - 1]) || is_slash(chars[end - 1])))
            end--;
        end = drop_clsid(chars, end);
        if (end == before)
            return end;
    }
}

/* Looks up what stands between each dot of the last component and END. */
static bool ends_in_extension(const uint32_t *chars, size_t end, const struct strset *extensions)
{
    char text[EXTENSION_MAX * 4];
    size_t at = sizeof text; /* filled from its end backwards */
    for (size_t i = end; i > 0; i--) {
        uint32_t c = chars[i - 1];
        if (is_slash(c))
            return false;
        if (is_control(c))
            continue;
        if (is_dot(c) && at < sizeof text && strset_has(extensions, (struct span){text + at, sizeof text - at}))
            return true;
        char utf8[6];
        size_t n = is_dot(c) ? 1 : (size_t)g_unichar_to_utf8(c, utf8);
        if (is_dot(c))
            utf8[0] = '.';
        if (sizeof text - at + n > EXTENSION_MAX)
            return false;
        at -= n;
        memcpy(text + at, utf8, n);
    }
    return false;
}

bool filename_has_extension(const char *name, const struct strset *extensions)
{
    struct plain plain = make_plain(name);
    bool slash_follows = false;
    size_t end = drop_tail(plain.chars, plain.len);
    bool found = ends_in_extension(plain.chars, end, extensions);
    for (size_t i = end; i > 0 && !found; i = end) {
        uint32_t c = plain.chars[i - 1];
        end = i - 1;
        if (is_slash(c))
            slash_follows = true;
        if (!is_control(c) && !(c == ':' && !slash_follows))
            continue;
        end = drop_tail(plain.chars, i - 1); /* a run of such characters is stepped over at once */
        for (size_t j = end; j < i; j++)
            slash_follows |= is_slash(plain.chars[j]);
        found = ends_in_extension(plain.chars, end, extensions);
    }
    g_free(plain.chars);
    return found;
}
