/* check - the words that every check's common options share. */
#include "core/check.h"

const struct option_word check_mode_words[] = {
    {"global", MODE_GLOBAL}, {"enforce", MODE_ENFORCE}, {"monitor", MODE_MONITOR}, {"off", MODE_OFF}, {NULL, 0}};

const struct option_word check_class_words[] = {{"outside", CLASS_OUTSIDE},
                                                {"trusted", CLASS_TRUSTED},
                                                {"authenticated", CLASS_AUTHENTICATED},
                                                {"local", CLASS_LOCAL},
                                                {NULL, 0}};

const struct option_word check_on_error_words[] = {
    {"tempfail", ON_ERROR_TEMPFAIL}, {"accept", ON_ERROR_ACCEPT}, {NULL, 0}};

const struct fact *call_fact(const struct check_call *call, const char *name)
{
    const struct fact *fact = call->message ? facts_get(&call->message->facts, name) : NULL;
    if (!fact)
        fact = facts_get(&call->session->greeting_facts, name);
    return fact ? fact : facts_get(&call->session->facts, name);
}

const void *call_value(const struct check_call *call, const char *name)
{
    const struct fact *fact = call_fact(call, name);
    return fact ? fact->value : NULL;
}
