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

/* REPLY without the "<ADDRESS>... " that its text may begin with; in ARENA if that changes it. */
const char *reply_without_recipient(struct arena *arena, const char *reply, const char *address);

/* Sets the reply and answers with the status to return from the callback. */
sfsistat reply_send(SMFICTX *ctx, struct outcome outcome, sfsistat otherwise);

#endif
