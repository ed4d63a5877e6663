/*
 * author - the author domains of a message: the domains of the addresses in its From fields (RFC 5322 3.6.2, 3.4).
 *
 * It reads what is there and not only what the grammar allows, because a From field that a mail program shows and this
 * parser cannot read would be a way around DMARC: of a malformed field every domain that a reader might take for the
 * author's is on the list, and `problem` says what was wrong.
 *
 * OWNS: the list and its texts live in the arena. THREADS: none inside. ERRORS: more than AUTHOR_MAX distinct domains
 * set `is_over`; what comes behind is not read.
 */
#ifndef POSTERN_AUTH_AUTHOR_H
#define POSTERN_AUTH_AUTHOR_H

#include "util/arena.h"
#include "util/span.h"
#include "util/strset.h"

#define AUTHOR_MAX 100 /* distinct domains a message */

struct author_list {
    struct arena *arena;
    struct strset *seen;
    const char **domains; /* canonical (lower case, A-labels), distinct, in the order they stand */
    size_t count, capacity;
    size_t fields;    /* From fields read */
    size_t addresses; /* that have a domain, repeated ones and groups' members included */
    bool is_over;
    const char *problem; /* the first thing that is wrong, static; NULL: all is well */
};

void author_list_init(struct author_list *list, struct arena *arena);

/* Adds the authors of one From field. VALUE is all behind the colon, folded or not, and may hold any bytes. */
void author_add_field(struct author_list *list, struct span value);

#endif
