/*
 * spawn - posix_spawn(), which forks without copying our memory and tells us when the exec failed.
 *
 * An installed posternd has no worker beside it, so one that is there was built with it, and is its like where the
 * installed one may be of another version. Root does not trust just anybody's directory for that, and does not silently
 * take the other one instead.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int spawn_program(char *const argv[], const struct spawn_fd *fds, size_t count, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    for (size_t i = 0; !error && i < count; i++)
        error = posix_spawn_file_actions_adddup2(&actions, fds[i].ours, fds[i].theirs);
    if (!error) {
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        error = posix_spawn(pid, argv[0], &actions, &attributes, argv, environ);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Nobody but root can have made it or can change it. */
static bool is_roots_alone(const char *path)
{
    struct stat there;
    return stat(path, &there) == 0 && there.st_uid == 0 && !(there.st_mode & S_IWOTH) &&
           (!(there.st_mode & S_IWGRP) || there.st_gid == 0);
}

/* 1: it is in PATH; 0: there is none; -1: there is one, but not for root. */
static int find_beside(char *path, size_t size, struct strbuf *why)
{
    char directory[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", directory, sizeof directory - 1);
    if (len <= 0)
        return 0;
    directory[len] = '\0';
    *strrchr(directory, '/') = '\0';
    int wrote = snprintf(path, size, "%s/postern-worker", directory);
    if (wrote < 0 || (size_t)wrote >= size || access(path, X_OK) != 0)
        return 0;
    if (geteuid() != 0 || (is_roots_alone(directory) && is_roots_alone(path)))
        return 1;
    strbuf_printf(why, "root does not run %s, which others than root may write or replace; -w names the worker program",
                  path);
    return -1;
}

int spawn_find_worker(const char *given, char *path, size_t size, struct strbuf *why)
{
    const char *wanted = given ? given : POSTERN_LIBEXECDIR "/postern-worker";
    int beside = given ? 0 : find_beside(path, size, why);
    if (beside != 0)
        return beside < 0 ? -1 : 0;
    if (access(wanted, X_OK) == 0) {
        snprintf(path, size, "%s", wanted);
        return 0;
    }
    strbuf_printf(why, "cannot run the worker program %s: %s", wanted, strerror(errno));
    return -1;
}

void spawn_describe(int wait_status, struct strbuf *out)
{
    if (WIFSIGNALED(wait_status))
        strbuf_printf(out, "died of signal %d (%s)", WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
    else
        strbuf_printf(out, "exited with status %d", WEXITSTATUS(wait_status));
}
