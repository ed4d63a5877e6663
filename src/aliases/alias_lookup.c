/*
 * alias_lookup - which entry speaks of an address, and the canonical form.
 *
 * The order is that of Postfix's mail_addr_find(): each form of the key is asked of all tables before the next form is.
 * Keys without a domain are for local_domain alone; of the further domains that a Postfix counts as its own
 * (mydestination) we know nothing. alias_domains come before "@domain" keys of tables.
 *
 * aliases(5) tables are asked last, for local domains: local(8) reads them when virtual aliases have had their turn.
 */
#include "aliases/alias_lookup.h"

static strmap_at find_in(const struct alias_set *set, bool local, struct span key, struct alias_found *found)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct alias_table *table = set->tables[i];
        if ((table->kind == ALIAS_LOCAL) != local)
            continue;
        found->at = strmap_find(table->map, key);
        if (found->at) {
            found->map = table->map;
            found->table = table;
            return found->at;
        }
    }
    return 0;
}

/* user+tag, then user, with the domain or without it. */
static bool find_user(const struct alias_set *set, bool local, const struct alias_address *address, const char *tag,
                      bool with_domain, struct alias_found *found)
{
    char key[ALIAS_ADDRESS_MAX];
    struct span whole = alias_key(address, key);
    if (!with_domain)
        whole.len = address->local_len;
    if (find_in(set, local, whole, found)) {
        found->form = ALIAS_WHOLE;
        return true;
    }
    if (!tag)
        return false;
    size_t user = (size_t)(tag - address->local);
    memmove(key + user, key + address->local_len, whole.len - address->local_len);
    if (!find_in(set, local, (struct span){key, whole.len - address->local_len + user}, found))
        return false;
    found->form = ALIAS_TAGLESS;
    return true;
}

struct alias_found alias_find_virtual(const struct aliases *aliases, const struct alias_set *set,
                                      const struct alias_address *address, const char *tag)
{
    struct alias_found found = {ALIAS_NONE, NULL, 0, NULL};
    char key[ALIAS_DOMAIN_MAX + 2] = "@";
    if (find_user(set, false, address, tag, true, &found))
        return found;
    if (aliases->local_domain && strcmp(address->domain, aliases->local_domain) == 0 &&
        find_user(set, false, address, tag, false, &found))
        return found;
    size_t len = strlen(address->domain);
    memcpy(key + 1, address->domain, len + 1);
    found.at = strmap_find(aliases->domains, (struct span){key, len + 1});
    if (found.at)
        found.map = aliases->domains;
    if (found.at || find_in(set, false, (struct span){key, len + 1}, &found))
        found.form = ALIAS_DOMAIN;
    return found;
}

struct alias_found alias_find_local(const struct aliases *aliases, const struct alias_set *set,
                                    const struct alias_address *address, const char *tag)
{
    struct alias_found found = {ALIAS_NONE, NULL, 0, NULL};
    bool is_local = (aliases->local_domain && strcmp(address->domain, aliases->local_domain) == 0) ||
                    (aliases->local_domains && domain_set_has(aliases->local_domains, address->domain));
    if (is_local)
        find_user(set, true, address, tag, false, &found);
    return found;
}

static void cut_tag(struct alias_address *address, const char *tag)
{
    if (!tag)
        return;
    address->local_len = (size_t)(tag - address->local);
    address->local[address->local_len] = '\0';
}

/* The delimiter of an SRS address (SRS0+..., SRS1-...) is its own. */
static bool is_srs(const struct alias_address *address)
{
    return strncasecmp(address->local, "srs", 3) == 0 && (address->local[3] == '0' || address->local[3] == '1') &&
           address->local[4] && strchr("=+-", address->local[4]);
}

void alias_cut_tag(const struct aliases *aliases, struct alias_address *address)
{
    if (!is_srs(address))
        cut_tag(address, alias_address_tag(address, aliases->delimiters));
}

void alias_canonical(const struct aliases *aliases, const struct alias_set *set, struct alias_address *address)
{
    char first[ALIAS_DOMAIN_MAX + 1];
    const char *tag = is_srs(address) ? NULL : alias_address_tag(address, aliases->delimiters);
    memcpy(first, address->domain, sizeof first);
    for (unsigned depth = 0;; depth++) {
        struct alias_found found = alias_find_virtual(aliases, set, address, tag);
        if (found.form == ALIAS_WHOLE)
            return;
        if (found.form == ALIAS_TAGLESS)
            break;
        struct span row = found.at ? strmap_value(found.map, found.at) : (struct span){NULL, 0};
        if (row.len > 2 && row.ptr[0] == 'D') {
            if (depth == ALIASES_DEPTH_MAX || strcmp(row.ptr + 2, address->domain) == 0) {
                if (depth == ALIASES_DEPTH_MAX) /* a loop: as good as no alias domain */
                    memcpy(address->domain, first, sizeof first);
                break;
            }
            memcpy(address->domain, row.ptr + 2, strlen(row.ptr + 2) + 1);
            continue;
        }
        if (found.form == ALIAS_NONE && alias_find_local(aliases, set, address, tag).form == ALIAS_WHOLE)
            return;
        break;
    }
    cut_tag(address, tag);
}
