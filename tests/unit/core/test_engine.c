/* The list of checks as it is: sound, whatever the configuration. And the plan that a configuration makes of it. */
#include "unit.h"

#include "core/engine.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_listed(const char *const *list, const char *name)
{
    for (; list && *list; list++) {
        if (strcmp(*list, name) == 0)
            return true;
    }
    return false;
}

static void facts_are_written_before_they_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < check_count; i++) {
        for (const char *const *need = checks[i]->needs_facts; need && *need; need++) {
            bool found = false;
            for (size_t j = 0; j < i; j++)
                found = found || is_listed(checks[j]->provides, *need);
            assert_true(found);
        }
        for (const char *const *fact = checks[i]->provides; fact && *fact; fact++) {
            for (size_t j = 0; j < i; j++)
                assert_false(is_listed(checks[j]->provides, *fact)); /* one writer */
        }
    }
}

static void tokens_are_unique_and_belong_to_their_check(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    struct strset *seen = strset_create(arena);
    for (size_t i = 0; i < check_count; i++) {
        size_t len = strlen(checks[i]->name);
        assert_true(strset_add(seen, span_of(checks[i]->name)));
        for (const struct check_why *why = checks[i]->whys; why->token; why++) {
            assert_memory_equal(why->token, checks[i]->name, len);
            assert_int_equal(why->token[len], '.');
            assert_true(strset_add(seen, span_of(why->token)));
            assert_true(why->help && *why->help);
        }
    }
    arena_destroy(arena);
}

static void every_option_is_documented(void **state)
{
    (void)state;
    size_t count;
    const struct conf_section *sections = engine_sections(&count);
    assert_true(count >= 7);
    for (size_t i = 0; i < count; i++) {
        assert_true(sections[i].summary && *sections[i].summary);
        for (const struct option_row *row = sections[i].rows; row->name; row++) {
            size_t len = row->help ? strlen(row->help) : 0;
            assert_true(len > 10 && row->help[len - 1] == '.');
            assert_true(row->offset < sections[i].size);
        }
    }
}

static char *write_conf(const char *text)
{
    static char path[] = "/tmp/postern-engine-XXXXXX";
    snprintf(path, sizeof path, "/tmp/postern-engine-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

static void ignore(void *context, const char *text)
{
    (void)context;
    (void)text;
}

static struct engine *engine_of(const char *text)
{
    struct conf_problems problems = {ignore, NULL, 0};
    char *path = write_conf(text);
    struct engine *engine = engine_create(path, &problems);
    unlink(path);
    return engine;
}

static void modes_make_the_plan(void **state)
{
    (void)state;
    struct engine *engine = engine_of("");
    assert_non_null(engine);
    assert_int_equal(engine->plan.count, check_count - 2); /* nothing is forwarded, and no bounces are looked at */
    assert_false(engine->plan.edits_envelope);
    assert_true(plan_has_hook(&engine->plan, PHASE_RCPT));
    assert_true(plan_has_hook(&engine->plan, PHASE_EOM));
    assert_true(plan_needs(&engine->plan, CLASS_LOCAL) & NEEDS_CONTENT);
    engine_destroy(engine);

    engine = engine_of("srs { domain = \"srs.example.net\" }\nforwards { table = \"store\" }\nbounces { require_srs = yes }\n");
    assert_int_equal(engine->plan.count, check_count);
    assert_true(engine->plan.edits_envelope);
    assert_true(plan_has_hook(&engine->plan, PHASE_COMMIT));
    engine_destroy(engine);
    engine = engine_of("forwards { table = \"store\" }\n");
    assert_int_equal(engine->plan.count, check_count - 1);
    engine_destroy(engine);

#define ENVELOPE_ONLY "attachments { mode = off }\ndmarc { mode = off }\ndkim { mode = off }\nauthres { mode = off }\nautoreply { mode = off }\n"
    engine = engine_of(ENVELOPE_ONLY);
    assert_int_equal(engine->plan.needs, 0);
    engine_destroy(engine);
    engine = engine_of(ENVELOPE_ONLY "recipients { max_header = 50 }\n");
    assert_int_equal(engine->plan.needs, NEEDS_HEADER);
    engine_destroy(engine);
    engine = engine_of(ENVELOPE_ONLY "tag_subject = \"[suspicious]\"\n");
    assert_int_equal(engine->plan.needs, NEEDS_HEADER);
    assert_int_equal(plan_needs(&engine->plan, CLASS_LOCAL), NEEDS_HEADER);
    engine_destroy(engine);
    engine = engine_of("attachments { mode = off }\nautoreply { mode = off }\n");
    assert_int_equal(plan_needs(&engine->plan, CLASS_OUTSIDE), NEEDS_HEADER | NEEDS_BODY);
    assert_int_equal(plan_needs(&engine->plan, CLASS_AUTHENTICATED), 0);
    engine_destroy(engine);
    engine = engine_of("attachments { mode = off }\ndkim { source = header }\n");
    assert_int_equal(engine->plan.needs, NEEDS_HEADER);
    engine_destroy(engine);
    assert_null(engine_of("tag_subject = \"k\xe4se\"\n"));
    assert_null(engine_of("authserv_id = \"a b\"\n"));

    engine = engine_of("mode = off\nhelo { mode = monitor }\n");
    assert_non_null(engine);
    assert_int_equal(engine->plan.count, 1);
    assert_string_equal(engine->plan.entries[0].check->name, "helo");
    assert_int_equal(engine->plan.entries[0].mode, MODE_MONITOR);
    assert_int_equal(engine->plan.needs, 0);
    assert_false(plan_has_hook(&engine->plan, PHASE_EOM));
    engine_destroy(engine);

    assert_null(engine_of("helo { mode = perhaps }\n"));
}

static void defaults_need_no_file(void **state)
{
    (void)state;
    struct conf_problems problems = {ignore, NULL, 0};
    struct engine *engine = engine_create(NULL, &problems);
    assert_non_null(engine);
    assert_int_equal(problems.count, 0);
    assert_true(engine->settings.hostname[0] != '\0');
    struct netaddr loopback;
    assert_int_equal(netaddr_parse("::1", &loopback), 0);
    assert_true(netset_has(engine->settings.general->trusted_networks, &loopback));
    engine_destroy(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_written_before_they_are_read),
        cmocka_unit_test(tokens_are_unique_and_belong_to_their_check),
        cmocka_unit_test(every_option_is_documented),
        cmocka_unit_test(modes_make_the_plan),
        cmocka_unit_test(defaults_need_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
