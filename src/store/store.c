/*
 * store - one door for all callers: it checks what they hand in, passes the call to the back end, and keeps the books.
 *
 * Every call has one deadline, which all waiting inside the back end shares. A call that ends with STORE_DOWN is
 * counted; the first of a minute is logged with the reason and the number of those that were not. The first call that
 * is answered after a logged failure is logged too.
 *
 * What it does not do: it retries nothing and caches nothing, so that what one process writes the next one sees.
 */
#include "store/store.h"
#include "store/backend.h"
#include "util/clock.h"
#include "util/log.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#define LOG_EVERY_US INT64_C(60000000)
#define FIRST_OPENING_US INT64_C(20000000) /* a file of millions of rows may have to be checked */

struct store {
    struct arena *arena;
    const char *url;
    const struct store_backend *backend;
    void *self;
    int64_t timeout;       /* ms */
    pthread_mutex_t mutex; /* guards what follows */
    bool is_down, is_logged;
    uint64_t failures, untold;
    int64_t logged_at;
};

enum store_outcome store_call_fail(struct store_call *call, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(call->why, sizeof call->why, format, ap);
    va_end(ap);
    return STORE_DOWN;
}

int64_t store_deadline(int64_t timeout)
{
    return clock_monotonic_us() + timeout * 1000;
}

static struct store_call begin(const struct store *store, struct arena *arena, int64_t now)
{
    return (struct store_call){.arena = arena, .now = now, .deadline = store_deadline(store->timeout)};
}

static void log_failure(const struct store *store, const char *why, uint64_t untold)
{
    struct log_field fields[] = {LOG_STRING("store", store->url), LOG_STRING("why", why),
                                 LOG_NUMBER("more", (int64_t)untold)};
    log_event(LEVEL_ERROR, "store-down", fields, untold ? 3 : 2);
}

static void count_failure(struct store *store, const char *why)
{
    int64_t now = clock_monotonic_us();
    pthread_mutex_lock(&store->mutex);
    store->is_down = true;
    store->failures++;
    bool log = !store->logged_at || now - store->logged_at >= LOG_EVERY_US;
    uint64_t untold = store->untold;
    store->untold = log ? 0 : untold + 1;
    if (log) {
        store->logged_at = now;
        store->is_logged = true;
    }
    pthread_mutex_unlock(&store->mutex);
    if (log)
        log_failure(store, why, untold);
}

static void count_success(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    bool log = store->is_down && store->is_logged;
    uint64_t failures = store->failures;
    store->is_down = false;
    if (log)
        store->is_logged = false;
    pthread_mutex_unlock(&store->mutex);
    if (log)
        log_event(LEVEL_WARNING, "store-up",
                  (struct log_field[]){LOG_STRING("store", store->url), LOG_NUMBER("failures", (int64_t)failures)}, 2);
}

static enum store_outcome end(struct store *store, const struct store_call *call, enum store_outcome outcome)
{
    if (outcome == STORE_DOWN)
        count_failure(store, call->why);
    else
        count_success(store);
    return outcome;
}

/* What no back end could keep is refused at the door. */
static bool is_sound(struct store_call *call, const char *key, struct span value)
{
    size_t len = strlen(key);
    if (len == 0 || len > STORE_KEY_MAX)
        store_call_fail(call, "a key of %zu bytes", len);
    else if (value.len > STORE_VALUE_MAX)
        store_call_fail(call, "a value of %zu bytes for %.100s", value.len, key);
    else
        return true;
    return false;
}

static const struct span nothing = {NULL, 0}, empty = {"", 0};

const char *store_verify_url(const char *text)
{
    struct arena *arena = arena_create(4096);
    struct store_url url;
    const char *problem = store_url_parse(arena, text, &url);
    arena_destroy(arena);
    return problem;
}

