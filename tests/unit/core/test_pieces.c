/* facts, edits, verdict, counters, session: the small parts of core/. */
#include "unit.h"

#include "core/counters.h"
#include "core/edits.h"
#include "core/facts.h"
#include "core/session.h"
#include "core/subject.h"
#include "core/verdict.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static void test_facts(void **state)
{
    (void)state;
    struct arena *arena = arena_create(256);
    struct facts facts = {NULL, 0, 0};
    int value;
    char text[] = "first";
    assert_null(facts_get(&facts, "a"));
    facts_set(&facts, arena, "a", text, &value);
    text[0] = 'x'; /* it was copied */
    assert_string_equal(facts_get(&facts, "a")->text, "first");
    assert_ptr_equal(facts_get(&facts, "a")->value, &value);
    facts_set(&facts, arena, "a", "second", NULL);
    assert_int_equal(facts.count, 1);
    assert_string_equal(facts_get(&facts, "a")->text, "second");
    assert_null(facts_get(&facts, "a")->value);
    char names[100][8];
    for (size_t i = 0; i < 100; i++) {
        snprintf(names[i], sizeof names[i], "n%zu", i);
        facts_set(&facts, arena, names[i], names[i], NULL);
    }
    for (size_t i = 0; i < 100; i++)
        assert_string_equal(facts_get(&facts, names[i])->text, names[i]);
    assert_null(facts_get(&facts, "n100"));
    arena_destroy(arena);
}

/* What stands in MAIL and RCPT must not end the command, whoever wrote it. */
static void edits_of_the_envelope(void **state)
{
    (void)state;
    static const struct {
        const char *address, *parameters;
        int expected;
    } rows[] = {
        {"a@b.example", NULL, 0},
        {"a@b.example", "NOTIFY=NEVER ORCPT=rfc822;a@b", 0},
        {"\"a b>\\\" c\"@b.example", NULL, 0},
        {"\xc3\xa4@b.example", NULL, 0},
        {"a@[192.0.2.1]", NULL, 0},
        {"", NULL, -1},
        {"a b@b.example", NULL, -1},
        {"a@b.example> <c@d", NULL, -1},
        {"a@b.example\r\nDATA", NULL, -1},
        {"\"a\r\n\"@b.example", NULL, -1},
        {"\"a\\\n\"@b.example", NULL, -1},
        {"\"a@b.example", NULL, -1},
        {"\"a\\", NULL, -1},
        {"a@b.example", "NOTIFY=NEVER\r\nDATA", -1},
    };
    struct arena *arena = arena_create(0);
    struct edits edits = {.items = NULL};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t before = edits.count;
        assert_int_equal(edits_add_recipient(&edits, arena, rows[i].address, rows[i].parameters), rows[i].expected);
        assert_int_equal(edits.count - before, rows[i].expected == 0);
    }
    assert_int_equal(edits_change_sender(&edits, arena, ""), 0);
    assert_int_equal(edits_delete_recipient(&edits, arena, "a@b.example\n"), -1);
    arena_destroy(arena);
}

