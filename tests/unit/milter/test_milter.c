/* negotiate and reply: pure parts of milter/. */
#include "unit.h"

#include "milter/negotiate.h"
#include "milter/reply.h"

static struct result hook(const struct check_call *call)
{
    (void)call;
    return RESULT(RESULT_DUNNO);
}

static const struct check_options everybody = {MODE_ENFORCE, 15, ON_ERROR_TEMPFAIL};

static struct negotiated ask(const struct check *check, unsigned long steps)
{
    struct plan_entry entry = {check, &everybody, MODE_ENFORCE, check ? check->needs : 0, NULL};
    struct plan plan = {.entries = &entry, .count = check ? 1 : 0, .needs = check ? check->needs : 0};
    return negotiate(&plan, (struct negotiated){SMFI_CURR_ACTS, steps});
}

static const unsigned long all_steps = SMFI_CURR_PROT;

static void nobody_asks_for_anything(void **state)
{
    (void)state;
    struct negotiated got = ask(NULL, all_steps);
    assert_true(got.steps & SMFIP_NOBODY);
    assert_true(got.steps & SMFIP_NOHDRS);
    assert_true(got.steps & SMFIP_NOEOH);
    assert_true(got.steps & SMFIP_NODATA);
    assert_true(got.steps & SMFIP_NR_MAIL);
    assert_false(got.steps & SMFIP_NORCPT);
    assert_false(got.steps & SMFIP_NOMAIL);
}

static void what_is_needed_is_asked_for(void **state)
{
    (void)state;
    static const struct check body = {.name = "body", .needs = NEEDS_HEADER | NEEDS_CONTENT, .on_eom = hook};
    struct negotiated got = ask(&body, all_steps);
    assert_false(got.steps & (SMFIP_NOBODY | SMFIP_NOHDRS));
    assert_false(got.steps & SMFIP_SKIP);
    assert_true(got.steps & SMFIP_NR_BODY); /* every class is read: there is never anything to skip */
    assert_true(got.steps & SMFIP_HDR_LEADSPC);
    assert_true(got.steps & SMFIP_NR_HDR);
    assert_true(got.steps & SMFIP_NR_EOH);
    assert_true(got.steps & SMFIP_NODATA);

    static const struct check mail = {.name = "mail", .on_mail = hook, .on_data = hook};
    got = ask(&mail, all_steps);
    assert_false(got.steps & (SMFIP_NR_MAIL | SMFIP_NODATA | SMFIP_NOEOH));
    assert_true(got.steps & SMFIP_NOBODY);
    assert_true(got.actions & SMFIF_QUARANTINE);
}

static void nobody_waits_for_those_who_only_look(void **state)
{
    (void)state;
    static const struct check looker = {
        .name = "looker", .never_objects = 1u << PHASE_MAIL | 1u << PHASE_DATA, .on_mail = hook, .on_data = hook};
    static const struct check judge = {.name = "judge", .on_mail = hook, .on_data = hook};
    struct negotiated got = ask(&looker, all_steps);
    assert_true(got.steps & SMFIP_NR_MAIL);
    assert_true(got.steps & SMFIP_NR_DATA);
    assert_false(got.steps & SMFIP_NODATA); /* it wants to be called all the same */
    struct plan_entry entries[] = {{&looker, &everybody, MODE_ENFORCE, 0, NULL},
                                   {&judge, &everybody, MODE_ENFORCE, 0, NULL}};
    struct plan plan = {.entries = entries, .count = 2};
    got = negotiate(&plan, (struct negotiated){SMFI_CURR_ACTS, all_steps});
    assert_false(got.steps & (SMFIP_NR_MAIL | SMFIP_NR_DATA | SMFIP_NODATA));
}

/* With every check that there is: MAIL is never waited for, DATA is (recipients may refuse there). */
static void the_default_configuration(void **state)
{
    (void)state;
    struct conf_problems problems = {NULL, NULL, 0};
    struct engine *engine = engine_create(NULL, &problems);
    assert_non_null(engine);
    struct negotiated got = negotiate(&engine->plan, (struct negotiated){SMFI_CURR_ACTS, all_steps});
    assert_true(got.steps & SMFIP_NR_MAIL);
    assert_false(got.steps & (SMFIP_NR_DATA | SMFIP_NODATA));
    engine_destroy(engine);
}

