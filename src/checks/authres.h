/*
 * authres - writes what spf, dkim and dmarc found into one Authentication-Results field, and removes forged ones.
 *
 * Refuses only what holds more forged fields than can be removed. Reads the facts "spf", "dkim", "dmarc". Proposes: the
 * field, Received-SPF, deletions. OWNS: nothing. THREADS: any. ERRORS: none.
 */
#ifndef POSTERN_CHECKS_AUTHRES_H
#define POSTERN_CHECKS_AUTHRES_H

#include "core/check.h"

extern const struct check check_authres;

struct authres_options {
    struct check_options common;
    bool add_header, remove_forged, received_spf;
};

/* Queues the deletion of each Authentication-Results field of MESSAGE that claims to be of ID, the highest index first.
 * How many there are; EDITS_DELETIONS_MAX + 1 if there are more than can be deleted: then the first ones are. */
unsigned authres_remove_forged(struct edits *edits, struct arena *arena, const struct message *message, const char *id);

#endif
