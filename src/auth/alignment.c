/*
 * alignment - equal names are aligned whatever their organizational domains are; under strict alignment nothing else
 * is.
 *
 * A name that is not within the author's organizational domain cannot have the same one, so no walk is made for it: a
 * foreign signature costs no query, and a stranger whose name servers give no answer cannot turn the author's policy
 * into a temperror by signing with a domain of his own.
 */
#include "auth/alignment.h"
#include "util/domain.h"

enum alignment alignment_compare(const char *author, const char *author_org, const char *identifier,
                                 const char *identifier_org, bool strict)
{
    if (strcmp(author, identifier) == 0)
        return ALIGNMENT_YES;
    if (strict)
        return ALIGNMENT_NO;
    if (!author_org || !identifier_org)
        return ALIGNMENT_UNKNOWN;
    return strcmp(author_org, identifier_org) == 0 ? ALIGNMENT_YES : ALIGNMENT_NO;
}

static const char *last_label(const char *domain)
{
    const char *dot = strrchr(domain, '.');
    return dot ? dot + 1 : domain;
}

enum alignment alignment_find(struct walker *walker, const char *author, const char *identifier, bool strict)
{
    const char *author_org = NULL, *identifier_org = NULL;
    if (strcmp(last_label(author), last_label(identifier)) != 0)
        return ALIGNMENT_NO;
    if (!strict && strcmp(author, identifier) != 0) {
        author_org = walker_walk(walker, author)->org_domain;
        if (author_org && !domain_is_within(identifier, author_org))
            return ALIGNMENT_NO;
        identifier_org = author_org ? walker_walk(walker, identifier)->org_domain : NULL;
    }
    return alignment_compare(author, author_org, identifier, identifier_org, strict);
}
