/* Authentication-Results: what is read, whose it is, what is removed, what is written, and that nothing in a value can
 * break out of it. */
#include "unit.h"

#include "auth/authres.h"
#include "checks/authres.h"
#include "core/engine.h"
#include "core/settings.h"
#include "util/strbuf.h"
#include <stdio.h>
#include <stdlib.h>

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_create(4096);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_destroy(arena);
    return 0;
}

/* "id|method=result(reason) name=value name=value|..." and "!" at the end if something could not be read */
static const char *describe(const struct authres *authres)
{
    struct strbuf text;
    strbuf_init(&text, 1 << 20);
    strbuf_puts(&text, authres->id);
    for (size_t i = 0; i < authres->count; i++) {
        const struct authres_result *result = &authres->results[i];
        strbuf_printf(&text, "|%s=%s", result->method, result->result);
        if (result->reason)
            strbuf_printf(&text, "(%s)", result->reason);
        for (size_t j = 0; j < result->property_count; j++)
            strbuf_printf(&text, " %s=%s", result->properties[j].name, result->properties[j].value);
    }
    strbuf_puts(&text, authres->is_whole ? "" : "!");
    const char *copy = arena_strdup(arena, strbuf_text(&text));
    strbuf_free(&text);
    return copy;
}

static void reads(void **state)
{
    (void)state;
    static const struct {
        const char *value, *expected;
    } rows[] = {
        /* RFC 8601 appendix B */
        {" example.org 1; none", "example.org"},
        {" example.com;\r\n          spf=pass smtp.mailfrom=example.net",
         "example.com|spf=pass smtp.mailfrom=example.net"},
        {" example.com;\r\n\tauth=pass (cram-md5) smtp.auth=sender@example.net;\r\n\tspf=pass "
         "smtp.mailfrom=example.net",
         "example.com|auth=pass smtp.auth=sender@example.net|spf=pass smtp.mailfrom=example.net"},
        {" example.com; iprev=pass policy.iprev=192.0.2.200", "example.com|iprev=pass policy.iprev=192.0.2.200"},
        {" example.com; dkim=pass reason=\"good signature\" header.i=@mail-router.example.net; dkim=fail reason=\"bad "
         "signature\" header.i=@newyork.example.com",
         "example.com|dkim=pass(good signature) header.i=@mail-router.example.net|dkim=fail(bad signature) "
         "header.i=@newyork.example.com"},
        {" foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n "
         "policy "
         "(A dot can go here) . (like that) expired\r\n (this surprised me) = (as I wasn't expecting it) 1362471462",
         "foo.example.net!"}, /* a dot amid comments is more than we read; nobody writes it */
        {" foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n "
         "policy.expired\r\n (this surprised me) = (as I wasn't expecting it) 1362471462",
         "foo.example.net|dkim=fail policy.expired=1362471462"},
        /* what others write */
        {" spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=a.example; dkim=none (message not signed) header.d=none",
         "|spf=pass smtp.mailfrom=a.example|dkim=none header.d=none"},
        {" mx.a.example; dkim=pass (2048-bit key) header.d=a.example header.i=@a.example header.b=\"AbC/d+e=\"",
         "mx.a.example|dkim=pass header.d=a.example header.i=@a.example header.b=AbC/d+e="},
        {" mx.a.example; dkim=pass header.b=AbC/d+e", "mx.a.example|dkim=pass header.b=AbC/d+e"},
        {" mx; dmarc=pass (p=reject dis=none) header.from=a.example", "mx|dmarc=pass header.from=a.example"},
        {" mx; DKIM=PASS Header.D=A.example", "mx|dkim=pass header.d=A.example"},
        {" mx; spf=pass smtp.mailfrom=\"a b\"@c.example", "mx|spf=pass smtp.mailfrom=a b@c.example"},
        {" mx; spf=pass smtp.mailfrom=<a@b.example>", "mx|spf=pass smtp.mailfrom=<a@b.example>"},
        {" mx; spf=pass smtp.mailfrom=prvs=1234=a@b.example", "mx|spf=pass smtp.mailfrom=prvs=1234=a@b.example"},
        {" mx;", "mx"},
        {" mx; ", "mx"},
        {" mx;;; spf=pass;;", "mx|spf=pass"},
        {" mx", "mx"},
        {"mx;spf=pass", "mx|spf=pass"},
        {"", "!"},
        {"   ", "!"},
        {";", "!"},
        {"(", "!"},
        {"(()", "!"},
        {"\"", "!"},
        {"\"a b\"; spf=pass", "a b|spf=pass"},
        {"\"a\\\"b\"; spf=pass", "a\"b|spf=pass"},
        {"\"a;b\"; spf=pass", "a;b|spf=pass"},
        {"(c) mx (d); spf=pass", "mx|spf=pass"},
        {"(c\\)) mx; spf=pass", "mx|spf=pass"},
        {"(a(b)c) mx; (x;y) spf=pass", "mx|spf=pass"},
        {"mx 1; spf=pass", "mx|spf=pass"},
        {"mx 1 2; spf=pass", "mx|spf=pass!"},
        {"mx x; spf=pass", "mx|spf=pass!"},
        {"mx; spf", "mx!"},
        {"mx; spf=", "mx!"},
        {"mx; =pass", "mx!"},
        {"mx; spf=pass smtp.mailfrom", "mx!"},
        {"mx; spf=pass smtp.mailfrom=", "mx!"},
        {"mx; spf=pass \"", "mx!"},
        {"mx; spf=pass (", "mx!"},
        {"mx; spf = pass smtp.helo = a.example", "mx|spf=pass smtp.helo=a.example"},
        {"mx; spf=pass reason=\"a;b\" x.y=z; dkim=none", "mx|spf=pass(a;b) x.y=z|dkim=none"},
        {"mx; spf=pass reason=good", "mx|spf=pass(good)"},
        {"mx; bad bad; dkim=pass header.d=x.example", "mx|dkim=pass header.d=x.example!"},
        {"m\xc3\xbcnchen.example; spf=pass", "m\xc3\xbcnchen.example|spf=pass"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(describe(authres_parse(arena, span_of(rows[i].value))), rows[i].expected);
}

static void reading_is_bounded(void **state)
{
    (void)state;
    struct strbuf text;
    strbuf_init(&text, 1 << 20);
    strbuf_puts(&text, "mx");
    for (int i = 0; i < 1000; i++)
        strbuf_puts(&text, "; dkim=pass a.b=c");
    assert_int_equal(authres_parse(arena, (struct span){text.ptr, text.len})->count, 64);
    strbuf_free(&text);
    strbuf_puts(&text, "mx; dkim=pass");
    for (int i = 0; i < 1000; i++)
        strbuf_puts(&text, " a.b=c");
    assert_int_equal(authres_parse(arena, (struct span){text.ptr, text.len})->results[0].property_count, 32);
    strbuf_free(&text);
    static const char *const floods[] = {"(", "\"", "\\", ";", "a=b ", "((a)", "(\\)", ")"};
    for (size_t i = 0; i < sizeof floods / sizeof *floods; i++) {
        while (text.len < 300000)
            strbuf_puts(&text, floods[i]);
        authres_claims(arena, (struct span){text.ptr, text.len}, "mx.example.net");
        strbuf_free(&text);
    }
    assert_true(authres_claims(arena, (struct span){"\0mx.example.net", 15}, "mx.example.net"));
}

static void claims(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool is_ours;
    } rows[] = {
        {" mx.example.net; spf=pass", true},
        {"mx.example.net;none", true},
        {" MX.Example.NET; spf=pass", true},
        {" mx.example.net.; spf=pass", true},
        {" mx.exam\001ple.net; spf=pass", true},
        {" mx.example\x7f.net; spf=pass", true},
        {" MX.EXAMPLE.NET ; dmarc=pass", true},
        {"\r\n (x)\r\n (y) MX.example.net(z)/1 ; dmarc=pass", true},
        {" mx.example.net 1; spf=pass", true},
        {" mx.example.net/1; spf=pass", true},
        {" mx.example.net 1", true},
        {" mx.example.net", true},
        {" \"mx.example.net\"; spf=pass", true},
        {" \"mx\\.example.net\"; spf=pass", true},
        {" \"mx.\"example.net; spf=pass", true},
        {" (a comment) mx.example.net (another) 1 (third); spf=pass", true},
        {" (a (nested) \\) comment)mx.example.net; spf=pass", true},
        {"\r\n\tmx.example.net;\r\n\tspf=pass", true},
        {" mx.\r\n example.net; spf=pass", true},
        {" mx.(c)example.net; spf=pass", true},
        {" (unclosed mx.example.net; spf=pass", true},
        {" \"mx.example.net; spf=pass", true},
        {" mx.example.net spf=pass", true},
        {" mx.example.net, mx; spf=pass", true},
        {" ; mx.example.net; spf=pass", true},
        {" =; mx.example.net; spf=pass", true},
        {" other.example mx.example.net; spf=pass", true},
        {" spf=pass smtp.helo=mx.example.net", true}, /* nobody's, and it holds our name */
        {" other.example; spf=pass smtp.helo=mx.example.net", false},
        {" other.example 1; spf=pass smtp.helo=mx.example.net", false},
        {" other.example (mx.example.net); spf=pass", false},
        {" notmx.example.net; spf=pass", false},
        {" mx.example.network; spf=pass", false},
        {" example.net; spf=pass", false},
        {" spf=pass smtp.helo=other.example", false},
        {" none", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (authres_claims(arena, span_of(rows[i].value), "mx.example.net") != rows[i].is_ours)
            fail_msg("%s", rows[i].value);
    }
    assert_true(authres_claims(arena, span_of("m\xc3\xbcnchen.example; spf=pass"), "xn--mnchen-3ya.example"));
}

static struct message *begin(struct general_settings *general, struct settings *settings, struct session **session)
{
    static struct check_options options = {MODE_ENFORCE, CLASS_OUTSIDE, ON_ERROR_ACCEPT};
    static struct plan_entry entry = {.options = &options, .needs = NEEDS_HEADER};
    static struct plan plan = {.entries = &entry, .count = 1, .needs = NEEDS_HEADER};
    static struct message_settings message_settings = {.max_header = 1 << 20};
    static struct dns_settings dns = {.timeout = 1000, .message_budget = 1000, .message_queries = 10};
    general->trusted_networks = netset_create(arena);
    general->exempt_recipients = strset_create(arena);
    *settings = (struct settings){.general = general, .message = &message_settings, .dns = &dns};
    settings->authserv_id = "mx.example.net";
    *session = session_create();
    return message_begin(*session, settings, &plan, "<a@b.example>", 1000);
}

static void removes_forged_ones_from_the_highest_index_down(void **state)
{
    (void)state;
    struct general_settings general = {0};
    struct settings settings;
    struct session *session;
    struct message *message = begin(&general, &settings, &session);
    static const char *const values[] = {" mx.example.net; spf=pass", " other.example; spf=pass",
                                         " MX.EXAMPLE.NET;none", " other.example; dkim=pass",
                                         " (x) mx.example.net 1; dmarc=pass"};
    for (size_t i = 0; i < 5; i++) {
        message_add_header(message, span_of(i == 2 ? "AUTHENTICATION-results" : AUTHRES_HEADER), span_of(values[i]));
        message_add_header(message, span_of("X-Authentication-Results"), span_of(" mx.example.net; spf=pass"));
    }
    assert_int_equal(authres_remove_forged(&message->edits, arena, message, "mx.example.net"), 3);
    static const unsigned expected[] = {5, 3, 1};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(message->edits.items[i].kind, EDIT_DELETE_HEADER);
        assert_string_equal(message->edits.items[i].name, AUTHRES_HEADER);
        assert_int_equal(message->edits.items[i].index, expected[i]);
    }
    assert_int_equal(message->edits.count, 3);
    message_end(&message);
    session_destroy(session);
}

/* What is more than can be removed is refused; one forged field that stays would be believed. */
static void too_many_forged_ones_are_refused(void **state)
{
    (void)state;
    for (unsigned count = EDITS_DELETIONS_MAX; count <= EDITS_DELETIONS_MAX + 2; count++) {
        struct general_settings general = {0};
        struct settings settings;
        struct session *session;
        struct message *message = begin(&general, &settings, &session);
        for (unsigned i = 0; i < count; i++) {
            message_add_header(message, span_of(AUTHRES_HEADER), span_of(" other.example; spf=pass"));
            message_add_header(message, span_of(AUTHRES_HEADER), span_of(" mx.example.net; spf=pass"));
        }
        struct authres_options options = {.remove_forged = true};
        struct check_call call = {.options = &options,      .settings = &settings,    .session = session,
                                  .message = message,       .arena = message->arena,  .facts = &message->facts,
                                  .edits = &message->edits};
        struct result result = check_authres.on_eom(&call);
        if (count == EDITS_DELETIONS_MAX) {
            assert_int_equal(result.code, RESULT_DUNNO);
        } else {
            assert_int_equal(result.code, RESULT_REJECT);
            assert_string_equal(result.why, "authres.too-many-forged");
            assert_memory_equal(result.reply, "554 5.6.0 ", 10);
        }
        assert_int_equal(message->edits.count, EDITS_DELETIONS_MAX); /* in monitor mode those at the top are gone */
        assert_int_equal(message->edits.items[0].index, 2 * EDITS_DELETIONS_MAX);
        assert_int_equal(message->edits.items[EDITS_DELETIONS_MAX - 1].index, 2);
        message_end(&message);
        session_destroy(session);
    }
}

static void finds_what_a_trusted_filter_left(void **state)
{
    (void)state;
    const char *items[] = {"filter.example.net"};
    struct string_list ids = {1, items};
    struct general_settings general = {.trusted_authserv_ids = &ids};
    struct settings settings;
    struct session *session;
    struct message *message = begin(&general, &settings, &session);
    static const char *const values[] = {
        " other.example; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=evil.example",
        " Filter.Example.net; dkim=pass header.d=A.example header.s=one header.b=abc; dkim=fail header.i=@b.example;"
        " dkim=strange header.d=c.example; dkim=pass header.d=no(domain",
        " filter.example.net; spf=softfail smtp.mailfrom=joe@a.example; spf=pass smtp.helo=mail.a.example;"
        " dmarc=fail header.from=a.example policy.dmarc=quarantine reason=why",
        " filter.example.net; dkim=pass header.d=later.example; dmarc=pass header.from=later.example"};
    for (size_t i = 0; i < 4; i++)
        message_add_header(message, span_of(AUTHRES_HEADER), span_of(values[i]));
    const struct auth_dkim *dkim = authres_read_dkim(arena, message);
    assert_int_equal(dkim->result, AUTH_PASS);
    assert_int_equal(dkim->count, 2);
    assert_string_equal(dkim->signatures[0].domain, "a.example");
    assert_string_equal(dkim->signatures[0].selector, "one");
    assert_true(dkim->signatures[0].counts);
    assert_string_equal(dkim->signatures[1].domain, "b.example");
    assert_int_equal(dkim->signatures[1].result, AUTH_FAIL);
    assert_false(dkim->signatures[1].counts);
    const struct auth_spf *spf = authres_read_spf(arena, message);
    assert_int_equal(spf->result, AUTH_SOFTFAIL);
    assert_string_equal(spf->domain, "a.example");
    assert_false(spf->is_helo);
    assert_int_equal(spf->helo_result, AUTH_PASS);
    assert_string_equal(spf->helo_domain, "mail.a.example");
    const struct auth_dmarc *dmarc = authres_read_dmarc(arena, message);
    assert_int_equal(dmarc->result, AUTH_FAIL);
    assert_string_equal(dmarc->author_domain, "a.example");
    assert_int_equal(dmarc->policy, AUTH_POLICY_QUARANTINE);
    ids.count = 0;
    assert_null(authres_read_spf(arena, message));
    assert_null(authres_read_dkim(arena, message));
    assert_null(authres_read_dmarc(arena, message));
    message_end(&message);
    session_destroy(session);
}

/* A pass of a part of the body counts no more at the next Postern than here. */
static void a_part_of_the_body_stays_one(void **state)
{
    (void)state;
    const char *items[] = {"mx.example.net"};
    struct string_list ids = {1, items};
    struct general_settings general = {.trusted_authserv_ids = &ids};
    struct settings settings;
    struct session *session;
    struct message *message = begin(&general, &settings, &session);
    struct auth_dkim_signature signatures[] = {
        {.result = AUTH_PASS, .domain = "a.example", .is_partial = true},
        {.result = AUTH_PASS, .domain = "b.example", .is_partial = true, .counts = true}, /* allow_l */
        {.result = AUTH_PASS, .domain = "c.example", .counts = true},
        {.result = AUTH_FAIL, .domain = "d.example", .is_partial = true, .reason = "why"}};
    struct auth_dkim dkim = {AUTH_PASS, signatures, 4};
    const char *value = authres_write(arena, "mx.example.net", NULL, &dkim, NULL);
    assert_string_equal(value, "mx.example.net;\n"
                               "\tdkim=pass header.d=a.example policy.unsigned-rest=yes;\n"
                               "\tdkim=pass header.d=b.example;\n"
                               "\tdkim=pass header.d=c.example;\n"
                               "\tdkim=fail reason=why header.d=d.example");
    message_add_header(message, span_of(AUTHRES_HEADER), span_of(value));
    const struct auth_dkim *read = authres_read_dkim(arena, message);
    assert_int_equal(read->count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(read->signatures[i].counts, signatures[i].counts);
    assert_string_equal(authres_write(arena, "mx.example.net", NULL, read, NULL), value);
    message_end(&message);
    session_destroy(session);
}

/* What opendmarc, rspamd and others write: the policy is in a comment, if anywhere. */
static void reads_dmarc_of_others(void **state)
{
    (void)state;
    static const struct {
        const char *value, *author;
        enum auth_result result;
        enum auth_policy policy;
    } rows[] = {
        {"dmarc=pass (p=reject dis=none) header.from=a.example", "a.example", AUTH_PASS, AUTH_POLICY_REJECT},
        {"dmarc=fail (p=reject dis=none) header.from=a.example", "a.example", AUTH_FAIL, AUTH_POLICY_REJECT},
        {"dmarc=fail (p=quarantine dis=quarantine) header.from=a.example", "a.example", AUTH_FAIL, AUTH_POLICY_QUARANTINE},
        {"dmarc=fail (p=none dis=none) header.from=a.example", "a.example", AUTH_FAIL, AUTH_POLICY_NONE},
        {"dmarc=none (p=none dis=none) header.from=a.example", "a.example", AUTH_NONE, AUTH_POLICY_NONE},
        {"dmarc=fail (p=REJECT sp=NONE dis=NONE) header.from=a.example", "a.example", AUTH_FAIL, AUTH_POLICY_REJECT},
        {"dmarc=fail reason=\"SPF not aligned (relaxed), No valid DKIM\" header.from=a.example (policy=quarantine)",
         "a.example", AUTH_FAIL, AUTH_POLICY_QUARANTINE},
        {"dmarc=pass (policy=reject) header.from=a.example", "a.example", AUTH_PASS, AUTH_POLICY_REJECT},
        {"dmarc=fail (why not) header.from=a.example policy.dmarc=quarantine (p=reject)", "a.example", AUTH_FAIL,
         AUTH_POLICY_QUARANTINE}, /* the property is the standard's */
        {"dmarc=fail (p=strange p=reject) header.from=a.example", "a.example", AUTH_FAIL, AUTH_POLICY_REJECT},
        {"dmarc=fail (=reject p= p x=reject) header.from=a.example", "a.example", AUTH_FAIL, AUTH_POLICY_NONE},
        {"dmarc=fail header.from=a.example", "a.example", AUTH_FAIL, AUTH_POLICY_NONE},
        {"(p=reject) dmarc=fail header.from=a.example", "a.example", AUTH_FAIL, AUTH_POLICY_NONE},
        {"dmarc=fail header.from=a.example; spf=fail (p=reject)", "a.example", AUTH_FAIL, AUTH_POLICY_NONE},
        {"dmarc=pass (p=none) header.from=a.example; dmarc=fail (p=reject) header.from=b.example", "b.example", AUTH_FAIL,
         AUTH_POLICY_REJECT}, /* several authors */
        {"dmarc=fail (p=reject) header.from=b.example; dmarc=temperror header.from=a.example", "b.example", AUTH_FAIL,
         AUTH_POLICY_REJECT},
        {"dmarc=pass header.from=b.example; dmarc=temperror header.from=a.example", "a.example", AUTH_TEMPERROR,
         AUTH_POLICY_NONE},
    };
    const char *items[] = {"filter.example.net"};
    struct string_list ids = {1, items};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct general_settings general = {.trusted_authserv_ids = &ids};
        struct settings settings;
        struct session *session;
        struct message *message = begin(&general, &settings, &session);
        message_add_header(message, span_of(AUTHRES_HEADER),
                           span_of(arena_printf(arena, " filter.example.net;\r\n\t%s", rows[i].value)));
        const struct auth_dmarc *dmarc = authres_read_dmarc(arena, message);
        if (dmarc->result != rows[i].result || dmarc->policy != rows[i].policy ||
            strcmp(dmarc->author_domain, rows[i].author) != 0)
            fail_msg("%s: %s %s %s", rows[i].value, auth_result_name(dmarc->result), auth_policy_name(dmarc->policy),
                     dmarc->author_domain);
        assert_int_equal(dmarc->effective, dmarc->policy);
        message_end(&message);
        session_destroy(session);
    }
}

/* As with our own evaluation: a HELO that fails decides, wherever it stands. */
static void reads_spf_of_others(void **state)
{
    (void)state;
    static const struct {
        const char *value, *domain;
        enum auth_result result;
        bool is_helo;
    } rows[] = {
        {"spf=fail smtp.helo=h.example; spf=pass smtp.mailfrom=a.example", "h.example", AUTH_FAIL, true},
        {"spf=pass smtp.mailfrom=a.example; spf=fail smtp.helo=h.example", "h.example", AUTH_FAIL, true},
        {"spf=none smtp.helo=h.example; spf=pass smtp.mailfrom=a.example", "a.example", AUTH_PASS, false},
        {"spf=softfail smtp.helo=h.example; spf=pass smtp.mailfrom=a.example", "a.example", AUTH_PASS, false},
        {"spf=pass smtp.helo=h.example", "h.example", AUTH_PASS, true},
        {"spf=fail (mx.example.net: domain of x@a.example does not designate 192.0.2.1 as permitted sender) "
         "smtp.mailfrom=x@a.example", "a.example", AUTH_FAIL, false},
        {"spf=pass smtp.mailfrom=x@a.example smtp.helo=h.example", "a.example", AUTH_PASS, false},
        {"spf=neutral", "", AUTH_NEUTRAL, true},
    };
    const char *items[] = {"filter.example.net"};
    struct string_list ids = {1, items};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct general_settings general = {.trusted_authserv_ids = &ids};
        struct settings settings;
        struct session *session;
        struct message *message = begin(&general, &settings, &session);
        message_add_header(message, span_of(AUTHRES_HEADER),
                           span_of(arena_printf(arena, " filter.example.net; %s", rows[i].value)));
        const struct auth_spf *spf = authres_read_spf(arena, message);
        if (spf->result != rows[i].result || spf->is_helo != rows[i].is_helo || strcmp(spf->domain, rows[i].domain) != 0)
            fail_msg("%s: %s %s", rows[i].value, auth_result_name(spf->result), spf->domain);
        message_end(&message);
        session_destroy(session);
    }
}

