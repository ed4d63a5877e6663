/*
 * How posternd starts and ends: exit codes, sockets and their files, the background, draining, orphans.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "unit.h"

#include "fake_worker.h"
#include "tree.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void test_serves_and_ends(void **state)
{
    (void)state;
    struct stat file;
    tree_config("");
    pid_t master = tree_start_ready(), worker;
    int session = tree_connect(&worker, NULL);
    assert_int_not_equal(worker, master);
    assert_int_equal(stat(tree_path("sock"), &file), 0);
    assert_int_equal(file.st_mode, S_IFSOCK | 0660);
    assert_int_equal(stat(tree_path("control"), &file), 0);
    assert_int_equal(file.st_mode, S_IFSOCK | 0600);
    close(session);
    kill(master, SIGTERM);
    assert_int_equal(tree_wait(master), 0);
    tree_await_gone(worker);
    assert_int_equal(stat(tree_path("sock"), &file), -1);
    assert_int_equal(stat(tree_path("control"), &file), -1);
    assert_int_equal(stat(tree_path("sock.lock"), &file), -1);
}

static void test_socket_mode_and_sigint(void **state)
{
    (void)state;
    struct stat file;
    tree_config("socket_mode=0606\n");
    pid_t master = tree_start_ready();
    assert_int_equal(stat(tree_path("sock"), &file), 0);
    assert_int_equal(file.st_mode, S_IFSOCK | 0606);
    kill(master, SIGINT);
    assert_int_equal(tree_wait(master), 0);
}

static void test_exit_codes(void **state)
{
    (void)state;
    char long_path[512] = "socket=unix:/";
    memset(long_path + 13, 'x', 119);
    static const struct {
        const char *lines, *told;
        int status;
    } rows[] = {
        {"bad=port is no number\n", "conf:7: port is no number", 78},
        {"start_status=78\n", "giving up", 78},
        {"start_status=3\n", "giving up", 70},
        {"socket=tcp:25\n", "\"tcp:25\" is neither unix:PATH", 78},
        {"socket=inet:70000@127.0.0.1\n", "no port between 1 and 65535", 78},
        {"socket=unix:/nonexistent/dir/sock\n", "socket: cannot create /nonexistent/dir/sock.lock: No such file", 73},
        {"control=relative\n", "control: \"relative\" is no absolute path", 78},
        {"socket_group=no-such-group-here\n", "socket_group: there is no group \"no-such-group-here\"", 78},
        {"user=no-such-user-here\n", "user: there is no user \"no-such-user-here\"", 78},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tree_config(rows[i].lines);
        assert_int_equal(tree_wait(tree_start()), rows[i].status);
        tree_await_log(rows[i].told, 1);
        unlink(tree_path("log"));
    }
    tree_config(strcat(long_path, "\n"));
    assert_int_equal(tree_wait(tree_start()), 78);
    tree_await_log("socket: the path is 120 bytes long, a unix socket's may have 107", 1);
    assert_int_equal(tree_wait(tree_run("-Z", NULL)), 64);
    assert_int_equal(tree_wait(tree_run("-T", "nonsense", NULL)), 64);
    assert_int_equal(tree_wait(tree_run("-V", NULL)), 0);
    tree_config("bad=x\n");
    assert_int_equal(tree_wait(tree_run("-t", "-c", tree_path("conf"), NULL)), 78);
}

static void test_stale_and_foreign_sockets(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", tree_path("sock"));
    int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(other, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(other, 64), 0);
    tree_config("");
    assert_int_equal(tree_wait(tree_start()), 73);
    tree_await_log("somebody else listens on", 1);
    int session = tree_try_connect(address.sun_path);
    assert_true(session >= 0); /* it was left alone */
    close(session);
    close(other);

    pid_t master = tree_start_ready(); /* now it is stale */
    close(tree_connect(NULL, NULL));
    assert_int_equal(tree_wait(tree_start()), 73);
    tree_await_log("another posternd is running", 1);
    close(tree_connect(NULL, NULL));
    kill(master, SIGTERM);
    assert_int_equal(tree_wait(master), 0);

    int file = open(address.sun_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(file);
    assert_int_equal(tree_wait(tree_start()), 73);
    tree_await_log("is no socket; it is left alone", 1);
    assert_int_equal(access(address.sun_path, F_OK), 0);
}