struct store *store_open(const struct store_options *options, struct arena *arena, const char **problem)
{
    struct arena *own = arena_create(4096);
    struct store *store = ARENA_NEW(own, struct store);
    *store = (struct store){.arena = own, .url = arena_strdup(own, options->url), .timeout = options->timeout};
    struct store_url url;
    struct store_call call = {.now = 0, .deadline = clock_monotonic_us() + FIRST_OPENING_US};
    *problem = store_url_parse(own, options->url, &url);
    if (!*problem && url.is_redis) {
        store->backend = &store_backend_redis;
        store->self = store_redis_open(own, &url, options, arena, problem);
    } else if (!*problem) {
        store->backend = &store_backend_sqlite;
        store->self = store_sqlite_open(own, &url, &call);
    }
    if (!store->self) {
        arena_destroy(own);
        return NULL;
    }
    pthread_mutex_init(&store->mutex, NULL);
    if (call.why[0])
        count_failure(store, call.why);
    return store;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    store->backend->close(store->self);
    pthread_mutex_destroy(&store->mutex);
    arena_destroy(store->arena);
}

enum store_outcome store_get(struct store *store, struct arena *arena, const char *key, int64_t now,
                             struct store_value *value)
{
    struct store_call call = begin(store, arena, now);
    bool sound = is_sound(&call, key, nothing);
    return end(store, &call, sound ? store->backend->get(store->self, &call, key, value) : STORE_DOWN);
}

enum store_outcome store_put(struct store *store, const char *key, struct span value, int64_t expires, int64_t now)
{
    struct span bytes = value.ptr ? value : empty;
    return store_apply(store, &(struct store_change){.key = key, .value = bytes, .expires = expires}, 1, now);
}

enum store_outcome store_put_if_absent(struct store *store, struct arena *arena, const char *key, struct span value,
                                       int64_t expires, int64_t now, struct store_value *there)
{
    struct store_call call = begin(store, arena, now);
    struct span bytes = value.ptr ? value : empty;
    bool sound = is_sound(&call, key, value);
    return end(store, &call,
               sound ? store->backend->put_if_absent(store->self, &call, key, bytes, expires, there) : STORE_DOWN);
}

enum store_outcome store_swap(struct store *store, const char *key, struct span expected, struct span value,
                              int64_t expires, int64_t now)
{
    const struct store_change change = {
        .key = key, .value = value, .expires = expires, .is_conditional = true, .expected = expected};
    return store_apply(store, &change, 1, now);
}

enum store_outcome store_delete(struct store *store, const char *key, int64_t now)
{
    struct store_call call = begin(store, NULL, now);
    bool sound = is_sound(&call, key, nothing);
    return end(store, &call, sound ? store->backend->remove(store->self, &call, key) : STORE_DOWN);
}

enum store_outcome store_apply(struct store *store, const struct store_change *changes, size_t count, int64_t now)
{
    struct store_call call = begin(store, NULL, now);
    bool sound = true;
    for (size_t i = 0; i < count && sound; i++)
        sound = is_sound(&call, changes[i].key, changes[i].value) &&
                is_sound(&call, changes[i].key, changes[i].is_conditional ? changes[i].expected : nothing);
    if (sound && count == 0)
        return STORE_OK;
    return end(store, &call, sound ? store->backend->apply(store->self, &call, changes, count) : STORE_DOWN);
}

enum store_outcome store_each(struct store *store, const char *prefix, int64_t now, store_visitor *visit, void *context)
{
    struct store_call call = begin(store, NULL, now);
    if (strlen(prefix) > STORE_KEY_MAX)
        return STORE_OK; /* no key begins so */
    return end(store, &call, store->backend->each(store->self, &call, prefix, store->timeout, visit, context));
}

int store_sweep(struct store *store, int64_t now, int limit)
{
    struct store_call call = begin(store, NULL, now);
    int deleted = 0;
    if (!store->backend->sweep)
        return 0;
    enum store_outcome outcome = end(store, &call, store->backend->sweep(store->self, &call, limit, &deleted));
    return outcome == STORE_DOWN ? -1 : deleted;
}

enum store_outcome store_sync(struct store *store)
{
    struct store_call call = begin(store, NULL, 0);
    if (!store->backend->sync)
        return STORE_OK;
    return end(store, &call, store->backend->sync(store->self, &call));
}

struct store_health store_health(const struct store *store)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)&store->mutex;
    pthread_mutex_lock(mutex);
    struct store_health health = {!store->is_down, store->failures};
    pthread_mutex_unlock(mutex);
    return health;
}
