/*
 * posternctl autoreply and the rows that it works on: those of addresses that became aliases, and those that are
 * damaged.
 */
#include "unit.h"

#include "autoreply/responder.h"
#include "fixture.h"
#include "util/clock.h"
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- addresses that became aliases ---- */

/* old@ had its own messages, and means anna@ now; crowd@ is one of several by now. */
static void store_old_ones(void)
{
    OK(NULL, "set", "old@example.net", "mine", "--body", "of old", "--activate");
    OK(NULL, "set", "crowd@example.net", "ours", "--body", "of the crowd", "--activate");
    OK(NULL, "set", "anna@example.net", "hers", "--body", "of anna", "--activate");
    write_file("virtual", "old@example.net anna@example.net\ninfo@example.net anna@example.net\n"
                          "crowd@example.net anna@example.net, bob@example.net\n");
}

static cJSON *listed(const char *mailbox)
{
    OK(NULL, "list", "--json");
    cJSON *array = cJSON_Parse(out), *item = NULL;
    for (int i = 0; i < cJSON_GetArraySize(array) && !item; i++) {
        if (strcmp(field(cJSON_GetArrayItem(array, i), "mailbox")->valuestring, mailbox) == 0)
            item = cJSON_DetachItemFromArray(array, i);
    }
    cJSON_Delete(array);
    return item;
}

static void expect_untouched_anna(void)
{
    cJSON *anna = shown("anna@example.net");
    assert_string_equal(field(anna, "active")->valuestring, "hers");
    assert_non_null(strstr(message(anna, 0), "of anna"));
    cJSON_Delete(anna);
}

static void test_list_of_unused_rows(void **state)
{
    (void)state;
    store_old_ones();
    OK("old@example.net                  mine                        1  never used: the address is an alias of "
       "anna@example.net now\n",
       "list");
    cJSON *item = listed("old@example.net");
    assert_true(cJSON_IsFalse(field(item, "in_force")));
    assert_string_equal(field(item, "why")->valuestring, "never used: the address is an alias of anna@example.net now");
    assert_int_equal(cJSON_GetArraySize(field(item, "alias_of")), 1);
    assert_string_equal(cJSON_GetArrayItem(field(item, "alias_of"), 0)->valuestring, "anna@example.net");
    cJSON_Delete(item);
    item = listed("crowd@example.net");
    assert_int_equal(cJSON_GetArraySize(field(item, "alias_of")), 2);
    cJSON_Delete(item);
    item = listed("anna@example.net");
    assert_true(cJSON_IsTrue(field(item, "in_force")));
    assert_true(cJSON_IsNull(field(item, "alias_of")));
    cJSON_Delete(item);
}

static void test_unused_rows_can_be_got_rid_of(void **state)
{
    (void)state;
    store_old_ones();
    OK("of old", "show", "Old+tag@Example.NET");
    assert_non_null(strstr(errors, "warning: what is stored for old@example.net is never used"));
    assert_non_null(strstr(out, "now       never used: the address is an alias of anna@example.net now\n"));
    OK("of the crowd", "show", "crowd@example.net");
    OK("old@example.net: no message is active any more\n", "off", "old@example.net");
    OK("crowd@example.net: no message is active any more\n", "off", "crowd@example.net");
    OK("crowd@example.net: \"ours\" is deleted\n", "delete", "crowd@example.net", "ours");
    OK("crowd@example.net: all of it is deleted\n", "delete", "crowd@example.net");
    OK("\"old@example.net\"", "delete", "old@example.net", "--json");
    assert_null(listed("old@example.net"));
    assert_null(listed("crowd@example.net"));
    expect_untouched_anna();
    /* what is left means what the alias means */
    REFUSED(EX_DATAERR, "crowd@example.net is an alias of several: anna@example.net, bob@example.net", "delete",
            "crowd@example.net");
    OK("mailbox   anna@example.net\n", "show", "old@example.net");
}

/* What an alias with nothing of its own stands for is named by what is said of it. */
static void test_alias_names_the_mailbox(void **state)
{
    (void)state;
    store_old_ones();
    OK("anna@example.net: no message is active any more\n", "off", "info@example.net");
    assert_non_null(strstr(errors, "info@example.net means the mailbox anna@example.net"));
    OK("\"mailbox\":\t\"anna@example.net\"", "off", "info@example.net", "--json");
    /* only what is gone for good wants its own name */
    static const char hint[] = "nothing is stored for info@example.net itself; what is stored for anna@example.net is "
                               "deleted by that name";
    REFUSED(EX_NOINPUT, hint, "delete", "info@example.net");
    REFUSED(EX_NOINPUT, hint, "delete", "Info@example.net", "hers");
    OK("of anna", "show", "anna@example.net");
}

/* Neither of them writes where nobody reads. */
static void test_set_and_activate_mean_the_mailbox(void **state)
{
    (void)state;
    store_old_ones();
    OK("anna@example.net: stored \"new\"", "set", "old@example.net", "new", "--body", "x");
    REFUSED(EX_NOINPUT, "anna@example.net has no message \"mine\"", "activate", "old@example.net", "mine");
    REFUSED(EX_DATAERR, "is an alias of several", "set", "crowd@example.net", "new", "--body", "x");
    cJSON *old = shown("old@example.net");
    assert_int_equal(cJSON_GetArraySize(field(old, "messages")), 1);
    cJSON_Delete(old);
}

