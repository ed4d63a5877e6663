/* compose: the reply, byte for byte and as GMime reads it, whatever the message that came says of itself. */
#include "unit.h"

#include "autoreply/mail_text.h"
#include "fixture.h"
#include "util/clock.h"
#include <stdio.h>
#include <stdlib.h>

static void the_whole_of_it(void **state)
{
    struct fixture *fixture = *state;
    fixture->responder.display_name = "The Owner";
    struct span reply = fixture_reply(fixture, span_of("From: Bob <bob@elsewhere.example>\r\n"
                                                       "Reply-To: evil@elsewhere.example\r\n"
                                                       "Subject: Lunch?\r\nMessage-ID: <2@remote.example>\r\n"
                                                       "References: <0@remote.example>\r\n <1@remote.example>\r\n"));
    assert_string_equal(reply.ptr, "From: The Owner <owner@example.net>\r\n"
                                   "To: bob@remote.example\r\n"
                                   "Subject: Auto: Lunch?\r\n"
                                   "Date: Sun, 1 Nov 2026 08:00:00 +0100\r\n"
                                   "Message-ID: <autoreply.0123456789abcdef0123456789abcdef@mx.example.net>\r\n"
                                   "In-Reply-To: <2@remote.example>\r\n"
                                   "References: <0@remote.example>\r\n"
                                   " <1@remote.example>\r\n"
                                   " <2@remote.example>\r\n"
                                   "Auto-Submitted: auto-replied\r\n"
                                   "Precedence: bulk\r\n"
                                   "X-Auto-Response-Suppress: All\r\n"
                                   "MIME-Version: 1.0\r\n"
                                   "Content-Type: text/plain; charset=us-ascii\r\n"
                                   "Content-Transfer-Encoding: 7bit\r\n"
                                   "\r\n"
                                   "I am away.\r\n");
    assert_int_equal(reply.len, strlen(reply.ptr));
}

/* ---- subjects ---- */

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A200 A50 A50 A50 A50

