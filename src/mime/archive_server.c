/*
 * archive_server - forks a child for each archive and sees to it that the child ends.
 *
 * Three things end a child that spins: its own interval timer (SIGALRM at its default action: no code of ours has to
 * run), its CPU limit, and this server, which kills it a little after its deadline. What the child could not say, the
 * server says for it: ended by a timer is ARCHIVE_OVER_LIMIT, ended by a crash is ARCHIVE_UNREADABLE, because the
 * archive did that.
 *
 * The server holds nothing of the program that started it: every descriptor but its control socket and stderr is
 * closed (the listening socket of the filter above all). It ignores the signals that a terminal or systemd sends to
 * the whole group, so that mail in hand can still be scanned while the program drains, and it dies with the program:
 * by the end of file on its socket, and by PR_SET_PDEATHSIG.
 */
#include "mime/archive_server.h"
#include "config.h"
#include "mime/archive_list.h"
#include "util/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN_MAX 256
#define GRACE_MS 250              /* how much later than the child's own timer the server kills */
#define ADDRESS_SPACE (1UL << 30) /* bytes a child may map */

struct child {
    pid_t pid; /* 0 = free */
    int answer;
    int64_t deadline_us;
};

struct server {
    int control, signals;
    const char *directory;
    struct child children[CHILDREN_MAX];
};

/* ---- the child ---- */

struct answer {
    int fd;
    size_t used;
    char packet[ANSWER_MAX];
};

static bool send_packet(int fd, const char *packet, size_t len)
{
    ssize_t n;
    do
        n = send(fd, packet, len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)len;
}

static bool flush_names(struct answer *answer)
{
    bool sent = answer->used <= 1 || send_packet(answer->fd, answer->packet, answer->used);
    answer->packet[0] = 'N';
    answer->used = 1;
    return sent;
}

static int add_name(void *context, const char *path)
{
    struct answer *answer = context;
    size_t len = strlen(path) + 1;
    if (len > sizeof answer->packet - 1)
        return 0; /* LISTING_PATH is less than this */
    if (answer->used + len > sizeof answer->packet && !flush_names(answer))
        return 1;
    memcpy(answer->packet + answer->used, path, len);
    answer->used += len;
    return 0;
}

static void send_status(int fd, enum archive_status status)
{
    char packet[2] = {'S', (char)status};
    send_packet(fd, packet, sizeof packet);
}

/* The archive becomes descriptor 3, the answer 4; everything else above stderr is closed. */
static void keep_two(int archive, int answer)
{
    int a = fcntl(archive, F_DUPFD, 10), b = fcntl(answer, F_DUPFD, 10);
    if (a < 0 || b < 0 || dup2(a, 3) < 0 || dup2(b, 4) < 0)
        _exit(1);
    close_range(5, ~0U, 0);
}

static void limit_child(const struct archive_limits *limits)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    rlim_t seconds = (rlim_t)(limits->time_ms / 1000) + 1;
    setrlimit(RLIMIT_CPU, &(struct rlimit){seconds, seconds + 1});
#if !defined WITH_SANITIZERS && !defined __SANITIZE_ADDRESS__
    setrlimit(RLIMIT_AS, &(struct rlimit){ADDRESS_SPACE, ADDRESS_SPACE});
#endif
    struct itimerval timer = {.it_value = {limits->time_ms / 1000, (limits->time_ms % 1000) * 1000}};
    if (timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0)
        timer.it_value.tv_usec = 1;
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void run_child(const struct server *server, const struct archive_limits *limits, int archive, int answer_fd)
{
    static struct answer answer;
    sigset_t none;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGALRM, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    keep_two(archive, answer_fd);
    limit_child(limits);
    setlocale(LC_CTYPE, "C.UTF-8"); /* without it libarchive cannot name what is not ASCII */
    answer.fd = 4;
    flush_names(&answer);
    enum archive_status status = listing_run(3, server->directory, limits, add_name, &answer);
    if (flush_names(&answer))
        send_status(4, status);
    _exit(0);
}

