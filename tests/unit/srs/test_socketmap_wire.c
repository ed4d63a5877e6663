/* The bytes of requests and answers, and which keys have an answer. */
#include "unit.h"

#include "fake_srs.h"
#include "srs/socketmap_lookup.h"
#include <stdio.h>
#include <stdlib.h>

#define SIZE(array) (sizeof(array) / sizeof *(array))
#define BYTES(literal) ((struct span){literal, sizeof(literal) - 1})

static void test_requests(void **state)
{
    (void)state;
    static const struct {
        struct span bytes;
        enum socketmap_progress progress;
        struct span name, key;
        size_t taken;
    } rows[] = {
        {BYTES("11:forward a@b,"), SOCKETMAP_REQUEST, BYTES("forward"), BYTES("a@b"), 15},
        {BYTES("11:forward a@b,11:rever"), SOCKETMAP_REQUEST, BYTES("forward"), BYTES("a@b"), 15},
        {BYTES("8:forward ,"), SOCKETMAP_REQUEST, BYTES("forward"), BYTES(""), 11},
        {BYTES("5:  a b,"), SOCKETMAP_REQUEST, BYTES(""), BYTES(" a b"), 0},
        {BYTES("6:f a\0,b,"), SOCKETMAP_REQUEST, BYTES("f"), BYTES("a\0,b"), 9},
        {BYTES("20:f 0123456789abcdefgh,"), SOCKETMAP_REQUEST, BYTES("f"), BYTES("0123456789abcdefgh"), 24},
        {BYTES(""), SOCKETMAP_MORE, BYTES(""), BYTES(""), 0},
        {BYTES("1"), SOCKETMAP_MORE, BYTES(""), BYTES(""), 0},
        {BYTES("20"), SOCKETMAP_MORE, BYTES(""), BYTES(""), 0},
        {BYTES("0"), SOCKETMAP_MORE, BYTES(""), BYTES(""), 0},
        {BYTES("11:"), SOCKETMAP_MORE, BYTES(""), BYTES(""), 0},
        {BYTES("11:forward a@"), SOCKETMAP_MORE, BYTES(""), BYTES(""), 0},
        {BYTES("11:forward a@b"), SOCKETMAP_MORE, BYTES(""), BYTES(""), 0},
        {BYTES("11:forward a@b;"), SOCKETMAP_BROKEN, BYTES(""), BYTES(""), 0},
        {BYTES("10:forward a@b,"), SOCKETMAP_BROKEN, BYTES(""), BYTES(""), 0},
        {BYTES("21"), SOCKETMAP_BROKEN, BYTES(""), BYTES(""), 0},
        {BYTES("99999999999999999999999999:"), SOCKETMAP_BROKEN, BYTES(""), BYTES(""), 0},
        {BYTES("18446744073709551619:abc,"), SOCKETMAP_BROKEN, BYTES(""), BYTES(""), 0},
        {BYTES("011:forward a@b,"), SOCKETMAP_BROKEN, BYTES(""), BYTES(""), 0},
        {BYTES("00"), SOCKETMAP_BROKEN, BYTES(""), BYTES(""), 0},
        {BYTES(":"), SOCKETMAP_BROKEN, BYTES(""), BYTES(""), 0},
        {BYTES("-1:"), SOCKETMAP_BROKEN, BYTES(""), BYTES(""), 0},
        {BYTES("+3:a b,"), SOCKETMAP_BROKEN, BYTES(""), BYTES(""), 0},
        {BYTES(" 3:a b,"), SOCKETMAP_BROKEN, BYTES(""), BYTES(""), 0},
        {BYTES("3 :a b,"), SOCKETMAP_BROKEN, BYTES(""), BYTES(""), 0},
        {BYTES("3"), SOCKETMAP_MORE, BYTES(""), BYTES(""), 0},
        {BYTES("3\0"), SOCKETMAP_BROKEN, BYTES(""), BYTES(""), 0},
        {BYTES("get a@b\n"), SOCKETMAP_BROKEN, BYTES(""), BYTES(""), 0},
    };
    for (size_t i = 0; i < SIZE(rows); i++) {
        char *copy = malloc(rows[i].bytes.len + 1); /* of exactly that size, for the sanitizer */
        copy = realloc(copy, rows[i].bytes.len ? rows[i].bytes.len : 1);
        memcpy(copy, rows[i].bytes.ptr, rows[i].bytes.len);
        struct socketmap_request request;
        size_t taken = 0;
        enum socketmap_progress progress =
            socketmap_wire_take((struct span){copy, rows[i].bytes.len}, 20, &request, &taken);
        if (progress != rows[i].progress)
            fail_msg("row %zu (%s): %d", i, rows[i].bytes.ptr, progress);
        if (progress == SOCKETMAP_REQUEST) {
            assert_int_equal(request.name.len, rows[i].name.len);
            assert_memory_equal(request.name.ptr, rows[i].name.ptr, request.name.len);
            assert_int_equal(request.key.len, rows[i].key.len);
            assert_memory_equal(request.key.ptr, rows[i].key.ptr, request.key.len);
            assert_true(request.has_key);
            assert_int_equal(taken, rows[i].taken ? rows[i].taken : rows[i].bytes.len);
        }
        free(copy);
    }
}

