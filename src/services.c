/* services - opens one room after the other; what nobody in the plan needs is left out. */
#include "services.h"
#include "auth/dkim_verify.h"
#include "autoreply/answer.h"
#include "checks/autoreply.h"
#include "checks/bounces.h"
#include "checks/srs.h"
#include "dns/dns.h"
#include "mime/archive.h"
#include "mime/scan.h"
#include "srs/copies.h"
#include "srs/nondelivery.h"
#include "srs/socketmap.h"
#include "state/look.h"
#include "state/state.h"
#include "util/log.h"
#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static bool plan_has(const struct engine *engine, const char *name)
{
    for (size_t i = 0; i < engine->plan.count; i++) {
        if (strcmp(engine->plan.entries[i].check->name, name) == 0)
            return true;
    }
    return false;
}

/* The options of the check srs if it has something to do, else NULL. */
static const struct forwarding_options *wants_forwarding(const struct engine *engine)
{
    const struct srs_check_options *options = conf_get(engine->conf, check_srs.name);
    return plan_has(engine, check_srs.name) && forwarding_is_wanted(&engine->settings, &options->forwarding)
               ? &options->forwarding
               : NULL;
}

/* Ours whether or not the check runs now: what it wrote yesterday comes back today. */
static const struct domain_set *srs_domains(const struct engine *engine)
{
    const struct srs_check_options *options = conf_get(engine->conf, check_srs.name);
    return forwarding_collect_domains(&options->forwarding, conf_arena(engine->conf));
}

static int report(const struct engine *engine, struct conf_problems *problems, int status, const char *text)
{
    problems->count++;
    problems->report(problems->context, text ? text : arena_strdup(conf_arena(engine->conf), "out of memory"));
    return status;
}

/* bounces can only tell what is signed from what is not if something is. */
static int check_bounces_options(const struct engine *engine, struct conf_problems *problems)
{
    const struct srs_check_options *srs = conf_get(engine->conf, check_srs.name);
    if (!plan_has(engine, check_bounces.name) || (srs->forwarding.domain && plan_has(engine, check_srs.name) &&
                                                  domain_set_count(srs->forwarding.sign_outgoing) > 0))
        return EX_OK;
    return report(engine, problems, EX_CONFIG,
                  arena_printf(conf_arena(engine->conf), "%s: bounces: require_srs: srs { domain, sign_outgoing } are not set, or "
                                                         "srs is off, so no outgoing mail is signed",
                               conf_path(engine->conf)));
}

enum purpose {
    TO_CHECK, /* nothing may be opened that is made or changed by that */
    TO_TRY,   /* what is there is opened */
    TO_SERVE  /* what is missing is begun */
};

/* Opens what replies and forwarding stand on. */
static int open_rooms(struct engine *engine, enum purpose purpose, struct conf_problems *problems)
{
    struct services *services = &engine->services;
    const struct forwarding_options *forwarding = wants_forwarding(engine);
    const char *path = conf_path(engine->conf);
    if (check_bounces_options(engine, problems) != EX_OK)
        return EX_CONFIG;
    services->state = purpose == TO_CHECK ? state_look(&engine->settings, path, problems)
                                          : state_open(&engine->settings, path, problems);
    if (!services->state)
        return EX_CONFIG;
    if (plan_has(engine, check_autoreply.name) && purpose != TO_CHECK)
        services->responding = responding_open(&engine->settings, srs_domains(engine), services->state);
    if (forwarding)
        services->forwarding =
            forwarding_open(&engine->settings, forwarding, services->state, path, purpose == TO_SERVE, problems);
    return forwarding && !services->forwarding ? EX_CONFIG : EX_OK;
}

static void close_rooms(struct engine *engine)
{
    struct services *services = &engine->services;
    socketmap_close(services->socketmap);
    forwarding_close(services->forwarding);
    responding_close(services->responding);
    state_close(services->state);
    services->socketmap = NULL;
    services->forwarding = NULL;
    services->responding = NULL;
    services->state = NULL;
}

/* A trial changes nothing and must not need to be the daemon's user: what it cannot read it does without. */
static bool can_try(const struct engine *engine)
{
    static const char sqlite[] = "sqlite:";
    const char *store = engine->settings.general->store;
    const struct forwarding_options *forwarding = wants_forwarding(engine);
    struct arena *arena = conf_arena(engine->conf);
    if (strncmp(store, sqlite, strlen(sqlite)) == 0 && access(store + strlen(sqlite), R_OK | W_OK) != 0)
        return false;
    return !forwarding || !forwarding->domain ||
           access(forwarding_srs_options(&engine->settings, forwarding, arena).secrets_file, R_OK) == 0;
}

static bool wants_rooms(const struct engine *engine)
{
    return plan_has(engine, check_autoreply.name) || plan_has(engine, check_bounces.name) || wants_forwarding(engine);
}

