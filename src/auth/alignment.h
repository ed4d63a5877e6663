/*
 * alignment - does an authenticated identifier speak for the author domain (RFC 9989 3.2.10, 4.10.2)?
 *
 * Strict: they are the same name. Relaxed: they have the same organizational domain; each side's is found by a walk of
 * its own. OWNS: nothing. THREADS: those of the walker.
 */
#ifndef POSTERN_AUTH_ALIGNMENT_H
#define POSTERN_AUTH_ALIGNMENT_H

#include "auth/treewalk.h"

enum alignment { ALIGNMENT_NO, ALIGNMENT_YES, ALIGNMENT_UNKNOWN /* a name server does not answer */ };

/* Pure. Domains canonical; an ORG of NULL is not known. */
enum alignment alignment_compare(const char *author, const char *author_org, const char *identifier,
                                 const char *identifier_org, bool strict);

/* Asks for the organizational domains only where they can change the answer. */
enum alignment alignment_find(struct walker *walker, const char *author, const char *identifier, bool strict);

#endif
