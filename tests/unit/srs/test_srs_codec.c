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

/* ---- what an address may be made of ---- */

static void is_undone(const char *sender, const char *rewritten, const char *back)
{
    const struct srs_codec codec = codec_with("secret", '=');
    const char *address = forward(&codec, sender, "f.example");
    const char *hash = strchr(address, '=') + 1;
    struct strbuf shown; /* the hash as "...." */
    strbuf_init(&shown, 0);
    strbuf_add(&shown, (struct span){address, (size_t)(hash - address)});
    strbuf_puts(&shown, "....");
    strbuf_puts(&shown, hash + 4);
    assert_string_equal(strbuf_text(&shown), rewritten);
    strbuf_free(&shown);
    reverses(&codec, address, back);
    assert_true(srs_is_address(address));
    /* And once more, by the next forwarder, and all the way home. */
    const char *second = forward(&codec, address, "g.example");
    reverses(&codec, second, address);
    const char *third = forward(&codec, second, "h.example");
    reverses(&codec, third, address);
}

static void undoes_any_local_part(void **state)
{
    (void)state;
    static const struct {
        const char *sender, *rewritten, *back; /* back NULL: SENDER */
    } rows[] = {
        {"a@x.example", "SRS0=....=2W=x.example=a@f.example", NULL},
        {"a=b+c-d=@x.example", "SRS0=....=2W=x.example=a=b+c-d=@f.example", NULL},
        {"=@x.example", "SRS0=....=2W=x.example==@f.example", NULL},
        {"SRS@x.example", "SRS0=....=2W=x.example=SRS@f.example", NULL},
        {"SRS2=a@x.example", "SRS0=....=2W=x.example=SRS2=a@f.example", NULL},
        {"SRS0@x.example", "SRS0=....=2W=x.example=SRS0@f.example", NULL},
        {"\"a b\"@x.example", "\"SRS0=....=2W=x.example=a b\"@f.example", NULL},
        {"\"a@b\"@x.example", "\"SRS0=....=2W=x.example=a@b\"@f.example", NULL},
        {"\"a\\\"b\\\\c\"@x.example", "\"SRS0=....=2W=x.example=a\\\"b\\\\c\"@f.example", NULL},
        {"\"\"@x.example", "SRS0=....=2W=x.example=@f.example", NULL},
        {"\"<>,:;()[]\"@x.example", "\"SRS0=....=2W=x.example=<>,:;()[]\"@f.example", NULL},
        /* Quoted without need, or not quoted where it should be: the same mailbox, written as it should be. */
        {"\"abc\"@x.example", "SRS0=....=2W=x.example=abc@f.example", "abc@x.example"},
        {"\"a\\b\"@x.example", "SRS0=....=2W=x.example=ab@f.example", "ab@x.example"},
        {"a..b@x.example", "\"SRS0=....=2W=x.example=a..b\"@f.example", "\"a..b\"@x.example"},
        {".a@x.example", "SRS0=....=2W=x.example=.a@f.example", "\".a\"@x.example"},
        {"a.@x.example", "\"SRS0=....=2W=x.example=a.\"@f.example", "\"a.\"@x.example"},
        {"a b@x.example", "\"SRS0=....=2W=x.example=a b\"@f.example", "\"a b\"@x.example"},
        {"a.\"b c\"@x.example", "\"SRS0=....=2W=x.example=a.b c\"@f.example", "\"a.b c\"@x.example"},
        /* 8 bits: UTF-8 (SMTPUTF8), or what else came. */
        {"j\xc3\xb6rg@x.example", "SRS0=....=2W=x.example=j\xc3\xb6rg@f.example", NULL},
        {"\"j\xc3\xb6 rg\"@x.example", "\"SRS0=....=2W=x.example=j\xc3\xb6 rg\"@f.example", NULL},
        {"j\xf6rg@x.example", "SRS0=....=2W=x.example=j\xf6rg@f.example", NULL},
        /* Domains of every kind. */
        {"a@localhost", "SRS0=....=2W=localhost=a@f.example", NULL},
        {"a@x.example.", "SRS0=....=2W=x.example.=a@f.example", NULL},
        {"a@_x-y.example", "SRS0=....=2W=_x-y.example=a@f.example", NULL},
        {"a@[192.0.2.1]", "\"SRS0=....=2W=[192.0.2.1]=a\"@f.example", NULL},
        {"a@[IPv6:2001:db8::1]", "\"SRS0=....=2W=[IPv6:2001:db8::1]=a\"@f.example", NULL},
        {"a@b\xc3\xbc.example", "SRS0=....=2W=b\xc3\xbc.example=a@f.example", NULL},
        /* What looks like SRS1 and is none travels like anything else. */
        {"SRS1=x@x.example", "SRS0=....=2W=x.example=SRS1=x@f.example", NULL},
        {"SRS1=hash=host.example@x.example", "SRS0=....=2W=x.example=SRS1=hash=host.example@f.example", NULL},
        {"SRS1=hash=host.example=x@x.example", "SRS0=....=2W=x.example=SRS1=hash=host.example=x@f.example", NULL},
        {"SRS1=hash=host.example==@x.example", "SRS0=....=2W=x.example=SRS1=hash=host.example==@f.example", NULL},
        {"SRS1=hash===x@x.example", "SRS0=....=2W=x.example=SRS1=hash===x@f.example", NULL},
        {"SRS1=hash=a b==x@x.example", "\"SRS0=....=2W=x.example=SRS1=hash=a b==x\"@f.example",
         "\"SRS1=hash=a b==x\"@x.example"},
        {"SRS0=@x.example", "SRS0=....=2W=x.example=SRS0=@f.example", NULL},
        {"SRS1=@x.example", "SRS0=....=2W=x.example=SRS1=@f.example", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        is_undone(rows[i].sender, rows[i].rewritten, rows[i].back ? rows[i].back : rows[i].sender);
}

static void gives_back_foreign_srs0(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "SRS0=aaaa=BB=x.example=joe@o.example",
        "SRS0+aaaa=BB=x.example=joe@o.example",
        "SRS0-aaaa=BB=x.example=joe@o.example",
        "SRS0=x@o.example",
        "SRS0=not=one@o.example",
        "\"SRS0=aaaa=BB=x.example=a b\"@o.example",
        "\"SRS0=aaaa=BB=[192.0.2.1]=a\"@[192.0.2.2]",
        "SRS0=aaaa=BB==token@o.example",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (const char *separator = "=+-"; *separator; separator++) {
            const struct srs_codec codec = codec_with("secret", *separator);
            const char *first = forward(&codec, rows[i], "f.example"), *second = forward(&codec, first, "g.example");
            const char *start = first[0] == '"' ? first + 1 : first;
            assert_int_equal(strncmp(start, "SRS1", 4), 0);
            assert_int_equal(start[4], *separator);
            reverses(&codec, first, rows[i]);
            reverses(&codec, second, rows[i]); /* two hops, not three */
        }
    }
    const struct srs_codec codec = codec_with("secret", '=');
    reverses(&codec, forward(&codec, "srs0+a=b@o.example", "f.example"), "SRS0+a=b@o.example");
}

static void rewrites_no_address_that_is_none(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "@",
        "a",
        "a@",
        "@x.example",
        "a@b@x.example",
        "\"a@x.example",
        "\"a\"",
        "a\\@x.example",
        "a@x y",
        "a@x=y",
        "a@x..y",
        "a@.x",
        "a@[",
        "a@[]",
        "a@[192.0.2.1",
        "a@[a=b]",
        "a@[a b]",
        "a@x>",
        "a@\"x\"",
        "a\r\n@x.example",
        "a\t@x.example",
        "\"a\nb\"@x.example",
        "\"a\\\nb\"@x.example",
        "a\x7f@x.example",
        "a@x\x01",
        "a@x\r",
        "a@x\n",
        "@r.example:a@x.example",
        "a\\",
    };
    const struct srs_codec codec = codec_with("secret", '=');
    const char *result = "";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum srs_outcome outcome = srs_codec_forward(&codec, arena, rows[i], "f.example", NOW, &result);
        if (outcome != SRS_NONE)
            print_error("%s: %s\n", rows[i], result);
        assert_int_equal(outcome, SRS_NONE);
        assert_null(result);
    }
    assert_int_equal(srs_codec_forward(&codec, arena, "a@x.example", "", NOW, &result), SRS_NONE);
    assert_int_equal(srs_codec_forward(&codec, arena, "a@x.example", "f example", NOW, &result), SRS_NONE);
}