static const struct {
    const char *value, *shown; /* as GMime shows it */
    const char *raw;           /* what must stand in the reply; may be NULL */
} subjects[] = {
    {"Lunch", "Auto: Lunch", "Subject: Auto: Lunch\r\n"},
    {" Lunch  at\t\tnoon ", "Auto: Lunch at noon", "Subject: Auto: Lunch at noon\r\n"},
    {"Lunch\r\n at\r\n\tnoon", "Auto: Lunch at noon", "Subject: Auto: Lunch at noon\r\n"},
    {"", COMPOSE_NO_SUBJECT, "Subject: " COMPOSE_NO_SUBJECT "\r\n"},
    {" \t ", COMPOSE_NO_SUBJECT, NULL},
    {"=?utf-8?q?"
     "?=",
     COMPOSE_NO_SUBJECT, NULL},
    {"\x01\x02", COMPOSE_NO_SUBJECT, NULL},
    {"=?utf-8?q?Gr=C3=BC=C3=9Fe?=",
     "Auto: Gr\xc3\xbc\xc3\x9f"
     "e",
     "Subject: =?UTF-8?B?QXV0bzogR3LDvMOfZQ==?=\r\n"},
    {"=?iso-8859-1?q?Gr=FC=DFe?= und =?iso-8859-1?b?3A==?=",
     "Auto: Gr\xc3\xbc\xc3\x9f"
     "e und \xc3\x9c",
     NULL},
    {"=?utf-8?q?Lunch?=", "Auto: Lunch", "Subject: Auto: Lunch\r\n"},
    {"=?utf-8?b?0J/RgNC40LLQtdGC?=", "Auto: \xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", "Subject: =?UTF-8?B?"},
    {"Gr\xc3\xbc\xc3\x9f"
     "e",
     "Auto: Gr\xc3\xbc\xc3\x9f"
     "e",
     NULL},
    /* injections: in clear, encoded, as words in words */
    {"a\r\nBcc: x@y.example", "Auto: a Bcc: x@y.example", NULL}, /* one field for the tests' reader only */
    {"=?utf-8?q?a=0D=0ABcc:_x@y.example?=", "Auto: a Bcc: x@y.example", "Subject: Auto: a Bcc: x@y.example\r\n"},
    {"=?utf-8?b?YQ0KQmNjOiB4QHkuZXhhbXBsZQ==?=", "Auto: a Bcc: x@y.example", NULL},
    {"=?utf-8?q?a=00b?=", "Auto: a b", NULL},
    {"=?utf-8?q?a=E2=80=A8b=C2=85c?=", "Auto: a b c", NULL},
    {"=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3D0Ay=3F=3D?=", "Auto: =?utf-8?q?x=0Ay?=", "Subject: =?UTF-8?B?QXV0bzogPT91dGYt"},
    {"\xff\xfe", "Auto: \xef\xbf\xbd\xef\xbf\xbd", NULL},
    {"a\xc3", "Auto: a\xef\xbf\xbd", NULL},
    /* bounds */
    {A200, "Auto: " A200, NULL},
    {A200 "b", "Auto: " A50 A50 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...", NULL},
};

static void subjects_are_safe(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        struct header_field field = {span_of("Subject"), span_of(subjects[i].value)};
        bool needs_utf8;
        fixture->request.headers = &field;
        fixture->request.header_count = 1;
        struct span reply = compose_reply(fixture->arena, &fixture->request, &needs_utf8);
        fixture_is_sound(reply, 998, false);
        GMimeMessage *message = fixture_parse(fixture, reply);
        const char *shown = g_mime_message_get_subject(message);
        if (!shown || strcmp(shown, subjects[i].shown) != 0)
            fail_msg("%s: %s, wanted %s", subjects[i].value, shown ? shown : "-", subjects[i].shown);
        if (subjects[i].raw && !strstr(reply.ptr, subjects[i].raw))
            fail_msg("%s is not in %s", subjects[i].raw, reply.ptr);
        assert_null(fixture_field(message, "Bcc"));
    }
}

/* Whatever is encoded: lines of 76, words of 75 that decode alone, and together the same text. */
static void long_subjects_fold(void **state)
{
    struct fixture *fixture = *state;
    static const char *const pieces[] = {
        "\xc3\xbc", "\xe6\x97\xa5", "\xf0\x9f\x98\x80", "ab\xc3\xa4 ", "wort ", "\xe2\x82\xac=?", "x"};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        for (size_t most = 1; most < 100; most++) {
            char text[RESPONDER_SUBJECT_MAX + 1] = "";
            memset(text, 'a', most % 4); /* so that base64 cannot always be cut without padding */
            for (size_t k = 0; k < most && strlen(text) + strlen(pieces[i]) < sizeof text - 1; k++)
                strcat(text, pieces[i]);
            while (*text && text[strlen(text) - 1] == ' ')
                text[strlen(text) - 1] = '\0';
            fixture->message.subject = text;
            struct span reply = fixture_reply(fixture, span_of(""));
            fixture_is_sound(reply, i == 6 ? 115 : 76, false); /* one word of ASCII cannot be folded */
            assert_string_equal(g_mime_message_get_subject(fixture_parse(fixture, reply)), text);
            for (const char *word = strstr(reply.ptr, "=?UTF-8?"); word; word = strstr(word + 1, "=?UTF-8?")) {
                const char *end = strstr(word + 10, "?=");
                assert_non_null(end);
                assert_in_range(end + 2 - word, 14, 75);
                char *alone = g_mime_utils_header_decode_text(
                    NULL, arena_spandup(fixture->arena, (struct span){word, (size_t)(end + 2 - word)}));
                assert_true(mail_text_is_line(span_of(alone)) && !strstr(alone, "\xef\xbf\xbd"));
                g_free(alone);
            }
        }
    }
}

