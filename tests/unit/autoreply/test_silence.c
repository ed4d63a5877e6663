/* silence: each reason with the forms that strangers give it; what must be answered stands beside it. */
#include "unit.h"

#include "fixture.h"
#include "util/clock.h"
#include "util/strbuf.h"
#include <stdio.h>
#include <stdlib.h>

#define BOB "bob@remote.example"
#define LIST "autoreply.list"
#define AUTO "autoreply.auto-submitted"
#define PREC "autoreply.precedence"
#define SUPP "autoreply.suppressed"
#define MACH "autoreply.machine"
#define SPAM "autoreply.spam"
#define NOT_TO "autoreply.not-addressed"
#define SYSTEM "autoreply.system-sender"

static const struct {
    const char *header, *why; /* why NULL: answered; the header comes with To: owner@example.net */
    unsigned point;
} rows[] = {
    {"", NULL, 0},
    {"Subject: hello\r\nMessage-ID: <1@remote.example>\r\n", NULL, 0},
    /* Auto-Submitted */
    {"Auto-Submitted: no\r\n", NULL, 0},
    {"Auto-Submitted: NO\r\n", NULL, 0},
    {"auto-submitted:no\r\n", NULL, 0},
    {"Auto-Submitted : no\r\n", NULL, 0},
    {"Auto-Submitted: no (x)\r\n", NULL, 0},
    {"Auto-Submitted: (auto-replied) no\r\n", NULL, 0},
    {"Auto-Submitted: (a (b \\) c) d) no(x)\r\n", NULL, 0},
    {"Auto-Submitted: no; x=y\r\n", NULL, 0},
    {"Auto-Submitted: no ; x=y\r\n", NULL, 0},
    {"Auto-Submitted: no;\r\n", NULL, 0},
    {"Auto-Submitted:\r\n no\r\n", NULL, 0},
    {"Auto-Submitted: yes\r\n", AUTO, 2},
    {"Auto-Submitted: auto-replied\r\n", AUTO, 2},
    {"AUTO-SUBMITTED: AUTO-GENERATED\r\n", AUTO, 2},
    {"Auto-Submitted: auto-notified; owner-email=\"no@x\"\r\n", AUTO, 2},
    {"Auto-Submitted: auto-replied (no)\r\n", AUTO, 2},
    {"Auto-Submitted:\r\n", AUTO, 2},
    {"Auto-Submitted: \r\n", AUTO, 2},
    {"Auto-Submitted: ;no\r\n", AUTO, 2},
    {"Auto-Submitted: no way\r\n", AUTO, 2},
    {"Auto-Submitted: nope\r\n", AUTO, 2},
    {"Auto-Submitted: \"no\"\r\n", AUTO, 2},
    {"Auto-Submitted: no (x\r\n", AUTO, 2},
    {"Auto-Submitted: (no)\r\n", AUTO, 2},
    {"Auto-Submitted: n\xc3\xb6\r\n", AUTO, 2},
    {"Auto-Submitted: no\r\nAuto-Submitted: auto-replied\r\n", AUTO, 2},
    {"Auto-Submitted\r\n", AUTO, 2},
    {"X-Auto-Submitted: yes\r\n", NULL, 0},
    /* lists */
    {"List-Id: <l.lists.example>\r\n", LIST, 3},
    {"LIST-ID:\r\n", LIST, 3},
    {"List-Help: <mailto:x>\r\n", LIST, 3},
    {"List-Subscribe: x\r\n", LIST, 3},
    {"list-unsubscribe: <https://x>\r\n", LIST, 3},
    {"List-Post: NO\r\n", LIST, 3},
    {"List-Owner: x\r\n", LIST, 3},
    {"List-Archive: x\r\n", LIST, 3},
    {"List-Id : x\r\n", LIST, 3},
    {"X-List-Id: x\r\n", NULL, 0},
    {"List-Idea: x\r\n", NULL, 0},
    /* Precedence */
    {"Precedence: bulk\r\n", PREC, 4},
    {"Precedence: BULK\r\n", PREC, 4},
    {"Precedence: junk\r\n", PREC, 4},
    {"precedence:list\r\n", PREC, 4},
    {"Precedence: (x) bulk (y)\r\n", PREC, 4},
    {"Precedence: bulk; x\r\n", PREC, 4},
    {"Precedence: bulk mail\r\n", PREC, 4},
    {"Precedence:\r\n\tlist\r\n", PREC, 4},
    {"Precedence: first-class\r\nPrecedence: bulk\r\n", PREC, 4},
    {"Precedence: auto_reply\r\n", PREC, 4},
    {"Precedence: first-class\r\n", NULL, 0},
    {"Precedence: special-delivery\r\n", NULL, 0},
    {"Precedence: \"bulk\"\r\n", PREC, 4},
    {"Precedence: \" bulk\r\n", PREC, 4},
    {"Precedence: not bulk\r\n", NULL, 0},
    {"Precedence: \"not\" bulk\r\n", NULL, 0},
    {"Precedence: bulky\r\n", NULL, 0},
    {"Precedence: (bulk)\r\n", NULL, 0},
    {"Precedence:\r\n", NULL, 0},
    /* X-Auto-Response-Suppress and its kin */
    {"X-Auto-Response-Suppress: All\r\n", SUPP, 8},
    {"X-Auto-Response-Suppress: OOF\r\n", SUPP, 8},
    {"X-Auto-Response-Suppress: autoreply\r\n", SUPP, 8},
    {"X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply\r\n", SUPP, 8},
    {"X-Auto-Response-Suppress: DR,oof\r\n", SUPP, 8},
    {"X-Auto-Response-Suppress: DR,\r\n RN,\r\n All\r\n", SUPP, 8},
    {"X-Auto-Response-Suppress: DR\r\nX-Auto-Response-Suppress: All\r\n", SUPP, 8},
    {"X-Auto-Response-Suppress: ,,;All\r\n", SUPP, 8},
    {"X-Auto-Response-Suppress: \"All\"\r\n", SUPP, 8},
    {"X-Auto-Response-Suppress: \"DR, OOF\"\r\n", SUPP, 8},
    {"X-Auto-Response-Suppress: DR, RN, NRN\r\n", NULL, 0},
    {"X-Auto-Response-Suppress: \"DR\", \"\r\n", NULL, 0},
    {"X-Auto-Response-Suppress: None\r\n", NULL, 0},
    {"X-Auto-Response-Suppress: Allow\r\n", NULL, 0},
    {"X-Auto-Response-Suppress: (All)\r\n", NULL, 0},
    {"X-Auto-Response-Suppress: (All\r\n", NULL, 0},
    {"X-Auto-Response-Suppress:\r\n", NULL, 0},
    {"X-Autoreply: yes\r\n", SUPP, 8},
    {"X-Autorespond: Re: x\r\n", SUPP, 8},
    {"X-Loop:\r\n", SUPP, 8},
    /* machines */
    {"Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n", MACH, 9},
    {"Content-Type: MULTIPART/REPORT; boundary=x\r\n", MACH, 9},
    {"Content-Type: multipart/report\r\n", MACH, 9},
    {"Content-Type: multipart/report (x); boundary=x\r\n", MACH, 9},
    {"Content-Type: (x) multipart (y) / (z)\r\n report (w) ; boundary=x\r\n", MACH, 9},
    {"Content-Type: multipart/mixed; boundary=x; report-type=disposition-notification\r\n", MACH, 9},
    {"Content-Type: multipart/mixed;\r\n Report-Type (x) = \"feedback-report\"\r\n", MACH, 9},
    {"Content-Type: multipart/mixed boundary=\"a;b\" report-type=x\r\n", MACH, 9},
    {"Content-Type: message/delivery-status\r\n", MACH, 9},
    {"Content-Type: message/disposition-notification\r\n", MACH, 9},
    {"Content-Type: text/plain\r\nContent-Type: multipart/report\r\n", MACH, 9},
    {"Content-Type: multipart/mixed; boundary=\"report-type=x\"\r\n", NULL, 0},
    {"Content-Type: multipart/mixed; boundary=report-type\r\n", NULL, 0},
    {"Content-Type: multipart/mixed; x-report-type=y\r\n", NULL, 0},
    {"Content-Type: multipart/mixed (; report-type=x)\r\n", NULL, 0},
    {"Content-Type: text/plain; report-type=x\r\n", NULL, 0},
    {"Content-Type: multipart/reporting\r\n", NULL, 0},
    {"Content-Type: multipart\r\n", NULL, 0},
    {"Content-Type: multipart/mixed; \"\r\n", NULL, 0},
    {"Content-Type: message/rfc822\r\n", NULL, 0},
    {"Content-Type:\r\n", NULL, 0},
    {"Return-Path: <>\r\n", MACH, 9},
    {"Return-Path: <bob@remote.example>\r\n", NULL, 0},
    {"X-Envelope-From: <>\r\n", MACH, 9},
    {"X-Original-Return-Path: <>\r\n", MACH, 9},
    {"X-Envelope-From: <bob@remote.example>\r\n", NULL, 0},
    {"X-Failed-Recipients: a@b.example\r\n", MACH, 9},
    {"From: Mail Delivery System <MAILER-DAEMON@mx.remote.example>\r\n", SYSTEM, 6},
    /* authors that nobody reads */
    {"From: Shop <no-reply@shop.example>\r\n", SYSTEM, 6},
    {"From: bob@remote.example, NoReply@shop.example\r\n", SYSTEM, 6},
    {"From: \"noreply@shop.example\" <bob@remote.example>\r\n", NULL, 0},
    {"From: bob@noreply.example\r\n", NULL, 0},
    {"From: no_reply-17@shop.example\r\n", SYSTEM, 6},
    {"From: noreply-abc@shop.example\r\n", SYSTEM, 6},
    {"From: billing-noreply@shop.example\r\n", SYSTEM, 6},
    /* without an address */
    {"From: MAILER-DAEMON (Mail Delivery System)\r\n", SYSTEM, 6},
    {"From: (x) \"Mail Delivery\" <MAILER-DAEMON>\r\n", SYSTEM, 6},
    {"From: \"MAILER-DAEMON\"\r\n", SYSTEM, 6},
    {"From: <noreply@[192.0.2.1]>\r\n", SYSTEM, 6},
    {"From: Shop <noreply>\r\n", SYSTEM, 6},
    {"From: Bob Mailer\r\n", NULL, 0},
    {"From: \"Bob Mailer\"\r\n", NULL, 0},
    {"From: Bob Mailer <bob>\r\n", NULL, 0},
    {"From: Bob Bounceman <bob@[192.0.2.1]>\r\n", NULL, 0},
    {"From: Mailer <>\r\n", NULL, 0},
    {"From: Bob\r\n", NULL, 0},
    {"From: MAILER-DAEMON <bob@remote.example>\r\n", NULL, 0},
    {"From:\r\n", NULL, 0},
    {"From: \"\r\n", NULL, 0},
    /* spam */
    {"X-Spam-Flag: YES\r\n", SPAM, 8},
    {"x-spam-flag: yes\r\n", SPAM, 8},
    {"X-Spam-Status: Yes, score=9.1\r\n", SPAM, 8},
    {"X-Spam-Status:\r\n\tYes, score=9.1\r\n", SPAM, 8},
    {"X-Spam-Flag: NO\r\nX-Spam-Flag: YES\r\n", SPAM, 8},
    {"X-Spam-Flag: NO\r\n", NULL, 0},
    {"X-Spam-Status: No, score=-1 (Yes)\r\n", NULL, 0},
    {"X-Spam-Flagged: YES\r\n", NULL, 0},
    {"X-Spam-Flag: Y\r\n", NULL, 0},
};

