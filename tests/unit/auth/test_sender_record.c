/* The SPF record parser: what the grammar of RFC 7208 section 12 takes, and where what it does not take goes wrong. */
#include "unit.h"

#include "auth/sender_macro.h"
#include "auth/sender_record.h"

#define FINE (-1)

static const struct {
    const char *text;
    int at; /* offset of the fault, or FINE */
} rows[] = {
    {"v=spf1", FINE},
    {"V=SPF1 -ALL", FINE},
    {"v=spf1 ", FINE},
    {"v=spf1   -all   ", FINE},
    {"v=spf1 all", FINE},
    {"v=spf1 +all ?all ~all -all", FINE},
    {"v=spf10 -all", 0},
    {"v=spf1-all", 0},
    {"v=spf1\t-all", 0},
    {" v=spf1 -all", 0},
    {"v=spf2 -all", 0},
    {"", 0},
    {"v=spf1 -all\t", 11},
    {"v=spf1 -all.", 8},
    {"v=spf1 all:example.net", 10},
    {"v=spf1 all/24", 10},
    {"v=spf1 all=example.net", FINE}, /* an unknown modifier */
    {"v=spf1 -all=x", 7},
    {"v=spf1 --all", 8},
    {"v=spf1 !all", 7},
    {"v=spf1 - all", 8},
    {"v=spf1 default=pass", FINE},
    {"v=spf1 foo", 7},
    {"v=spf1 foo:bar.example", 7},
    {"v=spf1 1foo=bar", 7},
    {"v=spf1 =all", 7},
    {"v=spf1 :all", 7},
    {"v=spf1 foo=", FINE},
    {"v=spf1 f-o_o.1=bar", FINE},
    {"v=spf1 foo=%{d}%%%_%-", FINE},
    {"v=spf1 foo=%{c}%{r}%{t}", FINE},
    {"v=spf1 foo=%", 11},
    {"v=spf1 foo=%x", 11},
    {"v=spf1 foo=%{x}", 13},
    {"v=spf1 foo=bar=baz:qux/1", FINE},
    {"v=spf1 foo=b\xc3\xa4r", 12},
    {"v=spf1 foo=b\x7f", 12},
    {"v=spf1 \xff", 7},
    {"v=spf1 m\xc3\xb6", 7},
    /* include */
    {"v=spf1 include:example.net", FINE},
    {"v=spf1 INCLUDE:example.net.", FINE},
    {"v=spf1 include", 14},
    {"v=spf1 include:", 15},
    {"v=spf1 include:example", 22},
    {"v=spf1 include:example.net/24", 29},
    {"v=spf1 include:%{d}", FINE},
    {"v=spf1 include:%{d}.example", FINE},
    {"v=spf1 include:%{c}.example", 17},
    {"v=spf1 include:%{r}.example", 17},
    {"v=spf1 include:%{t}.example", 17},
    {"v=spf1 include=example.net", FINE},
    /* a, mx and their lengths */
    {"v=spf1 a", FINE},
    {"v=spf1 a/24", FINE},
    {"v=spf1 a//64", FINE},
    {"v=spf1 a/24//64", FINE},
    {"v=spf1 a/0", FINE},
    {"v=spf1 a//0", FINE},
    {"v=spf1 a/32//128", FINE},
    {"v=spf1 a/33", 9},
    {"v=spf1 a//129", 10},
    {"v=spf1 a/024", 9},
    {"v=spf1 a/00", 9},
    {"v=spf1 a//064", 10},
    {"v=spf1 a/1111", 9},
    {"v=spf1 a/", 8},
    {"v=spf1 a//", 8},
    {"v=spf1 a/24/", 8},
    {"v=spf1 a/24//", 8},
    {"v=spf1 a///64", 8},
    {"v=spf1 a/-1", 8},
    {"v=spf1 a/24:example.net", 8},
    {"v=spf1 a:", 9},
    {"v=spf1 a:/24", 9},
    {"v=spf1 a:example.net", FINE},
    {"v=spf1 a:example.net/24", FINE},
    {"v=spf1 a:example.net//64", FINE},
    {"v=spf1 a:example.net/24//64", FINE},
    {"v=spf1 a:example.net/33", 21},
    {"v=spf1 a:example.net/", 21},
    {"v=spf1 a:museum", 15},
    {"v=spf1 a:museum.", 16},
    {"v=spf1 a:abc.123", 16},
    {"v=spf1 a:111.222.33.44", 22},
    {"v=spf1 a:example.-net", 21},
    {"v=spf1 a:example.net-", 21},
    {"v=spf1 a:example.n-t", FINE},
    {"v=spf1 a:example.9t", FINE},
    {"v=spf1 a:example.n_t", 20},
    {"v=spf1 a:ex_mple.net", FINE},
    {"v=spf1 a:foo:bar/baz.example.net", FINE},
    {"v=spf1 a:example.net:8080", 25},
    {"v=spf1 a=example.net", FINE},
    {"v=spf1 mx", FINE},
    {"v=spf1 mx/24//64 -all", FINE},
    {"v=spf1 mx:example.net/24", FINE},
    {"v=spf1 mx:", 10},
    {"v=spf1 mxx", 7},
    {"v=spf1 mx.", 7},
    /* ptr, exists */
    {"v=spf1 ptr", FINE},
    {"v=spf1 ptr:example.net", FINE},
    {"v=spf1 ptr:", 11},
    {"v=spf1 ptr/24", 10},
    {"v=spf1 ptr:example.net/24", 25},
    {"v=spf1 exists:%{ir}.%{v}._spf.%{d2}", FINE},
    {"v=spf1 exists", 13},
    {"v=spf1 exists:", 14},
    {"v=spf1 exists:example.net/24", 28},
    {"v=spf1 exists:%{i", 17},
    {"v=spf1 exists:%{", 16},
    {"v=spf1 exists:%", 14},
    {"v=spf1 exists:%{}", 16},
    {"v=spf1 exists:%{d0}", 17},
    {"v=spf1 exists:%{d999999999999r.-+,/_=}", FINE},
    {"v=spf1 exists:%{d2x}", 18},
    {"v=spf1 exists:%{d r}", 17},
    {"v=spf1 exists:%(i).example.net", 14},
    {"v=spf1 exists:%{l}%%", FINE},
    /* ip4, ip6 */
    {"v=spf1 ip4:192.0.2.1", FINE},
    {"v=spf1 ip4:192.0.2.0/24", FINE},
    {"v=spf1 ip4:0.0.0.0/0", FINE},
    {"v=spf1 ip4:192.0.2.1/33", 21},
    {"v=spf1 ip4:192.0.2.1/024", 21},
    {"v=spf1 ip4:192.0.2.1/", 11},
    {"v=spf1 ip4:192.0.2.1//32", 11},
    {"v=spf1 ip4:192.0.2.01", 11},
    {"v=spf1 ip4:192.0.2", 11},
    {"v=spf1 ip4:192.0.2.256", 11},
    {"v=spf1 ip4:192.0.2.1:25", 11},
    {"v=spf1 ip4:", 11},
    {"v=spf1 ip4", 10},
    {"v=spf1 ip4/32", 10},
    {"v=spf1 ip4:2001:db8::1", 11},
    {"v=spf1 ip4:%{i}", 11},
    {"v=spf1 ip6:2001:db8::1", FINE},
    {"v=spf1 ip6:2001:db8::/32", FINE},
    {"v=spf1 ip6:::/0", FINE},
    {"v=spf1 ip6:::ffff:192.0.2.1/128", FINE},
    {"v=spf1 ip6:2001:db8::1/129", 23},
    {"v=spf1 ip6:2001:db8::g", 11},
    {"v=spf1 ip6:192.0.2.1", 11},
    {"v=spf1 ip6:2001:db8:1", 11},
    {"v=spf1 ip6:", 11},
    /* modifiers */
    {"v=spf1 redirect=example.net", FINE},
    {"v=spf1 REDIRECT=%{d}.example.net", FINE},
    {"v=spf1 redirect=", 16},
    {"v=spf1 redirect:example.net", 7},
    {"v=spf1 redirect", 7},
    {"v=spf1 redirect=example", 23},
    {"v=spf1 redirect=example.net/24", 30},
    {"v=spf1 redirect=a.example redirect=b.example", 26},
    {"v=spf1 exp=why.example", FINE},
    {"v=spf1 exp=", 11},
    {"v=spf1 exp=why.example -all Exp=why.example", 28},
    {"v=spf1 -exp=why.example", 7},
    {"v=spf1 foo=1 foo=1", FINE},
    {"v=spf1 -all redirect=example.net exp=why.example", FINE},
    {"v=spf1 ip4:192.0.2.1 -all moo", 26}, /* behind what would have matched */
};

