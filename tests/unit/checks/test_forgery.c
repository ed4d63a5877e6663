/* dmarc: forged messages of many kinds through spf, dkim and dmarc together, with a fake DNS. */
#include "unit.h"

#include "auth/dkim_verify.h"
#include "checks/dmarc.h"
#include "core/engine.h"
#include "core/runner.h"
#include "dns/backend.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct dns_fake_row zone[] = {
    {"_dmarc.bank.example", DNS_TXT, DNS_ANSWER, "v=DMARC1; p=reject"},
    {"bank.example", DNS_TXT, DNS_ANSWER, "v=spf1 ip4:192.0.2.1 -all"},
    {"evil.example", DNS_TXT, DNS_ANSWER, "v=spf1 +all"},
    {"dead.example", DNS_TXT, DNS_ANSWER, "v=spf1 +all"},
    {"_dmarc.dead.example", DNS_TXT, DNS_SERVFAIL, NULL},
    {"greedy.example", DNS_TXT, DNS_ANSWER,
     "v=spf1 mx:m.greedy.example mx:m.greedy.example mx:m.greedy.example a:h.greedy.example a:h.greedy.example +all"},
    {"m.greedy.example", DNS_MX, DNS_ANSWER, "10 h.greedy.example"},
    {"m.greedy.example", DNS_MX, DNS_ANSWER, "20 h.greedy.example"},
    {"m.greedy.example", DNS_MX, DNS_ANSWER, "30 h.greedy.example"},
    {"h.greedy.example", DNS_A, DNS_ANSWER, "192.0.2.77"},
    {"bogus.example", DNS_TXT, DNS_BOGUS, NULL},
    {"_dmarc.bogus.example", DNS_TXT, DNS_BOGUS, NULL},
    {"one._domainkey.bogus.example", DNS_TXT, DNS_BOGUS, NULL},
    {"servfail.example", DNS_TXT, DNS_SERVFAIL, NULL},
    {"_dmarc.servfail.example", DNS_TXT, DNS_SERVFAIL, NULL},
    {"one._domainkey.servfail.example", DNS_TXT, DNS_SERVFAIL, NULL},
    {"reverse.example", DNS_TXT, DNS_ANSWER, "v=spf1 ptr exists:%{p}.none.example a:none.example -all"},
    {"_dmarc.reverse.example", DNS_TXT, DNS_ANSWER, "v=DMARC1; p=reject"},
    {"timeout.example", DNS_TXT, DNS_TIMEOUT, NULL},
    {"_dmarc.timeout.example", DNS_TXT, DNS_TIMEOUT, NULL},
    {"one._domainkey.timeout.example", DNS_TXT, DNS_TIMEOUT, NULL},
};

#define FROM_BANK "From: ceo@bank.example\n"
#define SIGNED(rest) "DKIM-Signature: v=1; a=rsa-sha256; h=from; bh=YWFh; b=YWFh; " rest "\n"

