/*
 * archive_scan - the side of the threads: hands an archive to the server and takes the answer.
 *
 * Each request brings a socket of its own for the answer, so that threads share nothing but the control socket, and
 * that only for one sendmsg(). A reader never waits for longer than the archive's time and some seconds; a server
 * that died shows as an end of file.
 */
#include "mime/archive_server.h"
#include "util/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 10000 /* beyond the archive's own time, before we take the server for dead */

struct archive_scanner {
    pthread_mutex_t lock; /* guards sendmsg() on control */
    int control;
    pid_t pid;
};

struct archive_scanner *archive_scanner_create(const char *directory)
{
    int pair[2];
    if (access(directory, W_OK | X_OK) != 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return NULL;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        archive_server_run(pair[1], directory, parent);
    int error = errno;
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        errno = error;
        return NULL;
    }
    struct archive_scanner *scanner = calloc(1, sizeof *scanner);
    if (!scanner)
        abort();
    pthread_mutex_init(&scanner->lock, NULL);
    scanner->control = pair[0];
    scanner->pid = pid;
    return scanner;
}

void archive_scanner_destroy(struct archive_scanner *scanner)
{
    if (!scanner)
        return;
    close(scanner->control);
    while (waitpid(scanner->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    pthread_mutex_destroy(&scanner->lock);
    free(scanner);
}

static bool send_request(struct archive_scanner *scanner, const struct archive_limits *limits, int archive, int answer)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } ancillary = {0};
    int fds[2] = {archive, answer};
    struct archive_limits copy = *limits;
    struct iovec part = {&copy, sizeof copy};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &ancillary, .msg_controllen = sizeof ancillary};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(header), fds, sizeof fds);
    pthread_mutex_lock(&scanner->lock);
    ssize_t n;
    do
        n = sendmsg(scanner->control, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    pthread_mutex_unlock(&scanner->lock);
    return n == (ssize_t)sizeof copy;
}

/* The next packet, its length; 0 at the end, -1 when time is up or on an error. */
static ssize_t receive(int fd, char *packet, size_t size, int64_t deadline_us)
{
    for (;;) {
        int64_t left = (deadline_us - clock_monotonic_us()) / 1000;
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        int ready = poll(&polled, 1, left > 0 ? (int)left : 0);
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return -1;
        ssize_t n = recv(fd, packet, size, MSG_DONTWAIT);
        if (n >= 0 || (errno != EINTR && errno != EAGAIN))
            return n;
    }
}

/* Visits the paths in PACKET. Not 0 if the visitor wants no more. */
static int visit_paths(char *packet, size_t len, archive_visit *visit, void *context)
{
    packet[len] = '\0';
    for (size_t at = 0; at < len; at += strlen(packet + at) + 1) {
        if (visit(context, packet + at) != 0)
            return 1;
    }
    return 0;
}

static enum archive_status read_answer(int fd, int64_t deadline_us, archive_visit *visit, void *context)
{
    char *packet = malloc(ANSWER_MAX + 1);
    if (!packet)
        abort();
    enum archive_status status = ARCHIVE_TROUBLE;
    bool more = true;
    while (more) {
        ssize_t n = receive(fd, packet, ANSWER_MAX, deadline_us);
        more = n > 0 && packet[0] == 'N';
        if (n == 2 && packet[0] == 'S') {
            status = (enum archive_status)packet[1];
        } else if (more && visit_paths(packet + 1, (size_t)n - 1, visit, context) != 0) {
            status = ARCHIVE_STOPPED;
            more = false;
        }
    }
    free(packet);
    return status;
}

enum archive_status archive_scan(struct archive_scanner *scanner, int fd, const struct archive_limits *limits,
                                 archive_visit *visit, void *context)
{
    int pair[2];
    if (!scanner || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return ARCHIVE_TROUBLE;
    int64_t deadline_us = clock_monotonic_us() + (limits->time_ms + PATIENCE_MS) * 1000;
    bool sent = send_request(scanner, limits, fd, pair[1]);
    close(pair[1]);
    enum archive_status status = sent ? read_answer(pair[0], deadline_us, visit, context) : ARCHIVE_TROUBLE;
    close(pair[0]);
    return status;
}
