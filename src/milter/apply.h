/*
 * apply - the queued edits of a message, given to the MTA. Only from the end-of-message callback.
 */
#ifndef POSTERN_MILTER_APPLY_H
#define POSTERN_MILTER_APPLY_H

#include "core/message.h"
#include "milter/negotiate.h"
#include <libmilter/mfapi.h>

/* 0, or -1: the MTA refused one; the message must then be answered 4xx. */
int apply_edits(SMFICTX *ctx, const struct message *message, struct negotiated negotiated);

#endif
