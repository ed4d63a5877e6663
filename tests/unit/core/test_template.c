/* template: what an administrator may write, and what a client can make of it. */
#include "unit.h"

#include "core/template.h"
#include <stdbool.h>

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text, *classes;
        bool is_fine;
    } rows[] = {
        {"550 5.7.1 No", "5", true},           {"550 5.7.1 <{rcpt}> [{helo}]", "5", true},
        {"452 4.5.3 Later", "45", true},       {"550 5.123.456 No", "5", true},
        {"550 5.7.1 {{no placeholder}", "5", true}, {"550 5.7.1 100%", "5", true},
        {"", "5", false},                      {"No", "5", false},
        {"550 No", "5", false},                {"550 5.7.1", "5", false},
        {"550 5.7.1 ", "5", false},            {"550-5.7.1 No", "5", false},
        {"550  5.7.1 No", "5", false},         {"550 5.7 No", "5", false},
        {"550 5.7.1234 No", "5", false},       {"550 5.7. No", "5", false},
        {"55 5.7.1 No", "5", false},           {"5500 5.7.1 No", "5", false},
        {"590 5.7.1 No", "5", false},          {"450 5.7.1 No", "45", false},
        {"550 4.7.1 No", "45", false},         {"450 4.7.1 No", "5", false},
        {"550 5.7.1 No", "4", false},          {"250 2.0.0 Yes", "45", false},
        {"421 4.7.0 Go away", "4", false},     {"550 5.7.1 No\r\n", "5", false},
        {"550 5.7.1 N\xc3\xb6", "5", false},   {"550 5.7.1 {file}", "5", false},
        {"550 5.7.1 {rcpt", "5", false},       {"550 5.7.1 {}", "5", false},
        {"550 5.7.1 {RCPT}", "5", false},      {"550 5.7.1 {rcpt }", "5", false},
        {"550 5.7.1 {rcpt helo}", "5", false}, {"550 5.7.1 {rcp}", "5", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_create(512);
        const char *why = NULL;
        const struct template *template = template_parse(arena, rows[i].text, "rcpt helo", rows[i].classes, &why);
        if ((template != NULL) != rows[i].is_fine || (why != NULL) == rows[i].is_fine)
            fail_msg("\"%s\": %s", rows[i].text, why ? why : "taken");
        if (template)
            assert_string_equal(template_text(template), rows[i].text);
        arena_destroy(arena);
    }
}

static void test_length(void **state)
{
    (void)state;
    struct arena *arena = arena_create(2048);
    char text[REPLY_MAX + 2];
    const char *why;
    memset(text, 'x', sizeof text);
    memcpy(text, "550 5.7.1 ", 10);
    text[REPLY_MAX] = '\0';
    assert_non_null(template_parse(arena, text, "", "5", &why));
    text[REPLY_MAX] = 'x';
    text[REPLY_MAX + 1] = '\0';
    assert_null(template_parse(arena, text, "", "5", &why));
    arena_destroy(arena);
}

static void test_expand(void **state)
{
    (void)state;
    char flood[5000];
    memset(flood, 'f', sizeof flood);
    const struct placeholder values[] = {{"rcpt", {"u@example.net", 13}},
                                         {"helo", {"a\r\nb\0c\xff{rcpt}%s", 15}},
                                         {"flood", {flood, sizeof flood}},
                                         {NULL, {NULL, 0}}};
    static const struct {
        const char *text, *reply;
    } rows[] = {
        {"550 5.7.1 <{rcpt}>", "550 5.7.1 <u@example.net>"},
        {"550 5.7.1 {rcpt}{rcpt}", "550 5.7.1 u@example.netu@example.net"},
        {"550 5.7.1 [{helo}]", "550 5.7.1 [a??b?c?{rcpt}%s]"}, /* what a client brings is not expanded again */
        {"550 5.7.1 {{rcpt}", "550 5.7.1 {rcpt}"},
        {"550 5.7.1 {{{rcpt}}", "550 5.7.1 {u@example.net}"},
        {"550 5.7.1 a{none}b", "550 5.7.1 ab"},
    };
    struct arena *arena = arena_create(512);
    const char *why;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct template *template = template_parse(arena, rows[i].text, "rcpt helo flood none", "5", &why);
        assert_non_null(template);
        assert_string_equal(template_expand(template, arena, values), rows[i].reply);
    }
    const struct template *one = template_parse(arena, "550 5.7.1 {flood}.", "flood", "5", &why);
    assert_int_equal(strlen(template_expand(one, arena, values)), 10 + 255 + 1);
    const struct template *many = template_parse(arena, "550 5.7.1 {flood}{flood}{flood}.", "flood", "5", &why);
    assert_int_equal(strlen(template_expand(many, arena, values)), REPLY_MAX);
    assert_string_equal(template_expand(one, arena, NULL), "550 5.7.1 .");
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse), cmocka_unit_test(test_length),
                                       cmocka_unit_test(test_expand)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
