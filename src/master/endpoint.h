/*
 * endpoint - the option `socket`: where the MTA reaches us.
 *
 * "unix:PATH", "local:PATH", "PATH" (absolute), "inet:PORT@HOST", "inet6:PORT@HOST"; HOST is an address or localhost,
 * without it every address of the machine.
 * OWNS: plain values. THREADS: plain values.
 */
#ifndef POSTERN_MASTER_ENDPOINT_H
#define POSTERN_MASTER_ENDPOINT_H

#include "util/strbuf.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ENDPOINT_PATH_MAX 107 /* bytes, sun_path less the NUL */

struct endpoint {
    union {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } address;
    socklen_t length;
};

/* OPTION is the name to stand in WHY. 0, or -1 with WHY. */
int endpoint_parse(struct endpoint *endpoint, const char *option, const char *spec, struct strbuf *why);

/* A path alone, for the control socket. 0, or -1 with WHY. */
int endpoint_of_path(struct endpoint *endpoint, const char *option, const char *path, struct strbuf *why);

#endif
