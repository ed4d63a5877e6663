/* The pure pieces: replies, dot stuffing, the URL. */
#include "unit.h"

#include "spool/spool.h"
#include "spool/spool_reply.h"
#include "spool/spool_stuff.h"
#include "spool/spool_wire.h"
#include <stdio.h>
#include <string.h>

static struct spool_reply reply;

/* Fed in pieces of STEP bytes; how many bytes it took. */
static size_t feed(const char *text, size_t step)
{
    size_t len = strlen(text), used = 0;
    spool_reply_begin(&reply);
    while (used < len && reply.state == SPOOL_REPLY_MORE) {
        size_t n = len - used < step ? len - used : step;
        used += spool_reply_feed(&reply, (struct span){text + used, n});
    }
    return used;
}

static void reads_replies(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum spool_reply_state state;
        int code;
        size_t used;
        const char *printed;
    } rows[] = {
        {"250 ok\r\n", SPOOL_REPLY_DONE, 250, 8, "250 ok"},
        {"250 ok\n", SPOOL_REPLY_DONE, 250, 7, "250 ok"},
        {"250\r\n", SPOOL_REPLY_DONE, 250, 5, "250"},
        {"250-a\r\n250-b\r\n250 c\r\nmore", SPOOL_REPLY_DONE, 250, 21, "250-a / b / c"},
        {"421 4.3.2 bye\r\n", SPOOL_REPLY_DONE, 421, 15, "421 4.3.2 bye"},
        {"550 \x80\x01\r\n", SPOOL_REPLY_DONE, 550, 8, "550 ??"},
        {"250-a\r\n", SPOOL_REPLY_MORE, 250, 7, NULL},
        {"250-a\r\n550 b\r\n", SPOOL_REPLY_GARBAGE, 0, 14, NULL},
        {"25 a\r\n", SPOOL_REPLY_GARBAGE, 0, 6, NULL},
        {"250+a\r\n", SPOOL_REPLY_GARBAGE, 0, 7, NULL},
        {"150 a\r\n", SPOOL_REPLY_GARBAGE, 0, 7, NULL},
        {"650 a\r\n", SPOOL_REPLY_GARBAGE, 0, 7, NULL},
        {"\r\n", SPOOL_REPLY_GARBAGE, 0, 2, NULL},
        {"HTTP/1.1 200 OK\r\n", SPOOL_REPLY_GARBAGE, 0, 17, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t step = 1; step < 30; step += 7) {
            char printed[100];
            size_t used = feed(rows[i].text, step);
            assert_int_equal(reply.state, rows[i].state);
            assert_int_equal(used, rows[i].used);
            if (rows[i].state == SPOOL_REPLY_DONE)
                assert_int_equal(reply.code, rows[i].code);
            spool_reply_text(&reply, printed, sizeof printed);
            if (rows[i].printed)
                assert_string_equal(printed, rows[i].printed);
        }
    }
}

static void bounds_replies(void **state)
{
    (void)state;
    static char line[SPOOL_REPLY_MAX * 2];
    memset(line, 'x', sizeof line - 1);
    feed(line, 1000);
    assert_int_equal(reply.state, SPOOL_REPLY_GARBAGE);
    for (size_t i = 0; i + 7 < sizeof line; i += 7) /* short lines without end */
        memcpy(line + i, "250-x\r\n", 8);
    feed(line, 1000);
    assert_int_equal(reply.state, SPOOL_REPLY_GARBAGE);
    char small[10];
    feed("250 123456789012345\r\n", 100);
    spool_reply_text(&reply, small, sizeof small);
    assert_true(strlen(small) < sizeof small);
}

