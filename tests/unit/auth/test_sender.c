/* check_host() with both engines over a table instead of the DNS; and the Received field of a relay. */
#include "unit.h"

#include "auth/received.h"
#include "auth/sender.h"
#include "util/clock.h"
#include <stdio.h>

static struct arena *arena;

#define TXT(name, text) {name, DNS_TXT, DNS_ANSWER, text}
#define A(name, text) {name, DNS_A, DNS_ANSWER, text}
#define MX(name, text) {name, DNS_MX, DNS_ANSWER, text}

static const struct dns_fake_row zone[] = {
    TXT("plain.example", "v=spf1 ip4:192.0.2.0/28 -all"),
    TXT("soft.example", "v=spf1 ~all"),
    TXT("neutral.example", "v=spf1 ?all"),
    TXT("open.example", "v=spf1"),
    TXT("everybody.example", "v=spf1 ip4:0.0.0.0/0 -all"),
    TXT("other.example", "google-site-verification=1"),
    TXT("other.example", "v=spf1 +all"),
    TXT("other.example", "v=spf10 -all"),
    TXT("two.example", "v=spf1 +all"),
    TXT("two.example", "V=SPF1 -all"),
    TXT("bad.example", "v=spf1 ip4:192.0.2.1 nonsense -all"),
    A("noword.example", "192.0.2.1"),
    {"dead.example", DNS_TXT, DNS_SERVFAIL, NULL},
    {"slow.example", DNS_TXT, DNS_TIMEOUT, NULL},
    {"forged.example", DNS_TXT, DNS_BOGUS, NULL},
    /* a */
    TXT("a.example", "v=spf1 a -all"),
    A("a.example", "192.0.2.7"),
    {"a.example", DNS_AAAA, DNS_ANSWER, "2001:db8::7"},
    TXT("a24.example", "v=spf1 a:a.example/24//64 -all"),
    TXT("a0.example", "v=spf1 a:a.example/0 -all"),
    TXT("adead.example", "v=spf1 a:hostdead.example -all"),
    {"hostdead.example", DNS_A, DNS_SERVFAIL, NULL},
    TXT("alias.example", "v=spf1 a:cname.example -all"),
    {"cname.example", DNS_CNAME, DNS_ANSWER, "a.example"},
    TXT("first.example", "v=spf1 ip4:192.0.2.1 a:hostdead.example -all"),
    /* mx */
    TXT("mx.example", "v=spf1 mx -all"),
    MX("mx.example", "10 a.example"),
    MX("mx.example", "20 b.example"),
    A("b.example", "192.0.2.9"),
    TXT("mxnull.example", "v=spf1 mx -all"),
    MX("mxnull.example", "0 "),
    TXT("mx11.example", "v=spf1 mx -all"),
    MX("mx11.example", "1 m1.example"), MX("mx11.example", "2 m2.example"), MX("mx11.example", "3 m3.example"),
    MX("mx11.example", "4 m4.example"), MX("mx11.example", "5 m5.example"), MX("mx11.example", "6 m6.example"),
    MX("mx11.example", "7 m7.example"), MX("mx11.example", "8 m8.example"), MX("mx11.example", "9 m9.example"),
    MX("mx11.example", "10 m10.example"), MX("mx11.example", "11 m11.example"),
    A("m1.example", "192.0.2.1"),
    /* ptr */
    TXT("ptr.example", "v=spf1 ptr -all"),
    {"7.2.0.192.in-addr.arpa", DNS_PTR, DNS_ANSWER, "liar.ptr.example"},
    {"7.2.0.192.in-addr.arpa", DNS_PTR, DNS_ANSWER, "host.ptr.example"},
    A("liar.ptr.example", "198.51.100.1"),
    A("host.ptr.example", "192.0.2.7"),
    {"8.2.0.192.in-addr.arpa", DNS_PTR, DNS_ANSWER, "host.notptr.example"},
    A("host.notptr.example", "192.0.2.8"),
    {"9.2.0.192.in-addr.arpa", DNS_PTR, DNS_SERVFAIL, NULL},
    /* exists and macros */
    TXT("exists.example", "v=spf1 exists:%{ir}.%{l}.%{v}.list.example -all"),
    A("7.2.0.192.joe.in-addr.list.example", "127.0.0.2"),
    TXT("helo.example", "v=spf1 exists:%{h}.ok.example -all"),
    A("mail.client.example.ok.example", "127.0.0.2"),
    TXT("p.example", "v=spf1 exists:%{p}.ok.example -all"),
    A("host.ptr.example.ok.example", "127.0.0.2"),
    TXT("unsound.example", "v=spf1 a:%{l}..example a:a.example -all"),
    /* include */
    TXT("inc.example", "v=spf1 include:plain.example ~all"),
    TXT("incsoft.example", "v=spf1 include:soft.example -all"),
    TXT("incnone.example", "v=spf1 include:noword.example -all"),
    TXT("incbad.example", "v=spf1 include:bad.example -all"),
    TXT("incdead.example", "v=spf1 include:dead.example -all"),
    TXT("inctwo.example", "v=spf1 include:two.example -all"),
    TXT("loop.example", "v=spf1 include:loop.example -all"),
    /* the three providers of one customer */
    TXT("three.example", "v=spf1 include:plain.example include:open.example include:mx.example -all"),
    /* redirect */
    TXT("red.example", "v=spf1 redirect=plain.example"),
    TXT("redall.example", "v=spf1 redirect=plain.example ~all"),
    TXT("rednone.example", "v=spf1 redirect=noword.example"),
    TXT("redloop.example", "v=spf1 redirect=redloop.example"),
    /* exp */
    TXT("exp.example", "v=spf1 -all exp=why.example"),
    TXT("why.example", "%{i} may not send for %{s}, see http://x.example/?s=%{S}"),
    TXT("exp2.example", "v=spf1 -all exp=why2.example"),
    TXT("why2.example", "one"), TXT("why2.example", "two"),
    TXT("expbad.example", "v=spf1 -all exp=whybad.example"),
    TXT("whybad.example", "%{x}"),
    TXT("exp8.example", "v=spf1 -all exp=why8.example"),
    TXT("why8.example", "nicht erw\xc3\xbcnscht"),
    TXT("expinc.example", "v=spf1 include:exp.example -all"),
    TXT("expred.example", "v=spf1 redirect=exp.example exp=why2.example"),
    TXT("expline.example", "v=spf1 -all exp=whyline.example"),
    TXT("whyline.example", "for %{l}"),
    /* limits */
    TXT("ten.example", "v=spf1 a:a.example a:a.example a:a.example a:a.example a:a.example a:a.example a:a.example "
                       "a:a.example a:a.example a:a.example -all"),
    TXT("eleven.example", "v=spf1 a:a.example a:a.example a:a.example a:a.example a:a.example a:a.example a:a.example "
                          "a:a.example a:a.example a:a.example a:a.example -all"),
    TXT("chain.example", "v=spf1 include:chain5.example a:a.example a:a.example a:a.example a:a.example a:a.example -all"),
    TXT("chain5.example", "v=spf1 a:a.example a:a.example a:a.example a:a.example a:a.example ?all"),
    TXT("void2.example", "v=spf1 a:gone1.example a:gone2.example ip4:192.0.2.7 -all"),
    TXT("void3.example", "v=spf1 a:gone1.example exists:gone2.example mx:gone3.example ip4:192.0.2.7 -all"),
    TXT("xn--bcher-kva.example", "v=spf1 ip4:192.0.2.7 -all"),
};