static void header_reasons(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *header = arena_printf(fixture->arena, FIXTURE_TO "%s", rows[i].header);
        fixture_expect(fixture, BOB, header, rows[i].why, rows[i].point);
    }
}

static void bytes_that_are_no_text(void **state)
{
    struct fixture *fixture = *state;
    static const char nul[] = FIXTURE_TO "Auto-Submitted: no\0\r\n", before[] = FIXTURE_TO "Auto-Submitted: \0no\r\n";
    static const char name[] = FIXTURE_TO "Auto-Submitted\0: yes\r\n", list[] = FIXTURE_TO "Precedence: bulk\0\r\n";
    assert_string_equal(fixture_ask(fixture, BOB, (struct span){nul, sizeof nul - 1}).why, AUTO);
    assert_string_equal(fixture_ask(fixture, BOB, (struct span){before, sizeof before - 1}).why, AUTO);
    assert_null(fixture_ask(fixture, BOB, (struct span){name, sizeof name - 1}).why);
    assert_string_equal(fixture_ask(fixture, BOB, (struct span){list, sizeof list - 1}).why, PREC);
}

static const struct {
    const char *header;
    bool is_addressed;
} destinations[] = {
    {"To: owner@example.net\r\n", true},
    {"To: OWNER@EXAMPLE.NET\r\n", true},
    {"To: <owner@example.net>\r\n", true},
    {"To: The Owner <owner@example.net>\r\n", true},
    {"To: \"Owner, The\" <owner@example.net>\r\n", true},
    {"To: \"<x@y.example>\" <owner@example.net>\r\n", true},
    {"To: =?utf-8?q?Owner=2C?= <owner@example.net>\r\n", true},
    {"To: a@b.example, owner@example.net\r\n", true},
    {"To: a@b.example,\r\n\towner@example.net\r\n", true},
    {"To: a@b.example; owner@example.net\r\n", true},
    {"To: a@b.example owner@example.net\r\n", true},
    {"To: Friends: a@b.example, owner@example.net;\r\n", true},
    {"To: owner (the (real) one) @ example . net\r\n", true},
    {"To: owner(x)@(y)example.net\r\n", true},
    {"To: \"owner\"@example.net\r\n", true},
    {"To: <@relay.example,@x.example:owner@example.net>\r\n", true},
    {"To: mailto:owner@example.net\r\n", true},
    {"To: (unclosed owner@example.net\r\n", true},
    {"To: \"unclosed owner@example.net\r\n", true},
    {"To: <owner@example.net\r\n", true},
    {"To: \xff\xfe <owner@example.net>\r\n", true},
    {"To: owner@example.org\r\n", true},
    {"To: boss@example.net\r\n", true},
    {"To : owner@example.net\r\n", true},
    {"Cc: owner@example.net\r\n", true},
    {"Bcc: owner@example.net\r\n", true},
    {"Resent-To: owner@example.net\r\n", true},
    {"Resent-Cc: owner@example.net\r\n", true},
    {"RESENT-BCC: owner@example.net\r\n", true},
    {"To: a@b.example\r\nTo: owner@example.net\r\n", true},
    {"To: a@b.example\r\nCc: c@d.example,\r\n owner@example.net\r\n", true},
    {"", false},
    {"To: \r\n", false},
    {"To: undisclosed-recipients:;\r\n", false},
    {"To: other@example.net\r\n", false},
    {"To: owner@example.net.example\r\n", false},
    {"To: xowner@example.net\r\n", false},
    {"To: owner\r\n", false},
    {"To: (owner@example.net) a@b.example\r\n", false},
    {"To: \"owner@example.net\" <a@b.example>\r\n", false},
    {"To: owner@example.net <a@b.example>\r\n", false},
    {"To: owner@example.net: a@b.example;\r\n", false},
    {"To: <@example.net:a@b.example>\r\n", false},
    {"Reply-To: owner@example.net\r\n", false},
    {"From: owner@example.net\r\n", false},
    {"Subject: owner@example.net\r\n", false},
    {"X-To: owner@example.net\r\n", false},
    {"Delivered-To: owner@example.net\r\n", false},
};

