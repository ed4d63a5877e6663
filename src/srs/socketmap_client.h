/*
 * socketmap_client - one connection of the socketmap: what came in, what is still to go out, and since when.
 *
 * OWNS: its descriptor and its buffers. THREADS: one at a time, but for socketmap_client_expire(), which any may call
 * as long as it is not closed.
 */
#ifndef POSTERN_SRS_SOCKETMAP_CLIENT_H
#define POSTERN_SRS_SOCKETMAP_CLIENT_H

#include "srs/socketmap_lookup.h"
#include <pthread.h>
#include <stdatomic.h>

#define SOCKETMAP_INPUT 4096 /* octets read at once; a whole request fits */
#define SOCKETMAP_OUTPUT_HIGH                                                                                          \
    16384 /* octets of answers after which no further request is looked at before they are out */
#define SOCKETMAP_OUTPUT_MAX 32768 /* ... and what the last answer may come to with them */

struct socketmap_client {
    struct socketmap_client *next, *previous; /* the server's */
    pthread_mutex_t lock; /* held by whoever serves it, from before to behind the arming of its descriptor */
    int fd;
    _Atomic int64_t deadline; /* of what is unfinished, us of clock_monotonic_us(); 0: nothing is */
    struct strbuf out;
    size_t sent, in_len;
    char in[SOCKETMAP_INPUT];
};

/* How often what became of requests. */
struct socketmap_counts {
    _Atomic uint64_t answers[SOCKETMAP_PERM + 1]; /* by status */
    _Atomic uint64_t broken;                      /* closed for what they sent */
    _Atomic uint64_t expired;                     /* closed for their time */
    _Atomic uint64_t refused;                     /* closed because there were too many */
};

struct socketmap_client *socketmap_client_create(int fd);
void socketmap_client_close(struct socketmap_client *client);

enum socketmap_wish {
    SOCKETMAP_WANTS_INPUT, /* call again when there is something to read */
    SOCKETMAP_WANTS_ROOM,  /* ... when something can be written */
    SOCKETMAP_WANTS_END    /* close it */
};

/* Reads once, answers what is whole, writes as far as the socket takes it. */
enum socketmap_wish socketmap_client_serve(struct socketmap_client *client, const struct socketmap_options *options,
                                           struct srs *srs, struct socketmap_counts *counts);

/* If its time is over, shuts it down, so that whoever waits for it finds the end. True if so. */
bool socketmap_client_expire(struct socketmap_client *client, int64_t now);

#endif
