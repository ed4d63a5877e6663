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
 * What was answered not long ago stands in a table (answers.c) and is read from there without any of this.
 *
 * A prefetch is a look-up without a waiter. libunbound joins equal questions that are under way, and its cache has the
 * answer afterwards, so nothing here has to find a prefetch again. Prefetches may take only half of PENDING_MAX: what
 * might be wanted must not keep out what is. An answer is kept for some seconds even if its owner says 0, for
 * otherwise a prefetch would ask twice.
 *
 * What this does not do: read /etc/hosts, validate DNSSEC without being told to (a validating name server answers
 * SERVFAIL for forged data).
 */
#include "dns/answers.h"
#include "dns/backend.h"
#include "util/clock.h"
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unbound.h>
#include <unistd.h>

#define PENDING_MAX 4096
#define PREFETCH_MAX (PENDING_MAX / 2)
#define ROOT_ANCHOR "/usr/share/dns/root.key" /* Debian: dns-root-data */
#define CLASS_IN 1

struct resolver {
    struct dns dns;
    struct ub_ctx *context;
    pthread_t thread;       /* reads the answers */
    int stop_fd;            /* eventfd: readable = the thread is to end */
    pthread_mutex_t lock;   /* guards pending, pending_count and the inside of each look-up on the list */
    struct lookup *pending; /* whose callback is still to come */
    size_t pending_count;
    struct answers *answers;
};

struct lookup {
    struct resolver *resolver;
    struct lookup *next, *previous; /* on the list of pending ones */
    pthread_cond_t answered;
    int holders; /* the waiter and the callback */
    bool is_done;
    enum dns_outcome outcome;
    struct ub_result *result; /* once done; NULL if there is none */
    enum dns_type type;
    char name[NAME_MAX_OCTETS + 1];
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
    ub_resolve_free(lookup->result);
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
    if (result)
        answers_put(resolver->answers, lookup->name, lookup->type, outcome, result->data, result->len, result->ttl,
                    clock_monotonic_us());
    pthread_mutex_lock(&resolver->lock);
    lookup->outcome = outcome;
    lookup->result = result;
    lookup->is_done = true;
    pthread_cond_signal(&lookup->answered);
    lookup_unlink(resolver, lookup);
    pthread_mutex_unlock(&resolver->lock);
}

/* NULL if there are LIMIT already. HOLDERS: the callback, and the waiter if there is one. */
static struct lookup *lookup_create(struct resolver *resolver, const char *name, enum dns_type type, size_t limit,
                                    int holders)
{
    struct lookup *lookup = NULL;
    pthread_mutex_lock(&resolver->lock);
    if (resolver->pending_count < limit) {
        lookup = calloc(1, sizeof *lookup);
        if (!lookup)
            abort();
        pthread_condattr_t attr;
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&lookup->answered, &attr);
        pthread_condattr_destroy(&attr);
        lookup->resolver = resolver;
        lookup->holders = holders;
        lookup->type = type;
        memcpy(lookup->name, name, strlen(name) + 1);
        lookup->next = resolver->pending;
        if (lookup->next)
            lookup->next->previous = lookup;
        resolver->pending = lookup;
        resolver->pending_count++;
    }
    pthread_mutex_unlock(&resolver->lock);
    return lookup;
}

/* Sends it off. In the presentation format, because libunbound reads backslashes in names. */
static void lookup_start(struct resolver *resolver, struct lookup *lookup, const char *name, enum dns_type type)
{
    char escaped[4 * NAME_MAX_OCTETS + 1], *to = escaped;
    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        if (isalnum(*p) || strchr("-_.", *p))
            *to++ = (char)*p;
        else
            to += snprintf(to, 5, "\\%03u", *p);
    }
    *to = '\0';
    if (ub_resolve_async(resolver->context, escaped, (int)type, CLASS_IN, lookup, on_answer, NULL) !=
        0) { /* no callback will come */
        pthread_mutex_lock(&resolver->lock);
        lookup->outcome = DNS_SERVFAIL;
        lookup->is_done = true;
        lookup_unlink(resolver, lookup);
        pthread_mutex_unlock(&resolver->lock);
    }
}

