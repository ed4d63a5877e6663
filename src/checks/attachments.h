/*
 * attachments - refuses files that run: by name, inside archives too, and by size.
 *
 * Reads: header and content. Provides: "attachments.file", the name that decided. Proposes: nothing but its result;
 * tag and quarantine are carried out by the runner. ERRORS: a full disk or a dead archive server is RESULT_ERROR.
 */
#ifndef POSTERN_CHECKS_ATTACHMENTS_H
#define POSTERN_CHECKS_ATTACHMENTS_H

#include "core/check.h"
#include "mime/scan.h"

extern const struct check check_attachments;

/* What to do about a finding. */
enum attachments_action { ATTACHMENTS_ACCEPT, ATTACHMENTS_TAG, ATTACHMENTS_QUARANTINE, ATTACHMENTS_REJECT };

struct attachments_options {
    struct check_options common;
    const struct strset *extensions; /* lower case, without the dot */
    bool archives;
    int64_t max_depth, max_entries, max_parts, max_levels;
    uint64_t max_expanded, max_size;
    int64_t time_limit; /* ms, all archives of a message together */
    int on_limit, encrypted, unreadable, action; /* enum attachments_action */
    const struct template *reply, *reply_size, *reply_limit, *reply_encrypted, *reply_unreadable;
};

/* What a scan found, strongest last: a finding replaces a weaker one. */
enum attachments_finding {
    ATTACHMENTS_CLEAN,
    ATTACHMENTS_UNREADABLE,
    ATTACHMENTS_ENCRYPTED,
    ATTACHMENTS_LIMIT,
    ATTACHMENTS_SIZE,
    ATTACHMENTS_EXTENSION
};

/* Pure: what OPTIONS say of FINDING, as a result without a reply. */
struct result attachments_decide(const struct attachments_options *options, enum attachments_finding finding);

#endif