static struct sender_answer ask(enum sender_engine engine, const char *client, const char *address, unsigned queries)
{
    struct dns *dns = dns_create_fake(zone, sizeof zone / sizeof *zone);
    struct dns_budget budget = {clock_monotonic_us() + 10000000, 1000000, queries};
    struct sender_query query = {.dns = dns, .budget = &budget, .arena = arena, .helo = "mail.client.example",
                                 .receiver = "here.example", .now = 1700000000, .void_limit = 2};
    struct sender_answer answer;
    assert_int_equal(netaddr_parse(client, &query.client), 0);
    sender_split(arena, address, query.helo, &query.local, &query.domain);
    sender_check(engine, &query, &answer);
    dns_destroy(dns);
    return answer;
}

static const struct {
    const char *address, *client;
    enum auth_result result;
    const char *term;
    int lookups, voids;
    bool not_libspf2; /* known to differ: RFC 7208 is on our side */
} rows[] = {
    {"joe@plain.example", "192.0.2.7", AUTH_PASS, "ip4:192.0.2.0/28", 0, 0, false},
    {"joe@PLAIN.example.", "192.0.2.7", AUTH_PASS, "ip4:192.0.2.0/28", 0, 0, false},
    {"joe@plain.example", "::ffff:192.0.2.7", AUTH_PASS, "ip4:192.0.2.0/28", 0, 0, false},
    {"joe@plain.example", "192.0.2.16", AUTH_FAIL, "-all", 0, 0, false},
    {"joe@plain.example", "2001:db8::7", AUTH_FAIL, "-all", 0, 0, false},
    {"plain.example", "192.0.2.7", AUTH_PASS, "ip4:192.0.2.0/28", 0, 0, false},
    {"@plain.example", "192.0.2.7", AUTH_PASS, "ip4:192.0.2.0/28", 0, 0, false},
    {"joe@soft.example", "192.0.2.7", AUTH_SOFTFAIL, "~all", 0, 0, false},
    {"joe@neutral.example", "192.0.2.7", AUTH_NEUTRAL, "?all", 0, 0, false},
    {"joe@open.example", "192.0.2.7", AUTH_NEUTRAL, NULL, 0, 0, false},
    {"joe@everybody.example", "192.0.2.7", AUTH_PASS, "ip4:0.0.0.0/0", 0, 0, true},
    {"joe@plain.example", "127.0.0.1", AUTH_FAIL, "-all", 0, 0, false}, /* libspf2 would pass it unseen */
    {"joe@other.example", "192.0.2.7", AUTH_PASS, "+all", 0, 0, false},
    {"joe@two.example", "192.0.2.7", AUTH_PERMERROR, NULL, 0, 0, false},
    {"joe@bad.example", "192.0.2.1", AUTH_PERMERROR, NULL, 0, 0, false},
    {"joe@noword.example", "192.0.2.7", AUTH_NONE, NULL, 0, 0, false},
    {"joe@gone.example", "192.0.2.7", AUTH_NONE, NULL, 0, 0, false},
    {"joe@localhost", "192.0.2.7", AUTH_NONE, NULL, 0, 0, false},
    {"joe@[192.0.2.7]", "192.0.2.7", AUTH_NONE, NULL, 0, 0, false},
    {"joe@a..example", "192.0.2.7", AUTH_NONE, NULL, 0, 0, false},
    {"", "192.0.2.7", AUTH_NONE, NULL, 0, 0, false}, /* mail.client.example has no record */
    {"joe@dead.example", "192.0.2.7", AUTH_TEMPERROR, NULL, 0, 0, false},
    {"joe@slow.example", "192.0.2.7", AUTH_TEMPERROR, NULL, 0, 0, false},
    {"joe@forged.example", "192.0.2.7", AUTH_TEMPERROR, NULL, 0, 0, false},
    {"joe@a.example", "192.0.2.7", AUTH_PASS, "a", 1, 0, false},
    {"joe@a.example", "2001:db8::7", AUTH_PASS, "a", 1, 0, false},
    {"joe@a.example", "2001:db8::8", AUTH_FAIL, "-all", 1, 0, false},
    {"joe@a24.example", "192.0.2.99", AUTH_PASS, "a:a.example/24//64", 1, 0, false},
    {"joe@a24.example", "2001:db8::99", AUTH_PASS, "a:a.example/24//64", 1, 0, false},
    {"joe@a24.example", "2001:db8:1::7", AUTH_FAIL, "-all", 1, 0, false},
    {"joe@a0.example", "198.51.100.1", AUTH_PASS, "a:a.example/0", 1, 0, true},
    {"joe@adead.example", "192.0.2.7", AUTH_TEMPERROR, NULL, 1, 0, false},
    {"joe@alias.example", "192.0.2.7", AUTH_PASS, "a:cname.example", 1, 0, false},
    {"joe@first.example", "192.0.2.1", AUTH_PASS, "ip4:192.0.2.1", 0, 0, false},
    {"joe@mx.example", "192.0.2.9", AUTH_PASS, "mx", 1, 0, false},
    {"joe@mx.example", "192.0.2.10", AUTH_FAIL, "-all", 1, 0, false},
    {"joe@mxnull.example", "192.0.2.10", AUTH_FAIL, "-all", 1, 0, true},
    {"joe@mx11.example", "192.0.2.1", AUTH_PERMERROR, NULL, 1, 0, true},
    {"joe@ptr.example", "192.0.2.7", AUTH_PASS, "ptr", 1, 0, false},
    {"joe@ptr.example", "192.0.2.8", AUTH_FAIL, "-all", 1, 0, false},
    {"joe@ptr.example", "192.0.2.9", AUTH_FAIL, "-all", 1, 0, true},
    {"joe@ptr.example", "192.0.2.10", AUTH_FAIL, "-all", 1, 1, true},
    {"joe@exists.example", "192.0.2.7", AUTH_PASS, "exists:%{ir}.%{l}.%{v}.list.example", 1, 0, false},
    {"ann@exists.example", "192.0.2.7", AUTH_FAIL, "-all", 1, 1, false},
    {"joe@helo.example", "192.0.2.7", AUTH_PASS, "exists:%{h}.ok.example", 1, 0, false},
    {"joe@p.example", "192.0.2.7", AUTH_PASS, "exists:%{p}.ok.example", 1, 0, true},
    {"joe@unsound.example", "192.0.2.7", AUTH_PASS, "a:a.example", 2, 1, true},
    {"joe@inc.example", "192.0.2.7", AUTH_PASS, "include:plain.example", 1, 0, false},
    {"joe@inc.example", "192.0.2.77", AUTH_SOFTFAIL, "~all", 1, 0, false},
    {"joe@incsoft.example", "192.0.2.77", AUTH_FAIL, "-all", 1, 0, false},
    {"joe@incnone.example", "192.0.2.77", AUTH_PERMERROR, NULL, 1, 0, false},
    {"joe@incbad.example", "192.0.2.77", AUTH_PERMERROR, NULL, 1, 0, false},
    {"joe@incdead.example", "192.0.2.77", AUTH_TEMPERROR, NULL, 1, 0, false},
    {"joe@inctwo.example", "192.0.2.77", AUTH_PERMERROR, NULL, 1, 0, false},
    {"joe@loop.example", "192.0.2.77", AUTH_PERMERROR, NULL, 10, 0, false},
    {"joe@three.example", "192.0.2.9", AUTH_PASS, "include:plain.example", 1, 0, false},
    {"joe@three.example", "198.51.100.9", AUTH_FAIL, "-all", 4, 0, false},
    {"joe@red.example", "192.0.2.7", AUTH_PASS, "ip4:192.0.2.0/28", 1, 0, false},
    {"joe@redall.example", "192.0.2.77", AUTH_SOFTFAIL, "~all", 0, 0, true},
    {"joe@rednone.example", "192.0.2.77", AUTH_PERMERROR, NULL, 1, 0, false},
    {"joe@redloop.example", "192.0.2.77", AUTH_PERMERROR, NULL, 10, 0, false},
    {"joe@ten.example", "198.51.100.1", AUTH_FAIL, "-all", 10, 0, false},
    {"joe@eleven.example", "198.51.100.1", AUTH_PERMERROR, NULL, 10, 0, false},
    {"joe@chain.example", "198.51.100.1", AUTH_PERMERROR, NULL, 10, 0, true}, /* 11 in both records together */
    {"joe@void2.example", "192.0.2.7", AUTH_PASS, "ip4:192.0.2.7", 2, 2, false},
    {"joe@void3.example", "192.0.2.7", AUTH_PERMERROR, NULL, 3, 3, false},
    {"joe@b\xc3\xbc" "cher.example", "192.0.2.7", AUTH_PASS, "ip4:192.0.2.7", 0, 0, false},
};