/* ---- the server ---- */

static struct child *free_child(struct server *server)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        if (server->children[i].pid == 0)
            return &server->children[i];
    }
    return NULL;
}

static void start_child(struct server *server, const struct archive_limits *limits, int archive, int answer)
{
    struct child *child = free_child(server);
    pid_t pid = child ? fork() : -1;
    if (pid == 0)
        run_child(server, limits, archive, answer);
    close(archive);
    if (pid < 0) {
        send_status(answer, ARCHIVE_TROUBLE);
        close(answer);
        return;
    }
    *child = (struct child){pid, answer, clock_monotonic_us() + (limits->time_ms + GRACE_MS) * 1000};
}

/* False at the end: the program has closed its side. */
static bool take_request(struct server *server)
{
    struct archive_limits limits;
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } ancillary;
    struct iovec part = {&limits, sizeof limits};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &ancillary, .msg_controllen = sizeof ancillary};
    ssize_t n = recvmsg(server->control, &message, MSG_CMSG_CLOEXEC);
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        return false;
    struct cmsghdr *header = n == (ssize_t)sizeof limits ? CMSG_FIRSTHDR(&message) : NULL;
    if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(2 * sizeof(int))) {
        int fds[2];
        memcpy(fds, CMSG_DATA(header), sizeof fds);
        start_child(server, &limits, fds[0], fds[1]);
    }
    return true;
}

static void bury(struct child *child, int status)
{
    if (WIFSIGNALED(status)) {
        int by = WTERMSIG(status);
        bool by_time = by == SIGALRM || by == SIGXCPU || by == SIGKILL;
        send_status(child->answer, by_time ? ARCHIVE_OVER_LIMIT : ARCHIVE_UNREADABLE);
    } else if (WEXITSTATUS(status) != 0) {
        send_status(child->answer, ARCHIVE_UNREADABLE); /* a sanitizer ended it */
    }
    close(child->answer);
    child->pid = 0;
}

static void reap(struct server *server)
{
    struct signalfd_siginfo info;
    int status;
    pid_t pid;
    while (read(server->signals, &info, sizeof info) == sizeof info)
        ;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < CHILDREN_MAX; i++) {
            if (server->children[i].pid == pid)
                bury(&server->children[i], status);
        }
    }
}

/* Kills who is late; milliseconds until the next one is, -1 if nobody runs. */
static int watch_deadlines(struct server *server)
{
    int64_t now = clock_monotonic_us(), next = INT64_MAX;
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *child = &server->children[i];
        if (child->pid == 0)
            continue;
        if (child->deadline_us <= now) {
            kill(child->pid, SIGKILL);
            child->deadline_us = now + 1000000; /* it is dead as soon as the kernel lets it */
        }
        if (child->deadline_us < next)
            next = child->deadline_us;
    }
    return next == INT64_MAX ? -1 : (int)((next - now) / 1000) + 1;
}

static void settle_in(struct server *server, int control, int parent)
{
    static const int ignored[] = {SIGINT, SIGHUP, SIGTERM, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2};
    sigset_t set;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0);
    prctl(PR_SET_NAME, "postern-archive");
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_SETMASK, &set, NULL);
    if (control != 3 && dup2(control, 3) < 0)
        _exit(1);
    close_range(4, ~0U, 0);
    server->control = 3;
    server->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

void archive_server_run(int control, const char *directory, int parent)
{
    static struct server server;
    server.directory = directory;
    settle_in(&server, control, parent);
    bool open = server.signals >= 0;
    while (open) {
        struct pollfd polled[2] = {{.fd = server.control, .events = POLLIN}, {.fd = server.signals, .events = POLLIN}};
        if (poll(polled, 2, watch_deadlines(&server)) < 0 && errno != EINTR)
            break;
        if (polled[1].revents)
            reap(&server);
        if (polled[0].revents)
            open = take_request(&server);
    }
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        if (server.children[i].pid)
            kill(server.children[i].pid, SIGKILL);
    }
    _exit(0);
}