static void destinations_are_read(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof destinations / sizeof *destinations; i++) {
        bool is_addressed = destinations[i].is_addressed;
        fixture_expect(fixture, BOB, destinations[i].header, is_addressed ? NULL : NOT_TO, is_addressed ? 0 : 5);
    }
}

/* 100,000 addresses, and rows of what begins something without an end. */
static void long_fields_are_quick(void **state)
{
    struct fixture *fixture = *state;
    static const char *const pieces[] = {"user@remote.example, ",
                                         "<",
                                         "(",
                                         "\"",
                                         "((\"<",
                                         "a@",
                                         "a@b.example<",
                                         ":",
                                         "\\",
                                         "(\\)",
                                         "\"x\" ",
                                         "[",
                                         "@",
                                         "(x)",
                                         "a ",
                                         "<>",
                                         "=?",
                                         ";",
                                         "\"\\",
                                         "(\\"};
    const size_t len = 300000;
    char *text = arena_alloc(fixture->arena, len + 100);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        static const char *const names[] = {"To: ",
                                            "Content-Type: multipart/mixed;",
                                            "Auto-Submitted: no",
                                            "X-Auto-Response-Suppress: ",
                                            "Precedence: ",
                                            "From: "};
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            size_t at = (size_t)sprintf(text, "%s", names[k]);
            while (at < len)
                at += (size_t)sprintf(text + at, "%s", pieces[i]);
            int64_t start = clock_monotonic_us();
            fixture_ask(fixture, BOB, (struct span){text, at});
            assert_in_range(clock_monotonic_us() - start, 0, 3000000); /* of milliseconds, usually */
        }
    }
    text = arena_alloc(fixture->arena, 2000000);
    size_t at = (size_t)sprintf(text, "To: ");
    for (unsigned i = 0; i < 100000; i++)
        at += (size_t)sprintf(text + at, "u%u@r.example, ", i);
    sprintf(text + at, "owner@example.net\r\n");
    size_t before = arena_size(fixture->arena);
    fixture->asked = 0;
    fixture_expect(fixture, BOB, text, "autoreply.not-addressed", 5);
    assert_in_range(fixture->asked, 1000, 1010);
    assert_in_range(arena_size(fixture->arena) - before, 0, 100000);
}

