/*
 * responding - the state as replies need it, how many may leave, and questions about addresses.
 *
 * recipient_delimiter says how the addresses of this host are tagged. With "-" in it, a stranger bob-miller@ is somebody
 * else than bob@, whom the owner may have excluded.
 */
#include "autoreply/responding.h"
#include "autoreply/addr_spec.h"
#include "srs/srs.h"
#include <stdlib.h>

struct responding *responding_open(const struct settings *settings, const struct domain_set *srs_domains,
                                   const struct state *state)
{
    struct responding *responding = calloc(1, sizeof *responding);
    if (!responding)
        abort();
    *responding =
        (struct responding){settings, srs_domains, state->store, state->spool, state->aliases, caps_create()};
    return responding;
}

void responding_close(struct responding *responding)
{
    if (responding)
        caps_destroy(responding->caps);
    free(responding);
}

bool responding_has_domain(const struct responding *responding, const char *domain)
{
    return domain_set_has(responding->settings->general->local_domains, domain) ||
           (responding->srs_domains && domain_set_has(responding->srs_domains, domain));
}

struct asking {
    const struct responding *responding;
    int64_t now;
};

static bool has_domain(void *context, const char *domain)
{
    const struct asking *asking = context;
    return responding_has_domain(asking->responding, domain);
}

static const char *long_sender(void *context, struct arena *arena, const char *token)
{
    const struct asking *asking = context;
    const char *sender;
    srs_find_sender(asking->responding->store, arena, token, asking->now, &sender);
    return sender;
}

const char *responding_sender(const struct responding *responding, struct arena *arena, const char *sender, int64_t now)
{
    struct asking asking = {responding, now};
    const struct memory_ours ours = {has_domain, long_sender, &asking};
    return memory_sender(arena, sender, &ours);
}

const char *responding_canonical(const struct responding *responding, struct arena *arena, const char *sender)
{
    struct addr_spec address;
    char domain[DOMAIN_MAX + 1];
    const char *canonical = aliases_canonical(responding->aliases, arena, sender);
    if (!canonical || addr_spec_parse(span_of(sender), &address) != 0 || domain_of_address(canonical, domain) != 0)
        return canonical;
    if (strcmp(domain, address.domain) != 0 || responding_has_domain(responding, domain))
        return canonical;
    char *plus = strchr(address.local, '+');
    if (plus && plus > address.local)
        *plus = '\0';
    addr_spec_fold(&address);
    return addr_spec_print(arena, &address);
}

static bool is_same(const struct responding *responding, struct arena *arena, const char *one, const char *other)
{
    const char *first = aliases_canonical(responding->aliases, arena, one);
    const char *second = aliases_canonical(responding->aliases, arena, other);
    return first && second && strcmp(first, second) == 0;
}

static bool is_his_alone(const struct responding *responding, struct arena *arena, const char *address,
                         const char *mailbox)
{
    struct aliases_targets targets = aliases_expand(responding->aliases, arena, address);
    return targets.count == 1 && !targets.is_partial && !targets.is_catch_all && strcmp(targets.items[0], mailbox) == 0;
}

const char *responding_from(const struct responding *responding, struct arena *arena, const char *written_to,
                            const char *mailbox)
{
    const char *delimiters = responding->settings->aliases->recipient_delimiter;
    struct addr_spec address;
    if (addr_spec_parse(span_of(written_to), &address) != 0)
        return mailbox;
    size_t user = strcspn(address.local, delimiters ? delimiters : "");
    if (user > 0 && address.local[user]) {
        address.local[user] = '\0';
        const char *plain = addr_spec_print(arena, &address);
        if (is_same(responding, arena, plain, written_to)) /* not if a table has the whole of it */
            written_to = plain;
    }
    return is_his_alone(responding, arena, written_to, mailbox) ? written_to : mailbox;
}
