/*
 * bounces - backscatter: bounces for mail that was never sent from here are refused.
 *
 * Reads: the envelope. Provides: nothing. Proposes: nothing.
 */
#ifndef POSTERN_CHECKS_BOUNCES_H
#define POSTERN_CHECKS_BOUNCES_H

#include "core/check.h"

extern const struct check check_bounces;

struct bounces_options {
    struct check_options common;
    bool require_srs;
    const struct template *reply;
};

#endif