static const struct {
    const char *sender, *why;
    unsigned point;
} senders[] = {
    {"bob@remote.example", NULL, 0},
    {"postmaster@remote.example", NULL, 0},
    {"\"b o b\"@remote.example", NULL, 0},
    {"bob..x@remote.example", NULL, 0},
    {"j\xc3\xb6rg@remote.example", NULL, 0},
    {"bob@b\xc3\xbc"
     "cher.example",
     NULL, 0},
    {"", "autoreply.null-sender", 1},
    {"<>", "autoreply.null-sender", 1},
    {"bob", "autoreply.bad-sender", 0},
    {"bob@", "autoreply.bad-sender", 0},
    {"@remote.example", "autoreply.bad-sender", 0},
    {"bob@[192.0.2.1]", "autoreply.bad-sender", 0},
    {"bo\r\nb@remote.example", "autoreply.bad-sender", 0},
    {"b\xff@remote.example", "autoreply.bad-sender", 0},
    {"a@b@remote.example", "autoreply.bad-sender", 0},
    {"owner@example.net", "autoreply.own-address", 7},
    {"OWNER@EXAMPLE.NET", "autoreply.own-address", 7},
    {"owner@example.org", "autoreply.own-address", 7},
    {"boss@example.net", "autoreply.own-address", 7},
    {"owner+tag@example.net", "autoreply.own-address", 7},
    {"prvs=0123456789=owner@example.net", "autoreply.own-address", 7},
    {"other@example.net", NULL, 0},
    {"MAILER-DAEMON", SYSTEM, 6},
    {"MAILER-DAEMON@remote.example", SYSTEM, 6},
    {"mailer-daemon@remote.example", SYSTEM, 6},
    {"listserv@remote.example", SYSTEM, 6},
    {"Majordomo@remote.example", SYSTEM, 6},
    {"list-request@remote.example", SYSTEM, 6},
    {"owner-list@remote.example", SYSTEM, 6},
    {"noreply@remote.example", SYSTEM, 6},
    {"NO-REPLY@remote.example", SYSTEM, 6},
    {"donotreply@remote.example", SYSTEM, 6},
    {"do-not-reply@remote.example", SYSTEM, 6},
    {"bounce@remote.example", SYSTEM, 6},
    {"bounces+owner=example.net@remote.example", SYSTEM, 6},
    {"list-bounces@remote.example", SYSTEM, 6},
    {"mailer@remote.example", SYSTEM, 6},
    {"sentto-123-owner=example.net@remote.example", SYSTEM, 6},
    {"prvs=0123456789=noreply@remote.example", SYSTEM, 6},
    {"\"noreply\"@remote.example", SYSTEM, 6},
    {"request@remote.example", NULL, 0},
    {"list-requests@remote.example", NULL, 0},
    {"owner@remote.example", NULL, 0},
    {"mailers@remote.example", NULL, 0},
    {"noreply-abc@remote.example", SYSTEM, 6},
    {"no_reply@remote.example", SYSTEM, 6},
    {"shop-noreply@remote.example", SYSTEM, 6},
    {"nore.ply@remote.example", NULL, 0},
    {"john@noreply.example", NULL, 0},
};

