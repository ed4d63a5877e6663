/*
 * netaddr - IP addresses and networks of both families.
 *
 * An IPv4-mapped IPv6 address (::ffff:192.0.2.1) is the IPv4 address everywhere in Postern.
 * OWNS: plain values; a netset lives in its arena. THREADS: built by one, read by many.
 */
#ifndef POSTERN_UTIL_NETADDR_H
#define POSTERN_UTIL_NETADDR_H

#include "util/arena.h"
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct netaddr {
    int family;        /* AF_INET, AF_INET6, or AF_UNSPEC: not known */
    uint16_t port;     /* host order, 0 = none */
    uint8_t bytes[16]; /* 4 or 16 of them, network order */
};

#define NETADDR_TEXT_SIZE 48

struct netaddr netaddr_of_sockaddr(const struct sockaddr *sa);

/* "192.0.2.1", "2001:db8::1". 0, or -1: no address (TEXT holds anything else, brackets and zone ids included). */
int netaddr_parse(const char *text, struct netaddr *addr);

/* Without the port; "" for AF_UNSPEC. Returns TEXT. */
const char *netaddr_format(const struct netaddr *addr, char text[NETADDR_TEXT_SIZE]);

bool netaddr_equal(const struct netaddr *a, const struct netaddr *b);
bool netaddr_is_loopback(const struct netaddr *addr);

struct netset;
struct netset *netset_create(struct arena *arena);

/* "192.0.2.0/24", "2001:db8::/32", or an address alone. NULL, or why it is refused (static text). Host bits that are
 * set are refused, because they are nearly always a typing error. */
const char *netset_add(struct netset *set, const char *cidr);
bool netset_is_empty(const struct netset *set);
bool netset_has(const struct netset *set, const struct netaddr *addr);

#endif
