/*
 * digest - SHA-256 for fingerprints and long keys. Private to autoreply/. THREADS: any.
 */
#ifndef POSTERN_AUTOREPLY_DIGEST_H
#define POSTERN_AUTOREPLY_DIGEST_H

#include "util/span.h"

#define DIGEST_HEX 64

/* Of BYTES, in lower-case hex with a NUL behind it. A libcrypto that cannot do it ends the process. */
void digest_hex(struct span bytes, char hex[DIGEST_HEX + 1]);

#endif