/* What is read and must stay secret, so that root may well read it and the user not. */
static void look_at_secrets(const struct engine *engine, struct conf_problems *problems)
{
    const struct settings *settings = &engine->settings;
    const struct forwarding_options *forwarding = wants_forwarding(engine);
    const char *password_file = settings->redis->password_file;
    if (password_file && strncmp(settings->general->store, "redis", strlen("redis")) == 0)
        look_at_input(engine->conf, "redis", "password_file", NULL, password_file, problems);
    if (!forwarding || !forwarding->domain)
        return;
    const char *file = forwarding_srs_options(settings, forwarding, conf_arena(engine->conf)).secrets_file;
    if (access(file, F_OK) == 0 || errno != ENOENT) /* else the daemon makes it */
        look_at_input(engine->conf, "srs", "secrets_file", NULL, file, problems);
}

static void look_at_inputs(const struct engine *engine, struct conf_problems *problems)
{
    const struct settings *settings = &engine->settings;
    const char *table = wants_forwarding(engine) ? settings->forwards->table : NULL;
    look_at_tables(settings, engine->conf, problems);
    if (table && strchr(table, '/')) /* else it is the store */
        look_at_input(engine->conf, "forwards", "table", table, strchr(table, '/'), problems);
    look_at_secrets(engine, problems);
}

static void look_at_files(void *context, bool is_user, struct conf_problems *problems, struct conf_problems *warnings)
{
    struct engine *engine = context;
    unsigned before = problems->count;
    engine_check_directory(engine, problems);
    if (!wants_rooms(engine))
        return;
    look_at_state(&engine->settings, engine->conf, is_user, warnings);
    look_at_inputs(engine, problems);
    if (problems->count > before) /* the rooms would say the same again */
        return;
    open_rooms(engine, TO_CHECK, problems);
    close_rooms(engine);
}

int services_check(struct engine *engine, struct conf_problems *problems, struct conf_problems *warnings)
{
    unsigned before = problems->count;
    look_at_users(&engine->settings, engine->conf, problems);
    look_at_sockets(&engine->settings, engine->conf, warnings);
    look_as_user(engine->settings.general->user, look_at_files, engine, problems, warnings);
    return problems->count > before ? -1 : 0;
}

void services_print_checked(const char *path, const struct conf_problems *warnings)
{
    if (warnings->count)
        printf("%s: no problem found, but %u warning%s\n", path, warnings->count, warnings->count == 1 ? "" : "s");
    else
        printf("%s: no problem found\n", path);
}

static int open_state(struct engine *engine, struct conf_problems *problems)
{
    if (!wants_rooms(engine) || (engine->services.is_trial && !can_try(engine)))
        return EX_OK;
    return open_rooms(engine, engine->services.is_trial ? TO_TRY : TO_SERVE, problems);
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

static int start_socketmap(struct engine *engine)
{
    struct services *services = &engine->services;
    const struct forwarding *forwarding = services->forwarding;
    const char *problem = NULL;
    if (!forwarding || !forwarding->srs || !forwarding->options->socketmap)
        return 0;
    const struct socketmap_options options = {.socket = forwarding->options->socketmap,
                                              .group = forwarding->options->socketmap_group,
                                              .mode = forwarding->options->socketmap_mode,
                                              .domain = forwarding->options->domain,
                                              .domains = forwarding->srs_domains,
                                              .local_domains = engine->settings.general->local_domains,
                                              .hostname = engine->settings.hostname};
    services->socketmap = socketmap_open(&options, forwarding->srs, conf_arena(engine->conf), &problem);
    if (!services->socketmap)
        log_text(LEVEL_ERROR, "%s: srs: %s", conf_path(engine->conf), problem);
    return services->socketmap ? 0 : -1;
}

int services_start(struct engine *engine)
{
    const struct services *services = &engine->services;
    struct spool_owner owners[3] = {{.kind = NULL}};
    size_t count = 0;
    if (services->responding)
        owners[count++] = (struct spool_owner){.kind = ANSWER_KIND,
                                               .before = answer_before,
                                               .before_all = answer_before_all,
                                               .settle = answer_settle,
                                               .after = answer_after,
                                               .context = services->responding};
    if (services->forwarding)
        owners[count++] = (struct spool_owner){
            .kind = COPIES_KIND, .after = nondelivery_after, .context = services->forwarding};
    int error = services->state ? state_start(services->state, owners) : 0;
    if (error)
        log_text(LEVEL_ERROR, "cannot start sending what is queued: %s", strerror(error));
    return error || start_socketmap(engine) != 0 ? EX_OSERR : EX_OK;
}

void services_drain(struct engine *engine)
{
    state_drain(engine->services.state);
    if (engine->services.socketmap)
        socketmap_drain(engine->services.socketmap);
}

bool services_are_drained(const struct engine *engine)
{
    return state_is_drained(engine->services.state);
}

void services_report(const struct engine *engine, struct strbuf *out)
{
    state_report(engine->services.state, out);
}

void services_close(struct engine *engine)
{
    struct services *services = &engine->services;
    close_rooms(engine);
    archive_scanner_destroy(services->archives);
    verifier_service_destroy(services->verifier);
    dns_destroy(services->dns);
    *services = (struct services){.dns = NULL};
}