static void sender_reasons(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof senders / sizeof *senders; i++)
        fixture_expect(fixture, senders[i].sender, FIXTURE_TO, senders[i].why, senders[i].point);
}

static void patterns(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *pattern, *sender;
        bool matches;
    } cases[] = {
        {"*", "x@y.example", true},
        {"a*b*c", "aXbYc@y.example", true},
        {"a*b*c", "abbbcb@y.example", false},
        {"a*b*c", "abbbcbc@y.example", true},
        {"*a*", "bbb@y.example", false},
        {"x@y.example", "X@Y.example", true},
        {"x@y.example", "x@z.example", false},
        {"*@shop.example", "news@shop.example", true},
        {"*@shop.example", "news@mail.shop.example", false},
        {"*@*.shop.example", "news@mail.shop.example", true},
        {"x", "x@x.example", true},
        {"x.example", "a@x.example", false},
        {"", "a@x.example", false},
        {"*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@x.example", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct string_list list = {1, (const char **)&cases[i].pattern};
        fixture->question.noreply = &list;
        fixture_expect(fixture, cases[i].sender, FIXTURE_TO, cases[i].matches ? SYSTEM : NULL,
                       cases[i].matches ? 6 : 0);
    }
    fixture->question.noreply = NULL;
    fixture->question.silence_on = NULL;
    fixture_expect(fixture, "noreply@remote.example", FIXTURE_TO "X-Spam-Flag: YES\r\n", NULL, 0);
}

