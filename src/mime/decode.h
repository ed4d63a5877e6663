/*
 * decode - the bytes of a part behind its transfer encoding. Private to mime/. THREADS: none inside.
 */
#ifndef POSTERN_MIME_DECODE_H
#define POSTERN_MIME_DECODE_H

#include "mime/outline.h"
#include <gmime/gmime.h>

#define DECODE_ROOM 33000 /* bytes that one decode_next() may give, those included that it may write behind them */
#define DECODE_SLACK 4    /* so many: a vector is written whole */

struct decoder {
    struct source source;
    uint64_t at;
    GMimeEncoding state; /* of quoted-printable */
    unsigned bits, have; /* of base64: what is there of a group, and how many characters */
    bool plain;
    bool base64;
    char block[32768];
};

void decode_begin(struct decoder *decoder, const struct source *source, GMimeContentEncoding encoding);

/* The next bytes into ROOM (DECODE_ROOM bytes): how many, 0 at the end, -1 with errno. */
ssize_t decode_next(struct decoder *decoder, char *room);

/* How many bytes SOURCE decodes to; base64 is counted, not decoded. */
uint64_t decode_size(const struct source *source, GMimeContentEncoding encoding);

/* The last bytes, decoded, into ROOM (LEN bytes, from LEN characters of base64): how many. Only for base64 and what is
 * not encoded, else 0. */
size_t decode_tail(const struct source *source, GMimeContentEncoding encoding, char *room, size_t len);

#endif
