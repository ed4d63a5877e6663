/*
 * negotiate - every step that nobody needs is declined, every answer that is always "continue" is not sent.
 *
 * An older MTA lacks some flags; each has its fallback where it is used: without HDR_LEADSPC the space is added by
 * us, without SKIP the rest of the body is taken and forgotten, without NR_* "continue" is said each time, without
 * a DATA step what would be said there is said at the end of the message.
 *
 * SKIP and NR_BODY exclude each other, because "skip" is an answer. An answer to each 64 kB costs two context switches,
 * a tenth of the price of a large message, so it is asked for only where some sessions have bodies that nobody reads.
 */
#include "milter/negotiate.h"
#include <libmilter/mfapi.h>

/* Is there no session whose body is of no use? */
static bool every_class_is_read(const struct plan *plan)
{
    for (unsigned class = CLASS_OUTSIDE; class <= CLASS_LOCAL; class <<= 1) {
        if (!(plan_needs(plan, (enum session_class)class) & NEEDS_CONTENT))
            return false;
    }
    return true;
}

struct negotiated negotiate(const struct plan *plan, struct negotiated offers)
{
    unsigned long actions = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE;
    if (plan->edits_envelope)
        actions |= SMFIF_CHGFROM | SMFIF_ADDRCPT | SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT;
    unsigned long steps = SMFIP_NOUNKNOWN | SMFIP_HDR_LEADSPC | SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_HDR |
                          SMFIP_NR_EOH;
    bool reads_body = plan->needs & (NEEDS_CONTENT | NEEDS_BODY);

    if (!plan_may_object(plan, PHASE_MAIL))
        steps |= SMFIP_NR_MAIL;
    if (!plan_has_hook(plan, PHASE_DATA))
        steps |= SMFIP_NODATA;
    else if (!plan_may_object(plan, PHASE_DATA))
        steps |= SMFIP_NR_DATA;
    if (!plan->needs)
        steps |= SMFIP_NOHDRS;
    if (!plan->needs && !plan_has_hook(plan, PHASE_EOH) && !plan_has_hook(plan, PHASE_DATA))
        steps |= SMFIP_NOEOH;
    if (!reads_body)
        steps |= SMFIP_NOBODY;
    else if (offers.steps & SMFIP_SKIP && !every_class_is_read(plan))
        steps |= SMFIP_SKIP;
    else
        steps |= SMFIP_NR_BODY;
    return (struct negotiated){actions & offers.actions, steps & offers.steps};
}
