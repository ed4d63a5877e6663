/*
 * dispatch - who gets the message with which reverse-path, and by which way: pure.
 *
 * Three ways. A recipient is left as he is: the MTA does with him what it does. The envelope is edited: the MTA gets
 * other recipients, or another reverse-path for all. Or a copy is made, with final addresses, that goes out by a port
 * of the MTA which expands nothing.
 *
 * The rule that shapes it: a copy that stays here is never rewritten. So if somebody gets the message here and somebody
 * elsewhere, the latter gets a copy of his own, one for each SRS domain.
 */
#ifndef POSTERN_SRS_DISPATCH_H
#define POSTERN_SRS_DISPATCH_H

#include "srs/routes.h"

struct dispatch_recipient {
    const char *given;      /* as at RCPT */
    const char *parameters; /* of RCPT, or NULL */
    struct routes routes;
    const char *srs_domain; /* for what leaves; NULL, for all of them: the reverse-path may stay */
};

struct dispatch_options {
    bool splits;     /* copies may be made; else one reverse-path serves all */
    bool stays_home; /* nothing leaves where somebody here gets it, too */
};

struct dispatch_address {
    const char *address, *parameters;
};

struct dispatch_copy {
    const char *srs_domain; /* NULL: with the reverse-path as it is, for somebody here */
    struct dispatch_address *to;
    size_t count, capacity;
};

struct dispatch {
    const char *srs_domain;  /* the message itself gets this reverse-path; NULL: it keeps its own */
    const char **removed;    /* recipients, as given */
    size_t removed_count, removed_capacity;
    struct dispatch_address *added;
    size_t added_count, added_capacity;
    struct dispatch_copy *copies;
    size_t copy_count, copy_capacity;
    bool is_forward; /* something leaves, or would if it were not kept at home */
    bool is_empty;   /* the message itself has no recipient left */
};

/* Everything on ARENA. */
struct dispatch dispatch_plan(struct arena *arena, const struct dispatch_recipient *recipients, size_t count,
                              const struct dispatch_options *options);

#endif