/* What stands far behind is not even decoded. */
static void subjects_are_cut_before_they_are_read(void **state)
{
    struct fixture *fixture = *state;
    struct span reply =
        fixture_reply(fixture, span_of(arena_printf(fixture->arena, "Subject: a%1950sb%50sc\r\n", "", "")));
    assert_string_equal(g_mime_message_get_subject(fixture_parse(fixture, reply)), "Auto: a b");
}

static void a_cut_leaves_characters_whole(void **state)
{
    struct fixture *fixture = *state;
    for (size_t shift = 0; shift < 4; shift++) {
        char value[1000] = "";
        for (size_t i = 0; i < shift; i++)
            strcat(value, "a");
        for (size_t i = 0; i < 100; i++)
            strcat(value, "\xf0\x9f\x98\x80");
        struct span reply = fixture_reply(fixture, span_of(arena_printf(fixture->arena, "Subject: %s\r\n", value)));
        const char *shown = g_mime_message_get_subject(fixture_parse(fixture, reply));
        assert_true(mail_text_is_line(span_of(shown)));
        assert_in_range(strlen(shown), 190, 206);
        assert_null(strstr(shown, "\xef\xbf\xbd"));
        assert_string_equal(shown + strlen(shown) - 3, "...");
    }
}

/* ---- threads ---- */

#define ID500 "<" A200 A200 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b>"

