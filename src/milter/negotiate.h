/*
 * negotiate - which steps and actions to ask the MTA for. Pure logic. THREADS: any.
 */
#ifndef POSTERN_MILTER_NEGOTIATE_H
#define POSTERN_MILTER_NEGOTIATE_H

#include "core/engine.h"

struct negotiated {
    unsigned long actions, steps; /* SMFIF_*, SMFIP_* */
};

/* What PLAN needs of what the MTA OFFERS: nothing it does not need, nothing the MTA lacks. */
struct negotiated negotiate(const struct plan *plan, struct negotiated offers);

#endif
