/*
 * autoreply - what the verbs of `posternctl autoreply` share: from an argument to a stored responder, and back.
 *
 * Everything is on the call's arena. THREADS: one. ERRORS: a status of sysexits.h, and said on stderr.
 */
#ifndef POSTERN_CTL_AUTOREPLY_H
#define POSTERN_CTL_AUTOREPLY_H

#include "autoreply/responder.h"
#include "autoreply/responding.h"
#include "ctl/state.h"

int autoreply_list(int argc, char **argv); /* autoreply_show.c */
int autoreply_show(int argc, char **argv);
int autoreply_set(int argc, char **argv);      /* autoreply_set.c */
int autoreply_activate(int argc, char **argv); /* autoreply_change.c */
int autoreply_off(int argc, char **argv);
int autoreply_delete(int argc, char **argv);
int autoreply_reset(int argc, char **argv); /* autoreply_memory.c */
int autoreply_seen(int argc, char **argv);
int autoreply_import(int argc, char **argv);  /* autoreply_import.c */
int autoreply_export(int argc, char **argv);  /* autoreply_show.c */
int autoreply_preview(int argc, char **argv); /* autoreply_preview.c */

#define AUTOREPLY_TRIES 50 /* of a change, when others change the same, with a pause between them */
#define AUTOREPLY_PAUSE_US 10000

#define AUTOREPLY_LAST INT64_MAX /* a time that was not given: now */

/* ---- autoreply_row.c ---- */

/* Which mailbox ARGUMENT means: itself in canonical form or, if the alias tables say that it is another's alias, that
 * one; said on stderr. EX_DATAERR: no address, or it means several, or none. */
int autoreply_mailbox(const struct ctl_call *call, const struct ctl_state *state, const char *argument,
                      const char **mailbox);

/* Whose row ARGUMENT names: that of the address itself if something is stored there, though it be another's alias by
 * now, which is warned of; else as autoreply_mailbox(). EX_TEMPFAIL too. */
int autoreply_row_of(const struct ctl_call *call, const struct ctl_state *state, const char *argument,
                     const char **mailbox);

/* Opens STATE, and finds the mailbox that the first argument means, or the row that it names; EX_USAGE without one.
 * STATE is to be closed in any case. */
int autoreply_open(const struct ctl_call *call, struct ctl_state *state, const char **mailbox);
int autoreply_open_row(const struct ctl_call *call, struct ctl_state *state, const char **mailbox);

/* Is MAILBOX one of those that ADDRESS means? */
bool autoreply_means(const struct ctl_call *call, const struct ctl_state *state, const char *address,
                     const char *mailbox);

/* Why the row of MAILBOX, canonical, is never read: the address is an alias of others, *TARGETS. NULL: it is read. */
const char *autoreply_unused(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox,
                             struct aliases_targets *targets);

struct autoreply_row {
    enum autoreply_row_kind {
        AUTOREPLY_ROW_NONE,    /* nothing */
        AUTOREPLY_ROW_TRACE,   /* only what is left of one that was deleted */
        AUTOREPLY_ROW_SOUND,   /* a responder */
        AUTOREPLY_ROW_DAMAGED, /* something else */
        AUTOREPLY_ROW_FOREIGN, /* something that the store cannot read: it can be replaced, but not compared */
        AUTOREPLY_ROW_DOWN     /* the store does not answer */
    } kind;
    struct span bytes;  /* what is to be expected by store_apply() */
    const char *damage; /* of DAMAGED and FOREIGN */
};

/* What is stored for MAILBOX. Where it is neither SOUND nor a TRACE, RESPONDER is an empty one, with the generation if
 * that could be read. Says nothing. */
void autoreply_read(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox,
                    struct responder *responder, struct autoreply_row *row);

/* The same for who needs a responder. EX_NOINPUT: nothing, said unless RESPONDER is asked for as new (IS_NEW not NULL:
 * then EX_OK). EX_DATAERR: damaged; it is said what mends it. */
int autoreply_load(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox,
                   struct responder *responder, struct autoreply_row *row, bool *is_new);

/* ---- autoreply.c ---- */

/* Changes RESPONDER. EX_OK, or the status to end with. May be called again with a fresh copy. */
typedef int autoreply_edit(const struct ctl_call *call, void *context, struct responder *responder);

enum autoreply_change_flags {
    AUTOREPLY_MAY_BE_NEW = 1, /* nothing need be stored yet */
    AUTOREPLY_VERIFY = 2      /* with responder_verify() */
};

/* Reads, has EDIT change it, and writes it if nobody else did meanwhile; else again. *RESPONDER is what was written. */
int autoreply_change(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox, unsigned flags,
                     autoreply_edit *edit, void *context, struct responder *responder);

/* Deletes all that MAILBOX has stored, damaged or not. EX_NOINPUT: there is nothing. */
int autoreply_remove(const struct ctl_call *call, const struct ctl_state *state, const char *mailbox);

/* What was done, TEXT, and how RESPONDER is now; on stdout, with --json as an object. */
void autoreply_say(const struct ctl_call *call, const struct responder *responder, const char *text);

/* Says on stderr what is odd about RESPONDER but the administrator's to decide: a mailbox that is not at one of
 * local_domains, a `from` that is not either, or that does not mean the mailbox by the alias tables. */
void autoreply_warn(const struct ctl_call *call, const struct ctl_state *state, const struct responder *responder);

/* Says on stderr that the check autoreply is off, or only monitors: then nothing that is in force is sent. */
void autoreply_warn_of_mode(const struct ctl_call *call, const struct ctl_state *state);

/* "in force", or why nothing is. */
const char *autoreply_force(const struct ctl_call *call, const struct responder *responder, int64_t now,
                            bool *is_in_force);

/* What the daemon's check stands on, to be given to responding_close(); in autoreply_preview.c. */
struct responding *autoreply_responding(const struct ctl_state *state);

#endif
