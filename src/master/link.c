/*
 * link - a loop around recv() for the worker, two calls that never wait for the master.
 *
 * A word that is not known is passed over, so that a newer master can speak to a worker of the version before it: they
 * meet in the reload that follows a package upgrade. Nothing here decides what draining means.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/link.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

static int send_whole(int fd, const char *text, size_t len, int flags)
{
    ssize_t sent;
    do
        sent = send(fd, text, len, MSG_NOSIGNAL | flags);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

int link_send_ready(int fd)
{
    return send_whole(fd, "ready", 5, 0);
}

int link_send_closed(int fd)
{
    return send_whole(fd, "closed", 6, 0);
}

int link_send_report(int fd, const struct link_handler *handler)
{
    struct strbuf text;
    strbuf_init(&text, LINK_TEXT_MAX);
    strbuf_puts(&text, "report\n");
    handler->on_report(handler->context, &text);
    size_t len = text.len;
    while (text.truncated && len > 0 && text.ptr[len - 1] != '\n')
        len--; /* half a line would be half a number */
    int result = send_whole(fd, text.ptr, len, 0);
    strbuf_free(&text);
    return result;
}

void link_serve(int fd, const struct link_handler *handler)
{
    bool draining = false;
    char word[64];
    for (;;) {
        ssize_t len = recv(fd, word, sizeof word, 0);
        if (len < 0 && errno == EINTR)
            continue;
        if (len <= 0)
            break;
        struct span said = {word, (size_t)len};
        if (span_equals(said, "report")) {
            link_send_report(fd, handler);
        } else if (span_equals(said, "drain") && !draining) {
            draining = true;
            handler->on_drain(handler->context);
        }
    }
    handler->on_orphaned(handler->context);
}

struct thread_arguments {
    int fd;
    const struct link_handler *handler;
};

static void *run_thread(void *opaque)
{
    struct thread_arguments arguments = *(struct thread_arguments *)opaque;
    free(opaque);
    link_serve(arguments.fd, arguments.handler);
    return NULL;
}

int link_open(int fd, const struct link_handler *handler)
{
    struct thread_arguments *arguments = malloc(sizeof *arguments);
    if (!arguments)
        return ENOMEM;
    *arguments = (struct thread_arguments){fd, handler};
    /* A thread takes the mask of its creator: libmilter's own thread must be the only one that sees signals. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run_thread, arguments);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        free(arguments);
        return error;
    }
    pthread_detach(thread);
    return 0;
}

int link_tell(int fd, const char *word)
{
    return send_whole(fd, word, strlen(word), MSG_DONTWAIT);
}

ssize_t link_receive(int fd, char *buffer)
{
    ssize_t len;
    do
        len = recv(fd, buffer, LINK_TEXT_MAX, MSG_DONTWAIT);
    while (len < 0 && errno == EINTR);
    if (len < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? -1 : 0;
    buffer[len] = '\0';
    return len;
}