static void writes(void **state)
{
    (void)state;
    struct auth_spf spf = {.result = AUTH_PASS,
                           .domain = "a.example",
                           .mailfrom_domain = "a.example",
                           .mailfrom_result = AUTH_PASS,
                           .reason = "mechanism ip4"};
    struct auth_dkim_signature signatures[] = {{.result = AUTH_PASS,
                                                .domain = "a.example",
                                                .selector = "one",
                                                .identity = "@a.example",
                                                .algorithm = "rsa-sha256",
                                                .b = "AbC/+d12"},
                                               {.result = AUTH_FAIL,
                                                .domain = "b.example",
                                                .selector = "two",
                                                .algorithm = "ed25519-sha256",
                                                .b = "x",
                                                .reason = "body hash did not verify"}};
    struct auth_dkim dkim = {AUTH_PASS, signatures, 2}, unsigned_mail = {AUTH_NONE, NULL, 0};
    struct auth_dmarc dmarc = {.result = AUTH_PASS, .author_domain = "a.example", .policy = AUTH_POLICY_REJECT,
                               .effective = AUTH_POLICY_QUARANTINE};
    assert_string_equal(authres_write(arena, "mx.example.net", NULL, NULL, NULL), "mx.example.net; none");
    assert_string_equal(authres_write(arena, "mx.example.net", &spf, &dkim, &dmarc),
                        "mx.example.net;\n"
                        "\tspf=pass smtp.mailfrom=a.example;\n"
                        "\tdkim=pass header.d=a.example header.i=@a.example header.s=one\n"
                        "\theader.a=rsa-sha256 header.b=\"AbC/+d12\";\n"
                        "\tdkim=fail reason=\"body hash did not verify\" header.d=b.example\n"
                        "\theader.s=two header.a=ed25519-sha256 header.b=x;\n"
                        "\tdmarc=pass header.from=a.example policy.dmarc=quarantine");
    assert_string_equal(authres_write(arena, "mx", NULL, &unsigned_mail, NULL), "mx;\n\tdkim=none");
    spf = (struct auth_spf){.result = AUTH_FAIL,
                            .domain = "h.example",
                            .is_helo = true,
                            .helo_domain = "h.example",
                            .helo_result = AUTH_FAIL,
                            .reason = "mechanism -all"};
    assert_string_equal(authres_write(arena, "mx", &spf, NULL, NULL),
                        "mx;\n\tspf=fail reason=\"mechanism -all\" smtp.helo=h.example");
    spf = (struct auth_spf){.result = AUTH_NEUTRAL,
                            .domain = "a.example",
                            .mailfrom_domain = "a.example",
                            .helo_domain = "h.example",
                            .helo_result = AUTH_PASS};
    assert_string_equal(authres_write(arena, "mx", &spf, NULL, NULL),
                        "mx;\n\tspf=neutral smtp.mailfrom=a.example;\n\tspf=pass smtp.helo=h.example");
    /* every identity that was evaluated has a result, also if that is none; the one that decides comes first */
    struct auth_spf both = {.result = AUTH_PASS,
                            .domain = "a.example",
                            .mailfrom_domain = "a.example",
                            .mailfrom_result = AUTH_PASS,
                            .helo_domain = "h.example",
                            .helo_result = AUTH_NONE};
    assert_string_equal(authres_write(arena, "mx", &both, NULL, NULL),
                        "mx;\n\tspf=pass smtp.mailfrom=a.example;\n\tspf=none smtp.helo=h.example");
    both.helo_result = both.result = AUTH_FAIL;
    both.domain = "h.example";
    both.is_helo = true;
    assert_string_equal(authres_write(arena, "mx", &both, NULL, NULL),
                        "mx;\n\tspf=fail smtp.helo=h.example;\n\tspf=pass smtp.mailfrom=a.example");
    struct netaddr client;
    assert_int_equal(netaddr_parse("2001:db8::1", &client), 0);
    assert_string_equal(authres_write_received_spf(arena, "mx", &spf, &client, "a b@c.example", "h\"x"),
                        "neutral identity=mailfrom; client-ip=\"2001:db8::1\";\n"
                        "\tenvelope-from=\"a b@c.example\"; helo=\"h\\\"x\"; receiver=mx");
}

