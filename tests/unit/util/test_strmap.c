/* strmap */
#include "unit.h"

#include "util/strmap.h"
#include <stdio.h>
#include <stdlib.h>

static struct span text(const char *before, int n)
{
    static char buffer[64];
    snprintf(buffer, sizeof buffer, "%s%d", before, n);
    return span_of(buffer);
}

static bool value_is(const struct strmap *map, strmap_at at, const char *expected)
{
    return at != 0 && span_equals(strmap_value(map, at), expected);
}

static void test_many_keys(void **state)
{
    (void)state;
    struct strmap *map = strmap_create();
    assert_int_equal(strmap_find(map, span_of("nothing yet")), 0);
    for (int i = 0; i < 20000; i++) {
        char value[32];
        snprintf(value, sizeof value, "value %d", i * 3);
        assert_true(strmap_add(map, text("key ", i), span_of(value)));
    }
    assert_int_equal(strmap_count(map), 20000);
    size_t before = strmap_size(map);
    strmap_seal(map);
    assert_true(strmap_size(map) < before);
    assert_true(strmap_size(map) < 20000 * (24 + 18 + 16));
    for (int i = 0; i < 20000; i++) {
        strmap_at at = strmap_find(map, text("key ", i));
        assert_true(value_is(map, at, text("value ", i * 3).ptr));
        assert_int_equal(strmap_next(map, at), 0);
    }
    assert_int_equal(strmap_find(map, span_of("key 20000")), 0);
    assert_int_equal(strmap_find(map, span_of("")), 0);
    strmap_destroy(map);
    strmap_destroy(NULL);
}

static void test_values_keep_their_order(void **state)
{
    (void)state;
    struct strmap *map = strmap_create();
    for (int i = 0; i < 300; i++) {
        assert_int_equal(strmap_add(map, text("key ", i % 3), span_of(i < 3 ? "first" : "")), i < 3);
        assert_int_equal(strmap_add(map, span_of("a"), text("", i)), i == 0);
    }
    strmap_at at = strmap_find(map, span_of("a"));
    for (int i = 0; i < 300; i++, at = strmap_next(map, at))
        assert_true(value_is(map, at, text("", i).ptr));
    assert_int_equal(at, 0);
    at = strmap_find(map, span_of("key 1"));
    size_t count = 0;
    for (; at; at = strmap_next(map, at))
        assert_true(value_is(map, at, count++ ? "" : "first"));
    assert_int_equal(count, 100);
    assert_int_equal(strmap_count(map), 4);
    strmap_destroy(map);
}

static void add_length(void *context, struct span value)
{
    *(size_t *)context += value.len;
}

static void test_bytes(void **state)
{
    (void)state;
    struct strmap *map = strmap_create();
    struct span odd = {"a\0b", 3}, other = {"a\0c", 3}, empty = {NULL, 0};
    assert_true(strmap_add(map, odd, other));
    assert_true(strmap_add(map, other, odd));
    assert_true(strmap_add(map, empty, empty));
    assert_false(strmap_add(map, empty, odd));
    assert_memory_equal(strmap_value(map, strmap_find(map, odd)).ptr, "a\0c", 3);
    assert_memory_equal(strmap_value(map, strmap_find(map, other)).ptr, "a\0b", 3);
    assert_int_equal(strmap_value(map, strmap_find(map, empty)).len, 0);
    size_t total = 0;
    strmap_each(map, add_length, &total);
    assert_int_equal(total, 9);
    strmap_destroy(map);
}

/* Keys and values of every length at which their record is written otherwise, in a map that outgrows malloc. */
static void test_lengths(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 1, 62, 63, 64, 65, 127, 128, 129, 255, 256, 8191, 8192, 16383, 16384, 70000};
    enum { COUNT = sizeof lengths / sizeof *lengths };
    struct strmap *map = strmap_create();
    char *key = malloc(70000), *value = malloc(70000);
    assert_true(key && value);
    memset(key, 'k', 70000);
    memset(value, 'v', 70000);
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t k = 0; k < COUNT; k++) {
            value[0] = (char)('a' + i);
            assert_int_equal(strmap_add(map, (struct span){key, lengths[i]}, (struct span){value, lengths[k]}), k == 0);
        }
    }
    assert_true(strmap_size(map) > (size_t)3 << 19);
    for (int sealed = 0; sealed < 2; sealed++) {
        for (size_t i = 0; i < COUNT; i++) {
            strmap_at at = strmap_find(map, (struct span){key, lengths[i]});
            for (size_t k = 0; k < COUNT; k++, at = strmap_next(map, at)) {
                struct span found = strmap_value(map, at);
                value[0] = (char)('a' + i);
                assert_int_equal(found.len, lengths[k]);
                assert_memory_equal(found.ptr, value, lengths[k]);
            }
            assert_int_equal(at, 0);
        }
        assert_int_equal(strmap_find(map, (struct span){key, 2}), 0);
        strmap_seal(map);
    }
    assert_true(strmap_add(map, (struct span){key, 2}, span_of("more"))); /* sealed is no bar */
    assert_true(value_is(map, strmap_find(map, (struct span){key, 2}), "more"));
    free(key);
    free(value);
    strmap_destroy(map);
}

struct keys {
    const struct strmap *map;
    size_t count, wrong;
};

static void visit_key(void *context, struct span key, strmap_at at)
{
    struct keys *keys = context;
    keys->count++;
    keys->wrong += strmap_find(keys->map, key) != at || strmap_value(keys->map, at).len != key.len + 1;
}

static void test_each_key(void **state)
{
    (void)state;
    struct strmap *map = strmap_create();
    for (int i = 0; i < 1000; i++) {
        char value[80];
        snprintf(value, sizeof value, "%s+", text("key ", i).ptr);
        strmap_add(map, text("key ", i), span_of(value));
        strmap_add(map, text("key ", i), span_of("another"));
    }
    struct keys keys = {map, 0, 0};
    strmap_each_key(map, visit_key, &keys);
    assert_int_equal(keys.count, 1000);
    assert_int_equal(keys.wrong, 0);
    strmap_destroy(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_values_keep_their_order),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_each_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
