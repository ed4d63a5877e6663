/* services - opens one room after the other; what nobody in the plan needs is left out. */
#include "services.h"
#include "auth/dkim_verify.h"
#include "autoreply/answer.h"
#include "dns/dns.h"
#include "mime/archive.h"
#include "mime/scan.h"
#include "util/log.h"
#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static bool has_check(const struct engine *engine, const char *name)
{
    for (size_t i = 0; i < engine->plan.count; i++) {
        if (strcmp(engine->plan.entries[i].check->name, name) == 0)
            return true;
    }
    return false;
}

static int report(const struct engine *engine, struct conf_problems *problems, int status, const char *text)
{
    problems->count++;
    problems->report(problems->context, text ? text : arena_strdup(conf_arena(engine->conf), "out of memory"));
    return status;
}

int services_check(const struct engine *engine, struct conf_problems *problems)
{
    if (engine_check_directory(engine, problems) != 0)
        return -1;
    if (!has_check(engine, "autoreply"))
        return 0;
    struct state *state = state_open(&engine->settings, conf_path(engine->conf), problems);
    state_close(state);
    return state ? 0 : -1;
}

static int open_state(struct engine *engine, struct conf_problems *problems)
{
    /* A trial changes nothing, so it does not begin a store either. */
    static const char sqlite[] = "sqlite:";
    const char *store = engine->settings.general->store;
    bool is_file = strncmp(store, sqlite, strlen(sqlite)) == 0;
    if (!has_check(engine, "autoreply") ||
        (engine->services.is_trial && is_file && access(store + strlen(sqlite), R_OK | W_OK) != 0))
        return EX_OK;
    struct state *state = state_open(&engine->settings, conf_path(engine->conf), problems);
    if (!state)
        return EX_CONFIG;
    engine->services.state = state;
    if (has_check(engine, "autoreply"))
        engine->services.responding = responding_open(&engine->settings, state);
    return EX_OK;
}

int services_open(struct engine *engine, struct conf_problems *problems)
{
    const char *why = NULL;
    struct services *services = &engine->services;
    const struct settings *settings = &engine->settings;
    const struct dns_settings *dns = settings->dns;
    struct arena *arena = conf_arena(engine->conf);
    if (engine->plan.needs & NEEDS_CONTENT) {
        services->archives = archive_scanner_create(settings->content_limits.directory);
        if (!services->archives)
            return report(engine, problems, EX_OSERR,
                          arena_printf(arena, "cannot start the archive server: %s", strerror(errno)));
    }
    scan_init();
    services->verifier = verifier_service_create();
    if (!services->verifier)
        return report(engine, problems, EX_OSERR, "cannot start the DKIM verifier");
    services->dns = dns_create(&(struct dns_options){dns->servers, dns->cache_size, dns->dnssec}, &why);
    if (!services->dns)
        return report(engine, problems, EX_CONFIG, arena_printf(arena, "%s: dns: %s", conf_path(engine->conf), why));
    services->counters = engine->counters;
    return open_state(engine, problems);
}

int services_start(struct engine *engine)
{
    const struct services *services = &engine->services;
    struct spool_owner owners[3] = {{.kind = NULL}};
    size_t count = 0;
    if (services->responding)
        owners[count++] = (struct spool_owner){ANSWER_KIND, answer_before, answer_after, services->responding};
    int error = services->state ? state_start(services->state, owners) : 0;
    if (error)
        log_text(LEVEL_ERROR, "cannot start sending what is queued: %s", strerror(error));
    return error ? EX_OSERR : EX_OK;
}

void services_drain(struct engine *engine)
{
    state_drain(engine->services.state);
}

bool services_are_drained(const struct engine *engine)
{
    return state_is_drained(engine->services.state);
}

void services_close(struct engine *engine)
{
    struct services *services = &engine->services;
    responding_close(services->responding);
    state_close(services->state);
    archive_scanner_destroy(services->archives);
    verifier_service_destroy(services->verifier);
    dns_destroy(services->dns);
    *services = (struct services){.responding = NULL};
}
