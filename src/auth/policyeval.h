/*
 * policyeval - DMARC of one author domain, given what SPF and DKIM found (RFC 9989 5.3), and of several.
 *
 * OWNS: texts live in the walker's arena or are the caller's. THREADS: those of the walker.
 */
#ifndef POSTERN_AUTH_POLICYEVAL_H
#define POSTERN_AUTH_POLICYEVAL_H

#include "auth/alignment.h"
#include "auth/auth.h"
#include "auth/treewalk.h"

/* A domain that SPF or DKIM has a result for. Only pass and temperror matter. */
struct policyeval_identifier {
    const char *domain; /* canonical */
    enum auth_result result;
    bool is_spf;
};

struct policyeval_input {
    const struct policyeval_identifier *identifiers;
    size_t count;
    bool needs_alignment; /* say what is aligned even where there is no policy; then relaxed */
    bool honour_pct;      /* RFC 7489 6.6.4 */
    unsigned sample;      /* 0..99, random; for honour_pct */
};

struct policyeval {
    struct auth_dmarc dmarc;
    enum auth_policy
        disposition; /* what the policy asks for this message: t=y, pct and the result taken into account */
    const struct policyrec *record; /* NULL: none */
    enum alignment alignment;       /* of the best identifier */
};

void policyeval_author(struct walker *walker, const char *author, const struct policyeval_input *input,
                       struct policyeval *eval);

/* The record that is in force for the domain that was walked from; NULL: none, or it cannot be told. */
const struct treewalk_step *policyeval_find_record(const struct treewalk *walk);

/* True if A must be obeyed rather than B: the stronger disposition, then the worse result. */
bool policyeval_is_stricter(const struct policyeval *a, const struct policyeval *b);

/* The identifiers of the facts; SPF and DKIM may be NULL. *COUNT of them. */
struct policyeval_identifier *policyeval_identifiers(struct arena *arena, const struct auth_spf *spf,
                                                     const struct auth_dkim *dkim, size_t *count);

#endif
