/*
 * forwarding - opens codec and table; nothing is asked of them here. What only the options decide is worked out once,
 * when it is opened, and not for each message.
 */
#include "srs/forwarding.h"
#include "srs/routes.h"
#include "util/domain.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define DAY_MS 86400000

bool forwarding_is_wanted(const struct settings *settings, const struct forwarding_options *options)
{
    return options->domain || settings->forwards->table;
}

struct srs_options forwarding_srs_options(const struct settings *settings, const struct forwarding_options *options,
                                          struct arena *arena)
{
    const char *file = options->secrets_file
                           ? options->secrets_file
                           : arena_printf(arena, "%s/srs-secrets", settings->general->state_directory);
    return (struct srs_options){.secrets_file = file,
                                .hash_length = (unsigned)options->hash_length,
                                .hash_minimum = (unsigned)options->hash_minimum,
                                .separator = options->separator[0],
                                .max_age = options->max_age / DAY_MS};
}

const struct domain_set *forwarding_collect_domains(const struct forwarding_options *options, struct arena *arena)
{
    struct domain_set *set = domain_set_create(arena);
    if (options->domain)
        domain_set_add(set, options->domain);
    for (size_t i = 0; i < options->domain_map->count; i++)
        domain_set_add(set, strchr(options->domain_map->items[i], '=') + 1);
    return set;
}

/* The first one of a domain counts. */
static void read_mappings(struct forwarding *forwarding)
{
    const struct string_list *map = forwarding->options->domain_map;
    struct forwarding_mapping *mappings = ARENA_ARRAY(forwarding->arena, struct forwarding_mapping, map->count);
    char domain[DOMAIN_MAX + 1];
    for (size_t i = 0; i < map->count; i++) {
        const char *equals = strchr(map->items[i], '=');
        if (domain_canonical((struct span){map->items[i], (size_t)(equals - map->items[i])}, domain) == 0)
            mappings[forwarding->mapping_count++] =
                (struct forwarding_mapping){arena_strdup(forwarding->arena, domain), equals + 1};
    }
    forwarding->mappings = mappings;
}

/* The option takes nothing but addresses. */
static void read_own_addresses(struct forwarding *forwarding)
{
    const struct string_list *texts = forwarding->options->own_addresses;
    struct netaddr *addresses = ARENA_ARRAY(forwarding->arena, struct netaddr, texts->count);
    for (size_t i = 0; i < texts->count; i++)
        netaddr_parse(texts->items[i], &addresses[i]);
    forwarding->own_addresses = addresses;
    forwarding->own_address_count = texts->count;
}

static void report(struct forwarding *forwarding, const char *path, const char *problem, struct conf_problems *problems)
{
    problems->count++;
    problems->report(problems->context, arena_printf(forwarding->arena, "%s: srs: %s", path, problem));
}

/* What two options say together. */
static const char *find_contradiction(const struct forwarding *forwarding)
{
    const struct forwarding_options *options = forwarding->options;
    const char *delimiter = forwarding->settings->aliases->recipient_delimiter;
    if (options->hash_minimum > options->hash_length)
        return "hash_minimum: is more than hash_length, so no address of ours would be believed";
    if (options->domain && delimiter && strchr(delimiter, options->separator[0]))
        return "separator: is in aliases { recipient_delimiter }, so the MTA would take what is behind it for a tag";
    if (options->spf_aware && options->own_addresses->count == 0)
        return "spf_aware: own_addresses is empty, so there is nothing that a record could permit";
    if (!options->domain && options->domain_map->count > 0)
        return "domain_map: domain is empty, so no sender is rewritten";
    if (options->mixed == FORWARDING_REWRITE && !options->forward_tagged)
        return "forward_tagged: with mixed = rewrite there are no copies, so nothing can be kept at home";
    if (!options->domain && domain_set_count(options->sign_outgoing) > 0)
        return "sign_outgoing: domain is empty, so there is nothing to sign with";
    return NULL;
}

static int open_srs(struct forwarding *forwarding, const char *path, bool may_create, struct conf_problems *problems)
{
    const char *problem = NULL;
    if (!forwarding->options->domain)
        return 0;
    const struct srs_options options =
        forwarding_srs_options(forwarding->settings, forwarding->options, forwarding->arena);
    if (!may_create && access(options.secrets_file, F_OK) != 0 && errno == ENOENT)
        return 0; /* the daemon will make it */
    forwarding->srs = srs_open(&options, forwarding->state->store, may_create, forwarding->arena, &problem);
    if (forwarding->srs)
        return 0;
    report(forwarding, path, problem, problems);
    return -1;
}

static int open_forwards(struct forwarding *forwarding, struct conf_problems *problems)
{
    const char *table = forwarding->settings->forwards->table;
    if (!table)
        return 0;
    forwarding->forwards = forwards_open(table, forwarding->state->store, problems);
    return forwarding->forwards ? 0 : -1;
}

struct forwarding *forwarding_open(const struct settings *settings, const struct forwarding_options *options,
                                   struct state *state, const char *path, bool may_create,
                                   struct conf_problems *problems)
{
    struct arena *arena = arena_create(4096);
    struct forwarding *forwarding = ARENA_NEW(arena, struct forwarding);
    *forwarding = (struct forwarding){.arena = arena, .settings = settings, .options = options, .state = state};
    forwarding->srs_domains = forwarding_collect_domains(options, arena);
    read_mappings(forwarding);
    read_own_addresses(forwarding);
    const char *contradiction = find_contradiction(forwarding);
    if (contradiction)
        report(forwarding, path, contradiction, problems);
    else if (open_srs(forwarding, path, may_create, problems) == 0 && open_forwards(forwarding, problems) == 0)
        return forwarding;
    forwarding_close(forwarding);
    return NULL;
}

void forwarding_close(struct forwarding *forwarding)
{
    if (!forwarding)
        return;
    if (forwarding->srs)
        srs_close(forwarding->srs);
    if (forwarding->forwards)
        forwards_close(forwarding->forwards);
    arena_destroy(forwarding->arena);
}

static const char *mapped_domain(const struct forwarding *forwarding, const char *recipient)
{
    char domain[DOMAIN_MAX + 1];
    if (forwarding->mapping_count == 0 || domain_of_address(recipient, domain) != 0)
        return NULL;
    for (size_t i = 0; i < forwarding->mapping_count; i++) {
        if (strcmp(forwarding->mappings[i].recipient_domain, domain) == 0)
            return forwarding->mappings[i].srs_domain;
    }
    return NULL;
}

const char *forwarding_srs_domain(const struct forwarding *forwarding, const char *given, const char *canonical)
{
    const char *domain = mapped_domain(forwarding, given);
    if (!domain)
        domain = mapped_domain(forwarding, canonical);
    return domain ? domain : forwarding->options->domain;
}

bool forwarding_is_ours(const struct forwarding *forwarding, const char *address)
{
    char domain[DOMAIN_MAX + 1];
    return srs_is_address(address) && domain_of_address(address, domain) == 0 &&
           domain_set_has(forwarding->srs_domains, domain);
}

bool forwarding_is_local(const struct forwarding *forwarding, const char *address)
{
    char domain[DOMAIN_MAX + 1];
    const char *at = strrchr(address, '@');
    if (!at || !at[1])
        return true;
    return domain_of_address(address, domain) == 0 &&
           (domain_set_has(forwarding->srs_domains, domain) ||
            routes_is_here(domain, forwarding->settings->general->local_domains, forwarding->settings->hostname));
}
