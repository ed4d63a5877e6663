/*
 * checklist: the points of the rules for auto-replies that need more than the rules: the check, the store, the spool
 * and an MTA. The others are in test_checklist.c.
 */
#include "unit.h"

#include "../spool/smtp_server.h"
#include "autoreply/memory.h"
#include "autoreply/responding.h"
#include "checks/autoreply.h"
#include "util/clock.h"
#include "util/log.h"
#include <stdio.h>
#include <stdlib.h>

#define NOW INT64_C(1800000000)
#define DAY 86400
#define BOB "bob@remote.example"

struct desk {
    char directory[64];
    struct server *server;
    struct arena *arena;
    struct conf *conf;
    struct settings settings;
    struct general_settings general;
    struct spool_settings spool;
    struct alias_settings aliases;
    struct string_list tables;
    const char *table;
    struct services services;
    struct autoreply_options options;
};

static void fail_on_problem(void *context, const char *text)
{
    (void)context;
    fail_msg("%s", text);
}

static void open_services(struct desk *desk)
{
    struct conf_problems problems = {fail_on_problem, NULL, 0};
    desk->services.state = state_open(&desk->settings, "postern.conf", &problems);
    assert_non_null(desk->services.state);
    desk->services.responding = responding_open(&desk->settings, NULL, desk->services.state);
}

static void close_services(struct desk *desk)
{
    responding_close(desk->services.responding);
    state_close(desk->services.state);
}

/* info@ and sales@ are other names of anna@. */
static void write_table(struct desk *desk)
{
    desk->table = arena_printf(desk->arena, "virtual:%s/virtual", desk->directory);
    FILE *file = fopen(desk->table + strlen("virtual:"), "w");
    assert_non_null(file);
    fputs("info@example.net anna@example.net\nsales@example.net info@example.net\n", file);
    fclose(file);
}

static int set_up(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    size_t count;
    const struct conf_section *sections = settings_sections(&count);
    static const struct string_list nothing = {0, NULL};
    strcpy(desk->directory, "/tmp/postern-points-XXXXXX");
    assert_non_null(mkdtemp(desk->directory));
    desk->arena = arena_create(4096);
    desk->server = server_start();
    desk->conf = conf_defaults(sections, count);
    settings_resolve(&desk->settings, desk->conf);
    desk->general = *desk->settings.general;
    desk->general.state_directory = desk->directory;
    desk->general.store = arena_printf(desk->arena, "sqlite:%s/store.db", desk->directory);
    desk->settings.general = &desk->general;
    desk->spool = *desk->settings.spool;
    desk->spool.submit = arena_printf(desk->arena, "smtp://127.0.0.1:%d", server_port(desk->server));
    desk->settings.spool = &desk->spool;
    write_table(desk);
    desk->tables = (struct string_list){1, &desk->table};
    desk->aliases = *desk->settings.aliases;
    desk->aliases.tables = &desk->tables;
    desk->settings.aliases = &desk->aliases;
    desk->options = (struct autoreply_options){.silence_on = &nothing, .noreply = &nothing, .message_budget = 20000};
    open_services(desk);
    static const char anna[] = "{\"mailbox\":\"anna@example.net\",\"active\":\"a\",\"messages\":[{\"name\":\"a\","
                               "\"body\":\"I am away.\\n\"}]}";
    assert_int_equal(
        store_put(desk->services.responding->store, RESPONDER_KEY "anna@example.net", span_of(anna), 0, NOW), STORE_OK);
    *state = desk;
    return 0;
}

static int tear_down(void **state)
{
    struct desk *desk = *state;
    char command[100];
    close_services(desk);
    server_stop(desk->server);
    conf_destroy(desk->conf);
    arena_destroy(desk->arena);
    snprintf(command, sizeof command, "rm -r %s", desk->directory);
    free(desk);
    return system(command);
}

/* A message of SENDER to COUNT addresses at AT was accepted; what the check says of it. */
static const char *receive(struct desk *desk, const char *sender, const char *const *to, size_t count, int64_t at)
{
    struct arena *arena = desk->arena;
    struct recipient *recipients = ARENA_ARRAY(arena, struct recipient, count);
    const char *list = "";
    for (size_t i = 0; i < count; i++) {
        recipients[i].address = to[i];
        list = arena_printf(arena, "%s%s %s", list, i ? "," : "", to[i]);
    }
    struct header_field headers[] = {{span_of("To"), span_of(list)}, {span_of("Subject"), span_of(" Lunch?")}};
    const struct message message = {.arena = arena,
                                    .reverse_path = sender,
                                    .now = at,
                                    .recipients = recipients,
                                    .recipient_count = count,
                                    .headers = headers,
                                    .header_count = 2};
    const struct session session = {.is_trusted = true};
    struct facts facts = {.count = 0};
    const struct check_call call = {.options = &desk->options,
                                    .settings = &desk->settings,
                                    .services = &desk->services,
                                    .session = &session,
                                    .message = &message,
                                    .arena = arena,
                                    .facts = &facts};
    assert_int_equal(check_autoreply.on_accepted(&call).code, RESULT_OK);
    const struct fact *fact = facts_get(&facts, "autoreply");
    return fact ? fact->text : "";
}

