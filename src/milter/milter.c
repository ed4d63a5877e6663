/*
 * milter - registration, the listening descriptor, and draining.
 *
 * The descriptor is the master's; libmilter of Debian takes it as "fd:N". Where libmilter has no "fd:", it opens a
 * throw-away unix socket, and ours is laid over that descriptor.
 *
 * Draining must not use smfi_stop(), which breaks the open sessions; see drain.c.
 */
#include "milter/milter.h"
#include "milter/callbacks.h"
#include "milter/drain.h"
#include "util/log.h"
#include <errno.h>
#include <libmilter/mfapi.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Seconds without a word from the MTA; longer than any SMTP command timeout, or slow clients would be cut off. */
#define IDLE_TIMEOUT 7210

static char conn[128];          /* libmilter keeps the pointer */
static _Atomic int listener = -1; /* the descriptor that libmilter polls */

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

void milter_drain(const char *directory)
{
    if (drain_listener(atomic_load(&listener), directory) != 0)
        log_text(LEVEL_ERROR, "drain: no idle socket: %s", strerror(errno));
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
