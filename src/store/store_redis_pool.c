/*
 * store_redis_pool - a bounded number of links, and the manners of a client whose server is down.
 *
 * Who fails closes the gate for a second: the others are turned away at once, also those that waited for a link. A link
 * that was idle is looked at before it is used, so that a server that was restarted costs no call. Nothing is asked
 * twice: whether a command whose reply was lost was carried out, nobody knows.
 *
 * Some refusals are about the server as a whole and end when it is another one: those close the link and the gate.
 */
#include "store/store_redis.h"
#include <stdio.h>

static bool is_about_the_server(const char *error)
{
    static const char *const beginnings[] = {"READONLY", "LOADING", "NOAUTH", "MASTERDOWN", "WRONGPASS", "NOREPLICAS"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncmp(error, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static redisReply *ask_over(struct redis_store *store, struct store_link *link, struct store_call *call,
                            const struct store_command *command)
{
    if (link->fd >= 0 && store_link_is_stale(link))
        store_link_close(link);
    if (link->fd < 0 && !store_link_open(link, &store->server, call))
        return NULL;
    return store_link_ask(link, &store->server, call, command);
}

redisReply *store_redis_ask(struct redis_store *store, struct store_call *call, const struct store_command *command,
                            const char *error_ok)
{
    int number = store_pool_take(&store->pool, call->deadline);
    if (number < 0) {
        store_call_fail(call, "%s: no connection was free in time", store->server.name);
        return NULL;
    }
    redisReply *reply = NULL;
    if (store_gate_enter(&store->gate, call->why, sizeof call->why)) {
        struct store_link *link = &store->links[number];
        reply = ask_over(store, link, call, command);
        bool is_refused = reply && reply->type == REDIS_REPLY_ERROR &&
                          (!error_ok || strncmp(reply->str, error_ok, strlen(error_ok)) != 0);
        bool is_fit = reply && !(is_refused && is_about_the_server(reply->str));
        if (is_refused) {
            store_call_fail(call, "%s: %.250s", store->server.name, reply->str);
            freeReplyObject(reply);
            reply = NULL;
        }
        if (!is_fit)
            store_link_close(link);
        store_gate_report(&store->gate, is_fit, call->why);
    }
    store_pool_give(&store->pool, number);
    return reply;
}
