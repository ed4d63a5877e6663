/*
 * decode - GMime's decoders over a source, in big blocks.
 *
 * The decoders step over what is not of the alphabet, as mail programs do; padding in the middle (base64 texts put
 * together) does not end them.
 */
#include "mime/decode.h"
#include <stdlib.h>

void decode_begin(struct decoder *decoder, const struct source *source, GMimeContentEncoding encoding)
{
    decoder->source = *source;
    decoder->at = 0;
    decoder->plain = encoding != GMIME_CONTENT_ENCODING_BASE64 && encoding != GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
    if (!decoder->plain)
        g_mime_encoding_init_decode(&decoder->state, encoding);
}

ssize_t decode_next(struct decoder *decoder, char *room)
{
    for (;;) {
        char *to = decoder->plain ? room : decoder->block;
        ssize_t n = source_read(&decoder->source, decoder->at, to, sizeof decoder->block);
        if (n <= 0)
            return n;
        decoder->at += (uint64_t)n;
        size_t out = decoder->plain ? (size_t)n : g_mime_encoding_step(&decoder->state, to, (size_t)n, room);
        if (out > 0)
            return (ssize_t)out;
    }
}

/* The value of a character of the alphabet, plus one; 0 for all others. */
static const unsigned char base64_value[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64};

static uint64_t base64_size(const struct source *source)
{
    unsigned char block[32768];
    uint64_t at = 0, chars = 0;
    ssize_t n;
    while ((n = source_read(source, at, block, sizeof block)) > 0) {
        at += (uint64_t)n;
        for (ssize_t i = 0; i < n; i++)
            chars += base64_value[block[i]] != 0;
    }
    return chars / 4 * 3 + (chars % 4 > 1 ? chars % 4 - 1 : 0);
}

uint64_t decode_size(const struct source *source, GMimeContentEncoding encoding)
{
    if (encoding == GMIME_CONTENT_ENCODING_BASE64)
        return base64_size(source);
    if (encoding != GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE)
        return source->len;
    struct decoder *decoder = malloc(sizeof *decoder);
    char *room = malloc(DECODE_ROOM);
    if (!decoder || !room)
        abort();
    uint64_t size = 0;
    ssize_t n;
    decode_begin(decoder, source, encoding);
    while ((n = decode_next(decoder, room)) > 0)
        size += (uint64_t)n;
    free(decoder);
    free(room);
    return size;
}

/* A well-formed text ends with a whole group, so the groups are counted from its end. What padding stands for comes
 * out as zeros. */
static size_t base64_tail(const struct source *source, char *room, size_t len)
{
    unsigned char *bytes = (unsigned char *)room;
    size_t kept = 0, out = 0;
    ssize_t n = source_read(source, source->len > len ? source->len - len : 0, room, len);
    for (ssize_t i = 0; i < n; i++) {
        unsigned char c = bytes[i], value = base64_value[c];
        bytes[kept] = (unsigned char)(value ? value - 1 : 0);
        kept += value || c == '=';
    }
    for (size_t i = kept % 4; i + 4 <= kept; i += 4) {
        unsigned bits =
            (unsigned)bytes[i] << 18 | (unsigned)bytes[i + 1] << 12 | (unsigned)bytes[i + 2] << 6 | bytes[i + 3];
        bytes[out++] = (unsigned char)(bits >> 16);
        bytes[out++] = (unsigned char)(bits >> 8);
        bytes[out++] = (unsigned char)bits;
    }
    return out;
}

size_t decode_tail(const struct source *source, GMimeContentEncoding encoding, char *room, size_t len)
{
    if (encoding == GMIME_CONTENT_ENCODING_BASE64)
        return base64_tail(source, room, len);
    if (encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE)
        return 0;
    ssize_t n = source_read(source, source->len > len ? source->len - len : 0, room, len);
    return n > 0 ? (size_t)n : 0;
}