static void test_edits(void **state)
{
    (void)state;
    struct arena *arena = arena_create(256);
    struct edits edits = {.items = NULL};
    char flood[2000];
    memset(flood, 'f', sizeof flood - 1);
    flood[sizeof flood - 1] = '\0';
    edits_add_header(&edits, arena, "X-Postern", "a\r\nBcc: everybody\x80");
    assert_int_equal(edits_delete_header(&edits, arena, "X-Postern", 3), 0);
    edits_quarantine(&edits, arena, "because\n");
    edits_add_header(&edits, arena, "X-Long", flood);
    assert_int_equal(edits.count, 4);
    assert_int_equal(edits.items[0].kind, EDIT_ADD_HEADER);
    assert_string_equal(edits.items[0].name, "X-Postern");
    assert_string_equal(edits.items[0].value, "a??Bcc: everybody?");
    assert_int_equal(edits.items[1].kind, EDIT_DELETE_HEADER);
    assert_int_equal(edits.items[1].index, 3);
    assert_null(edits.items[1].value);
    assert_string_equal(edits.items[2].value, "because?");
    assert_true(strlen(edits.items[3].value) < 998 - strlen("X-Long: "));
    for (unsigned i = 0; i < EDITS_DELETIONS_MAX; i++) /* one name has one deletion already, the other none */
        assert_int_equal(edits_delete_header(&edits, arena, i ? "x-postern" : "X-Other", 200 - i), 0);
    assert_int_equal(edits_delete_header(&edits, arena, "X-POSTERN", 1), -1);
    assert_int_equal(edits_delete_header(&edits, arena, "X-Other", 1), 0);
    assert_int_equal(edits.count, 4 + EDITS_DELETIONS_MAX + 1);
    assert_string_equal(edit_kind_name(EDIT_ADD_HEADER), "add-header");
    assert_string_equal(edit_kind_name(EDIT_DELETE_HEADER), "delete-header");
    assert_string_equal(edit_kind_name(EDIT_QUARANTINE), "quarantine");
    arena_destroy(arena);
}

/* From every strength to every other: only upwards, and the first of equals stays. */
static void test_verdict(void **state)
{
    (void)state;
    for (int from = DISPOSITION_ACCEPT; from <= DISPOSITION_REJECT; from++) {
        for (int to = DISPOSITION_ACCEPT; to <= DISPOSITION_REJECT; to++) {
            struct verdict verdict = {.disposition = from, .why = "first"};
            struct verdict next = {.disposition = to, .phase = PHASE_EOM, .check = "c", .why = "second"};
            assert_int_equal(verdict_strengthen(&verdict, &next), to > from);
            assert_int_equal(verdict.disposition, to > from ? to : from);
            assert_string_equal(verdict.why, to > from ? "second" : "first");
        }
    }
    static const char *const dispositions[] = {"accept", "tag", "quarantine", "tempfail", "reject"};
    static const char *const phases[] = {"connect", "helo", "mail", "rcpt", "data", "eoh", "eom", "accepted", "commit"};
    for (int i = DISPOSITION_ACCEPT; i <= DISPOSITION_REJECT; i++)
        assert_string_equal(disposition_name(i), dispositions[i]);
    for (int i = PHASE_CONNECT; i < PHASE_COUNT; i++)
        assert_string_equal(phase_name(i), phases[i]);
}

/* Whoever says EHLO, or AUTH, ten thousand times takes no more memory than one who says it once. */
static void test_session(void **state)
{
    (void)state;
    struct session *session = session_create();
    assert_int_equal(session_class(session), CLASS_OUTSIDE);
    session_identify(session, "alice", "TLSv1.3");
    assert_int_equal(session_class(session), CLASS_AUTHENTICATED);
    session_identify(session, "alice", "TLSv1.3");
    assert_string_equal(session->login, "alice");
    size_t size = arena_size(session->arena), identity = arena_size(session->identity);
    for (int i = 0; i < 10000; i++) {
        session_greet(session, i % 2 ? "a.example" : "b.example");
        session_identify(session, i % 2 ? "alice" : "bobby", session->tls_version);
    }
    assert_int_equal(arena_size(session->arena), size);
    assert_int_equal(arena_size(session->identity), identity);
    assert_string_equal(session->tls_version, "TLSv1.3");
    session_identify(session, NULL, NULL); /* STARTTLS ends it */
    assert_int_equal(session_class(session), CLASS_OUTSIDE);
    assert_null(session->tls_version);
    session_destroy(session);
}

static void *increment(void *counters)
{
    for (int i = 0; i < 1000; i++)
        counters_increment(counters, "b");
    return NULL;
}

