/* answers: what is kept, for how long, and what is not kept. */
#include "unit.h"

#include "dns/answers.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(5000000000)
#define SECOND INT64_C(1000000)

static struct answers *answers;
static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    answers = answers_create();
    arena = arena_create(4096);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    answers_destroy(answers);
    arena_destroy(arena);
    return 0;
}

static void put_text(const char *name, const char *text, int64_t ttl)
{
    char rdata[257];
    int length = snprintf(rdata, sizeof rdata, "%c%s", (int)strlen(text), text);
    answers_put(answers, name, DNS_TXT, DNS_ANSWER, (char *[]){rdata, NULL}, &length, ttl, NOW);
    memset(rdata, 'x', sizeof rdata); /* it must be a copy that is kept */
}

/* The text of the first record; "" for an answer without records; NULL if there is none. */
static const char *get_text(const char *name, int64_t now)
{
    struct dns_answer answer = {.outcome = DNS_TIMEOUT};
    if (!answers_get(answers, name, DNS_TXT, now, arena, &answer))
        return NULL;
    return answer.count ? answer.records[0].text.ptr : "";
}

static void test_kept_until_it_expires(void **state)
{
    (void)state;
    put_text("example.net", "v=spf1 -all", 60);
    assert_string_equal(get_text("example.net", NOW), "v=spf1 -all");
    assert_string_equal(get_text("example.net", NOW + 60 * SECOND - 1), "v=spf1 -all");
    assert_null(get_text("example.net", NOW + 60 * SECOND));
    assert_true(answers_get(answers, "example.net", DNS_TXT, NOW, NULL, NULL));
    assert_false(answers_get(answers, "example.net", DNS_TXT, NOW + 60 * SECOND, NULL, NULL));
    put_text("forever.example", "long", INT64_C(1) << 31);
    assert_non_null(get_text("forever.example", NOW + 86399 * SECOND));
    assert_null(get_text("forever.example", NOW + 86400 * SECOND));
}

static void test_name_and_type(void **state)
{
    (void)state;
    put_text("example.net", "one", 60);
    assert_null(get_text("example.ne", NOW));
    assert_null(get_text("www.example.net", NOW));
    assert_false(answers_get(answers, "example.net", DNS_MX, NOW, NULL, NULL));
    put_text("example.net", "two", 60);
    assert_string_equal(get_text("example.net", NOW), "two");
}

static void test_several_records(void **state)
{
    (void)state;
    static char first[] = "\xc0\0\2\1", second[] = "\xc0\0\2\2";
    struct dns_answer answer;
    answers_put(answers, "two.example", DNS_A, DNS_ANSWER, (char *[]){first, second, NULL}, (int[]){4, 4}, 60, NOW);
    assert_true(answers_get(answers, "two.example", DNS_A, NOW, arena, &answer));
    assert_int_equal(answer.outcome, DNS_ANSWER);
    assert_int_equal(answer.count, 2);
    assert_int_equal(answer.records[0].addr.bytes[3], 1);
    assert_int_equal(answer.records[1].addr.bytes[3], 2);
    answers_put(answers, "odd.example", DNS_A, DNS_ANSWER, (char *[]){first, second, NULL}, (int[]){4, 3}, 60, NOW);
    assert_true(answers_get(answers, "odd.example", DNS_A, NOW, arena, &answer));
    assert_int_equal(answer.outcome, DNS_SERVFAIL);
    assert_int_equal(answer.count, 0);
}

static void test_outcomes(void **state)
{
    (void)state;
    static const struct {
        enum dns_outcome outcome;
        bool is_kept;
    } table[] = {
        {DNS_NXDOMAIN, true}, {DNS_NODATA, true}, {DNS_SERVFAIL, false}, {DNS_BOGUS, false}, {DNS_TIMEOUT, false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct dns_answer answer = {.outcome = DNS_ANSWER, .count = 7};
        const char *name = dns_outcome_name(table[i].outcome);
        answers_put(answers, name, DNS_TXT, table[i].outcome, NULL, NULL, 60, NOW);
        assert_int_equal(answers_get(answers, name, DNS_TXT, NOW, arena, &answer), table[i].is_kept);
        if (table[i].is_kept) {
            assert_int_equal(answer.outcome, table[i].outcome);
            assert_int_equal(answer.count, 0);
        }
    }
    put_text("zero.example", "gone", 0);
    assert_null(get_text("zero.example", NOW));
}

static void test_too_large(void **state)
{
    (void)state;
    static char text[5000];
    answers_put(answers, "large.example", DNS_TXT, DNS_ANSWER, (char *[]){text, NULL}, (int[]){4999}, 60, NOW);
    assert_null(get_text("large.example", NOW));
}

/* Many more than there is room for: what is found is right, the last one is there, and the older ones made room. */
static void test_many_names(void **state)
{
    (void)state;
    char name[32];
    size_t found = 0;
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        put_text(name, name, 60);
        assert_string_equal(get_text(name, NOW), name);
    }
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        const char *text = get_text(name, NOW);
        found += text != NULL;
        if (text)
            assert_string_equal(text, name);
    }
    assert_in_range(found, 500, 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kept_until_it_expires, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_name_and_type, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_several_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_outcomes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_names, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
