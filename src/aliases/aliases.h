/*
 * aliases - which mailbox an address means: the MTA's own alias tables, read as text.
 *
 * Tables: "virtual:/PATH" in the form of Postfix's virtual(5), "aliases:/PATH" in that of aliases(5), "csv:/PATH" with
 * the lines address,target. Domains that are another one under a second name: alias_domains, "example.org=example.net",
 * or lines "@example.org @example.net" in a virtual table. A file that changes is read again within two seconds; a bad
 * new version leaves the old one in use and is logged.
 *
 * Local parts compare without case, domains canonical (IDN as A-labels). OWNS: its tables.
 * THREADS: any; it locks inside, and a look-up never waits for a file.
 */
#ifndef POSTERN_ALIASES_ALIASES_H
#define POSTERN_ALIASES_ALIASES_H

#include "conf/conf.h"
#include "util/arena.h"
#include "util/domain.h"

#define ALIASES_DEPTH_MAX 20     /* aliases of aliases that are followed */
#define ALIASES_TARGETS_MAX 1000 /* addresses that one may mean in the end */

struct aliases_options {
    const struct string_list *tables;
    const struct string_list *alias_domains;
    const char *recipient_delimiter; /* "+": user+anything is user unless it is listed; NULL: none */
    const char *local_domain;        /* for targets and aliases(5) names without one */
    const struct domain_set *local_domains;
};

struct aliases;

/* Reads all tables, and starts the thread that reads them again. NULL after all problems were reported ("FILE:LINE:
 * text"); what is doubtful but no problem goes to the log. The lists and the set of OPTIONS must outlive the result. */
struct aliases *aliases_open(const struct aliases_options *options, struct conf_problems *problems);
void aliases_close(struct aliases *aliases);

/* For the option's verify(): NULL or what is wrong with "virtual:/PATH" (the file itself is not opened). */
const char *aliases_verify_table(const char *table);

/* Likewise "example.org=example.net". */
const char *aliases_verify_domain(const char *entry);

/* ADDRESS in its canonical form: domain an A-label in lower case and no alias domain, local part in lower case without
 * its delimiter and what follows (unless listed so). On ARENA; NULL if it is no address with a domain. */
const char *aliases_canonical(struct aliases *aliases, struct arena *arena, const char *address);

/* What the MTA would do by itself with a final address that it is given as a recipient: expand it once more. */
enum aliases_route_flags {
    ROUTE_IS_KEY_VIRTUAL = 1, /* a virtual or CSV table, or alias_domains, speaks of it ("user: user, x@gmail") */
    ROUTE_IS_KEY_LOCAL = 2    /* an aliases(5) table does, so local(8) expands it ("user: \\user, x@gmail") */
};

struct aliases_targets {
    const char *const *items; /* canonical, distinct; an address that is no alias has itself */
    size_t count;
    /* The same as mail would be sent to them: case and tags as the tables write them, for those are the other host's to
     * understand. Distinct; may be more than items. */
    const char *const *routes;
    const unsigned char *route_flags; /* of each route */
    size_t route_count;
    bool is_alias; /* a table or alias_domains speaks of the address itself: it is expanded, be it to itself */
    bool is_cut; /* a loop, or more than the bounds: what was found before it; a loop alone means nothing at all */
    bool is_partial; /* the MTA delivers to more than these: something was left out */
    bool is_catch_all; /* "@domain" has a part in it, so whoever wrote the address may have made it up */
};

/* Every address that ADDRESS means, local or not. Commands ("|..."), files, :include: lists that cannot be read, and
 * what is no address are left out; so is what is beyond the bounds of a line or a list (is_cut, too). */
struct aliases_targets aliases_expand(struct aliases *aliases, struct arena *arena, const char *address);

#endif