static void test_export_goes_in_again(void **state)
{
    (void)state;
    store_old_ones();
    OK(NULL, "export");
    assert_non_null(strstr(errors, "warning: what is stored for old@example.net is left out: never used"));
    assert_non_null(strstr(errors, "warning: what is stored for crowd@example.net is left out: never used"));
    assert_null(strstr(out, "of old"));
    write_file("exported", out);
    OK("1 mailbox imported", "import", path_of("exported"));
    expect_untouched_anna();
    OK("of anna", "export", "old@example.net"); /* as import would take it */
    assert_null(strstr(out, "of old"));
}

/* ---- damaged rows ---- */

static void put(const char *mailbox, const char *text)
{
    struct store *store = open_store();
    assert_int_equal(store_put(store, arena_printf(arena, RESPONDER_KEY "%s", mailbox), span_of(text), 0, clock_wall()),
                     STORE_OK);
    store_close(store);
}

static void test_damaged(void **state)
{
    (void)state;
    static const char *const damaged[] = {
        "", "nonsense", "{\"mailbox\":\"anna@example.net\",\"generation\":3,\"messages\":[{\"x\":1}]}"};
    for (size_t i = 0; i < SIZE(damaged); i++) {
        put("anna@example.net", damaged[i]);
        const char *mends = "\"posternctl autoreply delete anna@example.net\" takes it away, and an import replaces it";
        REFUSED(EX_DATAERR, mends, "set", "anna@example.net", "away", "--body", "x");
        REFUSED(EX_DATAERR, mends, "show", "anna@example.net");
        REFUSED(EX_DATAERR, mends, "off", "anna@example.net");
        REFUSED(EX_DATAERR, mends, "delete", "anna@example.net", "away");
        OK("anna@example.net: all of it is deleted", "delete", "anna@example.net");
        REFUSED(EX_NOINPUT, "nothing is stored for anna@example.net", "delete", "anna@example.net");
        OK("stored", "set", "anna@example.net", "away", "--body", "x");
        put("anna@example.net", damaged[i]);
        write_file("one", "{\"mailbox\": \"anna@example.net\", \"messages\": []}");
        OK("warning: what was stored for anna@example.net is damaged, and replaced: ", "import", path_of("one"));
        OK("1 mailbox imported", "import", path_of("one"));
        assert_null(strstr(errors, "damaged"));
    }
    cJSON *object = shown("anna@example.net"); /* of the last; who was forgotten stays it */
    assert_int_equal(field(object, "generation")->valueint, 3);
    cJSON_Delete(object);
}

/* A generation that no responder can have does not spoil what replaces it. */
static void test_damaged_generation(void **state)
{
    (void)state;
    static const char *const damaged[] = {"-5", "1e14", "2147483648"};
    write_file("one", "{\"mailbox\": \"anna@example.net\", \"messages\": []}");
    for (size_t i = 0; i < SIZE(damaged); i++) {
        const char *text =
            arena_printf(arena, "{\"mailbox\":\"anna@example.net\",\"generation\":%s,\"messages\":[]}", damaged[i]);
        put("anna@example.net", text);
        OK("imported", "import", path_of("one"));
        OK("active    -", "show", "anna@example.net");
        put("anna@example.net", text);
        OK("all of it is deleted", "delete", "anna@example.net");
        OK("stored", "set", "anna@example.net", "away", "--body", "x");
    }
}

/* Longer than a row may be: it cannot be compared, and goes all the same. */
static void test_too_long(void **state)
{
    (void)state;
    static const char fill[] = "UPDATE store SET value = CAST(zeroblob(1100000) AS TEXT)";
    for (int i = 0; i < 2; i++) {
        sqlite3 *db;
        OK("stored", "set", "anna@example.net", "away", "--body", "x");
        assert_int_equal(sqlite3_open(path_of("postern.db"), &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, fill, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        REFUSED(EX_DATAERR, "it is longer than any row of Postern's", "show", "anna@example.net");
        if (i == 0)
            OK("all of it is deleted", "delete", "anna@example.net");
    }
    write_file("one", "{\"mailbox\": \"anna@example.net\", \"messages\": []}");
    OK("1 mailbox imported", "import", path_of("one"));
    OK("active    -", "show", "anna@example.net");
}

/* Who finds that everything is gone must not be told that there is nothing. */
static void test_losses_are_no_answers(void **state)
{
    (void)state;
    static const char *const verbs[] = {"show", "off", "delete", "seen", "list", "export"};
    for (size_t i = 0; i < SIZE(verbs); i++) {
        OK(NULL, "set", "anna@example.net", "away", "--body", "x");
        assert_int_equal(truncate(path_of("postern.db"), 0), 0);
        unlink(path_of("postern.db-wal"));
        if (i < 4)
            REFUSED(EX_TEMPFAIL, "the store does not answer", verbs[i], "anna@example.net");
        else
            REFUSED(EX_TEMPFAIL, "the store does not answer", verbs[i]);
    }
    REFUSED(EX_NOINPUT, "nothing is stored for anna@example.net", "show", "anna@example.net");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(test_list_of_unused_rows),     TEST(test_unused_rows_can_be_got_rid_of),
        TEST(test_alias_names_the_mailbox), TEST(test_set_and_activate_mean_the_mailbox),
        TEST(test_export_goes_in_again),    TEST(test_damaged),
        TEST(test_damaged_generation),      TEST(test_too_long),
        TEST(test_losses_are_no_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
