/*
 * responding - what automatic replies stand on: the store, the spool, the alias tables, and the caps; and which addresses
 * are ours.
 *
 * OWNS: the caps. THREADS: open and close by one; between them any.
 */
#ifndef POSTERN_AUTOREPLY_RESPONDING_H
#define POSTERN_AUTOREPLY_RESPONDING_H

#include "autoreply/caps.h"
#include "autoreply/memory.h"
#include "state/state.h"

struct responding {
    const struct settings *settings;
    const struct domain_set *srs_domains;
    struct store *store; /* these three of the state */
    struct spool *spool;
    struct aliases *aliases;
    struct caps *caps;
};

/* SRS_DOMAINS: those in which Postern writes SRS addresses; NULL: none. All that is given must outlive it. */
struct responding *responding_open(const struct settings *settings, const struct domain_set *srs_domains,
                                   const struct state *state);
void responding_close(struct responding *responding);

/* Is DOMAIN (canonical) a local one, or one of the SRS domains? */
bool responding_has_domain(const struct responding *responding, const char *domain);

/* SENDER as he is remembered, NOW in seconds since 1970; on ARENA. NULL: it is no address. */
const char *responding_sender(const struct responding *responding, struct arena *arena, const char *sender, int64_t now);

/* What SENDER (without its tags) is when addresses are compared: one of ours in its canonical form, and of a stranger's
 * what the world takes for its tag cut off, "+" and what follows. On ARENA; NULL: it is no address. */
const char *responding_canonical(const struct responding *responding, struct arena *arena, const char *sender);

/* What a reply of MAILBOX (canonical) comes from if the message was WRITTEN_TO this: that address, if it is the owner's
 * alone. Else the mailbox itself. Without its tag, and not if a catch-all took it: the sender may have made those up. On
 * ARENA. */
const char *responding_from(const struct responding *responding, struct arena *arena, const char *written_to,
                            const char *mailbox);

#endif
