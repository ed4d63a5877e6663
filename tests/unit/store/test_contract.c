/* store.h, word for word, on both back ends. */
#include "fixture.h"
#include <signal.h>
#include <stdlib.h>

static struct store *store;
static struct redis_server server;
static bool is_redis;

static int begin_sqlite(void **state)
{
    fixture_begin(state);
    is_redis = false;
    store = open_store(text("sqlite:%s/store.db", fixture_path), 10000);
    return 0;
}

static int begin_redis(void **state)
{
    fixture_begin(state);
    is_redis = true;
    server = redis_start(fixture_path, NULL);
    store = open_store(text("redis+unix:%s", server.socket), 10000);
    return 0;
}

static int finish(void **state)
{
    store_close(store);
    redis_stop(&server, SIGTERM);
    return fixture_end(state);
}

static void expect(const char *key, int64_t now, const char *wanted, int64_t expires)
{
    struct store_value value;
    enum store_outcome outcome = store_get(store, fixture_arena, key, now, &value);
    assert_int_equal(outcome, wanted ? STORE_OK : STORE_ABSENT);
    if (!wanted)
        return;
    assert_string_equal(value.bytes.ptr, wanted);
    assert_int_equal(value.bytes.len, strlen(wanted));
    assert_int_equal(value.expires, expires);
}

static bool note_key(void *context, const char *key, const struct store_value *value)
{
    (void)value;
    strncat(context, key, 200);
    strncat(context, " ", 2);
    return true;
}

static void test_put_and_get(void **state)
{
    (void)state;
    expect("put/a", T, NULL, 0);
    assert_int_equal(store_put(store, "put/a", span_of("one"), 0, T), STORE_OK);
    expect("put/a", T, "one", 0);
    assert_int_equal(store_put(store, "put/a", span_of("two"), T + 5, T), STORE_OK);
    expect("put/a", T, "two", T + 5);
    assert_int_equal(store_put(store, "put/a", (struct span){NULL, 0}, 0, T), STORE_OK);
    expect("put/a", T, "", 0);
    expect("put/a", T + 100 * 365 * DAY, "", 0);
    expect("put/A", T, NULL, 0);
    assert_int_equal(store_put(store, "put/far", span_of("x"), INT64_MAX, T), STORE_OK);
    expect("put/far", T, "x", INT64_MAX);
    assert_int_equal(store_put(store, "put/past", span_of("x"), INT64_MIN, T), STORE_OK);
    expect("put/past", T, NULL, 0);
    assert_int_equal(store_put(store, "put/past", span_of("x"), 0, T), STORE_OK); /* not for the sweep's tests */
}