static void check(size_t i, enum sender_engine engine)
{
    struct sender_answer answer = ask(engine, rows[i].client, rows[i].address, 100);
    if (answer.result != rows[i].result)
        fail_msg("%s %s: %s (%s), not %s", rows[i].address, rows[i].client, auth_result_name(answer.result),
                 answer.reason ? answer.reason : "", auth_result_name(rows[i].result));
    bool is_error = answer.result == AUTH_PERMERROR || answer.result == AUTH_TEMPERROR || answer.result == AUTH_FAIL;
    if (is_error && !answer.reason)
        fail_msg("%s %s: no reason", rows[i].address, rows[i].client);
    if (engine == SENDER_LIBSPF2)
        return;
    const char *term = answer.term ? answer.term : "(none)", *wanted = rows[i].term ? rows[i].term : "(none)";
    if (strcmp(term, wanted) != 0 || (int)answer.lookups != rows[i].lookups || (int)answer.void_lookups != rows[i].voids)
        fail_msg("%s %s: %s, %u look-ups, %u void", rows[i].address, rows[i].client, term, answer.lookups,
                 answer.void_lookups);
}

static void test_builtin(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(i, SENDER_BUILTIN);
}

static void test_libspf2(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!rows[i].not_libspf2)
            check(i, SENDER_LIBSPF2);
    }
}