static void counts_octets(void **state)
{
    (void)state;
    const struct srs_codec codec = codec_with("secret", '=');
    const char *result;
    char text[2000];
    /* "SRS0=....=2W=x.example=" are 23, so 41 fit. */
    snprintf(text, sizeof text, "%041d@x.example", 0);
    assert_int_equal(srs_codec_forward(&codec, arena, text, "f.example", NOW, &result), SRS_OK);
    assert_int_equal(strchr(result, '@') - result, 64);
    snprintf(text, sizeof text, "%042d@x.example", 0);
    assert_int_equal(srs_codec_forward(&codec, arena, text, "f.example", NOW, &result), SRS_TOO_LONG);
    reverses(&codec, result, text);                         /* a relay may have let it pass */
    snprintf(text, sizeof text, "\"%038d \"@x.example", 0); /* the quotes count */
    assert_int_equal(srs_codec_forward(&codec, arena, text, "f.example", NOW, &result), SRS_OK);
    snprintf(text, sizeof text, "\"%039d \"@x.example", 0);
    assert_int_equal(srs_codec_forward(&codec, arena, text, "f.example", NOW, &result), SRS_TOO_LONG);
    snprintf(text, sizeof text, "%0220d", 0); /* 24 + 1 + 229, and 230 */
    assert_int_equal(srs_codec_forward(&codec, arena, "a@x.example", strncat(text, ".fwd.test", 10), NOW, &result),
                     SRS_OK);
    assert_int_equal(strlen(result), 254);
    assert_int_equal(srs_codec_forward(&codec, arena, "ab@x.example", text, NOW, &result), SRS_TOO_LONG);
    snprintf(text, sizeof text, "%01900d@x.example", 0);
    assert_int_equal(srs_codec_forward(&codec, arena, text, "f.example", NOW, &result), SRS_TOO_LONG);
    reverses(&codec, result, text);
}

