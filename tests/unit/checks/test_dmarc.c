/* dmarc: the decision as a table, then the hooks with a fake DNS. */
#include "unit.h"

#include "checks/dmarc.h"
#include "core/engine.h"
#include "util/clock.h"
#include <stdio.h>
#include <stdlib.h>

#define TXT(name, text)                                                                                                \
    {                                                                                                                  \
        "_dmarc." name, DNS_TXT, DNS_ANSWER, text                                                                      \
    }
static const struct dns_fake_row zone[] = {
    TXT("reject.example", "v=DMARC1; p=reject"),    TXT("quar.example", "v=DMARC1; p=quarantine"),
    TXT("none.example", "v=DMARC1; p=none"),        TXT("two.example", "v=DMARC1; p=reject"),
    TXT("two.example", "v=DMARC1; p=reject"),       {"_dmarc.slow.example", DNS_TXT, DNS_TIMEOUT, NULL},
    TXT("test.example", "v=DMARC1; p=reject; t=y"),
};

static struct check_dmarc_options options; /* the defaults */
static struct conf *conf;

static int set_up(void **state)
{
    (void)state;
    size_t count;
    const struct conf_section *sections = engine_sections(&count);
    conf = conf_defaults(sections, count);
    options = *(const struct check_dmarc_options *)conf_get(conf, "dmarc");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    conf_destroy(conf);
    return 0;
}

static void expect(const struct check_dmarc_options *with, enum auth_result result, enum auth_policy disposition,
                   enum result_code code, const char *why)
{
    struct policyeval eval = {.dmarc.result = result, .disposition = disposition};
    struct check_dmarc_facts facts = {.eval = &eval};
    struct result got = check_dmarc_decide(with, &facts);
    assert_int_equal(got.code, code);
    if (why)
        assert_string_equal(got.why, why);
    else
        assert_null(got.why);
    facts.is_exempt = true;
    assert_int_equal(check_dmarc_decide(with, &facts).code, RESULT_OK);
}

static void test_decide(void **state)
{
    (void)state;
    struct check_dmarc_options other = options;
    expect(&options, AUTH_PASS, AUTH_POLICY_NONE, RESULT_OK, NULL);
    expect(&options, AUTH_NONE, AUTH_POLICY_NONE, RESULT_OK, NULL);
    expect(&options, AUTH_FAIL, AUTH_POLICY_NONE, RESULT_OK, NULL);
    expect(&options, AUTH_FAIL, AUTH_POLICY_QUARANTINE, RESULT_QUARANTINE, "dmarc.quarantine");
    expect(&options, AUTH_FAIL, AUTH_POLICY_REJECT, RESULT_REJECT, "dmarc.reject");
    expect(&options, AUTH_TEMPERROR, AUTH_POLICY_NONE, RESULT_OK, NULL);
    expect(&options, AUTH_PERMERROR, AUTH_POLICY_NONE, RESULT_OK, NULL);
    other.common.on_error = ON_ERROR_TEMPFAIL;
    expect(&other, AUTH_TEMPERROR, AUTH_POLICY_NONE, RESULT_DEFER, "dmarc.temperror");
    other.common.on_error = ON_ERROR_ACCEPT;
    other.temperror = CHECK_DMARC_TEMPFAIL;
    other.reject = CHECK_DMARC_TAG;
    other.quarantine = CHECK_DMARC_REJECT;
    other.permerror = CHECK_DMARC_TAG;
    expect(&other, AUTH_TEMPERROR, AUTH_POLICY_NONE, RESULT_DEFER, "dmarc.temperror");
    expect(&other, AUTH_FAIL, AUTH_POLICY_REJECT, RESULT_TAG, "dmarc.reject");
    expect(&other, AUTH_FAIL, AUTH_POLICY_QUARANTINE, RESULT_REJECT, "dmarc.quarantine");
    expect(&other, AUTH_PERMERROR, AUTH_POLICY_NONE, RESULT_TAG, "dmarc.permerror");
}

/* One message through both hooks. */
struct scene {
    const char *from[3];    /* fields */
    const char *spf, *dkim; /* domains that pass */
    const char *client;
    enum result_code code;
    const char *why, *reply, *fact; /* fact: how "dmarc" begins */
};

