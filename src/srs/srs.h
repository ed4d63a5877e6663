/*
 * srs - the codec with its keys and with the store behind it: what the check, the socketmap and posternctl share.
 *
 * A sender whose rewritten local part would be over SRS_LOCAL_MAX is kept in the store ("srs/TOKEN", for max_age) under
 * a token, and written SRS0=HASH=TT==TOKEN@DOMAIN: the domain is empty, the token stands where the local part would.
 * The token is made of the sender by the key, so that the same sender has the same row; on reading, the row's expiry is
 * that of TT. With Redis every machine that has the same secrets can undo it.
 *
 * The secrets file is looked at at most twice a second and read again when it was changed, once it is quiet; a bad new
 * version leaves the old keys in use and is logged once.
 *
 * OWNS: the keys. THREADS: any; it locks inside. A call blocks only for the store (which is synced), and only with a
 * long sender, and one in half a second for a look at the file.
 */
#ifndef POSTERN_SRS_SRS_H
#define POSTERN_SRS_SRS_H

#include "srs/srs_codec.h"
#include "store/store.h"

struct srs_options {
    const char *secrets_file;
    unsigned hash_length, hash_minimum;
    char separator;
    int64_t max_age; /* days */
};

struct srs;

#define SRS_SENDER_MAX 1000 /* octets; a longer one is SRS_TOO_LONG */

/* Reads the keys; if there is no file and MAY_CREATE, makes one and says so in the log. STORE may be NULL: then long
 * senders are SRS_DOWN. NULL with *PROBLEM on ARENA. OPTIONS are copied. */
struct srs *srs_open(const struct srs_options *options, struct store *store, bool may_create, struct arena *arena,
                     const char **problem);
void srs_close(struct srs *srs);

/* SENDER as DOMAIN sends it on, NOW in seconds since 1970. IS_TRIAL: nothing is stored. SRS_OK, SRS_NONE, SRS_DOWN; or
 * SRS_TOO_LONG if not even a token helps (DOMAIN or SENDER is too long). *RESULT is NULL unless SRS_OK. */
enum srs_outcome srs_forward(struct srs *srs, struct arena *arena, const char *sender, const char *domain, int64_t now,
                             bool is_trial, const char **result);

/* The address that ADDRESS stands for; see srs_codec_reverse(). */
enum srs_outcome srs_reverse(struct srs *srs, struct arena *arena, const char *address, int64_t now,
                             const char **result);

/* The sender who is kept in STORE under TOKEN (in lower case), no matter who asks: no hash, no age. SRS_OK, SRS_UNKNOWN
 * or SRS_DOWN. *SENDER on ARENA, NULL unless SRS_OK. */
enum srs_outcome srs_find_sender(struct store *store, struct arena *arena, const char *token, int64_t now,
                                 const char **sender);

/* How many secrets there are now. */
size_t srs_key_count(struct srs *srs);

#endif
