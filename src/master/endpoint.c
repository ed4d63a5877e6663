/*
 * endpoint - text to sockaddr. Host names other than localhost are not looked up: the gate must not depend on DNS to
 * open, and a name with two addresses would be two sockets.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/endpoint.h"
#include <arpa/inet.h>
#include <stdlib.h>

int endpoint_of_path(struct endpoint *endpoint, const char *option, const char *path, struct strbuf *why)
{
    size_t len = strlen(path);
    if (path[0] != '/') {
        strbuf_printf(why, "%s: \"%s\" is no absolute path", option, path);
        return -1;
    }
    if (len > ENDPOINT_PATH_MAX) {
        strbuf_printf(why, "%s: the path is %zu bytes long, a unix socket's may have %d: %s", option, len,
                      ENDPOINT_PATH_MAX, path);
        return -1;
    }
    *endpoint = (struct endpoint){.length = sizeof endpoint->address.un};
    endpoint->address.un.sun_family = AF_UNIX;
    memcpy(endpoint->address.un.sun_path, path, len);
    return 0;
}

static int parse_host(struct endpoint *endpoint, int family, uint16_t port, const char *host)
{
    *endpoint = (struct endpoint){0};
    if (family == AF_INET) {
        struct sockaddr_in *in = &endpoint->address.in;
        endpoint->length = sizeof *in;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        in->sin_addr.s_addr = htonl(INADDR_ANY);
        if (host && strcasecmp(host, "localhost") == 0)
            in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        else if (host && inet_pton(AF_INET, host, &in->sin_addr) != 1)
            return -1;
        return 0;
    }
    struct sockaddr_in6 *in6 = &endpoint->address.in6;
    endpoint->length = sizeof *in6;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    in6->sin6_addr = in6addr_any;
    if (host && strcasecmp(host, "localhost") == 0)
        in6->sin6_addr = in6addr_loopback;
    else if (host && inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
        return -1;
    return 0;
}

static int parse_inet(struct endpoint *endpoint, int family, const char *option, const char *spec, const char *rest,
                      struct strbuf *why)
{
    char *end;
    long port = strtol(rest, &end, 10);
    if (end == rest || *rest < '0' || *rest > '9' || (*end && *end != '@') || port < 1 || port > 65535) {
        strbuf_printf(why, "%s: \"%s\" has no port between 1 and 65535 behind the colon", option, spec);
        return -1;
    }
    if (parse_host(endpoint, family, (uint16_t)port, *end ? end + 1 : NULL) == 0)
        return 0;
    strbuf_printf(why, "%s: \"%s\" is no IPv%d address and not localhost", option, end + 1, family == AF_INET ? 4 : 6);
    return -1;
}

int endpoint_parse(struct endpoint *endpoint, const char *option, const char *spec, struct strbuf *why)
{
    if (strncmp(spec, "unix:", 5) == 0)
        return endpoint_of_path(endpoint, option, spec + 5, why);
    if (strncmp(spec, "local:", 6) == 0)
        return endpoint_of_path(endpoint, option, spec + 6, why);
    if (spec[0] == '/')
        return endpoint_of_path(endpoint, option, spec, why);
    if (strncmp(spec, "inet:", 5) == 0)
        return parse_inet(endpoint, AF_INET, option, spec, spec + 5, why);
    if (strncmp(spec, "inet6:", 6) == 0)
        return parse_inet(endpoint, AF_INET6, option, spec, spec + 6, why);
    strbuf_printf(why, "%s: \"%s\" is neither unix:PATH nor inet:PORT@HOST nor inet6:PORT@HOST", option, spec);
    return -1;
}