static void some_bodies_are_of_no_use(void **state)
{
    (void)state;
    static const struct check body = {.name = "body", .needs = NEEDS_HEADER | NEEDS_CONTENT, .on_eom = hook};
    static const struct check_options outside = {MODE_ENFORCE, CLASS_OUTSIDE, ON_ERROR_TEMPFAIL};
    struct plan_entry entry = {&body, &outside, MODE_ENFORCE, body.needs, NULL};
    struct plan plan = {.entries = &entry, .count = 1, .needs = body.needs};
    struct negotiated got = negotiate(&plan, (struct negotiated){SMFI_CURR_ACTS, all_steps});
    assert_true(got.steps & SMFIP_SKIP);
    assert_false(got.steps & SMFIP_NR_BODY); /* an answer is needed to say "skip" */
}

static void an_old_mta_is_asked_for_nothing_it_lacks(void **state)
{
    (void)state;
    static const struct check body = {.name = "body", .needs = NEEDS_CONTENT, .on_eom = hook};
    struct plan_entry entry = {&body, &everybody, MODE_ENFORCE, body.needs, NULL};
    struct plan plan = {.entries = &entry, .count = 1, .needs = body.needs};
    struct negotiated got = negotiate(&plan, (struct negotiated){SMFI_V2_ACTS, SMFI_V2_PROT});
    assert_int_equal(got.steps & ~(unsigned long)SMFI_V2_PROT, 0);
    assert_int_equal(got.actions & ~(unsigned long)SMFI_V2_ACTS, 0);
    got = negotiate(&plan, (struct negotiated){SMFI_CURR_ACTS, all_steps & ~(unsigned long)SMFIP_SKIP});
    assert_true(got.steps & SMFIP_NR_BODY);
}

static void replies(void **state)
{
    (void)state;
    static const struct {
        const char *reply, *code, *status, *text;
    } rows[] = {
        {"550 5.7.1 no", "550", "5.7.1", "no"},
        {"452 4.5.3 <a%b@c>... 100% full", "452", "4.5.3", "<a%%b@c>... 100%% full"},
        {"554 5.7.20 x y", "554", "5.7.20", "x y"},
        {"550 no codes", NULL, NULL, NULL},
        {"550", NULL, NULL, NULL},
        {"", NULL, NULL, NULL},
        {"550 5.7.1", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reply_parts parts;
        int got = reply_split(rows[i].reply, &parts);
        assert_int_equal(got, rows[i].code ? 0 : -1);
        if (!rows[i].code)
            continue;
        assert_string_equal(parts.code, rows[i].code);
        assert_string_equal(parts.status, rows[i].status);
        assert_string_equal(parts.text, rows[i].text);
    }
    /* The longest reply, all of it to be doubled, stays within libmilter's 980 bytes a line. */
    char longest[REPLY_MAX + 1] = "550 5.7.1 ";
    memset(longest + 10, '%', REPLY_MAX - 10);
    struct reply_parts parts;
    assert_int_equal(reply_split(longest, &parts), 0);
    assert_true(strlen(parts.text) <= 980);
    assert_int_equal(strlen(parts.text) % 2, 0);
}

static void sendmail_names_the_recipient_itself(void **state)
{
    static const struct {
        const char *reply, *left;
    } rows[] = {
        {"550 5.7.1 <a@b.example>... Access denied", "550 5.7.1 Access denied"},
        {"450 4.7.1 <a@b.example>... Later", "450 4.7.1 Later"},
        {"553 5.7.1 <a@b.example>... No", "553 5.7.1 No"},
        {"452 4.5.3 <a@b.example>... Too many", "452 4.5.3 <a@b.example>... Too many"},
        {"550 5.7.1 No <a@b.example>... here", "550 5.7.1 No <a@b.example>... here"},
        {"550 5.7.1 <a@b.example>... ", "550 5.7.1 <a@b.example>... "},
        {"550 5.7.1 <a@b.example> no", "550 5.7.1 <a@b.example> no"},
        {"550 no status", "550 no status"},
    };
    struct arena *arena = arena_create(1024);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(reply_for_sendmail(arena, rows[i].reply), rows[i].left);
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_asks_for_anything),
        cmocka_unit_test(what_is_needed_is_asked_for),
        cmocka_unit_test(nobody_waits_for_those_who_only_look),
        cmocka_unit_test(the_default_configuration),
        cmocka_unit_test(some_bodies_are_of_no_use),
        cmocka_unit_test(an_old_mta_is_asked_for_nothing_it_lacks),
        cmocka_unit_test(replies),
        cmocka_unit_test(sendmail_names_the_recipient_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
