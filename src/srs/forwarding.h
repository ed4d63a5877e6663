/*
 * forwarding - what mail that travels on stands on: the codec and its keys, the forward table, the alias tables, the
 * spool; opened together.
 *
 * OWNS: srs, forwards, the sets made of the options. THREADS: open and close by one; between them any.
 */
#ifndef POSTERN_SRS_FORWARDING_H
#define POSTERN_SRS_FORWARDING_H

#include "srs/forwards.h"
#include "srs/srs.h"
#include "state/state.h"
#include "util/netaddr.h"

enum forwarding_mixed { FORWARDING_SPLIT, FORWARDING_REWRITE };

/* Of the section srs. */
struct forwarding_options {
    const char *domain;                   /* NULL: no sender is rewritten */
    const struct string_list *domain_map; /* "RECIPIENT-DOMAIN=SRS-DOMAIN" */
    const char *secrets_file;             /* NULL: srs-secrets in state_directory */
    int64_t hash_length, hash_minimum;
    const char *separator;
    int64_t max_age; /* ms */
    bool spf_aware;
    const struct string_list *own_addresses; /* IP addresses that our mail leaves from */
    int mixed;                               /* enum forwarding_mixed */
    const char *submit;                      /* URL of the MTA's port for copies */
    int64_t max_hops;
    bool forward_tagged, reverse_any_sender;
    const struct domain_set *sign_outgoing;
    const char *socketmap, *socketmap_group;
    int64_t socketmap_mode;
};

struct forwarding_mapping {
    const char *recipient_domain, *srs_domain; /* canonical */
};

struct forwarding {
    struct arena *arena;
    const struct settings *settings;
    const struct forwarding_options *options;
    struct state *state;
    struct srs *srs;           /* NULL: without options->domain */
    struct forwards *forwards; /* NULL: no table */
    const struct domain_set *srs_domains; /* forwarding_collect_domains() */
    const struct forwarding_mapping *mappings; /* domain_map, in its order */
    size_t mapping_count;
    const struct netaddr *own_addresses; /* options->own_addresses */
    size_t own_address_count;
};

/* Is there anything for it to do? */
bool forwarding_is_wanted(const struct settings *settings, const struct forwarding_options *options);

/* The codec as the options have it, SECRETS_FILE made whole; on ARENA. */
struct srs_options forwarding_srs_options(const struct settings *settings, const struct forwarding_options *options,
                                          struct arena *arena);

/* The SRS domains: options->domain and those of domain_map; on ARENA. */
const struct domain_set *forwarding_collect_domains(const struct forwarding_options *options, struct arena *arena);

/* SETTINGS, OPTIONS and STATE must outlive it; PATH is the configuration's, for the messages. MAY_CREATE: a missing
 * file of secrets is made; else, for who only looks, there is no codec then. NULL after all problems were reported. */
struct forwarding *forwarding_open(const struct settings *settings, const struct forwarding_options *options,
                                   struct state *state, const char *path, bool may_create,
                                   struct conf_problems *problems);
void forwarding_close(struct forwarding *forwarding);

/* The SRS domain for mail that a recipient sends on: of the domain he was GIVEN with, else (an alias domain) of that of
 * his CANONICAL address; NULL: none. */
const char *forwarding_srs_domain(const struct forwarding *forwarding, const char *given, const char *canonical);

/* Is ADDRESS an SRS address in a domain of ours? */
bool forwarding_is_ours(const struct forwarding *forwarding, const char *address);

/* Is its domain in local_domains or the SRS domains, is it this host, or has it none? */
bool forwarding_is_local(const struct forwarding *forwarding, const char *address);

#endif
