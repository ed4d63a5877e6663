/*
 * skeleton - a check that does nothing but what its options say, in every phase: the pattern to copy for a new check,
 * and what test_runner drives.
 *
 * Reads: nothing. Provides: "skeleton.helo", "skeleton.eom", "skeleton.body",
 * "skeleton.accepted", "skeleton.commit". Proposes: a header, if `header` is set.
 */
#ifndef POSTERN_TESTS_SKELETON_H
#define POSTERN_TESTS_SKELETON_H

#include "core/check.h"

extern const struct check check_skeleton;

struct skeleton_options {
    struct check_options common;
    int result[PHASE_COUNT]; /* enum result_code of each phase's hook */
    const char *header;
    const struct template *reply, *reply_defer;
};

/* Pure: what the hook of PHASE answers. */
struct result skeleton_decide(const struct skeleton_options *options, enum phase phase);

#endif
