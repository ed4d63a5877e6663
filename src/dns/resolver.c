/*
 * resolver - libunbound with one context, one cache and a deadline for each look-up.
 *
 * libunbound has no time limit of its own that is of use at a mail gate, so each look-up goes out asynchronously and
 * its thread waits on a condition until the answer or the deadline. One thread of ours reads libunbound's answers and
 * wakes the waiters.
 *
 * A look-up has two ends, the waiter and the callback, and either may be the last: `holders` counts them and the last
 * one frees it. Whoever runs out of time just lets go. ub_cancel() is not used: with a thread behind the context it
 * stops nothing but the callback, and it races with an answer that is just being delivered. So a late answer still
 * fills the cache, and when the sender comes back it is there at once. The number of look-ups under way is bounded,
 * late ones included: past PENDING_MAX new ones fail.
 *
 * We always ask name servers given to us (settings, else resolv.conf) and never walk from the root. What they say
 * about private reverse zones, test. and home.arpa. is believed: libunbound would answer these by itself.
 *
 * What this does not do: read /etc/hosts, validate DNSSEC without a trust anchor (a validating name server answers
 * SERVFAIL for forged data).
 */
#include "dns/backend.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unbound.h>
#include <unistd.h>

#define PENDING_MAX 4096
#define CLASS_IN 1

struct resolver {
    struct dns dns;
    struct ub_ctx *context;
    pthread_t thread;       /* reads the answers */
    int stop_fd;            /* eventfd: readable = the thread is to end */
    pthread_mutex_t lock;   /* guards pending, pending_count and the inside of each look-up on the list */
    struct lookup *pending; /* whose callback is still to come */
    size_t pending_count;
};

struct lookup {
    struct resolver *resolver;
    struct lookup *next, *previous; /* on the list of pending ones */
    pthread_cond_t answered;
    int holders;                    /* the waiter and the callback */
    bool is_done;
    enum dns_outcome outcome;
};

static enum dns_outcome outcome_of(int error, const struct ub_result *result)
{
    enum { RCODE_NOERROR = 0, RCODE_NXDOMAIN = 3 };
    if (error || !result)
        return DNS_SERVFAIL;
    if (result->bogus)
        return DNS_BOGUS;
    if (result->nxdomain || result->rcode == RCODE_NXDOMAIN)
        return DNS_NXDOMAIN;
    if (result->rcode != RCODE_NOERROR)
        return DNS_SERVFAIL;
    return result->havedata ? DNS_ANSWER : DNS_NODATA;
}

/* With the lock held. */
static void lookup_release(struct lookup *lookup)
{
    if (--lookup->holders > 0)
        return;
    pthread_cond_destroy(&lookup->answered);
    free(lookup);
}

/* With the lock held: the callback will not come any more. */
static void lookup_unlink(struct resolver *resolver, struct lookup *lookup)
{
    if (lookup->previous)
        lookup->previous->next = lookup->next;
    else
        resolver->pending = lookup->next;
    if (lookup->next)
        lookup->next->previous = lookup->previous;
    resolver->pending_count--;
    lookup_release(lookup);
}

/* In the resolver's thread, out of ub_process(). */
static void on_answer(void *object, int error, struct ub_result *result)
{
    struct lookup *lookup = object;
    struct resolver *resolver = lookup->resolver;
    enum dns_outcome outcome = outcome_of(error, result);
    ub_resolve_free(result);
    pthread_mutex_lock(&resolver->lock);
    lookup->outcome = outcome;
    lookup->is_done = true;
    pthread_cond_signal(&lookup->answered);
    lookup_unlink(resolver, lookup);
    pthread_mutex_unlock(&resolver->lock);
}

/* NULL if there are too many already. */
static struct lookup *lookup_create(struct resolver *resolver)
{
    struct lookup *lookup = NULL;
    pthread_mutex_lock(&resolver->lock);
    if (resolver->pending_count < PENDING_MAX) {
        lookup = calloc(1, sizeof *lookup);
        if (!lookup)
            abort();
        pthread_condattr_t attr;
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&lookup->answered, &attr);
        pthread_condattr_destroy(&attr);
        lookup->resolver = resolver;
        lookup->holders = 2;
        lookup->next = resolver->pending;
        if (lookup->next)
            lookup->next->previous = lookup;
        resolver->pending = lookup;
        resolver->pending_count++;
    }
    pthread_mutex_unlock(&resolver->lock);
    return lookup;
}

