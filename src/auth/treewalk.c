/*
 * treewalk - the names first (pure), then the questions, then the choice of the organizational domain.
 *
 * A walk always goes to its end, though the policy is known after the first answer if that is a record: the
 * organizational domain is not known before, the names above are the same for most mail of a domain and come from the
 * cache, and the look-ups were started together when the header was complete. A name too long to have "_dmarc." before
 * it can have no record and is not asked for. A walk whose name server does not answer stops there: what is above could
 * not be used anyway.
 *
 * A malformed record and one of several are no records to the walk (RFC 9989 4.10: discarded). One without a usable
 * policy is a record: its psd tag counts.
 *
 * With the public suffix list, the record of the domain itself is asked for, then that of its organizational domain; a
 * domain that is a public suffix itself is its own organizational domain. The list is the newest of those that libpsl
 * holds and that the distribution installs; it is read once and lives as long as the process.
 */
#include "auth/treewalk.h"
#include "util/domain.h"
#include <libpsl.h>
#include <pthread.h>

#define PREFIX "_dmarc."

struct walker {
    struct arena *arena;
    struct dns *dns;
    struct dns_budget *budget;
    enum treewalk_mode mode;
    const struct treewalk_step **steps;
    size_t step_count, step_capacity;
    const struct treewalk **walks; /* the first step of each is its domain */
    size_t walk_count, walk_capacity;
    const char **queries;
    size_t query_count, query_capacity;
};

static psl_ctx_t *suffixes;
static pthread_once_t suffixes_once = PTHREAD_ONCE_INIT;

static void load_suffixes(void)
{
    suffixes = psl_latest(NULL); /* read-only from here on */
}

static const char *psl_org_domain(const char *domain)
{
    pthread_once(&suffixes_once, load_suffixes);
    const char *found = suffixes ? psl_registrable_domain(suffixes, domain) : NULL;
    return found ? found : domain;
}

static size_t label_count(const char *domain)
{
    size_t count = 1;
    for (; *domain; domain++)
        count += *domain == '.';
    return count;
}

static const char *parent_of(const char *domain)
{
    const char *dot = strchr(domain, '.');
    return dot ? dot + 1 : NULL;
}

size_t treewalk_targets(const char *domain, const char *targets[TREEWALK_QUERIES])
{
    size_t count = 0;
    const char *next = parent_of(domain);
    targets[count++] = domain;
    while (next && label_count(next) > TREEWALK_QUERIES - 1)
        next = parent_of(next);
    for (; next; next = parent_of(next))
        targets[count++] = next;
    return count;
}

void treewalk_prefetch(struct arena *arena, struct dns *dns, const char *domain, enum treewalk_mode mode)
{
    const char *targets[TREEWALK_QUERIES] = {domain, psl_org_domain(domain)};
    size_t count = mode == TREEWALK_DNS ? treewalk_targets(domain, targets) : 2;
    for (size_t i = 0; i < count; i++)
        dns_prefetch(dns, arena_printf(arena, PREFIX "%s", targets[i]), DNS_TXT);
}

struct walker *walker_create(struct arena *arena, struct dns *dns, struct dns_budget *budget, enum treewalk_mode mode)
{
    struct walker *walker = ARENA_NEW(arena, struct walker);
    *walker = (struct walker){.arena = arena, .dns = dns, .budget = budget, .mode = mode};
    return walker;
}

const char *const *walker_queries(const struct walker *walker, size_t *count)
{
    *count = walker->query_count;
    return walker->queries;
}

static const struct dns_answer *query(struct walker *walker, const char *name, enum dns_type type)
{
    walker->queries = arena_grow(walker->arena, walker->queries, &walker->query_capacity, walker->query_count + 1,
                                 sizeof *walker->queries);
    walker->queries[walker->query_count++] = name;
    return dns_query(walker->dns, walker->budget, walker->arena, name, type);
}

static void ask(struct walker *walker, struct treewalk_step *step)
{
    static const enum treewalk_finding findings[] = {[POLICYREC_NONE] = TREEWALK_NOTHING,
                                                     [POLICYREC_ONE] = TREEWALK_RECORD,
                                                     [POLICYREC_SEVERAL] = TREEWALK_SEVERAL,
                                                     [POLICYREC_BROKEN] = TREEWALK_BROKEN};
    step->outcome = DNS_NXDOMAIN;
    step->finding = TREEWALK_NOTHING;
    if (strlen(PREFIX) + strlen(step->domain) > DOMAIN_MAX)
        return;
    const struct dns_answer *answer = query(walker, arena_printf(walker->arena, PREFIX "%s", step->domain), DNS_TXT);
    step->outcome = answer->outcome;
    if (answer->outcome == DNS_SERVFAIL || answer->outcome == DNS_TIMEOUT || answer->outcome == DNS_BOGUS)
        step->finding = TREEWALK_FAILED;
    else
        step->finding = findings[policyrec_choose(walker->arena, answer, &step->record)];
}