static const struct {
    const char *header, *thread; /* NULL: neither field */
} threads[] = {
    {"", NULL},
    {"References: <0@x>\r\nIn-Reply-To: <0@x>\r\n", NULL},
    {"Message-ID: <1@x>\r\n", "In-Reply-To: <1@x>\r\nReferences: <1@x>\r\n"},
    {"Message-Id:<1@x>\r\n", "In-Reply-To: <1@x>\r\nReferences: <1@x>\r\n"},
    {"Message-ID:\r\n <1@x>\r\n", "In-Reply-To: <1@x>\r\nReferences: <1@x>\r\n"},
    {"Message-ID: (<0@c>) <1@x> (y)\r\n", "In-Reply-To: <1@x>\r\nReferences: <1@x>\r\n"},
    {"Message-ID: <a.b+c=d$e@[192.0.2.1]>\r\n",
     "In-Reply-To: <a.b+c=d$e@[192.0.2.1]>\r\nReferences: <a.b+c=d$e@[192.0.2.1]>\r\n"},
    {"Message-ID: <1@x>\r\nIn-Reply-To: <0@x>\r\n", "In-Reply-To: <1@x>\r\nReferences: <0@x>\r\n <1@x>\r\n"},
    {"Message-ID: <1@x>\r\nIn-Reply-To: <0@x> <00@x>\r\n", "In-Reply-To: <1@x>\r\nReferences: <1@x>\r\n"},
    {"Message-ID: <1@x>\r\nIn-Reply-To: your mail of today\r\n", "In-Reply-To: <1@x>\r\nReferences: <1@x>\r\n"},
    {"Message-ID: <2@x>\r\nReferences: <0@x> <1@x>\r\nIn-Reply-To: <9@x>\r\n",
     "In-Reply-To: <2@x>\r\nReferences: <0@x>\r\n <1@x>\r\n <2@x>\r\n"},
    {"Message-ID: <2@x>\r\nReferences: <0@x>\r\n <2@x>\r\n", "In-Reply-To: <2@x>\r\nReferences: <0@x>\r\n <2@x>\r\n"},
    {"Message-ID: <2@x>\r\nReferences: <0 @x> <b@x\r\n > junk <1@x> <\xff@x>\r\n",
     "In-Reply-To: <2@x>\r\nReferences: <1@x>\r\n <2@x>\r\n"},
    {"Message-ID: <2@x>\r\nReferences: <<1@x>>\r\n", "In-Reply-To: <2@x>\r\nReferences: <1@x>\r\n <2@x>\r\n"},
    {"Message-ID: " ID500 "\r\n", "In-Reply-To: " ID500 "\r\nReferences: " ID500 "\r\n"},
    {"Message-ID: <c" A200 A200 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b>\r\n", NULL},
    /* not as RFC 5322 has them, and still one name of one message */
    {"Message-ID: <1>\r\n", "In-Reply-To: <1>\r\nReferences: <1>\r\n"},
    {"Message-ID: <1@x@y>\r\n", "In-Reply-To: <1@x@y>\r\nReferences: <1@x@y>\r\n"},
    {"Message-ID: <1..2.@x>\r\n", "In-Reply-To: <1..2.@x>\r\nReferences: <1..2.@x>\r\n"},
    {"Message-ID: <a:b,c;[d]@x>\r\n", "In-Reply-To: <a:b,c;[d]@x>\r\nReferences: <a:b,c;[d]@x>\r\n"},
    {"Message-ID: <\"ab\\\"@x>\r\n", "In-Reply-To: <\"ab\\\"@x>\r\nReferences: <\"ab\\\"@x>\r\n"},
    /* nothing that could be copied: no thread at all */
    {"Message-ID: 1@x\r\n", NULL},
    {"Message-ID: <>\r\n", NULL},
    {"Message-ID: <1@x\r\n", NULL},
    {"Message-ID: <1(2)@x>\r\n", NULL},
    {"Message-ID: <1)@x>\r\n", NULL},
    {"Message-ID: <1 2@x>\r\n", NULL},
    {"Message-ID: <1@x\r\n\tBcc:y>\r\n", NULL},
    {"Message-ID: <1\xc3\xbc@x>\r\n", NULL},
    {"Message-ID: <\"a b\"@x>\r\n", NULL},
    {"Message-ID: <1@[x y]>\r\n", NULL},
    {"Message-ID: (<1@x>\r\n", NULL},
    {"Message-ID:\r\n", NULL},
};

static const char *cut_thread(struct fixture *fixture, struct span reply)
{
    const char *start = strstr(reply.ptr, "In-Reply-To:"), *end = strstr(reply.ptr, "Auto-Submitted:");
    if (!start)
        return strstr(reply.ptr, "References:") ? "References alone" : NULL;
    return arena_spandup(fixture->arena, (struct span){start, (size_t)(end - start)});
}

static void threads_are_kept(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        struct span reply = fixture_reply(fixture, span_of(threads[i].header));
        fixture_is_sound(reply, 998, false);
        const char *found = cut_thread(fixture, reply);
        if (!found != !threads[i].thread || (found && strcmp(found, threads[i].thread) != 0))
            fail_msg("%s: %s, wanted %s", threads[i].header, found ? found : "none",
                     threads[i].thread ? threads[i].thread : "none");
    }
    static const char nul[] = "Message-ID: <1\0@x>\r\n";
    assert_null(cut_thread(fixture, fixture_reply(fixture, (struct span){nul, sizeof nul - 1})));
}

/* Of many references the first and the latest; and rows of brackets cost no time. */
static void threads_are_bounded(void **state)
{
    struct fixture *fixture = *state;
    const size_t len = 1000000;
    char *text = arena_alloc(fixture->arena, len + 100);
    size_t at = (size_t)sprintf(text, "Message-ID: <last@x>\r\nReferences:");
    for (unsigned i = 0; i < 60000; i++)
        at += (size_t)sprintf(text + at, " <%u@x>", i);
    sprintf(text + at, "\r\n");
    struct span reply = fixture_reply(fixture, span_of(text));
    assert_non_null(strstr(reply.ptr, "References: <0@x>\r\n <59981@x>\r\n <59982@x>\r\n"));
    assert_non_null(strstr(reply.ptr, " <59999@x>\r\n <last@x>\r\nAuto-Submitted"));
    assert_in_range(reply.len, 500, 1500);
    static const char *const pieces[] = {"<", "<a@", "(", "(<a@b>)", "<>", "<a@b ", "\"", "<a@b>", "=?utf-8?q?x", "=?"};
    static const char *const names[] = {"References:", "In-Reply-To:", "Message-ID:", "Subject:"};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            at = (size_t)sprintf(text, "Message-ID: <last@x>\r\n%s", names[k]);
            while (at < len)
                at += (size_t)sprintf(text + at, "%s", pieces[i]);
            text[at] = '>';
            int64_t start = clock_monotonic_us();
            reply = fixture_reply(fixture, (struct span){text, at + 1});
            assert_in_range(clock_monotonic_us() - start, 0, 2000000);
            fixture_is_sound(reply, 998, false);
            assert_in_range(reply.len, 200, 8000);
        }
    }
}