/* The option row's default is what these tests use. */
static void default_patterns(void **state)
{
    struct fixture *fixture = *state;
    const char *p = SILENCE_NOREPLY_DEFAULT;
    for (size_t i = 0; i < fixture->question.noreply->count; i++) {
        const char *quoted = arena_printf(fixture->arena, "\"%s\"", fixture->question.noreply->items[i]);
        p = strstr(p, quoted);
        assert_non_null(p);
    }
    assert_null(strchr(p, ','));
}

static void exclusions(void **state)
{
    struct fixture *fixture = *state;
    const char *excluded[] = {"mum@home.example", "@enemy.example", "x+y@tag.example"};
    fixture->message.excluded = excluded;
    fixture->message.excluded_count = 3;
    static const struct {
        const char *sender;
        bool is_excluded;
    } cases[] = {
        {"mum@home.example", true},
        {"Mum@HOME.example", true},
        {"mum+tag@home.example", true},
        {"dad@home.example", false},
        {"mum@x.home.example", false},
        {"a@enemy.example", true},
        {"b@Enemy.Example.", true},
        {"a@x.enemy.example", false},
        {"a@notenemy.example", false},
        {"x+y@tag.example", true},
        {"x@tag.example", false},
        {"prvs=0123456789=mum@home.example", true},
        {"prvs=0123456789=dad@home.example", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        fixture_expect(fixture, cases[i].sender, FIXTURE_TO, cases[i].is_excluded ? "autoreply.excluded" : NULL,
                       cases[i].is_excluded ? 6 : 0);
}

/* Field G is an address of the owner's, too. */
static void replies_address_is_own(void **state)
{
    struct fixture *fixture = *state;
    fixture->message.from = "Office@other.example";
    fixture_expect(fixture, "office@other.example", FIXTURE_TO, "autoreply.own-address", 7);
    fixture_expect(fixture, "front@other.example", FIXTURE_TO, NULL, 0);
}

/* A bounce address for each recipient is no reason by itself: people write through such services, too. */
static void verp(void **state)
{
    struct fixture *fixture = *state;
    static const char verp_sender[] = "news+owner=example.net@list.example", other[] = "list-return-12-x@list.example";
    fixture->question.noreply = NULL;
    fixture_expect(fixture, verp_sender, FIXTURE_TO, NULL, 0);
    fixture_expect(fixture, verp_sender, FIXTURE_TO "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", MACH, 9);
    fixture_expect(fixture, verp_sender, FIXTURE_TO "Mailing-List: contact x\r\n", MACH, 9);
    fixture_expect(fixture, verp_sender, FIXTURE_TO "X-BeenThere: x\r\n", MACH, 9);
    fixture_expect(fixture, other, FIXTURE_TO "X-Mailing-List: x\r\n", MACH, 9);
    fixture_expect(fixture, "x-bounces@list.example", FIXTURE_TO "X-Mailman-Version: 2\r\n", MACH, 9);
    fixture_expect(fixture, BOB, FIXTURE_TO "Mailing-List: contact x\r\n", NULL, 0);
    fixture_expect(fixture, "prvs=0123456789=bob@remote.example", FIXTURE_TO "Mailing-List: x\r\n", NULL, 0);
}

enum { X = AUTH_POLICY }; /* in the table: not evaluated */

static const struct {
    int spf, mailfrom, dkim, dmarc;
    bool not_fail, pass; /* answered with these settings */
} auths[] = {
    {X, X, X, X, true, false},
    {AUTH_NONE, AUTH_NONE, AUTH_NONE, AUTH_NONE, true, false},
    {AUTH_PASS, AUTH_PASS, AUTH_NONE, AUTH_NONE, true, true},
    {AUTH_PASS, AUTH_PASS, X, X, true, true},
    {AUTH_PASS, AUTH_NONE, AUTH_NONE, AUTH_NONE, true, false}, /* HELO's */
    {AUTH_NONE, AUTH_NONE, AUTH_PASS, AUTH_NONE, true, false},
    {AUTH_NONE, AUTH_NONE, AUTH_PASS, AUTH_PASS, true, true},
    {AUTH_NEUTRAL, AUTH_NEUTRAL, AUTH_NONE, AUTH_NONE, true, false},
    {AUTH_SOFTFAIL, AUTH_SOFTFAIL, AUTH_NONE, AUTH_NONE, true, false},
    {AUTH_SOFTFAIL, AUTH_SOFTFAIL, AUTH_PASS, AUTH_PASS, true, true},
    {AUTH_PERMERROR, AUTH_PERMERROR, AUTH_PERMERROR, AUTH_PERMERROR, true, false},
    {AUTH_FAIL, AUTH_FAIL, AUTH_NONE, AUTH_NONE, false, false},
    {AUTH_FAIL, AUTH_PASS, AUTH_NONE, AUTH_NONE, false, false}, /* HELO's */
    {AUTH_FAIL, AUTH_FAIL, AUTH_PASS, AUTH_PASS, false, false},
    {AUTH_PASS, AUTH_PASS, AUTH_PASS, AUTH_FAIL, false, false},
    {AUTH_PASS, AUTH_PASS, AUTH_FAIL, AUTH_NONE, false, false},
    {AUTH_PASS, AUTH_PASS, AUTH_PERMERROR, AUTH_NONE, true, true},
    {AUTH_TEMPERROR, AUTH_TEMPERROR, AUTH_NONE, AUTH_NONE, false, false},
    {AUTH_NONE, AUTH_NONE, AUTH_TEMPERROR, AUTH_NONE, false, false},
    {AUTH_PASS, AUTH_PASS, AUTH_NONE, AUTH_TEMPERROR, false, false},
};

/* A relay of ours may let strangers in. What was found out counts, but nobody need have looked. */
static void trusted_clients(struct fixture *fixture)
{
    struct silence_question *question = &fixture->question;
    struct auth_spf spf = {.result = AUTH_FAIL, .mailfrom_result = AUTH_FAIL};
    struct auth_dmarc dmarc = {.result = AUTH_FAIL};
    question->is_own_user = false;
    question->is_trusted = true;
    question->dkim = NULL;
    for (int setting = SILENCE_AUTH_NOT_FAIL; setting <= SILENCE_AUTH_PASS; setting++) {
        question->require_auth = (enum silence_auth)setting;
        question->spf = NULL;
        question->dmarc = NULL;
        fixture_expect(fixture, BOB, FIXTURE_TO, NULL, 0);
        question->spf = &spf;
        fixture_expect(fixture, BOB, FIXTURE_TO, "autoreply.forged", 28);
        question->spf = NULL;
        question->dmarc = &dmarc;
        fixture_expect(fixture, BOB, FIXTURE_TO, "autoreply.forged", 28);
    }
    dmarc.result = AUTH_NONE; /* somebody looked, and nothing vouches */
    fixture_expect(fixture, BOB, FIXTURE_TO, "autoreply.forged", 28);
    question->is_trusted = false;
}

/* Who signs as himself may write anybody into the reverse-path. */
static void authors_of_others(struct fixture *fixture)
{
    static const struct {
        const char *author, *org, *sender;
        bool is_answered;
    } given[] = {
        {"remote.example", "remote.example", BOB, true},
        {"news.remote.example", "remote.example", BOB, true},
        {"remote.example", "remote.example", "bob@mail.remote.example", true},
        {"remote.example", NULL, "bob@mail.remote.example", false},
        {"attacker.example", "attacker.example", BOB, false},
        {"remote.example.attacker.example", "attacker.example", BOB, false},
        {"remote.example", "remote.example", "bob@notremote.example", false},
        {NULL, NULL, BOB, false},
    };
    struct silence_question *question = &fixture->question;
    struct auth_spf spf = {.result = AUTH_SOFTFAIL, .mailfrom_result = AUTH_SOFTFAIL};
    question->require_auth = SILENCE_AUTH_PASS;
    question->spf = &spf;
    question->dkim = NULL;
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        struct auth_dmarc dmarc = {.result = AUTH_PASS, .author_domain = given[i].author, .org_domain = given[i].org};
        question->dmarc = &dmarc;
        fixture_expect(fixture, given[i].sender, FIXTURE_TO, given[i].is_answered ? NULL : "autoreply.forged",
                       given[i].is_answered ? 0 : 28);
    }
    question->dmarc = NULL;
}

static void forged_senders(void **state)
{
    struct fixture *fixture = *state;
    struct silence_question *question = &fixture->question;
    for (size_t i = 0; i < sizeof auths / sizeof *auths; i++) {
        struct auth_spf spf = {.result = (enum auth_result)auths[i].spf,
                               .mailfrom_result = (enum auth_result)auths[i].mailfrom};
        struct auth_dkim_signature signature = {.result = (enum auth_result)auths[i].dkim};
        struct auth_dkim dkim = {signature.result, &signature, signature.result != AUTH_NONE};
        struct auth_dmarc dmarc = {.result = (enum auth_result)auths[i].dmarc, .author_domain = "remote.example"};
        question->spf = auths[i].spf == X ? NULL : &spf;
        question->dkim = auths[i].dkim == X ? NULL : &dkim;
        question->dmarc = auths[i].dmarc == X ? NULL : &dmarc;
        for (int setting = SILENCE_AUTH_OFF; setting <= SILENCE_AUTH_PASS; setting++) {
            bool is_answered = setting == SILENCE_AUTH_OFF        ? true
                               : setting == SILENCE_AUTH_NOT_FAIL ? auths[i].not_fail
                                                                  : auths[i].pass;
            question->require_auth = (enum silence_auth)setting;
            question->is_own_user = false;
            bool found = fixture_ask(fixture, BOB, span_of(FIXTURE_TO)).why == NULL;
            if (found != is_answered)
                fail_msg("row %zu, setting %d: %s", i, setting, found ? "answered" : "silent");
            fixture_expect(fixture, BOB, FIXTURE_TO, is_answered ? NULL : "autoreply.forged", is_answered ? 0 : 28);
            question->is_own_user = true;
            fixture_expect(fixture, BOB, FIXTURE_TO, NULL, 0);
        }
    }
    trusted_clients(fixture);
    authors_of_others(fixture);
    /* one signature broken on the way, and one that holds */
    struct auth_dkim_signature both[2] = {{.result = AUTH_FAIL}, {.result = AUTH_PASS}};
    struct auth_dkim dkim = {AUTH_PASS, both, 2};
    question->spf = NULL;
    question->dmarc = NULL;
    question->dkim = &dkim;
    question->is_own_user = false;
    question->require_auth = SILENCE_AUTH_NOT_FAIL;
    fixture_expect(fixture, BOB, FIXTURE_TO, NULL, 0);
    both[1].result = dkim.result = AUTH_TEMPERROR;
    fixture_expect(fixture, BOB, FIXTURE_TO, "autoreply.forged", 28);
}

static void texts_show_what_was_found(void **state)
{
    struct fixture *fixture = *state;
    struct silence found = fixture_ask(fixture, BOB, span_of(FIXTURE_TO "Precedence:\r\n\t bulk  \x01\xff x\r\n"));
    assert_string_equal(found.text, "Precedence: bulk ?? x");
    found = fixture_ask(fixture, "no-reply@remote.example", span_of(FIXTURE_TO));
    assert_string_equal(found.text, "the reverse-path matches no-reply*");
    char *text = arena_printf(fixture->arena, FIXTURE_TO "List-Id: %0500d\r\n", 0);
    found = fixture_ask(fixture, BOB, span_of(text));
    assert_int_equal(strlen(found.text), strlen("List-Id: ") + 100 + 3);
}

/* Each token stands once, with a sentence, and can be reached. */
static void tokens_are_listed(void **state)
{
    (void)state;
    size_t count = 0;
    for (; silence_whys[count].token; count++) {
        assert_memory_equal(silence_whys[count].token, "autoreply.", 10);
        size_t len = strlen(silence_whys[count].help);
        assert_true(len > 20 && strchr(".)", silence_whys[count].help[len - 1]));
        for (size_t i = 0; i < count; i++)
            assert_string_not_equal(silence_whys[i].token, silence_whys[count].token);
    }
    assert_int_equal(count, 13 + 3); /* those of the message, and those of answer.c */
}

/* Each address is looked up in the alias tables: a header of a megabyte must not be a hundred thousand look-ups. */
static void destinations_are_bounded(void **state)
{
    struct fixture *fixture = *state;
    for (size_t others = 999; others <= 1001; others++) {
        struct strbuf header;
        strbuf_init(&header, 100000);
        for (size_t i = 0; i < others; i++)
            strbuf_puts(&header, i % 2 ? "To: a@b.example\r\n" : "Cc: a@b.example\r\n");
        strbuf_puts(&header, "Resent-Bcc: owner@example.net\r\n");
        fixture->asked = 0;
        fixture_expect(fixture, BOB, strbuf_text(&header), others < 1000 ? NULL : "autoreply.not-addressed",
                       others < 1000 ? 0 : 5);
        assert_in_range(fixture->asked, 1000, 1010);
        strbuf_free(&header);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(header_reasons, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_text, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(destinations_are_read, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(destinations_are_bounded, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(long_fields_are_quick, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(sender_reasons, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(patterns, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(default_patterns, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(exclusions, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(replies_address_is_own, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(verp, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(forged_senders, fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(texts_show_what_was_found, fixture_begin, fixture_end),
        cmocka_unit_test(tokens_are_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
