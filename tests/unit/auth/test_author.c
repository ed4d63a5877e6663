/* author: From fields of all kinds, each with the domains that must be found, in order. */
#include "unit.h"

#include "auth/author.h"
#include "util/strbuf.h"
#include <stdio.h>
#include <stdlib.h>

#define L10 "abcdefghij"
#define L63 L10 L10 L10 L10 L10 L10 "abc"

static const struct {
    const char *value, *domains; /* joined with blanks */
    bool is_clean;
} rows[] = {
    /* plain */
    {"a@example.net", "example.net", true},
    {" a@example.net", "example.net", true},
    {"<a@example.net>", "example.net", true},
    {" A Name <a@example.net>", "example.net", true},
    {"\"A. Name\" <a@example.net>", "example.net", true},
    {"a@EXAMPLE.Net", "example.net", true},
    {"a@example.net.", "example.net", true},
    {"a@sub.mail.example.net", "sub.mail.example.net", true},
    {"a.b+c@example.net", "example.net", true},
    {"a@example", "example", true},
    {"a@_x.example.net", "_x.example.net", true},
    {"a@1.example.net", "1.example.net", true},
    {"a@" L63 ".net", L63 ".net", true},
    {"J. Doe <a@example.net>", "example.net", true},
    {"=?utf-8?q?x=40y?= <a@example.net>", "example.net", true},
    {"a@example.net\r\n", "example.net", true},
    /* several */
    {"a@one.example, b@two.example", "one.example two.example", true},
    {"a@one.example,b@one.example", "one.example", true},
    {"a@one.example, b@ONE.example", "one.example", true},
    {"A <a@one.example>, B <b@two.example>", "one.example two.example", true},
    {",a@one.example,,b@two.example,", "one.example two.example", true},
    {"a@one.example\r\n ,\r\n b@two.example", "one.example two.example", true},
    /* groups */
    {"Friends: a@one.example, B <b@two.example>;", "one.example two.example", true},
    {"Friends: a@one.example;, c@three.example", "one.example three.example", true},
    {"Friends:;", "", false},
    {"undisclosed-recipients:;", "", false},
    {"Friends: a@one.example", "one.example", true},
    {"\"A: B\": a@one.example;", "one.example", true},
    {"One: a@one.example; Two: b@two.example;", "one.example two.example", true},
    {"mailto:a@one.example", "one.example", true},
    {"a@bank.example: x@evil.example;", "bank.example evil.example", false},
    /* comments */
    {"a@example.net (A Name)", "example.net", true},
    {"(x) a (x) @ (x) example (x) . (x) net (x)", "example.net", true},
    {"(b@evil.example) a@example.net", "example.net", true},
    {"a@example.net (<b@evil.example>)", "example.net", true},
    {"(a (nested (deep @x.example)) y) a@example.net", "example.net", true},
    {"(\\) b@evil.example) a@example.net", "example.net", true},
    {"(\\\\) a@example.net", "example.net", true},
    {"A (c, d) <a@example.net>", "example.net", true},
    {"<a@example.net(x)>", "example.net", true},
    {"a@(x)example.net", "example.net", true},
    {"a@example(x).net", "example.net", true},
    {"a@example.net(x", "example.net", false},
    {"(x a@example.net", "example.net", false},
    {"(a (b) <a@example.net>", "example.net", false},
    {"a@example.net)", "example.net", true},
    {"((((((((((a@example.net", "example.net", false},
    /* quoted strings and pairs */
    {"\"b@evil.example\" <a@example.net>", "example.net", true},
    {"\"<b@evil.example>\" <a@example.net>", "example.net", true},
    {"\"x, b@evil.example\" <a@example.net>", "example.net", true},
    {"\"x \\\" <b@evil.example>\" <a@example.net>", "example.net", true},
    {"\"x\\\\\" <a@example.net>", "example.net", true},
    {"\"a@b\"@example.net", "example.net", true},
    {"\"a@b\" @ example.net", "example.net", true},
    {"\"a\\\"@b\"@example.net", "example.net", true},
    {"\"(\" <a@example.net>", "example.net", true},
    {"\"x <a@example.net>", "example.net", false},
    {"\"x\" \"y <a@example.net>", "example.net", false},
    {"x\\\" <a@example.net>", "example.net", false},
    {"\"a@example.net\"", "", false},
    {"a@\"example.net\"", "example.net", false},
    {"a@\"example.net", "example.net", false},
    /* encoded words */
    {"=?utf-8?q?Bank_<b@bank.example>?= <a@example.net>", "bank.example example.net", false},
    {"=?utf-8?q?\"<b@bank.example>?= <a@example.net>", "bank.example example.net", false},
    {"=?utf-8?q?(<b@bank.example>?= <a@example.net>", "bank.example example.net", false},
    {"=?utf-8?q?\"?= <b@bank.example>, \"x\" <a@example.net>", "bank.example example.net", true},
    {"=?utf-8?q?<3?= <a@example.net>", "example.net", false},
    {"=?utf-8?q?a_(b?= <a@example.net>", "example.net", true},
    {"=?utf-8?q?b@bank.example?= <a@example.net>", "example.net", true},
    {"=?utf-8?q?b@bank.example?=", "", false},
    {"=?utf-8?b?Yg==?= =?utf-8?Q?@x.example?= <a@example.net>", "example.net", true},
    {"=?utf-8?q?a?=@example.net", "example.net", true},
    {"a@=?utf-8?q?bank.example?=", "", false},
    {"=?utf-8?x?b@bank.example?= <a@example.net>", "example.net", false},
    {"=?utf-8?q?no end <a@example.net>", "example.net", true},
    {"=?utf-8?q?<b@bank.example> x?=", "bank.example", true},
    {"=?a?q?x?=, =?a?q?y?= <a@example.net>", "example.net", false},
    /* routes */
    {"<@relay.example:a@example.net>", "example.net", true},
    {"<@r1.example,@r2.example:a@example.net>", "example.net", true},
    {"<@r1.example , , @r2.example : a@example.net>", "example.net", true},
    {"<@bank.example:>", "", false},
    {"<@r.example, a@example.net>", "r.example example.net", false},
    /* literals and numbers */
    {"a@[192.0.2.1]", "", false},
    {"a@[IPv6:2001:db8::1]", "", false},
    {"a@[192.0.2.1], b@example.net", "example.net", false},
    {"a@[192.0.2.1", "", false},
    {"a@192.0.2.1", "", false},
    {"[x@evil.example] <a@example.net>", "example.net", false},
    {"[List] <a@example.net>", "example.net", true},
    {"[ <b@bank.example> ] <a@example.net>", "bank.example example.net", false},
    {"a@[ <b@bank.example>]", "bank.example", false},
    {"a@[192.0.2.1] (c)", "", false},
    {"a@bank.example..", "bank.example", false},
    {"a@bank.example.....", "bank.example", false},
    /* internationalized */
    {"a@b\xc3\xbc"
     "cher.example",
     "xn--bcher-kva.example", true},
    {"a@B\xc3\x9c"
     "CHER.example",
     "xn--bcher-kva.example", true},
    {"a@xn--bcher-kva.example", "xn--bcher-kva.example", true},
    {"a@b\xc3\xbc"
     "cher.example, b@xn--bcher-kva.example",
     "xn--bcher-kva.example", true},
    {"a@bank\xe3\x80\x82"
     "example",
     "bank.example", true},
    {"a@b\xfc"
     "cher.example",
     "", false},
    {"J\xc3\xbcrgen <a@example.net>", "example.net", true},
    {"J\xfcrgen <a@example.net>", "example.net", true},
    {"\xff\xfe@example.net", "example.net", true},
    /* brackets without partners */
    {"A <a@example.net", "example.net", false},
    {"A a@example.net>", "example.net", false},
    {"a@example.net>", "example.net", false},
    {"<a@example.net", "example.net", false},
    {"<<a@example.net>>", "example.net", false},
    {"A <b <a@example.net>>", "example.net", false},
    {"<a@one.example, b@two.example>", "one.example two.example", false},
    {"<a@one.example, B <b@two.example>", "one.example two.example", false},
    {"<a@one.example> <b@two.example>", "one.example two.example", false},
    {"<a@one.example><b@two.example>", "one.example two.example", false},
    {"<> a@example.net", "example.net", true},
    {"b@x.example <>", "x.example", true},
    {"b@x.example <a@example.net>", "example.net", true},
    {"A <>", "", false},
    {"> a@example.net", "example.net", false},
    /* no domain */
    {"", "", false},
    {" \r\n ", "", false},
    {"a", "", false},
    {"a@", "", false},
    {"@", "", false},
    {"<a@>", "", false},
    {"@example.net", "example.net", true},
    {"A Name", "", false},
    {"a, b@example.net", "example.net", false},
    {"MAILER-DAEMON", "", false},
    {"a@.example.net", "", false},
    {"a@example..net", "", false},
    {"a@-example.net", "", false},
    {"a@" L63 "d.net", "", false},
    {"a@ex!ample.net", "", false},
    /* more than one @ */
    {"a@one.example@two.example", "one.example two.example", false},
    {"<a@one.example@two.example>", "one.example two.example", false},
    {"a@@two.example", "two.example", false},
    {"a@one.example b@two.example", "one.example two.example", false},
    {"a@one.example;b@two.example", "one.example two.example", true},
    /* white space and folds */
    {"\r\n A\r\n <a@example.net>", "example.net", true},
    {"a @ example . net", "example.net", true},
    {"a@example\r\n .net", "example.net", true},
    {"a@example net", "example", true},
    {"\ta@example.net\t", "example.net", true},
    {"a@example.net\nb@two.example", "example.net two.example", false},
};

