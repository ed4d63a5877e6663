/*
 * srs_codec - the Sender Rewriting Scheme: SRS0 and SRS1 addresses written and undone.
 *
 * SRS0=HASH=TT=DOMAIN=LOCAL@OURS stands for LOCAL@DOMAIN; SRS1=HASH=HOST==REST@OURS for SRS0=REST@HOST, which another
 * forwarder wrote. HASH is the beginning of a HMAC-SHA1 in base64 over the rest in lower case, TT the day modulo 1024
 * in base32. Written as Mail::SRS and PostSRSd do it, but with the URL's alphabet (no "/" and "+", which some servers
 * refuse); read in both alphabets and in any case, because relays change it. Mail::SRS and PostSRSd before 2.2.6 read a
 * hash with "-" or "_" as forged; with their secrets we read theirs.
 *
 * A result is a valid path: quoted where the local part needs it, without control characters, at most 254 octets.
 *
 * Pure: no file, no clock, no store. THREADS: any. OWNS: nothing; results are on the arena.
 */
#ifndef POSTERN_SRS_SRS_CODEC_H
#define POSTERN_SRS_SRS_CODEC_H

#include "util/arena.h"
#include "util/span.h"
#include <stdbool.h>
#include <stdint.h>

#define SRS_LOCAL_MAX 64 /* octets of a local part, RFC 5321 4.5.3.1.1 */

struct srs_codec {
    const struct span *secrets; /* the first signs, all verify */
    size_t secret_count;
    unsigned hash_length;  /* characters written, 4 to 8 */
    unsigned hash_minimum; /* characters that are read at least, 4 to 8 */
    char separator;        /* behind SRS0 and SRS1: '=', '+' or '-'; all are read */
    int64_t max_age;       /* days */
};

enum srs_outcome {
    SRS_OK,
    SRS_NONE,      /* reverse: no SRS address at all; forward: no address with a local part and a domain */
    SRS_MALFORMED, /* begins like one, and is none */
    SRS_FORGED,    /* no secret of ours makes this hash */
    SRS_EXPIRED,   /* genuine once, TT is more than max_age ago (or ahead by more than a day) */
    SRS_TOO_LONG,  /* forward: over SRS_LOCAL_MAX, or over 254 octets in all; *RESULT is written all the same */
    SRS_UNKNOWN,   /* reverse: its token is not in the store (srs.h); from the codec: genuine, *RESULT is the token */
    SRS_DOWN       /* the store does not answer (srs.h) */
};

/* "forged", "expired": for people and logs. */
const char *srs_outcome_name(enum srs_outcome outcome);

#define SRS_TOKEN_LENGTH 24 /* letters and digits, in lower case */

/* Does the local part begin with SRS0 or SRS1 and a separator, in any case? ADDRESS with or without a domain. */
bool srs_is_address(const char *address);

/* ADDRESS as DOMAIN forwards it, at NOW (seconds since 1970): SRS1 if it is a foreign SRS0 or SRS1, else SRS0. Whether
 * it should be rewritten at all is the caller's to know. */
enum srs_outcome srs_codec_forward(const struct srs_codec *codec, struct arena *arena, const char *address,
                                   const char *domain, int64_t now, const char **result);

/* What ADDRESS stands for; whether its domain is ours is the caller's to know. An SRS1 gives the SRS0 it was made of
 * (with the separator it had); that is no longer ours to check, so its age is not looked at. *RESULT is NULL unless
 * SRS_OK or SRS_UNKNOWN. */
enum srs_outcome srs_codec_reverse(const struct srs_codec *codec, struct arena *arena, const char *address, int64_t now,
                                   const char **result);

/* How many days ago ADDRESS was written, -1 for tomorrow; false if it is no SRS0. Does not look at the hash. */
bool srs_codec_age(struct arena *arena, const char *address, int64_t now, int64_t *days);

/* For srs.h. The token of ADDRESS, made by the first secret; SRS0=HASH=TT==TOKEN@DOMAIN. SRS_NONE, SRS_OK,
 * SRS_TOO_LONG. */
enum srs_outcome srs_codec_make_token(const struct srs_codec *codec, struct arena *arena, const char *address,
                                      char token[SRS_TOKEN_LENGTH + 1]);
enum srs_outcome srs_codec_forward_token(const struct srs_codec *codec, struct arena *arena, const char *token,
                                         const char *domain, int64_t now, const char **result);

#endif
