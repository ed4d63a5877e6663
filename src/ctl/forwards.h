/*
 * forwards - what the verbs of `posternctl forwards` share.
 *
 * Everything is on the call's arena. THREADS: one. ERRORS: a status of sysexits.h, and said on stderr.
 */
#ifndef POSTERN_CTL_FORWARDS_H
#define POSTERN_CTL_FORWARDS_H

#include "ctl/json.h"
#include "ctl/state.h"
#include "srs/forward_row.h"

int forwards_list(int argc, char **argv);
int forwards_add(int argc, char **argv);    /* forwards_change.c */
int forwards_delete(int argc, char **argv); /* forwards_change.c */
int forwards_import(int argc, char **argv); /* forwards_import.c */

/* Opens STATE for a change of the rows in the store. EX_CONFIG: the table is a file, which is not changed here. STATE
 * is to be closed in any case. */
int forwards_open_rows(const struct ctl_call *call, struct ctl_state *state);

/* Is ADDRESS, folded, what mail is looked up by? NULL, or the address (for "@domain" likewise) that it would be. */
const char *forwards_looked_up_as(const struct ctl_call *call, const struct ctl_state *state,
                                  const struct alias_address *address);

/* FORWARD of ADDRESS, for --json. The caller's to delete. */
cJSON *forwards_json(const char *address, const struct forward *forward);

#endif
