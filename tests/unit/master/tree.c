/*
 * tree - processes, files and lines with deadlines. Children of a test that fails are killed at its teardown.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "unit.h"

#include "tree.h"
#include "util/clock.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[64];
static char self[PATH_MAX];
static pid_t started[32];
static unsigned started_count;

long long tree_now(void)
{
    return clock_monotonic_us() / 1000;
}

static void nap(void)
{
    poll(NULL, 0, 5);
}

const char *tree_path(const char *name)
{
    static char paths[8][256];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%.128s", directory, name);
    return path;
}

static void copy(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    char bytes[65536];
    assert_true(in >= 0 && out >= 0);
    for (ssize_t len; (len = read(in, bytes, sizeof bytes)) > 0;)
        assert_int_equal(write(out, bytes, (size_t)len), len);
    close(in);
    close(out);
}

int tree_setup(void **state)
{
    (void)state;
    const char *tmp = getenv("TMPDIR");
    alarm(60);
    /* What a killed posternd leaves behind becomes our child, so that nothing stays after a test. */
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    snprintf(directory, sizeof directory, "%s/posternXXXXXX", tmp && strlen(tmp) < 32 ? tmp : "/tmp");
    if (!mkdtemp(directory) || chmod(directory, 0777) < 0)
        return -1;
    snprintf(self, sizeof self, "%s", tree_path("worker"));
    copy("/proc/self/exe", self); /* where another user can run it, whoever may read the build tree */
    started_count = 0;
    return 0;
}

int tree_teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < started_count; i++)
        kill(started[i], SIGTERM);
    for (unsigned i = 0; i < started_count; i++) {
        kill(started[i], SIGTERM); /* a second one ends it at once, with its workers */
        if (waitpid(started[i], NULL, WNOHANG) == 0) {
            nap();
            kill(started[i], SIGKILL);
        }
    }
    long long end = tree_now() + 2000; /* orphaned workers, as far as there are any, end by themselves */
    while (waitpid(-1, NULL, WNOHANG) >= 0 && tree_now() < end)
        nap();
    DIR *dir = opendir(directory);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            unlink(tree_path(entry->d_name));
    if (dir)
        closedir(dir);
    alarm(0);
    return rmdir(directory);
}

void tree_config(const char *more)
{
    FILE *file = fopen(tree_path("conf.new"), "w");
    assert_non_null(file);
    fprintf(file, "socket=unix:%s\ncontrol=%s\nsocket_mode=0660\ndrain_timeout=5000\nlog_level=%d\nid=first\n%s",
            tree_path("sock"), tree_path("control"), 3, more);
    fclose(file);
    assert_int_equal(rename(tree_path("conf.new"), tree_path("conf")), 0);
}

/* As USER, unless that is NULL. */
static pid_t run_as(const struct passwd *user, const char *program, char *const argv[], const char *output)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int fd = open(output, O_WRONLY | O_CREAT | O_APPEND, 0666);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        close(fd);
        if (!user || (setgroups(0, NULL) == 0 && setgid(user->pw_gid) == 0 && setuid(user->pw_uid) == 0))
            execv(program, argv);
        _exit(127);
    }
    assert_true(started_count < sizeof started / sizeof *started);
    started[started_count++] = pid;
    return pid;
}

static pid_t run(const char *program, char *const argv[], const char *output)
{
    return run_as(NULL, program, argv, output);
}

pid_t tree_run(const char *first, ...)
{
    const char *argv[16] = {"posternd", "-w", self, first};
    unsigned count = 4;
    va_list args;
    va_start(args, first);
    while (count < 15 && first && (argv[count] = va_arg(args, const char *)))
        count++;
    va_end(args);
    return run(BUILD_DIR "/posternd", (char **)argv, tree_path("log"));
}

pid_t tree_start(void)
{
    return tree_run("-f", "-c", tree_path("conf"), NULL);
}

pid_t tree_start_as(const struct passwd *user)
{
    char *program = (char *)tree_path("posternd");
    char *argv[] = {program, "-w", self, "-f", "-c", (char *)tree_path("conf"), NULL};
    copy(BUILD_DIR "/posternd", program);
    return run_as(user, program, argv, tree_path("log"));
}

pid_t tree_start_ready(void)
{
    int before = tree_count_log("is active");
    pid_t pid = tree_start();
    tree_await_log("is active", before + 1);
    return pid;
}

