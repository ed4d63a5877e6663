/*
 * auth - the results of SPF, DKIM and DMARC as facts: written by one check each, read by the others, by the
 * Authentication-Results header and by posternctl explain.
 *
 * OWNS: all texts live on the message's arena. THREADS: those of the session.
 */
#ifndef POSTERN_AUTH_AUTH_H
#define POSTERN_AUTH_AUTH_H

#include <stdbool.h>
#include <stddef.h>

/* RFC 8601 2.7, all methods together. */
enum auth_result {
    AUTH_NONE,
    AUTH_NEUTRAL,
    AUTH_PASS,
    AUTH_FAIL,
    AUTH_SOFTFAIL,
    AUTH_POLICY,
    AUTH_TEMPERROR,
    AUTH_PERMERROR
};

const char *auth_result_name(enum auth_result result); /* "none" ... "permerror" */
int auth_result_parse(const char *name, enum auth_result *result); /* any case; 0, or -1: no such word */

/* Fact "spf": value is this. Absent: not evaluated. */
struct auth_spf {
    enum auth_result result; /* of the identity that decides: MAIL FROM, or HELO where HELO failed or there is no other */
    const char *domain;      /* canonical */
    bool is_helo;            /* the identity is HELO */
    enum auth_result helo_result; /* AUTH_NONE if it was not asked */
    const char *helo_domain;      /* NULL if HELO is no domain name */
    enum auth_result mailfrom_result;
    const char *mailfrom_domain;  /* NULL for the null reverse-path; "" if that of another one is no domain name */
    const char *reason;      /* for people: "mechanism -all", "two records"; may be NULL */
    const char *explanation; /* of exp=, made printable; NULL if there is none */
};

struct auth_dkim_signature {
    enum auth_result result;
    const char *domain;    /* d=, canonical; "" if that is no domain name */
    const char *selector;  /* s=; "" if that is no selector */
    const char *identity;  /* i=, or NULL */
    const char *algorithm; /* "rsa-sha256" */
    const char *b;         /* the first 8 or more characters of b=, enough to tell signatures apart (RFC 6008); "" if it
                            * has none */
    const char *reason;    /* why it is no pass; NULL for pass */
    bool is_partial;       /* l= leaves part of the body unsigned */
    bool counts;           /* a pass that DMARC may use */
};

/* Fact "dkim". No signature at all: result AUTH_NONE, count 0. */
struct auth_dkim {
    enum auth_result result; /* the best */
    const struct auth_dkim_signature *signatures;
    size_t count;
};

/* The best of them: pass, else what may yet become one (temperror), else the one that says most. */
enum auth_result auth_dkim_best(const struct auth_dkim_signature *signatures, size_t count);

enum auth_policy { AUTH_POLICY_NONE, AUTH_POLICY_QUARANTINE, AUTH_POLICY_REJECT };
const char *auth_policy_name(enum auth_policy policy);
int auth_policy_parse(const char *name, enum auth_policy *policy); /* as above */

/* Fact "dmarc". */
struct auth_dmarc {
    enum auth_result result;      /* none: no record; pass, fail, temperror, permerror */
    const char *author_domain;    /* that decided; NULL if From has none */
    const char *org_domain;
    const char *record_domain;    /* where the record was found; NULL */
    enum auth_policy policy;      /* in force for the author domain */
    enum auth_policy effective;   /* the same after t=y and pct: what is asked for if the message fails */
    bool spf_aligned, dkim_aligned;
    const char *reason;           /* for people */
};

#endif
