/*
 * srs with its keys and a store of SQLite: long senders, a secrets file that is made, that changes, that goes bad.
 */
#include "unit.h"

#include "srs/srs.h"
#include "srs/srs_keys.h"
#include "util/clock.h"
#include "util/log.h"
#include <fcntl.h>
#include <pthread.h>
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
    return arena_strdup(arena, result);
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

/* ---- long senders ---- */

static void keeps_long_senders(void **state)
{
    (void)state;
    static const char *const senders[] = {
        LONG,
        "SRS0=aaaa=BB=lists.subdomain.example.com=bounces-12345-joe@forwarder.example.org",
        "\"a quoted local part of more than sixty-four octets, with blanks in it\"@x.example",
        "\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\"@x.example",
    };
    struct store *store = open_store();
    write_file("secret\n", 0600);
    struct srs *srs = open_srs(store, false);
    for (size_t i = 0; i < sizeof senders / sizeof senders[0]; i++) {
        const char *address = forward(srs, senders[i]);
        assert_int_equal(strlen(address), strlen("SRS0=aaaa=2W==@fwd.example.net") + SRS_TOKEN_LENGTH);
        assert_non_null(strstr(address, "=2W=="));
        assert_string_equal(forward(srs, senders[i]), address);
        assert_int_equal(reverse(srs, address, NOW, senders[i]), SRS_OK);
        assert_int_equal(reverse(srs, address, NOW + 21 * DAY, senders[i]), SRS_OK);
        assert_int_equal(reverse(srs, address, NOW + 22 * DAY, NULL), SRS_EXPIRED);
    }
    /* The next forwarder's SRS1 of it, undone, is the address again. */
    const char *address = forward(srs, LONG), *second = NULL;
    assert_int_equal(srs_forward(srs, arena, address, "g.example", NOW, false, &second), SRS_OK);
    assert_int_equal(reverse(srs, second, NOW, address), SRS_OK);
    srs_close(srs);
    store_close(store);
}

static void rows_live_as_long_as_the_address(void **state)
{
    (void)state;
    struct store *store = open_store();
    struct store_value value;
    write_file("secret\n", 0600);
    struct srs *srs = open_srs(store, false);
    const char *address = forward(srs, LONG), *again = NULL;
    char *row = arena_printf(arena, "srs/%.24s", strstr(address, "==") + 2);
    assert_int_equal(store_get(store, arena, row, NOW, &value), STORE_OK);
    assert_string_equal(value.bytes.ptr, LONG);
    int64_t expires = value.expires;
    assert_true(expires > NOW + 22 * DAY && expires <= NOW + 23 * DAY);
    /* Three weeks later from there again: that address is good for three weeks more. */
    assert_int_equal(srs_forward(srs, arena, LONG, "fwd.example.net", NOW + 20 * DAY, false, &again), SRS_OK);
    assert_string_not_equal(again, address);
    assert_int_equal(store_get(store, arena, row, NOW, &value), STORE_OK);
    assert_true(value.expires == expires + 20 * DAY);
    assert_int_equal(reverse(srs, again, NOW + 41 * DAY, LONG), SRS_OK);
    /* An older clock does not shorten it. */
    forward(srs, LONG);
    assert_int_equal(store_get(store, arena, row, NOW, &value), STORE_OK);
    assert_true(value.expires == expires + 20 * DAY);
    srs_close(srs);
    store_close(store);
}

