/*
 * responder_private - what responder_json.c and responder_verify.c share.
 */
#ifndef POSTERN_AUTOREPLY_RESPONDER_PRIVATE_H
#define POSTERN_AUTOREPLY_RESPONDER_PRIVATE_H

#include "autoreply/responder.h"

/* responder_verify(); IS_STORED: without what may change by itself (time zones) or matters only on the way in
 * (size). */
int responder_settle(struct arena *arena, struct responder *responder, bool is_stored,
                     struct responder_problem *problem);

#endif
