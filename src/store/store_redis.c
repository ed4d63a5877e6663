/*
 * store_redis - rows as strings in Redis or Valkey, and the calls of the store as commands and scripts.
 *
 * A row is PREFIX + key -> "EXPIRES:VALUE". Whether it has expired is decided by the clock in the call, here or in a
 * script, never by the server; that the server forgets it STORE_GRACE after its expiry (EX) is only the sweep. What has
 * to look and write in one piece is a script, which a server runs alone. Scripts are called by their SHA-1, and sent
 * whole when the server does not know them.
 *
 * What it does not do: Redis Cluster, for store_apply() touches keys of several slots; and no reading from replicas,
 * for they may be behind.
 */
#include "store/store_redis.h"
#include "store/store_secret.h"
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define TTL_MOST (INT64_C(10) * 366 * 86400) /* what expires later than that from now is not swept by the server */

/* The row at KEYS[1] if it has not expired at ARGV[1]: its whole text and its value; else nil. */
#define ALIVE                                                                                                          \
    "local function alive(key, now)\n"                                                                                 \
    "  local text = redis.call('GET', key)\n"                                                                          \
    "  if not text then return nil end\n"                                                                              \
    "  local expires, at = string.match(text, '^(%-?%d+):()')\n"                                                       \
    "  if not expires then error('not a row of Postern: ' .. key) end\n"                                               \
    "  expires = tonumber(expires)\n"                                                                                  \
    "  if expires ~= 0 and expires <= tonumber(now) then return nil end\n"                                             \
    "  return text, string.sub(text, at)\n"                                                                            \
    "end\n"
/* Writes TEXT for TTL seconds ("0": for ever), or deletes if TTL is "-". */
#define WRITE                                                                                                          \
    "local function write(key, text, ttl)\n"                                                                           \
    "  if ttl == '-' then redis.call('DEL', key)\n"                                                                    \
    "  elseif ttl == '0' then redis.call('SET', key, text)\n"                                                          \
    "  else redis.call('SET', key, text, 'EX', ttl) end\n"                                                             \
    "end\n"

static const char *const scripts[SCRIPT_COUNT] = {
    /* now, text, ttl -> nil, or the text that is there */
    [SCRIPT_PUT_IF_ABSENT] = ALIVE WRITE "local text = alive(KEYS[1], ARGV[1])\n"
                                         "if text then return text end\n"
                                         "write(KEYS[1], ARGV[2], ARGV[3])\n"
                                         "return false\n",
    /* now -> 1: there was one */
    [SCRIPT_DELETE] = ALIVE "local text = alive(KEYS[1], ARGV[1])\n"
                            "redis.call('DEL', KEYS[1])\n"
                            "return text and 1 or 0\n",
    /* now; text, ttl, condition of each key ('': none, '-': there is no row, '=' and its value) -> 1: done, 0: not
     * so */
    [SCRIPT_APPLY] = ALIVE WRITE "for i, key in ipairs(KEYS) do\n"
                                 "  local condition = ARGV[3 * i + 1]\n"
                                 "  if condition ~= '' then\n"
                                 "    local text, value = alive(key, ARGV[1])\n"
                                 "    if (text and '=' .. value or '-') ~= condition then return 0 end\n"
                                 "  end\n"
                                 "end\n"
                                 "for i, key in ipairs(KEYS) do write(key, ARGV[3 * i - 1], ARGV[3 * i]) end\n"
                                 "return 1\n",
};

static struct span full_key(const struct redis_store *store, struct arena *arena, const char *key)
{
    return span_of(arena_printf(arena, "%s%s", store->prefix, key));
}

static struct span row_text(struct arena *arena, struct span value, int64_t expires)
{
    char head[32];
    if (!value.ptr)
        value.len = 0;
    int len = snprintf(head, sizeof head, "%lld:", (long long)expires);
    char *text = arena_alloc(arena, (size_t)len + value.len + 1);
    memcpy(text, head, (size_t)len);
    if (value.len)
        memcpy(text + len, value.ptr, value.len);
    return (struct span){text, (size_t)len + value.len};
}

bool store_redis_read_row(struct span text, struct store_value *value)
{
    const char *colon = text.len ? memchr(text.ptr, ':', text.len < 24 ? text.len : 24) : NULL;
    if (!colon)
        return false;
    char *end;
    errno = 0;
    value->expires = strtoll(text.ptr, &end, 10);
    value->bytes = (struct span){colon + 1, text.len - (size_t)(colon + 1 - text.ptr)};
    return end == colon && end != text.ptr && !errno;
}

