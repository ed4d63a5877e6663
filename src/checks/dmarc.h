/*
 * dmarc - carries out what the author's domain asks for (RFC 9989): pass, or the policy of its DMARC record.
 *
 * Reads the facts "spf", "dkim". Facts: "dmarc", a struct auth_dmarc of the author domain that decided;
 * "dmarc.authors", the author domains. A message that passes is vouched for: the refusal that spf put off is dropped.
 * OWNS: nothing. THREADS: any. ERRORS: a name server that does not answer is the result temperror, not an error.
 */
#ifndef POSTERN_CHECKS_DMARC_H
#define POSTERN_CHECKS_DMARC_H

#include "auth/author.h"
#include "auth/policyeval.h"
#include "core/check.h"

extern const struct check check_dmarc;

enum check_dmarc_action {
    CHECK_DMARC_ACCEPT,
    CHECK_DMARC_TAG,
    CHECK_DMARC_QUARANTINE,
    CHECK_DMARC_TEMPFAIL,
    CHECK_DMARC_REJECT
};
enum check_dmarc_multiple { CHECK_DMARC_EVALUATE, CHECK_DMARC_REJECT_SEVERAL };

struct check_dmarc_options {
    struct check_options common;
    int source;                                                  /* enum authres_source */
    int org_domain;                                              /* enum treewalk_mode */
    int multiple_from;                                           /* enum check_dmarc_multiple */
    int no_from, reject, quarantine, none, temperror, permerror; /* enum check_dmarc_action */
    bool honour_pct;
    const struct domain_set *never_enforce, *always_enforce;
    const struct netset *never_enforce_networks;
    const struct template *reply, *reply_temperror, *reply_from;
};

/* Rows of its options, in dmarc_rows.c. */
extern const struct option_row dmarc_rows[];

/* What is known of one message when it is time to decide. */
struct check_dmarc_facts {
    const struct author_list *authors; /* NULL: another filter has evaluated it */
    bool is_late;                      /* the same of its time */
    bool used_up;                      /* there are several author domains, and the DNS budget did not last for them */
    const struct policyeval *eval;     /* of the author domain that decides; NULL: there is none */
    bool is_exempt;                    /* never_enforce or never_enforce_networks */
    bool is_forced;                    /* always_enforce */
};

/* Pure: what follows, without the reply. */
struct result check_dmarc_decide(const struct check_dmarc_options *options, const struct check_dmarc_facts *facts);

#endif