static const char *parse(const char *value, size_t len, struct author_list *list, struct arena *arena)
{
    struct strbuf text;
    author_list_init(list, arena);
    char *copy = malloc(len + 1); /* exactly as long, so that a sanitizer sees a byte too far */
    memcpy(copy, value, len);
    author_add_field(list, (struct span){copy, len});
    free(copy);
    strbuf_init(&text, 0);
    for (size_t i = 0; i < list->count; i++)
        strbuf_printf(&text, "%s%s", i ? " " : "", list->domains[i]);
    const char *joined = arena_strdup(arena, strbuf_text(&text));
    strbuf_free(&text);
    return joined;
}

static void test_table(void **state)
{
    (void)state;
    unsigned failed = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_create(1024);
        struct author_list list;
        const char *got = parse(rows[i].value, strlen(rows[i].value), &list, arena);
        if (strcmp(got, rows[i].domains) != 0 || (list.problem == NULL) != rows[i].is_clean) {
            print_error("[%s]: [%s] and not [%s]; %s\n", rows[i].value, got, rows[i].domains,
                        list.problem ? list.problem : "no problem");
            failed++;
        }
        arena_destroy(arena);
    }
    assert_int_equal(failed, 0);
    assert_true(sizeof rows / sizeof *rows > 100);
}