static void test_without_a_space(void **state)
{
    (void)state;
    struct socketmap_request request;
    size_t taken;
    assert_int_equal(socketmap_wire_take(BYTES("0:,"), 20, &request, &taken), SOCKETMAP_REQUEST);
    assert_true(request.name.len == 0 && request.key.len == 0 && !request.has_key);
    assert_int_equal(socketmap_wire_take(BYTES("7:forward,"), 20, &request, &taken), SOCKETMAP_REQUEST);
    assert_true(span_equals(request.name, "forward") && request.key.len == 0 && !request.has_key);
}

/* Every beginning of a request is one that more may come to. */
static void test_pieces(void **state)
{
    (void)state;
    static const char whole[] = "20:reverse srs0=a=b=c@d,";
    struct socketmap_request request;
    size_t taken;
    for (size_t n = 0; n < sizeof whole - 1; n++)
        assert_int_equal(socketmap_wire_take((struct span){whole, n}, 20, &request, &taken), SOCKETMAP_MORE);
}

static void test_answers(void **state)
{
    (void)state;
    struct strbuf out;
    strbuf_init(&out, 0);
    socketmap_wire_answer(&out, SOCKETMAP_OK, span_of("a@b"));
    socketmap_wire_answer(&out, SOCKETMAP_NOTFOUND, span_of("whatever"));
    socketmap_wire_answer(&out, SOCKETMAP_TEMP, BYTES("a\nb\0c\xff"));
    socketmap_wire_answer(&out, SOCKETMAP_PERM, span_of(""));
    assert_string_equal(strbuf_text(&out), "6:OK a@b,9:NOTFOUND ,11:TEMP a?b?c?,5:PERM ,");
    out.len = 0;
    char text[SOCKETMAP_REASON_MAX + 100];
    memset(text, 'x', sizeof text);
    socketmap_wire_answer(&out, SOCKETMAP_TEMP, (struct span){text, sizeof text});
    assert_int_equal(out.len, 4 + 5 + SOCKETMAP_REASON_MAX + 1);
    assert_memory_equal(out.ptr, "205:TEMP x", 10);
    strbuf_free(&out);
}

struct maps {
    struct arena *arena;
    struct socketmap_options options;
};

static int begin(void **state)
{
    struct arena *arena = arena_create(4096);
    struct domain_set *domains = domain_set_create(arena), *local_domains = domain_set_create(arena);
    struct maps *maps = ARENA_NEW(arena, struct maps);
    assert_null(domain_set_add(domains, "srs.example.net"));
    assert_null(domain_set_add(domains, "other.example"));
    assert_null(domain_set_add(local_domains, "example.net"));
    assert_null(domain_set_add(local_domains, ".sub.example.net"));
    *maps = (struct maps){arena,
                          {.domain = "srs.example.net",
                           .domains = domains,
                           .local_domains = local_domains,
                           .hostname = "mx.example.net"}};
    *state = maps;
    return 0;
}

static int end(void **state)
{
    arena_destroy(((struct maps *)*state)->arena);
    return 0;
}

