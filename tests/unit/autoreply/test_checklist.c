/*
 * checklist: the 30 points of the rules for auto-replies (RFC 3834, RFC 5230), each under its number. What needs the
 * store, the spool or the whole check is listed where it stands, with the test that shows it.
 */
#include "unit.h"

#include "autoreply/memory.h"
#include "fixture.h"
#include "util/clock.h"
#include <stdio.h>
#include <stdlib.h>

#define BOB "bob@remote.example"
#define ORDINARY FIXTURE_TO "From: Bob <bob@remote.example>\r\nSubject: Lunch?\r\nMessage-ID: <1@remote.example>\r\n"

/* Without any reason a person is answered: what all the others are compared with. */
static void point_00_an_ordinary_message(void **state)
{
    fixture_expect(*state, BOB, ORDINARY, NULL, 0);
}

/* ---- when to stay silent ---- */

static void point_01_null_reverse_path(void **state)
{
    fixture_expect(*state, "", ORDINARY, "autoreply.null-sender", 1);
    fixture_expect(*state, "<>", ORDINARY, "autoreply.null-sender", 1);
}

static void point_02_auto_submitted(void **state)
{
    fixture_expect(*state, BOB, ORDINARY "Auto-Submitted: auto-replied; owner-email=x\r\n", "autoreply.auto-submitted",
                   2);
    fixture_expect(*state, BOB, ORDINARY "Auto-Submitted: auto-generated\r\n", "autoreply.auto-submitted", 2);
    fixture_expect(*state, BOB, ORDINARY "Auto-Submitted: anything\r\n", "autoreply.auto-submitted", 2);
    fixture_expect(*state, BOB, ORDINARY "Auto-Submitted: No (x)\r\n", NULL, 0);
    fixture_expect(*state, BOB, ORDINARY "Auto-Submitted: no; x=y\r\n", NULL, 0);
}

static void point_03_lists(void **state)
{
    static const char *const names[] = {"List-Id",   "List-Help",  "List-Subscribe", "List-Unsubscribe",
                                        "List-Post", "List-Owner", "List-Archive"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        fixture_expect(fixture, BOB, arena_printf(fixture->arena, ORDINARY "%s: x\r\n", names[i]), "autoreply.list", 3);
}

static void point_04_precedence(void **state)
{
    fixture_expect(*state, BOB, ORDINARY "Precedence: bulk\r\n", "autoreply.precedence", 4);
    fixture_expect(*state, BOB, ORDINARY "Precedence: Junk\r\n", "autoreply.precedence", 4);
    fixture_expect(*state, BOB, ORDINARY "Precedence: LIST (x)\r\n", "autoreply.precedence", 4);
    fixture_expect(*state, BOB, ORDINARY "Precedence: first-class\r\n", NULL, 0);
}

static void point_05_was_it_addressed(void **state)
{
    static const char *const names[] = {"To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc"};
    struct fixture *fixture = *state;
    fixture_expect(fixture, BOB, "To: undisclosed-recipients:;\r\n", "autoreply.not-addressed", 5);
    fixture_expect(fixture, BOB, "Subject: x\r\n", "autoreply.not-addressed", 5);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fixture_expect(fixture, BOB, arena_printf(fixture->arena, "%s: OWNER@Example.NET\r\n", names[i]), NULL, 0);
        fixture_expect(fixture, BOB,
                       arena_printf(fixture->arena, "%s: a@b.example,\r\n boss@example.net\r\n", names[i]), NULL, 0);
        fixture_expect(fixture, BOB, arena_printf(fixture->arena, "%s: other@example.net\r\n", names[i]),
                       "autoreply.not-addressed", 5);
    }
}