/* For how long the server keeps a row: "-" deletes, "0" is for ever. */
static struct span ttl_text(struct arena *arena, const struct store_call *call, struct span value, int64_t expires)
{
    int64_t ttl;
    if (!value.ptr)
        return span_of("-");
    if (expires == 0 || __builtin_sub_overflow(expires, call->now, &ttl) || ttl > TTL_MOST)
        return span_of(expires < 0 ? "1" : "0");
    ttl += STORE_GRACE;
    return span_of(arena_printf(arena, "%lld", (long long)(ttl < 1 ? 1 : ttl)));
}

/* Empty if libcrypto must not know SHA-1: then scripts are always sent whole. */
static void digest(const char *script, char hex[41])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    if (EVP_Digest(script, strlen(script), bytes, &len, EVP_sha1(), NULL) != 1 || len != 20)
        return;
    for (unsigned int i = 0; i < len; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

/* "EVALSHA sha count"; keys and arguments are added by the caller. */
static struct store_command begin_script(const struct redis_store *store, struct arena *arena, enum redis_script which,
                                         size_t keys, size_t arguments)
{
    struct store_command command;
    bool known = store->digests[which][0];
    store_command_init(&command, arena, 3 + keys + arguments);
    store_command_add(&command, span_of(known ? "EVALSHA" : "EVAL"));
    store_command_add(&command, span_of(known ? store->digests[which] : scripts[which]));
    store_command_number(&command, arena, (int64_t)keys);
    return command;
}

static redisReply *ask_script(struct redis_store *store, struct store_call *call, struct store_command *command,
                              enum redis_script which)
{
    redisReply *reply = store_redis_ask(store, call, command, "NOSCRIPT");
    if (!reply || reply->type != REDIS_REPLY_ERROR)
        return reply;
    freeReplyObject(reply);
    command->argv[0] = "EVAL";
    command->lengths[0] = 4;
    command->argv[1] = scripts[which];
    command->lengths[1] = strlen(scripts[which]);
    return store_redis_ask(store, call, command, NULL);
}

static enum store_outcome surprised(const struct redis_store *store, struct store_call *call, const char *key)
{
    return store_call_fail(call, "%s: what is at %s%.200s is no row of Postern", store->server.name, store->prefix,
                           key);
}

/* What a bulk reply says, with VALUE (may be NULL) on the call's arena; STORE_ABSENT for none. */
static enum store_outcome take_row(const struct redis_store *store, struct store_call *call, const char *key,
                                   const redisReply *reply, struct store_value *value)
{
    struct store_value row;
    if (reply->type == REDIS_REPLY_NIL)
        return STORE_ABSENT;
    if (reply->type != REDIS_REPLY_STRING || !store_redis_read_row((struct span){reply->str, reply->len}, &row))
        return surprised(store, call, key);
    if (store_has_expired(row.expires, call->now))
        return STORE_ABSENT;
    if (value)
        *value = (struct store_value){{arena_spandup(call->arena, row.bytes), row.bytes.len}, row.expires};
    return STORE_PRESENT;
}

static enum store_outcome redis_get(void *self, struct store_call *call, const char *key, struct store_value *value)
{
    struct redis_store *store = self;
    struct arena *arena = arena_create(2048);
    struct store_command command;
    store_command_init(&command, arena, 2);
    store_command_add(&command, span_of("GET"));
    store_command_add(&command, full_key(store, arena, key));
    redisReply *reply = store_redis_ask(store, call, &command, NULL);
    enum store_outcome outcome = reply ? take_row(store, call, key, reply, value) : STORE_DOWN;
    if (reply)
        freeReplyObject(reply);
    arena_destroy(arena);
    return outcome == STORE_PRESENT ? STORE_OK : outcome;
}

static enum store_outcome redis_put_if_absent(void *self, struct store_call *call, const char *key, struct span value,
                                              int64_t expires, struct store_value *there)
{
    struct redis_store *store = self;
    struct arena *arena = arena_create(4096);
    struct store_command command = begin_script(store, arena, SCRIPT_PUT_IF_ABSENT, 1, 3);
    store_command_add(&command, full_key(store, arena, key));
    store_command_number(&command, arena, call->now);
    store_command_add(&command, row_text(arena, value, expires));
    store_command_add(&command, ttl_text(arena, call, value, expires));
    redisReply *reply = ask_script(store, call, &command, SCRIPT_PUT_IF_ABSENT);
    enum store_outcome outcome = reply ? take_row(store, call, key, reply, there) : STORE_DOWN;
    if (reply)
        freeReplyObject(reply);
    arena_destroy(arena);
    return outcome == STORE_ABSENT ? STORE_OK : outcome;
}

/* YES or NO, as the script answers 1 or 0. */
static enum store_outcome decide(redisReply *reply, enum store_outcome yes, enum store_outcome no)
{
    if (!reply)
        return STORE_DOWN;
    enum store_outcome outcome = reply->type == REDIS_REPLY_INTEGER && reply->integer == 1 ? yes : no;
    freeReplyObject(reply);
    return outcome;
}

static enum store_outcome redis_remove(void *self, struct store_call *call, const char *key)
{
    struct redis_store *store = self;
    struct arena *arena = arena_create(2048);
    struct store_command command = begin_script(store, arena, SCRIPT_DELETE, 1, 1);
    store_command_add(&command, full_key(store, arena, key));
    store_command_number(&command, arena, call->now);
    enum store_outcome outcome = decide(ask_script(store, call, &command, SCRIPT_DELETE), STORE_OK, STORE_ABSENT);
    arena_destroy(arena);
    return outcome;
}

static struct span condition_of(struct arena *arena, const struct store_change *change)
{
    if (!change->is_conditional)
        return span_of("");
    if (!change->expected.ptr)
        return span_of("-");
    char *text = arena_alloc(arena, change->expected.len + 1);
    text[0] = '=';
    memcpy(text + 1, change->expected.ptr, change->expected.len);
    return (struct span){text, change->expected.len + 1};
}

static enum store_outcome redis_apply(void *self, struct store_call *call, const struct store_change *changes,
                                      size_t count)
{
    struct redis_store *store = self;
    struct arena *arena = arena_create(16384);
    struct store_command command = begin_script(store, arena, SCRIPT_APPLY, count, 1 + 3 * count);
    for (size_t i = 0; i < count; i++)
        store_command_add(&command, full_key(store, arena, changes[i].key));
    store_command_number(&command, arena, call->now);
    for (size_t i = 0; i < count; i++) {
        store_command_add(&command, row_text(arena, changes[i].value, changes[i].expires));
        store_command_add(&command, ttl_text(arena, call, changes[i].value, changes[i].expires));
        store_command_add(&command, condition_of(arena, &changes[i]));
    }
    enum store_outcome outcome = decide(ask_script(store, call, &command, SCRIPT_APPLY), STORE_OK, STORE_PRESENT);
    arena_destroy(arena);
    return outcome;
}

static void redis_close(void *self)
{
    struct redis_store *store = self;
    for (int i = 0; i < REDIS_LINKS; i++)
        store_link_close(&store->links[i]);
    store_gate_destroy(&store->gate);
    store_pool_destroy(&store->pool);
    SSL_CTX_free(store->server.tls);
    store_resolver_destroy(store->server.resolver);
}

/* sweep and sync are the server's own affair. */
const struct store_backend store_backend_redis = {
    .close = redis_close,
    .get = redis_get,
    .put_if_absent = redis_put_if_absent,
    .remove = redis_remove,
    .apply = redis_apply,
    .each = store_redis_each,
};

void *store_redis_open(struct arena *arena, const struct store_url *url, const struct store_options *options,
                       struct arena *problem_arena, const char **problem)
{
    struct redis_store *store = ARENA_NEW(arena, struct redis_store);
    struct store_server *server = &store->server;
    *server = (struct store_server){.path = url->path, .host = url->host, .user = url->user, .database = url->database};
    server->name = url->path ? url->path : arena_printf(arena, "%s port %d", url->host, url->port);
    store->prefix = arena_strdup(arena, options->prefix ? options->prefix : "");
    if (options->password_file &&
        (*problem = store_secret_read(options->password_file, arena, problem_arena, &server->user, &server->password)))
        return NULL;
    if (url->has_tls && !(server->tls = store_tls_create(options->ca_file, problem)))
        return NULL;
    if (url->host)
        server->resolver = store_resolver_create(url->host, url->port);
    for (int i = 0; i < SCRIPT_COUNT; i++)
        digest(scripts[i], store->digests[i]);
    for (int i = 0; i < REDIS_LINKS; i++)
        store->links[i].fd = -1;
    store_pool_init(&store->pool, REDIS_LINKS);
    store_gate_init(&store->gate);
    return store;
}
