/*
 * alignment - equal names are aligned whatever their organizational domains are; under strict alignment nothing else
 * is.
 *
 * Names without a common parent cannot have the same organizational domain, so no walk is made for them: a foreign
 * signature costs no query.
 */
#include "auth/alignment.h"

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
        identifier_org = author_org ? walker_walk(walker, identifier)->org_domain : NULL;
    }
    return alignment_compare(author, author_org, identifier, identifier_org, strict);
}
