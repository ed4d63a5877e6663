/*
 * spool_batch - the entries whose turn it is, from then until each waits again or has left.
 *
 * OWNS: nothing beyond the call. THREADS: the sender's.
 */
#ifndef POSTERN_SPOOL_SPOOL_BATCH_H
#define POSTERN_SPOOL_SPOOL_BATCH_H

#include "spool/spool_rows.h"
#include "spool/spool_sender.h"

#define SPOOL_BATCH_MOST SPOOL_DOTS_EACH

void spool_batch(struct spool_sender *sender, const struct spool_picking *picking);

#endif
