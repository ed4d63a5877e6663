/*
 * body_length - how long a body is once canonicalized (RFC 6376 3.4.3, 3.4.4), counted as it streams by.
 *
 * What stands behind the last CRLF is not counted: end the body with one first. An empty body counts 0 here; in simple
 * it is 2. OWNS: nothing. THREADS: none inside.
 */
#ifndef POSTERN_AUTH_BODY_LENGTH_H
#define POSTERN_AUTH_BODY_LENGTH_H

#include "util/span.h"
#include <stdint.h>

struct body_length { /* zeroed at the start */
    int64_t simple, relaxed;
    int64_t simple_line, relaxed_line;
    int64_t simple_blanks, relaxed_blanks;
    bool pending_space, after_cr;
};

void body_length_count(struct body_length *length, struct span bytes);

#endif
