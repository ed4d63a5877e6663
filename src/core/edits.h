/*
 * edits - what is to be done to an accepted message at its end: queued by checks, applied by milter/ in one go.
 *
 * OWNS: texts are copied to the arena given. THREADS: those of the session.
 */
#ifndef POSTERN_CORE_EDITS_H
#define POSTERN_CORE_EDITS_H

#include "util/arena.h"
#include <stdbool.h>
#include <stddef.h>

enum edit_kind {
    EDIT_ADD_HEADER,    /* name: value, at the top, above the MTA's own Received; the first queued ends up topmost */
    EDIT_DELETE_HEADER, /* name, index: the index-th field of that name, from 1 */
    EDIT_CHANGE_HEADER, /* name, index, value: the same field with another value */
    EDIT_QUARANTINE,    /* value = reason; the MTA holds the message */
    EDIT_CHANGE_SENDER, /* value: the new reverse-path, without brackets */
    EDIT_DELETE_RECIPIENT, /* value: as it was given at RCPT */
    EDIT_ADD_RECIPIENT  /* value; name: its ESMTP parameters, or NULL */
};

struct edit {
    enum edit_kind kind;
    const char *name;
    unsigned index;
    const char *value;
};

struct edits {
    struct edit *items;
    size_t count, capacity;
    bool discards; /* every recipient is taken over in PHASE_COMMIT: the MTA delivers nothing, and no edit matters */
};

/* NAME is a field name of ours; VALUE may hold anything: what could end the header line is replaced by '?'. */
void edits_add_header(struct edits *edits, struct arena *arena, const char *name, const char *value);

/* The same for a VALUE of several lines: "\n\t" (or "\n ") is a fold and stays one, unless nothing follows it; each
 * line is cut at 900 octets and the whole at 32 kB. */
void edits_add_folded(struct edits *edits, struct arena *arena, const char *name, const char *value);

/* The INDEX-th field of NAME, from 1, gets VALUE; folds as above, 8-bit bytes stay, because they were there before. */
void edits_change_header(struct edits *edits, struct arena *arena, const char *name, unsigned index,
                         const char *value);

/* Deletions of one name in one message: an MTA searches its queue file for each, and a client could order thousands. */
#define EDITS_DELETIONS_MAX 100

/* Queue deletions of one name from the highest index down: Postfix renumbers after each. 0, or -1: EDITS_DELETIONS_MAX
 * of NAME are queued already, and this one is not. */
int edits_delete_header(struct edits *edits, struct arena *arena, const char *name, unsigned index);
void edits_quarantine(struct edits *edits, struct arena *arena, const char *reason);

/* The envelope. Without these a message would go astray, so an MTA that refuses one gets the whole message back with
 * 4xx. An address or a parameter that cannot stand in an SMTP command is refused: -1, nothing queued. */
int edits_change_sender(struct edits *edits, struct arena *arena, const char *reverse_path);
int edits_delete_recipient(struct edits *edits, struct arena *arena, const char *address);
int edits_add_recipient(struct edits *edits, struct arena *arena, const char *address, const char *parameters);

/* "add-header", "delete-header", "change-header", "quarantine", "change-sender", "delete-recipient", "add-recipient" */
const char *edit_kind_name(enum edit_kind kind);

#endif
