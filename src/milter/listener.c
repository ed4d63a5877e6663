/*
 * listener - "fd:N", or ours over theirs.
 *
 * libmilter of Debian takes a descriptor as "fd:N"; Sendmail's own does not. There it opens a throw-away socket, and
 * ours is laid over that descriptor. The throw-away socket is of our family, because libmilter hangs up on connections
 * of another one: in DIRECTORY for unix, on the loopback address and a port that the kernel picks for inet and inet6.
 */
#include "milter/listener.h"
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static char conn[128]; /* libmilter keeps the pointer */

static int option_of(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 ? value : -1;
}

/* The listening socket of FAMILY that is not OURS, or -1. The worker has no other. */
static int find_theirs(int family, int ours)
{
    for (int fd = 3; fd < 1024; fd++) {
        if (fd != ours && option_of(fd, SO_DOMAIN) == family && option_of(fd, SO_ACCEPTCONN) == 1)
            return fd;
    }
    return -1;
}

static int open_over_throwaway(int listen_fd, const char *directory)
{
    int family = option_of(listen_fd, SO_DOMAIN);
    char path[100] = "";
    if (family == AF_INET || family == AF_INET6)
        snprintf(conn, sizeof conn, family == AF_INET ? "inet:0@[127.0.0.1]" : "inet6:0@[::1]");
    else if ((size_t)snprintf(path, sizeof path, "%s/listen.%d", directory, (int)getpid()) >= sizeof path)
        return -1;
    else
        snprintf(conn, sizeof conn, "unix:%s", path);
    if (smfi_setconn(conn) != MI_SUCCESS || smfi_opensocket(0) != MI_SUCCESS)
        return -1;
    int theirs = find_theirs(family, listen_fd);
    if (*path)
        unlink(path);
    return theirs >= 0 && dup2(listen_fd, theirs) >= 0 ? theirs : -1;
}

int listener_open(int listen_fd, const char *directory)
{
    snprintf(conn, sizeof conn, "fd:%d", listen_fd);
    if (smfi_setconn(conn) == MI_SUCCESS && smfi_opensocket(0) == MI_SUCCESS)
        return listen_fd;
    return open_over_throwaway(listen_fd, directory);
}