static void play(const struct check_dmarc_options *with, const struct scene *scene)
{
    struct dns *dns = dns_create_fake(zone, sizeof zone / sizeof *zone);
    struct session *session = session_create();
    struct arena *arena = arena_create(4096);
    struct dns_budget budget = {clock_monotonic_us() + 20000000, 5000000, 100};
    struct settings settings = {.hostname = "mx.example.net"};
    struct services services = {.dns = dns};
    struct header_field fields[3] = {{{NULL, 0}, {NULL, 0}}};
    struct message message = {.arena = arena, .session = session, .headers = fields, .dns_budget = &budget};
    struct auth_spf spf = {
        .result = AUTH_PASS, .mailfrom_result = AUTH_PASS, .mailfrom_domain = scene->spf, .domain = scene->spf};
    struct auth_dkim_signature signature = {.result = AUTH_PASS, .domain = scene->dkim, .counts = true};
    struct auth_dkim dkim = {AUTH_PASS, &signature, 1};
    void *slot = NULL;
    netaddr_parse(scene->client ? scene->client : "192.0.2.9", &session->client);
    for (size_t i = 0; i < 3 && scene->from[i]; i++)
        fields[message.header_count++] = (struct header_field){span_of("fRoM"), span_of(scene->from[i])};
    if (scene->spf)
        facts_set(&message.facts, arena, "spf", "pass", &spf);
    if (scene->dkim)
        facts_set(&message.facts, arena, "dkim", "pass", &dkim);
    struct check_call call = {.options = with,
                              .settings = &settings,
                              .services = &services,
                              .session = session,
                              .message = &message,
                              .arena = arena,
                              .facts = &message.facts,
                              .state = &slot};
    assert_int_equal(check_dmarc.on_eoh(&call).code, RESULT_DUNNO);
    struct result got = check_dmarc.on_eom(&call);
    const char *fact = facts_get(&message.facts, "dmarc")->text;
    if (got.code != scene->code || (scene->why && strcmp(got.why ? got.why : "", scene->why) != 0) ||
        (scene->reply && strcmp(got.reply ? got.reply : "", scene->reply) != 0) ||
        (scene->fact && strncmp(fact, scene->fact, strlen(scene->fact)) != 0))
        fail_msg("[%s]: code %d why %s reply %s fact %s", scene->from[0] ? scene->from[0] : "", (int)got.code,
                 got.why ? got.why : "-", got.reply ? got.reply : "-", fact);
    dns_destroy(dns);
    session_destroy(session);
    arena_destroy(arena);
}

static void test_hooks(void **state)
{
    (void)state;
    static const struct scene scenes[] = {
        {.from = {" a@reject.example"},
         .code = RESULT_REJECT,
         .why = "dmarc.reject",
         .reply = "550 5.7.1 <reject.example> - DMARC policy of reject.example: reject",
         .fact = "fail from=reject.example policy=reject record=reject.example"},
        {.from = {" a@sub.reject.example"},
         .code = RESULT_REJECT,
         .reply = "550 5.7.1 <sub.reject.example> - DMARC policy of reject.example: reject"},
        {.from = {" a@reject.example"}, .spf = "mail.reject.example", .code = RESULT_VOUCH, .fact = "pass"},
        {.from = {" a@reject.example"}, .dkim = "reject.example", .code = RESULT_VOUCH, .fact = "pass"},
        {.from = {" a@reject.example"}, .spf = "evil.example", .code = RESULT_REJECT, .why = "dmarc.reject"},
        {.from = {" a@nothing.example"}, .code = RESULT_OK, .fact = "none"},
        {.from = {" a@none.example"}, .code = RESULT_OK, .fact = "fail"},
        {.from = {" a@quar.example"}, .code = RESULT_QUARANTINE, .why = "dmarc.quarantine"},
        {.from = {" a@test.example"}, .code = RESULT_QUARANTINE, .why = "dmarc.quarantine"},
        {.from = {" a@two.example"}, .code = RESULT_OK, .fact = "permerror"},
        {.from = {" a@slow.example"}, .code = RESULT_OK, .fact = "temperror"},
        /* several: the strictest decides, whatever its place */
        {.from = {" a@none.example, b@reject.example"},
         .spf = "none.example",
         .code = RESULT_REJECT,
         .reply = "550 5.7.1 <reject.example> - DMARC policy of reject.example: reject"},
        {.from = {" a@reject.example", " b@none.example"}, .spf = "none.example", .code = RESULT_REJECT},
        {.from = {" a@quar.example, b@none.example", " c@reject.example"},
         .code = RESULT_REJECT,
         .why = "dmarc.reject"},
        {.from = {" a@slow.example, b@reject.example"}, .code = RESULT_REJECT, .why = "dmarc.reject"},
        /* nobody */
        {.from = {NULL},
         .code = RESULT_REJECT,
         .why = "dmarc.no-from",
         .reply = "550 5.6.0 From field cannot be used for DMARC: there is none"},
        {.from = {" nobody"},
         .code = RESULT_REJECT,
         .why = "dmarc.no-from",
         .reply = "550 5.6.0 From field cannot be used for DMARC: an address without a domain"},
    };
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        play(&options, &scenes[i]);
}

