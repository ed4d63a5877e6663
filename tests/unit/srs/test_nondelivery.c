/* The report on a copy that could not be delivered: who gets one, what it says, and what cannot be smuggled into it. */
#include "unit.h"

#include "srs/nondelivery.h"

#define SIZE(array) (sizeof(array) / sizeof *(array))

static struct spool_left left_of(const struct spool_refused *refused, size_t count)
{
    return (struct spool_left){.id = 7,
                               .kind = "forward",
                               .memo = "s@sender.example",
                               .reverse_path = "SRS0=aaaa=AA=sender.example=s@srs.example",
                               .mail_parameters = "BODY=8BITMIME ENVID=QQ314",
                               .end = SPOOL_REFUSED,
                               .refused = refused,
                               .refused_count = count,
                               .header = span_of("Subject: hello\r\nX-Bad: \r\n --not-a-boundary\r\n\r\n"),
                               .added = 1800000000,
                               .now = 1800003600};
}

static const char *compose(struct arena *arena, const struct spool_refused *refused, size_t count, const char *to)
{
    bool needs_utf8;
    struct spool_left left = left_of(refused, count);
    struct span report = nondelivery_compose(arena, &left, to, "mx.here.example", &needs_utf8);
    return report.ptr ? arena_spandup(arena, report) : NULL;
}

static void who_gets_a_report(void **state)
{
    (void)state;
    static const struct {
        const char *to;
        struct spool_refused refused;
        bool expected;
    } rows[] = {
        {"s@sender.example", {"x@remote.example", NULL, SPOOL_REFUSED, "550 5.1.1 who?"}, true},
        {"s@sender.example", {"x@remote.example", NULL, SPOOL_GIVEN_UP, NULL}, true},
        {"s@sender.example", {"x@remote.example", "NOTIFY=SUCCESS,FAILURE", SPOOL_REFUSED, NULL}, true},
        {"s@sender.example", {"x@remote.example", "notify=failure ORCPT=rfc822;a@b", SPOOL_REFUSED, NULL}, true},
        {"s@sender.example", {"x@remote.example", "NOTIFY=NEVER", SPOOL_REFUSED, NULL}, false},
        {"s@sender.example", {"x@remote.example", "NOTIFY=SUCCESS,DELAY", SPOOL_REFUSED, NULL}, false},
        {"s@sender.example", {"x@remote.example", NULL, SPOOL_DELETED, NULL}, false},
        {"", {"x@remote.example", NULL, SPOOL_REFUSED, NULL}, false}, /* never a bounce of a bounce */
    };
    struct arena *arena = arena_create(0);
    for (size_t i = 0; i < SIZE(rows); i++)
        assert_int_equal(compose(arena, &rows[i].refused, 1, rows[i].to) != NULL, rows[i].expected);
    assert_null(compose(arena, NULL, 0, "s@sender.example"));
    arena_destroy(arena);
}

