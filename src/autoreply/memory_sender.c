/*
 * memory_sender - one person, one memory, whatever a mail system hangs around his address.
 *
 * Tags are taken off until none is left, at most ROUNDS times: an SRS address of ours may hold a BATV one. SRS is
 * undone as text, "SRS0=HHH=TT=domain=user" and "SRS1=HHH=domain==HHH=TT=domain=user" (any of = + - behind SRS0 and
 * SRS1). Hash and time are not checked: this is no way back for a bounce but a name under which to remember, and a
 * forger could as well use the address itself. SRS at domains of others is left alone; what it means is theirs to say.
 *
 * "SRS0=HHH=TT==TOKEN" stands for a sender too long to be written out. If nobody knows the token any more the address
 * is remembered without hash and time, which change from day to day.
 */
#include "autoreply/addr_spec.h"
#include "autoreply/memory.h"
#include "srs/srs_codec.h"
#include <ctype.h>
#include <stdio.h>

#define ROUNDS 10

static bool is_separator(char c)
{
    return c == '=' || c == '+' || c == '-';
}

/* Behind the next '='; NULL: there is none, or nothing stands before it. */
static const char *skip_part(const char *p)
{
    const char *equals = strchr(p, '=');
    return equals && equals > p ? equals + 1 : NULL;
}

/* "HHH=TT=domain=user": from "domain" on; NULL: it is something else. */
static const char *skip_stamp(const char *p)
{
    const char *time = skip_part(p);
    return time ? skip_part(time) : NULL;
}

/* Where "domain=user" begins in LOCAL, NULL if it is no SRS form. */
static const char *find_original(const char *local)
{
    if (strncasecmp(local, "SRS0", 4) == 0 && is_separator(local[4]))
        return skip_stamp(local + 5);
    if (strncasecmp(local, "SRS1", 4) != 0 || !is_separator(local[4]))
        return NULL;
    const char *forwarder = skip_part(local + 5), *inner = forwarder ? skip_part(forwarder) : NULL;
    return inner && is_separator(*inner) ? skip_stamp(inner + 1) : NULL;
}

static bool use(struct addr_spec *address, const struct addr_spec *original)
{
    if (!addr_spec_is_in_bounds(original))
        return false;
    *address = *original;
    return true;
}

/* "SRS0=HHH=TT==TOKEN", of which TEXT is what stands behind the last '='. */
static bool undo_token(struct arena *arena, struct addr_spec *address, const char *text, const struct memory_ours *ours)
{
    char token[SRS_TOKEN_LENGTH + 1] = "";
    struct addr_spec original;
    for (size_t i = 0; i < SRS_TOKEN_LENGTH && isascii(text[i]) && isalnum((unsigned char)text[i]); i++)
        token[i] = (char)tolower((unsigned char)text[i]);
    if (strlen(text) != SRS_TOKEN_LENGTH || strlen(token) != SRS_TOKEN_LENGTH)
        return false;
    const char *sender = ours->long_sender ? ours->long_sender(ours->context, arena, token) : NULL;
    if (sender && addr_spec_parse(span_of(sender), &original) == 0)
        return use(address, &original);
    original = *address;
    snprintf(original.local, sizeof original.local, "SRS0==%s", token);
    return use(address, &original);
}

static bool undo_srs(struct arena *arena, struct addr_spec *address, const struct memory_ours *ours)
{
    struct addr_spec original = {.is_utf8 = address->is_utf8};
    const char *domain = find_original(address->local), *user = domain ? skip_part(domain) : NULL;
    if (domain && *domain == '=' && address->local[3] == '0')
        return undo_token(arena, address, domain + 1, ours);
    if (!user || !*user)
        return false;
    if (domain_canonical((struct span){domain, (size_t)(user - 1 - domain)}, original.domain) != 0)
        return false;
    memcpy(original.local, user, strlen(user) + 1);
    return use(address, &original);
}

const char *memory_sender(struct arena *arena, const char *sender, const struct memory_ours *ours)
{
    struct addr_spec address;
    if (addr_spec_parse(span_of(sender), &address) != 0)
        return NULL;
    for (unsigned round = 0; round < ROUNDS; round++) {
        bool is_changed = addr_spec_untag(&address);
        if (ours && ours->has_domain(ours->context, address.domain))
            is_changed |= undo_srs(arena, &address, ours);
        if (!is_changed)
            break;
    }
    addr_spec_fold(&address);
    return addr_spec_print(arena, &address);
}
