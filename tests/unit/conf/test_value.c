/* One value of each type: what is understood, and what is said of the rest. */
#include "unit.h"

#include "conf/loader.h"
#include <string.h>

static const struct option_word words[] = {{"enforce", 3}, {"reject-message", 7}, {NULL, 0}};

struct number_case {
    enum option_type type;
    int64_t min, max;
    const char *text;
    int64_t value;
    const char *why; /* NULL: fine */
};

static const struct number_case number_cases[] = {
    {OPTION_BOOL, 0, 0, "yes", 1, NULL},
    {OPTION_BOOL, 0, 0, "TRUE", 1, NULL},
    {OPTION_BOOL, 0, 0, "on", 1, NULL},
    {OPTION_BOOL, 0, 0, "no", 0, NULL},
    {OPTION_BOOL, 0, 0, "false", 0, NULL},
    {OPTION_BOOL, 0, 0, "off", 0, NULL},
    {OPTION_BOOL, 0, 0, "maybe", 0, "is neither yes nor no"},
    {OPTION_BOOL, 0, 0, "", 0, "is neither yes nor no"},
    {OPTION_BOOL, 0, 0, "1", 0, "is neither yes nor no"},
    {OPTION_INT, 0, 0, "0", 0, NULL},
    {OPTION_INT, 0, 0, "010", 10, NULL},
    {OPTION_INT, 1, 100, "1", 1, NULL},
    {OPTION_INT, 1, 100, "100", 100, NULL},
    {OPTION_INT, 1, 100, "0", 0, "is out of range (1 to 100)"},
    {OPTION_INT, 1, 100, "101", 0, "is out of range (1 to 100)"},
    {OPTION_INT, 5, 0, "4", 0, "is out of range (at least 5)"},
    {OPTION_INT, 0, 0, "-1", 0, "is out of range (at least 0)"},
    {OPTION_INT, -5, 5, "-5", -5, NULL},
    {OPTION_INT, 0, 0, "9223372036854775807", INT64_MAX, NULL},
    {OPTION_INT, 0, 0, "9223372036854775808", 0, "is too large a number"},
    {OPTION_INT, 0, 0, "99999999999999999999999", 0, "is too large a number"},
    {OPTION_INT, 0, 0, "", 0, "is no whole number"},
    {OPTION_INT, 0, 0, "-", 0, "is no whole number"},
    {OPTION_INT, 0, 0, "1.5", 0, "is no whole number"},
    {OPTION_INT, 0, 0, "0x10", 0, "is no whole number"},
    {OPTION_INT, 0, 0, "+1", 0, "is no whole number"},
    {OPTION_INT, 0, 0, " 1", 0, "is no whole number"},
    {OPTION_INT, 0, 0, "10k", 0, "is no whole number"},
    {OPTION_SIZE, 0, 0, "4096", 4096, NULL},
    {OPTION_SIZE, 0, 0, "512k", 524288, NULL},
    {OPTION_SIZE, 0, 0, "1K", 1024, NULL},
    {OPTION_SIZE, 0, 0, "1M", 1048576, NULL},
    {OPTION_SIZE, 0, 0, "1g", 1073741824, NULL},
    {OPTION_SIZE, 0, 0, "8589934591G", 9223372035781033984, NULL},
    {OPTION_SIZE, 0, 0, "8589934592G", 0, "is too large a size"},
    {OPTION_SIZE, 0, 0, "99999999999999999999", 0, "is too large a size"},
    {OPTION_SIZE, 1024, 1048576, "2M", 0, "is out of range (1k to 1M)"},
    {OPTION_SIZE, 1000, 0, "999", 0, "is out of range (at least 1000)"},
    {OPTION_SIZE, 0, 0, "1MB", 0, "is no size (a number and optional k, M or G)"},
    {OPTION_SIZE, 0, 0, "1.5M", 0, "is no size (a number and optional k, M or G)"},
    {OPTION_SIZE, 0, 0, "-1", 0, "is no size (a number and optional k, M or G)"},
    {OPTION_SIZE, 0, 0, "M", 0, "is no size (a number and optional k, M or G)"},
    {OPTION_SIZE, 0, 0, "", 0, "is no size (a number and optional k, M or G)"},
    {OPTION_DURATION, 0, 0, "90", 90000, NULL},
    {OPTION_DURATION, 0, 0, "90s", 90000, NULL},
    {OPTION_DURATION, 0, 0, "500ms", 500, NULL},
    {OPTION_DURATION, 0, 0, "2m", 120000, NULL},
    {OPTION_DURATION, 0, 0, "3h", 10800000, NULL},
    {OPTION_DURATION, 0, 0, "7d", 604800000, NULL},
    {OPTION_DURATION, 0, 0, "106751991167d", 9223372036828800000, NULL},
    {OPTION_DURATION, 0, 0, "106751991168d", 0, "is too long a time"},
    {OPTION_DURATION, 1000, 3600000, "999ms", 0, "is out of range (1s to 1h)"},
    {OPTION_DURATION, 1000, 5400000, "2h", 0, "is out of range (1s to 90m)"},
    {OPTION_DURATION, 0, 1500, "2", 0, "is out of range (0 to 1500ms)"},
    {OPTION_DURATION, 0, 0, "1h30m", 0, "is no length of time (a number and ms, s, m, h or d)"},
    {OPTION_DURATION, 0, 0, "1w", 0, "is no length of time (a number and ms, s, m, h or d)"},
    {OPTION_DURATION, 0, 0, "-1s", 0, "is no length of time (a number and ms, s, m, h or d)"},
    {OPTION_DURATION, 0, 0, "soon", 0, "is no length of time (a number and ms, s, m, h or d)"},
    {OPTION_MODE, 0, 0777, "0660", 0660, NULL},
    {OPTION_MODE, 0, 0777, "600", 0600, NULL},
    {OPTION_MODE, 0, 0, "07777", 07777, NULL},
    {OPTION_MODE, 0, 0777, "1777", 0, "is out of range (0000 to 0777)"},
    {OPTION_MODE, 0, 0, "10000", 0, "is out of range (0000 to 7777)"},
    {OPTION_MODE, 0, 0, "0680", 0, "is no file mode (octal digits, as 0660)"},
    {OPTION_MODE, 0, 0, "", 0, "is no file mode (octal digits, as 0660)"},
    {OPTION_MODE, 0, 0, "rw-r--r--", 0, "is no file mode (octal digits, as 0660)"},
    {OPTION_ENUM, 0, 0, "enforce", 3, NULL},
    {OPTION_ENUM, 0, 0, "Reject-Message", 7, NULL},
    {OPTION_ENUM, 0, 0, "reject", 0, "is none of: enforce, reject-message"},
    {OPTION_ENUM, 0, 0, "", 0, "is none of: enforce, reject-message"},
    {OPTION_FLAGS, 0, 0, "enforce", 0, "is no single value"},
};

