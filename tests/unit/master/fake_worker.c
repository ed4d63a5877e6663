/*
 * fake_worker - one thread for the sessions, link_open()'s for the link, a pipe between them.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "fake_worker.h"
#include "master/link.h"
#include "util/clock.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#define SESSIONS 32

static struct {
    const char *path;
    char id[64];
    int bad_count, check_delay, start_delay, start_status, close_delay, mute;
    int wake[2];
    atomic_int sessions, counted;
} fake;

bool fake_worker_wanted(int argc, char **argv)
{
    return argc > 2 && (strcmp(argv[1], "-T") == 0 || strcmp(argv[1], "-t") == 0 || strcmp(argv[1], "-c") == 0);
}

static int read_config(bool print)
{
    FILE *file = fopen(fake.path, "r");
    if (!file) {
        fprintf(stderr, "%s: cannot be read\n", fake.path);
        return EX_CONFIG;
    }
    char line[4096];
    for (int number = 1; fgets(line, sizeof line, file); number++) {
        if (strncmp(line, "bad=", 4) == 0) {
            fprintf(stderr, "%s:%d: %s", fake.path, number, line + 4);
            fake.bad_count++;
        } else if (sscanf(line, "check_delay=%d", &fake.check_delay) != 1 &&
                   sscanf(line, "start_delay=%d", &fake.start_delay) != 1 &&
                   sscanf(line, "start_status=%d", &fake.start_status) != 1 &&
                   sscanf(line, "close_delay=%d", &fake.close_delay) != 1 && sscanf(line, "mute=%d", &fake.mute) != 1 &&
                   sscanf(line, "id=%63s", fake.id) != 1 && print) {
            fputs(line, stdout);
        }
    }
    fclose(file);
    return fake.bad_count ? EX_CONFIG : 0;
}

static void on_drain(void *context)
{
    (void)context;
    (void)!write(fake.wake[1], "d", 1);
}

static void on_report(void *context, struct strbuf *out)
{
    (void)context;
    strbuf_printf(out, "sessions=%d\nconfig=%s\nchecksum=c0ffee\ncounted=%d\nworkers=1\n", atomic_load(&fake.sessions),
                  fake.path, atomic_load(&fake.counted));
}

static void answer(int *session)
{
    char line[256];
    ssize_t len = recv(*session, line, sizeof line - 1, 0);
    if (len <= 0) {
        close(*session);
        *session = -1;
        atomic_fetch_sub(&fake.sessions, 1);
        return;
    }
    line[len] = '\0';
    if (strcmp(line, "crash\n") == 0)
        raise(SIGKILL);
    if (strcmp(line, "count\n") == 0)
        atomic_fetch_add(&fake.counted, 1);
    send(*session, line, (size_t)len, MSG_NOSIGNAL);
}

static void greet(int listen_fd, int *sessions)
{
    int fd = accept(listen_fd, NULL, NULL);
    if (fd < 0)
        return;
    for (int i = 0; i < SESSIONS; i++) {
        if (sessions[i] >= 0)
            continue;
        sessions[i] = fd;
        atomic_fetch_add(&fake.sessions, 1);
        dprintf(fd, "%d %s\n", (int)getpid(), fake.id);
        return;
    }
    close(fd);
}

static int serve(int listen_fd, int link, const struct link_handler *handler)
{
    int sessions[SESSIONS];
    memset(sessions, -1, sizeof sessions);
    int64_t close_at = 0; /* microseconds; 0 = not draining */
    while (listen_fd >= 0 || atomic_load(&fake.sessions) > 0) {
        struct pollfd fds[SESSIONS + 2] = {{.fd = fake.wake[0], .events = POLLIN}, {.fd = listen_fd, .events = POLLIN}};
        for (int i = 0; i < SESSIONS; i++)
            fds[i + 2] = (struct pollfd){.fd = sessions[i], .events = POLLIN};
        if (poll(fds, SESSIONS + 2, close_at && listen_fd >= 0 ? 5 : -1) < 0)
            return 1;
        char byte;
        if (fds[0].revents && read(fake.wake[0], &byte, 1) == 1 && !close_at)
            close_at = clock_monotonic_us() + fake.close_delay * 1000;
        if (close_at && listen_fd >= 0 && clock_monotonic_us() >= close_at) {
            close(listen_fd);
            listen_fd = -1;
            if (!fake.mute)
                link_send_closed(link);
        } else if (fds[1].revents && listen_fd >= 0) {
            greet(listen_fd, sessions);
        }
        for (int i = 0; i < SESSIONS; i++)
            if (sessions[i] >= 0 && fds[i + 2].fd == sessions[i] && fds[i + 2].revents)
                answer(&sessions[i]);
    }
    link_send_report(link, handler);
    return 0;
}

int fake_worker_main(int argc, char **argv)
{
    static const struct link_handler handler = {on_drain, on_report, on_drain, NULL};
    const char *fds = NULL;
    bool check = false;
    for (int c; (c = getopt(argc, argv, "T:tc:W:")) != -1;) {
        if (c == 'c')
            fake.path = optarg;
        else if (c == 'W')
            fds = optarg;
        else
            check = true;
    }
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    int code = read_config(check), listen_fd, link;
    if (check || code) {
        poll(NULL, 0, fake.check_delay);
        return code;
    }
    poll(NULL, 0, fake.start_delay);
    if (fake.start_status)
        return fake.start_status;
    if (!fds || sscanf(fds, "%d,%d", &listen_fd, &link) != 2 || pipe(fake.wake) < 0 || link_open(link, &handler) != 0)
        return EX_USAGE;
    fcntl(listen_fd, F_SETFD, FD_CLOEXEC);
    link_send_ready(link);
    return serve(listen_fd, link, &handler);
}
