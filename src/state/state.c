/* state - opens one after the other; what cannot be opened now (a disk, a server that is down) is not a reason to
 * fail. */
#include "state/state.h"
#include "state/upkeep.h"
#include "store/store_url.h"

struct spool_options state_spool_options(const struct settings *settings)
{
    const struct spool_settings *spool = settings->spool;
    return (struct spool_options){.directory = settings->general->state_directory,
                                  .submit = spool->submit,
                                  .hostname = settings->hostname,
                                  .max_messages = (uint64_t)spool->max_messages,
                                  .max_bytes = spool->max_bytes,
                                  .lifetime = spool->lifetime,
                                  .retry_first = spool->retry_first,
                                  .retry_most = spool->retry_most,
                                  .timeout = spool->timeout};
}

static struct aliases *open_aliases(const struct settings *settings, struct conf_problems *problems)
{
    const struct aliases_options options = {.tables = settings->aliases->tables,
                                            .alias_domains = settings->aliases->domains,
                                            .recipient_delimiter = settings->aliases->recipient_delimiter,
                                            .local_domain = settings->hostname,
                                            .local_domains = settings->general->local_domains};
    return aliases_open(&options, problems);
}

struct store *state_open_store(const struct settings *settings, struct arena *arena, const char *path,
                               struct conf_problems *problems)
{
    const struct redis_settings *redis = settings->redis;
    const struct store_options options = {settings->general->store, redis->prefix, redis->password_file,
                                          redis->ca_file, redis->timeout};
    const char *problem = NULL;
    struct store *store = store_open(&options, arena, &problem);
    if (!store) {
        problems->count++;
        problems->report(problems->context, arena_printf(arena, "%s: store: %s", path, problem));
    }
    return store;
}

struct state *state_open(const struct settings *settings, const char *path, struct conf_problems *problems)
{
    struct arena *arena = arena_create(4096);
    struct state *state = ARENA_NEW(arena, struct state);
    const struct spool_options spool = state_spool_options(settings);
    state->arena = arena;
    state->store = state_open_store(settings, arena, path, problems);
    state->aliases = open_aliases(settings, problems);
    state->spool = spool_open(&spool);
    if (state->store && state->aliases && state->spool)
        return state;
    state_close(state);
    return NULL;
}

struct state *state_look(const struct settings *settings, const char *path, struct conf_problems *problems)
{
    struct arena *arena = arena_create(4096);
    struct state *state = ARENA_NEW(arena, struct state);
    struct store_url url;
    state->arena = arena;
    bool is_file = !store_url_parse(arena, settings->general->store, &url) && !url.is_redis;
    if (!is_file)
        state->store = state_open_store(settings, arena, path, problems);
    state->aliases = open_aliases(settings, problems);
    if ((is_file || state->store) && state->aliases)
        return state;
    state_close(state);
    return NULL;
}

int state_start(struct state *state, const struct spool_owner *owners)
{
    int error = spool_start(state->spool, owners);
    return error ? error : upkeep_start(state->store, &state->upkeep);
}

static void stop_upkeep(struct state *state)
{
    upkeep_stop(state->upkeep);
    state->upkeep = NULL;
}

void state_drain(struct state *state)
{
    if (state) {
        spool_stop(state->spool);
        stop_upkeep(state);
    }
}

bool state_is_drained(const struct state *state)
{
    return !state || spool_is_at_rest(state->spool);
}

void state_close(struct state *state)
{
    if (!state)
        return;
    stop_upkeep(state);
    if (state->spool)
        spool_close(state->spool);
    if (state->aliases)
        aliases_close(state->aliases);
    if (state->store)
        store_close(state->store);
    arena_destroy(state->arena);
}

static void report_one(struct strbuf *out, const char *name, uint64_t count)
{
    if (count)
        strbuf_printf(out, "%s=%llu\n", name, (unsigned long long)count);
}

void state_report(const struct state *state, struct strbuf *out)
{
    if (state && state->store)
        report_one(out, "store.failures", store_health(state->store).failures);
    if (state && state->spool)
        report_one(out, "spool.failures", spool_failures(state->spool));
}