static void test_numbers(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    for (size_t i = 0; i < sizeof number_cases / sizeof number_cases[0]; i++) {
        const struct number_case *c = &number_cases[i];
        struct option_row row = {.name = "x", .type = c->type, .min = c->min, .max = c->max, .words = words};
        union {
            bool flag;
            int word;
            int64_t number;
        } member = {.number = 0};
        const char *why = value_parse(arena, &row, c->text, &member);
        if (why || c->why) {
            assert_non_null(c->why);
            assert_non_null(why);
            assert_string_equal(why, c->why);
            continue;
        }
        int64_t value = c->type == OPTION_BOOL ? member.flag : c->type == OPTION_ENUM ? member.word : member.number;
        if (value != c->value)
            print_error("'%s'\n", c->text);
        assert_true(value == c->value);
    }
    arena_destroy(arena);
}

static const char *refuse_b(const char *value)
{
    return strcmp(value, "b") == 0 ? "is b" : NULL;
}

static const char *refuse_all(const char *value)
{
    (void)value;
    return "is refused";
}

static void test_texts(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    struct option_row row = {.name = "x", .type = OPTION_STRING, .verify = refuse_b};
    const char *text = "old";
    assert_null(value_parse(arena, &row, "a", &text));
    assert_string_equal(text, "a");
    assert_string_equal(value_parse(arena, &row, "b", &text), "is b");
    row.verify = refuse_all;
    assert_null(value_parse(arena, &row, "", &text));
    assert_null(text);
    row.type = OPTION_INT;
    int64_t number;
    assert_string_equal(value_parse(arena, &row, "5", &number), "is refused");
    arena_destroy(arena);
}

static void test_checksum(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    assert_string_equal(checksum_hex(arena, "abc", 3),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(checksum_hex(arena, "", 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers), cmocka_unit_test(test_texts),
                                       cmocka_unit_test(test_checksum)};
    return cmocka_run_group_tests_name("conf_value", tests, NULL, NULL);
}