static const struct treewalk_step *step_at(struct walker *walker, const char *domain)
{
    for (size_t i = 0; i < walker->step_count; i++) {
        if (strcmp(walker->steps[i]->domain, domain) == 0)
            return walker->steps[i];
    }
    struct treewalk_step *step = ARENA_NEW(walker->arena, struct treewalk_step);
    step->domain = arena_strdup(walker->arena, domain);
    ask(walker, step);
    walker->steps =
        arena_grow(walker->arena, walker->steps, &walker->step_capacity, walker->step_count + 1, sizeof *walker->steps);
    walker->steps[walker->step_count++] = step;
    return step;
}

/* The name one label below PARENT on the way to DOMAIN. */
static const char *one_below(const char *domain, const char *parent)
{
    const char *next;
    while ((next = parent_of(domain)) && strcmp(next, parent) != 0)
        domain = next;
    return domain;
}

/* RFC 9989 4.10.2, from the longest name to the shortest. */
static void choose_org_domain(struct treewalk *walk)
{
    const struct treewalk_step *last = NULL;
    walk->org_domain = walk->start->domain;
    for (size_t i = 0; i < walk->count; i++) {
        const struct treewalk_step *step = walk->steps[i];
        if (step->finding != TREEWALK_RECORD)
            continue;
        if (step->record.psd == 'y' && i > 0) {
            walk->psd = step;
            walk->org_domain = one_below(walk->start->domain, step->domain);
            last = NULL;
            break;
        }
        last = step;
        walk->org_domain = step->domain; /* with psd=n the walk has ended here */
    }
    walk->org = last;
    for (size_t i = 0; walk->psd && i < walk->count; i++) {
        const struct treewalk_step *step = walk->steps[i];
        if (step->finding == TREEWALK_RECORD && strcmp(step->domain, walk->org_domain) == 0)
            walk->org = step;
    }
}

static void walk_dns(struct walker *walker, struct treewalk *walk)
{
    const char *targets[TREEWALK_QUERIES];
    size_t count = treewalk_targets(walk->start->domain, targets);
    for (size_t i = 0; i < count; i++) {
        const struct treewalk_step *step = step_at(walker, targets[i]);
        walk->steps[walk->count++] = step;
        if (step->finding == TREEWALK_FAILED) {
            walk->failed = step;
            return;
        }
        if (step->finding == TREEWALK_RECORD && step->record.psd != 'u')
            break;
    }
    choose_org_domain(walk);
}

static void walk_psl(struct walker *walker, struct treewalk *walk)
{
    const char *org = psl_org_domain(walk->start->domain);
    const struct treewalk_step *step = walk->start;
    walk->org_domain = org;
    walk->steps[walk->count++] = step;
    if (step->finding != TREEWALK_FAILED && strcmp(org, step->domain) != 0) {
        step = step_at(walker, org);
        walk->steps[walk->count++] = step;
    }
    if (step->finding == TREEWALK_FAILED)
        walk->failed = step; /* the organizational domain is known all the same */
    if (step->finding == TREEWALK_RECORD)
        walk->org = step;
}

const struct treewalk *walker_walk(struct walker *walker, const char *domain)
{
    for (size_t i = 0; i < walker->walk_count; i++) {
        if (strcmp(walker->walks[i]->start->domain, domain) == 0)
            return walker->walks[i];
    }
    struct treewalk *walk = ARENA_NEW(walker->arena, struct treewalk);
    walk->start = step_at(walker, domain);
    if (walker->mode == TREEWALK_DNS)
        walk_dns(walker, walk);
    else
        walk_psl(walker, walk);
    walker->walks =
        arena_grow(walker->arena, walker->walks, &walker->walk_capacity, walker->walk_count + 1, sizeof *walker->walks);
    walker->walks[walker->walk_count++] = walk;
    return walk;
}

bool walker_domain_exists(struct walker *walker, const char *domain)
{
    for (size_t i = 0; i < walker->step_count; i++) { /* a name below it exists: then it does as well (RFC 8020) */
        if (strcmp(walker->steps[i]->domain, domain) == 0 &&
            (walker->steps[i]->outcome == DNS_ANSWER || walker->steps[i]->outcome == DNS_NODATA))
            return true;
    }
    return query(walker, domain, DNS_A)->outcome != DNS_NXDOMAIN;
}

struct arena *walker_arena(const struct walker *walker)
{
    return walker->arena;
}
