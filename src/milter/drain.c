/*
 * drain - a listening socket that nobody knows is laid over the one that libmilter polls.
 *
 * libmilter goes on polling, and nothing comes any more; the open sessions know nothing of it. Two things remain:
 *
 * A poll() that began on the old socket looks at the new one only when it is woken, and keeps the old socket alive
 * until then, five seconds with libmilter. A signal with an empty handler ends it; libmilter begins again.
 *
 * The thread may be past its poll() and in accept(), and on a busy machine stay there for a while. One connection of
 * our own waits in the idle socket from the start: libmilter's one listener thread takes it only after everything that
 * it began before, and from then on knows the idle socket alone. So once it has been taken no accept() on the old
 * socket is under way, and none can begin. libmilter makes a session of it that ends before its first word.
 *
 * For inet a packet filter makes the idle socket deaf behind that connection, where the kernel lets us; a unix socket
 * has lost its name by then.
 */
#include "milter/drain.h"
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define KNOCK_TIME 1000 /* milliseconds */

static int close_keeping_errno(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Puts a connection, which its other end has closed, into the queue of FD, that listens on ADDRESS. */
static int knock(int fd, const struct sockaddr *address, socklen_t len)
{
    struct pollfd queue = {.fd = fd, .events = POLLIN};
    int client = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client < 0)
        return -1;
    if (connect(client, address, len) != 0)
        return close_keeping_errno(client);
    int ready = poll(&queue, 1, KNOCK_TIME); /* of TCP the last packet may be on its way */
    close(client);
    if (ready == 0)
        errno = ETIMEDOUT;
    return ready == 1 ? 0 : -1;
}

/* A listening unix socket in DIRECTORY, with one connection waiting, whose file is gone when this returns. */
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
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 1) != 0)
        return close_keeping_errno(fd);
    len = sizeof address;
    int result = getsockname(fd, (struct sockaddr *)&address, &len);
    if (result == 0)
        result = knock(fd, (struct sockaddr *)&address, len);
    if (address.sun_path[0])
        unlink(address.sun_path);
    return result == 0 ? fd : close_keeping_errno(fd);
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
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&address,
             family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)) != 0 ||
        listen(fd, 1) != 0 || getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
        knock(fd, (struct sockaddr *)&address, len) != 0)
        return close_keeping_errno(fd);
    /* Some kernels keep filters for root. Then somebody on this host who finds the port could prolong the drain. */
    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
    return fd;
}

static void on_wake(int number)
{
    (void)number;
}

/* Ends a poll() of THREAD. SIGURG: nobody else here uses it, and where no handler is it does nothing. */
static int wake(pthread_t thread)
{
    struct sigaction action = {.sa_handler = on_wake, .sa_flags = SA_RESTART}; /* poll() is ended in any case */
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGURG, &action, NULL) != 0)
        return -1;
    errno = pthread_kill(thread, SIGURG);
    return errno ? -1 : 0;
}

int drain_listener(int listener, pthread_t poller, const char *directory)
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
    (void)wake(poller); /* or it finds out by itself, after five seconds */
    return 0;
}

bool drain_is_past(int listener)
{
    struct pollfd queue = {.fd = listener, .events = POLLIN};
    return poll(&queue, 1, 0) == 0;
}
