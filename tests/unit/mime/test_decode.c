/* Base64 against a decoder that is slow and plain: whatever the length of its lines, and wherever something strange
 * stands. */
#include "unit.h"

#include "mime/decode.h"
#include <stdlib.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* What is not of the alphabet is stepped over, '=' begins a new group. */
static size_t decode_slowly(const char *text, size_t len, char *out)
{
    size_t used = 0;
    unsigned bits = 0, have = 0;
    for (size_t i = 0; i < len; i++) {
        const char *at = text[i] ? strchr(alphabet, text[i]) : NULL;
        if (text[i] == '=')
            have = 0;
        if (!at)
            continue;
        bits = bits << 6 | (unsigned)(at - alphabet);
        if (++have > 1)
            out[used++] = (char)(bits >> (8 - 2 * have));
        have %= 4;
    }
    return used;
}

static void compare(const char *text, size_t len)
{
    static const struct content_limits limits = {"/tmp", 1 << 20, 64 << 20, 0};
    struct content *content = content_create(&limits);
    content_append(content, (struct span){text, len});
    struct source source = {.content = content, .fd = -1, .len = len};
    struct decoder *decoder = malloc(sizeof *decoder);
    char *room = malloc(DECODE_ROOM), *wanted = malloc(len + 1);
    size_t count = decode_slowly(text, len, wanted), at = 0;
    ssize_t n;
    decode_begin(decoder, &source, GMIME_CONTENT_ENCODING_BASE64);
    while ((n = decode_next(decoder, room)) > 0) {
        assert_true((size_t)n <= count - at);
        assert_memory_equal(room, wanted + at, (size_t)n);
        at += (size_t)n;
    }
    assert_int_equal(at, count);
    free(wanted);
    free(room);
    free(decoder);
    content_destroy(content);
}

static char random_character(void)
{
    return alphabet[(unsigned)rand() % 64];
}

static void test_lines_of_every_length(void **state)
{
    (void)state;
    char text[4096];
    for (size_t line = 1; line < 140; line++) {
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = i % (line + 1) == line ? '\n' : random_character();
        compare(text, sizeof text);
    }
}

static void test_every_byte_at_every_place(void **state)
{
    (void)state;
    char text[80];
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t place = 0; place < 36; place++) {
            for (size_t i = 0; i < sizeof text; i++)
                text[i] = random_character();
            text[place] = (char)byte;
            compare(text, sizeof text - place);
        }
    }
}

static void test_noise(void **state)
{
    (void)state;
    static char text[100000];
    for (unsigned round = 0; round < 40; round++) {
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (unsigned)rand() % (8u << round % 8) == 0 ? (char)rand() : random_character();
        compare(text, sizeof text - round);
    }
}

/* All that a value can be: each character of the alphabet in each place of a vector. */
static void test_the_alphabet(void **state)
{
    (void)state;
    char text[64 + 16];
    for (size_t shift = 0; shift < 16; shift++) {
        memset(text, 'A', shift);
        memcpy(text + shift, alphabet, 64);
        compare(text, shift + 64);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_alphabet),
        cmocka_unit_test(test_lines_of_every_length),
        cmocka_unit_test(test_every_byte_at_every_place),
        cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
