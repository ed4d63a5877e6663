/*
 * srs_hash - the keyed hash of SRS: HMAC-SHA1 over fields without their case, in base64. Private to srs/.
 *
 * THREADS: any. ERRORS: a libcrypto that cannot do it ends the process, as being out of memory does.
 */
#ifndef POSTERN_SRS_SRS_HASH_H
#define POSTERN_SRS_SRS_HASH_H

#include "util/span.h"
#include <stdbool.h>

#define SRS_HASH_BYTES 20
#define SRS_HASH_TEXT 27 /* characters of base64 for all of it, without padding */

/* The HMAC of FIELDS, one behind the other; upper-case ASCII counts as lower case if IGNORES_CASE. */
void srs_hash_bytes(struct span secret, const struct span *fields, size_t count, bool ignores_case,
                    unsigned char bytes[SRS_HASH_BYTES]);

/* The same without case, in base64 with the alphabet of URLs, NUL-terminated. */
void srs_hash_text(struct span secret, const struct span *fields, size_t count, char text[SRS_HASH_TEXT + 1]);

/* Is GIVEN the beginning of that text, in any case and in either alphabet of base64? Takes as long whatever the answer
 * is. */
bool srs_hash_matches(struct span secret, const struct span *fields, size_t count, struct span given);

#endif
