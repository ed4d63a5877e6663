/*
 * treewalk - DMARC Policy Records along the parents of a name, and its organizational domain (RFC 9989 4.10), found by
 * the DNS tree walk or, as before May 2026, with the public suffix list (RFC 7489 3.2).
 *
 * One walker serves one message: what it asked once it does not ask again, so that the walks of the author domain and
 * of each identifier share what they have in common.
 * OWNS: everything lives in the arena. THREADS: none inside. ERRORS: a name server that does not answer ends a walk.
 */
#ifndef POSTERN_AUTH_TREEWALK_H
#define POSTERN_AUTH_TREEWALK_H

#include "auth/policyrec.h"
#include "dns/dns.h"
#include "util/arena.h"

#define TREEWALK_QUERIES 8 /* names a walk, RFC 9989 4.10 */

enum treewalk_mode { TREEWALK_DNS, TREEWALK_PSL };

enum treewalk_finding {
    TREEWALK_NOTHING, /* no TXT beginning with v=DMARC1, or no such name */
    TREEWALK_RECORD,
    TREEWALK_SEVERAL, /* more than one record: all are discarded */
    TREEWALK_BROKEN,  /* one, malformed */
    TREEWALK_FAILED   /* cannot be told now */
};

struct treewalk_step {
    const char *domain; /* without _dmarc */
    enum treewalk_finding finding;
    enum dns_outcome outcome;
    struct policyrec record; /* of RECORD; of BROKEN its text and error */
};

struct treewalk {
    const struct treewalk_step *steps[TREEWALK_QUERIES];
    size_t count;
    const char *org_domain;                /* NULL: cannot be told now */
    const struct treewalk_step *start;     /* of the domain itself; never NULL */
    const struct treewalk_step *org, *psd; /* with a RECORD at the organizational domain, at a public suffix above it;
                                            * else NULL */
    const struct treewalk_step *failed;    /* FAILED; else NULL */
};

struct walker;
struct walker *walker_create(struct arena *arena, struct dns *dns, struct dns_budget *budget, enum treewalk_mode mode);

/* DOMAIN canonical. Never NULL; the same object for the same domain. */
const struct treewalk *walker_walk(struct walker *walker, const char *domain);

/* Does DOMAIN not exist (RFC 9989 3.2.6: a query for it gives NXDOMAIN)? When it cannot be told it exists. */
bool walker_domain_exists(struct walker *walker, const char *domain);

struct arena *walker_arena(const struct walker *walker);

/* The names asked for so far, in order, each once. */
const char *const *walker_queries(const struct walker *walker, size_t *count);

/* The domains whose records a walk from DOMAIN may ask for, in order. How many. Texts point into DOMAIN. */
size_t treewalk_targets(const char *domain, const char *targets[TREEWALK_QUERIES]);

/* Starts the look-ups that a walk from DOMAIN will want. */
void treewalk_prefetch(struct arena *arena, struct dns *dns, const char *domain, enum treewalk_mode mode);

#endif
