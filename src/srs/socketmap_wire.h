/*
 * socketmap_wire - the bytes of socketmap_table(5): netstrings "LEN:BYTES,", requests "NAME KEY", answers "STATUS
 * TEXT".
 *
 * Pure. THREADS: any. OWNS: nothing; a request points into the bytes that were given.
 */
#ifndef POSTERN_SRS_SOCKETMAP_WIRE_H
#define POSTERN_SRS_SOCKETMAP_WIRE_H

#include "util/span.h"
#include "util/strbuf.h"

#define SOCKETMAP_WIRE_MAX(content) ((content) + 12) /* octets of a netstring with so many in it, at most */
#define SOCKETMAP_REASON_MAX 200                     /* octets of the text behind TEMP and PERM */

enum socketmap_progress {
    SOCKETMAP_MORE,    /* what is there is the beginning of a request */
    SOCKETMAP_REQUEST, /* there is a whole one */
    SOCKETMAP_BROKEN   /* whatever comes, this will be none, or one that is too long */
};

struct socketmap_request {
    struct span name, key; /* any bytes; the key is all behind the first space */
    bool has_key;          /* there was a space */
};

/* The first request in BYTES, with at most MAX octets in its netstring; *TAKEN are the octets it stands in. A broken
 * one is known by its first wrong octet. */
enum socketmap_progress socketmap_wire_take(struct span bytes, size_t max, struct socketmap_request *request,
                                            size_t *taken);

enum socketmap_status { SOCKETMAP_OK, SOCKETMAP_NOTFOUND, SOCKETMAP_TEMP, SOCKETMAP_PERM };

/* Adds an answer. TEXT behind OK stands as it is; behind TEMP and PERM it is made printable and is cut; NOTFOUND has
 * none. */
void socketmap_wire_answer(struct strbuf *out, enum socketmap_status status, struct span text);

#endif
