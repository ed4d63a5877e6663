/*
 * srs - mail that travels on: senders rewritten, Postern's own forwards carried out, bounces led home.
 *
 * Reads: header, content (with mixed = split). Provides: "srs". Proposes: another reverse-path, other recipients, the
 * header field X-Postern-Forwarded; queues copies (spool.h) in PHASE_COMMIT.
 */
#ifndef POSTERN_CHECKS_SRS_H
#define POSTERN_CHECKS_SRS_H

#include "core/check.h"
#include "srs/forwarding.h"

extern const struct check check_srs;

struct srs_check_options {
    struct check_options common;
    struct forwarding_options forwarding;
    const struct template *reply_forged, *reply_expired, *reply_unknown, *reply_not_a_bounce, *reply_loop;
};

/* Rows of its options, in srs_rows.c. */
extern const struct option_row srs_rows[];

#endif
