/* recipients: the policy as a table, then the hooks over a message of a given size. */
#include "unit.h"

#include "checks/recipients.h"
#include <stdio.h>
#include <string.h>

/* Stands in for mime/ where the library's own is not linked: one address an '@'. */
size_t scan_count_addresses(const char *const *values, size_t count);
__attribute__((weak)) size_t scan_count_addresses(const char *const *values, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        for (const char *at = strchr(values[i], '@'); at; at = strchr(at + 1, '@'))
            found++;
    }
    return found;
}

static struct arena *arena;
static struct recipients_options options;

static const struct template *parse(const char *text, const char *classes)
{
    const char *why;
    const struct template *template = template_parse(arena, text, "rcpt limit count", classes, &why);
    assert_non_null(template);
    return template;
}

static int set_up(void **state)
{
    (void)state;
    arena = arena_create(4096);
    options = (struct recipients_options){.max = 100, .excess = RECIPIENTS_DEFER,
                                          .excess_authenticated = RECIPIENTS_REJECT_MESSAGE};
    options.reply_defer = parse("452 4.5.3 <{rcpt}>... at most {limit}, not {count}", "4");
    options.reply_reject = parse("550 5.5.3 <{rcpt}>... at most {limit}, not {count}", "5");
    options.reply_message = parse("554 5.5.3 at most {limit}, {count} stood", "5");
    options.reply_header = parse("554 5.5.3 at most {limit} in the header, not {count}", "5");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

static void test_decide(void **state)
{
    (void)state;
    static const struct {
        enum session_class class;
        int64_t max;
        size_t standing;
        bool is_repeated;
        enum recipients_action excess, excess_authenticated, action;
    } rows[] = {
#define DEFER RECIPIENTS_DEFER
#define REJECT RECIPIENTS_REJECT
#define MESSAGE RECIPIENTS_REJECT_MESSAGE
#define PASS RECIPIENTS_PASS
        {CLASS_OUTSIDE, 100, 0, false, DEFER, MESSAGE, PASS},
        {CLASS_OUTSIDE, 100, 99, false, DEFER, MESSAGE, PASS}, /* this is the hundredth */
        {CLASS_OUTSIDE, 100, 100, false, DEFER, MESSAGE, DEFER},
        {CLASS_OUTSIDE, 100, 100, true, DEFER, MESSAGE, PASS},
        {CLASS_OUTSIDE, 100, 101, false, DEFER, MESSAGE, DEFER},
        {CLASS_OUTSIDE, 100, 100, false, REJECT, MESSAGE, REJECT},
        {CLASS_OUTSIDE, 100, 100, false, MESSAGE, DEFER, MESSAGE},
        {CLASS_OUTSIDE, 1, 0, false, DEFER, MESSAGE, PASS},
        {CLASS_OUTSIDE, 1, 1, false, DEFER, MESSAGE, DEFER},
        {CLASS_TRUSTED, 100, 99, false, DEFER, MESSAGE, PASS},
        {CLASS_TRUSTED, 100, 100, false, DEFER, MESSAGE, DEFER},
        {CLASS_TRUSTED, 100, 100, false, REJECT, MESSAGE, REJECT},
        {CLASS_AUTHENTICATED, 100, 99, false, DEFER, MESSAGE, PASS},
        {CLASS_AUTHENTICATED, 100, 100, false, DEFER, MESSAGE, MESSAGE},
        {CLASS_AUTHENTICATED, 100, 100, true, DEFER, MESSAGE, PASS},
        {CLASS_AUTHENTICATED, 100, 100, false, MESSAGE, DEFER, DEFER},
        {CLASS_AUTHENTICATED, 100, 100, false, MESSAGE, REJECT, REJECT},
        {CLASS_LOCAL, 100, 99, false, DEFER, MESSAGE, PASS},
        {CLASS_LOCAL, 100, 100, false, DEFER, DEFER, MESSAGE},
        {CLASS_LOCAL, 100, 100, false, REJECT, REJECT, MESSAGE},
        {CLASS_LOCAL, 100, 100, true, REJECT, REJECT, PASS},
        {CLASS_OUTSIDE, 100000, 99999, false, DEFER, MESSAGE, PASS},
        {CLASS_OUTSIDE, 100000, 100000, false, DEFER, MESSAGE, DEFER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct recipients_options row_options = {.max = rows[i].max, .excess = (int)rows[i].excess,
                                                 .excess_authenticated = (int)rows[i].excess_authenticated};
        struct recipients_facts facts = {rows[i].class, rows[i].standing, rows[i].is_repeated};
        enum recipients_action action = recipients_decide(&row_options, &facts);
        if (action != rows[i].action)
            fail_msg("row %zu: %d, not %d", i, action, rows[i].action);
    }
}

static void test_header_limit(void **state)
{
    (void)state;
    struct recipients_options limits = {.max_header = 0};
    assert_false(recipients_header_is_over(&limits, 1000000));
    limits.max_header = 50;
    assert_false(recipients_header_is_over(&limits, 50));
    assert_true(recipients_header_is_over(&limits, 51));
}

struct stage {
    struct session *session;
    struct message message;
    struct recipient recipient;
};

static void stage_open(struct stage *stage, size_t standing)
{
    *stage = (struct stage){.session = session_create(), .message = {.arena = arena, .distinct_count = standing},
                            .recipient = {.address = "user@example.net"}};
}

static struct result call(struct stage *stage, check_hook *hook)
{
    return hook(&(struct check_call){.options = &options, .session = stage->session, .message = &stage->message,
                                     .recipient = &stage->recipient, .arena = arena,
                                     .facts = &stage->message.facts});
}

static void expect(struct result result, enum result_code code, const char *why, const char *reply)
{
    assert_int_equal(result.code, code);
    assert_string_equal(result.why, why);
    assert_string_equal(result.reply, reply);
}

static void test_defer(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 99);
    assert_int_equal(call(&stage, check_recipients.on_rcpt).code, RESULT_OK);
    stage.message.distinct_count = 100;
    expect(call(&stage, check_recipients.on_rcpt), RESULT_DEFER, "recipients.excess",
           "452 4.5.3 <user@example.net>... at most 100, not 101");
    stage.recipient.is_repeated = true;
    assert_int_equal(call(&stage, check_recipients.on_rcpt).code, RESULT_OK);
    /* the hundred that stand get the message */
    assert_int_equal(call(&stage, check_recipients.on_data).code, RESULT_OK);
    assert_string_equal(facts_get(&stage.message.facts, "recipients.count")->text, "100");
    assert_string_equal(facts_get(&stage.message.facts, "recipients.excess")->text, "defer");
    session_destroy(stage.session);
}

static void test_reject_message(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 100);
    stage.session->login = "user";
    expect(call(&stage, check_recipients.on_rcpt), RESULT_REJECT, "recipients.excess",
           "550 5.5.3 <user@example.net>... at most 100, not 101");
    expect(call(&stage, check_recipients.on_data), RESULT_REJECT, "recipients.message",
           "554 5.5.3 at most 100, 100 stood");
    session_destroy(stage.session);
}

