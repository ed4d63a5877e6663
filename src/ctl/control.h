/*
 * control - the client side of the control socket.
 *
 * OWNS: nothing. THREADS: none inside. ERRORS: sysexits codes; the reasons are written to stderr.
 */
#ifndef POSTERN_CTL_CONTROL_H
#define POSTERN_CTL_CONTROL_H

#include "ctl/options.h"
#include "util/strbuf.h"

/* Sends COMMAND and reads the answer for at most TIMEOUT milliseconds; CALL says where posternd is (CTL_DAEMON).
 * Returns 0 or the code that posternd answered, with the text behind the first line in TEXT; or EX_UNAVAILABLE (nobody
 * there), EX_TEMPFAIL (too slow), EX_NOPERM, EX_CONFIG (no control path found), EX_PROTOCOL, with the reason on stderr
 * and no TEXT. */
int ctl_ask(const struct ctl_call *call, const char *command, int timeout, struct strbuf *text);

#endif
