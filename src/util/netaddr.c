/*
 * netaddr - inet_pton/inet_ntop with the mapped addresses folded, and a plain list of prefixes.
 *
 * Administrators list a handful of networks, so a list is searched faster than a tree is explained.
 */
#include "util/netaddr.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct network {
    struct netaddr addr;
    unsigned bits;
};

struct netset {
    struct arena *arena;
    struct network *networks;
    size_t count, capacity;
};

static void fold_mapped(struct netaddr *addr)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (addr->family != AF_INET6 || memcmp(addr->bytes, mapped, sizeof mapped) != 0)
        return;
    memmove(addr->bytes, addr->bytes + 12, 4);
    memset(addr->bytes + 4, 0, 12);
    addr->family = AF_INET;
}

struct netaddr netaddr_of_sockaddr(const struct sockaddr *sa)
{
    struct netaddr addr = {.family = AF_UNSPEC};
    if (sa && sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        addr.family = AF_INET;
        addr.port = ntohs(in.sin_port);
        memcpy(addr.bytes, &in.sin_addr, 4);
    } else if (sa && sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof in6);
        addr.family = AF_INET6;
        addr.port = ntohs(in6.sin6_port);
        memcpy(addr.bytes, &in6.sin6_addr, 16);
        fold_mapped(&addr);
    }
    return addr;
}

int netaddr_parse(const char *text, struct netaddr *addr)
{
    *addr = (struct netaddr){.family = AF_UNSPEC};
    if (inet_pton(AF_INET, text, addr->bytes) == 1) {
        addr->family = AF_INET;
        return 0;
    }
    if (inet_pton(AF_INET6, text, addr->bytes) == 1) {
        addr->family = AF_INET6;
        fold_mapped(addr);
        return 0;
    }
    return -1;
}

const char *netaddr_format(const struct netaddr *addr, char text[NETADDR_TEXT_SIZE])
{
    text[0] = '\0';
    if (addr->family != AF_UNSPEC)
        inet_ntop(addr->family, addr->bytes, text, NETADDR_TEXT_SIZE);
    return text;
}

static size_t address_length(const struct netaddr *addr)
{
    return addr->family == AF_INET ? 4 : 16;
}

bool netaddr_equal(const struct netaddr *a, const struct netaddr *b)
{
    return a->family == b->family && a->family != AF_UNSPEC && memcmp(a->bytes, b->bytes, address_length(a)) == 0;
}

bool netaddr_is_loopback(const struct netaddr *addr)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    return (addr->family == AF_INET && addr->bytes[0] == 127) ||
           (addr->family == AF_INET6 && memcmp(addr->bytes, loopback6, 16) == 0);
}

struct netset *netset_create(struct arena *arena)
{
    struct netset *set = ARENA_NEW(arena, struct netset);
    set->arena = arena;
    return set;
}

static bool prefix_matches(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    uint8_t mask = (uint8_t)(0xff00 >> rest);
    return rest == 0 || (a[whole] & mask) == (b[whole] & mask);
}

static bool has_host_bits(const struct network *network)
{
    for (unsigned bit = network->bits; bit < address_length(&network->addr) * 8; bit++) {
        if (network->addr.bytes[bit / 8] & (0x80 >> (bit % 8)))
            return true;
    }
    return false;
}

const char *netset_add(struct netset *set, const char *cidr)
{
    char text[NETADDR_TEXT_SIZE + 4];
    if ((size_t)snprintf(text, sizeof text, "%s", cidr) >= sizeof text)
        return "is too long for an address";
    char *slash = strchr(text, '/');
    if (slash)
        *slash = '\0';
    struct network network;
    if (netaddr_parse(text, &network.addr) != 0)
        return "is no IPv4 or IPv6 network";
    unsigned all = (unsigned)address_length(&network.addr) * 8;
    network.bits = all;
    if (slash) {
        if (strspn(slash + 1, "0123456789") != strlen(slash + 1) || !slash[1] || strlen(slash + 1) > 3 ||
            (network.bits = (unsigned)atoi(slash + 1)) > all)
            return "has a prefix length that is out of range";
        if (has_host_bits(&network))
            return "has bits set behind the prefix length";
    }
    set->networks = arena_grow(set->arena, set->networks, &set->capacity, set->count + 1, sizeof network);
    set->networks[set->count++] = network;
    return NULL;
}

bool netset_is_empty(const struct netset *set)
{
    return set->count == 0;
}

bool netset_has(const struct netset *set, const struct netaddr *addr)
{
    if (addr->family == AF_UNSPEC)
        return false;
    for (size_t i = 0; i < set->count; i++) {
        const struct network *network = &set->networks[i];
        if (network->addr.family == addr->family && prefix_matches(network->addr.bytes, addr->bytes, network->bits))
            return true;
    }
    return false;
}
