/* policyrec: records as a table, then the choice among the TXT answers. */
#include "unit.h"

#include "auth/policyrec.h"
#include <stdio.h>

#define NONE AUTH_POLICY_NONE
#define QUAR AUTH_POLICY_QUARANTINE
#define REJ AUTH_POLICY_REJECT

static const struct {
    const char *text;
    enum policyrec_status status;
    bool has_policy;
    enum auth_policy p, sp, np;
    unsigned notes;
} rows[] = {
    {"v=DMARC1; p=none", POLICYREC_OK, true, NONE, NONE, NONE, 0},
    {"v=DMARC1; p=quarantine;", POLICYREC_OK, true, QUAR, QUAR, QUAR, 0},
    {"v=DMARC1;p=reject", POLICYREC_OK, true, REJ, REJ, REJ, 0},
    {"v=DMARC1 ; p = reject ; ", POLICYREC_OK, true, REJ, REJ, REJ, 0},
    {"v = DMARC1; p=reject", POLICYREC_OK, true, REJ, REJ, REJ, 0},
    {"v\t=\tDMARC1;\tp\t=\treject", POLICYREC_OK, true, REJ, REJ, REJ, 0},
    {"v=DMARC1; p=REJECT", POLICYREC_OK, true, REJ, REJ, REJ, 0},
    {"v=DMARC1; p=Quarantine; sp=NONE", POLICYREC_OK, true, QUAR, NONE, NONE, 0},
    {"v=DMARC1; p=none; sp=quarantine; np=reject", POLICYREC_OK, true, NONE, QUAR, REJ, 0},
    {"v=DMARC1; p=none; np=reject", POLICYREC_OK, true, NONE, NONE, REJ, 0},
    {"v=DMARC1; p=reject; sp=none", POLICYREC_OK, true, REJ, NONE, NONE, 0},
    {"v=DMARC1; rua=mailto:a@example.net; p=reject", POLICYREC_OK, true, REJ, REJ, REJ, 0},
    {"v=DMARC1; p=reject;;", POLICYREC_OK, true, REJ, REJ, REJ, 1},
    {"v=DMARC1; p=reject; x=y", POLICYREC_OK, true, REJ, REJ, REJ, 1},
    {"v=DMARC1; p=reject; foo_1=y=z", POLICYREC_OK, true, REJ, REJ, REJ, 1},
    {"v=DMARC1; p=reject; pct=0; rf=afrf; ri=1; fo=1:d:s", POLICYREC_OK, true, REJ, REJ, REJ, 3},
    {"v=DMARC1; p=reject; rf=iodef; adkim=r", POLICYREC_OK, true, REJ, REJ, REJ, 1},
    {"v=DMARC1; p=reject; adkim=x", POLICYREC_OK, true, REJ, REJ, REJ, 1},
    {"v=DMARC1; p=reject; aspf=strict", POLICYREC_OK, true, REJ, REJ, REJ, 1},
    {"v=DMARC1; p=reject; t=maybe", POLICYREC_OK, true, REJ, REJ, REJ, 1},
    {"v=DMARC1; p=reject; psd=", POLICYREC_OK, true, REJ, REJ, REJ, 1},
    {"v=DMARC1; p=reject; pct=101", POLICYREC_OK, true, REJ, REJ, REJ, 2},
    {"v=DMARC1; p=reject; rua=nobody", POLICYREC_OK, true, REJ, REJ, REJ, 1},
    {"v=DMARC1; p=reject; rua=mailto:a@x.example,mailto:b@x.example!10m", POLICYREC_OK, true, REJ, REJ, REJ, 0},
    /* p decides */
    {"v=DMARC1; rua=mailto:a@example.net", POLICYREC_OK, true, NONE, NONE, NONE, 1},
    {"v=DMARC1; p=rejct; rua=mailto:a@example.net", POLICYREC_OK, true, NONE, NONE, NONE, 2},
    {"v=DMARC1; p=reject; sp=rejct; rua=mailto:a@example.net", POLICYREC_OK, true, NONE, NONE, NONE, 2},
    {"v=DMARC1; p=reject; np=x; rua=bad, mailto:a@example.net", POLICYREC_OK, true, NONE, NONE, NONE, 2},
    {"v=DMARC1; p=; rua=https://example.net/r", POLICYREC_OK, true, NONE, NONE, NONE, 2},
    {"v=DMARC1", POLICYREC_OK, false, NONE, NONE, NONE, 0},
    {"v=DMARC1;", POLICYREC_OK, false, NONE, NONE, NONE, 0},
    {"v=DMARC1; sp=reject", POLICYREC_OK, false, NONE, NONE, NONE, 0},
    {"v=DMARC1; P=reject", POLICYREC_OK, false, NONE, NONE, NONE, 1},
    {"v=DMARC1; p=r", POLICYREC_OK, false, NONE, NONE, NONE, 1},
    {"v=DMARC1; p=rejected", POLICYREC_OK, false, NONE, NONE, NONE, 1},
    {"v=DMARC1; p=reject quarantine", POLICYREC_OK, false, NONE, NONE, NONE, 1},
    {"v=DMARC1; p=reject\xc2\xa0", POLICYREC_OK, false, NONE, NONE, NONE, 1},
    {"v=DMARC1; p=reject; sp=bad", POLICYREC_OK, false, NONE, NONE, NONE, 1},
    {"v=DMARC1; rua=mailto:", POLICYREC_OK, false, NONE, NONE, NONE, 1},
    {"v=DMARC1; rua=a@example.net", POLICYREC_OK, false, NONE, NONE, NONE, 1},
    /* no tag list */
    {"v=DMARC1 p=reject", POLICYREC_MALFORMED, false, NONE, NONE, NONE, 0},
    {"v=DMARC1, p=reject", POLICYREC_MALFORMED, false, NONE, NONE, NONE, 0},
    {"v=DMARC1; p", POLICYREC_MALFORMED, false, NONE, NONE, NONE, 0},
    {"v=DMARC1; p reject", POLICYREC_MALFORMED, false, NONE, NONE, NONE, 0},
    {"v=DMARC1; p:reject", POLICYREC_MALFORMED, false, NONE, NONE, NONE, 0},
    {"v=DMARC1; p=reject; garbage", POLICYREC_MALFORMED, false, NONE, NONE, NONE, 0},
    {"v=DMARC1; p=reject; p=none", POLICYREC_MALFORMED, false, NONE, NONE, NONE, 0},
    {"v=DMARC1; p=reject; rua=a:b; rua=a:c", POLICYREC_MALFORMED, false, NONE, NONE, NONE, 0},
    {"v=DMARC1; x=1; x=2; p=none", POLICYREC_MALFORMED, false, NONE, NONE, NONE, 1},
    {"v=DMARC1; =reject", POLICYREC_MALFORMED, false, NONE, NONE, NONE, 0},
    {"v=DMARC1; p p=reject", POLICYREC_MALFORMED, false, NONE, NONE, NONE, 0},
    {"v=DMARC1; \"p=reject\"", POLICYREC_MALFORMED, false, NONE, NONE, NONE, 0},
    /* something else */
    {"", POLICYREC_OTHER, false, NONE, NONE, NONE, 0},
    {"v", POLICYREC_OTHER, false, NONE, NONE, NONE, 0},
    {"v=", POLICYREC_OTHER, false, NONE, NONE, NONE, 0},
    {"v=DMARC", POLICYREC_OTHER, false, NONE, NONE, NONE, 0},
    {"v=DMARC2; p=reject", POLICYREC_OTHER, false, NONE, NONE, NONE, 0},
    {"v=DMARC10; p=reject", POLICYREC_OTHER, false, NONE, NONE, NONE, 0},
    {"v=DMARC1.1; p=reject", POLICYREC_OTHER, false, NONE, NONE, NONE, 0},
    {"v=dmarc1; p=reject", POLICYREC_OTHER, false, NONE, NONE, NONE, 0},
    {"V=DMARC1; p=reject", POLICYREC_OTHER, false, NONE, NONE, NONE, 0},
    {" v=DMARC1; p=reject", POLICYREC_OTHER, false, NONE, NONE, NONE, 0},
    {"p=reject; v=DMARC1", POLICYREC_OTHER, false, NONE, NONE, NONE, 0},
    {"v=spf1 -all", POLICYREC_OTHER, false, NONE, NONE, NONE, 0},
    {"hello v=DMARC1; p=reject", POLICYREC_OTHER, false, NONE, NONE, NONE, 0},
};

