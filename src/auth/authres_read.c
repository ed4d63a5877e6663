/*
 * authres_read - results that a filter before us has found, as facts.
 *
 * Only fields of trusted_authserv_ids are looked at, and of those the topmost one that has the method: filters write at
 * the top, so whatever a sender wrote under the same name stands below. It is the filter before us that must remove
 * forgeries of its own fields, for we cannot tell whether it has seen this message.
 *
 * As with our own results a HELO that fails decides, and of several author domains the one that asks for the most.
 *
 * The policy of a DMARC result stands in policy.dmarc or, with opendmarc and rspamd, in a comment: "(p=reject
 * dis=none)", "(policy=reject)". What they did about it themselves (dis=) does not bind us.
 */
#include "auth/authres.h"
#include "conf/conf.h"
#include "core/settings.h"
#include "util/domain.h"
#include <strings.h>

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
    const struct authres_result *from = NULL, *helo = NULL;
    for (size_t i = 0; i < count; i++) {
        const char *mailfrom = authres_property(&found[i], "smtp.mailfrom"),
                   *name = authres_property(&found[i], "smtp.helo");
        if (mailfrom && !from) {
            spf->mailfrom_result = result_of(&found[i]);
            spf->mailfrom_domain = domain_or_null(arena, mailfrom);
            from = spf->mailfrom_domain ? &found[i] : NULL;
        } else if (name && !mailfrom && !helo) {
            spf->helo_result = result_of(&found[i]);
            spf->helo_domain = domain_or_null(arena, name);
            helo = spf->helo_domain ? &found[i] : NULL;
        }
    }
    if (helo && spf->helo_result == AUTH_FAIL)
        from = NULL;
    spf->is_helo = !from;
    spf->result = from ? spf->mailfrom_result : helo ? spf->helo_result : result_of(&found[0]);
    spf->domain = from ? spf->mailfrom_domain : helo ? spf->helo_domain : "";
    spf->reason = from ? from->reason : helo ? helo->reason : found[0].reason;
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
        signature->is_partial = authres_property(&found[i], AUTHRES_UNSIGNED) != NULL;
        signature->counts = result == AUTH_PASS && *signature->domain && !signature->is_partial;
        dkim->count++;
    }
    dkim->signatures = signatures;
    dkim->result = auth_dkim_best(signatures, dkim->count);
    return dkim;
}

/* The policy that RESULT tells of, in its property or in its comments; none if it tells of none. */
static enum auth_policy policy_of(struct arena *arena, const struct authres_result *result)
{
    const char *property = authres_property(result, "policy.dmarc");
    enum auth_policy policy = AUTH_POLICY_NONE;
    if (property) {
        auth_policy_parse(property, &policy);
        return policy;
    }
    char *rest, *words = arena_strdup(arena, result->comments);
    for (char *word = strtok_r(words, " \t\r\n,;", &rest); word; word = strtok_r(NULL, " \t\r\n,;", &rest)) {
        char *value = strchr(word, '=');
        if (!value)
            continue;
        *value++ = '\0';
        if ((strcasecmp(word, "p") == 0 || strcasecmp(word, "policy") == 0) && auth_policy_parse(value, &policy) == 0)
            break;
    }
    return policy;
}

static int rank(const struct auth_dmarc *dmarc)
{
    if (dmarc->result == AUTH_FAIL)
        return 3 + (int)dmarc->policy;
    return dmarc->result == AUTH_TEMPERROR ? 2 : dmarc->result == AUTH_PERMERROR;
}

const struct auth_dmarc *authres_read_dmarc(struct arena *arena, const struct message *message)
{
    size_t count;
    const struct authres_result *found = authres_find(arena, message, "dmarc", &count);
    if (!found)
        return NULL;
    struct auth_dmarc *strictest = NULL;
    for (size_t i = 0; i < count; i++) {
        struct auth_dmarc *dmarc = ARENA_NEW(arena, struct auth_dmarc);
        dmarc->result = result_of(&found[i]);
        dmarc->author_domain = domain_or_null(arena, authres_property(&found[i], "header.from"));
        dmarc->reason = found[i].reason;
        dmarc->policy = dmarc->effective = policy_of(arena, &found[i]);
        if (!strictest || rank(dmarc) > rank(strictest))
            strictest = dmarc;
    }
    return strictest;
}