static struct arena *arena;

static void test_table(void **state)
{
    (void)state;
    assert_true(sizeof rows / sizeof *rows > 100);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sender_record record;
        struct sender_fault fault;
        int result = sender_record_parse(arena, span_of(rows[i].text), &record, &fault);
        int at = result == 0 ? FINE : (int)fault.at;
        if (at != rows[i].at || (result != 0) != (fault.what != NULL))
            fail_msg("\"%s\": %d (%s), not %d", rows[i].text, at, fault.what ? fault.what : "fine", rows[i].at);
    }
}

/* Every cut of a sound record is handled, wherever it is; its bytes stand at the very end of their memory. */
static void test_cuts(void **state)
{
    (void)state;
    static const char text[] = "v=spf1 a:%{d2r.}.example/24//64 ip4:192.0.2.0/24 ip6:::1/128 exp=%{i}.example -all";
    for (size_t len = 0; len < sizeof text; len++) {
        char *copy = test_malloc(len + 1);
        struct sender_record record;
        struct sender_fault fault;
        memcpy(copy + 1, text, len);
        if (sender_record_parse(arena, (struct span){copy + 1, len}, &record, &fault) != 0)
            assert_true(fault.at <= len);
        test_free(copy);
    }
}

static void test_values(void **state)
{
    (void)state;
    struct sender_record record;
    struct sender_fault fault;
    assert_int_equal(sender_record_parse(arena,
                                         span_of("v=spf1 a:%{d}/24//64 ~mx/16 ?ip4:192.0.2.0/28 -include:b.example. "
                                                 "redirect=c.example exp=d.example"),
                                         &record, &fault),
                     0);
    assert_int_equal(record.count, 4);
    assert_int_equal(record.terms[0].mechanism, SENDER_A);
    assert_int_equal(record.terms[0].qualifier, '+');
    assert_string_equal(record.terms[0].target, "%{d}");
    assert_int_equal(record.terms[0].bits4, 24);
    assert_int_equal(record.terms[0].bits6, 64);
    assert_int_equal(record.terms[1].mechanism, SENDER_MX);
    assert_int_equal(record.terms[1].qualifier, '~');
    assert_null(record.terms[1].target);
    assert_int_equal(record.terms[1].bits4, 16);
    assert_int_equal(record.terms[1].bits6, 128);
    assert_int_equal(record.terms[2].bits4, 28);
    assert_memory_equal(record.terms[2].network, "\xc0\x00\x02\x00", 4);
    assert_string_equal(record.terms[3].text, "-include:b.example.");
    assert_string_equal(record.redirect, "c.example");
    assert_string_equal(record.exp, "d.example");
    assert_true(sender_record_is(span_of("V=spf1")));
    assert_false(sender_record_is(span_of("v=spf1.")));
}