static void test_maps(void **state)
{
    const struct maps *maps = *state;
    static const struct {
        const char *name;
        struct span key;
        const char *answer;
    } rows[] = {
        {"forward", BYTES("u@remote.example"), "OK SRS0=remote.example=u@srs.example.net"},
        {"forward", BYTES("U@Remote.Example"), "OK SRS0=Remote.Example=U@srs.example.net"},
        {"forward", BYTES("SRS0=aaaa=bb=x.example=u@remote.example"),
         "OK SRS0=remote.example=SRS0=aaaa=bb=x.example=u@srs.example.net"},
        {"forward", BYTES("\"a@b\"@remote.example"), "OK SRS0=remote.example=\"a@b\"@srs.example.net"},
        {"forward",
         BYTES("u@b\xc3\xbc"
               "cher.example"),
         "OK SRS0=b\xc3\xbc"
         "cher.example=u@srs.example.net"},
        {"forward", BYTES("down@remote.example"), "TEMP the store does not answer"},
        {"forward", BYTES("long@remote.example"), "NOTFOUND "},
        /* our own */
        {"forward", BYTES("u@example.net"), "NOTFOUND "},
        {"forward", BYTES("u@EXAMPLE.net."), "NOTFOUND "},
        {"forward", BYTES("root@MX.example.net"), "NOTFOUND "}, /* this host, which local_domains does not name */
        {"forward", BYTES("root@localhost"), "NOTFOUND "},
        {"forward", BYTES("u@deep.sub.example.net"), "NOTFOUND "},
        {"forward", BYTES("SRS0=remote.example=u@srs.example.net"), "NOTFOUND "},
        {"forward", BYTES("SRS0=remote.example=u@SRS.example.net"), "NOTFOUND "},
        {"forward", BYTES("SRS1=remote.example=u@other.example"), "NOTFOUND "},
        {"forward", BYTES("anything@srs.example.net"), "NOTFOUND "},
        /* what Postfix asks besides whole addresses, and what is none */
        {"forward", BYTES(""), "NOTFOUND "},
        {"forward", BYTES("u"), "NOTFOUND "},
        {"forward", BYTES("MAILER-DAEMON"), "NOTFOUND "},
        {"forward", BYTES("@remote.example"), "NOTFOUND "},
        {"forward", BYTES("@"), "NOTFOUND "},
        {"forward", BYTES("u@"), "NOTFOUND "},
        {"forward", BYTES("u@[192.0.2.1]"), "NOTFOUND "},
        {"forward", BYTES("u@192.0.2.1"), "NOTFOUND "},
        {"forward", BYTES("u@remote..example"), "NOTFOUND "},
        {"forward", BYTES("u\0@remote.example"), "NOTFOUND "},
        {"forward", BYTES("u@remote.example\0"), "NOTFOUND "},
        {"forward", BYTES("u@remote.example "), "NOTFOUND "},
        /* the way back */
        {"reverse", BYTES("SRS0=remote.example=u@srs.example.net"), "OK u@remote.example"},
        {"reverse", BYTES("srs0=remote.example=u@OTHER.example"), "OK u@remote.example"},
        {"reverse", BYTES("SRS0+remote.example=u@srs.example.net"), "OK u@remote.example"},
        {"reverse", BYTES("SRS0=remote.example=down@srs.example.net"), "TEMP the store does not answer"},
        {"reverse", BYTES("SRS0=remote.example=forged@srs.example.net"), "NOTFOUND "},
        {"reverse", BYTES("SRS0=remote.example=expired@srs.example.net"), "NOTFOUND "},
        {"reverse", BYTES("SRS0=remote.example=malformed@srs.example.net"), "NOTFOUND "},
        {"reverse", BYTES("SRS0=remote.example=unknown@srs.example.net"), "NOTFOUND "},
        {"reverse", BYTES("u@srs.example.net"), "NOTFOUND "},
        {"reverse", BYTES("SRS0=remote.example=u@remote.example"), "NOTFOUND "},
        {"reverse", BYTES("SRS0=remote.example=u@example.net"), "NOTFOUND "},
        {"reverse", BYTES("SRS0=remote.example=u"), "NOTFOUND "},
        {"reverse", BYTES("@srs.example.net"), "NOTFOUND "},
        {"reverse", BYTES(""), "NOTFOUND "},
        {"reverse", BYTES("SRS0=remote.example=\0u@srs.example.net"), "NOTFOUND "},
        /* other names */
        {"Forward", BYTES("u@remote.example"), "PERM unknown map Forward; there are forward and reverse"},
        {"", BYTES("u@remote.example"), "PERM unknown map ; there are forward and reverse"},
        {"a\nb\x7f", BYTES(""), "PERM unknown map a?b?; there are forward and reverse"},
    };
    for (size_t i = 0; i < SIZE(rows); i++) {
        struct socketmap_request request = {span_of(rows[i].name), rows[i].key, true};
        struct strbuf out;
        char expected[300];
        snprintf(expected, sizeof expected, "%zu:%s,", strlen(rows[i].answer), rows[i].answer);
        strbuf_init(&out, 0);
        socketmap_lookup(&maps->options, NULL, &request, 1000, &out);
        if (strcmp(strbuf_text(&out), expected) != 0)
            fail_msg("row %zu, %s %s: %s", i, rows[i].name, rows[i].key.ptr, strbuf_text(&out));
        strbuf_free(&out);
    }
}

static void test_no_key_and_long_names(void **state)
{
    const struct maps *maps = *state;
    struct strbuf out;
    strbuf_init(&out, 0);
    struct socketmap_request request = {span_of("forward"), {"", 0}, false};
    assert_int_equal(socketmap_lookup(&maps->options, NULL, &request, 1000, &out), SOCKETMAP_PERM);
    assert_string_equal(strbuf_text(&out), "42:PERM a request is a map, a space and a key,");
    out.len = 0;
    char name[2000];
    memset(name, 'n', sizeof name);
    request.name = (struct span){name, sizeof name};
    assert_int_equal(socketmap_lookup(&maps->options, NULL, &request, 1000, &out), SOCKETMAP_PERM);
    assert_int_equal(out.len, 4 + 5 + SOCKETMAP_REASON_MAX + 1);
    strbuf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_without_a_space),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_answers),
        cmocka_unit_test_setup_teardown(test_maps, begin, end),
        cmocka_unit_test_setup_teardown(test_no_key_and_long_names, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