/* ---- addresses ---- */

static const char *from_of(struct fixture *fixture, struct span reply)
{
    GMimeMessage *message = fixture_parse(fixture, reply);
    InternetAddressList *list = g_mime_message_get_from(message);
    assert_int_equal(internet_address_list_length(list), 1);
    return internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(internet_address_list_get_address(list, 0)));
}

static const char *const display_names[] = {
    "Owner",
    "The Owner",
    "Owner, The",
    "\"Owner\"",
    "O. \\ Owner",
    "a <b@c.example>",
    "x@y.example",
    "(comment)",
    "J\xc3\xb6rg Owner",
    "=?utf-8?q?x?=",
    "\xe6\x97\xa5\xe6\x9c\xac",
    "a;b:c",
    "Two  blanks",
    "it's",
    "\xf0\x9f\x98\x80",
    A50 " " A50 " " A50,
    A50 A50 ".",
    "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
    "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
    "\xc3\xbc\xc3\xbc"};

static void display_names_come_through(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof display_names / sizeof *display_names; i++) {
        fixture->responder.display_name = display_names[i];
        struct span reply = fixture_reply(fixture, span_of(""));
        fixture_is_sound(reply, 160, false);
        assert_string_equal(from_of(fixture, reply), "owner@example.net");
        InternetAddressList *list = g_mime_message_get_from(fixture_parse(fixture, reply));
        char *name =
            arena_strdup(fixture->arena, internet_address_get_name(internet_address_list_get_address(list, 0)));
        for (char *p = name; (p = strpbrk(p, "\r\n"));) /* GMime leaves the folds of a phrase */
            memmove(p, p + 1, strlen(p));
        assert_string_equal(name, display_names[i]);
    }
}

static void addresses_of_all_kinds(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *to, *from, *written_to;
        bool needs_utf8;
        const char *lines; /* NULL: no reply */
    } cases[] = {
        {"bob@remote.example", NULL, "boss@example.net", false, "From: boss@example.net\r\nTo: bob@remote.example\r\n"},
        {"Bob@Remote.example", NULL, "Owner@EXAMPLE.org", false,
         "From: Owner@example.org\r\nTo: Bob@remote.example\r\n"},
        {"bob@remote.example", "Office@other.example", "boss@example.net", false,
         "From: Office@other.example\r\nTo: bob@remote.example\r\n"},
        {"\"b o b\"@remote.example", NULL, "owner@example.net", false,
         "From: owner@example.net\r\nTo: \"b o b\"@remote.example\r\n"},
        {"b..b@remote.example", NULL, "owner@example.net", false,
         "From: owner@example.net\r\nTo: \"b..b\"@remote.example\r\n"},
        {"j\xc3\xb6rg@remote.example", NULL, "owner@example.net", true,
         "From: owner@example.net\r\nTo: j\xc3\xb6rg@remote.example\r\n"},
        {"bob@b\xc3\xbc"
         "cher.example",
         NULL, "owner@example.net", true, "From: owner@example.net\r\nTo: bob@xn--bcher-kva.example\r\n"},
        {"bob@remote.example", "j\xc3\xb6rg@example.net", "owner@example.net", true,
         "From: j\xc3\xb6rg@example.net\r\nTo: bob@remote.example\r\n"},
        {"bob@remote.example", NULL,
         "owner@b\xc3\xbc"
         "cher.example",
         false, "From: owner@xn--bcher-kva.example\r\nTo: bob@remote.example\r\n"},
        {"", NULL, "owner@example.net", false, NULL},
        {"bob", NULL, "owner@example.net", false, NULL},
        {"bob@remote.example\r\nBcc: x@y.example", NULL, "owner@example.net", false, NULL},
        {"\"b\r\nBcc: x\"@remote.example", NULL, "owner@example.net", false, NULL},
        {"b\xff@remote.example", NULL, "owner@example.net", true, NULL},
        {"bob@remote.example", NULL, "owner", false, NULL},
        {"bob@remote.example", NULL, NULL, false, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool needs_utf8;
        fixture->request.to = cases[i].to;
        fixture->request.written_to = cases[i].written_to;
        fixture->message.from = cases[i].from;
        struct span reply = compose_reply(fixture->arena, &fixture->request, &needs_utf8);
        if (!cases[i].lines) {
            assert_null(reply.ptr);
            assert_int_equal(reply.len, 0);
            continue;
        }
        assert_non_null(reply.ptr);
        assert_int_equal(needs_utf8, cases[i].needs_utf8);
        assert_memory_equal(reply.ptr, cases[i].lines, strlen(cases[i].lines));
        fixture_is_sound(reply, 78, needs_utf8);
    }
}

