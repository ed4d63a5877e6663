/*
 * socketmap - a few threads over one epoll.
 *
 * Whatever is watched is armed for one event (EPOLLONESHOT) and armed again by the thread that had it: so a client is
 * in one pair of hands at a time, and its lock only keeps the next ones waiting until the first have let go. There are
 * several threads because a long sender's look-up may wait for the store, and the others go on meanwhile. Several wait
 * in the same epoll_wait(); the kernel wakes one for each event.
 *
 * `lock` guards the list of clients and the listening socket. A client whose time is over is not closed by the timer,
 * which does not know whether a thread has just been given it: it is shut down, which is an event, and closed by whom
 * that event wakes. The timer runs once a second while there is a client, or while accept() has found no descriptor
 * and waits for one to come free.
 *
 * To drain is to accept once more what stands in the backlog and then to close the listening socket. On a unix socket
 * nobody is lost, for a new worker has taken the path by then. On an inet socket somebody may come in between the two,
 * for some microseconds, and is reset; Postfix then tries once more, and reaches the new worker.
 *
 * What this does not do: TLS, or know who asks. Who may is said by the mode of the socket or by its address.
 */
#include "srs/socketmap.h"
#include "master/listen.h"
#include "master/user.h"
#include "srs/socketmap_client.h"
#include "util/clock.h"
#include "util/log.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define THREADS 4
#define ACCEPT_AT_ONCE 64
#define COMPLAIN_EVERY_US INT64_C(60000000)

enum complaint { ABOUT_REQUESTS, ABOUT_TIME, ABOUT_NUMBER, ABOUT_ACCEPT, COMPLAINTS };

struct socketmap {
    struct socketmap_options options;
    struct srs *srs;
    int epoll, timer, stop; /* stop: an eventfd, readable when the threads are to end */
    pthread_t threads[THREADS];
    size_t thread_count;
    struct socketmap_counts counts;
    _Atomic int64_t silent_until[COMPLAINTS]; /* us of clock_monotonic_us() */
    pthread_mutex_t lock;                     /* guards what follows */
    struct listener listener;
    bool is_paused; /* accept() failed; the timer arms the listener again */
    bool is_ticking;
    struct socketmap_client *clients;
    size_t client_count;
};

/* ---- what goes wrong ---- */

/* At most once a minute each. TOTAL: how often it happened so far. */
static void complain(struct socketmap *map, enum complaint about, uint64_t total, const char *more)
{
    static const char *const texts[COMPLAINTS] = {
        "socketmap: a client sent what is no request, or one that is too long, and was closed",
        "socketmap: a client did not finish its request or did not take its answer in time, and was closed",
        "socketmap: there are too many clients, a new one was closed", "socketmap: cannot accept a connection"};
    int64_t now = clock_monotonic_us(), until = atomic_load(&map->silent_until[about]);
    if (now < until || !atomic_compare_exchange_strong(&map->silent_until[about], &until, now + COMPLAIN_EVERY_US))
        return;
    if (more)
        log_text(LEVEL_WARNING, "%s: %s", texts[about], more);
    else
        log_text(LEVEL_WARNING, "%s (%llu so far)", texts[about], (unsigned long long)total);
}

/* ---- arming ---- */

static int watch(struct socketmap *map, int operation, int fd, uint32_t events, void *what)
{
    struct epoll_event event = {.events = events, .data.ptr = what};
    return epoll_ctl(map->epoll, operation, fd, &event);
}

/* With the lock held: the timer runs exactly while somebody needs it. */
static void set_timer(struct socketmap *map)
{
    bool is_needed = map->client_count > 0 || map->is_paused;
    struct itimerspec every = {0};
    if (is_needed == map->is_ticking)
        return;
    if (is_needed)
        every.it_interval.tv_sec = every.it_value.tv_sec = 1;
    map->is_ticking = timerfd_settime(map->timer, 0, &every, NULL) == 0 && is_needed;
}

/* ---- clients ---- */

/* With the lock held. */
static void add_client(struct socketmap *map, int fd)
{
    struct socketmap_client *client = socketmap_client_create(fd);
    if (watch(map, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLONESHOT, client) < 0) {
        complain(map, ABOUT_ACCEPT, 0, strerror(errno));
        socketmap_client_close(client);
        return;
    }
    client->next = map->clients;
    if (map->clients)
        map->clients->previous = client;
    map->clients = client;
    map->client_count++;
}

