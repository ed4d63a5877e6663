/* spf: what follows from each result, who is evaluated, when the answer is given, and what it says. */
#include "unit.h"

#include "auth/sender.h"
#include "checks/spf.h"
#include "core/engine.h"
#include "core/runner.h"
#include "util/clock.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct dns_fake_row zone[] = {
    {"fail.example", DNS_TXT, DNS_ANSWER, "v=spf1 ip4:192.0.2.1 -all exp=why.fail.example"},
    {"why.fail.example", DNS_TXT, DNS_ANSWER, "see http://why.example/%{i}"},
    {"dash.example", DNS_TXT, DNS_ANSWER, "v=spf1 -all"},
    {"soft.example", DNS_TXT, DNS_ANSWER, "v=spf1 ~all"},
    {"pass.example", DNS_TXT, DNS_ANSWER, "v=spf1 ip4:203.0.113.5 -all"},
    {"neutral.example", DNS_TXT, DNS_ANSWER, "v=spf1 ?all"},
    {"greedy.example", DNS_TXT, DNS_ANSWER,
     "v=spf1 a:h.greedy.example a:h.greedy.example a:h.greedy.example a:h.greedy.example a:h.greedy.example "
     "a:h.greedy.example a:h.greedy.example a:h.greedy.example a:h.greedy.example a:h.greedy.example +all"},
    {"h.greedy.example", DNS_A, DNS_ANSWER, "192.0.2.77"},
    {"two.example", DNS_TXT, DNS_ANSWER, "v=spf1 -all"},
    {"two.example", DNS_TXT, DNS_ANSWER, "v=spf1 +all"},
    {"dead.example", DNS_TXT, DNS_SERVFAIL, NULL},
    {"xn--bcher-kva.example", DNS_TXT, DNS_ANSWER, "v=spf1 -all"},
};

struct world {
    struct engine *engine;
    struct session *session;
    struct message *message;
};

static void report(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

/* An engine with OPTIONS in its section spf, and everything else off. */
static void world_open(struct world *world, const char *options)
{
    char path[] = "/tmp/postern-spf-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    dprintf(fd,
            "log { level = error }\nhelo { mode = off }\nrecipients { mode = off }\nattachments { mode = off }\n"
            "hostname = \"mx.here.example\"\ndkim { mode = off }\ndmarc { mode = off }\nauthres { mode = off }\nspf { %s }\n",
            options);
    close(fd);
    struct conf_problems problems = {report, NULL, 0};
    world->engine = engine_create(path, &problems);
    unlink(path);
    assert_non_null(world->engine);
    world->engine->services.dns = dns_create_fake(zone, sizeof zone / sizeof *zone);
    world->session = session_create();
    netaddr_parse("203.0.113.5", &world->session->client);
    world->message = NULL;
}

static void world_close(struct world *world)
{
    message_end(&world->message);
    session_destroy(world->session);
    dns_destroy(world->engine->services.dns);
    engine_destroy(world->engine);
}

static struct outcome say_rcpt(struct world *world, const char *helo, const char *from)
{
    message_end(&world->message);
    runner_connect(world->engine, world->session);
    runner_helo(world->engine, world->session, helo);
    world->message = message_begin(world->session, &world->engine->settings, &world->engine->plan, from, 1000);
    assert_int_equal(runner_mail(world->engine, world->session, world->message).action, OUTCOME_CONTINUE);
    struct recipient *recipient = message_add_rcpt(world->message, "<b@here.example>", NULL);
    return runner_rcpt(world->engine, world->session, world->message, recipient);
}

static struct outcome say_end(struct world *world, const char *received)
{
    runner_data(world->engine, world->session, world->message);
    if (received)
        message_add_header(world->message, span_of("Received"), span_of(received));
    message_add_header(world->message, span_of("Subject"), span_of(" hello"));
    message_end_header(world->message);
    runner_eoh(world->engine, world->session, world->message);
    return runner_eom(world->engine, world->session, world->message);
}

static const struct auth_spf *result_of(struct world *world)
{
    const struct fact *fact = facts_get(&world->message->facts, "spf");
    return fact ? fact->value : NULL;
}