/* Whatever is in a value, what is written reads back as exactly that value in exactly that place. */
static void values_cannot_break_out(void **state)
{
    (void)state;
    static const char *const evil[] = {"a; dmarc=pass",
                                       "a\r\nX-Evil: yes",
                                       "a\n\tdmarc=pass",
                                       "a\rb",
                                       "\"; dmarc=pass; x=\"",
                                       "a\" ; dmarc=pass",
                                       "a\\",
                                       "a\\\"",
                                       "(comment",
                                       "comment)",
                                       "(a)",
                                       "a b",
                                       " a",
                                       "a ",
                                       "\t",
                                       "a\tb",
                                       "a=b",
                                       "a/b",
                                       "a@b@c",
                                       "@",
                                       "a@",
                                       "<a>",
                                       "[1]",
                                       "a:b",
                                       "a,b",
                                       "a?b",
                                       "\x01\x02",
                                       "\x7f",
                                       "k\xc3\xa4se",
                                       "\xff\xfe",
                                       "dkim=pass header.d=bank.example",
                                       "\"",
                                       "\\",
                                       "''",
                                       "none",
                                       ";",
                                       "%s%n",
                                       "{rcpt}",
                                       "=?utf-8?q?x?=",
                                       "a\n\n"};
    for (size_t i = 0; i < sizeof evil / sizeof *evil; i++) {
        struct auth_spf spf = {.result = AUTH_FAIL,
                               .domain = evil[i],
                               .mailfrom_domain = evil[i],
                               .reason = evil[i],
                               .helo_domain = evil[i],
                               .helo_result = AUTH_FAIL};
        struct auth_dkim_signature signature = {.result = AUTH_FAIL,
                                                .domain = evil[i],
                                                .selector = evil[i],
                                                .identity = evil[i],
                                                .algorithm = evil[i],
                                                .b = evil[i],
                                                .reason = evil[i]};
        struct auth_dkim dkim = {AUTH_FAIL, &signature, 1};
        struct auth_dmarc dmarc = {.result = AUTH_FAIL, .author_domain = evil[i], .reason = evil[i]};
        const char *text = authres_write(arena, "mx.example.net", &spf, &dkim, &dmarc);
        for (const char *p = text; *p; p++)
            assert_true((*p >= 0x20 && *p <= 0x7e) || (*p == '\n' && p[1] == '\t') || (*p == '\t' && p[-1] == '\n'));
        const struct authres *back = authres_parse(arena, span_of(text));
        assert_string_equal(back->id, "mx.example.net");
        assert_true(back->is_whole);
        assert_int_equal(back->count, 4);
        assert_string_equal(back->results[3].method, "dmarc");
        assert_string_equal(back->results[3].result, "fail");
        char *printable = arena_strdup(arena, evil[i]);
        for (char *p = printable; *p; p++)
            *p = *p >= 0x20 && *p <= 0x7e ? *p : '?';
        assert_string_equal(authres_property(&back->results[2], "header.d"), printable);
        assert_string_equal(authres_property(&back->results[0], "smtp.mailfrom"), printable);
        assert_string_equal(back->results[3].reason, printable);
        struct edits edits = {0};
        edits_add_folded(&edits, arena, AUTHRES_HEADER, text);
        assert_string_equal(edits.items[0].value, text); /* and the last gate has nothing left to do */
    }
}