/* ---- dates ---- */

static void dates_have_their_zone(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *zone, *now, *date;
    } cases[] = {
        {"UTC", "2026-12-31T23:59:59Z", "Date: Thu, 31 Dec 2026 23:59:59 +0000\r\n"},
        {"Europe/Berlin", "2026-12-31T23:59:59Z", "Date: Fri, 1 Jan 2027 00:59:59 +0100\r\n"},
        {"Europe/Berlin", "2026-07-01T00:00:00Z", "Date: Wed, 1 Jul 2026 02:00:00 +0200\r\n"},
        {"America/St_Johns", "2026-12-01T00:00:00Z", "Date: Mon, 30 Nov 2026 20:30:00 -0330\r\n"},
        {"Pacific/Kiritimati", "2026-12-31T12:00:00Z", "Date: Fri, 1 Jan 2027 02:00:00 +1400\r\n"},
        {"Pacific/Pago_Pago", "2027-01-01T00:00:00Z", "Date: Thu, 31 Dec 2026 13:00:00 -1100\r\n"},
        {"Europe/Atlantis", "2026-12-31T12:00:00Z", "Date: Thu, 31 Dec 2026 12:00:00 +0000\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture->message.zone = cases[i].zone;
        assert_int_equal(clock_parse(cases[i].now, &fixture->request.now), 0);
        struct span reply = fixture_reply(fixture, span_of(""));
        if (!strstr(reply.ptr, cases[i].date))
            fail_msg("%s is not in %s", cases[i].date, reply.ptr);
        GDateTime *date = g_mime_message_get_date(fixture_parse(fixture, reply));
        assert_int_equal(g_date_time_to_unix(date), fixture->request.now);
    }
}

/* ---- bodies ---- */

static const struct {
    const char *body, *encoding, *charset;
} bodies[] = {
    {"I am away.\n", "7bit", "us-ascii"},
    {"no end of line", "7bit", "us-ascii"},
    {"a\n\n\nb\n", "7bit", "us-ascii"},
    {"a\n-- \nsignature\n", "7bit", "us-ascii"},
    {".\n..\nx\n", "7bit", "us-ascii"},
    {"a\tb = c\n", "7bit", "us-ascii"},
    {"trailing blank \nx\n", "quoted-printable", "us-ascii"},
    {"trailing tab\t\n", "quoted-printable", "us-ascii"},
    {"From here to there\n", "quoted-printable", "us-ascii"},
    {A50 A50 A50 "\n", "quoted-printable", "us-ascii"},
    {"Gr\xc3\xbc\xc3\x9f"
     "e aus dem Urlaub, bis bald und alles Gute\n",
     "quoted-printable", "utf-8"},
    {"\xf0\x9f\x98\x80 am away, and so is everybody else in the office at this time\n.\n=20 \n", "quoted-printable",
     "utf-8"},
    {"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82\n\xd0\x9c\xd0\xb5\xd0\xbd\xd1\x8f \xd0\xbd\xd0\xb5\xd1\x82\n",
     "base64", "utf-8"},
    {"\xe6\x97\xa5\xe6\x9c\xac", "base64", "utf-8"},
};

