/*
 * addr_spec - one mail address taken apart: local part and domain (RFC 5321 4.1.2, RFC 6531). Private to autoreply/.
 *
 * The local part is kept by its meaning, without quotes: "user"@a.example and user@a.example are the same. An address
 * literal is no domain here: nobody away from his desk answers one.
 *
 * THREADS: plain values.
 */
#ifndef POSTERN_AUTOREPLY_ADDR_SPEC_H
#define POSTERN_AUTOREPLY_ADDR_SPEC_H

#include "util/arena.h"
#include "util/domain.h"
#include "util/span.h"

#define ADDR_SPEC_MAX 320 /* octets: more than RFC 5321 allows, for tagged senders are longer than it likes */

struct addr_spec {
    char local[ADDR_SPEC_MAX + 1]; /* case as written */
    char domain[DOMAIN_MAX + 1];   /* canonical */
    bool is_utf8;                  /* the local part is not all ASCII */
};

/* TEXT without angle brackets. 0, or -1: it is none (no local part, no domain name, control characters, bad UTF-8), or
 * it is not in bounds. */
int addr_spec_parse(struct span text, struct addr_spec *address);

/* Would it be read again as it is printed? A-labels and quotes make it longer than it was. */
bool addr_spec_is_in_bounds(const struct addr_spec *address);

/* ASCII letters of the local part to lower case. */
void addr_spec_fold(struct addr_spec *address);

/* True if the local part needs no quotes (RFC 5321 Dot-string). */
bool addr_spec_is_dot_string(const struct addr_spec *address);

/* True if it is one that the provider itself gives out: letters, digits, dot, hyphen, underscore, at most 64, no dot
 * first, last or doubled. */
bool addr_spec_is_own_form(const struct addr_spec *address);

/* As it stands in an envelope or a header field, quoted where it must be. On ARENA. */
const char *addr_spec_print(struct arena *arena, const struct addr_spec *address);

/* Takes a BATV tag away: "prvs=TAG=user", "prvs=user/TAG", "btv1==TAG==user" are user. True if there was one. */
bool addr_spec_untag(struct addr_spec *address);

#endif