static void long_values_stay_in_their_lines(void **state)
{
    (void)state;
    char *text = malloc(100001);
    memset(text, 'a', 100000);
    text[100000] = '\0';
    struct auth_dkim_signature signatures[16];
    for (size_t i = 0; i < 16; i++)
        signatures[i] = (struct auth_dkim_signature){.result = AUTH_FAIL,
                                                     .domain = text,
                                                     .selector = text,
                                                     .identity = text,
                                                     .algorithm = text,
                                                     .b = text,
                                                     .reason = text};
    struct auth_dkim dkim = {AUTH_FAIL, signatures, 16};
    struct auth_dmarc dmarc = {.result = AUTH_FAIL, .author_domain = "author.example"};
    const char *written = authres_write(arena, "mx.example.net", NULL, &dkim, &dmarc);
    assert_true(strlen(written) <= 32768);
    assert_non_null(strstr(written, "dmarc=fail header.from=author.example")); /* nothing pushes it out */
    struct edits edits = {0};
    edits_add_folded(&edits, arena, AUTHRES_HEADER, written);
    assert_string_equal(edits.items[0].value, written);
    for (const char *line = written; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        assert_true(strcspn(line, "\n") < 998);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(reading_is_bounded),
        cmocka_unit_test(claims),
        cmocka_unit_test(removes_forged_ones_from_the_highest_index_down),
        cmocka_unit_test(too_many_forged_ones_are_refused),
        cmocka_unit_test(finds_what_a_trusted_filter_left),
        cmocka_unit_test(a_part_of_the_body_stays_one),
                                       cmocka_unit_test(reads_dmarc_of_others),
        cmocka_unit_test(reads_spf_of_others),
        cmocka_unit_test(writes),
        cmocka_unit_test(values_cannot_break_out),
        cmocka_unit_test(long_values_stay_in_their_lines),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
