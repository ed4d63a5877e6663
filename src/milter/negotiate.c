/*
 * negotiate - every step that nobody needs is declined, every answer that is always "continue" is not sent.
 *
 * An older MTA lacks some flags; each has its fallback where it is used: without HDR_LEADSPC the space is added by
 * us, without SKIP the rest of the body is taken and forgotten, without NR_* "continue" is said each time, without
 * a DATA step what would be said there is said at the end of the header.
 */
#include "milter/negotiate.h"
#include <libmilter/mfapi.h>

struct negotiated negotiate(const struct plan *plan, struct negotiated offers)
{
    unsigned long actions = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE;
    unsigned long steps = SMFIP_NOUNKNOWN | SMFIP_HDR_LEADSPC | SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_HDR;
    bool reads_body = plan->needs & (NEEDS_CONTENT | NEEDS_BODY);

    if (!plan_has_hook(plan, PHASE_MAIL))
        steps |= SMFIP_NR_MAIL;
    if (!plan_has_hook(plan, PHASE_DATA))
        steps |= SMFIP_NODATA;
    if (!plan->needs)
        steps |= SMFIP_NOHDRS;
    if (!plan->needs && !plan_has_hook(plan, PHASE_EOH) && !plan_has_hook(plan, PHASE_DATA))
        steps |= SMFIP_NOEOH;
    if (!reads_body)
        steps |= SMFIP_NOBODY;
    else
        steps |= offers.steps & SMFIP_SKIP ? SMFIP_SKIP : SMFIP_NR_BODY;
    return (struct negotiated){actions & offers.actions, steps & offers.steps};
}
