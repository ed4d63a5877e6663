/*
 * spawn - posix_spawn(), which forks without copying our memory and tells us when the exec failed.
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
#include <stdio.h>
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

int spawn_find_worker(const char *given, char *path, size_t size, struct strbuf *why)
{
    const char *installed = POSTERN_LIBEXECDIR "/postern-worker";
    const char *wanted = given ? given : installed;
    if (access(wanted, X_OK) == 0) {
        snprintf(path, size, "%s", wanted);
        return 0;
    }
    int error = errno;
    char own[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", own, sizeof own - 1);
    if (!given && len > 0) {
        own[len] = '\0';
        *strrchr(own, '/') = '\0';
        int wrote = snprintf(path, size, "%s/postern-worker", own);
        if (wrote > 0 && (size_t)wrote < size && access(path, X_OK) == 0)
            return 0;
    }
    strbuf_printf(why, "cannot run the worker program %s: %s", wanted, strerror(error));
    return -1;
}

void spawn_describe(int wait_status, struct strbuf *out)
{
    if (WIFSIGNALED(wait_status))
        strbuf_printf(out, "died of signal %d (%s)", WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
    else
        strbuf_printf(out, "exited with status %d", WEXITSTATUS(wait_status));
}
