/* Which addresses are ours, what a sender is remembered and compared as, and what a reply comes from. */
#include "unit.h"
#include "autoreply/responding.h"
#include "srs/srs.h"
#include <stdio.h>
#include <stdlib.h>

#define NOW 1800000000

static const char virtual_table[] = "boss@example.net anna@example.net\n"
                                    "team@example.net anna@example.net, ben@example.net\n"
                                    "listed+x@example.net anna@example.net\n"
                                    "listed@example.net ben@example.net\n"
                                    "sales+eu@example.net anna@example.net\n"
                                    "sales@example.net anna@example.net\n"
                                    "@catch.example anna@example.net\n"
                                    "fixed@catch.example anna@example.net\n"
                                    "via@example.net any@catch.example\n"
                                    "@second.example @example.net\n";

struct desk {
    char directory[64];
    struct arena *arena;
    struct conf *conf;
    struct settings settings;
    struct general_settings general;
    struct alias_settings aliases;
    struct state *state;
    struct responding *responding;
};

static void fail_on_problem(void *context, const char *text)
{
    (void)context;
    fail_msg("%s", text);
}

static void write_table(const struct desk *desk)
{
    FILE *file = fopen(arena_printf(desk->arena, "%s/virtual", desk->directory), "w");
    assert_non_null(file);
    fputs(virtual_table, file);
    assert_int_equal(fclose(file), 0);
}

/* With DELIMITER for recipient_delimiter. */
static struct desk *desk_open(const char *delimiter)
{
    struct conf_problems problems = {fail_on_problem, NULL, 0};
    struct arena *arena = arena_create(4096);
    struct desk *desk = ARENA_NEW(arena, struct desk);
    struct domain_set *local = domain_set_create(arena), *srs = domain_set_create(arena);
    size_t count;
    const struct conf_section *sections = settings_sections(&count);
    *desk = (struct desk){.directory = "/tmp/postern-responding-XXXXXX", .arena = arena};
    assert_non_null(mkdtemp(desk->directory));
    write_table(desk);
    desk->conf = conf_defaults(sections, count);
    settings_resolve(&desk->settings, desk->conf);
    desk->general = *desk->settings.general;
    desk->general.state_directory = desk->directory;
    desk->general.store = arena_printf(arena, "sqlite:%s/store.db", desk->directory);
    assert_null(domain_set_add(local, "example.net"));
    assert_null(domain_set_add(srs, "srs.example.org"));
    desk->general.local_domains = local;
    desk->settings.general = &desk->general;
    const char **tables = ARENA_ARRAY(arena, const char *, 1);
    tables[0] = arena_printf(arena, "virtual:%s/virtual", desk->directory);
    struct string_list *list = ARENA_NEW(arena, struct string_list);
    *list = (struct string_list){1, tables};
    desk->aliases = *desk->settings.aliases;
    desk->aliases.tables = list;
    desk->aliases.recipient_delimiter = delimiter;
    desk->settings.aliases = &desk->aliases;
    desk->state = state_open(&desk->settings, "postern.conf", &problems);
    assert_non_null(desk->state);
    desk->responding = responding_open(&desk->settings, srs, desk->state);
    return desk;
}

static void desk_close(struct desk *desk)
{
    char command[128];
    responding_close(desk->responding);
    state_close(desk->state);
    conf_destroy(desk->conf);
    snprintf(command, sizeof command, "rm -r %s", desk->directory);
    arena_destroy(desk->arena);
    assert_int_equal(system(command), 0);
}

