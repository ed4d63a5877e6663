/*
 * sender_record - one SPF record, read by the letter of RFC 7208 section 12.
 *
 * "SPF" in names is `sender`, because libspf2 owns the prefix spf_ (and its authors wrote SPF_). Both engines get their
 * records from here only, so what is wrong with a record is said once and in one place.
 *
 * OWNS: what is parsed lives on the arena given and refers to no other text. THREADS: any.
 * ERRORS: the first fault, with its offset in octets.
 */
#ifndef POSTERN_AUTH_SENDER_RECORD_H
#define POSTERN_AUTH_SENDER_RECORD_H

#include "util/arena.h"
#include "util/span.h"
#include <stdint.h>

enum sender_mechanism {
    SENDER_ALL,
    SENDER_INCLUDE,
    SENDER_A,
    SENDER_MX,
    SENDER_PTR,
    SENDER_IP4,
    SENDER_IP6,
    SENDER_EXISTS
};

struct sender_term {
    char qualifier; /* '+' '-' '~' '?' */
    enum sender_mechanism mechanism;
    const char *target;    /* domain-spec, unexpanded; NULL: the current domain */
    uint8_t network[16];   /* IP4 (4 octets), IP6 */
    unsigned bits4, bits6; /* prefix lengths: of A and MX both, of IP4 and IP6 its own */
    const char *text;      /* the whole directive as written */
};

struct sender_record {
    struct sender_term *terms;
    size_t count;
    const char *redirect; /* domain-spec; NULL if there is none */
    const char *exp;      /* domain-spec; NULL if there is none */
};

struct sender_fault {
    size_t at;        /* offset of the first octet that is wrong */
    const char *what; /* static, to be read behind "at octet N: " */
};

/* Does TEXT claim to be an SPF record (RFC 7208 4.5): "v=spf1" and then a blank or the end? */
bool sender_record_is(struct span text);

/* 0, or -1 with *FAULT. */
int sender_record_parse(struct arena *arena, struct span text, struct sender_record *record,
                        struct sender_fault *fault);

#endif