static const char *receive_from(struct desk *desk, const char *sender, int64_t at)
{
    return receive(desk, sender, (const char *const[]){"anna@example.net"}, 1, at);
}

static size_t spooled(struct desk *desk)
{
    struct spool_entry *entries;
    size_t count;
    const char *problem;
    assert_int_equal(spool_list(desk->services.responding->spool, desk->arena, &entries, &count, &problem), 0);
    return count;
}

/* ---- memory ---- */

/* More than the 1000 that any limit must allow, and what sweeps the store leaves them alone. */
static void point_13_a_thousand_and_more(void **state)
{
    enum { SENDERS = 1200 };
    struct desk *desk = *state;
    struct store *store = desk->services.responding->store;
    const struct responder_message text = {.body = "I am away.\n"};
    const struct responder anna = {.mailbox = "anna@example.net"};
    const struct memory_mark mark = {memory_token(desk->arena), false, NOW};
    const char *print = responder_fingerprint(desk->arena, &text), *senders[SENDERS];
    struct store_change changes[SENDERS];
    for (size_t i = 0; i < SENDERS; i++) {
        senders[i] = arena_printf(desk->arena, "u%zu@remote.example", i);
        changes[i] = (struct store_change){.key = memory_key(desk->arena, &anna, senders[i], print),
                                           .value = span_of(memory_mark_print(desk->arena, &mark)),
                                           .expires = memory_until(NOW, 7)};
    }
    assert_int_equal(store_apply(store, changes, SENDERS, NOW), STORE_OK);
    assert_int_equal(store_sweep(store, NOW + 7 * DAY - 1, 2 * SENDERS), 0);
    for (size_t i = 0; i < SENDERS; i++) {
        const char *said = receive_from(desk, senders[i], NOW + 7 * DAY - 1);
        if (!strstr(said, "autoreply.remembered"))
            fail_msg("%s: %s", senders[i], said);
    }
    assert_int_equal(spooled(desk), 0);
    assert_non_null(strstr(receive_from(desk, senders[0], NOW + 7 * DAY), "queued"));
}

/* What was begun before a restart is not begun anew. */
static void point_17_a_restart(void **state)
{
    struct desk *desk = *state;
    assert_non_null(strstr(receive_from(desk, BOB, NOW), "queued"));
    close_services(desk);
    open_services(desk);
    assert_non_null(strstr(receive_from(desk, BOB, NOW + 1), "autoreply.remembered"));
    assert_int_equal(spooled(desk), 1);
}

/* As version 0.1 wrote it: a later one reads it, and finds it under the same name. */
static void point_17_an_upgrade(void **state)
{
    struct desk *desk = *state;
    assert_int_equal(store_put(desk->services.responding->store, "seen/anna@example.net/0/" BOB "/f5e8edb547ce9878",
                               span_of("answered 00112233445566778899aabbccddeeff 1800000000"), NOW + 7 * DAY, NOW),
                     STORE_OK);
    close_services(desk);
    open_services(desk);
    const char *said = receive_from(desk, BOB, NOW + 7 * DAY - 1);
    assert_non_null(strstr(said, "autoreply.remembered, " BOB " was answered at 2027-01-15T08:00:00Z"));
    assert_int_equal(spooled(desk), 0);
    assert_non_null(strstr(receive_from(desk, BOB, NOW + 7 * DAY), "queued"));
}

/* ---- the reply itself ---- */

static void point_18_the_envelope(void **state)
{
    struct desk *desk = *state;
    struct spool_owner owners[] = {{.kind = ANSWER_KIND,
                                    .before = answer_before,
                                    .before_all = answer_before_all,
                                    .settle = answer_settle,
                                    .after = answer_after,
                                    .context = desk->services.responding},
                                   {.kind = NULL}};
    assert_int_equal(state_start(desk->services.state, owners), 0);
    receive_from(desk, BOB, clock_wall());
    const struct server_message *reply = server_message(desk->server, 0);
    assert_non_null(reply);
    assert_int_equal(strncmp(reply->mail, "MAIL FROM:<> ", strlen("MAIL FROM:<> ")), 0);
    assert_string_equal(reply->rcpts, "RCPT TO:<" BOB "> NOTIFY=NEVER\n");
    assert_non_null(strstr(reply->content, "\r\nAuto-Submitted: auto-replied\r\n"));
}

/* ---- how many ---- */

/* By each of his names, and twice by one: he is asked once, and answers the first. */
static void point_29_one_reply_for_a_user(void **state)
{
    static const char *const to[] = {"sales@example.net", "anna@example.net", "Anna+tag@Example.NET",
                                     "info@example.net", "anna@example.net"};
    struct desk *desk = *state;
    assert_string_equal(receive(desk, BOB, to, 5, NOW), "anna@example.net: queued");
    assert_int_equal(spooled(desk), 1);
    /* nor does another name of his get another one */
    for (size_t i = 0; i < 5; i++)
        assert_non_null(strstr(receive(desk, BOB, to + i, 1, NOW + 1), "autoreply.remembered"));
    assert_int_equal(spooled(desk), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    log_open(&(struct log_options){"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0});
    const struct CMUnitTest tests[] = {
        TEST(point_13_a_thousand_and_more),  TEST(point_17_a_restart),
        TEST(point_17_an_upgrade),           TEST(point_18_the_envelope),
        TEST(point_29_one_reply_for_a_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
