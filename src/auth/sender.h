/*
 * sender - may this client send in the name of that domain? check_host() of RFC 7208, by one of two engines.
 *
 * Both engines stand on the same parser, the same DNS layer and the same limits: 10 terms that cost look-ups in the
 * whole evaluation (RFC 7208 4.6.4), 10 names of an MX (more are a permerror), 10 names of a PTR (the rest is not
 * looked at), `void_limit` look-ups without an answer, and the budget of the message for time and queries.
 *
 * OWNS: answers live on the arena of the query. THREADS: any; libspf2 gets a server of its own for each evaluation.
 * ERRORS: none beside the results temperror and permerror; `reason` says what happened.
 */
#ifndef POSTERN_AUTH_SENDER_H
#define POSTERN_AUTH_SENDER_H

#include "auth/auth.h"
#include "dns/dns.h"

#define SENDER_LOOKUPS_MAX 10
#define SENDER_NAMES_MAX 10

enum sender_engine { SENDER_BUILTIN, SENDER_LIBSPF2 };

struct sender_query {
    struct dns *dns;
    struct dns_budget *budget;
    struct arena *arena;
    struct netaddr client;
    const char *helo;     /* as the client said; NULL is fine */
    const char *local;    /* local part of the identity, "postmaster" where there is none */
    const char *domain;   /* its domain as the client said */
    const char *receiver; /* our host name, for %{r} */
    int64_t now;          /* seconds since 1970, for %{t} */
    unsigned void_limit;
};

struct sender_answer {
    enum auth_result result;
    const char *domain;      /* canonical; NULL: no fully qualified domain name, result none */
    const char *term;        /* the directive that matched, as written; NULL: none did */
    const char *record;      /* of the domain, made printable; NULL: none */
    unsigned lookups;        /* terms that cost look-ups */
    unsigned void_lookups;
    const char *reason;      /* for people; NULL for none, neutral and pass */
    const char *explanation; /* of exp=, expanded and made printable; NULL: the receiver's own */
};

void sender_check(enum sender_engine engine, const struct sender_query *query, struct sender_answer *answer);

/* "a@b" -> local part and domain; without a local part "postmaster"; "" -> postmaster@HELO (RFC 7208 2.4). On ARENA. */
void sender_split(struct arena *arena, const char *address, const char *helo, const char **local, const char **domain);

/* NAME canonical in OUT (DOMAIN_MAX + 1). -1: no name an SPF record could be asked for: not fully qualified, a label
 * over 63 octets, an address literal. */
int sender_domain(const char *name, char *out);

#endif