static void test_decide(void **state)
{
    (void)state;
    struct check_spf_options options = {.fail = CHECK_SPF_REJECT,    .softfail = CHECK_SPF_TAG,
                                              .neutral = CHECK_SPF_ACCEPT, .none = CHECK_SPF_QUARANTINE,
                                              .permerror = CHECK_SPF_TAG,  .temperror = CHECK_SPF_TEMPFAIL};
    static const struct {
        enum auth_result result;
        bool is_helo;
        enum result_code code;
        const char *why;
    } rows[] = {{AUTH_PASS, false, RESULT_OK, NULL},
                {AUTH_FAIL, false, RESULT_REJECT, "spf.fail"},
                {AUTH_FAIL, true, RESULT_REJECT, "spf.fail"},
                {AUTH_SOFTFAIL, false, RESULT_TAG, "spf.softfail"},
                {AUTH_NEUTRAL, false, RESULT_OK, NULL},
                {AUTH_NONE, false, RESULT_QUARANTINE, "spf.none"},
                {AUTH_NONE, true, RESULT_OK, NULL},
                {AUTH_PERMERROR, false, RESULT_TAG, "spf.permerror"},
                {AUTH_TEMPERROR, false, RESULT_DEFER, "spf.temperror"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct auth_spf spf = {.result = rows[i].result, .is_helo = rows[i].is_helo};
        struct result result = check_spf_decide(&options, &spf);
        assert_int_equal(result.code, rows[i].code);
        assert_true(rows[i].why ? result.why && strcmp(result.why, rows[i].why) == 0 : !result.why);
    }
    const struct auth_spf dead = {.result = AUTH_TEMPERROR};
    options.temperror = CHECK_SPF_ACCEPT;
    options.common.on_error = ON_ERROR_TEMPFAIL;
    assert_int_equal(check_spf_decide(&options, &dead).code, RESULT_DEFER);
    options.common.on_error = ON_ERROR_ACCEPT;
    assert_int_equal(check_spf_decide(&options, &dead).code, RESULT_OK);
}

/* With the defaults: which result, which identity, refused at RCPT or marked at the end. */
static void test_results(void **state)
{
    (void)state;
    static const struct {
        const char *helo, *from;
        enum auth_result result;
        bool is_helo;
        const char *reply;              /* at RCPT; NULL: 250 */
        enum disposition disposition;   /* at the end */
    } rows[] = {
        {"mail.x.example", "<a@fail.example>", AUTH_FAIL, false,
         "550 5.7.23 <a@fail.example> - SPF: not permitted to send for fail.example see http://why.example/203.0.113.5", 0},
        {"mail.x.example", "<a@dash.example>", AUTH_FAIL, false,
         "550 5.7.23 <a@dash.example> - SPF: not permitted to send for dash.example", 0},
        {"mail.x.example", "<a@b\xc3\xbc" "cher.example>", AUTH_FAIL, false,
         "550 5.7.23 <a@b??cher.example> - SPF: not permitted to send for xn--bcher-kva.example", 0},
        {"dash.example", "<a@pass.example>", AUTH_FAIL, true,
         "550 5.7.23 <a@pass.example> - SPF: not permitted to send for dash.example", 0},
        {"dash.example", "<>", AUTH_FAIL, true, "550 5.7.23 <> - SPF: not permitted to send for dash.example", 0},
        {"soft.example", "<a@pass.example>", AUTH_PASS, false, NULL, DISPOSITION_ACCEPT},
        {"pass.example", "<>", AUTH_PASS, true, NULL, DISPOSITION_ACCEPT},
        {"mail.x.example", "<>", AUTH_NONE, true, NULL, DISPOSITION_ACCEPT},
        {"www", "<>", AUTH_NONE, true, NULL, DISPOSITION_ACCEPT},
        {"mail.x.example", "<a@soft.example>", AUTH_SOFTFAIL, false, NULL, DISPOSITION_TAG},
        {"mail.x.example", "<a@neutral.example>", AUTH_NEUTRAL, false, NULL, DISPOSITION_ACCEPT},
        {"mail.x.example", "<a@none.example>", AUTH_NONE, false, NULL, DISPOSITION_TAG},
        {"mail.x.example", "<a@two.example>", AUTH_PERMERROR, false, NULL, DISPOSITION_TAG},
        {"mail.x.example", "<a@dead.example>", AUTH_TEMPERROR, false, NULL, DISPOSITION_ACCEPT},
        {"pass.example", "<a@localhost>", AUTH_NONE, false, NULL, DISPOSITION_TAG},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int engine = 0; engine < 2; engine++) {
            struct world world;
            world_open(&world, engine ? "engine = libspf2" : "");
            struct outcome outcome = say_rcpt(&world, rows[i].helo, rows[i].from);
            if ((outcome.reply == NULL) != (rows[i].reply == NULL) ||
                (outcome.reply && strcmp(outcome.reply, rows[i].reply) != 0))
                fail_msg("%s: %s", rows[i].from, outcome.reply ? outcome.reply : "250");
            assert_int_equal(result_of(&world)->result, rows[i].result);
            assert_int_equal(result_of(&world)->is_helo, rows[i].is_helo);
            assert_int_equal(result_of(&world)->mailfrom_domain == NULL, strcmp(rows[i].from, "<>") == 0);
            if (!rows[i].reply) {
                say_end(&world, NULL);
                if (world.message->verdict.disposition != rows[i].disposition)
                    fail_msg("%s: %s", rows[i].from, disposition_name(world.message->verdict.disposition));
            }
            world_close(&world);
        }
    }
}