/* GMime's decoded text, CRLF as LF. */
static const char *decoded(struct fixture *fixture, struct span reply, const char *encoding, const char *charset)
{
    GMimeMessage *message = fixture_parse(fixture, reply);
    GMimeObject *part = g_mime_message_get_mime_part(message);
    assert_true(GMIME_IS_TEXT_PART(part));
    GMimeContentType *type = g_mime_object_get_content_type(part);
    assert_true(g_mime_content_type_is_type(type, "text", "plain"));
    assert_string_equal(g_mime_content_type_get_parameter(type, "charset"), charset);
    assert_string_equal(g_mime_content_encoding_to_string(g_mime_part_get_content_encoding(GMIME_PART(part))),
                        encoding);
    assert_string_equal(g_mime_object_get_header(GMIME_OBJECT(message), "MIME-Version"), "1.0");
    char *text = g_mime_text_part_get_text(GMIME_TEXT_PART(part)), *to = text;
    for (const char *p = text; *p; p++) {
        if (*p != '\r')
            *to++ = *p;
    }
    *to = '\0';
    const char *copy = arena_strdup(fixture->arena, text);
    g_free(text);
    return copy;
}

static void body_comes_through(struct fixture *fixture, const char *body, const char *encoding, const char *charset)
{
    fixture->message.body = body;
    struct span reply = fixture_reply(fixture, span_of(""));
    fixture_is_sound(reply, 78, false);
    size_t column = 0;
    for (const char *p = strstr(reply.ptr, "\r\n\r\n") + 4; *p; p++) {
        column = *p == '\n' ? 0 : column + (*p != '\r');
        assert_in_range(column, 0, 76);
    }
    const char *found = decoded(fixture, reply, encoding, charset);
    size_t len = strlen(body);
    bool is_ended = body[len - 1] == '\n';
    assert_memory_equal(found, body, len);
    assert_string_equal(found + len, is_ended ? "" : "\n");
}

static void bodies_come_through(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        body_comes_through(fixture, bodies[i].body, bodies[i].encoding, bodies[i].charset);
}

/* Lines of each length with something to encode at each place; and the longest body there may be. */
static void all_lengths(void **state)
{
    struct fixture *fixture = *state;
    char text[400];
    for (size_t len = 60; len < 160; len++) {
        memset(text, 'a', len);
        strcpy(text + len, "=\n");
        for (size_t at = 60; at < len; at += 7) {
            memcpy(text + at, "\xc3\xa4", 2);
            body_comes_through(fixture, text, "quoted-printable", "utf-8");
        }
    }
    char *large = arena_alloc(fixture->arena, RESPONDER_BODY_MAX + 1);
    for (size_t i = 0; i < RESPONDER_BODY_MAX; i++)
        large[i] = i % 900 == 899 ? '\n' : '=';
    body_comes_through(fixture, large, "quoted-printable", "us-ascii");
    for (size_t i = 0; i + 2 <= RESPONDER_BODY_MAX; i += 2)
        memcpy(large + i, "\xc3\xa4", 2);
    body_comes_through(fixture, large, "base64", "utf-8");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_whole_of_it),
        TEST(subjects_are_safe),
        TEST(long_subjects_fold),
        TEST(subjects_are_cut_before_they_are_read),
        TEST(a_cut_leaves_characters_whole),
        TEST(threads_are_kept),
        TEST(threads_are_bounded),
        TEST(display_names_come_through),
        TEST(addresses_of_all_kinds),
        TEST(dates_have_their_zone),
        TEST(bodies_come_through),
        TEST(all_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
