/* auth - the words of RFC 8601 2.7 and of RFC 9989 for results and policies. */
#include "auth/auth.h"
#include <strings.h>

static const char *const result_names[] = {"none",     "neutral", "pass",      "fail",
                                           "softfail", "policy",  "temperror", "permerror"};
static const char *const policy_names[] = {"none", "quarantine", "reject"};

const char *auth_result_name(enum auth_result result)
{
    return result_names[result];
}

int auth_result_parse(const char *name, enum auth_result *result)
{
    if (strcasecmp(name, "hardfail") == 0) /* what RFC 5451 called it */
        name = "fail";
    for (size_t i = 0; i < sizeof result_names / sizeof *result_names; i++) {
        if (strcasecmp(name, result_names[i]) == 0) {
            *result = (enum auth_result)i;
            return 0;
        }
    }
    return -1;
}

const char *auth_policy_name(enum auth_policy policy)
{
    return policy_names[policy];
}

int auth_policy_parse(const char *name, enum auth_policy *policy)
{
    for (size_t i = 0; i < sizeof policy_names / sizeof *policy_names; i++) {
        if (strcasecmp(name, policy_names[i]) == 0) {
            *policy = (enum auth_policy)i;
            return 0;
        }
    }
    return -1;
}

static int rank(enum auth_result result)
{
    static const int ranks[] = {[AUTH_PASS] = 7,      [AUTH_TEMPERROR] = 6, [AUTH_FAIL] = 5,   [AUTH_SOFTFAIL] = 4,
                                [AUTH_POLICY] = 3,    [AUTH_PERMERROR] = 2, [AUTH_NEUTRAL] = 1, [AUTH_NONE] = 0};
    return ranks[result];
}

enum auth_result auth_dkim_best(const struct auth_dkim_signature *signatures, size_t count)
{
    enum auth_result best = AUTH_NONE;
    for (size_t i = 0; i < count; i++) {
        if (rank(signatures[i].result) > rank(best))
            best = signatures[i].result;
    }
    return best;
}
