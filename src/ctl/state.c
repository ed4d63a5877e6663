/*
 * state - reads the configuration, takes the identity of its user, opens the rooms.
 *
 * The identity is taken for good, as the daemon does it: nothing afterwards needs another. Whoever is neither root nor
 * that user is refused even where the permissions would let him in, because SQLite's side files would be his.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "ctl/state.h"
#include "master/user.h"
#include "store/store_url.h"
#include "util/clock.h"
#include "util/log.h"
#include <sys/prctl.h>
#include <sysexits.h>

static int take_identity(const struct ctl_call *call, const char *name)
{
    struct user user;
    struct strbuf why;
    strbuf_init(&why, 0);
    int status = user_find(&user, name ? name : "", &why);
    if (!status && user.uid != (uid_t)-1)
        status = user_become(&user, &why);
    if (status)
        ctl_fail(call, status, "%s", strbuf_text(&why));
    strbuf_free(&why);
#ifdef WITH_SANITIZERS
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* or the search for leaks cannot look at us */
#endif
    return status;
}

int ctl_state_read(const struct ctl_call *call, struct ctl_state *state)
{
    static const struct log_options quiet = {"posternctl", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0};
    struct conf_problems problems = {conf_print_problem, NULL, 0};
    *state = (struct ctl_state){.engine = NULL};
    log_open(&quiet);
    state->engine = engine_create(call->config, &problems);
    return state->engine ? EX_OK : EX_CONFIG;
}

int ctl_state_become_user(const struct ctl_call *call, const struct ctl_state *state)
{
    return take_identity(call, state->engine->settings.general->user);
}

static int begin(const struct ctl_call *call, struct ctl_state *state)
{
    int status = ctl_state_read(call, state);
    return status ? status : ctl_state_become_user(call, state);
}

int ctl_state_open(const struct ctl_call *call, struct ctl_state *state)
{
    struct conf_problems problems = {conf_print_problem, NULL, 0};
    int status = begin(call, state);
    if (status)
        return status;
    state->kept = state_open(&state->engine->settings, conf_path(state->engine->conf), &problems);
    return state->kept ? EX_OK : EX_CONFIG;
}

int ctl_state_open_spool(const struct ctl_call *call, struct ctl_state *state)
{
    int status = begin(call, state);
    if (status)
        return status;
    const struct spool_options options = state_spool_options(&state->engine->settings);
    state->spool = spool_open(&options);
    return state->spool ? EX_OK : ctl_fail(call, EX_OSERR, "out of memory");
}

int ctl_state_open_settings(const struct ctl_call *call, struct ctl_state *state)
{
    return begin(call, state);
}

int ctl_state_open_store(const struct ctl_call *call, struct ctl_state *state)
{
    struct conf_problems problems = {conf_print_problem, NULL, 0};
    int status = state->engine ? EX_OK : begin(call, state);
    if (status)
        return status;
    state->store = state_open_store(&state->engine->settings, call->arena, conf_path(state->engine->conf), &problems);
    return state->store ? EX_OK : EX_CONFIG;
}

void ctl_state_close(struct ctl_state *state)
{
    state_close(state->kept);
    if (state->spool)
        spool_close(state->spool);
    if (state->store)
        store_close(state->store);
    engine_destroy(state->engine);
    *state = (struct ctl_state){.engine = NULL};
}

/* ---- imports ---- */

/* ms: a server that other work keeps busy writes a hundred times as much. */
static int64_t time_for(const struct store_change *changes, size_t count)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += (int64_t)changes[i].value.len;
    return 2000 + (int64_t)count / 2 + bytes / 4096;
}

/* Through a connection of its own. That of the others keeps the short time: a server that is away is noticed by it. */
static int open_patient_store(const struct ctl_call *call, struct ctl_state *state, int64_t least)
{
    struct conf_problems problems = {conf_print_problem, NULL, 0};
    struct settings settings = state->engine->settings;
    struct redis_settings redis = *settings.redis;
    if (redis.timeout < least)
        redis.timeout = least;
    settings.redis = &redis;
    if (!state->store)
        state->store = state_open_store(&settings, call->arena, conf_path(state->engine->conf), &problems);
    return state->store ? 0 : -1;
}

enum store_outcome ctl_state_apply(const struct ctl_call *call, struct ctl_state *state,
                                   const struct store_change *changes, size_t count)
{
    if (open_patient_store(call, state, time_for(changes, count)) != 0)
        return STORE_DOWN;
    return store_apply(state->store, changes, count, clock_wall());
}

/* ---- a store that does not answer ---- */

bool ctl_store_is_redis(const struct ctl_call *call, const struct ctl_state *state)
{
    struct store_url url;
    return !store_url_parse(call->arena, state->engine->settings.general->store, &url) && url.is_redis;
}

bool ctl_store_answers(const struct ctl_call *call, const struct ctl_state *state)
{
    struct store_value value; /* of a row that nobody writes */
    return store_get(state->kept->store, call->arena, "posternctl", clock_wall(), &value) != STORE_DOWN;
}

int ctl_store_is_down(const struct ctl_call *call)
{
    const char *more = call->command->only_reads ? "" : "; nothing was changed";
    return ctl_fail(call, EX_TEMPFAIL, "the store does not answer%s", more);
}

/* A transaction of SQLite that failed is none. Whether a command of Redis was carried out whose reply was lost, nobody
 * knows, and a server that was only slow may still do so. */
int ctl_store_is_silent(const struct ctl_call *call, const struct ctl_state *state, const char *look)
{
    if (!ctl_store_is_redis(call, state))
        return ctl_store_is_down(call);
    return ctl_fail(call, EX_TEMPFAIL,
                    "the store did not answer in time, so it is not known whether it was changed; look with \"%s\"",
                    look);
}
