/*
 * subject - a tag before a message's Subject, safe for RFC 2047.
 *
 * OWNS: nothing; results live in the arena given. THREADS: any.
 */
#ifndef POSTERN_CORE_SUBJECT_H
#define POSTERN_CORE_SUBJECT_H

#include "util/arena.h"
#include "util/span.h"
#include <stdbool.h>

/* True if TAG is printable UTF-8 of one line. */
bool subject_is_taggable(const char *tag);

/* The field's new value, without a leading space, folds as "\n " or "\n\t": TAG, a blank, and VALUE (the old one with
 * its bytes as received; empty if there was none). A TAG that is not ASCII becomes an encoded-word. */
const char *subject_tag(struct arena *arena, const char *tag, struct span value);

#endif
