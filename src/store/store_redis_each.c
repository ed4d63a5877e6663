/*
 * store_redis_each - SCAN for the names, MGET for the rows, a set of names for the promise that none is seen twice.
 *
 * SCAN walks the hash table of the whole database and hands out a name twice when the table grows meanwhile. A cursor
 * belongs to the server and not to the link, so each step may use another one. Rows that are not ours, or that went
 * away between the two commands, are passed over.
 */
#include "store/store_redis.h"
#include "util/strbuf.h"
#include "util/strset.h"

#define SCAN_COUNT "256"
#define PAGE_KEYS 64

/* What is the same for all steps. */
struct walk {
    struct redis_store *store;
    struct store_call *call;
    int64_t timeout;
    store_visitor *visit;
    void *context;
    struct strset *seen;
    bool is_over; /* the callback said so */
};

/* Text that SCAN's MATCH takes for itself. */
static void add_escaped(struct strbuf *pattern, const char *text)
{
    for (; *text; text++) {
        if (strchr("*?[]\\^-", *text))
            strbuf_putc(pattern, '\\');
        strbuf_putc(pattern, *text);
    }
}

static redisReply *scan(struct walk *walk, struct arena *arena, const char *cursor, const char *pattern)
{
    struct store_command command;
    store_command_init(&command, arena, 6);
    store_command_add(&command, span_of("SCAN"));
    store_command_add(&command, span_of(cursor));
    store_command_add(&command, span_of("MATCH"));
    store_command_add(&command, span_of(pattern));
    store_command_add(&command, span_of("COUNT"));
    store_command_add(&command, span_of(SCAN_COUNT));
    walk->call->deadline = store_deadline(walk->timeout);
    redisReply *reply = store_redis_ask(walk->store, walk->call, &command, NULL);
    if (reply && (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
                  reply->element[0]->type != REDIS_REPLY_STRING || reply->element[1]->type != REDIS_REPLY_ARRAY)) {
        store_call_fail(walk->call, "%s: not an answer to SCAN", walk->store->server.name);
        freeReplyObject(reply);
        reply = NULL;
    }
    return reply;
}

/* The rows of KEYS, whole names of which none has been seen before. */
static enum store_outcome visit_keys(struct walk *walk, struct arena *arena, const char *const *keys, size_t count)
{
    struct store_command command;
    store_command_init(&command, arena, 1 + count);
    store_command_add(&command, span_of("MGET"));
    for (size_t i = 0; i < count; i++)
        store_command_add(&command, span_of(keys[i]));
    walk->call->deadline = store_deadline(walk->timeout);
    redisReply *reply = store_redis_ask(walk->store, walk->call, &command, NULL);
    if (!reply)
        return STORE_DOWN;
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements && i < count && !walk->is_over; i++) {
        const redisReply *row = reply->element[i];
        struct store_value value;
        if (row->type != REDIS_REPLY_STRING || !store_redis_read_row((struct span){row->str, row->len}, &value) ||
            store_has_expired(value.expires, walk->call->now))
            continue;
        walk->is_over = !walk->visit(walk->context, keys[i] + strlen(walk->store->prefix), &value);
    }
    freeReplyObject(reply);
    return STORE_OK;
}

static enum store_outcome visit_page(struct walk *walk, struct arena *arena, const redisReply *names)
{
    const char *keys[PAGE_KEYS];
    size_t count = 0;
    enum store_outcome outcome = STORE_OK;
    for (size_t i = 0; i < names->elements && outcome == STORE_OK && !walk->is_over; i++) {
        struct span name = {names->element[i]->str, names->element[i]->len};
        if (names->element[i]->type == REDIS_REPLY_STRING && !memchr(name.ptr, '\0', name.len) &&
            strset_add(walk->seen, name))
            keys[count++] = name.ptr;
        if (count == PAGE_KEYS) {
            outcome = visit_keys(walk, arena, keys, count);
            count = 0;
        }
    }
    if (count > 0 && outcome == STORE_OK && !walk->is_over)
        outcome = visit_keys(walk, arena, keys, count);
    return outcome;
}

enum store_outcome store_redis_each(void *self, struct store_call *call, const char *prefix, int64_t timeout,
                                    store_visitor *visit, void *context)
{
    struct arena *arena = arena_create(65536);
    struct walk walk = {self, call, timeout, visit, context, strset_create(arena), false};
    struct strbuf pattern;
    strbuf_init(&pattern, 0);
    add_escaped(&pattern, walk.store->prefix);
    add_escaped(&pattern, prefix);
    strbuf_putc(&pattern, '*');
    char cursor[32] = "0";
    enum store_outcome outcome = STORE_OK;
    do {
        struct arena *step = arena_create(8192);
        redisReply *reply = scan(&walk, step, cursor, strbuf_text(&pattern));
        outcome = reply ? visit_page(&walk, step, reply->element[1]) : STORE_DOWN;
        if (reply) {
            size_t len = reply->element[0]->len < sizeof cursor ? reply->element[0]->len : 0;
            memcpy(cursor, reply->element[0]->str, len);
            cursor[len] = '\0';
            freeReplyObject(reply);
        }
        arena_destroy(step);
    } while (outcome == STORE_OK && !walk.is_over && cursor[0] && strcmp(cursor, "0") != 0);
    strbuf_free(&pattern);
    arena_destroy(arena);
    return outcome;
}
