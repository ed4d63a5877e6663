/*
 * received - what a relay of ours wrote about its own client, out of the Received field it put on top.
 *
 * OWNS: nothing; the HELO name lives on the arena given. THREADS: any. ERRORS: -1 for whatever is not understood.
 */
#ifndef POSTERN_AUTH_RECEIVED_H
#define POSTERN_AUTH_RECEIVED_H

#include "util/arena.h"
#include "util/netaddr.h"
#include "util/span.h"

/* VALUE: of one Received field of Postfix, Sendmail or Exim, folds and all. */
int received_parse(struct arena *arena, struct span value, struct netaddr *client, const char **helo);

#endif
