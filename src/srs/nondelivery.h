/*
 * nondelivery - a copy that the MTA did not take: the sender is told (RFC 3464), as the MTA itself would have done.
 *
 * The copy was taken over when its message was answered 250, so nobody else would tell him. THREADS: any.
 */
#ifndef POSTERN_SRS_NONDELIVERY_H
#define POSTERN_SRS_NONDELIVERY_H

#include "srs/forwarding.h"

#define NONDELIVERY_KIND "report"

/* The report on what is refused of LEFT, to TO (the original reverse-path), with CRLF lines, on ARENA. The null span:
 * nobody is to be told, for TO is the null reverse-path, none failed, or none of the failed wants to hear of it (NOTIFY
 * without FAILURE, RFC 3461 4.1). HOSTNAME ours. *NEEDS_UTF8: an address is internationalised. */
struct span nondelivery_compose(struct arena *arena, const struct spool_left *left, const char *to,
                                const char *hostname, bool *needs_utf8);

/* The spool's callback for COPIES_KIND (copies.h), whose memo is the original reverse-path; FORWARDING is a struct
 * forwarding. What an administrator deletes is not reported. A report is queued even if the queue is full, for its
 * entry leaves. False: it could not be queued now. */
bool nondelivery_after(void *forwarding, const struct spool_left *left);

#endif
