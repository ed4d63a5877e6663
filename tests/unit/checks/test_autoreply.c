/* autoreply, the check: one message for many who are away. What it costs is bounded, in memory and in time. */
#include "unit.h"

#include "autoreply/responding.h"
#include "checks/autoreply.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/strbuf.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW 1800000000

struct desk {
    char directory[64], path[100], store[120];
    struct conf *conf;
    struct settings settings;
    struct general_settings general;
    struct redis_settings redis;
    struct services services;
    struct autoreply_options options;
    struct session session;
    struct message message;
    struct facts facts;
    struct check_call call;
};

static void fail_on_problem(void *context, const char *text)
{
    (void)context;
    fail_msg("%s", text);
}

static int set_up(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    struct conf_problems problems = {fail_on_problem, NULL, 0};
    size_t count;
    const struct conf_section *sections = settings_sections(&count);
    static const struct string_list nothing = {0, NULL};
    strcpy(desk->directory, "/tmp/postern-check-XXXXXX");
    assert_non_null(mkdtemp(desk->directory));
    snprintf(desk->path, sizeof desk->path, "%s/store.db", desk->directory);
    snprintf(desk->store, sizeof desk->store, "sqlite:%s", desk->path);
    desk->conf = conf_defaults(sections, count);
    settings_resolve(&desk->settings, desk->conf);
    desk->general = *desk->settings.general;
    desk->general.state_directory = desk->directory;
    desk->general.store = desk->store;
    desk->settings.general = &desk->general;
    desk->redis = *desk->settings.redis;
    desk->redis.timeout = 200;
    desk->settings.redis = &desk->redis;
    desk->services.state = state_open(&desk->settings, "postern.conf", &problems);
    assert_non_null(desk->services.state);
    desk->services.responding = responding_open(&desk->settings, NULL, desk->services.state);
    desk->options = (struct autoreply_options){.silence_on = &nothing, .noreply = &nothing, .message_budget = 20000};
    struct arena *arena = arena_create(4096);
    desk->session.is_trusted = true;
    desk->message = (struct message){.arena = arena, .reverse_path = "writer@sender.example", .now = NOW};
    desk->call = (struct check_call){.options = &desk->options,
                                     .settings = &desk->settings,
                                     .services = &desk->services,
                                     .session = &desk->session,
                                     .message = &desk->message,
                                     .arena = arena,
                                     .facts = &desk->facts};
    *state = desk;
    return 0;
}

static int tear_down(void **state)
{
    struct desk *desk = *state;
    char command[100];
    responding_close(desk->services.responding);
    state_close(desk->services.state);
    arena_destroy(desk->call.arena);
    conf_destroy(desk->conf);
    snprintf(command, sizeof command, "rm -r %s", desk->directory);
    free(desk);
    return system(command);
}

/* All of them in To, which who is answered must stand in. */
static void write_header(struct desk *desk)
{
    struct strbuf to;
    struct header_field *field = ARENA_NEW(desk->call.arena, struct header_field);
    strbuf_init(&to, 0);
    for (size_t i = 0; i < desk->message.recipient_count; i++)
        strbuf_printf(&to, "%s %s", i ? "," : "", desk->message.recipients[i].address);
    *field = (struct header_field){{"To", 2}, span_of(arena_strdup(desk->call.arena, strbuf_text(&to)))};
    strbuf_free(&to);
    desk->message.headers = field;
    desk->message.header_count = 1;
}

/* The message is for COUNT mailboxes, each with a responder of SIZE bytes, in force or not; the last is named twice. */
static void address_to(struct desk *desk, size_t count, int size, bool is_active)
{
    struct arena *arena = arena_create(65536);
    struct store_change *changes = ARENA_ARRAY(arena, struct store_change, count);
    struct recipient *recipients = ARENA_ARRAY(desk->call.arena, struct recipient, count + 1);
    for (size_t i = 0; i < count; i++) {
        recipients[i].address = arena_printf(desk->call.arena, "user%zu@example.net", i);
        const char *json = arena_printf(arena,
                                        "{\"mailbox\":\"%s\",%s\"messages\":[{\"name\":\"a\",\"body\":\"%*s\"}]}",
                                        recipients[i].address, is_active ? "\"active\":\"a\"," : "", size, "I am away");
        changes[i] = (struct store_change){.key = arena_printf(arena, RESPONDER_KEY "%s", recipients[i].address),
                                           .value = span_of(json)};
    }
    assert_int_equal(store_apply(desk->services.responding->store, changes, count, NOW), STORE_OK);
    arena_destroy(arena);
    recipients[count].address = recipients[count - 1].address;
    desk->message.recipients = recipients;
    desk->message.recipient_count = count + 1;
    write_header(desk);
}

static size_t spooled(struct desk *desk)
{
    struct spool_entry *entries;
    struct arena *arena = arena_create(4096);
    size_t count;
    const char *problem;
    assert_int_equal(spool_list(desk->services.responding->spool, arena, &entries, &count, &problem), 0);
    arena_destroy(arena);
    return count;
}