/* ---- what is refused ---- */

static void knows_its_own(void **state)
{
    (void)state;
    static const char *const yes[] = {"SRS0=", "srs0=x@y", "SRS1+x@y", "sRs1-", "\"SRS0=a b\"@x", "\"S\\RS0=a\"@x"};
    static const char *const no[] = {"", "SRS", "SRS0", "SRS2=x", "SRS0_x", "xSRS0=", "SRS00=", "@SRS0=", "SRS@0="};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        assert_true(srs_is_address(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        assert_false(srs_is_address(no[i]));
}

static void refuses_what_is_malformed(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "SRS0=",
        "SRS0=@f.example",
        "SRS0=aaaa@f.example",
        "SRS0=aaaa=2W@f.example",
        "SRS0=aaaa=2W=x.example@f.example",
        "SRS0=aaaa=2W=x.example=joe",
        "SRS0=aaaa=2W==@f.example",
        "SRS0=aaaa=2=x.example=joe@f.example",
        "SRS0=aaaa=2WA=x.example=joe@f.example",
        "SRS0=aaaa=21=x.example=joe@f.example",
        "SRS0=aaaa==x.example=joe@f.example",
        "\"SRS0=aaaa=2W=x example=joe\"@f.example",
        "SRS0=aaaa=2W=x.example=joe\r\n@f.example",
        "\"SRS0=aaaa=2W=x.example=j\noe\"@f.example",
        "SRS1=@f.example",
        "SRS1=aaaa@f.example",
        "SRS1=aaaa=o.example@f.example",
        "SRS1=aaaa=o.example=@f.example",
        "SRS1=aaaa=o.example=x@f.example",
        "SRS1=aaaa=o.example==@f.example",
        "SRS1=aaaa===x@f.example",
        "\"SRS1=aaaa=o example==x\"@f.example",
        "SRS1=aaaa=o.example==x",
        "SRS0=aaaa=2W=x.example=joe@f@f.example",
    };
    const struct srs_codec codec = codec_with("secret", '=');
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        refuses(&codec, rows[i], SRS_MALFORMED);
    refuses(&codec, "joe@f.example", SRS_NONE);
    refuses(&codec, "", SRS_NONE);
}

/* Every single character of the local part is covered by the hash, the separator behind SRS0 alone is not. */
static void refuses_any_change(void **state)
{
    (void)state;
    const struct srs_codec codec = codec_with("secret", '=');
    const char *const senders[] = {"joe@x.example", "SRS0=aaaa=BB=x.example=joe@o.example"};
    for (size_t k = 0; k < 2; k++) {
        const char *address = forward(&codec, senders[k], "f.example"), *result;
        for (size_t i = 5; address[i] != '@'; i++) {
            char *copy = arena_strdup(arena, address);
            copy[i] = copy[i] == 'Q' || copy[i] == 'q' ? 'r' : 'q';
            enum srs_outcome outcome = srs_codec_reverse(&codec, arena, copy, NOW, &result);
            assert_true(outcome == SRS_FORGED || outcome == SRS_MALFORMED);
        }
    }
}

static void reads_any_case(void **state)
{
    (void)state;
    const struct srs_codec codec = codec_with("secret", '=');
    for (unsigned i = 0; i < 200; i++) {
        char *sender = arena_printf(arena, "u%u@x.example", i);
        char *address = arena_strdup(arena, forward(&codec, sender, "f.example"));
        char *second = arena_strdup(arena, forward(&codec, address, "g.example"));
        for (char *c = address; *c; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
        reverses(&codec, address, sender);
        for (char *c = address; *c; c++)
            *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
        for (char *c = sender; *c; c++)
            *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
        reverses(&codec, address, sender);
        for (char *c = second; *c; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
        const char *result;
        assert_int_equal(srs_codec_reverse(&codec, arena, second, NOW, &result), SRS_OK);
        reverses(&codec, result, arena_printf(arena, "u%u@x.example", i));
    }
}

static void minds_the_length_of_the_hash(void **state)
{
    (void)state;
    struct srs_codec codec = codec_with("secret", '=');
    codec.hash_length = 8;
    const char *address = forward(&codec, "joe@x.example", "f.example");
    assert_int_equal(strchr(address + 5, '=') - (address + 5), 8);
    char *shorter = arena_printf(arena, "%.9s%s", address, address + 13);
    reverses(&codec, shorter, "joe@x.example");
    codec.hash_minimum = 5;
    refuses(&codec, shorter, SRS_FORGED);
    reverses(&codec, arena_printf(arena, "%.10s%s", address, address + 13), "joe@x.example");
    codec.hash_minimum = 4;
    refuses(&codec, arena_printf(arena, "%.8s%s", address, address + 13), SRS_FORGED);
    refuses(&codec, arena_printf(arena, "%.5s%s", address, address + 13), SRS_FORGED);
    codec.hash_length = 4;
    reverses(&codec, address, "joe@x.example");
    codec.hash_length = 27;
    address = forward(&codec, "joe@x.example", "f.example");
    reverses(&codec, address, "joe@x.example");
    refuses(&codec, arena_printf(arena, "%.32sA%s", address, address + 32), SRS_FORGED); /* longer than any */
}

static void verifies_with_old_secrets(void **state)
{
    (void)state;
    const struct span secrets[] = {span_of("new"), span_of("old"), span_of("older")};
    struct srs_codec all = codec_with("x", '=');
    all.secrets = secrets;
    all.secret_count = 3;
    for (size_t i = 0; i < 3; i++) {
        const struct srs_codec one = codec_with(secrets[i].ptr, '=');
        const char *address = forward(&one, "joe@x.example", "f.example");
        reverses(&all, address, "joe@x.example");
        if (i == 0)
            assert_string_equal(forward(&all, "joe@x.example", "f.example"), address);
        all.secret_count = i;
        if (i > 0)
            refuses(&all, address, SRS_FORGED);
        all.secret_count = 3;
    }
}

/* ---- time ---- */

static enum srs_outcome outcome_at(const struct srs_codec *codec, const char *address, int64_t now)
{
    const char *result;
    return srs_codec_reverse(codec, arena, address, now, &result);
}

static void expires_to_the_day(void **state)
{
    (void)state;
    const struct srs_codec codec = codec_with("secret", '=');
    static const int64_t days[] = {18262, 18262 + 170, 1023 * 18, 1024 * 18 - 1, 1024 * 18, 0, 1, -1, -1024};
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        int64_t first = days[i] * DAY, last = first + DAY - 1, age;
        const char *address, *late;
        assert_int_equal(srs_codec_forward(&codec, arena, "joe@x.example", "f.example", first, &address), SRS_OK);
        assert_int_equal(srs_codec_forward(&codec, arena, "joe@x.example", "f.example", last, &late), SRS_OK);
        assert_string_equal(address, late);
        assert_int_equal(outcome_at(&codec, address, first), SRS_OK);
        assert_int_equal(outcome_at(&codec, address, last + 21 * DAY), SRS_OK);
        assert_int_equal(outcome_at(&codec, address, last + 21 * DAY + 1), SRS_EXPIRED);
        assert_int_equal(outcome_at(&codec, address, first - 1), SRS_OK); /* another clock, a day ahead */
        assert_int_equal(outcome_at(&codec, address, first - DAY), SRS_OK);
        assert_int_equal(outcome_at(&codec, address, first - DAY - 1), SRS_EXPIRED);
        assert_int_equal(outcome_at(&codec, address, first + 1022 * DAY), SRS_EXPIRED);
        assert_int_equal(outcome_at(&codec, address, first + 1024 * DAY),
                         SRS_OK); /* that is all two characters can say */
        assert_true(srs_codec_age(arena, address, first + 21 * DAY, &age) && age == 21);
        assert_true(srs_codec_age(arena, address, first - 1, &age) && age == -1);
        assert_true(srs_codec_age(arena, address, first + 1022 * DAY, &age) && age == 1022);
    }
    int64_t age;
    assert_false(srs_codec_age(arena, "joe@x.example", NOW, &age));
    assert_false(srs_codec_age(arena, "SRS1=aaaa=o.example==x@f.example", NOW, &age));
}

static void forgery_comes_before_age(void **state)
{
    (void)state;
    const struct srs_codec codec = codec_with("secret", '='), other = codec_with("other", '=');
    const char *address = forward(&codec, "joe@x.example", "f.example");
    assert_int_equal(outcome_at(&codec, address, NOW + 100 * DAY), SRS_EXPIRED);
    assert_int_equal(outcome_at(&other, address, NOW + 100 * DAY), SRS_FORGED);
    const char *second = forward(&codec, address, "g.example"); /* an SRS1 has no date */
    assert_int_equal(outcome_at(&codec, second, NOW + 100 * DAY), SRS_OK);
}

/* ---- tokens ---- */

static void tokens_are_the_sender_s(void **state)
{
    (void)state;
    const struct srs_codec codec = codec_with("secret", '='), other = codec_with("other", '=');
    char a[SRS_TOKEN_LENGTH + 1], b[SRS_TOKEN_LENGTH + 1];
    const char *address, *token;
    assert_int_equal(srs_codec_make_token(&codec, arena, "joe@x.example", a), SRS_OK);
    assert_int_equal(srs_codec_make_token(&codec, arena, "\"joe\"@x.example", b), SRS_OK);
    assert_string_equal(a, b);
    assert_int_equal(strspn(a, "abcdefghijklmnopqrstuvwxyz234567"), SRS_TOKEN_LENGTH);
    static const char *const others[] = {"Joe@x.example", "oe@x.examplej", "joe@x.exampl", "\"\"@x.examplejoe"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(srs_codec_make_token(&codec, arena, others[i], b), SRS_OK);
        assert_string_not_equal(a, b);
    }
    assert_int_equal(srs_codec_make_token(&other, arena, "joe@x.example", b), SRS_OK);
    assert_string_not_equal(a, b);
    assert_int_equal(srs_codec_make_token(&codec, arena, "joe", b), SRS_NONE);
    assert_int_equal(srs_codec_forward_token(&codec, arena, a, "f.example", NOW, &address), SRS_OK);
    assert_int_equal(srs_codec_reverse(&codec, arena, address, NOW, &token), SRS_UNKNOWN);
    assert_string_equal(token, a);
    for (char *c = (char *)(uintptr_t)address; *c; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
    assert_int_equal(srs_codec_reverse(&codec, arena, address, NOW, &token), SRS_UNKNOWN);
    assert_string_equal(token, a);
    assert_int_equal(srs_codec_reverse(&other, arena, address, NOW, &token), SRS_FORGED);
    assert_int_equal(srs_codec_reverse(&codec, arena, address, NOW + 22 * DAY, &token), SRS_EXPIRED);
}

/* Whoever may choose a sender cannot spell the token of somebody else's. */
static void no_sender_imitates_a_token(void **state)
{
    (void)state;
    const struct srs_codec codec = codec_with("secret", '=');
    char token[SRS_TOKEN_LENGTH + 1];
    assert_int_equal(srs_codec_make_token(&codec, arena, "joe@x.example", token), SRS_OK);
    const char *sender = arena_printf(arena, "%s@%.5s", token + 5, token);
    const char *address = forward(&codec, sender, "f.example");
    reverses(&codec, address, sender);
    refuses(&codec, arena_printf(arena, "%.13s=%s@f.example", address, token), SRS_FORGED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(agrees_with_mail_srs),
        TEST(agrees_with_the_suite),
        TEST(refuses_what_others_signed),
        TEST(undoes_any_local_part),
        TEST(gives_back_foreign_srs0),
        TEST(rewrites_no_address_that_is_none),
        TEST(counts_octets),
        TEST(knows_its_own),
        TEST(refuses_what_is_malformed),
        TEST(refuses_any_change),
        TEST(reads_any_case),
        TEST(minds_the_length_of_the_hash),
        TEST(verifies_with_old_secrets),
        TEST(expires_to_the_day),
        TEST(forgery_comes_before_age),
        TEST(tokens_are_the_sender_s),
        TEST(no_sender_imitates_a_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