static void reads_offers(void **state)
{
    (void)state;
    feed("250-mx DSN\r\n250-size 1234\r\n250-8bitmime\r\n250-DELIVERBY 5\r\n250 DSN\r\n", 100);
    struct spool_offers offers = spool_reply_offers(&reply);
    assert_true(offers.dsn && offers.eightbit && offers.size && !offers.smtputf8);
    assert_int_equal(offers.size_limit, 1234);
    assert_true(spool_reply_offers_keyword(&reply, span_of("deliverby")));
    assert_false(spool_reply_offers_keyword(&reply, span_of("mx")));
    feed("250 DSN\r\n", 100); /* the only line is the server's name */
    assert_false(spool_reply_offers(&reply).dsn);
    feed("250-a\r\n250-SMTPUTF8\r\n250 SIZE\r\n", 100);
    offers = spool_reply_offers(&reply);
    assert_true(offers.smtputf8 && offers.size && offers.size_limit == 0);
}

static void stuffs_dots(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", ""},
        {"a\r\n", "a\r\n"},
        {"a", "a\r\n"},
        {".", "..\r\n"},
        {"a.b\r\n.c\r\n..\r\n", "a.b\r\n..c\r\n...\r\n"},
        {"\r\n.\r\n", "\r\n..\r\n"},
        {"a\n.\nb", "a\r\n..\r\nb\r\n"},
        {"a\r.\r\nb\r\n", "a\r\n..\r\nb\r\n"},
        {"a\r\r\n", "a\r\n\r\n"},
        {"a\r", "a\r\n"},
        {"a\n\r", "a\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t step = 1; step < 4; step++) {
            struct spool_stuff stuff = {0};
            struct strbuf out;
            strbuf_init(&out, 0);
            size_t len = strlen(rows[i].in);
            for (size_t at = 0; at < len; at += step)
                spool_stuff_add(&stuff, (struct span){rows[i].in + at, len - at < step ? len - at : step}, &out);
            spool_stuff_end(&stuff, &out);
            assert_string_equal(strbuf_text(&out), rows[i].out);
            strbuf_free(&out);
        }
    }
}

static void passes_the_rest(void **state)
{
    (void)state;
    static char line[300000];
    for (size_t i = 0; i < sizeof line; i++)
        line[i] = (char)(i % 251 == '\r' || i % 251 == '\n' ? 'x' : i % 251);
    line[0] = 'x';
    struct spool_stuff stuff = {0};
    struct strbuf out;
    strbuf_init(&out, 0);
    spool_stuff_add(&stuff, (struct span){line, sizeof line}, &out);
    assert_int_equal(out.len, sizeof line);
    assert_memory_equal(out.ptr, line, sizeof line);
    strbuf_free(&out);
}

static void understands_urls(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    struct spool_endpoint endpoint;
    assert_null(spool_url_parse(arena, "smtp://127.0.0.1:25", "mx.example.net", &endpoint));
    assert_string_equal(endpoint.url, "smtp://127.0.0.1:25/mx.example.net");
    assert_false(endpoint.starttls);
    assert_null(spool_url_parse(arena, "smtp://relay.example:587?starttls&ca=/etc/ca.pem", "mx", &endpoint));
    assert_string_equal(endpoint.url, "smtp://relay.example:587/mx");
    assert_true(endpoint.starttls);
    assert_string_equal(endpoint.ca_file, "/etc/ca.pem");
    assert_null(spool_url_parse(arena, "smtps://[::1]:465/", "mx", &endpoint));
    assert_string_equal(endpoint.url, "smtps://[::1]:465/mx");
    static const char *const bad[] = {
        "",           "127.0.0.1:25", "http://x/",          "file:///etc/passwd", "smtp://",      "smtp://a:b:c",
        "smtp://a/b", "smtp://a?tls", "smtps://a?starttls", "smtp://a:99999",     "smtp://a?ca=x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (!spool_verify_url(bad[i]))
            fail_msg("%s was taken", bad[i]);
    }
    assert_null(spool_verify_url("smtp://127.0.0.1"));
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_replies), cmocka_unit_test(bounds_replies),  cmocka_unit_test(reads_offers),
        cmocka_unit_test(stuffs_dots),   cmocka_unit_test(passes_the_rest), cmocka_unit_test(understands_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