static void keeps_nothing_of_each(void **state)
{
    struct desk *desk = *state;
    address_to(desk, 3000, 900, false);
    size_t before = arena_size(desk->call.arena);
    assert_int_equal(check_autoreply.on_accepted(&desk->call).code, RESULT_OK);
    /* their names and one bounded text */
    assert_true(arena_size(desk->call.arena) - before < 1000000);
    const struct fact *fact = facts_get(&desk->facts, "autoreply");
    assert_non_null(fact);
    assert_non_null(strstr(fact->text, "user0@example.net: "));
    assert_true(strlen(fact->text) <= 16384);
}

static void answers_each_once(void **state)
{
    struct desk *desk = *state;
    address_to(desk, 20, 20, true);
    assert_int_equal(check_autoreply.on_accepted(&desk->call).code, RESULT_OK);
    assert_int_equal(spooled(desk), 20);
    assert_int_equal(check_autoreply.on_accepted(&desk->call).code, RESULT_OK);
    assert_int_equal(spooled(desk), 20);
}

/* Point 10: a recipient whom another check refused has not got the message. */
static void not_for_the_refused(void **state)
{
    struct desk *desk = *state;
    address_to(desk, 3, 20, true);
    desk->message.recipients[1].verdict.reply = "550 5.7.1 no";
    assert_int_equal(check_autoreply.on_accepted(&desk->call).code, RESULT_OK);
    assert_int_equal(spooled(desk), 2);
    assert_null(strstr(facts_get(&desk->facts, "autoreply")->text, "user1@"));
}

/* A trusted client may be a relay: SPF's fail counts. Who has logged in is not asked. */
static void who_is_asked_for_proof(void **state)
{
    struct desk *desk = *state;
    struct auth_spf spf = {.result = AUTH_FAIL, .mailfrom_result = AUTH_FAIL};
    facts_set(&desk->message.facts, desk->call.arena, "spf", "fail", &spf);
    desk->options.require_auth = SILENCE_AUTH_NOT_FAIL;
    address_to(desk, 1, 20, true);
    assert_int_equal(check_autoreply.on_accepted(&desk->call).code, RESULT_OK);
    assert_non_null(strstr(facts_get(&desk->facts, "autoreply")->text, "autoreply.forged"));
    desk->session.is_trusted = false;
    assert_int_equal(check_autoreply.on_accepted(&desk->call).code, RESULT_OK);
    assert_non_null(strstr(facts_get(&desk->facts, "autoreply")->text, "autoreply.forged"));
    assert_int_equal(spooled(desk), 0);
    desk->session.login = "writer";
    assert_int_equal(check_autoreply.on_accepted(&desk->call).code, RESULT_OK);
    assert_int_equal(spooled(desk), 1);
}

/* Point 30: each option is its own cap. */
static void caps_hold(void **state)
{
    struct desk *desk = *state;
    int64_t *const caps[] = {&desk->options.max_per_minute, &desk->options.max_per_sender_domain_per_hour,
                             &desk->options.max_per_mailbox_per_hour};
    static const char *const names[] = {"max_per_minute", "max_per_sender_domain_per_hour", "max_per_mailbox_per_hour"};
    for (size_t i = 0; i < 3; i++) {
        address_to(desk, 2, 20, true);
        desk->message.now += 7200 + 10 * 86400;
        for (size_t k = 0; k < 3; k++)
            *caps[k] = k == i;
        assert_int_equal(check_autoreply.on_accepted(&desk->call).code, RESULT_OK);
        desk->message.reverse_path = "another@sender.example"; /* the mailboxes' second one each */
        assert_int_equal(check_autoreply.on_accepted(&desk->call).code, RESULT_OK);
        const char *text = facts_get(&desk->facts, "autoreply")->text;
        if (!strstr(text, arena_printf(desk->call.arena, "autoreply.cap, %s is reached", names[i])))
            fail_msg("%s: %s", names[i], text);
        desk->message.reverse_path = "writer@sender.example";
    }
    assert_int_equal(spooled(desk), 1 + 1 + 2);
}

/* Somebody holds the store's lock: the message does not wait for each of its recipients. */
static void is_done_in_time(void **state)
{
    struct desk *desk = *state;
    sqlite3 *other;
    address_to(desk, 30, 20, true);
    desk->options.message_budget = 500;
    desk->options.common.on_error = ON_ERROR_TEMPFAIL;
    assert_int_equal(sqlite3_open(desk->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    int64_t began = clock_monotonic_us();
    struct result result = check_autoreply.on_accepted(&desk->call);
    assert_true(clock_monotonic_us() - began < 2000000);
    assert_int_equal(result.code, RESULT_ERROR);
    assert_non_null(strstr(facts_get(&desk->facts, "autoreply")->text, "message_budget is over at recipient"));
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    /* it comes back */
    desk->options.message_budget = 20000;
    assert_int_equal(check_autoreply.on_accepted(&desk->call).code, RESULT_OK);
    assert_int_equal(spooled(desk), 30);
}

int main(void)
{
    log_open(&(struct log_options){"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0});
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_nothing_of_each, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_each_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(not_for_the_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_asked_for_proof, set_up, tear_down),
        cmocka_unit_test_setup_teardown(caps_hold, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_done_in_time, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
