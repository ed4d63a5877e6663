/* helo: the policy as a table, then the hooks with a fake DNS. */
#include "unit.h"

#include "checks/helo.h"
#include "util/clock.h"
#include <stdio.h>
#include <string.h>

#define L10 "abcdefghij"
#define L63 L10 L10 L10 L10 L10 L10 "abc"
#define L64 L63 "d"
#define NAME253 L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 L10 "a" /* 3 * 64 + 61 */
#define NAME254 L63 "." L63 "." L63 "." L10 L10 L10 L10 L10 L10 "ab"

static struct arena *arena;
static struct domain_set *banned, *local_domains;
static const struct template *reply;

static int set_up(void **state)
{
    (void)state;
    const char *why;
    arena = arena_create(1024);
    banned = domain_set_create(arena);
    domain_set_add(banned, "fakedomain.xyz");
    domain_set_add(banned, ".bad.example");
    domain_set_add(banned, "friend");
    local_domains = domain_set_create(arena);
    domain_set_add(local_domains, "example.net");
    domain_set_add(local_domains, ".example.net");
    reply = template_parse(arena, "550 5.7.1 <{rcpt}>... Access denied - bogus HELO [{helo}] from {client}",
                           "rcpt helo client", "5", &why);
    return reply ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

/* The defaults, but for the banned list. */
static struct helo_options defaults(void)
{
    return (struct helo_options){.missing = true, .syntax = true, .bare_ip = true, .localhost = true, .not_fqdn = true,
                                 .self = true, .literals = HELO_LITERALS_REJECT, .banned = banned, .reply = reply};
}

static struct helo_facts stranger(const char *helo)
{
    struct helo_facts facts = {.helo = helo, .is_stranger = true, .hostname = "mx.provider.example",
                               .local_domains = local_domains};
    netaddr_parse("192.0.2.1", &facts.client);
    return facts;
}

static void expect(const char *what, const struct helo_options *options, const struct helo_facts *facts,
                   enum helo_rule rule)
{
    enum helo_rule got = helo_judge(options, facts);
    if (got != rule)
        fail_msg("%s [%s]: %s, not %s", what, facts->helo ? facts->helo : "(none)",
                 got ? helo_rule_why(got) : "ok", rule ? helo_rule_why(rule) : "ok");
}

static void test_defaults(void **state)
{
    (void)state;
    static const struct {
        const char *helo;
        enum helo_rule rule;
    } rows[] = {
        /* what the provider's page says */
        {"127.0.0.1", HELO_BARE_IP},
        {"[127.0.0.1]", HELO_LITERAL},
        {"localhost", HELO_LOCALHOST},
        {"www", HELO_NOT_FQDN},
        {"server", HELO_NOT_FQDN},
        {"fakedomain.xyz", HELO_BANNED},
        /* none */
        {NULL, HELO_MISSING},
        {"", HELO_MISSING},
        /* names that must pass */
        {"mail.example.org", HELO_OK},
        {"MAIL.EXAMPLE.ORG", HELO_OK},
        {"Mail.Example.Org", HELO_OK},
        {"mail.example.org.", HELO_OK},
        {"example.org", HELO_OK},
        {"a.b", HELO_OK},
        {"mail_out.example.org", HELO_OK},
        {"_smtp.example.org", HELO_OK},
        {"mail-1.example.org", HELO_OK},
        {"3com.com", HELO_OK},
        {"1.mail.example.org", HELO_OK},
        {"123.example.org", HELO_OK},
        {"192-0-2-1.dynamic.example.org", HELO_OK},
        {"dsl-192.0.2.1.example.org", HELO_OK},
        {"192.0.2.1.example.org", HELO_OK},
        {"exch01.corp.local", HELO_OK},
        {"mail.internal", HELO_OK},
        {"xn--bcher-kva.example", HELO_OK},
        {"b\xc3\xbc" "cher.example", HELO_OK},
        {"B\xc3\x9c" "CHER.EXAMPLE", HELO_OK},
        {"mail.\xe4\xbe\x8b\xe3\x81\x88.example", HELO_OK},
        {L63 ".example", HELO_OK},
        {NAME253, HELO_OK},
        {NAME253 ".", HELO_OK},
        {"example.c0m", HELO_OK},
        {"localhost.example.org", HELO_OK},
        {"notlocalhost.org", HELO_OK},
        /* addresses without brackets */
        {"192.0.2.1", HELO_BARE_IP},
        {"192.0.2.1.", HELO_BARE_IP},
        {"0.0.0.0", HELO_BARE_IP},
        {"::1", HELO_BARE_IP},
        {"2001:db8::1", HELO_BARE_IP},
        {"2001:DB8:0:0:0:0:0:1", HELO_BARE_IP},
        {"::ffff:192.0.2.1", HELO_BARE_IP},
        {"IPv6:2001:db8::1", HELO_BARE_IP},
        {"IPV6:2001:db8::1", HELO_BARE_IP},
        /* literals */
        {"[192.0.2.1]", HELO_LITERAL},
        {"[IPv6:2001:db8::1]", HELO_LITERAL},
        {"[ipv6:::1]", HELO_LITERAL},
        {"[IPv6:::ffff:192.0.2.1]", HELO_LITERAL},
        {"[]", HELO_SYNTAX},
        {"[", HELO_SYNTAX},
        {"[192.0.2.1", HELO_SYNTAX},
        {"192.0.2.1]", HELO_SYNTAX},
        {"[192.0.2]", HELO_SYNTAX},
        {"[192.0.2.256]", HELO_SYNTAX},
        {"[192.000.002.001]", HELO_SYNTAX},
        {"[ 192.0.2.1 ]", HELO_SYNTAX},
        {"[192.0.2.1].", HELO_SYNTAX},
        {"[2001:db8::1]", HELO_SYNTAX},
        {"[IPv6:192.0.2.1]", HELO_SYNTAX},
        {"[IPv6:2001:db8::g]", HELO_SYNTAX},
        {"[IPv6:fe80::1%eth0]", HELO_SYNTAX},
        {"[IPv6:]", HELO_SYNTAX},
        {"[x400:foo]", HELO_SYNTAX},
        {"[mail.example.org]", HELO_SYNTAX},
        {"[" L64 "]", HELO_SYNTAX},
        /* no host names */
        {".", HELO_SYNTAX},
        {"..", HELO_SYNTAX},
        {".example.org", HELO_SYNTAX},
        {"mail..example.org", HELO_SYNTAX},
        {"mail.example.org..", HELO_SYNTAX},
        {"-mail.example.org", HELO_SYNTAX},
        {"mail-.example.org", HELO_SYNTAX},
        {"mail.example.org-", HELO_SYNTAX},
        {"mail example.org", HELO_SYNTAX},
        {" mail.example.org", HELO_SYNTAX},
        {"my pc", HELO_SYNTAX},
        {"mail.example.org\t", HELO_SYNTAX},
        {"mail\x01.example.org", HELO_SYNTAX},
        {"mail\x7f.example.org", HELO_SYNTAX},
        {"user@example.org", HELO_SYNTAX},
        {"<mail.example.org>", HELO_SYNTAX},
        {"mail.example.org:25", HELO_SYNTAX},
        {"http://example.org/", HELO_SYNTAX},
        {"*.example.org", HELO_SYNTAX},
        {"mail,example.org", HELO_SYNTAX},
        {"%s%n.example.org", HELO_SYNTAX},
        {"\xff\xfe.example.org", HELO_SYNTAX},
        {"b\xfc" "cher.example", HELO_SYNTAX},
        {"\xc3.example", HELO_SYNTAX},
        {"\xe2\x80\xae" "moc.example", HELO_SYNTAX},
        {L64 ".example", HELO_SYNTAX},
        {NAME254, HELO_SYNTAX},
        {"1.2.3", HELO_SYNTAX},
        {"127.1", HELO_SYNTAX},
        {"192.0.2.256", HELO_SYNTAX},
        {"2130706433", HELO_SYNTAX},
        {"mail.123", HELO_SYNTAX},
        {"mail.123.", HELO_SYNTAX},
        {"\xef\xbc\x91.\xef\xbc\x92.\xef\xbc\x93.\xef\xbc\x94", HELO_SYNTAX}, /* full-width 1.2.3.4 */
        /* localhost */
        {"LOCALHOST", HELO_LOCALHOST},
        {"localhost.", HELO_LOCALHOST},
        {"localhost.localdomain", HELO_LOCALHOST},
        {"LocalHost.LocalDomain", HELO_LOCALHOST},
        {"mail.localhost", HELO_LOCALHOST},
        {"mail.localhost.localdomain", HELO_LOCALHOST},
        /* banned */
        {"FAKEDOMAIN.XYZ", HELO_BANNED},
        {"fakedomain.xyz.", HELO_BANNED},
        {"mail.fakedomain.xyz", HELO_OK},
        {"mail.bad.example", HELO_BANNED},
        {"a.b.bad.example", HELO_BANNED},
        {"bad.example", HELO_OK},
        {"notbad.example", HELO_OK},
        {"friend", HELO_BANNED},
        /* not fully qualified */
        {"www.", HELO_NOT_FQDN},
        {"WIN-5K2J8", HELO_NOT_FQDN},
        {"user_pc", HELO_NOT_FQDN},
        {"b\xc3\xbc" "cher", HELO_NOT_FQDN},
        {L63, HELO_NOT_FQDN},
        {L64, HELO_SYNTAX},
        /* our own names */
        {"mx.provider.example", HELO_SELF},
        {"MX.Provider.Example.", HELO_SELF},
        {"example.net", HELO_SELF},
        {"mail.example.net", HELO_SELF},
        {"provider.example", HELO_OK},
        {"notexample.net", HELO_OK},
    };
    struct helo_options options = defaults();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct helo_facts facts = stranger(rows[i].helo);
        expect("default", &options, &facts, rows[i].rule);
    }
}