static void what_it_says(void **state)
{
    (void)state;
    static const struct spool_refused refused[] = {
        {"x@remote.example", "ORCPT=rfc822;sales@here.example", SPOOL_REFUSED, "550 5.1.1 <x@remote.example> who?"},
        {"y@remote.example", "NOTIFY=NEVER", SPOOL_REFUSED, "550 5.1.1 who?"},
        {"z@remote.example", NULL, SPOOL_GIVEN_UP, "451 4.3.0 later"},
        {"w@remote.example", NULL, SPOOL_REFUSED, "550 no code"},
    };
    static const char *const expected[] = {
        "From: Mail Delivery System <MAILER-DAEMON@mx.here.example>\r\n",
        "\r\nTo: s@sender.example\r\n",
        "\r\nAuto-Submitted: auto-replied\r\n",
        "Date: Fri, 15 Jan 2027 09:00:00 +0000\r\n",
        "Content-Type: multipart/report; report-type=delivery-status;",
        "\r\nReporting-MTA: dns; mx.here.example\r\nOriginal-Envelope-Id: QQ314\r\nArrival-Date: Fri, 15 Jan 2027 08:00:00",
        ("\r\n\r\nOriginal-Recipient: rfc822;sales@here.example\r\nFinal-Recipient: rfc822; x@remote.example\r\n"
         "Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 <x@remote.example> who?\r\n"),
        "Final-Recipient: rfc822; z@remote.example\r\nAction: failed\r\nStatus: 4.4.7\r\n",
        "Final-Recipient: rfc822; w@remote.example\r\nAction: failed\r\nStatus: 5.0.0\r\n",
        "Content-Type: text/rfc822-headers\r\n",
        "\r\n\r\nSubject: hello\r\n",
    };
    struct arena *arena = arena_create(0);
    const char *report = compose(arena, refused, SIZE(refused), "s@sender.example");
    assert_non_null(report);
    for (size_t i = 0; i < SIZE(expected); i++) {
        if (!strstr(report, expected[i]))
            fail_msg("\"%s\" is not in:\n%s", expected[i], report);
    }
    assert_null(strstr(report, "y@remote.example"));
    /* boundary="..." stands before each part and, with "--" behind it, at the end */
    const char *boundary = strstr(report, "boundary=\"") + 10;
    boundary = arena_printf(arena, "\r\n--%.*s", (int)strcspn(boundary, "\""), boundary);
    size_t count = 0;
    for (const char *at = report; (at = strstr(at, boundary)); at++)
        count++;
    assert_int_equal(count, 4);
    assert_string_equal(report + strlen(report) - strlen(boundary) - 4, arena_printf(arena, "%s--\r\n", boundary));
    arena_destroy(arena);
}

static void nothing_can_be_smuggled_in(void **state)
{
    (void)state;
    static const struct spool_refused refused[] = {
        {"x@remote.example\r\nBcc: everybody", NULL, SPOOL_REFUSED, "550 5.1.1 no\r\n\r\nInjected: yes\rand\nmore"},
    };
    struct arena *arena = arena_create(0);
    const char *report = compose(arena, refused, 1, "s@sender.example\r\nBcc: everybody");
    assert_null(strstr(report, "\nBcc:"));
    assert_null(strstr(report, "\nInjected:"));
    assert_null(strstr(report, "\nmore"));
    for (const char *p = report; *p; p++)
        assert_true(*p != '\n' || p[-1] == '\r');
    arena_destroy(arena);
}

static void thousands_of_them(void **state)
{
    (void)state;
    static struct spool_refused refused[500];
    struct arena *arena = arena_create(0);
    for (size_t i = 0; i < SIZE(refused); i++)
        refused[i] = (struct spool_refused){"x@remote.example", i < 10 ? "NOTIFY=NEVER" : NULL, SPOOL_REFUSED, "550 5.1.1 who?"};
    const char *report = compose(arena, refused, SIZE(refused), "s@sender.example");
    assert_non_null(strstr(report, "\r\n  and 290 more\r\n"));
    assert_null(strstr(compose(arena, refused, 20, "s@sender.example"), " more\r\n"));
    arena_destroy(arena);
}

/* RFC 3464 2.1 */
static void is_8bit_only_if_it_must_be(void **state)
{
    (void)state;
    static const struct spool_refused plain = {"x@remote.example", NULL, SPOOL_REFUSED, "550 5.1.1 who?"};
    static const struct spool_refused other = {"\xc3\xa4@remote.example", NULL, SPOOL_REFUSED, "550 5.1.1 who?"};
    struct arena *arena = arena_create(0);
    assert_null(strstr(compose(arena, &plain, 1, "s@sender.example"), "8bit"));
    assert_null(strstr(compose(arena, &other, 1, "s@sender.example"), "7bit"));
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_gets_a_report),
        cmocka_unit_test(what_it_says),
        cmocka_unit_test(nothing_can_be_smuggled_in),
        cmocka_unit_test(thousands_of_them),
        cmocka_unit_test(is_8bit_only_if_it_must_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