static void point_06_refused_senders(void **state)
{
    static const char *const refused[] = {"MAILER-DAEMON@remote.example", "listserv@remote.example",
                                          "majordomo@remote.example", "list-request@remote.example",
                                          "owner-list@remote.example"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        fixture_expect(fixture, refused[i], ORDINARY, "autoreply.system-sender", 6);
    fixture_expect(fixture, "postmaster@remote.example", ORDINARY, NULL, 0);
    const char *excluded[] = {"@remote.example", "eve@other.example"};
    fixture->message.excluded = excluded;
    fixture->message.excluded_count = 2;
    fixture_expect(fixture, BOB, ORDINARY, "autoreply.excluded", 6);
    fixture_expect(fixture, "Eve@Other.example", ORDINARY, "autoreply.excluded", 6);
    fixture_expect(fixture, "bob@mail.remote.example", ORDINARY, NULL, 0);
}

static void point_07_own_address(void **state)
{
    fixture_expect(*state, "owner@example.net", ORDINARY, "autoreply.own-address", 7);
    fixture_expect(*state, "Boss@Example.Net", ORDINARY, "autoreply.own-address", 7);
    fixture_expect(*state, "owner@example.org", ORDINARY, "autoreply.own-address", 7);
    fixture_expect(*state, "colleague@example.net", ORDINARY, NULL, 0);
}

static void point_08_what_others_ask_for(void **state)
{
    struct fixture *fixture = *state;
    fixture_expect(fixture, BOB, ORDINARY "X-Auto-Response-Suppress: DR, OOF\r\n", "autoreply.suppressed", 8);
    fixture_expect(fixture, BOB, ORDINARY "X-Auto-Response-Suppress: All\r\n", "autoreply.suppressed", 8);
    fixture_expect(fixture, BOB, ORDINARY "X-Auto-Response-Suppress: autoreply\r\n", "autoreply.suppressed", 8);
    fixture_expect(fixture, BOB, ORDINARY "X-Auto-Response-Suppress: DR\r\n", NULL, 0);
    fixture_expect(fixture, BOB, ORDINARY "X-Loop: x\r\n", "autoreply.suppressed", 8);
    fixture_expect(fixture, BOB, ORDINARY "X-Autoreply: yes\r\n", "autoreply.suppressed", 8);
    fixture_expect(fixture, BOB, ORDINARY "X-Autorespond: x\r\n", "autoreply.suppressed", 8);
    fixture_expect(fixture, BOB, ORDINARY "X-Spam-Flag: YES\r\n", "autoreply.spam", 8);
    fixture_expect(fixture, "news+owner=example.net@list.example", ORDINARY "X-Mailing-List: x\r\n",
                   "autoreply.machine", 9);
    fixture_expect(fixture, "news+owner=example.net@list.example", ORDINARY, NULL, 0);
}

/* The forms that bounces and receipts have in the field, each with a sender that is not null. */
static void point_09_machines_with_a_sender(void **state)
{
    static const char *const machines[] = {
        /* RFC 3464 */
        "From: Mail Delivery Subsystem <MAILER-DAEMON@cs.utk.example>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; "
        "report-type=delivery-status;\r\n\tboundary=\"RAA14128.773615765/CS.UTK.EDU\"\r\n",
        "From: The Mail System <postmaster@mx.example>\r\nContent-Type: multipart/report; boundary=\"=_x\"; "
        "report-type=\"delivery-status\"\r\n",
        /* RFC 8098 */
        "From: Joe Recipient <Joe_Recipient@example.com>\r\n"
        "Content-Type: multipart/report; report-type=disposition-notification;\r\n boundary=\"RAA\"\r\n",
        /* RFC 5965 */
        "From: <abusedesk@example.com>\r\nContent-Type: multipart/report; "
        "report-type=feedback-report;\r\n\tboundary=\"p\"\r\n",
        /* Exim's bounces in plain text */
        "From: Mail Delivery System <Mailer-Daemon@mx.example>\r\nX-Failed-Recipients: x@y.example\r\n",
        "From: postmaster@mx.example\r\nX-Failed-Recipients: x@y.example\r\nContent-Type: text/plain\r\n",
        /* qmail's */
        "From: MAILER-DAEMON@mx.example\r\nSubject: failure notice\r\n",
        /* one that a fetcher hands on with its own sender */
        "Return-Path: <>\r\nFrom: postmaster@mx.example\r\n",
    };
    struct fixture *fixture = *state;
    fixture->question.noreply = NULL; /* the patterns of point 6 would find some of them first */
    for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
        fixture_expect(fixture, "postmaster@mx.example", arena_printf(fixture->arena, FIXTURE_TO "%s", machines[i]),
                       "autoreply.machine", 9);
}

/* 10, only for mail that is delivered: the check's, tests/unit/checks/test_autoreply.c and the live tests. */

/* ---- memory ---- */

static void point_11_seven_days(void **state)
{
    struct fixture *fixture = *state;
    struct responder responder;
    struct responder_problem problem;
    static const char json[] = "{\"mailbox\":\"a@b.example\",\"messages\":[{\"name\":\"a\",\"body\":\"x\"}]}";
    assert_int_equal(responder_parse(fixture->arena, span_of(json), &responder, &problem), 0);
    assert_int_equal(responder.messages[0].days, 7);
    assert_true(RESPONDER_DAYS_MAX > 7);
}

static void point_12_per_pair_and_text(void **state)
{
    struct fixture *fixture = *state;
    struct responder_message other = fixture->message;
    struct responder another = fixture->responder;
    const char *print = responder_fingerprint(fixture->arena, &fixture->message);
    const char *key = memory_key(fixture->arena, &fixture->responder, BOB, print);
    other.body = "I am still away.\n";
    assert_string_not_equal(
        key, memory_key(fixture->arena, &fixture->responder, BOB, responder_fingerprint(fixture->arena, &other)));
    assert_string_not_equal(key, memory_key(fixture->arena, &fixture->responder, "eve@remote.example", print));
    another.mailbox = "colleague@example.net";
    assert_string_not_equal(key, memory_key(fixture->arena, &another, BOB, print));
    assert_string_equal(key, memory_key(fixture->arena, &fixture->responder, BOB, print));
    /* parts with separators: moving a word from the subject to the body is another text */
    struct responder_message one = {.subject = "a b", .body = "c"}, two = {.subject = "a", .body = " bc"};
    assert_string_not_equal(responder_fingerprint(fixture->arena, &one), responder_fingerprint(fixture->arena, &two));
}

/* 13, not less than 1000 remembered senders a mailbox: test_checklist_whole.c. */

static bool is_own_domain(void *context, const char *domain)
{
    (void)context;
    return strcmp(domain, "example.net") == 0;
}

static const struct memory_ours ours = {.has_domain = is_own_domain};

static void point_14_one_sender_in_all_his_forms(void **state)
{
    static const char *const forms[] = {"bob@remote.example",
                                        "Bob@REMOTE.example",
                                        "BOB@remote.EXAMPLE.",
                                        "prvs=0123456789=bob@remote.example",
                                        "prvs=bob/0123456789@remote.example",
                                        "btv1==0123456789==bob@remote.example",
                                        "SRS0=abcd=XY=remote.example=bob@example.net",
                                        "SRS0=efgh=YZ=remote.example=bob@example.net",
                                        "SRS1=ijkl=mid.example==abcd=XY=remote.example=bob@example.net"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        assert_string_equal(memory_sender(fixture->arena, forms[i], &ours), BOB);
    assert_string_not_equal(memory_sender(fixture->arena, "rob@remote.example", &ours), BOB);
}

/* 15, remembered once it is sent, and before: test_answer.c, a_full_spool_remembers_nothing, sixteen_at_once, at_the_end. */

static void point_16_to_the_second(void **state)
{
    (void)state;
    int64_t until = memory_until(FIXTURE_NOW, 7), week = 7 * 86400;
    assert_true(FIXTURE_NOW + week - 1 < until);
    assert_true(FIXTURE_NOW + week >= until);
    /* the store's side of it, and the clock that jumps back: tests/unit/store, tests/live/test_autoreply.py */
}

/* 17, restart and upgrade keep the memory: test_checklist_whole.c, and test_version_1_is_raised in tests/unit/store. */

/* ---- the reply itself ---- */

static GMimeMessage *reply_to(struct fixture *fixture, const char *header)
{
    struct span reply = fixture_reply(fixture, span_of(header));
    fixture_is_sound(reply, 998, false);
    return fixture_parse(fixture, reply);
}

/* 18, the envelope: test_checklist_whole.c; RFC 3834's mark against loops is in the header as well: 23. */

static void point_19_20_to_the_reverse_path_only(void **state)
{
    GMimeMessage *reply =
        reply_to(*state, "From: x@from.example\r\nReply-To: y@reply.example\r\nSender: z@s.example\r\n");
    assert_string_equal(fixture_field(reply, "To"), BOB);
    assert_null(fixture_field(reply, "Cc"));
    assert_null(fixture_field(reply, "Bcc"));
}

static void point_21_from_the_address_written_to(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.written_to = "boss@example.net";
    assert_string_equal(fixture_field(reply_to(fixture, ORDINARY), "From"), "boss@example.net");
    fixture->message.from = "office@example.net"; /* field G */
    assert_string_equal(fixture_field(reply_to(fixture, ORDINARY), "From"), "office@example.net");
}

static void point_22_subject(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(g_mime_message_get_subject(reply_to(fixture, ORDINARY)), "Auto: Lunch?");
    assert_string_equal(g_mime_message_get_subject(reply_to(fixture, "")), COMPOSE_NO_SUBJECT);
    assert_string_equal(g_mime_message_get_subject(reply_to(fixture, "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n")),
                        "Auto: Gr\xc3\xbc\xc3\x9f"
                        "e");
    const char *subject =
        g_mime_message_get_subject(reply_to(fixture, arena_printf(fixture->arena, "Subject: %0900d\r\n", 1)));
    assert_int_equal(strlen(subject), strlen("Auto: ") + COMPOSE_SUBJECT_MAX);
    assert_null(strstr(fixture_reply(fixture, span_of(ORDINARY)).ptr, "=?"));
    fixture->message.subject = "Away";
    assert_string_equal(g_mime_message_get_subject(reply_to(fixture, ORDINARY)), "Away");
}

static void point_23_marks(void **state)
{
    GMimeMessage *reply = reply_to(*state, ORDINARY);
    assert_string_equal(fixture_field(reply, "Auto-Submitted"), "auto-replied");
    assert_string_equal(fixture_field(reply, "Precedence"), "bulk");
    assert_string_equal(fixture_field(reply, "X-Auto-Response-Suppress"), "All");
}

static void point_24_thread(void **state)
{
    GMimeMessage *reply = reply_to(*state, ORDINARY "References: <0@remote.example>\r\n");
    assert_string_equal(fixture_field(reply, "In-Reply-To"), "<1@remote.example>");
    assert_string_equal(fixture_field(reply, "References"), "<0@remote.example> <1@remote.example>");
    reply = reply_to(*state, ORDINARY "In-Reply-To: <0@remote.example>\r\n");
    assert_string_equal(fixture_field(reply, "References"), "<0@remote.example> <1@remote.example>");
    reply = reply_to(*state, "Subject: x\r\nReferences: <0@remote.example>\r\n");
    assert_null(fixture_field(reply, "In-Reply-To"));
    assert_null(fixture_field(reply, "References"));
}

static void point_25_date_and_id(void **state)
{
    struct fixture *fixture = *state;
    fixture->message.body = "Gr\xc3\xbc\xc3\x9f"
                            "e von der See, bis bald\n";
    GMimeMessage *reply = reply_to(fixture, ORDINARY);
    assert_int_equal(g_date_time_to_unix(g_mime_message_get_date(reply)), FIXTURE_NOW);
    assert_string_equal(g_mime_message_get_message_id(reply),
                        "autoreply.0123456789abcdef0123456789abcdef@mx.example.net");
    assert_string_equal(fixture_field(reply, "MIME-Version"), "1.0");
    assert_string_equal(g_mime_object_get_header(g_mime_message_get_mime_part(reply), "Content-Type"),
                        "text/plain; charset=utf-8");
}

static void point_26_nothing_of_the_original(void **state)
{
    struct fixture *fixture = *state;
    struct span reply = fixture_reply(fixture, span_of(ORDINARY "X-Virus: payload\r\nComments: payload\r\n"));
    assert_null(strstr(reply.ptr, "payload"));
    assert_string_equal(strstr(reply.ptr, "\r\n\r\n") + 4, "I am away.\r\n");
}

static void point_27_nothing_slips_into_the_header(void **state)
{
    static const char *const hostile[] = {"=?utf-8?q?x=0D=0ABcc:_victim@x.example?=",
                                          "=?utf-8?b?eA0KQmNjOiB2aWN0aW1AeC5leGFtcGxl?=",
                                          "\x01\x7f\x80\xff",
                                          "x\rBcc: victim@x.example",
                                          "x\nBcc: victim@x.example",
                                          "<1@x>\rBcc: victim@x.example",
                                          "<1@x\xff>",
                                          "<1@x\x01>",
                                          "(\r\nBcc: victim@x.example"};
    static const char *const names[] = {"Subject", "Message-ID", "References", "In-Reply-To"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            struct header_field fields[] = {{span_of("Message-ID"), span_of(" <9@remote.example>")},
                                            {span_of(names[k]), span_of(hostile[i])}};
            bool needs_utf8;
            fixture->request.headers = k == 1 ? fields + 1 : fields;
            fixture->request.header_count = k == 1 ? 1 : 2;
            struct span reply = compose_reply(fixture->arena, &fixture->request, &needs_utf8);
            fixture_is_sound(reply, 998, false);
            assert_null(fixture_field(fixture_parse(fixture, reply), "Bcc"));
        }
    }
    static const char nul[] = " a\0Bcc: victim@x.example";
    struct header_field field = {span_of("Subject"), {nul, sizeof nul - 1}};
    bool needs_utf8;
    fixture->request.headers = &field;
    fixture->request.header_count = 1;
    fixture_is_sound(compose_reply(fixture->arena, &fixture->request, &needs_utf8), 998, false);
}

/* Two of our responders facing each other: the reply is never answered, by its header even where the MTA in between
 * lost the null reverse-path. And no answer to a sender that is likely forged. */
static void point_28_no_loop_and_no_backscatter(void **state)
{
    struct fixture *fixture = *state;
    fixture->request.to = "owner@example.net";
    fixture->request.written_to = BOB;
    const char *reply = fixture_reply(fixture, span_of(ORDINARY)).ptr;
    const char *header =
        arena_spandup(fixture->arena, (struct span){reply, (size_t)(strstr(reply, "\r\n\r\n") + 2 - reply)});
    fixture_expect(fixture, "", header, "autoreply.null-sender", 1);
    fixture_expect(fixture, BOB, header, "autoreply.auto-submitted", 2);
    struct auth_dmarc dmarc = {.result = AUTH_FAIL};
    fixture->question.dmarc = &dmarc;
    fixture_expect(fixture, BOB, ORDINARY, "autoreply.forged", 28);
    fixture->question.require_auth = SILENCE_AUTH_OFF;
    fixture_expect(fixture, BOB, ORDINARY, NULL, 0);
}

/* 29, one reply for a user named twice: test_checklist_whole.c. */
/* 30, rate limits: the check's, tests/unit/checks/test_autoreply.c and tests/unit/autoreply/test_caps.c. */

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(point_00_an_ordinary_message),
        TEST(point_01_null_reverse_path),
        TEST(point_02_auto_submitted),
        TEST(point_03_lists),
        TEST(point_04_precedence),
        TEST(point_05_was_it_addressed),
        TEST(point_06_refused_senders),
        TEST(point_07_own_address),
        TEST(point_08_what_others_ask_for),
        TEST(point_09_machines_with_a_sender),
        TEST(point_11_seven_days),
        TEST(point_12_per_pair_and_text),
        TEST(point_14_one_sender_in_all_his_forms),
        TEST(point_16_to_the_second),
        TEST(point_19_20_to_the_reverse_path_only),
        TEST(point_21_from_the_address_written_to),
        TEST(point_22_subject),
        TEST(point_23_marks),
        TEST(point_24_thread),
        TEST(point_25_date_and_id),
        TEST(point_26_nothing_of_the_original),
        TEST(point_27_nothing_slips_into_the_header),
        TEST(point_28_no_loop_and_no_backscatter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