/* Local domains and those in which we write SRS addresses; the long form is asked of the store. */
static void senders_of_ours(void **state)
{
    (void)state;
    struct desk *desk = desk_open("+");
    static const char token[] = "abcdefghijklmnopqrstuvwx";
    const struct {
        const char *sender, *expected;
    } rows[] = {
        {"SRS0=abcd=XY=remote.example=bob@example.net", "bob@remote.example"},
        {"SRS0=abcd=XY=remote.example=bob@srs.example.org", "bob@remote.example"},
        {"SRS0=abcd=XY=remote.example=bob@example.org", "srs0=abcd=xy=remote.example=bob@example.org"},
        {"SRS0=abcd=XY==abcdefghijklmnopqrstuvwx@srs.example.org", "a.rather.long.sender@remote.example"},
        {"SRS0=efgh=YZ==ABCDEFGHIJKLMNOPQRSTUVWX@example.net", "a.rather.long.sender@remote.example"},
        {"SRS0=efgh=YZ==bbcdefghijklmnopqrstuvwx@example.net", "srs0==bbcdefghijklmnopqrstuvwx@example.net"},
    };
    assert_int_equal(store_put(desk->responding->store, arena_printf(desk->arena, "srs/%s", token),
                               span_of("A.rather.long.sender@remote.example"), NOW + 100, NOW),
                     STORE_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(responding_sender(desk->responding, desk->arena, rows[i].sender, NOW), rows[i].expected);
    assert_null(responding_sender(desk->responding, desk->arena, "nobody", NOW));
    desk_close(desk);
}

/* What Postern itself writes for a sender that is too long leads back to him. */
static void long_senders_lead_back(void **state)
{
    (void)state;
    struct desk *desk = desk_open("+");
    static const char sender[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@remote-with-a-long-name.example";
    const struct srs_options options = {arena_printf(desk->arena, "%s/secrets", desk->directory), 4, 4, '=', 21};
    const char *problem = NULL, *first, *later;
    struct srs *srs = srs_open(&options, desk->responding->store, true, desk->arena, &problem);
    assert_non_null(srs);
    assert_int_equal(srs_forward(srs, desk->arena, sender, "srs.example.org", NOW, false, &first), SRS_OK);
    assert_int_equal(srs_forward(srs, desk->arena, sender, "srs.example.org", NOW + 86400, false, &later), SRS_OK);
    assert_string_not_equal(first, later);
    assert_non_null(strstr(first, "=="));
    assert_string_equal(responding_sender(desk->responding, desk->arena, first, NOW), sender);
    assert_string_equal(responding_sender(desk->responding, desk->arena, later, NOW), sender);
    srs_close(srs);
    desk_close(desk);
}

/* recipient_delimiter is how this host tags its addresses; "+" is how the world does. */
static void tags_of_strangers(void **state)
{
    (void)state;
    static const struct {
        const char *delimiter, *sender, *expected;
    } rows[] = {
        {"+", "Bob+tag@Remote.example", "bob@remote.example"},
        {"+", "bob-miller@remote.example", "bob-miller@remote.example"},
        {"-", "bob-miller@remote.example", "bob-miller@remote.example"},
        {"-", "bob+tag@remote.example", "bob@remote.example"},
        {"-", "+bob@remote.example", "+bob@remote.example"},
        {"-", "anna-tag@example.net", "anna@example.net"},
        {"-", "anna+tag@example.net", "anna+tag@example.net"},
        {"-", "anna-tag@second.example", "anna@example.net"},
        {"+", "nobody", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct desk *desk = desk_open(rows[i].delimiter);
        const char *found = responding_canonical(desk->responding, desk->arena, rows[i].sender);
        if (!found != !rows[i].expected || (found && strcmp(found, rows[i].expected) != 0))
            fail_msg("%s, %s: %s", rows[i].delimiter, rows[i].sender, found ? found : "NULL");
        desk_close(desk);
    }
}

/* The owner's address that was written to, and no other's, and none that the sender made up. */
static void what_a_reply_comes_from(void **state)
{
    (void)state;
    struct desk *desk = desk_open("+");
    static const struct {
        const char *written_to, *expected;
    } rows[] = {
        {"anna@example.net", "anna@example.net"},
        {"boss@example.net", "boss@example.net"},
        {"anna@second.example", "anna@second.example"},
        {"boss@second.example", "boss@second.example"},
        {"anna+buy-it-now@example.net", "anna@example.net"},
        {"boss+x@example.net", "boss@example.net"},
        {"listed+x@example.net", "listed+x@example.net"},
        {"sales+eu@example.net", "sales+eu@example.net"},
        {"sales+us@example.net", "sales@example.net"},
        {"team@example.net", "anna@example.net"},
        {"team+x@example.net", "anna@example.net"},
        {"buy-it-now@catch.example", "anna@example.net"},
        {"fixed@catch.example", "fixed@catch.example"},
        {"via@example.net", "anna@example.net"},
        {"ben@example.net", "anna@example.net"},
        {"nobody", "anna@example.net"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *found = responding_from(desk->responding, desk->arena, rows[i].written_to, "anna@example.net");
        if (strcmp(found, rows[i].expected) != 0)
            fail_msg("%s: %s", rows[i].written_to, found);
    }
    desk_close(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(senders_of_ours),
        cmocka_unit_test(long_senders_lead_back),
        cmocka_unit_test(tags_of_strangers),
        cmocka_unit_test(what_a_reply_comes_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