int tree_wait(pid_t pid)
{
    for (long long end = tree_now() + TREE_PATIENCE; tree_now() < end; nap()) {
        int status;
        pid_t got = waitpid(pid, &status, WNOHANG);
        assert_true(got >= 0);
        if (got == pid) {
            for (unsigned i = 0; i < started_count; i++)
                if (started[i] == pid)
                    started[i] = started[--started_count];
            return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
        }
    }
    fail_msg("process %d does not end", (int)pid);
    return -1;
}

static void read_file(const char *path, struct strbuf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char bytes[4096];
    for (ssize_t len; fd >= 0 && (len = read(fd, bytes, sizeof bytes)) > 0;)
        strbuf_add(out, (struct span){bytes, (size_t)len});
    if (fd >= 0)
        close(fd);
}

static pid_t ctl_start(const char *command, const char *more, const char *output)
{
    char *argv[] = {"posternctl", (char *)command, "--control", (char *)tree_path("control"), (char *)more, NULL};
    return run(BUILD_DIR "/posternctl", argv, output);
}

pid_t tree_ctl_start(const char *command)
{
    return ctl_start(command, NULL, "/dev/null");
}

int tree_ctl(const char *command, const char *more, struct strbuf *out)
{
    const char *path = tree_path("ctl.out");
    unlink(path);
    strbuf_init(out, 0);
    int status = tree_wait(ctl_start(command, more, path));
    read_file(tree_path("ctl.out"), out);
    return status;
}

int tree_count_log(const char *text)
{
    struct strbuf log;
    int count = 0;
    strbuf_init(&log, 0);
    read_file(tree_path("log"), &log);
    for (const char *at = strbuf_text(&log); (at = strstr(at, text)); at++)
        count++;
    strbuf_free(&log);
    return count;
}

void tree_await_log(const char *text, int count)
{
    for (long long end = tree_now() + TREE_PATIENCE; tree_now() < end; nap())
        if (tree_count_log(text) >= count)
            return;
    struct strbuf log;
    strbuf_init(&log, 0);
    read_file(tree_path("log"), &log);
    print_error("%s", strbuf_text(&log));
    strbuf_free(&log);
    fail_msg("\"%s\" is not in the log %d times", text, count);
}

int tree_try_connect(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

void tree_send(int fd, const char *line)
{
    assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL), (int)strlen(line));
}

void tree_read(int fd, char line[256])
{
    size_t len = 0;
    while (len < 255) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (poll(&poll_fd, 1, TREE_PATIENCE) != 1)
            fail_msg("no line came");
        if (recv(fd, line + len, 1, 0) != 1 || line[len] == '\n')
            break;
        len++;
    }
    line[len] = '\0';
}

int tree_connect(pid_t *pid, char *id)
{
    char line[256], name[64] = "";
    int number = 0, fd = tree_try_connect(tree_path("sock"));
    assert_true(fd >= 0);
    tree_read(fd, line);
    assert_int_equal(sscanf(line, "%d %63s", &number, name), 2);
    if (pid)
        *pid = number;
    if (id)
        snprintf(id, 64, "%s", name);
    return fd;
}

void tree_expect_echo(int fd, const char *line)
{
    char sent[256], got[256];
    snprintf(sent, sizeof sent, "%s\n", line);
    tree_send(fd, sent);
    tree_read(fd, got);
    assert_string_equal(got, line);
}

void tree_await_gone(pid_t pid)
{
    for (long long end = tree_now() + TREE_PATIENCE; tree_now() < end; nap()) {
        waitpid(pid, NULL, WNOHANG); /* ours, if its posternd was killed */
        if (kill(pid, 0) < 0 && errno == ESRCH)
            return;
    }
    fail_msg("process %d is still there", (int)pid);
}

int tree_reload_with(const char *more, struct strbuf *out)
{
    tree_config(more);
    return tree_ctl("reload", NULL, out);
}

void tree_end(pid_t master)
{
    kill(master, SIGTERM);
    assert_int_equal(tree_wait(master), 0);
}

void tree_expect_id(const char *wanted)
{
    char id[64] = "";
    for (int i = 0; i < 5; i++) {
        close(tree_connect(NULL, id));
        assert_string_equal(id, wanted);
    }
}