static void says_what_is_wrong_with_a_token(void **state)
{
    (void)state;
    struct store *store = open_store();
    const char *result = "";
    write_file("secret\n", 0600);
    struct srs *srs = open_srs(store, false), *without = open_srs(NULL, false);
    /* A trial writes nothing. */
    assert_int_equal(srs_forward(srs, arena, LONG, "fwd.example.net", NOW, true, &result), SRS_OK);
    const char *address = result;
    assert_int_equal(reverse(srs, address, NOW, NULL), SRS_UNKNOWN);
    assert_int_equal(reverse(without, address, NOW, NULL), SRS_DOWN);
    assert_int_equal(srs_forward(without, arena, LONG, "fwd.example.net", NOW, false, &result), SRS_DOWN);
    assert_null(result);
    assert_int_equal(srs_forward(without, arena, "joe@x.example", "fwd.example.net", NOW, false, &result), SRS_OK);
    assert_int_equal(reverse(without, result, NOW, "joe@x.example"), SRS_OK);
    /* Forged: the store is not even asked. */
    char *forged = arena_strdup(arena, address);
    forged[5] = forged[5] == 'A' ? 'B' : 'A';
    assert_int_equal(reverse(without, forged, NOW, NULL), SRS_FORGED);
    /* A row that is not what we write is none. */
    static const struct span bad[] = {{"a\r\n@x.example", 13}, {"a@x.example\0b", 13}, {"", 0}, {"joe", 3}};
    char *row = arena_printf(arena, "srs/%.24s", strstr(address, "==") + 2);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(store_put(store, row, bad[i], 0, NOW), STORE_OK);
        assert_int_equal(reverse(srs, address, NOW, NULL), SRS_UNKNOWN);
    }
    assert_int_equal(store_put(store, row, bad[0], NOW + 100 * DAY, NOW), STORE_OK);
    assert_string_equal(forward(srs, LONG), address); /* puts it right */
    assert_int_equal(reverse(srs, address, NOW, LONG), SRS_OK);
    srs_close(without);
    srs_close(srs);
    store_close(store);
}

static void refuses_what_is_too_long(void **state)
{
    (void)state;
    struct store *store = open_store();
    const char *result = "";
    write_file("secret\n", 0600);
    struct srs *srs = open_srs(store, false);
    assert_int_equal(
        srs_forward(srs, arena, arena_printf(arena, "%0988d@x.example.", 0), "f.example", NOW, false, &result), SRS_OK);
    assert_int_equal(
        srs_forward(srs, arena, arena_printf(arena, "%0991d@x.example", 0), "f.example", NOW, false, &result),
        SRS_TOO_LONG);
    assert_null(result);
    assert_int_equal(srs_forward(srs, arena, LONG, arena_printf(arena, "%0220d.example", 0), NOW, false, &result),
                     SRS_TOO_LONG);
    assert_null(result);
    assert_int_equal(srs_forward(srs, arena, "joe", "f.example", NOW, false, &result), SRS_NONE);
    srs_close(srs);
    store_close(store);
}

/* ---- the secrets file ---- */

static void makes_secrets_once(void **state)
{
    (void)state;
    const struct srs_options options = {path, 4, 4, '=', 21};
    const char *problem = NULL;
    struct stat status;
    assert_null(srs_open(&options, NULL, false, arena, &problem));
    assert_non_null(strstr(problem, "No such file"));
    struct srs *first = open_srs(NULL, true), *second = open_srs(NULL, true);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_string_equal(forward(first, "joe@x.example"), forward(second, "joe@x.example"));
    srs_close(first);
    srs_close(second);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("nowhere", path), 0);
    assert_null(srs_open(&options, NULL, true, arena, &problem));
    assert_non_null(strstr(problem, "symbolic link"));
}

/* Seconds until ADDRESS is ok, or is not; 99: it never came. */
static double wait_until(struct srs *srs, const char *address, enum srs_outcome wanted)
{
    int64_t start = clock_monotonic_us();
    while (clock_monotonic_us() - start < 3000000) {
        if (reverse(srs, address, NOW, NULL) == wanted)
            return (double)(clock_monotonic_us() - start) / 1e6;
        clock_sleep_us(20000);
    }
    return 99;
}

static void takes_up_a_new_file(void **state)
{
    (void)state;
    write_file("other\n", 0600);
    struct srs *other = open_srs(NULL, false);
    const char *others = forward(other, "joe@x.example");
    srs_close(other);
    write_file("secret\n", 0600);
    struct srs *srs = open_srs(NULL, false);
    const char *ours = forward(srs, "joe@x.example");
    assert_int_equal(reverse(srs, others, NOW, NULL), SRS_FORGED);
    write_file("other\nsecret\n", 0600);
    assert_true(wait_until(srs, others, SRS_OK) < 2.2);
    assert_int_equal(reverse(srs, ours, NOW, NULL), SRS_OK);
    assert_string_equal(forward(srs, "joe@x.example"), others);
    write_file("other\n", 0600);
    assert_true(wait_until(srs, ours, SRS_FORGED) < 2.2);
    srs_close(srs);
}

