/*
 * aliases - opening and closing, and the two questions that others ask.
 *
 * What is done with the answers is not decided here: whether an address that means several is a mailbox, or whether a
 * target outside makes a message a forward.
 */
#include "aliases/alias_lookup.h"

const char *aliases_verify_table(const char *table)
{
    enum alias_kind kind;
    const char *path;
    return alias_table_split(table, &kind, &path);
}

/* "example.org=example.net" -> both canonical. NULL, or what is wrong. */
static const char *split_pair(const char *entry, char alias[DOMAIN_MAX + 1], char domain[DOMAIN_MAX + 1])
{
    const char *equals = strchr(entry, '=');
    if (!equals)
        return "is not of the form ALIAS.DOMAIN=DOMAIN";
    if (domain_canonical(span_trim((struct span){entry, (size_t)(equals - entry)}), alias) != 0)
        return "has no domain name before '='";
    if (domain_canonical(span_trim(span_of(equals + 1)), domain) != 0)
        return "has no domain name behind '='";
    return strcmp(alias, domain) == 0 ? "makes a domain its own alias" : NULL;
}

const char *aliases_verify_domain(const char *entry)
{
    char alias[DOMAIN_MAX + 1], domain[DOMAIN_MAX + 1];
    return split_pair(entry, alias, domain);
}

static void report(struct aliases *aliases, struct conf_problems *problems, const char *option, const char *value,
                   const char *why)
{
    problems->count++;
    problems->report(problems->context, arena_printf(aliases->arena, "aliases: %s: '%.300s' %s", option, value, why));
}

/* Keys "@alias", values "D@domain" as a table would have them. */
static void read_domains(struct aliases *aliases, const struct string_list *list, struct conf_problems *problems)
{
    char alias[DOMAIN_MAX + 2] = "@", domain[DOMAIN_MAX + 3] = "D@";
    for (size_t i = 0; i < list->count; i++) {
        const char *why = split_pair(list->items[i], alias + 1, domain + 2);
        strmap_at there = why ? 0 : strmap_find(aliases->domains, span_of(alias));
        if (there && strcmp(strmap_value(aliases->domains, there).ptr, domain) == 0)
            continue;
        if (there)
            why = "contradicts an entry before it";
        if (why)
            report(aliases, problems, "domains", list->items[i], why);
        else
            strmap_add(aliases->domains, span_of(alias), (struct span){domain, strlen(domain) + 1});
    }
    for (size_t i = 0; i < list->count; i++) {
        if (!split_pair(list->items[i], alias + 1, domain + 2) && strmap_find(aliases->domains, span_of(domain + 1)))
            report(aliases, problems, "domains", list->items[i],
                   "ends at a domain that is itself an alias; name the last one of the chain");
    }
}

struct aliases *aliases_open(const struct aliases_options *options, struct conf_problems *problems)
{
    static const struct string_list none = {0, NULL};
    struct arena *arena = arena_create(4096);
    struct aliases *aliases = ARENA_NEW(arena, struct aliases);
    char domain[DOMAIN_MAX + 1];
    unsigned before = problems->count;
    aliases->arena = arena;
    aliases->delimiters = options->recipient_delimiter && *options->recipient_delimiter
                              ? arena_strdup(arena, options->recipient_delimiter)
                              : NULL;
    aliases->local_domains = options->local_domains;
    aliases->domains = strmap_create();
    if (options->local_domain && domain_canonical(span_of(options->local_domain), domain) != 0)
        report(aliases, problems, "local_domain", options->local_domain, "is no domain name");
    else if (options->local_domain)
        aliases->local_domain = arena_strdup(arena, domain);
    if (options->alias_domains)
        read_domains(aliases, options->alias_domains, problems);
    alias_tables_open(&aliases->tables, options->tables ? options->tables : &none, aliases->local_domain,
                      alias_table_read, problems);
    if (problems->count == before)
        return aliases;
    aliases_close(aliases);
    return NULL;
}

void aliases_close(struct aliases *aliases)
{
    if (!aliases)
        return;
    alias_tables_close(&aliases->tables);
    strmap_destroy(aliases->domains);
    arena_destroy(aliases->arena);
}

static bool read_address(const char *text, struct alias_address *address)
{
    return text && alias_address_parse(span_of(text), address) == 0 && address->local_len > 0 && address->domain[0];
}

const char *aliases_canonical(struct aliases *aliases, struct arena *arena, const char *text)
{
    struct alias_address address;
    char canonical[ALIAS_ADDRESS_MAX];
    if (!read_address(text, &address))
        return NULL;
    alias_address_fold(&address);
    struct alias_set *set = alias_set_take(&aliases->tables);
    alias_canonical(aliases, set, &address);
    alias_set_give(set);
    alias_address_print(&address, canonical);
    return arena_strdup(arena, canonical);
}

struct aliases_targets aliases_expand(struct aliases *aliases, struct arena *arena, const char *text)
{
    struct alias_address address;
    if (!read_address(text, &address))
        return (struct aliases_targets){.count = 0};
    struct alias_set *set = alias_set_take(&aliases->tables);
    struct aliases_targets targets = alias_expand(aliases, set, arena, &address);
    alias_set_give(set);
    return targets;
}
