/*
 * compose_private - what compose.c (the reply) and compose_header.c (what is taken over of the original) share.
 */
#ifndef POSTERN_AUTOREPLY_COMPOSE_PRIVATE_H
#define POSTERN_AUTOREPLY_COMPOSE_PRIVATE_H

#include "autoreply/compose.h"

/* The original's subject, decoded and bounded, one line of UTF-8; NULL if it has none. On ARENA. */
const char *compose_original_subject(struct arena *arena, const struct header_field *headers, size_t count);

/* What the reply refers to (RFC 5322 3.6.4), each a msg-id with its brackets. */
#define COMPOSE_REFERENCES_MAX 20
struct compose_thread {
    struct span message_id; /* ptr NULL: the original has no valid one, and the reply refers to nothing */
    struct span references[COMPOSE_REFERENCES_MAX]; /* the original's, without its own: the first and the latest */
    size_t count;
};
void compose_find_thread(const struct header_field *headers, size_t count, struct compose_thread *thread);

#endif
