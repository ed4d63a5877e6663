/* The caps on automatic replies. */
#include "unit.h"
#include "autoreply/caps.h"
#include <stdio.h>

static const struct caps_limits limits = {5, 3, 2};

static void each_cap(void **state)
{
    (void)state;
    struct caps *caps = caps_create();
    assert_null(caps_take(caps, &limits, "a@example.net", "one.example", 3600));
    assert_null(caps_take(caps, &limits, "a@example.net", "one.example", 3601));
    assert_string_equal(caps_take(caps, &limits, "a@example.net", "two.example", 3602), "max_per_mailbox_per_hour");
    assert_null(caps_take(caps, &limits, "b@example.net", "one.example", 3603));
    assert_string_equal(caps_take(caps, &limits, "b@example.net", "one.example", 3604), "max_per_sender_domain_per_hour");
    assert_null(caps_take(caps, &limits, "c@example.net", "two.example", 3605));
    assert_null(caps_take(caps, &limits, "d@example.net", "three.example", 3606));
    assert_string_equal(caps_take(caps, &limits, "e@example.net", "four.example", 3607), "max_per_minute");
    /* the next minute, and the next hour */
    assert_null(caps_take(caps, &limits, "e@example.net", "four.example", 3660));
    assert_string_equal(caps_take(caps, &limits, "a@example.net", "five.example", 7199), "max_per_mailbox_per_hour");
    assert_null(caps_take(caps, &limits, "a@example.net", "one.example", 7200));
    caps_destroy(caps);
}

static void no_limit(void **state)
{
    (void)state;
    static const struct caps_limits none = {0, 0, 0};
    struct caps *caps = caps_create();
    for (int i = 0; i < 10000; i++)
        assert_null(caps_take(caps, &none, "a@example.net", "one.example", 100));
    caps_destroy(caps);
}

/* A flood of names neither grows the table nor lets the flooder's own count be forgotten. */
static void many_names(void **state)
{
    (void)state;
    static const struct caps_limits domain_only = {0, 3, 0};
    struct caps *caps = caps_create();
    char name[32];
    for (int i = 0; i < 3; i++)
        assert_null(caps_take(caps, &domain_only, "a@example.net", "flood.example", 100));
    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof name, "d%d.example", i);
        assert_null(caps_take(caps, &domain_only, "a@example.net", name, 100));
    }
    assert_string_equal(caps_take(caps, &domain_only, "a@example.net", "flood.example", 100),
                        "max_per_sender_domain_per_hour");
    caps_destroy(caps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cap),
        cmocka_unit_test(no_limit),
        cmocka_unit_test(many_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
