/*
 * drain - a listening socket that nobody knows is laid over the one that libmilter polls.
 *
 * libmilter goes on polling, and nothing comes any more; the open sessions know nothing of it. But the kernel keeps the
 * old socket alive as long as a poll() that began on it sleeps, five seconds with libmilter, and would take connections
 * that nobody answers. A unix socket has lost its name by then. For inet the poll() is ended: it looks at the
 * descriptors again when it is woken, so the idle socket gets a connection of ours beforehand (then there is something
 * to see), and the old one gets one too (then there is something to wake it). After its one connection a packet filter
 * makes the idle socket deaf, where the kernel lets us.
 */
#include "milter/drain.h"
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int close_keeping_errno(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Connects and hangs up; whether it succeeds does not matter. */
static void knock(const struct sockaddr *address, socklen_t len)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void)connect(fd, address, len);
    close(fd);
}

/* A listening unix socket in DIRECTORY, whose file is gone when this returns. */
static int listen_unnamed(const char *directory)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t len = sizeof address;
    /* Where the directory's path is too long, an abstract name that the kernel picks must do. */
    if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s/drain.%d", directory, (int)getpid()) >=
        sizeof address.sun_path) {
        memset(address.sun_path, 0, sizeof address.sun_path);
        len = sizeof address.sun_family;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 1) != 0)
        return close_keeping_errno(fd);
    if (address.sun_path[0])
        unlink(address.sun_path);
    return fd;
}

/* A listening socket on the loopback address, with one connection waiting and deaf for all others. */
static int listen_deaf(int family)
{
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog filter = {1, &drop};
    struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
    socklen_t len = sizeof address;
    if (family == AF_INET)
        ((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_loopback;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&address,
             family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)) != 0 ||
        listen(fd, 1) != 0 || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return close_keeping_errno(fd);
    knock((struct sockaddr *)&address, len);
    /* Some kernels keep filters for root. Then somebody on this host who finds the port could prolong the drain. */
    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
    return fd;
}

int drain_listener(int listener, const char *directory)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof address;
    if (getsockname(listener, (struct sockaddr *)&address, &len) != 0)
        return -1;
    bool is_inet = address.ss_family == AF_INET || address.ss_family == AF_INET6;
    int idle = is_inet ? listen_deaf(address.ss_family) : listen_unnamed(directory);
    if (idle < 0)
        return -1;
    if (dup2(idle, listener) < 0)
        return close_keeping_errno(idle);
    close(idle);
    if (is_inet)
        knock((const struct sockaddr *)&address, len);
    return 0;
}
