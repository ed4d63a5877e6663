/*
 * store_resolve - addresses of the Redis server, within a time.
 *
 * getaddrinfo() waits as long as resolv.conf lets it; a message does not. So a thread asks, and who waits may stop
 * waiting.
 *
 * OWNS: what is being asked; addresses belong to the caller. THREADS: any.
 */
#ifndef POSTERN_STORE_STORE_RESOLVE_H
#define POSTERN_STORE_STORE_RESOLVE_H

#include "store/backend.h"
#include <netdb.h>

struct store_resolver;

struct store_resolver *store_resolver_create(const char *host, int port);
void store_resolver_destroy(struct store_resolver *resolver);

/* freeaddrinfo() ends it; NULL with a reason in CALL. */
struct addrinfo *store_resolve(struct store_resolver *resolver, struct store_call *call);

#endif
