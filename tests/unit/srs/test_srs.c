/*
 * srs with its keys and a store of SQLite: long senders, a secrets file that is made, that changes, that goes bad.
 */
#include "unit.h"

#include "srs/srs.h"
#include "srs/srs_keys.h"
#include "util/clock.h"
#include "util/log.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW 1577836860 /* 2020-01-01 */
#define DAY 86400
#define LONG "a-very-long-mailing-list-name+bounces-12345-joe=example.org@lists.subdomain.example.com"

static struct arena *arena;
static char directory[64], path[96], store_path[96];

static int set_up(void **state)
{
    (void)state;
    arena = arena_create(4096);
    strcpy(directory, "/tmp/postern-srs-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/secrets", directory);
    snprintf(store_path, sizeof store_path, "sqlite:%s/store", directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    int status = system(arena_printf(arena, "rm -rf %s", directory));
    arena_destroy(arena);
    return status;
}

static void write_file(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static struct store *open_store(void)
{
    const struct store_options options = {store_path, "", NULL, NULL, 5000};
    const char *problem;
    struct store *store = store_open(&options, arena, &problem);
    assert_non_null(store);
    return store;
}

static struct srs *open_srs(struct store *store, bool may_create)
{
    const struct srs_options options = {path, 4, 4, '=', 21};
    const char *problem = NULL;
    struct srs *srs = srs_open(&options, store, may_create, arena, &problem);
    if (!srs)
        print_error("%s\n", problem);
    return srs;
}

static const char *forward(struct srs *srs, const char *sender)
{
    const char *result = NULL;
    assert_int_equal(srs_forward(srs, arena, sender, "fwd.example.net", NOW, false, &result), SRS_OK);
    return result;
}

static enum srs_outcome reverse(struct srs *srs, const char *address, int64_t now, const char *expected)
{
    const char *result = NULL;
    enum srs_outcome outcome = srs_reverse(srs, arena, address, now, &result);
    if (outcome == SRS_OK && expected)
        assert_string_equal(result, expected);
    assert_true((outcome == SRS_OK) == (result != NULL));
    return outcome;
}

static void keeps_long_senders(void **state)
{
    (void)state;
    struct store *store = open_store();
    write_file("secret\n", 0600);
    struct srs *srs = open_srs(store, false);
    const char *address = forward(srs, LONG);
    assert_true(strlen(address) <= strlen("@fwd.example.net") + 64);
    assert_non_null(strstr(address, "=2W=="));
    assert_string_equal(forward(srs, LONG), address);
    assert_int_equal(reverse(srs, address, NOW, LONG), SRS_OK);
    assert_int_equal(reverse(srs, address, NOW + 21 * DAY, LONG), SRS_OK);
    assert_int_equal(reverse(srs, address, NOW + 22 * DAY, NULL), SRS_EXPIRED);
    srs_close(srs);
    store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keeps_long_senders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