static struct timespec deadline_after(int64_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static enum dns_outcome resolver_lookup(struct dns *dns, const char *name, enum dns_type type, int64_t timeout_ms)
{
    struct resolver *resolver = (struct resolver *)dns;
    if (timeout_ms <= 0)
        return DNS_TIMEOUT;
    struct timespec deadline = deadline_after(timeout_ms);
    struct lookup *lookup = lookup_create(resolver);
    if (!lookup)
        return DNS_SERVFAIL;
    int error = ub_resolve_async(resolver->context, name, (int)type, CLASS_IN, lookup, on_answer, NULL);
    pthread_mutex_lock(&resolver->lock);
    if (error) { /* no callback will come */
        lookup->outcome = DNS_SERVFAIL;
        lookup->is_done = true;
        lookup_unlink(resolver, lookup);
    }
    int late = 0;
    while (!lookup->is_done && late != ETIMEDOUT)
        late = pthread_cond_timedwait(&lookup->answered, &resolver->lock, &deadline);
    enum dns_outcome outcome = lookup->is_done ? lookup->outcome : DNS_TIMEOUT;
    lookup_release(lookup);
    pthread_mutex_unlock(&resolver->lock);
    return outcome;
}

static void *read_answers(void *object)
{
    struct resolver *resolver = object;
    struct pollfd fds[] = {{.fd = ub_fd(resolver->context), .events = POLLIN},
                           {.fd = resolver->stop_fd, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[1].revents)
            return NULL;
        if (fds[0].revents)
            ub_process(resolver->context);
    }
}

static void resolver_destroy(struct dns *dns)
{
    struct resolver *resolver = (struct resolver *)dns;
    if (resolver->stop_fd >= 0) {
        uint64_t one = 1;
        ssize_t written = write(resolver->stop_fd, &one, sizeof one);
        (void)written;
        pthread_join(resolver->thread, NULL);
        close(resolver->stop_fd);
    }
    ub_ctx_delete(resolver->context); /* ends libunbound's thread: no callback can come any more */
    while (resolver->pending)
        lookup_unlink(resolver, resolver->pending);
    pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

/* NULL, or what is wrong. */
static const char *configure(struct ub_ctx *context, const struct string_list *servers)
{
    static const char *const options[][2] = {
        {"do-not-query-localhost:", "no"}, /* a resolver on this very machine is the usual case */
        {"outgoing-range:", "256"},        /* the library's 16 would let slow domains hold up all others */
        {"infra-host-ttl:", "60"},         /* seconds; a name server that was down is tried again soon */
        {"infra-keep-probing:", "yes"},
        {"unblock-lan-zones:", "yes"},
        {"insecure-lan-zones:", "yes"}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (ub_ctx_set_option(context, options[i][0], options[i][1]) != 0)
            return "libunbound refuses an option; is it older than 1.13?";
    }
    if (ub_ctx_async(context, 1) != 0)
        return "libunbound has no threads";
    for (size_t i = 0; servers && i < servers->count; i++) {
        if (ub_ctx_set_fwd(context, servers->items[i]) != 0)
            return "a name server is no IP address or IP@PORT";
    }
    if ((!servers || servers->count == 0) && ub_ctx_resolvconf(context, NULL) != 0)
        return "/etc/resolv.conf cannot be read";
    if (ub_ctx_zone_remove(context, "test.") != 0 || ub_ctx_zone_remove(context, "home.arpa.") != 0)
        return "libunbound cannot be set up";
    return NULL;
}

/* The thread takes no signals: the process's own handlers run elsewhere. */
static int start_thread(struct resolver *resolver)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&resolver->thread, NULL, read_answers, resolver);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

struct dns *dns_create(const struct string_list *servers, const char **why)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    if (!resolver)
        abort();
    resolver->dns = (struct dns){resolver_lookup, resolver_destroy};
    resolver->stop_fd = -1;
    pthread_mutex_init(&resolver->lock, NULL);
    resolver->context = ub_ctx_create();
    *why = resolver->context ? configure(resolver->context, servers) : "libunbound cannot be started";
    if (!*why) {
        resolver->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (resolver->stop_fd < 0 || start_thread(resolver) != 0) {
            *why = "no thread or descriptor for the resolver";
            if (resolver->stop_fd >= 0)
                close(resolver->stop_fd);
            resolver->stop_fd = -1;
        }
    }
    if (!*why)
        return &resolver->dns;
    resolver_destroy(&resolver->dns);
    return NULL;
}