static int lines_about(const char *file, const char *text)
{
    char line[1000];
    int count = 0;
    FILE *log = fopen(file, "re");
    assert_non_null(log);
    while (fgets(line, sizeof line, log))
        count += strstr(line, text) != NULL;
    fclose(log);
    return count;
}

static void keeps_the_old_ones_while_the_new_are_bad(void **state)
{
    (void)state;
    char *log = arena_printf(arena, "%s/log", directory), *aside = arena_printf(arena, "%s/aside", directory);
    write_file("secret\n", 0600);
    struct srs *srs = open_srs(NULL, false);
    const char *ours = forward(srs, "joe@x.example");
    int saved = dup(2), file = open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    dup2(file, 2);
    write_file("", 0600);
    wait_until(srs, ours, SRS_FORGED); /* in vain, for three seconds */
    assert_int_equal(reverse(srs, ours, NOW, NULL), SRS_OK);
    write_file("another\n", 0644);
    wait_until(srs, ours, SRS_FORGED);
    assert_int_equal(rename(path, aside), 0);
    wait_until(srs, ours, SRS_FORGED);
    dup2(saved, 2);
    close(saved);
    close(file);
    assert_int_equal(lines_about(log, "stay in use"), 3);
    assert_int_equal(lines_about(log, "holds no secret"), 1);
    assert_int_equal(lines_about(log, "mode is 0644"), 1);
    assert_int_equal(lines_about(log, "No such file"), 1);
    write_file("another\n", 0600);
    assert_true(wait_until(srs, ours, SRS_FORGED) < 2.2);
    srs_close(srs);
}

static void is_not_fooled_by_half_a_file(void **state)
{
    (void)state;
    write_file("secret\n", 0600);
    struct srs *srs = open_srs(NULL, false);
    clock_sleep_us(600000);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    for (size_t i = 0; i < 20; i++) { /* written for two seconds */
        fputs("longer", file);
        fflush(file);
        const char *address = forward(srs, "joe@x.example");
        assert_int_equal(reverse(srs, address, NOW, NULL), SRS_OK);
        assert_int_equal(srs_key_count(srs), 1);
        clock_sleep_us(100000);
        assert_string_equal(address, forward(srs, "joe@x.example"));
    }
    fclose(file);
    srs_close(srs);
}

/* ---- threads ---- */

static struct srs *shared;

static void *work(void *context)
{
    struct arena *own = arena_create(4096);
    const char *address = NULL, *back = NULL;
    size_t failures = 0;
    for (int i = 0; i < 800; i++) {
        const char *sender = arena_printf(own, i % 20 ? "u%d-%s@x.example" : "%d-%s" LONG, i, (const char *)context);
        if (srs_forward(shared, own, sender, "f.example", NOW, false, &address) != SRS_OK ||
            srs_reverse(shared, own, address, NOW, &back) != SRS_OK || strcmp(back, sender) != 0)
            failures++;
        clock_sleep_us(5000);
    }
    arena_destroy(own);
    return (void *)(uintptr_t)failures;
}

static void is_shared_while_secrets_rotate(void **state)
{
    (void)state;
    static char *const names[] = {"a", "b", "c", "d"};
    pthread_t threads[4];
    void *failures;
    const char *problem;
    size_t kept;
    struct store *store = open_store();
    shared = open_srs(store, true);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, names[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(srs_keys_rotate(path, arena, 21, NOW, &kept, &problem), 0);
        clock_sleep_us(i < 2 ? 1300000 : 200000);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], &failures);
        assert_null(failures);
    }
    clock_sleep_us(1100000);
    srs_key_count(shared); /* looks */
    clock_sleep_us(600000);
    assert_int_equal(srs_key_count(shared), 5);
    srs_close(shared);
    store_close(store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keeps_long_senders),
        TEST(rows_live_as_long_as_the_address),
        TEST(says_what_is_wrong_with_a_token),
        TEST(refuses_what_is_too_long),
        TEST(makes_secrets_once),
        TEST(takes_up_a_new_file),
        TEST(keeps_the_old_ones_while_the_new_are_bad),
        TEST(is_not_fooled_by_half_a_file),
        TEST(is_shared_while_secrets_rotate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
