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

static bool is_base64(unsigned char c)
{
    static const unsigned char in_alphabet[256] = {
        ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1, ['F'] = 1, ['G'] = 1, ['H'] = 1, ['I'] = 1, ['J'] = 1,
        ['K'] = 1, ['L'] = 1, ['M'] = 1, ['N'] = 1, ['O'] = 1, ['P'] = 1, ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1,
        ['U'] = 1, ['V'] = 1, ['W'] = 1, ['X'] = 1, ['Y'] = 1, ['Z'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1,
        ['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1, ['l'] = 1, ['m'] = 1, ['n'] = 1,
        ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1, ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1,
        ['y'] = 1, ['z'] = 1, ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1,
        ['8'] = 1, ['9'] = 1, ['+'] = 1, ['/'] = 1};
    return in_alphabet[c];
}

static uint64_t base64_size(const struct source *source)
{
    unsigned char block[32768];
    uint64_t at = 0, chars = 0;
    ssize_t n;
    while ((n = source_read(source, at, block, sizeof block)) > 0) {
        at += (uint64_t)n;
        for (ssize_t i = 0; i < n; i++)
            chars += is_base64(block[i]);
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

/* A well-formed text ends with a whole group, so the groups are counted from its end. */
static size_t base64_tail(const struct source *source, char *room, size_t len)
{
    uint64_t from = source->len > len ? source->len - len : 0;
    size_t kept = 0, out = 0;
    ssize_t n = source_read(source, from, room, len);
    GMimeEncoding state;
    for (ssize_t i = 0; i < n; i++) {
        if (is_base64((unsigned char)room[i]) || room[i] == '=')
            room[kept++] = room[i];
    }
    size_t skip = kept % 4;
    char *copy = malloc(kept + 4);
    if (!copy)
        abort();
    g_mime_encoding_init_decode(&state, GMIME_CONTENT_ENCODING_BASE64);
    out = g_mime_encoding_step(&state, room + skip, kept - skip, copy);
    memcpy(room, copy, out);
    free(copy);
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
