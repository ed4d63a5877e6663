/*
 * spool_plan - what is to be done with each entry of a batch: its owner is asked first.
 *
 * OWNS: nothing; what it needs is on the arena. THREADS: the sender's.
 */
#ifndef POSTERN_SPOOL_SPOOL_PLAN_H
#define POSTERN_SPOOL_SPOOL_PLAN_H

#include "spool/spool_rows.h"
#include "spool/spool_sender.h"

enum spool_plan {
    SPOOL_PLAN_LEAVE, /* it is decided: after() is due, and its removal */
    SPOOL_PLAN_STAY,  /* for after() could not do its part */
    SPOOL_PLAN_DROP,  /* to be removed, its owner does not want it */
    SPOOL_PLAN_ASK,   /* its owner is to be asked */
    SPOOL_PLAN_OWNER, /* it waits for its owner */
    SPOOL_PLAN_MTA,   /* and that one for the MTA, in a pause */
    SPOOL_PLAN_SEND,
    SPOOL_PLAN_RECORD,    /* it was sent, and its fates are not written yet */
    SPOOL_PLAN_GIVE_BACK, /* it was claimed, and not tried */
    SPOOL_PLAN_NOTHING
};

struct spool_turn {
    struct spool_row *row;
    const struct spool_owner *owner; /* NULL: nobody's */
    enum spool_plan plan;
    int64_t began; /* monotonic us */
};

/* Asks the owners, lets them settle, and sets OWNER and PLAN of each: LEAVE, DROP, OWNER, MTA or SEND. */
void spool_plan_turns(struct spool_sender *sender, struct arena *arena, struct spool_turn *turns, size_t count,
                      int64_t now);

/* Is the MTA given a rest, and ROW not one that the administrator wants sent now? */
bool spool_is_paused(const struct spool_sender *sender, const struct spool_row *row);

#endif
