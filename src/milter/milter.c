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
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* Seconds without a word from the MTA; longer than any SMTP command timeout, or slow clients would be cut off. */
#define IDLE_TIMEOUT 7210

static _Atomic int listener = -1; /* the descriptor that libmilter polls */

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
    int fd = listener_open(listen_fd, engine->settings.message->directory);
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
