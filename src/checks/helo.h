/*
 * helo - does the client name itself with a fully qualified host name (RFC 5321 4.1.1.1)?
 *
 * The name is judged at each HELO or EHLO, the last one counts, and what is wrong with it is enforced at each RCPT.
 * helo_judge() is the whole policy and touches nothing but its arguments.
 *
 * OWNS: nothing. THREADS: any. ERRORS: only the rule `unresolvable` can fail, when the DNS does.
 */
#ifndef POSTERN_CHECKS_HELO_H
#define POSTERN_CHECKS_HELO_H

#include "core/check.h"
#include "dns/dns.h"

extern const struct check check_helo;

enum helo_literals { HELO_LITERALS_REJECT, HELO_LITERALS_MATCH, HELO_LITERALS_ACCEPT };

struct helo_options {
    struct check_options common;
    bool missing, syntax, bare_ip, localhost, not_fqdn, self, unresolvable;
    int literals; /* enum helo_literals */
    const struct domain_set *banned;
    const struct template *reply;
};

/* What the DNS says about the name. */
enum helo_lookup {
    HELO_NOT_LOOKED_UP,
    HELO_RESOLVES,       /* an A, AAAA or MX record */
    HELO_RESOLVES_NOT,   /* surely none of them */
    HELO_LOOKUP_FAILED   /* cannot be told now */
};

struct helo_facts {
    const char *helo;                       /* as the client said; NULL if it said none */
    struct netaddr client;
    bool is_stranger;                       /* class outside: neither trusted nor authenticated */
    const char *hostname;                   /* ours, canonical */
    const struct domain_set *local_domains;
    enum helo_lookup lookup;
};

enum helo_rule {
    HELO_OK,
    HELO_MISSING,
    HELO_SYNTAX,
    HELO_BARE_IP,
    HELO_LITERAL,
    HELO_LOCALHOST,
    HELO_BANNED,
    HELO_NOT_FQDN,
    HELO_SELF,
    HELO_UNRESOLVABLE
};

/* The first rule that objects, in the order of enum helo_rule (a literal is looked at before a bare address). */
enum helo_rule helo_judge(const struct helo_options *options, const struct helo_facts *facts);

/* "helo.not-fqdn"; NULL for HELO_OK. Static. */
const char *helo_rule_why(enum helo_rule rule);

/* The answers for A, AAAA and MX taken together. */
enum helo_lookup helo_combine(const enum dns_outcome *outcomes, size_t count);

#endif
