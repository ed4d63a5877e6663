/*
 * socketmap_client - read, answer, write, without ever waiting.
 *
 * Requests that came together are answered in their order and written together. While answers are left that the socket
 * does not take, no request is read: so a client that sends and never reads holds SOCKETMAP_OUTPUT_MAX octets at most,
 * and its own requests pile up in its own buffers. Its time runs from when the answers were made; that it takes some
 * of them gives it no more.
 *
 * After the answers nothing is read again in the same call, because a client that waits for its answer has sent nothing
 * yet, and one that sends all the time must not keep its thread from the others.
 */
#include "srs/socketmap_client.h"
#include "util/clock.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(SOCKETMAP_INPUT > SOCKETMAP_WIRE_MAX(SOCKETMAP_REQUEST_MAX), "a whole request must fit");

struct socketmap_client *socketmap_client_create(int fd)
{
    struct socketmap_client *client = malloc(sizeof *client);
    if (!client)
        abort();
    client->next = client->previous = NULL;
    pthread_mutex_init(&client->lock, NULL);
    client->fd = fd;
    atomic_init(&client->deadline, 0);
    strbuf_init(&client->out, SOCKETMAP_OUTPUT_MAX);
    client->sent = client->in_len = 0;
    return client;
}

void socketmap_client_close(struct socketmap_client *client)
{
    close(client->fd);
    pthread_mutex_destroy(&client->lock);
    strbuf_free(&client->out);
    free(client);
}

/* Answers whole requests until there are many answers. MORE, BROKEN, or REQUEST: there may be another one. */
static enum socketmap_progress answer(struct socketmap_client *client, const struct socketmap_options *options,
                                      struct srs *srs, struct socketmap_counts *counts)
{
    enum socketmap_progress progress = SOCKETMAP_REQUEST;
    size_t used = 0;
    int64_t now = clock_wall();
    while (client->out.len < SOCKETMAP_OUTPUT_HIGH) {
        struct socketmap_request request;
        size_t taken;
        progress = socketmap_wire_take((struct span){client->in + used, client->in_len - used}, SOCKETMAP_REQUEST_MAX,
                                       &request, &taken);
        if (progress != SOCKETMAP_REQUEST)
            break;
        enum socketmap_status status = socketmap_lookup(options, srs, &request, now, &client->out);
        atomic_fetch_add_explicit(&counts->answers[status], 1, memory_order_relaxed);
        used += taken;
    }
    client->in_len -= used;
    memmove(client->in, client->in + used, client->in_len);
    return client->out.truncated ? SOCKETMAP_BROKEN : progress;
}

/* INPUT: all is out. ROOM: the socket takes no more for now. */
static enum socketmap_wish send_answers(struct socketmap_client *client)
{
    while (client->sent < client->out.len) {
        ssize_t n = send(client->fd, client->out.ptr + client->sent, client->out.len - client->sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? SOCKETMAP_WANTS_ROOM : SOCKETMAP_WANTS_END;
        client->sent += (size_t)n;
    }
    client->sent = client->out.len = 0;
    return SOCKETMAP_WANTS_INPUT;
}

/* Octets read, 0 if there are none now, -1 at the end. */
static ssize_t receive(struct socketmap_client *client)
{
    ssize_t n = recv(client->fd, client->in + client->in_len, sizeof client->in - client->in_len, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    client->in_len += (size_t)n;
    return n > 0 ? n : -1;
}

static enum socketmap_wish converse(struct socketmap_client *client, const struct socketmap_options *options,
                                    struct srs *srs, struct socketmap_counts *counts, bool *was_answered)
{
    enum socketmap_wish wish = send_answers(client);
    for (bool has_read = false; wish == SOCKETMAP_WANTS_INPUT;) {
        enum socketmap_progress progress = answer(client, options, srs, counts);
        *was_answered |= client->out.len > 0;
        wish = send_answers(client);
        if (progress == SOCKETMAP_BROKEN) {
            atomic_fetch_add_explicit(&counts->broken, 1, memory_order_relaxed);
            return SOCKETMAP_WANTS_END;
        }
        if (progress == SOCKETMAP_MORE && has_read)
            break;
        if (progress == SOCKETMAP_MORE && wish == SOCKETMAP_WANTS_INPUT) {
            ssize_t n = receive(client);
            if (n <= 0)
                return n < 0 ? SOCKETMAP_WANTS_END : SOCKETMAP_WANTS_INPUT;
            has_read = true;
        }
    }
    return wish;
}

enum socketmap_wish socketmap_client_serve(struct socketmap_client *client, const struct socketmap_options *options,
                                           struct srs *srs, struct socketmap_counts *counts)
{
    /* While we work the time is ours. */
    int64_t deadline = atomic_exchange(&client->deadline, 0);
    bool was_answered = false;
    enum socketmap_wish wish = converse(client, options, srs, counts, &was_answered);
    if (wish != SOCKETMAP_WANTS_END && (client->in_len > 0 || client->out.len > 0))
        atomic_store(&client->deadline, deadline && !was_answered
                                            ? deadline
                                            : clock_monotonic_us() + SOCKETMAP_TIMEOUT_MS * INT64_C(1000));
    return wish;
}

bool socketmap_client_expire(struct socketmap_client *client, int64_t now)
{
    int64_t deadline = atomic_load(&client->deadline);
    if (deadline == 0 || deadline > now)
        return false;
    shutdown(client->fd, SHUT_RDWR);
    return true;
}
