/*
 * spool_tell - the queue's lines in the log. BEGAN is monotonic us. THREADS: any.
 */
#ifndef POSTERN_SPOOL_SPOOL_TELL_H
#define POSTERN_SPOOL_SPOOL_TELL_H

#include "spool/spool_rows.h"

/* event=spool: the entry leaves. */
void spool_tell_end(const struct spool_row *row, int64_t began, enum spool_end end, const char *reply);

/* event=spool-decided: it is not sent any more, and stays until its owner could do what follows from END. */
void spool_tell_waiting(const struct spool_row *row, int64_t began, enum spool_end end);

/* event=spool-attempt: it failed, and the entry waits. */
void spool_tell_failure(const struct spool_row *row, int64_t began);

/* event=spool-recipient: one of several that did not get it; the entry's own line would not tell which. */
void spool_tell_recipient(const struct spool_row *row, const struct spool_recipient *recipient);

#endif
