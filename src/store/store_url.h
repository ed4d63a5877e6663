/*
 * store_url - what the option `store` says.
 *
 *     sqlite:/PATH                          the path is absolute
 *     redis://[USER@]HOST[:PORT][/NUMBER]   port 6379 and database 0 if they are left out; IPv6 addresses in brackets
 *     rediss://...                          the same over TLS
 *     redis+unix:/PATH                      a unix socket, database 0
 *
 * A password does not belong into a URL, for it would stand in the configuration and in logs.
 *
 * OWNS: texts are on the arena. THREADS: any.
 */
#ifndef POSTERN_STORE_STORE_URL_H
#define POSTERN_STORE_STORE_URL_H

#include "util/arena.h"
#include <stdbool.h>

struct store_url {
    bool is_redis, has_tls;
    const char *path; /* of the file or of the socket; NULL: host and port */
    const char *host, *user /* may be NULL */;
    int port, database;
};

/* NULL, or what is wrong with TEXT (static). */
const char *store_url_parse(struct arena *arena, const char *text, struct store_url *url);

#endif