/* Sent by a client that only evil.example and dead.example permit; each shows the bank's name to some reader. */
static const struct {
    const char *helo, *from, *header;
} forged[] = {
    {"mail.evil.example", "<a@evil.example>", FROM_BANK},
    {"mail.evil.example", "<>", FROM_BANK},
    {"evil.example", "<a@localhost>", FROM_BANK},
    {"bank.example", "<>", FROM_BANK},
    {"bank.example", "<a@evil.example>", FROM_BANK},
    {"dead.example", "<a@dead.example>", FROM_BANK},
    {"greedy.example", "<a@greedy.example>", FROM_BANK},
    {"greedy.example", "<a@greedy.example>", SIGNED("d=bank.example; s=none;") FROM_BANK},
    {"greedy.example", "<a@bank.example>", FROM_BANK},
    {"mail.evil.example", "<a@bank.example>", FROM_BANK},
    {"mail.evil.example", "<a@evil.example>", SIGNED("d=bank.example.; s=none;") FROM_BANK},
    {"mail.evil.example", "<a@evil.example>", SIGNED("d=BANK.example; s=none; i=@BANK.EXAMPLE;") FROM_BANK},
    {"mail.evil.example", "<a@evil.example>", SIGNED("d=evil.example; s=none; i=@bank.example;") FROM_BANK},
    {"mail.evil.example", "<a@evil.example>", SIGNED("d=example; s=none;") FROM_BANK},
    {"mail.evil.example", "<a@evil.example>", "From: a@evil.example\n" FROM_BANK},
    {"mail.evil.example", "<a@evil.example>", FROM_BANK "From: a@evil.example\n"},
    {"mail.evil.example", "<a@evil.example>", "FROM : ceo@bank.example\n"},
    {"mail.evil.example", "<a@evil.example>", "from: CEO@BANK.EXAMPLE.\n"},
    {"mail.evil.example", "<a@evil.example>", "From: ceo@bank.example..\n"},
    {"mail.evil.example", "<a@evil.example>", "From: a@evil.example, ceo@bank.example\n"},
    {"mail.evil.example", "<a@evil.example>", "From: Group: a@evil.example, ceo@bank.example;\n"},
    {"mail.evil.example", "<a@evil.example>", "From: <a@evil.example> <ceo@bank.example>\n"},
    {"mail.evil.example", "<a@evil.example>", "From: \"a@evil.example\"@bank.example\n"},
    {"mail.evil.example", "<a@evil.example>", "From: ceo@bank.example (a@evil.example)\n"},
    {"mail.evil.example", "<a@evil.example>", "From: ceo(x)@(y)bank(z).example\n"},
    {"mail.evil.example", "<a@evil.example>", "From: =?utf-8?q?<ceo@bank.example>?= <a@evil.example>\n"},
    {"mail.evil.example", "<a@evil.example>", "From: =?utf-8?q?x?= <ceo@bank.example>\n"},
    {"mail.evil.example", "<a@evil.example>", "From: [<ceo@bank.example>] <a@evil.example>\n"},
    {"mail.evil.example", "<a@evil.example>", "From: ceo@bank\001.example\n"},
    {"mail.evil.example", "<a@evil.example>", "From: ceo@bank\xe3\x80\x82" "example\n"},
    {"mail.evil.example", "<a@evil.example>", "From: ceo@ban\xe2\x80\x8bk.example\n"},
    {"mail.evil.example", "<a@evil.example>", "From: ceo@\xef\xbd\x82" "ank.example\n"},
    {"mail.evil.example", "<a@evil.example>", "From: <@evil.example:ceo@bank.example>\n"},
    {"mail.evil.example", "<a@evil.example>", "From: a@evil.example@bank.example\n"},
    {"mail.evil.example", "<a@evil.example>", "From: ceo@sub.bank.example\n"},
    {"mail.evil.example", "<a@evil.example>", "From: \"x <ceo@bank.example>\n"},
    {"mail.evil.example", "<a@evil.example>", "From: (x <ceo@bank.example>\n"},
    {"mail.evil.example", "<a@evil.example>", "From: ceo@bank.example; <a@evil.example>\n"},
    {"mail.evil.example", "<a@evil.example>", "From: ceo@[192.0.2.1]\n"},
    {"mail.evil.example", "<a@evil.example>", "From:\n"},
    {"mail.evil.example", "<a@evil.example>", "Sender: ceo@bank.example\n"},
    {"mail.evil.example", "<a@evil.example>", "Authentication-Results: mx.here.example; dmarc=pass\n" FROM_BANK},
};

static void report(void *context, const char *text)
{
    (void)context;
    fprintf(stderr, "%s\n", text);
}

static struct engine *engine_of(const char *options)
{
    char path[] = "/tmp/postern-dmarc-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    dprintf(fd, "log { level = error }\nhelo { mode = off }\nrecipients { mode = off }\nattachments { mode = off }\n"
                "hostname = \"mx.here.example\"\n%s\n", options);
    close(fd);
    struct conf_problems problems = {report, NULL, 0};
    struct engine *engine = engine_create(path, &problems);
    unlink(path);
    assert_non_null(engine);
    engine->services.dns = dns_create_fake(zone, sizeof zone / sizeof *zone);
    engine->services.verifier = verifier_service_create();
    return engine;
}

/* "temperror" of the fact NAME; "-" without it. */
static void note_result(const struct message *message, const char *name, char result[16])
{
    const struct fact *fact = facts_get(&message->facts, name);
    snprintf(result, 16, "%.*s", fact ? (int)strcspn(fact->text, " ") : 1, fact ? fact->text : "-");
}

static char results[3][16]; /* of the last message: spf, dkim, dmarc */

