#include "unit.h"

#include "core/engine.h"
#include "core/settings.h"
#include "dkim_fixture.h"
#include "util/strbuf.h"
#include <stdlib.h>

#define ROWS_MAX 64

struct arena *fixture_arena;
struct dns_fake_row fixture_rows[ROWS_MAX];
size_t fixture_row_count;
static struct verifier_service *service;

void fixture_begin(void)
{
    fixture_arena = arena_create(4096);
    service = verifier_service_create();
    assert_non_null(service);
}

void fixture_end(void)
{
    verifier_service_destroy(service);
    arena_destroy(fixture_arena);
}

void fixture_add_row(const char *name, enum dns_outcome outcome, const char *text)
{
    assert_true(fixture_row_count < ROWS_MAX);
    fixture_rows[fixture_row_count++] =
        (struct dns_fake_row){arena_strdup(fixture_arena, name), DNS_TXT, outcome, arena_strdup(fixture_arena, text)};
}

struct mail {
    struct arena *arena;
    struct general_settings general;
    struct message_settings message_settings;
    struct dns_settings dns_settings;
    struct settings settings;
    struct plan_entry entry;
    struct check_options options;
    struct plan plan;
    struct session *session;
    struct message *message;
};

static const struct check reader = {.name = "reader"};

static void mail_begin(struct mail *mail)
{
    *mail = (struct mail){.arena = arena_create(1024)};
    mail->options = (struct check_options){MODE_ENFORCE, CLASS_OUTSIDE, ON_ERROR_ACCEPT};
    mail->entry = (struct plan_entry){.check = &reader, .options = &mail->options, .needs = NEEDS_HEADER};
    mail->plan = (struct plan){.entries = &mail->entry, .count = 1, .needs = NEEDS_HEADER};
    mail->general.trusted_networks = netset_create(mail->arena);
    mail->general.exempt_recipients = strset_create(mail->arena);
    mail->message_settings.max_header = 1 << 20;
    mail->dns_settings = (struct dns_settings){.timeout = 5000, .message_budget = 20000, .message_queries = 100};
    mail->settings.general = &mail->general;
    mail->settings.message = &mail->message_settings;
    mail->settings.dns = &mail->dns_settings;
    mail->session = session_create();
    mail->message = message_begin(mail->session, &mail->settings, &mail->plan, "<a@b.example>", FIXTURE_NOW);
}

static void mail_end(struct mail *mail)
{
    message_end(&mail->message);
    session_destroy(mail->session);
    arena_destroy(mail->arena);
}

/* The header of TEXT, field by field; where the body begins. */
static const char *add_header(struct message *message, const char *text, const char *end)
{
    while (text < end) {
        if (end - text >= 2 && memcmp(text, "\r\n", 2) == 0)
            return text + 2;
        const char *stop = text;
        do {
            stop = memmem(stop, (size_t)(end - stop), "\r\n", 2);
            assert_non_null(stop);
            stop += 2;
        } while (stop < end && (*stop == ' ' || *stop == '\t'));
        const char *colon = memchr(text, ':', (size_t)(stop - text));
        assert_non_null(colon);
        message_add_header(message, (struct span){text, (size_t)(colon - text)},
                           (struct span){colon + 1, (size_t)(stop - 2 - colon - 1)});
        text = stop;
    }
    return end;
}

/* "pass big; fail small (why)" */
static const char *describe(struct arena *arena, const struct auth_dkim *dkim)
{
    struct strbuf text;
    strbuf_init(&text, 8192);
    for (size_t i = 0; i < dkim->count; i++) {
        const struct auth_dkim_signature *s = &dkim->signatures[i];
        assert_true(s->counts <= (s->result == AUTH_PASS));
        strbuf_printf(&text, "%s%s %s%s%s", i ? "; " : "", auth_result_name(s->result), s->selector,
                      s->is_partial ? " partial" : "", s->result == AUTH_PASS && !s->counts ? " not counted" : "");
        if (s->reason)
            strbuf_printf(&text, " (%s)", s->reason);
    }
    const char *copy = dkim->count ? arena_strdup(arena, strbuf_text(&text)) : "none";
    strbuf_free(&text);
    return copy;
}

const enum verifier_engine_name fixture_engines[2] = {VERIFIER_BUILTIN, VERIFIER_LIBOPENDKIM};
const struct verifier_options fixture_options = {.max_signatures = 8, .min_key_bits = 1024, .clock_drift = 300};

const char *fixture_verify_once(const char *text, size_t len, size_t piece, const struct verifier_options *given,
                                enum verifier_engine_name engine, const char **log)
{
    struct mail mail;
    struct verifier_options options = *given;
    options.engine = engine;
    mail_begin(&mail);
    struct dns *dns = dns_create_fake(fixture_rows, fixture_row_count);
    const char *body = add_header(mail.message, text, text + len);
    struct verifier *verifier = verifier_begin(service, &options, mail.message->arena, mail.message, dns);
    while (body < text + len) {
        size_t n = (size_t)(text + len - body) < piece ? (size_t)(text + len - body) : piece;
        char *copy = malloc(n); /* of its own, so that a sanitizer sees a step beyond it */
        memcpy(copy, body, n);
        verifier_body(verifier, (struct span){copy, n});
        free(copy);
        body += n;
    }
    const struct auth_dkim *dkim = verifier_finish(verifier, dns, mail.message->dns_budget);
    const char *story = arena_strdup(fixture_arena, describe(mail.message->arena, dkim));
    if (log)
        *log = arena_strdup(fixture_arena, dns_fake_log(dns));
    dns_destroy(dns);
    mail_end(&mail);
    return story;
}

const char *fixture_verify(const char *text, size_t len, const struct verifier_options *options,
                           enum verifier_engine_name engine)
{
    static const size_t pieces[] = {65535, 7, 1};
    const char *first = fixture_verify_once(text, len, 1 << 20, options, engine, NULL);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        const char *other = fixture_verify_once(text, len, pieces[i], options, engine, NULL);
        if (strcmp(other, first) != 0)
            print_message("engine %d, pieces of %zu: %s; in one piece: %s\n%.*s\n", engine, pieces[i], other, first,
                          (int)len, text);
        assert_string_equal(other, first);
    }
    return first;
}

/* What both engines say. */
const char *fixture_verify_both(const char *text, size_t len, const struct verifier_options *options)
{
    const char *ours = fixture_verify(text, len, options, VERIFIER_BUILTIN);
    assert_string_equal(ours, fixture_verify(text, len, options, VERIFIER_LIBOPENDKIM));
    return ours;
}