static const char *expand(const char *text, enum sender_macro_kind kind, const char *client, const char *local)
{
    struct sender_macro_values values = {.local = local,       .origin = "email.example.com",
                                         .domain = "sub.email.example.com", .helo = "mx.example.org",
                                         .receiver = "here.example", .now = 1700000000};
    size_t at;
    assert_int_equal(netaddr_parse(client, &values.client), 0);
    const char *wrong = sender_macro_check(span_of(text), kind, &at);
    if (wrong)
        fail_msg("%s: %s", text, wrong);
    return sender_macro_expand(arena, text, kind, &values);
}

/* RFC 7208 7.4, and what is not shown there. */
static void test_macros(void **state)
{
    (void)state;
    static const struct {
        const char *text, *client, *expected;
    } table[] = {
        {"%{s}", "192.0.2.3", "strong-bad@email.example.com"},
        {"%{o}", "192.0.2.3", "email.example.com"},
        {"%{d}", "192.0.2.3", "sub.email.example.com"},
        {"%{d4}", "192.0.2.3", "sub.email.example.com"},
        {"%{d9}", "192.0.2.3", "sub.email.example.com"},
        {"%{d2}", "192.0.2.3", "example.com"},
        {"%{d1}", "192.0.2.3", "com"},
        {"%{dr}", "192.0.2.3", "com.example.email.sub"},
        {"%{d2r}", "192.0.2.3", "email.sub"},
        {"%{l}", "192.0.2.3", "strong-bad"},
        {"%{l-}", "192.0.2.3", "strong.bad"},
        {"%{lr}", "192.0.2.3", "strong-bad"},
        {"%{lr-}", "192.0.2.3", "bad.strong"},
        {"%{l1r-}", "192.0.2.3", "strong"},
        {"%{ir}.%{v}._spf.%{d2}", "192.0.2.3", "3.2.0.192.in-addr._spf.example.com"},
        {"%{lr-}.lp._spf.%{d2}", "192.0.2.3", "bad.strong.lp._spf.example.com"},
        {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "192.0.2.3", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
        {"%{d2}.trusted-domains.example.net.", "192.0.2.3", "example.com.trusted-domains.example.net"},
        {"%{ir}.%{v}._spf.%{d2}", "2001:db8::cb01",
         "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com"},
        {"%{i}.x.example", "::ffff:192.0.2.3", "192.0.2.3.x.example"},
        {"%{h}", "192.0.2.3", "mx.example.org"},
        {"%{p}", "192.0.2.3", "unknown"},
        {"%{i999999999999}", "192.0.2.3", "192.0.2.3"},
        {"a%%b%_c%-d.example", "192.0.2.3", "a%b c%20d.example"},
        {"%{S}", "192.0.2.3", "strong-bad%40email.example.com"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_string_equal(expand(table[i].text, SENDER_MACRO_DOMAIN, table[i].client, "strong-bad"),
                            table[i].expected);
    assert_string_equal(expand("at %{t} by %{r}: %{c} %{C}!", SENDER_MACRO_TEXT, "2001:db8::1", "x"),
                        "at 1700000000 by here.example: 2001:db8::1 2001%3Adb8%3A%3A1!");
    assert_string_equal(expand("%{L}", SENDER_MACRO_TEXT, "192.0.2.3", "a b/c~d\xff&%"), "a%20b%2Fc~d%FF%26%25");
    assert_string_equal(expand("%{l+=}", SENDER_MACRO_TEXT, "192.0.2.3", "a+b=c"), "a.b.c");
    assert_string_equal(expand("%{l2r+}", SENDER_MACRO_TEXT, "192.0.2.3", "a++b"), ".a");
}

/* Over 253 octets: whole labels are left out from the left (RFC 7208 7.3). */
static void test_truncation(void **state)
{
    (void)state;
    char local[512];
    for (size_t i = 0; i < 300; i++)
        local[i] = i % 10 == 9 ? '.' : 'a';
    local[300] = '\0';
    const char *name = expand("%{l}.b.example", SENDER_MACRO_DOMAIN, "192.0.2.3", local);
    assert_in_range(strlen(name), 243, 253);
    assert_memory_equal(name, "aaaaaaaaa.", 10);
    assert_string_equal(name + strlen(name) - 10, ".b.example");
    memset(local, '.', 511); /* more parts than anybody has */
    local[511] = '\0';
    assert_true(strlen(expand("%{lr}.%{l}.b.example", SENDER_MACRO_DOMAIN, "192.0.2.3", local)) <= 253);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_cuts),
                                       cmocka_unit_test(test_values), cmocka_unit_test(test_macros),
                                       cmocka_unit_test(test_truncation)};
    arena = arena_create(4096);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_destroy(arena);
    return failed;
}
