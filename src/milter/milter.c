/*
 * milter - registration, the listening descriptor, and draining.
 *
 * The descriptor is the master's; libmilter of Debian takes it as "fd:N". Where libmilter has no "fd:", it opens a
 * throw-away unix socket, and ours is laid over that descriptor.
 *
 * Draining must not use smfi_stop(), which breaks the open sessions. Instead a listening socket that nobody knows is
 * laid over the descriptor: libmilter goes on polling, and nothing comes any more.
 */
#include "milter/milter.h"
#include "milter/callbacks.h"
#include "util/log.h"
#include <errno.h>
#include <fcntl.h>
#include <libmilter/mfapi.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Seconds without a word from the MTA; longer than any SMTP command timeout, or slow clients would be cut off. */
#define IDLE_TIMEOUT 7210

static char conn[128];          /* libmilter keeps the pointer */
static _Atomic int listener = -1; /* the descriptor that libmilter polls */

/* A listening unix socket at PATH, whose file is gone when this returns. -1 with errno. */
static int listen_nowhere(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    if ((size_t)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path) >= sizeof sun.sun_path) {
        /* An abstract name that the kernel picks does as well, but could be found in /proc/net/unix. */
        memset(sun.sun_path, 0, sizeof sun.sun_path);
    }
    socklen_t len = sun.sun_path[0] ? (socklen_t)sizeof sun : (socklen_t)sizeof sun.sun_family;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&sun, len) != 0 || listen(fd, 1) != 0) {
        close(fd);
        return -1;
    }
    if (sun.sun_path[0])
        unlink(sun.sun_path);
    return fd;
}

/* libmilter sleeps in poll() for up to five seconds and so long keeps the socket that was taken from it alive. For
 * unix there is no name any more by which it could be reached; for inet a connection of our own wakes it. */
static void wake_listener(const struct sockaddr_storage *address, socklen_t len)
{
    if (address->ss_family != AF_INET && address->ss_family != AF_INET6)
        return;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void)connect(fd, (const struct sockaddr *)address, len);
    close(fd);
}

void milter_drain(const char *directory)
{
    char path[4096];
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof address;
    (void)getsockname(atomic_load(&listener), (struct sockaddr *)&address, &len);
    snprintf(path, sizeof path, "%s/drain.%d", directory, (int)getpid());
    int idle = listen_nowhere(path);
    if (idle < 0)
        idle = listen_nowhere("");
    if (idle < 0 || dup2(idle, atomic_load(&listener)) < 0)
        log_text(LEVEL_ERROR, "drain: no idle socket: %s", strerror(errno));
    if (idle >= 0)
        close(idle);
    wake_listener(&address, len);
}

/* The descriptor of the unix socket bound to PATH in this process, or -1. */
static int find_socket(const char *path)
{
    for (int fd = 3; fd < 1024; fd++) {
        struct sockaddr_un sun;
        socklen_t len = sizeof sun;
        if (getsockname(fd, (struct sockaddr *)&sun, &len) == 0 && sun.sun_family == AF_UNIX &&
            len > sizeof sun.sun_family && strcmp(sun.sun_path, path) == 0)
            return fd;
    }
    return -1;
}

static int open_over_throwaway(int listen_fd, const char *directory)
{
    char path[100];
    if ((size_t)snprintf(path, sizeof path, "%s/listen.%d", directory, (int)getpid()) >= sizeof path)
        return -1;
    snprintf(conn, sizeof conn, "unix:%s", path);
    if (smfi_setconn(conn) != MI_SUCCESS || smfi_opensocket(0) != MI_SUCCESS)
        return -1;
    int theirs = find_socket(path);
    unlink(path);
    return theirs >= 0 && dup2(listen_fd, theirs) >= 0 ? theirs : -1;
}

/* Which descriptor libmilter now listens on, or -1. */
static int open_listener(int listen_fd, const char *directory)
{
    snprintf(conn, sizeof conn, "fd:%d", listen_fd);
    if (smfi_setconn(conn) == MI_SUCCESS && smfi_opensocket(0) == MI_SUCCESS)
        return listen_fd;
    return open_over_throwaway(listen_fd, directory);
}

unsigned milter_sessions(void)
{
    return callbacks_sessions();
}

int milter_serve(const struct engine *engine, int listen_fd, void (*ready)(void *context), void *context)
{
    struct smfiDesc description = callbacks_description();
    callbacks_engine(engine);
    if (smfi_register(description) != MI_SUCCESS || smfi_settimeout(IDLE_TIMEOUT) != MI_SUCCESS) {
        log_text(LEVEL_ERROR, "libmilter refuses to register the filter");
        return -1;
    }
    int fd = open_listener(listen_fd, engine->settings.message->directory);
    if (fd < 0) {
        log_text(LEVEL_ERROR, "libmilter refuses the listening socket");
        return -1;
    }
    if (fd != listen_fd)
        close(listen_fd);
    atomic_store(&listener, fd);
    ready(context);
    return smfi_main() == MI_SUCCESS ? 0 : -1;
}