/* Each rule switched off, and what then becomes of what it had refused. */
static void test_switches(void **state)
{
    (void)state;
    static const struct {
        const char *helo;
        size_t off; /* the switch */
        enum helo_rule rule;
    } rows[] = {
#define OFF(member) offsetof(struct helo_options, member)
        {NULL, OFF(missing), HELO_OK},
        {"127.0.0.1", OFF(bare_ip), HELO_OK},
        {"2001:db8::1", OFF(bare_ip), HELO_OK},
        {"127.1", OFF(bare_ip), HELO_SYNTAX},
        {"user@example.org", OFF(syntax), HELO_OK},
        {"1.2.3", OFF(syntax), HELO_OK},
        {"my pc", OFF(syntax), HELO_NOT_FQDN},
        {"[192.0.2", OFF(syntax), HELO_LITERAL},
        {"127.0.0.1", OFF(syntax), HELO_BARE_IP},
        {"localhost", OFF(localhost), HELO_OK},
        {"localhost.localdomain", OFF(localhost), HELO_OK},
        {"www", OFF(localhost), HELO_NOT_FQDN},
        {"www", OFF(not_fqdn), HELO_OK},
        {"localhost", OFF(not_fqdn), HELO_LOCALHOST},
        {"friend", OFF(not_fqdn), HELO_BANNED},
        {"example.net", OFF(self), HELO_OK},
        {"mx.provider.example", OFF(self), HELO_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct helo_options options = defaults();
        struct helo_facts facts = stranger(rows[i].helo);
        *(bool *)((char *)&options + rows[i].off) = false;
        expect("switched off", &options, &facts, rows[i].rule);
    }
    struct helo_options options = defaults();
    struct helo_facts facts = stranger("fakedomain.xyz");
    options.banned = NULL;
    expect("no list", &options, &facts, HELO_OK);
}

static void test_literals(void **state)
{
    (void)state;
    static const struct {
        const char *helo, *client;
        enum helo_literals literals;
        enum helo_rule rule;
    } rows[] = {
        {"[192.0.2.1]", "192.0.2.1", HELO_LITERALS_REJECT, HELO_LITERAL},
        {"[192.0.2.1]", "192.0.2.1", HELO_LITERALS_MATCH, HELO_OK},
        {"[192.0.2.2]", "192.0.2.1", HELO_LITERALS_MATCH, HELO_LITERAL},
        {"[192.0.2.1]", NULL, HELO_LITERALS_MATCH, HELO_LITERAL},
        {"[IPv6:2001:db8::1]", "2001:db8:0::1", HELO_LITERALS_MATCH, HELO_OK},
        {"[IPv6:2001:db8::1]", "2001:db8::2", HELO_LITERALS_MATCH, HELO_LITERAL},
        {"[192.0.2.1]", "::ffff:192.0.2.1", HELO_LITERALS_MATCH, HELO_OK},
        {"[IPv6:::ffff:192.0.2.1]", "192.0.2.1", HELO_LITERALS_MATCH, HELO_OK},
        {"[192.0.2.2]", "192.0.2.1", HELO_LITERALS_ACCEPT, HELO_OK},
        {"[192.0.2.256]", "192.0.2.1", HELO_LITERALS_ACCEPT, HELO_SYNTAX},
        {"192.0.2.1", "192.0.2.1", HELO_LITERALS_ACCEPT, HELO_BARE_IP},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct helo_options options = defaults();
        struct helo_facts facts = stranger(rows[i].helo);
        options.literals = rows[i].literals;
        facts.client.family = AF_UNSPEC;
        if (rows[i].client)
            netaddr_parse(rows[i].client, &facts.client);
        expect("literal", &options, &facts, rows[i].rule);
    }
}

static void test_friends_may_use_our_names(void **state)
{
    (void)state;
    struct helo_options options = defaults();
    struct helo_facts facts = stranger("mail.example.net");
    facts.is_stranger = false;
    expect("friend", &options, &facts, HELO_OK);
    facts.helo = "www";
    expect("friend", &options, &facts, HELO_NOT_FQDN);
}

static void test_unresolvable(void **state)
{
    (void)state;
    struct helo_options options = defaults();
    struct helo_facts facts = stranger("gone.example.org");
    facts.lookup = HELO_RESOLVES_NOT;
    expect("off", &options, &facts, HELO_OK);
    options.unresolvable = true;
    expect("on", &options, &facts, HELO_UNRESOLVABLE);
    facts.helo = "www";
    expect("an earlier rule", &options, &facts, HELO_NOT_FQDN);
    facts.helo = "gone.example.org";
    facts.lookup = HELO_RESOLVES;
    expect("found", &options, &facts, HELO_OK);
    facts.lookup = HELO_NOT_LOOKED_UP;
    expect("not asked", &options, &facts, HELO_OK);
}

static void test_combine(void **state)
{
    (void)state;
    static const struct {
        enum dns_outcome outcomes[3];
        enum helo_lookup lookup;
    } rows[] = {
        {{DNS_NXDOMAIN, DNS_NXDOMAIN, DNS_NXDOMAIN}, HELO_RESOLVES_NOT},
        {{DNS_NODATA, DNS_NODATA, DNS_NODATA}, HELO_RESOLVES_NOT},
        {{DNS_NODATA, DNS_NODATA, DNS_ANSWER}, HELO_RESOLVES},
        {{DNS_SERVFAIL, DNS_TIMEOUT, DNS_ANSWER}, HELO_RESOLVES},
        {{DNS_ANSWER, DNS_BOGUS, DNS_BOGUS}, HELO_RESOLVES},
        {{DNS_NXDOMAIN, DNS_SERVFAIL, DNS_NXDOMAIN}, HELO_LOOKUP_FAILED},
        {{DNS_TIMEOUT, DNS_NODATA, DNS_NODATA}, HELO_LOOKUP_FAILED},
        {{DNS_NODATA, DNS_NODATA, DNS_BOGUS}, HELO_LOOKUP_FAILED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(helo_combine(rows[i].outcomes, 3), rows[i].lookup);
}

/* A session with one message and one recipient, as the runner would show them to the hooks. */
struct stage {
    struct helo_options options;
    struct general_settings general;
    struct dns_settings dns;
    struct settings settings;
    struct services services;
    struct session *session;
    struct message message;
    struct dns_budget budget;
    struct recipient recipient;
};

static void stage_open(struct stage *stage)
{
    *stage = (struct stage){.options = defaults(), .dns.timeout = 3000,
                            .recipient.address = "user@example.net"};
    stage->general.local_domains = local_domains;
    stage->settings.general = &stage->general;
    stage->settings.dns = &stage->dns;
    stage->session = session_create();
    netaddr_parse("192.0.2.9", &stage->session->client);
    stage->message.arena = arena;
    stage->budget = (struct dns_budget){clock_monotonic_us() + 20000000, 3000000, 100};
    stage->message.dns_budget = &stage->budget;
}

static void say_helo(struct stage *stage, const char *helo)
{
    stage->session->helo = helo;
    check_helo.on_helo(&(struct check_call){.options = &stage->options, .settings = &stage->settings,
                                            .services = &stage->services, .session = stage->session,
                                            .arena = stage->session->arena, .facts = &stage->session->facts});
}

static struct result say_rcpt(struct stage *stage)
{
    return check_helo.on_rcpt(&(struct check_call){
        .options = &stage->options, .settings = &stage->settings, .services = &stage->services,
        .session = stage->session, .message = &stage->message, .recipient = &stage->recipient, .arena = arena,
        .facts = &stage->message.facts});
}

static void expect_refusal(struct stage *stage, const char *why)
{
    struct result result = say_rcpt(stage);
    assert_int_equal(result.code, RESULT_REJECT);
    assert_string_equal(result.why, why);
}

static void test_hooks(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage);
    say_helo(&stage, "www");
    assert_string_equal(facts_get(&stage.session->facts, "helo.rule")->text, "not-fqdn");
    struct result result = say_rcpt(&stage);
    assert_int_equal(result.code, RESULT_REJECT);
    assert_string_equal(result.why, "helo.not-fqdn");
    assert_string_equal(result.reply,
                        "550 5.7.1 <user@example.net>... Access denied - bogus HELO [www] from 192.0.2.9");
    stage.recipient.is_exempt = true;
    assert_int_equal(say_rcpt(&stage).code, RESULT_DUNNO);
    stage.recipient.is_exempt = false;
    /* the second EHLO replaces the first, and back again */
    say_helo(&stage, "mail.example.org");
    assert_string_equal(facts_get(&stage.session->facts, "helo.rule")->text, "ok");
    assert_int_equal(say_rcpt(&stage).code, RESULT_OK);
    say_helo(&stage, "[127.0.0.1]");
    expect_refusal(&stage, "helo.literal");
    session_destroy(stage.session);
}

static void test_no_helo(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage);
    struct result result = say_rcpt(&stage);
    assert_string_equal(result.why, "helo.missing");
    assert_string_equal(result.reply, "550 5.7.1 <user@example.net>... Access denied - bogus HELO [] from 192.0.2.9");
    stage.session->is_local = true;
    assert_int_equal(say_rcpt(&stage).code, RESULT_DUNNO);
    session_destroy(stage.session);
}

/* EHLO comes before AUTH: the name that was a stranger's at EHLO is no forgery afterwards. */
static void test_self_and_auth(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage);
    say_helo(&stage, "mail.example.net");
    expect_refusal(&stage, "helo.self");
    stage.session->login = "user";
    assert_int_equal(say_rcpt(&stage).code, RESULT_OK);
    session_destroy(stage.session);
}