static void test_counters(void **state)
{
    (void)state;
    struct arena *arena = arena_create(256);
    struct counters *counters = counters_create(arena);
    struct strbuf out;
    static const char *const names[] = {"m", "b", "z", "a", "b", "q", "c", "d", "e", "f", "g"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        counters_register(counters, names[i]);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, increment, counters), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    counters_increment(counters, "z");
    counters_increment(counters, "a");
    counters_increment(counters, "nobody registered this");
    strbuf_init(&out, 0);
    counters_print(counters, &out);
    assert_string_equal(strbuf_text(&out), "a=1\nb=4000\nz=1\n");
    strbuf_free(&out);
    arena_destroy(arena);
}

static void test_folded_edits(void **state)
{
    (void)state;
    static const struct {
        const char *value, *added, *changed;
    } rows[] = {
        {"a;\n\tb", "a;\n\tb", "a;\n\tb"},
        {"a\nX-Evil: b", "a?X-Evil: b", "a?X-Evil: b"},
        {"a\r\n\tb", "a?\n\tb", "a?\n\tb"},
        {"a\n\t", "a?\t", "a?\t"},         /* a line of white space alone */
        {"a\n \n b", "a? \n b", "a? \n b"},
        {"k\xc3\xa4se", "k??se", "k\xc3\xa4se"},
        {"\x01", "?", "?"},
    };
    struct arena *arena = arena_create(256);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct edits edits = {.items = NULL};
        edits_add_folded(&edits, arena, "X-A", rows[i].value);
        edits_change_header(&edits, arena, "Subject", 2, rows[i].value);
        assert_string_equal(edits.items[0].value, rows[i].added);
        assert_int_equal(edits.items[0].kind, EDIT_ADD_HEADER);
        assert_string_equal(edits.items[1].value, rows[i].changed);
        assert_int_equal(edits.items[1].index, 2);
    }
    char *large = arena_alloc(arena, 40001);
    memset(large, 'x', 40000);
    for (size_t i = 500; i < 40000; i += 500)
        memcpy(large + i, "\n\t", 2);
    struct edits edits = {.items = NULL};
    edits_add_folded(&edits, arena, "X-A", large);
    assert_true(strlen(edits.items[0].value) <= 32768);
    assert_string_equal(edit_kind_name(EDIT_CHANGE_HEADER), "change-header");
    arena_destroy(arena);
}

static void test_subject(void **state)
{
    (void)state;
    static const struct {
        const char *tag, *value, *expected;
    } rows[] = {
        {"[spam]", " hello", "[spam] hello"},
        {"[spam]", "hello", "[spam] hello"},
        {"[spam]", "", "[spam]"},
        {"[spam]", " a\r\n b", "[spam] a\n b"},
        {"[spam]", " =?utf-8?q?x?=", "[spam] =?utf-8?q?x?="},
        {"k\xc3\xa4se", " hello", "=?UTF-8?B?a8Okc2Ug?= hello"},
        {"k\xc3\xa4se", " =?utf-8?q?x?=", "=?UTF-8?B?a8Okc2Ug?= =?utf-8?q?x?="},
        {"=?x?q?y?=", " hello", "=?UTF-8?B?PT94P3E/eT89IA==?= hello"},
        {"[spam]", " a long subject that fills the line up to where nothing more would fit in",
         "[spam]\n a long subject that fills the line up to where nothing more would fit in"},
    };
    struct arena *arena = arena_create(256);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(subject_tag(arena, rows[i].tag, span_of(rows[i].value)), rows[i].expected);
    assert_true(subject_is_taggable("[k\xc3\xa4se]"));
    assert_false(subject_is_taggable("a\nb"));
    assert_false(subject_is_taggable("k\xe4se"));
    assert_false(subject_is_taggable("\xc3"));
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_facts), cmocka_unit_test(edits_of_the_envelope),
        cmocka_unit_test(test_edits),
                                       cmocka_unit_test(test_verdict), cmocka_unit_test(test_counters),
                                       cmocka_unit_test(test_session), cmocka_unit_test(test_folded_edits),
                                       cmocka_unit_test(test_subject)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
