/* verdict - an ordered scale and its names. */
#include "core/verdict.h"

bool verdict_strengthen(struct verdict *verdict, const struct verdict *next)
{
    if (next->disposition <= verdict->disposition)
        return false;
    *verdict = *next;
    return true;
}

const char *disposition_name(enum disposition disposition)
{
    static const char *const names[] = {"accept", "tag", "quarantine", "tempfail", "reject"};
    return names[disposition];
}

const char *phase_name(enum phase phase)
{
    static const char *const names[] = {"connect", "helo", "mail", "rcpt", "data", "eoh", "eom", "accepted", "commit"};
    return names[phase];
}