static void test_options(void **state)
{
    (void)state;
    static const struct {
        const char *options, *from, *reply;
    } rows[] = {
        {"temperror = tempfail", "<a@dead.example>", "451 4.4.3 <a@dead.example> - SPF: temperror for dead.example - try again later"},
        {"permerror = reject", "<a@two.example>", "550 5.7.24 <a@two.example> - SPF: the record of two.example is in error"},
        {"softfail = reject", "<a@soft.example>", "550 5.7.23 <a@soft.example> - SPF: not permitted to send for soft.example"},
        {"none = reject", "<a@none.example>", "550 5.7.23 <a@none.example> - SPF: not permitted to send for none.example"},
        {"fail = accept", "<a@fail.example>", NULL},
        {"reply = \"550 5.7.1 {client} {result}\"", "<a@dash.example>", "550 5.7.1 203.0.113.5 fail"},
        {"mode = monitor", "<a@fail.example>", NULL},
        {"skip_domains = { \"fail.example\" }", "<a@fail.example>", NULL},
        {"skip_networks = { \"203.0.113.0/24\" }", "<a@fail.example>", NULL},
        {"applies_to = { trusted }", "<a@fail.example>", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world world;
        world_open(&world, rows[i].options);
        struct outcome outcome = say_rcpt(&world, "mail.x.example", rows[i].from);
        if ((outcome.reply == NULL) != (rows[i].reply == NULL) ||
            (outcome.reply && strcmp(outcome.reply, rows[i].reply) != 0))
            fail_msg("%s: %s", rows[i].options, outcome.reply ? outcome.reply : "250");
        bool is_evaluated = i < 7;
        assert_int_equal(result_of(&world) != NULL, is_evaluated);
        world_close(&world);
    }
}

/* The second recipient costs no look-up. */
static void test_once_a_message(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, "");
    say_rcpt(&world, "mail.x.example", "<a@soft.example>");
    char *before = strdup(dns_fake_log(world.engine->services.dns));
    struct recipient *recipient = message_add_rcpt(world.message, "<c@here.example>", NULL);
    runner_rcpt(world.engine, world.session, world.message, recipient);
    say_end(&world, NULL);
    assert_string_equal(dns_fake_log(world.engine->services.dns), before);
    free(before);
    world_close(&world);
}

