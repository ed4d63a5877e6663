/*
 * spool_leave - what is told when an entry leaves the queue: to its owner, and to the log.
 *
 * OWNS: nothing; what it needs is on ARENA. THREADS: the sender's.
 */
#ifndef POSTERN_SPOOL_SPOOL_LEAVE_H
#define POSTERN_SPOOL_SPOOL_LEAVE_H

#include "spool/spool_db.h"
#include "spool/spool_rows.h"

/* How many of ROW's recipients have FATE? */
size_t spool_row_count(const struct spool_row *row, enum spool_fate fate);

/* No recipient waits any more, or the administrator deleted it. OWNER may be NULL. BEGAN is monotonic us. */
void spool_leave(struct spool_db *db, struct arena *arena, const struct spool_row *row, const struct spool_owner *owner,
                 int64_t began);

#endif