static void test_memory_of_many_helos(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage);
    say_helo(&stage, "www");
    size_t before = arena_size(stage.session->arena);
    for (int i = 0; i < 10000; i++)
        say_helo(&stage, "www");
    assert_int_equal(arena_size(stage.session->arena), before);
    session_destroy(stage.session);
}

static void test_dns_rule(void **state)
{
    (void)state;
    static const struct dns_fake_row table[] = {
        {"mx-only.example.org", DNS_MX, DNS_ANSWER, "10 mx.example.org"},
        {"six.example.org", DNS_AAAA, DNS_ANSWER, "2001:db8::1"},
        {"broken.example.org", DNS_A, DNS_SERVFAIL, NULL},
        {"half.example.org", DNS_A, DNS_TIMEOUT, NULL},
        {"half.example.org", DNS_MX, DNS_ANSWER, "10 mx.example.org"},
        {"empty.example.org", DNS_A, DNS_NODATA, NULL},
        {"xn--bcher-kva.example", DNS_A, DNS_ANSWER, "192.0.2.1"},
    };
    static const struct {
        const char *helo;
        enum result_code code;
        const char *fact;
    } rows[] = {{"mx-only.example.org", RESULT_OK, "resolves"},    {"SIX.example.org.", RESULT_OK, "resolves"},
                {"half.example.org", RESULT_OK, "resolves"},       {"gone.example.org", RESULT_REJECT, "unresolvable"},
                {"empty.example.org", RESULT_REJECT, "unresolvable"}, {"broken.example.org", RESULT_ERROR, "failed"},
                {"b\xc3\xbc" "cher.example", RESULT_OK, "resolves"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stage stage;
        stage_open(&stage);
        stage.options.unresolvable = true;
        stage.services.dns = dns_create_fake(table, sizeof table / sizeof *table);
        say_helo(&stage, rows[i].helo);
        assert_null(facts_get(&stage.session->facts, "helo.lookup")); /* not before RCPT */
        struct result result = say_rcpt(&stage);
        if (result.code != rows[i].code)
            fail_msg("%s: %d", rows[i].helo, result.code);
        assert_string_equal(facts_get(&stage.message.facts, "helo.lookup")->text, rows[i].fact);
        /* the second recipient is answered without asking again */
        dns_destroy(stage.services.dns);
        stage.services.dns = dns_create_fake(NULL, 0);
        assert_int_equal(say_rcpt(&stage).code, rows[i].code);
        if (rows[i].code == RESULT_REJECT)
            expect_refusal(&stage, "helo.unresolvable");
        dns_destroy(stage.services.dns);
        session_destroy(stage.session);
    }
}

static void test_dns_not_needed(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage);
    say_helo(&stage, "gone.example.org");
    assert_int_equal(say_rcpt(&stage).code, RESULT_OK); /* the rule is off, there is no resolver */
    stage.options.unresolvable = true;
    stage.options.literals = HELO_LITERALS_ACCEPT;
    say_helo(&stage, "[192.0.2.9]");
    assert_int_equal(say_rcpt(&stage).code, RESULT_OK); /* a literal has no name */
    say_helo(&stage, "www");
    expect_refusal(&stage, "helo.not-fqdn");
    assert_null(facts_get(&stage.message.facts, "helo.lookup"));
    say_helo(&stage, "gone.example.org");
    assert_int_equal(say_rcpt(&stage).code, RESULT_ERROR);
    session_destroy(stage.session);
}

/* Each rule has one token of its own. */
static void test_tokens(void **state)
{
    (void)state;
    assert_null(helo_rule_why(HELO_OK));
    for (enum helo_rule rule = HELO_MISSING; rule <= HELO_UNRESOLVABLE; rule++)
        assert_ptr_equal(helo_rule_why(rule), check_helo.whys[rule - HELO_MISSING].token);
    assert_null(check_helo.whys[HELO_UNRESOLVABLE].token);
    assert_string_equal(helo_rule_why(HELO_SELF), "helo.self");
    assert_string_equal(helo_rule_why(HELO_UNRESOLVABLE), "helo.unresolvable");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),     cmocka_unit_test(test_switches),
        cmocka_unit_test(test_literals),     cmocka_unit_test(test_friends_may_use_our_names),
        cmocka_unit_test(test_unresolvable), cmocka_unit_test(test_combine),
        cmocka_unit_test(test_hooks),        cmocka_unit_test(test_no_helo),
        cmocka_unit_test(test_self_and_auth), cmocka_unit_test(test_memory_of_many_helos),
        cmocka_unit_test(test_dns_rule),     cmocka_unit_test(test_dns_not_needed),
        cmocka_unit_test(test_tokens)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
