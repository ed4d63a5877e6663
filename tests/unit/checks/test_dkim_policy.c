/* The policy of the check dkim: each result has its own action and token, and by default none has a consequence. */
#include "unit.h"

#include "checks/dkim.h"

static void nothing_is_refused_by_default(void **state)
{
    (void)state;
    struct check_dkim_options options = {.common = {.on_error = ON_ERROR_ACCEPT}, .max_signatures = 8};
    for (int result = AUTH_NONE; result <= AUTH_PERMERROR; result++) {
        struct result got = check_dkim_decide(&options, (enum auth_result)result);
        assert_int_equal(got.code, RESULT_OK);
        assert_null(got.why);
    }
}

static void each_result_has_its_action(void **state)
{
    (void)state;
    struct check_dkim_options options = {.none = CHECK_DKIM_TAG,
                                         .neutral = CHECK_DKIM_QUARANTINE,
                                         .fail = CHECK_DKIM_REJECT,
                                         .policy = CHECK_DKIM_REJECT,
                                         .temperror = CHECK_DKIM_TEMPFAIL,
                                         .permerror = CHECK_DKIM_TAG};
    static const struct {
        enum auth_result result;
        enum result_code code;
        const char *why;
    } rows[] = {{AUTH_NONE, RESULT_TAG, "dkim.none"},          {AUTH_NEUTRAL, RESULT_QUARANTINE, "dkim.neutral"},
                {AUTH_FAIL, RESULT_REJECT, "dkim.fail"},       {AUTH_SOFTFAIL, RESULT_REJECT, "dkim.fail"},
                {AUTH_POLICY, RESULT_REJECT, "dkim.policy"},   {AUTH_TEMPERROR, RESULT_DEFER, "dkim.temperror"},
                {AUTH_PERMERROR, RESULT_TAG, "dkim.permerror"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct result got = check_dkim_decide(&options, rows[i].result);
        assert_int_equal(got.code, rows[i].code);
        assert_string_equal(got.why, rows[i].why);
    }
    assert_int_equal(check_dkim_decide(&options, AUTH_PASS).code, RESULT_OK);
    options.temperror = CHECK_DKIM_ACCEPT;
    options.common.on_error = ON_ERROR_TEMPFAIL;
    assert_int_equal(check_dkim_decide(&options, AUTH_TEMPERROR).code, RESULT_DEFER);
    options.common.on_error = ON_ERROR_ACCEPT;
    assert_int_equal(check_dkim_decide(&options, AUTH_TEMPERROR).code, RESULT_OK);
}

static void the_best_result_decides(void **state)
{
    (void)state;
    static const enum auth_result order[] = {AUTH_NONE,     AUTH_NEUTRAL, AUTH_PERMERROR, AUTH_POLICY,
                                             AUTH_SOFTFAIL, AUTH_FAIL,    AUTH_TEMPERROR, AUTH_PASS};
    for (size_t i = 0; i + 1 < sizeof order / sizeof *order; i++) {
        const struct auth_dkim_signature both[] = {{.result = order[i + 1]}, {.result = order[i]}};
        const struct auth_dkim_signature turned[] = {{.result = order[i]}, {.result = order[i + 1]}};
        assert_int_equal(auth_dkim_best(both, 2), order[i + 1]);
        assert_int_equal(auth_dkim_best(turned, 2), order[i + 1]);
    }
    assert_int_equal(auth_dkim_best(NULL, 0), AUTH_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_refused_by_default),
        cmocka_unit_test(each_result_has_its_action),
        cmocka_unit_test(the_best_result_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