static struct timespec deadline_after(int64_t us)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += us / 1000000;
    at.tv_nsec += us % 1000000 * 1000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static void resolver_query(struct dns *dns, struct arena *arena, const char *name, enum dns_type type,
                           int64_t timeout_us, struct dns_answer *answer)
{
    struct resolver *resolver = (struct resolver *)dns;
    if (answers_get(resolver->answers, name, type, clock_monotonic_us(), arena, answer))
        return;
    struct timespec deadline = deadline_after(timeout_us);
    struct lookup *lookup = lookup_create(resolver, name, type, PENDING_MAX, 2);
    *answer = (struct dns_answer){.outcome = DNS_SERVFAIL};
    if (!lookup)
        return;
    lookup_start(resolver, lookup, name, type);
    int late = 0;
    pthread_mutex_lock(&resolver->lock);
    while (!lookup->is_done && late != ETIMEDOUT)
        late = pthread_cond_timedwait(&lookup->answered, &resolver->lock, &deadline);
    answer->outcome = lookup->is_done ? lookup->outcome : DNS_TIMEOUT;
    pthread_mutex_unlock(&resolver->lock);
    if (answer->outcome == DNS_ANSWER) /* done: nobody writes to it any more */
        rdata_parse_all(arena, type, lookup->result->data, lookup->result->len, answer);
    pthread_mutex_lock(&resolver->lock);
    lookup_release(lookup);
    pthread_mutex_unlock(&resolver->lock);
}

static void resolver_prefetch(struct dns *dns, const char *name, enum dns_type type)
{
    struct resolver *resolver = (struct resolver *)dns;
    if (answers_get(resolver->answers, name, type, clock_monotonic_us(), NULL, NULL))
        return;
    struct lookup *lookup = lookup_create(resolver, name, type, PREFETCH_MAX, 1);
    if (lookup)
        lookup_start(resolver, lookup, name, type);
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
    answers_destroy(resolver->answers);
    pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

static const char *set_options(struct ub_ctx *context, const struct dns_options *options)
{
    static const char *const fixed[][2] = {
        {"do-not-query-localhost:", "no"}, /* a resolver on this very machine is the usual case */
        {"outgoing-range:", "1024"},       /* the library's 16 would let slow domains hold up all others */
        /* ms before it asks again, doubled each time, and how often. Its own 50 ms and 5 are for name servers; a
         * resolver is quick with what it knows and slow with what it does not, and would be given up after two
         * seconds. */
        {"infra-cache-min-rtt:", "1750"},
        {"outbound-msg-retry:", "3"},
        {"infra-host-ttl:", "60"}, /* seconds; a name server that was down is tried again soon */
        {"infra-keep-probing:", "yes"},
        {"cache-min-ttl:", "5"}, /* seconds */
        {"unblock-lan-zones:", "yes"},
        {"insecure-lan-zones:", "yes"}};
    static const char too_old[] = "libunbound refuses an option; is it older than 1.13?";
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        if (ub_ctx_set_option(context, fixed[i][0], fixed[i][1]) != 0)
            return too_old;
    }
    if (options->cache_size) { /* records take about twice the room of the messages that list them */
        char messages[24], records[24];
        snprintf(messages, sizeof messages, "%llu", (unsigned long long)options->cache_size / 3);
        snprintf(records, sizeof records, "%llu", (unsigned long long)options->cache_size / 3 * 2);
        if (ub_ctx_set_option(context, "msg-cache-size:", messages) != 0 ||
            ub_ctx_set_option(context, "rrset-cache-size:", records) != 0)
            return too_old;
    }
    return NULL;
}

/* NULL, or what is wrong. */
static const char *configure(struct ub_ctx *context, const struct dns_options *options)
{
    const struct string_list *servers = options->servers;
    const char *why = set_options(context, options);
    if (why)
        return why;
    if (ub_ctx_async(context, 1) != 0)
        return "libunbound has no threads";
    for (size_t i = 0; servers && i < servers->count; i++) {
        if (ub_ctx_set_fwd(context, servers->items[i]) != 0)
            return "a name server is no IP address or IP@PORT";
    }
    if ((!servers || servers->count == 0) && ub_ctx_resolvconf(context, NULL) != 0)
        return "/etc/resolv.conf cannot be read";
    if (options->dnssec && (access(ROOT_ANCHOR, R_OK) != 0 || ub_ctx_add_ta_file(context, ROOT_ANCHOR) != 0))
        return "dnssec: " ROOT_ANCHOR " cannot be read (Debian: dns-root-data)";
    /* Last: it finalizes the context. */
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

struct dns *dns_create(const struct dns_options *options, const char **why)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    if (!resolver)
        abort();
    resolver->dns = (struct dns){resolver_query, resolver_prefetch, resolver_destroy};
    resolver->stop_fd = -1;
    resolver->answers = answers_create();
    pthread_mutex_init(&resolver->lock, NULL);
    resolver->context = ub_ctx_create();
    *why = resolver->context ? configure(resolver->context, options) : "libunbound cannot be started";
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
