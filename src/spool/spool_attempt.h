/*
 * spool_attempt - one entry and the MTA: the conversation, and what it makes of the entry.
 *
 * THREADS: the sender's.
 */
#ifndef POSTERN_SPOOL_SPOOL_ATTEMPT_H
#define POSTERN_SPOOL_SPOOL_ATTEMPT_H

#include "spool/spool_rows.h"
#include "spool/spool_sender.h"

enum spool_attempt_end {
    SPOOL_ATTEMPT_NONE,    /* the worker lets go before anything was sent: it was none */
    SPOOL_ATTEMPT_WAITS,   /* some of its recipients wait for the next attempt, which next_attempt names */
    SPOOL_ATTEMPT_DECIDED, /* none waits any more */
    SPOOL_ATTEMPT_TAKEN    /* and all that were tried now were accepted */
};

/* Speaks to the MTA, and sets ROW's fates, last_reply and next_attempt. ROW is claimed, and ATTEMPTS counts this one.
 * What is written is in the file, unsynced, that the dot may have gone out (with `once`). NEXT, for the same MTA, is
 * likely to be attempted behind it; NULL: none. */
enum spool_attempt_end spool_attempt(struct spool_sender *sender, struct arena *arena, struct spool_row *row,
                                     const struct spool_row *next);

/* Was the MTA told of NEXT of the last attempt? Then it is the next attempt, or there is none on this connection. */
bool spool_attempt_is_announced(const struct spool_sender *sender);

/* The time of the next attempt. */
void spool_put_off(const struct spool_sender *sender, struct spool_row *row, int64_t now);

bool spool_is_past_its_time(const struct spool_sender *sender, const struct spool_row *row, int64_t now);

/* Recipients whose fate is FROM get TO. */
void spool_row_turn(struct spool_row *row, enum spool_fate from, enum spool_fate to);

#endif
