/*
 * trace - the header field that says that a message was sent on from here, and for whom: against loops.
 *
 * "X-Postern-Forwarded: by=HOST; id=QUEUEID; for=TOKEN,TOKEN". A token is made of the recipient's address, so that the
 * recipients of one message do not see each other, and every machine that forwards the address knows it again.
 *
 * THREADS: any. OWNS: results are on the arena.
 */
#ifndef POSTERN_SRS_TRACE_H
#define POSTERN_SRS_TRACE_H

#include "core/message.h"

#define TRACE_FIELD "X-Postern-Forwarded"
#define TRACE_TOKENS_MAX 100 /* in one field; who is beyond is caught by the hops alone */

struct trace {
    unsigned hops;         /* fields of ours that MESSAGE has already */
    const char *seen_again; /* the first of the recipients that it was sent on for before; NULL: none */
};

/* RECIPIENTS canonical. Delivered-To (as local(8) writes it) counts as ours. */
struct trace trace_find(struct arena *arena, const struct message *message, const char *const *recipients, size_t count);

/* The value of a field for them, folded with "\n\t". */
const char *trace_value(struct arena *arena, const char *hostname, const char *id, const char *const *recipients,
                        size_t count);

#endif