static void test_any_bytes(void **state)
{
    (void)state;
    char all[256], key[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    for (int i = 0; i < 255; i++)
        key[i] = (char)(i + 1);
    key[255] = '\0';
    struct store_value value;
    assert_int_equal(store_put(store, key, (struct span){all, 256}, 0, T), STORE_OK);
    assert_int_equal(store_get(store, fixture_arena, key, T, &value), STORE_OK);
    assert_int_equal(value.bytes.len, 256);
    assert_memory_equal(value.bytes.ptr, all, 256);
    assert_int_equal(store_swap(store, key, (struct span){all, 255}, span_of("x"), 0, T), STORE_PRESENT);
    assert_int_equal(store_swap(store, key, (struct span){all, 256}, (struct span){all, 10}, 0, T), STORE_OK);
    assert_int_equal(store_put_if_absent(store, fixture_arena, key, span_of("x"), 0, T, &value), STORE_PRESENT);
    assert_int_equal(value.bytes.len, 10);
    assert_memory_equal(value.bytes.ptr, all, 10);
    assert_int_equal(store_delete(store, key, T), STORE_OK);
}

static void test_limits(void **state)
{
    (void)state;
    char *key = arena_alloc(fixture_arena, STORE_KEY_MAX + 2);
    char *big = arena_alloc(fixture_arena, STORE_VALUE_MAX + 1);
    memset(key, 'k', STORE_KEY_MAX + 1);
    memset(big, 'v', STORE_VALUE_MAX + 1);
    uint64_t failures = store_health(store).failures;
    assert_int_equal(store_put(store, key, span_of("x"), 0, T), STORE_DOWN);
    assert_int_equal(store_put(store, "", span_of("x"), 0, T), STORE_DOWN);
    assert_int_equal(store_put(store, "limit", (struct span){big, STORE_VALUE_MAX + 1}, 0, T), STORE_DOWN);
    assert_int_equal(store_health(store).failures, failures + 3);
    key[STORE_KEY_MAX] = '\0';
    assert_int_equal(store_put(store, key, (struct span){big, STORE_VALUE_MAX}, 0, T), STORE_OK);
    struct store_value value;
    assert_int_equal(store_get(store, fixture_arena, key, T, &value), STORE_OK);
    assert_int_equal(value.bytes.len, STORE_VALUE_MAX);
    char seen[4096] = "";
    assert_int_equal(store_each(store, "kkkk", T, note_key, seen), STORE_OK);
    assert_int_equal(strlen(seen), 201);
    assert_int_equal(store_delete(store, key, T), STORE_OK);
}

static void test_expiry_to_the_second(void **state)
{
    (void)state;
    struct store_value there;
    int64_t end = T + 7 * DAY;
    char seen[4096] = "";
    assert_int_equal(store_put(store, "exp/a", span_of("x"), end, T), STORE_OK);
    expect("exp/a", end - 1, "x", end);
    expect("exp/a", end, NULL, 0);
    expect("exp/a", end + 1, NULL, 0);
    store_each(store, "exp/", end - 1, note_key, seen);
    store_each(store, "exp/", end, note_key, seen);
    assert_string_equal(seen, "exp/a ");
    assert_int_equal(store_put_if_absent(store, fixture_arena, "exp/a", span_of("y"), end + 9, end - 1, &there),
                     STORE_PRESENT);
    assert_string_equal(there.bytes.ptr, "x");
    assert_int_equal(there.expires, end);
    assert_int_equal(store_swap(store, "exp/a", span_of("x"), span_of("z"), 0, end), STORE_PRESENT);
    assert_int_equal(store_put_if_absent(store, fixture_arena, "exp/a", span_of("y"), end + 9, end, NULL), STORE_OK);
    expect("exp/a", end, "y", end + 9);
    assert_int_equal(store_swap(store, "exp/a", (struct span){NULL, 0}, span_of("z"), 0, end + 8), STORE_PRESENT);
    assert_int_equal(store_swap(store, "exp/a", (struct span){NULL, 0}, span_of("z"), end + 20, end + 9), STORE_OK);
    assert_int_equal(store_delete(store, "exp/a", end + 20), STORE_ABSENT);
    assert_int_equal(store_put(store, "exp/a", span_of("x"), end, T), STORE_OK);
    assert_int_equal(store_delete(store, "exp/a", end - 1), STORE_OK);
    expect("exp/a", T, NULL, 0);
}

static void test_swap(void **state)
{
    (void)state;
    struct span none = {NULL, 0};
    assert_int_equal(store_swap(store, "swap", span_of("a"), span_of("b"), 0, T), STORE_PRESENT);
    expect("swap", T, NULL, 0);
    assert_int_equal(store_swap(store, "swap", none, span_of("a"), T + 10, T), STORE_OK);
    expect("swap", T, "a", T + 10);
    assert_int_equal(store_swap(store, "swap", none, span_of("b"), 0, T), STORE_PRESENT);
    assert_int_equal(store_swap(store, "swap", span_of("b"), span_of("c"), 0, T), STORE_PRESENT);
    expect("swap", T, "a", T + 10);
    assert_int_equal(store_swap(store, "swap", span_of("a"), span_of(""), T + 20, T), STORE_OK);
    expect("swap", T, "", T + 20);
    assert_int_equal(store_swap(store, "swap", none, span_of("b"), 0, T), STORE_PRESENT);
    assert_int_equal(store_swap(store, "swap", span_of(""), none, 0, T), STORE_OK);
    expect("swap", T, NULL, 0);
    assert_int_equal(store_swap(store, "swap", none, none, 0, T), STORE_OK);
}

static void test_delete(void **state)
{
    (void)state;
    assert_int_equal(store_delete(store, "del", T), STORE_ABSENT);
    assert_int_equal(store_put(store, "del", span_of("x"), 0, T), STORE_OK);
    assert_int_equal(store_delete(store, "del", T), STORE_OK);
    assert_int_equal(store_delete(store, "del", T), STORE_ABSENT);
}

static void test_apply(void **state)
{
    (void)state;
    assert_int_equal(store_put(store, "apply/old", span_of("x"), 0, T), STORE_OK);
    struct store_change changes[] = {{.key = "apply/a", .value = span_of("1"), .expires = T + 9},
                                     {.key = "apply/b", .value = span_of("")},
                                     {.key = "apply/old"},
                                     {.key = "apply/a", .value = span_of("3"), .expires = T + 10}};
    assert_int_equal(store_apply(store, changes, 4, T), STORE_OK);
    expect("apply/a", T, "3", T + 10);
    expect("apply/b", T, "", 0);
    expect("apply/old", T, NULL, 0);
    assert_int_equal(store_apply(store, NULL, 0, T), STORE_OK);
    struct store_change bad[] = {{.key = "apply/c", .value = span_of("1")}, {.key = "", .value = span_of("1")}};
    assert_int_equal(store_apply(store, bad, 2, T), STORE_DOWN);
    expect("apply/c", T, NULL, 0);
    size_t count = 20000;
    struct store_change *many = calloc(count, sizeof *many);
    for (size_t i = 0; i < count; i++)
        many[i] = (struct store_change){.key = text("apply/many/%zu", i), .value = span_of("v")};
    assert_int_equal(store_apply(store, many, count, T), STORE_OK);
    expect("apply/many/19999", T, "v", 0);
    for (size_t i = 0; i < count; i++)
        many[i].value.ptr = NULL;
    assert_int_equal(store_apply(store, many, count, T), STORE_OK);
    expect("apply/many/0", T, NULL, 0);
    free(many);
}

static struct store_change conditional(const char *key, const char *value, const char *expected)
{
    return (struct store_change){.key = key,
                                 .value = {value, value ? strlen(value) : 0},
                                 .is_conditional = true,
                                 .expected = {expected, expected ? strlen(expected) : 0}};
}

/* One condition that does not hold, wherever it stands, and nothing is written. */
static void test_apply_if(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second, *third; /* expected; "*": whatever is there */
        enum store_outcome outcome;
    } rows[] = {
        {"1", "", NULL, STORE_OK},      {"*", "", NULL, STORE_OK},        {"1", "*", "*", STORE_OK},
        {"2", "", NULL, STORE_PRESENT}, {"1", NULL, NULL, STORE_PRESENT}, {"1", "x", NULL, STORE_PRESENT},
        {"1", "", "", STORE_PRESENT},   {NULL, "", NULL, STORE_PRESENT},  {"*", "*", "9", STORE_PRESENT},
        {"", "", NULL, STORE_PRESENT},  {"1", "", "gone", STORE_PRESENT}, {"-", "", NULL, STORE_PRESENT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *expected[] = {rows[i].first, rows[i].second, rows[i].third};
        const char *a = text("if/%zu/a", i), *b = text("if/%zu/b", i), *c = text("if/%zu/c", i);
        assert_int_equal(store_put(store, a, span_of("1"), 0, T), STORE_OK);
        assert_int_equal(store_put(store, b, span_of(""), T + 5, T), STORE_OK);
        assert_int_equal(store_put(store, c, span_of("gone"), T, T), STORE_OK); /* it has expired */
        struct store_change changes[] = {conditional(a, "2", NULL), conditional(b, NULL, NULL),
                                         conditional(c, "3", NULL)};
        for (size_t k = 0; k < 3; k++) {
            changes[k].is_conditional = !expected[k] || strcmp(expected[k], "*") != 0;
            changes[k].expected = (struct span){expected[k], expected[k] ? strlen(expected[k]) : 0};
        }
        enum store_outcome outcome = store_apply(store, changes, 3, T);
        if (outcome != rows[i].outcome)
            fail_msg("row %zu: %d", i, outcome);
        bool done = outcome == STORE_OK;
        expect(a, T, done ? "2" : "1", 0);
        expect(b, T, done ? NULL : "", done ? 0 : T + 5);
        expect(c, T, done ? "3" : NULL, 0);
    }
    /* What is expected of a row is that before the first change; a text may hold anything. */
    struct store_change twice[] = {conditional("if/twice", "1", NULL), conditional("if/twice", "2", NULL)};
    assert_int_equal(store_apply(store, twice, 2, T), STORE_OK);
    expect("if/twice", T, "2", 0);
    struct store_change bytes = {.key = "if/bytes", .value = {"a\0=", 3}, .is_conditional = true};
    assert_int_equal(store_apply(store, &bytes, 1, T), STORE_OK);
    bytes.expected = (struct span){"a\0-", 3};
    assert_int_equal(store_apply(store, &bytes, 1, T), STORE_PRESENT);
    bytes.expected = bytes.value;
    assert_int_equal(store_apply(store, &bytes, 1, T), STORE_OK);
    size_t len = STORE_VALUE_MAX + 1;
    bytes.expected = (struct span){calloc(1, len), len};
    assert_int_equal(store_apply(store, &bytes, 1, T), STORE_DOWN);
    free((char *)bytes.expected.ptr);
}

struct visited {
    int count, limit, wrong;
    unsigned char seen[3000];
    char last[64];
};

static bool visit(void *context, const char *key, const struct store_value *value)
{
    struct visited *visited = context;
    int number = atoi(key + strlen("each/"));
    visited->wrong += strncmp(key, "each/", 5) != 0 || number < 0 || number >= 3000 || visited->seen[number]++ > 0;
    visited->wrong += !is_redis && strcmp(visited->last, key) >= 0;
    visited->wrong += strcmp(value->bytes.ptr, text("v%d", number)) != 0 || value->expires != T + 5;
    snprintf(visited->last, sizeof visited->last, "%s", key);
    /* The callback may use the store, with any call. */
    visited->wrong += store_delete(store, key, T) != STORE_OK;
    visited->wrong += store_put(store, text("other/%d", number), span_of("x"), 0, T) != STORE_OK;
    return ++visited->count < visited->limit;
}

static void test_each(void **state)
{
    (void)state;
    struct visited visited = {.limit = 1000};
    for (int i = 0; i < 2500; i++)
        assert_int_equal(store_put(store, text("each/%04d", i), span_of(text("v%d", i)), T + 5, T), STORE_OK);
    assert_int_equal(store_put(store, "each", span_of("x"), 0, T), STORE_OK);
    assert_int_equal(store_put(store, "each0", span_of("x"), 0, T), STORE_OK);
    assert_int_equal(store_put(store, "each/9999", span_of("x"), T, T), STORE_OK); /* expired */
    assert_int_equal(store_each(store, "each/", T, visit, &visited), STORE_OK);
    assert_int_equal(visited.count, 1000);
    visited.limit = 10000;
    assert_int_equal(store_each(store, "each/", T, visit, &visited), STORE_OK);
    assert_int_equal(visited.count, 2500);
    assert_int_equal(visited.wrong, 0);
    assert_int_equal(store_each(store, "each/", T, visit, &visited), STORE_OK);
    assert_int_equal(visited.count, 2500);
}

static void test_prefixes_are_not_patterns(void **state)
{
    (void)state;
    static const char *const prefixes[] = {"*", "?", "[a-z]", "a\\", "\xff", "\xff\xff", "%", "_", "[^x]", "p:"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        char seen[4096] = "";
        const char *inside = text("%sx", prefixes[i]);
        assert_int_equal(store_put(store, inside, span_of("x"), 0, T), STORE_OK);
        assert_int_equal(store_put(store, "zx", span_of("x"), 0, T), STORE_OK);
        assert_int_equal(store_each(store, prefixes[i], T, note_key, seen), STORE_OK);
        assert_string_equal(seen, text("%s ", inside));
        assert_int_equal(store_delete(store, inside, T), STORE_OK);
    }
}

static void test_clock_that_jumps(void **state)
{
    (void)state;
    int64_t end = T + 7 * DAY, ahead = end + STORE_GRACE - 1;
    assert_int_equal(store_put(store, "jump/a", span_of("x"), end, T), STORE_OK);
    assert_int_equal(store_put(store, "jump/b", span_of("x"), 0, T), STORE_OK);
    expect("jump/a", ahead, NULL, 0);
    assert_int_equal(store_sweep(store, ahead, 1000), 0);
    expect("jump/a", T, "x", end); /* back again: nothing was forgotten */
    if (is_redis) {
        const char *ttl = redis_say(&server, "TTL postern:jump/a");
        int64_t seconds = atoll(ttl + 1);
        assert_true(seconds > 9 * DAY - 60 && seconds <= 9 * DAY);
        assert_string_equal(redis_say(&server, "TTL postern:jump/b"), "(-1)");
        return;
    }
    assert_int_equal(store_sweep(store, ahead + 1, 1000), 1);
    expect("jump/a", T, NULL, 0);
    expect("jump/b", T, "x", 0);
}

static void test_sweep_takes_steps(void **state)
{
    (void)state;
    if (is_redis)
        return;
    for (int i = 0; i < 25; i++)
        assert_int_equal(store_put(store, text("sweep/%d", i), span_of("x"), T, T), STORE_OK);
    int64_t late = T + STORE_GRACE;
    assert_int_equal(store_sweep(store, late - 1, 10), 0);
    assert_int_equal(store_sweep(store, late, 0), 0);
    assert_int_equal(store_sweep(store, late, -1), 0);
    assert_int_equal(store_sweep(store, late, 10), 10);
    assert_int_equal(store_sweep(store, late, 10), 10);
    assert_int_equal(store_sweep(store, late, 10), 5);
    assert_int_equal(store_sweep(store, late, 10), 0);
}

static void test_sync_and_health(void **state)
{
    (void)state;
    assert_int_equal(store_sync(store), STORE_OK);
    assert_true(store_health(store).is_up);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_and_get),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_expiry_to_the_second),
        cmocka_unit_test(test_swap),
        cmocka_unit_test(test_delete),
        cmocka_unit_test(test_sweep_takes_steps),
        cmocka_unit_test(test_clock_that_jumps),
        cmocka_unit_test(test_apply),
        cmocka_unit_test(test_apply_if),
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_prefixes_are_not_patterns),
        cmocka_unit_test(test_sync_and_health),
    };
    return cmocka_run_group_tests_name("sqlite", tests, begin_sqlite, finish) +
           cmocka_run_group_tests_name("redis", tests, begin_redis, finish);
}
