/*
 * store_resolve - one question at a time, in a thread of its own that nobody joins.
 *
 * The question belongs to the thread and to who waits for it; the last one to let go frees it. A question that outlived
 * its caller is waited for by the next caller instead of being asked again, so that a dead name server costs one
 * thread. An address needs no thread. Answers are not kept: a name is looked up when a connection is made, which is
 * rare, and must lead to the new server after a fail-over.
 */
#include "store/store_resolve.h"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct question {
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t answered;
    int holders;
    bool is_answered;
    int error;
    struct addrinfo *addresses;
    char service[8], host[];
};

struct store_resolver {
    pthread_mutex_t mutex; /* guards `open` */
    struct question *open;
    char service[8], host[];
};

static void must(const void *memory)
{
    if (!memory)
        abort();
}

struct store_resolver *store_resolver_create(const char *host, int port)
{
    size_t size = strlen(host) + 1;
    struct store_resolver *resolver = calloc(1, sizeof *resolver + size);
    must(resolver);
    pthread_mutex_init(&resolver->mutex, NULL);
    memcpy(resolver->host, host, size);
    snprintf(resolver->service, sizeof resolver->service, "%d", port);
    return resolver;
}

static int look_up(const char *host, const char *service, int flags, struct addrinfo **addresses)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    return getaddrinfo(host, service, &hints, addresses);
}

static void let_go(struct question *question)
{
    pthread_mutex_lock(&question->mutex);
    bool last = --question->holders == 0;
    pthread_mutex_unlock(&question->mutex);
    if (!last)
        return;
    if (question->addresses)
        freeaddrinfo(question->addresses);
    pthread_cond_destroy(&question->answered);
    pthread_mutex_destroy(&question->mutex);
    free(question);
}

static void *answer(void *context)
{
    struct question *question = context;
    struct addrinfo *addresses = NULL;
    int error = look_up(question->host, question->service, 0, &addresses);
    pthread_mutex_lock(&question->mutex);
    question->addresses = addresses;
    question->error = error;
    question->is_answered = true;
    pthread_cond_broadcast(&question->answered);
    pthread_mutex_unlock(&question->mutex);
    let_go(question);
    return NULL;
}

/* Held by its thread, by `open` and by the caller; NULL if there can be no thread. */
static struct question *ask(const struct store_resolver *resolver)
{
    size_t size = strlen(resolver->host) + 1;
    struct question *question = calloc(1, sizeof *question + size);
    must(question);
    memcpy(question->host, resolver->host, size);
    memcpy(question->service, resolver->service, sizeof question->service);
    question->holders = 3;
    pthread_mutex_init(&question->mutex, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&question->answered, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    int error = pthread_create(&thread, &detached, answer, question);
    pthread_attr_destroy(&detached);
    if (error == 0)
        return question;
    question->holders = 1;
    let_go(question);
    return NULL;
}

/* The one that is under way, or a new one; the caller holds it. */
static struct question *join(struct store_resolver *resolver)
{
    pthread_mutex_lock(&resolver->mutex);
    struct question *question = resolver->open;
    if (!question) {
        question = resolver->open = ask(resolver);
    } else {
        pthread_mutex_lock(&question->mutex);
        question->holders++;
        pthread_mutex_unlock(&question->mutex);
    }
    pthread_mutex_unlock(&resolver->mutex);
    return question;
}

static void forget(struct store_resolver *resolver, struct question *question)
{
    pthread_mutex_lock(&resolver->mutex);
    bool ours = resolver->open == question;
    if (ours)
        resolver->open = NULL;
    pthread_mutex_unlock(&resolver->mutex);
    if (ours)
        let_go(question);
}

struct addrinfo *store_resolve(struct store_resolver *resolver, struct store_call *call)
{
    struct addrinfo *addresses = NULL;
    if (look_up(resolver->host, resolver->service, AI_NUMERICHOST, &addresses) == 0)
        return addresses;
    struct question *question = join(resolver);
    if (!question) {
        store_call_fail(call, "no thread to look up %s", resolver->host);
        return NULL;
    }
    struct timespec until = {call->deadline / 1000000, call->deadline % 1000000 * 1000};
    pthread_mutex_lock(&question->mutex);
    int late = 0;
    while (!question->is_answered && late != ETIMEDOUT)
        late = pthread_cond_timedwait(&question->answered, &question->mutex, &until);
    bool is_answered = question->is_answered;
    int error = question->error;
    addresses = question->addresses; /* the first one who comes takes them */
    question->addresses = NULL;
    pthread_mutex_unlock(&question->mutex);
    if (is_answered)
        forget(resolver, question);
    let_go(question);
    if (!addresses)
        store_call_fail(call, "%s: %s", resolver->host,
                        is_answered ? (error ? gai_strerror(error) : "looked up by another thread")
                                    : "no answer from the DNS in time");
    return addresses;
}

void store_resolver_destroy(struct store_resolver *resolver)
{
    if (!resolver)
        return;
    if (resolver->open)
        let_go(resolver->open);
    pthread_mutex_destroy(&resolver->mutex);
    free(resolver);
}