static enum outcome_action send_one(struct engine *engine, const char *helo, const char *from, const char *header,
                                    const char **why)
{
    struct session *session = session_create();
    netaddr_parse("203.0.113.5", &session->client);
    runner_connect(engine, session);
    runner_helo(engine, session, helo);
    struct message *message = message_begin(session, &engine->settings, &engine->plan, from, 1700000000);
    enum outcome_action action = runner_mail(engine, session, message).action;
    action |= runner_rcpt(engine, session, message, message_add_rcpt(message, "<b@here.example>", NULL)).action;
    runner_data(engine, session, message);
    while (*header) {
        const char *colon = strchr(header, ':'), *end = strchr(header, '\n');
        message_add_header(message, (struct span){header, (size_t)(colon - header)},
                           (struct span){colon + 1, (size_t)(end - colon - 1)});
        header = end + 1;
    }
    message_end_header(message);
    runner_eoh(engine, session, message);
    runner_body(engine, session, message, span_of("Hi.\r\n"));
    action |= runner_eom(engine, session, message).action;
    *why = message->verdict.why;
    note_result(message, "spf", results[0]);
    note_result(message, "dkim", results[1]);
    note_result(message, "dmarc", results[2]);
    message_end(&message);
    session_destroy(session);
    return action;
}

static void engine_end(struct engine *engine)
{
    dns_destroy(engine->services.dns);
    verifier_service_destroy(engine->services.verifier);
    engine_destroy(engine);
}

/* With the defaults and with a small budget: refused at the end, by dmarc. */
static void test_forged(void **state)
{
    (void)state;
    static const char *const options[] = {"", "dns { message_queries = 20 }", "spf { engine = libspf2 }"};
    unsigned failed = 0;
    for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
        struct engine *engine = engine_of(options[k]);
        for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
            const char *why;
            enum outcome_action action = send_one(engine, forged[i].helo, forged[i].from, forged[i].header, &why);
            if (action != OUTCOME_REJECT || !why || strncmp(why, "dmarc.", 6) != 0) {
                print_error("%s %s %s: %d %s\n", forged[i].helo, forged[i].from, forged[i].header, (int)action,
                            why ? why : "-");
                failed++;
            }
        }
        engine_end(engine);
    }
    assert_int_equal(failed, 0);
}

/* The fake, with name servers that do not answer behind names that begin with "slow", and behind the client's
 * address. */
struct slow_dns {
    struct dns dns;
    struct dns *fake;
};

static void slow_query(struct dns *dns, struct arena *arena, const char *name, enum dns_type type, int64_t timeout_us,
                       struct dns_answer *answer)
{
    if (strncmp(name, "slow", 4) == 0 || strstr(name, ".in-addr.arpa")) {
        *answer = (struct dns_answer){.outcome = DNS_TIMEOUT};
        usleep((useconds_t)timeout_us);
        return;
    }
    struct dns *fake = ((struct slow_dns *)dns)->fake;
    fake->query(fake, arena, name, type, timeout_us, answer);
}

static void slow_prefetch(struct dns *dns, const char *name, enum dns_type type)
{
    (void)dns;
    (void)name;
    (void)type;
}

#define SLOW(n) SIGNED("d=evil.example; s=slow" #n ";")
#define SLOW_ONES SLOW(1) SLOW(2) SLOW(3) SLOW(4) SLOW(5) SLOW(6) SLOW(7)
#define QUICK(n) SIGNED("d=evil.example; s=quick" #n ";")
#define QUICK_ONES                                                                                                     \
    QUICK(1) QUICK(2) QUICK(3) QUICK(4) QUICK(5) QUICK(6) QUICK(7) QUICK(8) QUICK(9) QUICK(10) QUICK(11) QUICK(12)     \
    QUICK(13) QUICK(14) QUICK(15)