static void remove_client(struct socketmap *map, struct socketmap_client *client)
{
    pthread_mutex_lock(&map->lock);
    if (client->previous)
        client->previous->next = client->next;
    else
        map->clients = client->next;
    if (client->next)
        client->next->previous = client->previous;
    map->client_count--;
    pthread_mutex_unlock(&map->lock);
    socketmap_client_close(client);
}

/* With the lock held: at most so many of those who wait. */
static void accept_clients(struct socketmap *map, size_t most)
{
    while (most-- > 0) {
        int fd = accept4(map->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0) {
            map->is_paused = errno != EAGAIN;
            if (map->is_paused)
                complain(map, ABOUT_ACCEPT, 0, strerror(errno));
            break;
        }
        if (map->client_count < SOCKETMAP_CONNECTIONS_MAX) {
            add_client(map, fd);
            continue;
        }
        close(fd);
        complain(map, ABOUT_NUMBER, atomic_fetch_add(&map->counts.refused, 1) + 1, NULL);
    }
    set_timer(map);
}

/* As soon as a client is armed another thread may have it; its lock makes that one wait until we are out of here. */
static void serve_client(struct socketmap *map, struct socketmap_client *client)
{
    uint64_t broken = atomic_load_explicit(&map->counts.broken, memory_order_relaxed);
    pthread_mutex_lock(&client->lock);
    enum socketmap_wish wish = socketmap_client_serve(client, &map->options, map->srs, &map->counts);
    uint32_t events = wish == SOCKETMAP_WANTS_ROOM ? EPOLLOUT : EPOLLIN;
    bool stays =
        wish != SOCKETMAP_WANTS_END && watch(map, EPOLL_CTL_MOD, client->fd, events | EPOLLONESHOT, client) == 0;
    pthread_mutex_unlock(&client->lock);
    if (stays)
        return;
    remove_client(map, client);
    if (atomic_load_explicit(&map->counts.broken, memory_order_relaxed) != broken)
        complain(map, ABOUT_REQUESTS, broken + 1, NULL);
}

/* ---- events ---- */

static void on_connection(struct socketmap *map)
{
    pthread_mutex_lock(&map->lock);
    if (map->listener.fd >= 0) {
        accept_clients(map, ACCEPT_AT_ONCE);
        if (!map->is_paused)
            watch(map, EPOLL_CTL_MOD, map->listener.fd, EPOLLIN | EPOLLONESHOT, &map->listener);
    }
    pthread_mutex_unlock(&map->lock);
}

static void on_timer(struct socketmap *map)
{
    uint64_t ticks;
    ssize_t n = read(map->timer, &ticks, sizeof ticks);
    (void)n;
    int64_t now = clock_monotonic_us();
    pthread_mutex_lock(&map->lock);
    for (struct socketmap_client *client = map->clients; client; client = client->next) {
        if (socketmap_client_expire(client, now))
            complain(map, ABOUT_TIME, atomic_fetch_add(&map->counts.expired, 1) + 1, NULL);
    }
    if (map->is_paused && map->listener.fd >= 0)
        watch(map, EPOLL_CTL_MOD, map->listener.fd, EPOLLIN | EPOLLONESHOT, &map->listener);
    map->is_paused = false;
    set_timer(map);
    pthread_mutex_unlock(&map->lock);
    watch(map, EPOLL_CTL_MOD, map->timer, EPOLLIN | EPOLLONESHOT, &map->timer);
}

static void *run(void *context)
{
    struct socketmap *map = context;
    for (;;) {
        struct epoll_event event;
        int n = epoll_wait(map->epoll, &event, 1, -1);
        if (n <= 0)
            continue; /* EINTR */
        if (event.data.ptr == &map->stop)
            return NULL;
        if (event.data.ptr == &map->listener)
            on_connection(map);
        else if (event.data.ptr == &map->timer)
            on_timer(map);
        else
            serve_client(map, event.data.ptr);
    }
}

/* ---- opening and closing ---- */

