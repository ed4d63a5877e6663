/*
 * The codec: addresses as Mail::SRS writes them, both ways; what local parts and domains may hold; what is refused, and
 * as what; the age of an address, to the day. The known answers of the suite are read from beside the project, if they
 * are there; the table here covers the same ground.
 */
#include "unit.h"

#include "srs/srs_codec.h"
#include "util/strbuf.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW 1577836860 /* 2020-01-01, day 18262, time stamp 2W */
#define DAY 86400

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_create(4096);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

static struct srs_codec codec_with(const char *secret, char separator)
{
    struct span *secrets = ARENA_NEW(arena, struct span);
    *secrets = span_of(arena_strdup(arena, secret));
    return (struct srs_codec){secrets, 1, 4, 4, separator, 21};
}

static const char *forward(const struct srs_codec *codec, const char *address, const char *domain)
{
    const char *result;
    enum srs_outcome outcome = srs_codec_forward(codec, arena, address, domain, NOW, &result);
    assert_non_null(result);
    assert_int_equal(outcome, strrchr(result, '@') - result > 64 ? SRS_TOO_LONG : SRS_OK);
    return result;
}

static void reverses(const struct srs_codec *codec, const char *address, const char *expected)
{
    const char *result;
    enum srs_outcome outcome = srs_codec_reverse(codec, arena, address, NOW, &result);
    if (outcome != SRS_OK)
        print_error("%s: %s\n", address, srs_outcome_name(outcome));
    assert_int_equal(outcome, SRS_OK);
    assert_string_equal(result, expected);
}

static void refuses(const struct srs_codec *codec, const char *address, enum srs_outcome expected)
{
    const char *result = "";
    enum srs_outcome outcome = srs_codec_reverse(codec, arena, address, NOW, &result);
    if (outcome != expected)
        print_error("%s: %s, not %s\n", address, srs_outcome_name(outcome), srs_outcome_name(expected));
    assert_int_equal(outcome, expected);
    assert_null(result);
}

/* An address with the alphabet of MIME in its hash, as we write it. HASH is where the hash begins. */
static const char *in_our_alphabet(const char *address, size_t hash)
{
    char *copy = arena_strdup(arena, address);
    for (size_t i = hash; i < hash + 4; i++)
        copy[i] = copy[i] == '+' ? '-' : copy[i] == '/' ? '_' : copy[i];
    return copy;
}

/* ---- what others write ---- */

/* Made with Mail::SRS 0.31 at NOW. */
static const struct known {
    const char *secret, *sender, *srs0, *srs1; /* by a.example, and then by b.example */
    char separator;
} known[] = {
#include "known.inc"
};

static void check_known(const char *secret, char separator, const char *sender, const char *srs0, const char *srs1,
                        const char *srs0_back)
{
    const struct srs_codec codec = codec_with(secret, separator);
    assert_string_equal(forward(&codec, sender, strrchr(srs0, '@') + 1), in_our_alphabet(srs0, 5));
    assert_string_equal(forward(&codec, srs0, strrchr(srs1, '@') + 1), in_our_alphabet(srs1, 5));
    reverses(&codec, srs0, sender);
    reverses(&codec, in_our_alphabet(srs0, 5), sender);
    reverses(&codec, srs1, srs0_back);
    reverses(&codec, in_our_alphabet(srs1, 5), srs0_back);
}

static void agrees_with_mail_srs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        check_known(known[i].secret, known[i].separator, known[i].sender, known[i].srs0, known[i].srs1, known[i].srs0);
}

static const char *text_of(const cJSON *item, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(item, key));
    assert_non_null(text);
    return text;
}

static FILE *open_suite(void)
{
    const char *const directories[] = {getenv("POSTERN_SUITES"), TEST_SRCDIR "/../shared/suites",
                                       TEST_SRCDIR "/../../shared/suites"};
    FILE *file = NULL;
    for (size_t i = 0; i < 3 && !file; i++) {
        if (directories[i])
            file = fopen(arena_printf(arena, "%s/srs/known-answers.json", directories[i]), "re");
    }
    return file;
}

static void agrees_with_the_suite(void **state)
{
    (void)state;
    static char text[200000];
    FILE *file = open_suite();
    if (!file) {
        print_message("srs/known-answers.json is not there\n");
        skip();
        return;
    }
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    cJSON *answers = cJSON_Parse(text), *item;
    assert_int_equal(cJSON_GetArraySize(answers), 33);
    cJSON_ArrayForEach(item, answers)
    {
        assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(item, "now")) == NOW);
        check_known(text_of(item, "secret"), text_of(item, "separator")[0], text_of(item, "sender"),
                    text_of(item, "srs0"), text_of(item, "srs1"), text_of(item, "reverse_srs1"));
        assert_string_equal(text_of(item, "reverse_srs0"), text_of(item, "sender"));
    }
    cJSON_Delete(answers);
}

static void refuses_what_others_signed(void **state)
{
    (void)state;
    const struct srs_codec codec = codec_with("another secret", '=');
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        refuses(&codec, known[i].srs0, SRS_FORGED);
        refuses(&codec, known[i].srs1, SRS_FORGED);
        refuses(&codec, known[i].sender, SRS_NONE);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(agrees_with_mail_srs),
        TEST(agrees_with_the_suite),
        TEST(refuses_what_others_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