static void test_table(void **state)
{
    (void)state;
    unsigned failed = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_create(1024);
        struct policyrec record;
        enum policyrec_status status = policyrec_parse(arena, span_of(rows[i].text), &record);
        bool fine = status == rows[i].status && record.note_count == rows[i].notes;
        if (fine && status == POLICYREC_OK)
            fine = record.has_policy == rows[i].has_policy && record.p == rows[i].p && record.sp == rows[i].sp &&
                   record.np == rows[i].np;
        bool needs_reason = status == POLICYREC_MALFORMED || (status == POLICYREC_OK && !record.has_policy);
        if (!fine || needs_reason != (record.error != NULL)) {
            print_error("[%s]: status %d has_policy %d %d %d %d notes %zu error %s\n", rows[i].text, (int)status,
                        record.has_policy, (int)record.p, (int)record.sp, (int)record.np, record.note_count,
                        record.error ? record.error : "-");
            failed++;
        }
        arena_destroy(arena);
    }
    assert_int_equal(failed, 0);
}

static void test_tags(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    struct policyrec record;
    assert_int_equal(policyrec_parse(arena,
                                     span_of("v=DMARC1; p=none; adkim=S; aspf=s; t=y; psd=Y; pct=25; rua=mailto:a@b; "
                                             "ruf=mailto:c@d; fo=1:s; rf=afrf; ri=3600"),
                                     &record),
                     POLICYREC_OK);
    assert_true(record.strict_dkim && record.strict_spf && record.is_test);
    assert_int_equal(record.psd, 'y');
    assert_int_equal(record.pct, 25);
    assert_string_equal(record.rua, "mailto:a@b");
    assert_string_equal(record.ruf, "mailto:c@d");
    assert_string_equal(record.fo, "1:s");
    assert_string_equal(record.rf, "afrf");
    assert_string_equal(record.ri, "3600");
    assert_int_equal(policyrec_parse(arena, span_of("v=DMARC1; p=none; psd=n"), &record), POLICYREC_OK);
    assert_false(record.strict_dkim || record.strict_spf || record.is_test);
    assert_int_equal(record.psd, 'n');
    assert_int_equal(record.pct, 100);
    assert_null(record.rua);
    static const char nul[] = "v=DMARC1; p=reject\0; sp=none";
    assert_int_equal(policyrec_parse(arena, (struct span){nul, sizeof nul - 1}, &record), POLICYREC_OK);
    assert_false(record.has_policy);
    arena_destroy(arena);
}