static void test_leaves_a_successors_socket_alone(void **state)
{
    (void)state;
    tree_config("");
    pid_t master = tree_start_ready();
    unlink(tree_path("sock"));
    close(open(tree_path("sock"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    kill(master, SIGTERM);
    assert_int_equal(tree_wait(master), 0);
    assert_int_equal(access(tree_path("sock"), F_OK), 0);
}

static void test_background(void **state)
{
    (void)state;
    tree_config("start_delay=100\n");
    assert_int_equal(tree_wait(tree_run("-c", tree_path("conf"), "-p", tree_path("pid"), NULL)), 0);
    int session = tree_connect(NULL, NULL); /* ready means ready */
    close(session);
    FILE *file = fopen(tree_path("pid"), "r");
    int pid = 0;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    assert_true(pid > 1 && kill(pid, SIGTERM) == 0);
    tree_await_gone(pid);
    assert_int_equal(access(tree_path("pid"), F_OK), -1);

    tree_config("start_status=78\n");
    assert_int_equal(tree_wait(tree_run("-c", tree_path("conf"), NULL)), 78);
    tree_config("bad=x\n");
    assert_int_equal(tree_wait(tree_run("-c", tree_path("conf"), NULL)), 78);
}

static void test_inet(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    /* Bound for the whole test, so that nobody is given this port meanwhile; posternd may bind it beside us. */
    assert_int_equal(setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
    assert_int_equal(bind(probe, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(probe, (struct sockaddr *)&address, &length), 0);
    char line[256], spec[64];
    snprintf(spec, sizeof spec, "socket=inet:%d@localhost\n", ntohs(address.sin_port));
    tree_config(spec);
    pid_t master = tree_start_ready();
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    tree_read(fd, line);
    assert_non_null(strstr(line, "first"));
    close(fd);
    close(probe);
    kill(master, SIGTERM);
    assert_int_equal(tree_wait(master), 0);
}

static void test_drain(void **state)
{
    (void)state;
    tree_config("");
    pid_t master = tree_start_ready();
    int session = tree_connect(NULL, NULL);
    kill(master, SIGTERM);
    tree_await_log("drain, for 5000 ms at most", 1);
    assert_int_equal(tree_try_connect(tree_path("sock")), -1);
    tree_expect_echo(session, "still here");
    struct strbuf out;
    assert_int_equal(tree_ctl("reload", NULL, &out), 75);
    strbuf_free(&out);
    tree_expect_echo(session, "and now");
    close(session);
    assert_int_equal(tree_wait(master), 0);
    assert_int_equal(tree_count_log("killing worker"), 0);
}

static void test_drain_timeout_and_second_signal(void **state)
{
    (void)state;
    tree_config("drain_timeout=200\n");
    pid_t master = tree_start_ready();
    int session = tree_connect(NULL, NULL);
    long long begin = tree_now();
    kill(master, SIGTERM);
    assert_int_equal(tree_wait(master), 0);
    assert_in_range(tree_now() - begin, 200, 3000);
    tree_await_log("killing worker", 1);
    close(session);

    tree_config("drain_timeout=3600000\n");
    master = tree_start_ready();
    session = tree_connect(NULL, NULL);
    kill(master, SIGTERM);
    tree_await_log("drain, for 3600000 ms at most", 1);
    kill(master, SIGINT);
    assert_int_equal(tree_wait(master), 0);
    tree_await_log("SIGINT again", 1);
    close(session);
}

static void test_orphan(void **state)
{
    (void)state;
    pid_t orphan, worker;
    tree_config("");
    pid_t master = tree_start_ready();
    int session = tree_connect(&orphan, NULL);
    kill(master, SIGKILL);
    assert_int_equal(tree_wait(master), 1000 + SIGKILL);
    master = tree_start_ready(); /* the socket is free though the orphan has a session */
    close(tree_connect(&worker, NULL));
    assert_int_not_equal(worker, orphan);
    tree_expect_echo(session, "not forgotten");
    close(session);
    tree_await_gone(orphan);
    kill(master, SIGTERM);
    assert_int_equal(tree_wait(master), 0);
}

/* The effective user of a process. */
static unsigned user_of(pid_t pid)
{
    char line[256], path[64];
    unsigned real, effective = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "Uid: %u %u", &real, &effective) == 2)
            break;
    fclose(file);
    return effective;
}

static void test_user(void **state)
{
    (void)state;
    const struct passwd *nobody = getpwnam("nobody");
    assert_non_null(nobody);
    uid_t uid = nobody->pw_uid;
    pid_t worker;
    tree_config("user=nobody\n");
    if (geteuid() != 0 && geteuid() != uid) { /* the other half of the promise */
        assert_int_equal(tree_wait(tree_start()), 77);
        tree_await_log("user: only root can become \"nobody\"", 1);
        return;
    }
    pid_t master = tree_start_ready();
    close(tree_connect(&worker, NULL));
    assert_int_equal(user_of(master), uid);
    assert_int_equal(user_of(worker), uid);
    struct stat file;
    assert_int_equal(stat(tree_path("control"), &file), 0);
    assert_int_equal(file.st_uid, uid);
    kill(master, SIGTERM);
    assert_int_equal(tree_wait(master), 0);
    assert_int_equal(stat(tree_path("sock"), &file), -1);
}

static uid_t owner_of(const char *name)
{
    struct stat file;
    assert_int_equal(lstat(tree_path(name), &file), 0);
    return file.st_uid;
}

/* What a master leaves that root started, the unit that starts as the user finds. */
static void test_left_behind_by_root(void **state)
{
    (void)state;
    uid_t uid = getpwnam("nobody")->pw_uid;
    pid_t worker;
    if (geteuid() != 0)
        skip();
    tree_config("user=nobody\n");
    for (int round = 0; round < 2; round++) { /* the second time the locks are his already */
        pid_t master = tree_start_ready();
        close(tree_connect(&worker, NULL));
        kill(master, SIGKILL);
        tree_wait(master);
        tree_await_gone(worker);
        assert_int_equal(owner_of("sock.lock"), uid);
        assert_int_equal(owner_of("control.lock"), uid);
        assert_int_equal(owner_of("sock"), uid);
        assert_int_equal(owner_of("control"), uid);
    }
    int before = tree_count_log("is active");
    pid_t master = tree_start_as(getpwnam("nobody"));
    tree_await_log("is active", before + 1);
    close(tree_connect(NULL, NULL));
    tree_end(master);
    assert_int_equal(access(tree_path("sock.lock"), F_OK), -1);
}

static void test_gives_away_no_other_file(void **state)
{
    (void)state;
    struct stat file;
    if (geteuid() != 0)
        skip();
    tree_config("user=nobody\n");
    close(open(tree_path("empty"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_int_equal(link(tree_path("empty"), tree_path("sock.lock")), 0);
    int secret = open(tree_path("control.lock"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(secret, "x", 1), 1);
    pid_t master = tree_start_ready();
    assert_int_equal(owner_of("empty"), 0);
    assert_int_equal(fstat(secret, &file), 0);
    assert_int_equal(file.st_uid, 0);
    tree_end(master);
    close(secret);

    assert_int_equal(symlink(tree_path("empty"), tree_path("sock.lock")), 0);
    assert_int_equal(tree_wait(tree_start()), 71);
    tree_await_log("socket: cannot open", 1);
    assert_int_equal(owner_of("empty"), 0);
}

static void test_owner(void **state)
{
    (void)state;
    struct stat file;
    tree_config(geteuid() == 0 ? "socket_owner=nobody\nsocket_group=4711\n" : "socket_owner=root\n");
    if (geteuid() != 0) {
        assert_int_equal(tree_wait(tree_start()), 77);
        tree_await_log("cannot set the owner or group of", 1);
        return;
    }
    pid_t master = tree_start_ready();
    assert_int_equal(stat(tree_path("sock"), &file), 0);
    assert_int_equal(file.st_uid, getpwnam("nobody")->pw_uid);
    assert_int_equal(file.st_gid, 4711);
    kill(master, SIGTERM);
    assert_int_equal(tree_wait(master), 0);
}

#define TREE_TEST(function) cmocka_unit_test_setup_teardown(function, tree_setup, tree_teardown)

int main(int argc, char **argv)
{
    if (fake_worker_wanted(argc, argv))
        return fake_worker_main(argc, argv);
    const struct CMUnitTest tests[] = {
        TREE_TEST(test_serves_and_ends),
        TREE_TEST(test_socket_mode_and_sigint),
        TREE_TEST(test_exit_codes),
        TREE_TEST(test_stale_and_foreign_sockets),
        TREE_TEST(test_leaves_a_successors_socket_alone),
        TREE_TEST(test_background),
        TREE_TEST(test_inet),
        TREE_TEST(test_drain),
        TREE_TEST(test_drain_timeout_and_second_signal),
        TREE_TEST(test_orphan),
        TREE_TEST(test_user),
        TREE_TEST(test_left_behind_by_root),
        TREE_TEST(test_gives_away_no_other_file),
        TREE_TEST(test_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
