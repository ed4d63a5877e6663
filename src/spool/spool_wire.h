/*
 * spool_wire - a connection to the MTA: bytes out, replies in, each step with a deadline.
 *
 * libcurl connects, reads the greeting, says EHLO and starts TLS; the dialogue behind that is ours
 * (docs/adr/0009-spool-smtp.md).
 *
 * OWNS: the connection. THREADS: one a wire. ERRORS: -1, and what was wrong in spool_wire_problem(); then nothing but
 * spool_wire_close() is to be called any more.
 */
#ifndef POSTERN_SPOOL_SPOOL_WIRE_H
#define POSTERN_SPOOL_SPOOL_WIRE_H

#include "spool/spool_reply.h"
#include "util/arena.h"
#include <stdatomic.h>
#include <stdint.h>

#define SPOOL_STOP_GRACE_US 1000000 /* what a step may still take when the worker is to let go */

struct spool_endpoint {
    const char *url; /* for libcurl: scheme, credentials, host, port, and the EHLO name as its path */
    bool starttls;
    const char *ca_file; /* NULL: the system's */
};

/* What SUBMIT means. NULL, or what is wrong with it. On ARENA. */
const char *spool_url_parse(struct arena *arena, const char *submit, const char *hostname,
                            struct spool_endpoint *endpoint);

struct spool_wire;

/* TIMEOUT in ms, for each step. *STOPPED_AT: when the worker was told to let go (monotonic us), 0 before that. NULL
 * with PROBLEM filled in if there is no connection. */
struct spool_wire *spool_wire_open(const struct spool_endpoint *endpoint, int64_t timeout,
                                   const _Atomic(int64_t) *stopped_at, char *problem, size_t size);

/* No farewell; that is a command like any other. */
void spool_wire_close(struct spool_wire *wire);

/* From now on a stop may (or may not) end a step early: what is behind the final dot is waited for. */
void spool_wire_may_stop(struct spool_wire *wire, bool may_stop);

bool spool_wire_was_stopped(const struct spool_wire *wire); /* was that the problem? */

/* From now on a step may take TIMEOUT ms at most. */
void spool_wire_limit(struct spool_wire *wire, int64_t timeout);

int spool_wire_send(struct spool_wire *wire, struct span bytes);

/* Reads one whole reply. */
int spool_wire_receive(struct spool_wire *wire, struct spool_reply *reply);

/* Has the server said something that it was not asked for, or hung up? Does not wait. */
bool spool_wire_has_input(struct spool_wire *wire);

const char *spool_wire_problem(const struct spool_wire *wire);

#endif
