/*
 * socketmap - a server for Postfix's socketmap: maps (socketmap_table(5)): the names forward and reverse.
 *
 * What local(8) sends on from aliases(5) and .forward passes no milter, and smtpd(8) refuses recipients it does not
 * know before a milter sees them; sender_canonical_maps and recipient_canonical_maps can ask here. The same codec, keys
 * and store as the check.
 *
 * A request is a netstring "NAME KEY", an answer one of "OK VALUE", "NOTFOUND ", "TEMP REASON", "PERM REASON". Requests
 * are at most SOCKETMAP_REQUEST_MAX octets, connections at most SOCKETMAP_CONNECTIONS_MAX, and an unfinished request
 * may take SOCKETMAP_TIMEOUT_MS; past a bound the connection is closed. Idle connections stay: Postfix keeps them.
 *
 * The socket is bound under another name and renamed over the old one, so that a reload refuses nobody: the new worker
 * has it, the old one answers who is connected. OWNS: its threads and sockets. THREADS: open and close by one.
 */
#ifndef POSTERN_SRS_SOCKETMAP_H
#define POSTERN_SRS_SOCKETMAP_H

#include "conf/conf.h"
#include "srs/srs.h"
#include "util/domain.h"

#define SOCKETMAP_REQUEST_MAX 2048
#define SOCKETMAP_CONNECTIONS_MAX 1000
#define SOCKETMAP_TIMEOUT_MS 10000

struct socketmap_options {
    const char *socket;              /* "unix:/run/postern/srs.sock", "inet:10003@127.0.0.1", "inet6:..." */
    const char *group;               /* of the unix socket; NULL: leave it */
    int64_t mode;                    /* of the unix socket */
    const char *domain;              /* what forward writes */
    const struct domain_set *domains; /* SRS domains that reverse undoes: DOMAIN and all of domain_map */
    const struct domain_set *local_domains; /* senders that forward leaves alone, beside DOMAINS and this host */
    const char *hostname;            /* ours, canonical; NULL: unknown */
};

/* NULL, or what is wrong with SOCKET: for the option's verify(). */
const char *socketmap_verify_socket(const char *socket);

struct socketmap;

/* Binds and starts; from then on clients come here and not to the server that was there before, so this is the last
 * step of a start. NULL with *PROBLEM on ARENA. OPTIONS' strings and sets, and SRS, must outlive it. */
struct socketmap *socketmap_open(const struct socketmap_options *options, struct srs *srs, struct arena *arena,
                                 const char **problem);

/* Takes no new connection but those that wait already; those that are there are answered until socketmap_close(). The
 * file of a unix socket goes away unless another server has taken its place. Twice is fine, and so is NULL. */
void socketmap_drain(struct socketmap *socketmap);
void socketmap_close(struct socketmap *socketmap);

#endif
