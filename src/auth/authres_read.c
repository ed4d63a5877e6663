/*
 * authres_read - results that a filter before us has found, as facts.
 *
 * Only fields of trusted_authserv_ids are looked at, and of those the topmost one that has the method: filters write at
 * the top, so whatever a sender wrote under the same name stands below. It is the filter before us that must remove
 * forgeries of its own fields, for we cannot tell whether it has seen this message.
 */
#include "auth/authres.h"
#include "conf/conf.h"
#include "core/settings.h"
#include "util/domain.h"

const struct option_word authres_source_words[] = {
    {"self", AUTHRES_SELF}, {"header", AUTHRES_HEADER_OF_ANOTHER}, {NULL, 0}};

static bool is_trusted(const struct message *message, const char *id)
{
    const struct string_list *ids = message->settings->general->trusted_authserv_ids;
    for (size_t i = 0; ids && i < ids->count; i++) {
        if (authres_same_id(id, ids->items[i]))
            return true;
    }
    return false;
}

const struct authres_result *authres_find(struct arena *arena, const struct message *message, const char *method,
                                          size_t *count)
{
    *count = 0;
    for (size_t n = 0; n < message->header_count; n++) {
        if (!span_equals_nocase(message->headers[n].name, AUTHRES_HEADER))
            continue;
        const struct authres *authres = authres_parse(arena, message->headers[n].value);
        if (!*authres->id || !is_trusted(message, authres->id))
            continue;
        struct authres_result *found = ARENA_ARRAY(arena, struct authres_result, authres->count + 1);
        for (size_t i = 0; i < authres->count; i++) {
            if (strcmp(authres->results[i].method, method) == 0)
                found[(*count)++] = authres->results[i];
        }
        if (*count > 0)
            return found;
    }
    return NULL;
}

/* A word we do not know says nothing (RFC 8601 2.7). */
static enum auth_result result_of(const struct authres_result *found)
{
    enum auth_result result;
    return auth_result_parse(found->result, &result) == 0 ? result : AUTH_NONE;
}

/* The domain in VALUE, which is a domain or an address; "" if it is neither. */
static const char *domain_of(struct arena *arena, const char *value)
{
    char canonical[DOMAIN_MAX + 1];
    const char *at = value ? strrchr(value, '@') : NULL;
    if (!value || domain_canonical(span_of(at ? at + 1 : value), canonical) != 0)
        return "";
    return arena_strdup(arena, canonical);
}

static const char *domain_or_null(struct arena *arena, const char *value)
{
    const char *domain = domain_of(arena, value);
    return *domain ? domain : NULL;
}

const struct auth_spf *authres_read_spf(struct arena *arena, const struct message *message)
{
    size_t count;
    const struct authres_result *found = authres_find(arena, message, "spf", &count);
    if (!found)
        return NULL;
    struct auth_spf *spf = ARENA_NEW(arena, struct auth_spf);
    const struct authres_result *decides = NULL;
    for (size_t i = 0; i < count; i++) {
        const char *mailfrom = authres_property(&found[i], "smtp.mailfrom"), *helo = authres_property(&found[i], "smtp.helo");
        if (mailfrom && !spf->mailfrom_domain) {
            spf->mailfrom_result = result_of(&found[i]);
            spf->mailfrom_domain = domain_or_null(arena, mailfrom);
            decides = spf->mailfrom_domain ? &found[i] : decides;
        } else if (helo && !mailfrom && !spf->helo_domain) {
            spf->helo_result = result_of(&found[i]);
            spf->helo_domain = domain_or_null(arena, helo);
        }
    }
    spf->is_helo = !decides;
    spf->result = decides ? spf->mailfrom_result : spf->helo_domain ? spf->helo_result : result_of(&found[0]);
    spf->domain = decides ? spf->mailfrom_domain : spf->helo_domain ? spf->helo_domain : "";
    spf->reason = decides ? decides->reason : found[0].reason;
    return spf;
}

const struct auth_dkim *authres_read_dkim(struct arena *arena, const struct message *message)
{
    size_t count;
    const struct authres_result *found = authres_find(arena, message, "dkim", &count);
    if (!found)
        return NULL;
    struct auth_dkim *dkim = ARENA_NEW(arena, struct auth_dkim);
    struct auth_dkim_signature *signatures = ARENA_ARRAY(arena, struct auth_dkim_signature, count);
    for (size_t i = 0; i < count; i++) {
        struct auth_dkim_signature *signature = &signatures[dkim->count];
        const char *domain = authres_property(&found[i], "header.d"), *b = authres_property(&found[i], "header.b");
        const char *selector = authres_property(&found[i], "header.s");
        enum auth_result result = result_of(&found[i]);
        if (result == AUTH_NONE)
            continue;
        *signature = (struct auth_dkim_signature){.result = result, .reason = found[i].reason};
        signature->identity = authres_property(&found[i], "header.i");
        signature->domain = domain_of(arena, domain ? domain : signature->identity);
        signature->selector = selector ? selector : "";
        signature->algorithm = authres_property(&found[i], "header.a");
        signature->b = b ? b : "";
        signature->counts = result == AUTH_PASS && *signature->domain;
        dkim->count++;
    }
    dkim->signatures = signatures;
    dkim->result = auth_dkim_best(signatures, dkim->count);
    return dkim;
}

const struct auth_dmarc *authres_read_dmarc(struct arena *arena, const struct message *message)
{
    size_t count;
    const struct authres_result *found = authres_find(arena, message, "dmarc", &count);
    if (!found)
        return NULL;
    struct auth_dmarc *dmarc = ARENA_NEW(arena, struct auth_dmarc);
    const char *policy = authres_property(found, "policy.dmarc");
    dmarc->result = result_of(found);
    dmarc->author_domain = domain_or_null(arena, authres_property(found, "header.from"));
    dmarc->reason = found->reason;
    if (policy)
        auth_policy_parse(policy, &dmarc->policy);
    return dmarc;
}
