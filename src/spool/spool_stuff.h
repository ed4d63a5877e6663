/*
 * spool_stuff - content made ready for DATA (RFC 5321 section 4.5.2): a dot at the beginning of a line is doubled.
 *
 * A bare CR or LF becomes CRLF, because some servers take it for the end of a line and then a dot behind it for the end
 * of the message. Everything else passes as it is, lines of any length too. Pure. THREADS: plain values.
 */
#ifndef POSTERN_SPOOL_SPOOL_STUFF_H
#define POSTERN_SPOOL_SPOOL_STUFF_H

#include "util/strbuf.h"

struct spool_stuff {
    bool inside_line, after_cr;
};

/* Begins with {0}. Adds to OUT, at most three times as many bytes as BYTES has, and two. */
void spool_stuff_add(struct spool_stuff *stuff, struct span bytes, struct strbuf *out);

/* Ends the last line if the content did not. The final dot is the caller's. */
void spool_stuff_end(struct spool_stuff *stuff, struct strbuf *out);

#endif
