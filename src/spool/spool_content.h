/*
 * spool_content - what follows the 354 (RFC 5321 section 4.5.2), except for the end of it.
 *
 * OWNS: nothing. THREADS: the conversation's. ERRORS: NULL is good; else what went wrong, and then the connection is to
 * be cut, for only that takes the content back.
 */
#ifndef POSTERN_SPOOL_SPOOL_CONTENT_H
#define POSTERN_SPOOL_SPOOL_CONTENT_H

#include "spool/spool_smtp.h"

#define SPOOL_BLOCK_SIZE 65536 /* bytes of the content for a block, which has three times as many at most, and two */

/* Everything but the last BLOCK, which waits for the final dot. */
const char *spool_content_send(struct spool_wire *wire, struct spool_delivery *delivery, struct strbuf *block);

/* BLOCK is empty then. */
const char *spool_content_send_block(struct spool_wire *wire, struct strbuf *block);

#endif