static void test_control_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        size_t len;
        const char *domains;
    } cases[] = {{"a@example.net\0.evil.example", 27, "example.net example.net.evil.example"},
                 {"\0a@example.net", 14, "example.net"},
                 {"a\0b <a@example.net>", 19, "example.net"},
                 {"a@exam\1ple.net", 14, "exam example.net"},
                 {"a@bank\1\2.exam\3ple", 18, "bank bank.example"},
                 {"<b@bank.example\1.evil.example>", 30, "bank.example bank.example.evil.example"},
                 {"\0\0\0", 3, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena *arena = arena_create(1024);
        struct author_list list;
        assert_string_equal(parse(cases[i].value, cases[i].len, &list, arena), cases[i].domains);
        assert_non_null(list.problem);
        arena_destroy(arena);
    }
}

static void test_several_fields(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    struct author_list list;
    author_list_init(&list, arena);
    author_add_field(&list, span_of(" a@one.example"));
    assert_null(list.problem);
    author_add_field(&list, span_of(" b@two.example, c@one.example"));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.fields, 2);
    assert_int_equal(list.addresses, 3);
    assert_string_equal(list.domains[1], "two.example");
    assert_string_equal(list.problem, "more than one From field");
    arena_destroy(arena);
}

/* COUNT addresses, each with SEPARATOR behind it, of DISTINCT domains. */
static void expect_many(unsigned count, unsigned distinct, const char *separator, size_t found, bool is_over)
{
    struct arena *arena = arena_create(1024);
    struct author_list list;
    struct strbuf text;
    strbuf_init(&text, 0);
    for (unsigned i = 0; i < count; i++)
        strbuf_printf(&text, "a%u@d%u.example%s", i, i % distinct, separator);
    author_list_init(&list, arena);
    author_add_field(&list, (struct span){text.ptr, text.len});
    if (list.count != found)
        print_error("%u addresses of %u domains, [%s]\n", count, distinct, separator);
    assert_int_equal(list.count, found);
    assert_int_equal(list.is_over, is_over);
    strbuf_free(&text);
    arena_destroy(arena);
}

static void test_many(void **state)
{
    (void)state;
    expect_many(100, 100, ", ", 100, false);
    expect_many(101, 101, ", ", 100, true);
    expect_many(10000, 10000, ", ", 100, true);
    expect_many(10000, 3, ", ", 3, false);
    expect_many(100, 100, " ", 100, false);
    expect_many(102, 1, " ", 0, true); /* one item that is never ended */
    expect_many(10000, 10000, "> <", 0, true); /* one item as well */
}

/* Pieces that a quadratic parser would choke on. */
static void test_bounded(void **state)
{
    (void)state;
    static const char *const pieces[] = {"(", "\"", "<", "=?a?q?", "\\", "@", "[", ",<", "(\"", "a@b.c ", ":", "((a)"};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct strbuf text;
        struct arena *arena = arena_create(1024);
        struct author_list list;
        strbuf_init(&text, 0);
        while (text.len < 400000)
            strbuf_puts(&text, pieces[i]);
        author_list_init(&list, arena);
        author_add_field(&list, (struct span){text.ptr, text.len});
        assert_true(list.count <= 1);
        strbuf_free(&text);
        arena_destroy(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_control_bytes),
                                       cmocka_unit_test(test_several_fields), cmocka_unit_test(test_many),
                                       cmocka_unit_test(test_bounded)};
    return cmocka_run_group_tests_name("author", tests, NULL, NULL);
}