static void test_many_tags(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    struct policyrec record;
    char text[1024] = "v=DMARC1; p=reject";
    for (int i = 0; i < 70; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), ";x%d=1", i);
    assert_int_equal(policyrec_parse(arena, span_of(text), &record), POLICYREC_MALFORMED);
    assert_int_equal(record.note_count, POLICYREC_NOTES);
    arena_destroy(arena);
}

static void expect_choice(const char *const *texts, size_t count, enum policyrec_choice choice)
{
    struct arena *arena = arena_create(1024);
    struct dns_record records[4];
    for (size_t i = 0; i < count; i++)
        records[i] = (struct dns_record){.text = span_of(texts[i])};
    struct dns_answer answer = {count ? DNS_ANSWER : DNS_NODATA, records, count};
    struct policyrec record;
    assert_int_equal(policyrec_choose(arena, &answer, &record), choice);
    arena_destroy(arena);
}

static void test_choice(void **state)
{
    (void)state;
    static const char *const texts[] = {"v=spf1 -all", "v=DMARC1; p=none", "v=DMARC2; p=none", "v=DMARC1; bad"};
    expect_choice(texts, 0, POLICYREC_NONE);
    expect_choice(texts, 1, POLICYREC_NONE);
    expect_choice(texts, 3, POLICYREC_ONE);
    expect_choice(texts, 4, POLICYREC_SEVERAL); /* a malformed one is one of them */
    expect_choice(texts + 2, 2, POLICYREC_BROKEN);
}

static void test_policy(void **state)
{
    (void)state;
    struct policyrec record = {.p = REJ, .sp = QUAR, .np = NONE};
    assert_int_equal(policyrec_policy(&record, false, true), REJ);
    assert_int_equal(policyrec_policy(&record, false, false), REJ);
    assert_int_equal(policyrec_policy(&record, true, true), QUAR);
    assert_int_equal(policyrec_policy(&record, true, false), NONE);
    assert_int_equal(policyrec_weaken(REJ), QUAR);
    assert_int_equal(policyrec_weaken(QUAR), NONE);
    assert_int_equal(policyrec_weaken(NONE), NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table), cmocka_unit_test(test_tags),
                                       cmocka_unit_test(test_many_tags), cmocka_unit_test(test_choice),
                                       cmocka_unit_test(test_policy)};
    return cmocka_run_group_tests_name("policyrec", tests, NULL, NULL);
}
