/* message: addresses, distinct recipients, header bytes; settings: who is exempt. */
#include "unit.h"

#include "core/engine.h"

struct fixture {
    struct arena *arena;
    struct general_settings general;
    struct message_settings message_settings;
    struct dns_settings dns_settings;
    struct settings settings;
    struct check check;
    struct check_options options;
    struct plan_entry entry;
    struct plan plan;
    struct session *session;
    struct message *message;
};

static void begin(struct fixture *f)
{
    *f = (struct fixture){.arena = arena_create(1024)};
    struct strset *exempt = strset_create(f->arena);
    strset_add(exempt, span_of("postmaster"));
    strset_add(exempt, span_of("help@other.example"));
    strset_add(exempt, span_of("@open.example"));
    struct domain_set *domains = domain_set_create(f->arena);
    assert_null(domain_set_add(domains, "example.net"));
    assert_null(domain_set_add(domains, ".example.net"));
    f->general.exempt_recipients = exempt;
    f->general.local_domains = domains;
    f->message_settings = (struct message_settings){"/tmp", 1 << 16, 1 << 20, 0, 1000};
    f->settings.general = &f->general;
    f->settings.message = &f->message_settings;
    f->dns_settings = (struct dns_settings){.timeout = 3000, .message_budget = 20000, .message_queries = 100};
    f->settings.dns = &f->dns_settings;
    f->settings.content_limits = (struct content_limits){"/tmp", 1 << 16, 1 << 20, 0};
    f->check = (struct check){.name = "reader", .needs = NEEDS_HEADER | NEEDS_CONTENT};
    f->options.applies_to = CLASS_OUTSIDE;
    f->entry = (struct plan_entry){&f->check, &f->options, MODE_ENFORCE, f->check.needs, NULL};
    f->plan = (struct plan){.entries = &f->entry, .count = 1, .needs = NEEDS_HEADER | NEEDS_CONTENT};
    f->session = session_create();
    f->message = message_begin(f->session, &f->settings, &f->plan, "<a@b.example>", 1);
}

static void end(struct fixture *f)
{
    message_end(&f->message);
    assert_null(f->message);
    session_destroy(f->session);
    arena_destroy(f->arena);
}

static void paths(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"<a@b.example>", "a@b.example"}, {"a@b.example", "a@b.example"}, {"<>", ""}, {"", ""},
        {" <a@b.example> ", "a@b.example"}, {"<@x.example,@y.example:a@b.example>", "a@b.example"},
        {"<\"a b\"@c.example>", "\"a b\"@c.example"}, {"<@open>", "@open"}, {"<", "<"},
    };
    struct arena *arena = arena_create(256);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(address_strip(arena, rows[i][0]), rows[i][1]);
    arena_destroy(arena);
}

static void distinct_recipients(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        bool repeated;
        size_t distinct;
    } rows[] = {
        {"<a@example.net>", false, 1}, {"<b@example.net>", false, 2}, {"<a@EXAMPLE.net>", true, 2},
        {"<A@example.net>", false, 3}, {"<postmaster>", false, 4},    {"<PostMaster>", true, 4},
    };
    struct fixture f;
    begin(&f);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct recipient *recipient = message_add_rcpt(f.message, rows[i].address, NULL);
        assert_int_equal(recipient->is_repeated, rows[i].repeated);
        message_accept_rcpt(f.message, recipient);
        assert_int_equal(f.message->distinct_count, rows[i].distinct);
    }
    for (int i = 0; i < 5000; i++) {
        char address[32];
        snprintf(address, sizeof address, "<u%d@example.net>", i % 1000);
        message_accept_rcpt(f.message, message_add_rcpt(f.message, address, "local"));
    }
    assert_int_equal(f.message->distinct_count, 1004);
    end(&f);
}

/* An MTA forgets whom we refused, so a client can go on for ever; those that stand are the MTA's to limit. */
static void refused_recipients_have_an_end(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f);
    for (size_t i = 0; i < 2 * RECIPIENTS_REFUSED_MAX; i++)
        message_accept_rcpt(f.message, message_add_rcpt(f.message, "<a@b.example>", NULL));
    assert_int_equal(f.message->distinct_count, 1);
    for (size_t i = 0; i < RECIPIENTS_REFUSED_MAX; i++)
        assert_non_null(message_add_rcpt(f.message, "<a@b.example>", NULL));
    size_t size = arena_size(f.message->arena);
    assert_null(message_add_rcpt(f.message, "<a@b.example>", NULL));
    assert_int_equal(arena_size(f.message->arena), size);
    end(&f);
}

