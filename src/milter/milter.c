/*
 * milter - registration, and draining. How libmilter gets the master's descriptor is in listener.c.
 *
 * Draining must not use smfi_stop(), which breaks the open sessions; see drain.c.
 */
#include "milter/milter.h"
#include "milter/callbacks.h"
#include "milter/drain.h"
#include "milter/listener.h"
#include "util/log.h"
#include <errno.h>
#include <libmilter/mfapi.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* Seconds without a word from the MTA; longer than any SMTP command timeout, or slow clients would be cut off. */
#define IDLE_TIMEOUT 7210

static struct {
    pthread_mutex_t mutex;
    int fd; /* the descriptor that libmilter polls, -1 before it does */
    pthread_t thread;
    bool draining; /* fd, if there is one, is the idle socket */
} listener = {.mutex = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

void milter_drain(const char *directory)
{
    pthread_mutex_lock(&listener.mutex);
    listener.draining = listener.fd < 0 || drain_listener(listener.fd, listener.thread, directory) == 0;
    int error = errno;
    bool failed = !listener.draining;
    pthread_mutex_unlock(&listener.mutex);
    if (failed)
        log_text(LEVEL_ERROR, "drain: no idle socket, connections are still taken: %s", strerror(error));
}

bool milter_is_closed(void)
{
    pthread_mutex_lock(&listener.mutex);
    bool closed = listener.draining && (listener.fd < 0 || drain_is_past(listener.fd));
    pthread_mutex_unlock(&listener.mutex);
    return closed;
}

/* The calling thread is going to listen on FD. False: it must not any more. */
static bool begin_listening(int fd)
{
    pthread_mutex_lock(&listener.mutex);
    bool may = !listener.draining;
    if (may) {
        listener.fd = fd;
        listener.thread = pthread_self();
    }
    pthread_mutex_unlock(&listener.mutex);
    return may;
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
    int fd = listener_open(listen_fd, engine->settings.message->directory);
    if (fd < 0) {
        log_text(LEVEL_ERROR, "libmilter refuses the listening socket");
        return -1;
    }
    if (fd != listen_fd)
        close(listen_fd);
    if (!begin_listening(fd))
        return 0;
    ready(context);
    return smfi_main() == MI_SUCCESS ? 0 : -1;
}