/* 0, or -1 with WHY. */
static int open_listener(struct socketmap *map, struct strbuf *why)
{
    struct endpoint endpoint;
    struct listen_access access = {
        .uid = (uid_t)-1, .gid = (gid_t)-1, .mode = (mode_t)map->options.mode, .user = (uid_t)-1};
    const char *group = map->options.group ? map->options.group : "";
    if (endpoint_parse(&endpoint, "socketmap", map->options.socket, why) < 0)
        return -1;
    if (user_find_group(group, &access.gid, why) != 0) {
        why->len = 0;
        strbuf_printf(why, "socketmap_group: there is no group \"%s\" on this machine", group);
        return -1;
    }
    if (listen_replace(&map->listener, &endpoint, "socketmap", &access, why) != 0)
        return -1;
    /* Inherited: a client whose machine is gone must not keep its place for ever. */
    if (endpoint.address.any.sa_family != AF_UNIX)
        setsockopt(map->listener.fd, SOL_SOCKET, SO_KEEPALIVE, &(int){1}, sizeof(int));
    return 0;
}

/* The threads take no signals: the process's own handlers run elsewhere. */
static int start_threads(struct socketmap *map)
{
    sigset_t all, before;
    int error = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (map->thread_count < THREADS && error == 0) {
        error = pthread_create(&map->threads[map->thread_count], NULL, run, map);
        map->thread_count += error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* 0, or an errno. */
static int start(struct socketmap *map)
{
    map->epoll = epoll_create1(EPOLL_CLOEXEC);
    map->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    map->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (map->epoll < 0 || map->timer < 0 || map->stop < 0 ||
        watch(map, EPOLL_CTL_ADD, map->stop, EPOLLIN, &map->stop) < 0 ||
        watch(map, EPOLL_CTL_ADD, map->timer, EPOLLIN | EPOLLONESHOT, &map->timer) < 0 ||
        watch(map, EPOLL_CTL_ADD, map->listener.fd, EPOLLIN | EPOLLONESHOT, &map->listener) < 0)
        return errno;
    return start_threads(map);
}

const char *socketmap_verify_socket(const char *socket)
{
    struct endpoint endpoint;
    struct strbuf why;
    strbuf_init(&why, 0);
    int result = endpoint_parse(&endpoint, "socketmap", socket, &why);
    strbuf_free(&why);
    return result == 0 ? NULL : "is neither unix:/PATH nor inet:PORT@ADDRESS nor inet6:PORT@ADDRESS";
}

struct socketmap *socketmap_open(const struct socketmap_options *options, struct srs *srs, struct arena *arena,
                                 const char **problem)
{
    struct socketmap *map = calloc(1, sizeof *map);
    if (!map)
        abort();
    struct strbuf why;
    strbuf_init(&why, 0);
    map->options = *options;
    map->srs = srs;
    map->epoll = map->timer = map->stop = -1;
    map->listener = LISTENER_CLOSED;
    pthread_mutex_init(&map->lock, NULL);
    *problem = NULL;
    int error = 0;
    if (open_listener(map, &why) < 0)
        *problem = arena_strdup(arena, strbuf_text(&why));
    else if ((error = start(map)) != 0)
        *problem = arena_printf(arena, "socketmap: cannot start: %s", strerror(error));
    strbuf_free(&why);
    if (*problem) {
        socketmap_close(map);
        return NULL;
    }
    log_text(LEVEL_INFO, "socketmap: forward and reverse are answered on %s", options->socket);
    return map;
}

void socketmap_drain(struct socketmap *map)
{
    if (!map)
        return;
    pthread_mutex_lock(&map->lock);
    if (map->listener.fd >= 0) {
        accept_clients(map, SOMAXCONN + SOCKETMAP_CONNECTIONS_MAX);
        listen_close(&map->listener);
        map->is_paused = false;
    }
    pthread_mutex_unlock(&map->lock);
}

static void close_descriptor(int fd)
{
    if (fd >= 0)
        close(fd);
}

void socketmap_close(struct socketmap *map)
{
    if (!map)
        return;
    socketmap_drain(map);
    uint64_t one = 1;
    ssize_t n = map->stop >= 0 ? write(map->stop, &one, sizeof one) : 0;
    (void)n;
    for (size_t i = 0; i < map->thread_count; i++)
        pthread_join(map->threads[i], NULL);
    while (map->clients)
        remove_client(map, map->clients);
    close_descriptor(map->stop);
    close_descriptor(map->timer);
    close_descriptor(map->epoll);
    pthread_mutex_destroy(&map->lock);
    free(map);
}
