/*
 * store_redis - between the two halves of the Redis back end: the pool of links, and what is said over them.
 *
 * OWNS: links, resolver, TLS context. THREADS: any.
 */
#ifndef POSTERN_STORE_STORE_REDIS_H
#define POSTERN_STORE_STORE_REDIS_H

#include "store/store_link.h"
#include "store/store_pool.h"

#define REDIS_LINKS 8

enum redis_script { SCRIPT_PUT_IF_ABSENT, SCRIPT_DELETE, SCRIPT_APPLY, SCRIPT_COUNT };

struct redis_store {
    struct store_server server;
    const char *prefix;
    struct store_pool pool;
    struct store_gate gate;
    struct store_link links[REDIS_LINKS];
    char digests[SCRIPT_COUNT][41];
};

/* Takes a link, connects it if need be, asks and gives it back. A reply that is no error, to be freed with
 * freeReplyObject(); NULL with a reason in CALL. ERROR_OK: an error of the server's that begins so is a reply too. */
redisReply *store_redis_ask(struct redis_store *store, struct store_call *call, const struct store_command *command,
                            const char *error_ok);

/* "EXPIRES:VALUE", as it is kept; the value points into TEXT. False: it is not in that form. */
bool store_redis_read_row(struct span text, struct store_value *value);

/* store_each(). */
enum store_outcome store_redis_each(void *self, struct store_call *call, const char *prefix, int64_t timeout,
                                    store_visitor *visit, void *context);

#endif