/* The sender's own name servers do not answer, and cannot use up what the author's have to be asked with. */
static void test_time(void **state)
{
    (void)state;
    static const struct {
        const char *helo, *from, *header;
    } rows[] = {
        {"mail.evil.example", "<a@evil.example>", SLOW_ONES SIGNED("d=bank.example; s=none;") FROM_BANK},
        {"mail.evil.example", "<a@evil.example>",
         SLOW_ONES SIGNED("d=bank.example; s=none;") "From: \"a@evil.example\" <ceo@bank.example>\n"},
        {"mail.evil.example", "<a@evil.example>",
         SLOW_ONES SIGNED("d=bank.example; s=none;") "From: a@evil.example, ceo@bank.example\n"},
        {"mail.evil.example", "<a@evil.example>",
         QUICK_ONES SIGNED("d=bank.example; s=none;") "From: a@evil.example, ceo@bank.example\n"},
        {"slow.example", "<a@slow.example>", SLOW_ONES SIGNED("d=bank.example; s=none;") FROM_BANK},
        {"slow.example", "<a@bank.example>", SLOW_ONES SIGNED("d=bank.example; s=none;") FROM_BANK},
        {"slow.example", "<a@reverse.example>", "From: ceo@reverse.example\n"},
        {"slow.example", "<a@reverse.example>", SLOW_ONES "From: ceo@reverse.example\n"}};
#define SHORT "message_budget = 1s  timeout = 500ms"
    static const char *const options[] = {
        "dns { " SHORT " }", "dns { " SHORT " message_queries = 20 }\ndkim { max_signatures = 16 }",
        "dns { " SHORT " }\nspf { engine = libspf2 }"};
    unsigned failed = 0;
    for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
        struct engine *engine = engine_of(options[k]);
        struct slow_dns slow = {{slow_query, slow_prefetch, NULL}, engine->services.dns};
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            const char *why;
            engine->services.dns = &slow.dns;
            enum outcome_action action = send_one(engine, rows[i].helo, rows[i].from, rows[i].header, &why);
            if (action != OUTCOME_REJECT || !why || strcmp(why, "dmarc.reject") != 0) {
                print_error("%zu %s: %d %s, %s %s %s\n", i, options[k], (int)action, why ? why : "-", results[0],
                            results[1], results[2]);
                failed++;
            }
        }
        engine->services.dns = slow.fake;
        engine_end(engine);
    }
    assert_int_equal(failed, 0);
}

/* What is in order passes, or the table above would prove nothing. */
static void test_genuine(void **state)
{
    (void)state;
    const char *why;
    struct engine *engine = engine_of("");
    assert_int_equal(send_one(engine, "mail.evil.example", "<a@evil.example>", "From: a@evil.example\n", &why),
                     OUTCOME_CONTINUE);
    assert_null(why);
    engine_end(engine);
}

/* No answer, a bad one and a forged one (DNSSEC) are the same to all three: temperror, and what the options say of
 * that. */
static void test_names_that_fail(void **state)
{
    (void)state;
    static const char *const kinds[] = {"bogus", "servfail", "timeout"};
    static const struct {
        const char *options, *why;
        enum outcome_action action;
    } rows[] = {{"", NULL, OUTCOME_CONTINUE},
                {"spf { temperror = tempfail }", "spf.temperror", OUTCOME_TEMPFAIL},
                {"dkim { temperror = tempfail }", "dkim.temperror", OUTCOME_TEMPFAIL},
                {"dmarc { temperror = tempfail }", "dmarc.temperror", OUTCOME_TEMPFAIL},
                {"spf { on_error = tempfail }", "spf.temperror", OUTCOME_TEMPFAIL},
                {"dkim { on_error = tempfail }", "dkim.temperror", OUTCOME_TEMPFAIL},
                {"dmarc { on_error = tempfail }", "dmarc.temperror", OUTCOME_TEMPFAIL},
                {"spf { on_error = tempfail temperror = tag }", "spf.temperror", OUTCOME_CONTINUE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct engine *engine = engine_of(rows[i].options);
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            char from[64], header[256];
            const char *why;
            snprintf(from, sizeof from, "<a@%s.example>", kinds[k]);
            snprintf(header, sizeof header, SIGNED("d=%s.example; s=one;") "From: a@%s.example\n", kinds[k], kinds[k]);
            enum outcome_action action = send_one(engine, "mail.evil.example", from, header, &why);
            if (action != rows[i].action || strcmp(rows[i].why ? rows[i].why : "-", why ? why : "-") != 0)
                fail_msg("%s, %s: %d %s", kinds[k], rows[i].options, (int)action, why ? why : "-");
            for (size_t n = 0; n < 3; n++) {
                if (strcmp(results[n], "temperror") != 0)
                    fail_msg("%s, %s: %s %s %s", kinds[k], rows[i].options, results[0], results[1], results[2]);
            }
        }
        engine_end(engine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_forged), cmocka_unit_test(test_time), cmocka_unit_test(test_genuine),
                                       cmocka_unit_test(test_names_that_fail)};
    return cmocka_run_group_tests_name("dmarc", tests, NULL, NULL);
}
