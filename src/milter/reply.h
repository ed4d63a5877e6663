/*
 * reply - "550 5.7.1 text" as libmilter wants it.
 */
#ifndef POSTERN_MILTER_REPLY_H
#define POSTERN_MILTER_REPLY_H

#include "core/runner.h"
#include <libmilter/mfapi.h>

struct reply_parts {
    char code[4];    /* "550" */
    char status[12]; /* "5.7.1" */
    char text[1024]; /* '%' doubled: Sendmail takes the text for a format, Postfix undoes it */
};

/* 0, or -1: REPLY does not begin with two codes. */
int reply_split(const char *reply, struct reply_parts *parts);

/* Sendmail puts "<recipient>... " before the text of an answer to RCPT with 450, 550 or 553 itself. Where REPLY's text
 * begins so as well, REPLY without it, in ARENA. */
const char *reply_for_sendmail(struct arena *arena, const char *reply);

/* Sets the reply and answers with the status to return from the callback. */
sfsistat reply_send(SMFICTX *ctx, struct outcome outcome, sfsistat otherwise);

#endif