/* A message without a header, and without the event that ends one, has its empty line all the same. */
static void a_body_ends_the_header(void **state)
{
    struct fixture f;
    char bytes[16];
    (void)state;
    begin(&f);
    assert_int_equal(message_add_body(f.message, span_of("a\r\n")), 0);
    assert_int_equal(message_end_header(f.message), 0);
    assert_int_equal(message_add_body(f.message, span_of("b\r\n")), 0);
    assert_int_equal(content_read_at(f.message->content, 0, bytes, sizeof bytes), 8);
    assert_memory_equal(bytes, "\r\na\r\nb\r\n", 8);
    end(&f);
}

static void exempt_recipients(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        bool exempt;
    } rows[] = {
        {"postmaster", true},          {"POSTMASTER@Example.NET", true}, {"postmaster@sub.example.net", true},
        {"postmaster@x.example", false}, {"help@other.example", true},   {"help@example.net", false},
        {"anybody@open.example", true}, {"a@example.net", false},        {"", false},
    };
    struct fixture f;
    begin(&f);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(settings_is_exempt(&f.settings, rows[i].address), rows[i].exempt);
    end(&f);
}

static void header_bytes_stay_as_they_came(void **state)
{
    (void)state;
    static const char expected[] = "Subject: one\r\n\ttwo\r\n three\r\nX-Odd:no space\r\n\r\nbody\r\n";
    struct fixture f;
    begin(&f);
    assert_int_equal(message_add_header(f.message, span_of("Subject"), span_of(" one\n\ttwo\r\n three")), 0);
    assert_int_equal(message_add_header(f.message, span_of("X-Odd"), span_of("no space")), 0);
    message_end_header(f.message);
    message_add_body(f.message, span_of("body\r\n"));
    struct span content = content_memory(f.message->content);
    assert_int_equal(content.len, strlen(expected));
    assert_memory_equal(content.ptr, expected, content.len);
    assert_non_null(message_header(f.message, "subject", 0));
    assert_null(message_header(f.message, "subject", 1));
    assert_true(span_equals(message_header(f.message, "X-ODD", 0)->value, "no space"));
    end(&f);
}

static void header_limits(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    for (int i = 0; i < 100 && !f.message->error; i++)
        message_add_header(f.message, span_of("X-Filler"), span_of(" 0123456789012345678901234567890123456789"));
    assert_int_equal(f.message->error, MESSAGE_HEADER_TOO_LARGE);
    assert_true(content_size(f.message->content) <= 1000);
    /* After an error nothing more is kept, and the error stays. */
    uint64_t size = content_size(f.message->content);
    assert_int_equal(message_add_body(f.message, span_of("more")), MESSAGE_HEADER_TOO_LARGE);
    assert_int_equal(content_size(f.message->content), size);
    end(&f);
}

static void those_under_way_are_counted(void **state)
{
    (void)state;
    struct fixture one, two;
    assert_int_equal(message_count(), 0);
    begin(&one);
    begin(&two);
    assert_int_equal(message_count(), 2);
    message_end(&one.message);
    message_end(&one.message);
    assert_int_equal(message_count(), 1);
    end(&one);
    end(&two);
    assert_int_equal(message_count(), 0);
}

static void nothing_is_kept_that_nobody_reads(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    message_end(&f.message);
    f.options.applies_to = CLASS_AUTHENTICATED;
    f.message = message_begin(f.session, &f.settings, &f.plan, "<>", 1);
    assert_string_equal(f.message->reverse_path, "");
    message_add_header(f.message, span_of("Subject"), span_of(" x"));
    message_end_header(f.message);
    message_add_body(f.message, span_of("x"));
    assert_null(f.message->content);
    assert_int_equal(f.message->header_count, 0);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(distinct_recipients),
        cmocka_unit_test(refused_recipients_have_an_end),
        cmocka_unit_test(a_body_ends_the_header),
        cmocka_unit_test(exempt_recipients),
        cmocka_unit_test(header_bytes_stay_as_they_came),
        cmocka_unit_test(header_limits),
        cmocka_unit_test(nothing_is_kept_that_nobody_reads),
        cmocka_unit_test(those_under_way_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
