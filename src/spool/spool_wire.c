/*
 * spool_wire - libcurl with CURLOPT_CONNECT_ONLY, then curl_easy_send() and curl_easy_recv() on its non-blocking
 * socket.
 *
 * Waiting is poll() in short slices, so that a worker that is to let go notices. The deadline is one of the whole step:
 * a server that sends a byte now and then gains nothing by it.
 */
#include "spool/spool_wire.h"
#include "util/clock.h"
#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define SLICE_MS 100

struct spool_wire {
    CURL *curl;
    curl_socket_t socket;
    int64_t timeout_us;
    const _Atomic(int64_t) *stopped_at;
    bool may_stop, was_stopped;
    bool has_heard; /* something, since it spoke last */
    char in[2048]; /* received, not read yet: from at to end */
    size_t at, end;
    char greeting[256];
    char problem[320];
    char curl_problem[CURL_ERROR_SIZE];
};

static bool must_stop(const struct spool_wire *wire)
{
    int64_t at = atomic_load_explicit(wire->stopped_at, memory_order_relaxed);
    return wire->may_stop && at && clock_monotonic_us() >= at + SPOOL_STOP_GRACE_US;
}

static int fail(struct spool_wire *wire, const char *what, const char *detail)
{
    snprintf(wire->problem, sizeof wire->problem, "%s%s%.250s", what, detail && *detail ? ": " : "",
             detail ? detail : "");
    return -1;
}

/* The last line that the server sent before it was our turn: why it does not want us. */
static size_t on_line(char *bytes, size_t size, size_t count, void *context)
{
    struct spool_wire *wire = context;
    struct span line = span_trim((struct span){bytes, size * count});
    size_t n = 0;
    for (; n < line.len && n + 1 < sizeof wire->greeting; n++)
        wire->greeting[n] = line.ptr[n] >= 0x20 && line.ptr[n] <= 0x7e ? line.ptr[n] : '?';
    wire->greeting[n] = '\0';
    return size * count;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return must_stop(context);
}

static void configure(struct spool_wire *wire, const struct spool_endpoint *endpoint, int64_t timeout)
{
    CURL *curl = wire->curl;
    curl_easy_setopt(curl, CURLOPT_URL, endpoint->url);
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* whatever the environment says */
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, wire->curl_problem);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_line);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, wire);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, wire);
    curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)(endpoint->starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    if (endpoint->ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, endpoint->ca_file);
}

struct spool_wire *spool_wire_open(const struct spool_endpoint *endpoint, int64_t timeout,
                                   const _Atomic(int64_t) *stopped_at, char *problem, size_t size)
{
    struct spool_wire *wire = calloc(1, sizeof *wire);
    if (!wire || !(wire->curl = curl_easy_init()))
        abort();
    wire->stopped_at = stopped_at;
    wire->may_stop = true;
    wire->timeout_us = timeout * 1000;
    configure(wire, endpoint, timeout);
    CURLcode code = curl_easy_perform(wire->curl);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(wire->curl, CURLINFO_ACTIVESOCKET, &wire->socket);
    if (code == CURLE_OK && wire->socket != CURL_SOCKET_BAD)
        return wire;
    const char *detail = wire->curl_problem[0] ? wire->curl_problem : curl_easy_strerror(code);
    if (wire->greeting[0] == '4' || wire->greeting[0] == '5')
        detail = wire->greeting;
    snprintf(problem, size, "cannot connect: %.250s", detail);
    spool_wire_close(wire);
    return NULL;
}

void spool_wire_close(struct spool_wire *wire)
{
    if (!wire)
        return;
    curl_easy_cleanup(wire->curl);
    free(wire);
}

void spool_wire_may_stop(struct spool_wire *wire, bool may_stop)
{
    wire->may_stop = may_stop;
}

bool spool_wire_was_stopped(const struct spool_wire *wire)
{
    return wire->was_stopped;
}

void spool_wire_limit(struct spool_wire *wire, int64_t timeout)
{
    if (wire->timeout_us > timeout * 1000)
        wire->timeout_us = timeout * 1000;
}

const char *spool_wire_problem(const struct spool_wire *wire)
{
    return wire->problem;
}

/* A server that sends its replies to several commands one by one holds back the second until the first is acknowledged
 * (Nagle's algorithm, RFC 9293 section 3.7.4), and this side would do that with the next thing it sends, or 40 ms
 * later: but it has nothing to send. Linux forgets the option, so it is set for each wait behind a reply. */
static void acknowledge(const struct spool_wire *wire)
{
    setsockopt(wire->socket, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
}

/* 0: try again; -1: the time is over. */
static int wait_for(struct spool_wire *wire, short events, int64_t deadline)
{
    for (;;) {
        struct pollfd fd = {wire->socket, events, 0};
        wire->was_stopped = must_stop(wire);
        if (wire->was_stopped)
            return fail(wire, "the worker lets go of the queue", NULL);
        int64_t left = deadline - clock_monotonic_us();
        if (left <= 0)
            return fail(wire, "the server did not answer in time", NULL);
        int ms = left / 1000 < SLICE_MS ? (int)(left / 1000) + 1 : SLICE_MS;
        if (events == POLLIN && wire->has_heard)
            acknowledge(wire);
        if (poll(&fd, 1, ms) > 0)
            return 0;
    }
}

int spool_wire_send(struct spool_wire *wire, struct span bytes)
{
    int64_t deadline = clock_monotonic_us() + wire->timeout_us;
    wire->has_heard = false;
    while (bytes.len > 0) {
        size_t n = 0;
        CURLcode code = curl_easy_send(wire->curl, bytes.ptr, bytes.len, &n);
        if (code == CURLE_AGAIN) {
            if (wait_for(wire, POLLOUT, deadline) != 0)
                return -1;
            continue;
        }
        if (code != CURLE_OK)
            return fail(wire, "the connection was cut", curl_easy_strerror(code));
        bytes.ptr += n;
        bytes.len -= n;
    }
    return 0;
}

/* 1: something is there. 0: not yet. -1: the connection is over. */
static int take_input(struct spool_wire *wire)
{
    if (wire->at < wire->end)
        return 1;
    wire->at = wire->end = 0;
    CURLcode code = curl_easy_recv(wire->curl, wire->in, sizeof wire->in, &wire->end);
    if (code == CURLE_AGAIN)
        return 0;
    if (code != CURLE_OK || wire->end == 0) {
        wire->end = 0;
        return fail(wire, "the connection was cut", code == CURLE_OK ? NULL : curl_easy_strerror(code));
    }
    wire->has_heard = true;
    return 1;
}

int spool_wire_receive(struct spool_wire *wire, struct spool_reply *reply)
{
    int64_t deadline = clock_monotonic_us() + wire->timeout_us;
    spool_reply_begin(reply);
    for (;;) {
        int there = take_input(wire);
        if (there < 0 || (there == 0 && wait_for(wire, POLLIN, deadline) != 0))
            return -1;
        if (there > 0)
            wire->at += spool_reply_feed(reply, (struct span){wire->in + wire->at, wire->end - wire->at});
        if (reply->state == SPOOL_REPLY_DONE)
            return 0;
        if (reply->state == SPOOL_REPLY_GARBAGE)
            return fail(wire, "what the server sent is no SMTP reply", NULL);
        if (there > 0 && clock_monotonic_us() >= deadline) /* input without end never waits */
            return fail(wire, "the server did not answer in time", NULL);
    }
}

bool spool_wire_has_input(struct spool_wire *wire)
{
    return take_input(wire) != 0;
}