static void test_reject_one(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 100);
    options.excess = RECIPIENTS_REJECT;
    expect(call(&stage, check_recipients.on_rcpt), RESULT_REJECT, "recipients.excess",
           "550 5.5.3 <user@example.net>... at most 100, not 101");
    assert_int_equal(call(&stage, check_recipients.on_data).code, RESULT_OK);
    session_destroy(stage.session);
}

static void test_within(void **state)
{
    (void)state;
    struct stage stage;
    stage_open(&stage, 100);
    stage.session->login = "user";
    assert_int_equal(call(&stage, check_recipients.on_data).code, RESULT_OK);
    assert_null(facts_get(&stage.message.facts, "recipients.excess"));
    session_destroy(stage.session);
}

#define FIELD(name, value) {{name, sizeof name - 1}, {value, sizeof value - 1}}

static void test_header(void **state)
{
    (void)state;
    struct header_field fields[] = {FIELD("From", " x@example.org"), FIELD("To", " a@example.org, b@example.org"),
                                    FIELD("Reply-To", " y@example.org"), FIELD("CC", " c@example.org\0, d@example.org"),
                                    FIELD("to", " e@example.org"), FIELD("Bcc", " z@example.org")};
    struct stage stage;
    stage_open(&stage, 1);
    stage.message.headers = fields;
    stage.message.header_count = sizeof fields / sizeof *fields;
    assert_int_equal(call(&stage, check_recipients.on_eoh).code, RESULT_DUNNO);
    assert_null(facts_get(&stage.message.facts, "recipients.header"));
    options.max_header = 5;
    assert_int_equal(call(&stage, check_recipients.on_eoh).code, RESULT_OK);
    assert_string_equal(facts_get(&stage.message.facts, "recipients.header")->text, "5");
    options.max_header = 4;
    expect(call(&stage, check_recipients.on_eoh), RESULT_REJECT, "recipients.header",
           "554 5.5.3 at most 4 in the header, not 5");
    stage.message.header_count = 1; /* neither To nor Cc */
    assert_int_equal(call(&stage, check_recipients.on_eoh).code, RESULT_OK);
    session_destroy(stage.session);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(test_decide), TEST(test_header_limit), TEST(test_defer),
                                       TEST(test_reject_message), TEST(test_reject_one), TEST(test_within),
                                       TEST(test_header)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
