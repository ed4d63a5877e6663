/*
 * decode - a source without its transfer encoding, in big blocks.
 *
 * Quoted-printable is GMime's. Base64 is decoded here, because GMime's decoder loses its place after padding in the
 * middle (base64 texts put together, or a '=' in front), where mail programs go on with a new group. What is not of
 * the alphabet is stepped over, as they do.
 */
#include "mime/decode.h"
#include <endian.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif
#include <stdlib.h>
#include <string.h>

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

void decode_begin(struct decoder *decoder, const struct source *source, GMimeContentEncoding encoding)
{
    decoder->source = *source;
    decoder->at = 0;
    decoder->plain = encoding != GMIME_CONTENT_ENCODING_BASE64 && encoding != GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
    decoder->base64 = encoding == GMIME_CONTENT_ENCODING_BASE64;
    decoder->bits = decoder->have = 0;
    if (!decoder->plain && !decoder->base64)
        g_mime_encoding_init_decode(&decoder->state, encoding);
}

/* What a character adds to the 24 bits of its group, by its place in it; NO_VALUE if it is not of the alphabet. With
 * one look-up and one "or" a character this takes half the time of shifting values together. */
#define NO_VALUE (1u << 31)
static uint32_t group_value[4][256];

/* Set up before main(): nothing else has to know of it, and no thread runs yet. */
__attribute__((constructor)) static void fill_group_values(void)
{
    for (unsigned place = 0; place < 4; place++) {
        for (unsigned c = 0; c < 256; c++)
            group_value[place][c] = base64_value[c] ? (base64_value[c] - 1u) << (18 - 6 * place) : NO_VALUE;
    }
}

#ifdef __x86_64__
/* Four groups at once, after Wojciech Mula and Daniel Lemire, "Faster Base64 Encoding and Decoding using AVX2
 * Instructions" (2018), with vectors of 16 characters. By the two halves of a character two tables say whether it is of
 * the alphabet (a bit that both have: it is not), a third what is to be added to it. */
__attribute__((target("ssse3"))) static size_t decode_vectors(const unsigned char *text, size_t len, char *to)
{
    const __m128i low_table =
        _mm_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
    const __m128i high_table =
        _mm_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
    const __m128i added = _mm_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m128i packed = _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
    const __m128i low_half = _mm_set1_epi8(0x0f), slash = _mm_set1_epi8('/');
    size_t i = 0;
    for (; i + 16 <= len; i += 16, to += 12) {
        __m128i in = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
        __m128i high = _mm_and_si128(_mm_srli_epi32(in, 4), low_half);
        __m128i bad = _mm_and_si128(_mm_shuffle_epi8(low_table, _mm_and_si128(in, low_half)),
                                    _mm_shuffle_epi8(high_table, high));
        if (_mm_movemask_epi8(_mm_cmpgt_epi8(bad, _mm_setzero_si128())) != 0)
            break;
        __m128i values = _mm_add_epi8(in, _mm_shuffle_epi8(added, _mm_add_epi8(_mm_cmpeq_epi8(in, slash), high)));
        __m128i pairs = _mm_maddubs_epi16(values, _mm_set1_epi32(0x01400140));
        __m128i groups = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00011000));
        _mm_storeu_si128((__m128i *)(void *)to, _mm_shuffle_epi8(groups, packed));
    }
    return i;
}
#endif

static bool has_vectors;

__attribute__((constructor)) static void look_for_vectors(void)
{
#ifdef __x86_64__
    __builtin_cpu_init();
    has_vectors = __builtin_cpu_supports("ssse3");
#endif
}

/* Whole groups of four from the front of TEXT, up to the first character that is not of the alphabet: a line at a time,
 * as a rule. How much was read; *OUT is moved, and up to DECODE_SLACK bytes behind it are overwritten. */
static size_t decode_groups(const unsigned char *text, size_t len, char **out)
{
    size_t i = 0;
    char *to = *out;
#ifdef __x86_64__
    if (has_vectors && len >= 16) {
        i = decode_vectors(text, len, to);
        to += i / 4 * 3;
    }
#endif
    for (; i + 4 <= len; i += 4) {
        uint32_t bits = group_value[0][text[i]] | group_value[1][text[i + 1]] | group_value[2][text[i + 2]] |
                        group_value[3][text[i + 3]];
        if (bits & NO_VALUE)
            break;
        bits = htobe32(bits << 8);
        memcpy(to, &bits, 4); /* four bytes at once, of which the last is the next group's */
        to += 3;
    }
    *out = to;
    return i;
}

/* A '=' ends the group, whole or not; what is left of one at the end of the text is whole bytes too. */
static size_t decode_base64(struct decoder *decoder, const unsigned char *text, size_t len, char *room)
{
    char *to = room;
    for (size_t i = 0; i < len; i++) {
        if (decoder->have == 0) {
            i += decode_groups(text + i, len - i, &to);
            if (i == len)
                break;
        }
        unsigned value = base64_value[text[i]];
        if (value) {
            decoder->bits = decoder->bits << 6 | (value - 1);
            decoder->have++;
            if (decoder->have > 1) /* a second, third and fourth character complete a byte each */
                *to++ = (char)(decoder->bits >> (8 - 2 * decoder->have));
            decoder->have &= 3;
        } else if (text[i] == '=') {
            decoder->have = 0;
        }
    }
    return (size_t)(to - room);
}

ssize_t decode_next(struct decoder *decoder, char *room)
{
    for (;;) {
        char *to = decoder->plain ? room : decoder->block;
        ssize_t n = source_read(&decoder->source, decoder->at, to, sizeof decoder->block);
        if (n <= 0)
            return n;
        decoder->at += (uint64_t)n;
        size_t out = decoder->plain    ? (size_t)n
                     : decoder->base64 ? decode_base64(decoder, (unsigned char *)to, (size_t)n, room)
                                       : g_mime_encoding_step(&decoder->state, to, (size_t)n, room);
        if (out > 0)
            return (ssize_t)out;
    }
}

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

/* A well-formed text ends with a whole group, so groups are counted from its end. The decoder runs from the start of a
 * line, where one usually begins; if it comes out in the middle of one, it runs again from as many characters on. */
static size_t base64_tail(const struct source *source, char *room, size_t len)
{
    unsigned char *text = malloc(len + 1);
    if (!text)
        abort();
    ssize_t got = source_read(source, source->len > len ? source->len - len : 0, text, len);
    size_t end = got > 0 ? (size_t)got : 0, start = 0, padding = 0, out;
    for (; end > 0 && !base64_value[text[end - 1]]; end--)
        padding += text[end - 1] == '=';
    const unsigned char *line_end = memchr(text, '\n', end);
    if (source->len > len && line_end)
        start = (size_t)(line_end - text) + 1;
    struct decoder decoder;
    decoder.bits = decoder.have = 0;
    out = decode_base64(&decoder, text + start, end - start, room);
    size_t skip = (decoder.have + padding) % 4;
    if (skip > 0) {
        for (; skip > 0 && start < end; start++)
            skip -= base64_value[text[start]] != 0;
        decoder.bits = decoder.have = 0;
        out = decode_base64(&decoder, text + start, end - start, room);
    }
    free(text);
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
