/*
 * socketmap_lookup - what is answered to one request: which keys forward and reverse have an answer for.
 *
 * THREADS: any. Blocks only as srs_forward() and srs_reverse() do.
 */
#ifndef POSTERN_SRS_SOCKETMAP_LOOKUP_H
#define POSTERN_SRS_SOCKETMAP_LOOKUP_H

#include "srs/socketmap.h"
#include "srs/socketmap_wire.h"

/* Adds the answer to OUT; NOW in seconds since 1970. */
enum socketmap_status socketmap_lookup(const struct socketmap_options *options, struct srs *srs,
                                       const struct socketmap_request *request, int64_t now, struct strbuf *out);

#endif
