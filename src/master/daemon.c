/*
 * daemon - a pipe of one byte between the daemon and the shell's child.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/daemon.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

static _Noreturn void wait_for_report(int fd, pid_t child)
{
    unsigned char status = EX_SOFTWARE;
    ssize_t got;
    waitpid(child, NULL, 0);
    do
        got = read(fd, &status, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1)
        fprintf(stderr, "posternd: the daemon died while it started\n");
    _exit(got == 1 ? status : EX_SOFTWARE);
}

static int fail(const char *what)
{
    fprintf(stderr, "posternd: cannot go into the background: %s: %s\n", what, strerror(errno));
    return -1;
}

int daemon_start(void)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0)
        return fail("pipe");
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        return fail("fork");
    if (child > 0) {
        close(report[1]);
        wait_for_report(report[0], child);
    }
    close(report[0]);
    setsid();
    /* Not the leader of its session any more, so that no terminal it opens becomes its own. */
    pid_t daemon = fork();
    if (daemon < 0)
        fail("fork");
    if (daemon != 0)
        _exit(0);
    if (chdir("/") < 0)
        fail("chdir");
    return report[1];
}

void daemon_report(int fd, int status)
{
    unsigned char byte = (unsigned char)status;
    if (status == 0) {
        struct stat log;
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null >= 0) {
            dup2(null, STDIN_FILENO);
            dup2(null, STDOUT_FILENO);
            if (fstat(STDERR_FILENO, &log) < 0 || !S_ISREG(log.st_mode))
                dup2(null, STDERR_FILENO);
            if (null > STDERR_FILENO)
                close(null);
        }
    }
    (void)!write(fd, &byte, 1);
    close(fd);
}