static void test_options(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    struct domain_set *never = domain_set_create(arena), *always = domain_set_create(arena);
    struct netset *networks = netset_create(arena);
    struct check_dmarc_options with = options;
    domain_set_add(never, "reject.example");
    domain_set_add(always, "none.example");
    domain_set_add(always, "nothing.example");
    netset_add(networks, "198.51.100.0/24");
    with.never_enforce = never;
    with.always_enforce = always;
    with.never_enforce_networks = networks;
    play(&with, &(struct scene){.from = {" a@reject.example"}, .code = RESULT_OK, .fact = "fail"});
    play(&with, &(struct scene){.from = {" a@sub.reject.example"}, .code = RESULT_REJECT});
    play(&with, &(struct scene){.from = {" a@reject.example, b@quar.example"}, .code = RESULT_QUARANTINE});
    play(&with, &(struct scene){.from = {" a@reject.example"}, .spf = "reject.example", .code = RESULT_VOUCH});
    play(&with, &(struct scene){.from = {" a@sub.reject.example"}, .client = "198.51.100.7", .code = RESULT_OK});
    play(&with, &(struct scene){.from = {" a@none.example"}, .client = "198.51.100.7", .code = RESULT_OK});
    play(&with, &(struct scene){.from = {" a@none.example"},
                                .code = RESULT_REJECT,
                                .why = "dmarc.always-enforce",
                                .reply = "550 5.7.1 <none.example> - DMARC policy of mx.example.net: reject"});
    play(&with, &(struct scene){.from = {" a@none.example"}, .spf = "mail.none.example", .code = RESULT_VOUCH});
    play(&with, &(struct scene){.from = {" a@nothing.example"}, .code = RESULT_REJECT, .why = "dmarc.always-enforce"});
    play(&with, &(struct scene){.from = {" a@nothing.example"}, .dkim = "nothing.example", .code = RESULT_OK, .fact = "none"});
    with.multiple_from = CHECK_DMARC_REJECT_SEVERAL;
    play(&with, &(struct scene){.from = {" a@x.example", " b@y.example"},
                                .code = RESULT_REJECT,
                                .why = "dmarc.multiple-from",
                                .reply = "550 5.6.0 From field cannot be used for DMARC: more than one From field"});
    with.no_from = CHECK_DMARC_ACCEPT;
    play(&with, &(struct scene){.from = {NULL}, .code = RESULT_OK, .fact = "permerror (no From field)"});
    with.temperror = CHECK_DMARC_TEMPFAIL;
    play(&with, &(struct scene){.from = {" a@slow.example"},
                                .code = RESULT_DEFER,
                                .why = "dmarc.temperror",
                                .reply = "451 4.7.1 <slow.example> - DMARC cannot be evaluated now, try again later"});
    arena_destroy(arena);
}

/* A hundred strangers before the forged author do not buy it a temperror. */
static void test_used_up(void **state)
{
    (void)state;
    char from[8192] = " ";
    for (unsigned i = 0; i < 60; i++)
        snprintf(from + strlen(from), sizeof from - strlen(from), "a@d%u.x%u.test,", i, i);
    snprintf(from + strlen(from), sizeof from - strlen(from), "b@reject.example");
    play(&options, &(struct scene){.from = {from},
                                   .code = RESULT_REJECT,
                                   .why = "dmarc.no-from",
                                   .reply = "550 5.6.0 From field cannot be used for DMARC: too many author domains"});
    from[0] = ' ';
    from[1] = '\0';
    for (unsigned i = 0; i < 101; i++)
        snprintf(from + strlen(from), sizeof from - strlen(from), "a@d%u.test,", i);
    play(&options, &(struct scene){.from = {from}, .code = RESULT_REJECT, .why = "dmarc.no-from"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_decide),
                                       cmocka_unit_test(test_hooks), cmocka_unit_test(test_options),
                                       cmocka_unit_test(test_used_up)};
    return cmocka_run_group_tests_name("dmarc", tests, set_up, tear_down);
}
