/*
 * store_link - one connection to a Redis server: commands out, replies in, each within the deadline of its call.
 *
 * hiredis does the protocol (RESP); sockets, TLS and time are ours, because its own connections know one time limit for
 * each read and none for a call, and because Debian 12's has no TLS.
 *
 * OWNS: socket, TLS session and reader. THREADS: a link belongs to who has taken it; the server is read by all.
 */
#ifndef POSTERN_STORE_STORE_LINK_H
#define POSTERN_STORE_STORE_LINK_H

#include "store/backend.h"
#include "store/store_resolve.h"
#include "store/store_tls.h"
#include <hiredis.h>

struct store_server {
    const char *name; /* of the server, for the log */
    const char *path, *host;
    const char *user, *password; /* may be NULL */
    int database;
    struct store_resolver *resolver; /* NULL with a path */
    SSL_CTX *tls;                    /* NULL: plain */
};

struct store_link {
    int fd; /* -1: not open */
    SSL *session;
    redisReader *reader;
};

/* Connects, authenticates and chooses the database. False with a reason in CALL. */
bool store_link_open(struct store_link *link, const struct store_server *server, struct store_call *call);
void store_link_close(struct store_link *link);

/* Was it closed by the server, or is there something that nobody asked for? */
bool store_link_is_stale(const struct store_link *link);

/* Arguments of a command. */
struct store_command {
    const char **argv;
    size_t *lengths;
    int argc, capacity;
};
void store_command_init(struct store_command *command, struct arena *arena, size_t capacity);
void store_command_add(struct store_command *command, struct span argument);
void store_command_number(struct store_command *command, struct arena *arena, int64_t number);

/* A reply, to be freed with freeReplyObject(); it may be an error of the server's. NULL: the link is of no use any
 * more, with a reason in CALL. */
redisReply *store_link_ask(struct store_link *link, const struct store_server *server, struct store_call *call,
                           const struct store_command *command);

#endif
