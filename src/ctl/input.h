/*
 * input - a file or standard input, whole. THREADS: none inside.
 */
#ifndef POSTERN_CTL_INPUT_H
#define POSTERN_CTL_INPUT_H

#include "ctl/options.h"
#include "util/span.h"

/* PATH, "-" is standard input; at most MAX bytes, on the call's arena, for FIELD (NULL: it is no field's). EX_OK, or a
 * status and said on stderr. Read before the identity is changed (ctl/state.h): the file is the caller's. */
int ctl_read_input(const struct ctl_call *call, const char *path, const char *field, size_t max, struct span *bytes);

#endif