static void test_explanation(void **state)
{
    (void)state;
    static const struct {
        const char *address, *text; /* NULL: none */
    } table[] = {
        {"joe@exp.example",
         "192.0.2.7 may not send for joe@exp.example, see http://x.example/?s=joe%40exp.example"},
        {"joe@exp2.example", NULL},
        {"joe@expbad.example", NULL},
        {"joe@exp8.example", NULL},
        {"joe@expinc.example", NULL},
        {"joe@expred.example",
         "192.0.2.7 may not send for joe@expred.example, see http://x.example/?s=joe%40expred.example"},
        {"j\r\n250 \x01\xffoe@expline.example", "for j??250 ??oe"},
        {"joe@inc.example", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (enum sender_engine engine = SENDER_BUILTIN; engine <= SENDER_LIBSPF2; engine++) {
            const char *text = ask(engine, "192.0.2.7", table[i].address, 100).explanation;
            if ((text == NULL) != (table[i].text == NULL) || (text && strcmp(text, table[i].text) != 0))
                fail_msg("%s: %s", table[i].address, text ? text : "(none)");
        }
    }
}

/* Out of queries is a temperror, for either engine, wherever it happens. */
static void test_budget(void **state)
{
    (void)state;
    for (enum sender_engine engine = SENDER_BUILTIN; engine <= SENDER_LIBSPF2; engine++) {
        for (unsigned queries = 0; queries < 3; queries++)
            assert_int_equal(ask(engine, "198.51.100.9", "joe@three.example", queries).result, AUTH_TEMPERROR);
    }
    assert_int_equal(ask(SENDER_BUILTIN, "198.51.100.9", "joe@three.example", 7).result, AUTH_FAIL);
}

/* What is asked, and in which order: type 99 never, and nothing once a term matched. */
static void test_questions(void **state)
{
    (void)state;
    struct dns *dns = dns_create_fake(zone, sizeof zone / sizeof *zone);
    struct dns_budget budget = {clock_monotonic_us() + 10000000, 1000000, 100};
    struct sender_query query = {.dns = dns, .budget = &budget, .arena = arena, .local = "joe",
                                 .domain = "three.example", .void_limit = 2};
    struct sender_answer answer;
    netaddr_parse("192.0.2.9", &query.client);
    sender_check(SENDER_BUILTIN, &query, &answer);
    assert_string_equal(dns_fake_log(dns), "three.example TXT plain.example TXT");
    dns_destroy(dns);
    dns = query.dns = dns_create_fake(zone, sizeof zone / sizeof *zone);
    sender_check(SENDER_LIBSPF2, &query, &answer);
    assert_null(strstr(dns_fake_log(dns), "?"));
    query.client.family = AF_UNSPEC;
    sender_check(SENDER_BUILTIN, &query, &answer);
    assert_int_equal(answer.result, AUTH_NONE);
    dns_destroy(dns);
}

static void test_received(void **state)
{
    (void)state;
    static const struct {
        const char *value, *client, *helo; /* NULL: not understood */
    } table[] = {
        {" from mail.a.example (host.a.example [192.0.2.1])\r\n\tby mx (Postfix)", "192.0.2.1", "mail.a.example"},
        {" from mail.a.example (unknown [IPv6:2001:db8::1]) by mx", "2001:db8::1", "mail.a.example"},
        {" from [192.0.2.9] (unknown [192.0.2.1]) by mx", "192.0.2.1", "[192.0.2.9]"},
        {" from a (IDENT:[192.0.2.9]@h [192.0.2.1] (may be forged)) by mx", "192.0.2.1", "a"},
        {" from h.example ([192.0.2.1] helo=[192.0.2.9]) by mx", "192.0.2.1", "[192.0.2.9]"},
        {" from h.example ([192.0.2.1]:2525 helo=a.example) by mx", "192.0.2.1", "a.example"},
        {" from [192.0.2.1] (helo=a.example) by mx", "192.0.2.1", "a.example"},
        {" from h.example ([192.0.2.1]) by mx", "192.0.2.1", "h.example"},
        {" from a\r\n\t(h [192.0.2.1])", "192.0.2.1", "a"},
        {" FROM a (h [192.0.2.1]) (Authenticated [192.0.2.9])", "192.0.2.1", "a"},
        {" from a by mx (h [192.0.2.1])", NULL, NULL},
        {" from a (h 192.0.2.1) by mx", NULL, NULL},
        {" from a (h [192.0.2.1]", NULL, NULL},
        {" from a (h [192.0.2)", NULL, NULL},
        {" from a (h [192.0.2.1.2])", NULL, NULL},
        {" from a (h [1234567890123456789012345678901234567890123456789])", NULL, NULL},
        {" from (h [192.0.2.1])", NULL, NULL},
        {" from a )(h [192.0.2.1])", NULL, NULL},
        {" by mx (Postfix, from userid 0)", NULL, NULL},
        {" from", NULL, NULL},
        {"", NULL, NULL},
        {" from a (\\", NULL, NULL},
        {" from a ()", NULL, NULL},
        {" from a ([192.0.2.1] () )", "192.0.2.1", "a"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct netaddr client, wanted;
        const char *helo;
        int result = received_parse(arena, span_of(table[i].value), &client, &helo);
        if ((result == 0) != (table[i].client != NULL))
            fail_msg("\"%s\": %d", table[i].value, result);
        if (result != 0)
            continue;
        netaddr_parse(table[i].client, &wanted);
        if (!netaddr_equal(&client, &wanted) || strcmp(helo, table[i].helo) != 0)
            fail_msg("\"%s\": %s", table[i].value, helo);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_builtin),   cmocka_unit_test(test_libspf2),
                                       cmocka_unit_test(test_explanation), cmocka_unit_test(test_budget),
                                       cmocka_unit_test(test_questions), cmocka_unit_test(test_received)};
    arena = arena_create(4096);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_destroy(arena);
    return failed;
}
