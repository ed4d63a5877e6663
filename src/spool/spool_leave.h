/*
 * spool_leave - what is told when the end of an entry is decided: to its owner, and to the log.
 *
 * OWNS: nothing; what it needs is on ARENA. THREADS: the sender's.
 */
#ifndef POSTERN_SPOOL_SPOOL_LEAVE_H
#define POSTERN_SPOOL_SPOOL_LEAVE_H

#include "spool/spool_rows.h"
#include "spool/spool_sender.h"

/* How many of ROW's recipients have FATE? */
size_t spool_row_count(const struct spool_row *row, enum spool_fate fate);

/* No recipient waits any more, or the administrator deleted it. OWNER may be NULL. BEGAN is monotonic us. True: it is
 * to be removed. False: it stays for its owner; ROW's `decided` and next_attempt are set, and to be written. */
bool spool_leave(const struct spool_sender *sender, struct arena *arena, struct spool_row *row,
                 const struct spool_owner *owner, int64_t began);

/* Its owner is not asked: it stays, as behind false. */
void spool_leave_later(const struct spool_sender *sender, struct spool_row *row, int64_t began);

#endif