static void test_trusted_relay(void **state)
{
    (void)state;
    static const struct {
        const char *received;
        enum outcome_action action;
        bool is_evaluated;
    } rows[] = {{" from x.example (x [192.0.2.1]) by relay", OUTCOME_CONTINUE, true},
                {" from x.example (x [192.0.2.9]) by relay", OUTCOME_REJECT, true},
                {" from dash.example (x [192.0.2.1]) by relay", OUTCOME_REJECT, true},
                {" from nowhere", OUTCOME_CONTINUE, false},
                {NULL, OUTCOME_CONTINUE, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world world;
        world_open(&world, "trusted_relays = { \"203.0.113.5\" }");
        assert_null(say_rcpt(&world, "relay.here.example", "<a@fail.example>").reply);
        assert_int_equal(say_end(&world, rows[i].received).action, rows[i].action);
        assert_int_equal(result_of(&world) != NULL, rows[i].is_evaluated);
        world_close(&world);
    }
}

/* An expensive record leaves the others their share. */
static void test_share_of_the_budget(void **state)
{
    (void)state;
    static const char *const senders[][2] = {{"greedy.example", "<a@pass.example>"}, {"greedy.example", "<a@greedy.example>"}};
    for (int engine = 0; engine < 4; engine++) {
        struct world world;
        world_open(&world, engine & 1 ? "engine = libspf2 } dns { message_queries = 10" : "} dns { message_queries = 10");
        say_rcpt(&world, senders[engine / 2][0], senders[engine / 2][1]);
        assert_int_equal(result_of(&world)->mailfrom_result, engine < 2 ? AUTH_PASS : AUTH_TEMPERROR);
        assert_int_equal(result_of(&world)->helo_result, AUTH_TEMPERROR);
        assert_true(world.message->dns_budget->queries_left >= 5);
        world_close(&world);
    }
}

static enum result_code dmarc_says;

static struct result dmarc_answers(const struct check_call *call)
{
    (void)call;
    return RESULT(dmarc_says);
}

/* A check named dmarc that says what we want, in the plan behind spf. */
static void test_dmarc_decides(void **state)
{
    (void)state;
    static const struct check dmarc = {.name = "dmarc", .may_vouch = true, .on_eom = dmarc_answers};
    static const struct {
        enum check_mode mode;
        unsigned applies_to;
        const char *options;
        enum outcome_action at_rcpt, unless_vouched;
        bool is_monitored; /* at the end, unless vouched for */
    } rows[] = {{MODE_ENFORCE, CLASS_OUTSIDE, "", OUTCOME_CONTINUE, OUTCOME_REJECT, false},
                {MODE_MONITOR, CLASS_OUTSIDE, "", OUTCOME_REJECT, 0, false},
                {MODE_ENFORCE, CLASS_TRUSTED, "", OUTCOME_REJECT, 0, false},
                {MODE_ENFORCE, CLASS_OUTSIDE, "defer_to_dmarc = no", OUTCOME_REJECT, 0, false},
                {MODE_ENFORCE, CLASS_OUTSIDE, "mode = monitor", OUTCOME_CONTINUE, OUTCOME_CONTINUE, true},
                {MODE_MONITOR, CLASS_OUTSIDE, "mode = monitor", OUTCOME_CONTINUE, OUTCOME_CONTINUE, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world world;
        world_open(&world, rows[i].options);
        struct check_options common = {rows[i].mode, rows[i].applies_to, ON_ERROR_ACCEPT};
        struct plan *plan = &world.engine->plan;
        struct plan_entry entries[8];
        size_t n = 0;
        for (size_t k = 0; k < plan->count; k++) /* without the real one, which is off */
            if (strcmp(plan->entries[k].check->name, "dmarc") != 0)
                entries[n++] = plan->entries[k];
        entries[n++] = (struct plan_entry){&dmarc, &common, rows[i].mode, 0, "dmarc.error"};
        plan->entries = entries;
        plan->count = n;
        struct outcome outcome = say_rcpt(&world, "mail.x.example", "<a@fail.example>");
        assert_int_equal(outcome.action, rows[i].at_rcpt);
        for (int vouched = 0; outcome.action == OUTCOME_CONTINUE && vouched < 2; vouched++) {
            dmarc_says = vouched ? RESULT_VOUCH : RESULT_OK;
            say_rcpt(&world, "mail.x.example", "<a@fail.example>");
            assert_null(facts_get(&world.message->facts, "monitor.spf")); /* nothing is said before the end */
            assert_int_equal(say_end(&world, NULL).action, vouched ? OUTCOME_CONTINUE : rows[i].unless_vouched);
            const struct verdict *verdict = &world.message->verdict;
            assert_int_equal(facts_get(&world.message->facts, "monitor.spf") != NULL, rows[i].is_monitored && !vouched);
            if (vouched || rows[i].is_monitored)
                continue;
            assert_string_equal(verdict->check, "spf");
            assert_string_equal(verdict->why, "spf.fail");
            assert_int_equal(verdict->phase, PHASE_EOM);
            assert_non_null(strstr(verdict->reply, "550 5.7.23"));
        }
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_decide),       cmocka_unit_test(test_results),
                                       cmocka_unit_test(test_options),      cmocka_unit_test(test_once_a_message),
                                       cmocka_unit_test(test_trusted_relay), cmocka_unit_test(test_share_of_the_budget), cmocka_unit_test(test_dmarc_decides)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
