/*
 * Which worker program is run. The test program is the one that has something beside it; "installed" is a directory in
 * the one where it is started.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "unit.h"

#undef POSTERN_LIBEXECDIR
#define POSTERN_LIBEXECDIR "installed"
#include "../../../src/master/spawn.c"

#include <pwd.h>
#include <stdlib.h>

static char directory[64];

static const char *place(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static void make_file(const char *name)
{
    int fd = open(place(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    assert_true(fd >= 0);
    close(fd);
}

static int make_place(void **state)
{
    (void)state;
    char bytes[65536];
    const char *tmp = getenv("TMPDIR");
    umask(022);
    snprintf(directory, sizeof directory, "%s/posternXXXXXX", tmp && strlen(tmp) < 32 ? tmp : "/tmp");
    if (!mkdtemp(directory) || chmod(directory, 0755) < 0 || mkdir(place("bin"), 0755) < 0 ||
        mkdir(place("installed"), 0755) < 0)
        return -1;
    int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int out = open(place("bin/program"), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    for (ssize_t len; (len = read(in, bytes, sizeof bytes)) > 0;)
        assert_int_equal(write(out, bytes, (size_t)len), len);
    close(in);
    close(out);
    make_file("bin/postern-worker");
    make_file("installed/postern-worker");
    return 0;
}

static int remove_place(void **state)
{
    (void)state;
    unlink(place("bin/program"));
    unlink(place("bin/postern-worker"));
    unlink(place("installed/postern-worker"));
    rmdir(place("bin"));
    rmdir(place("installed"));
    return rmdir(directory);
}

/* What bin/program finds, or says, as WHO. */
static const char *found_by(uid_t who)
{
    static char text[512];
    int fds[2], status;
    size_t used = 0;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        const char *program = place("bin/program");
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        if (chdir(directory) == 0 && (who == geteuid() || setuid(who) == 0))
            execl(program, program, "find", NULL);
        _exit(1);
    }
    close(fds[1]);
    for (ssize_t len; (len = read(fds[0], text + used, sizeof text - 1 - used)) > 0; used += (size_t)len)
        ;
    close(fds[0]);
    text[used] = '\0';
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    return text;
}

static void test_the_one_beside_comes_first(void **state)
{
    (void)state;
    assert_string_equal(found_by(geteuid()), place("bin/postern-worker"));
    assert_int_equal(unlink(place("bin/postern-worker")), 0);
    assert_string_equal(found_by(geteuid()), "installed/postern-worker");
    assert_int_equal(unlink(place("installed/postern-worker")), 0);
    assert_string_equal(found_by(geteuid()),
                        "cannot run the worker program installed/postern-worker: No such file or directory");
}

static void expect_refused(bool refused)
{
    if (refused)
        assert_non_null(strstr(found_by(0), "/postern-worker, which others than root may write or replace; -w names"));
    else
        assert_string_equal(found_by(0), place("bin/postern-worker"));
}

static void test_root_is_careful(void **state)
{
    (void)state;
    static const char *const paths[] = {"bin", "bin/postern-worker"};
    uid_t nobody = getpwnam("nobody")->pw_uid;
    if (geteuid() != 0)
        skip();
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *path = place(paths[i]);
        assert_int_equal(chmod(path, 0775), 0);
        expect_refused(false); /* root's own group */
        assert_int_equal(chown(path, 0, 4711), 0);
        expect_refused(true);
        assert_int_equal(chmod(path, 0757), 0);
        expect_refused(true);
        assert_int_equal(chmod(path, 01757), 0);
        expect_refused(true);
        assert_int_equal(chmod(path, 0755), 0);
        expect_refused(false);
        assert_int_equal(chown(path, nobody, 0), 0);
        expect_refused(true);
        assert_string_equal(found_by(nobody), place("bin/postern-worker"));
        assert_int_equal(chown(path, 0, 0), 0);
    }
}

static void test_given(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct strbuf why;
    strbuf_init(&why, 0);
    assert_int_equal(spawn_find_worker(place("installed/postern-worker"), path, sizeof path, &why), 0);
    assert_string_equal(path, place("installed/postern-worker"));
    assert_int_equal(spawn_find_worker("/nonexistent/w", path, sizeof path, &why), -1);
    assert_string_equal(strbuf_text(&why), "cannot run the worker program /nonexistent/w: No such file or directory");
    strbuf_free(&why);
}

static int print_found(void)
{
    char path[PATH_MAX];
    struct strbuf why;
    strbuf_init(&why, 0);
    fputs(spawn_find_worker(NULL, path, sizeof path, &why) == 0 ? path : strbuf_text(&why), stdout);
    strbuf_free(&why);
    return 0;
}

#define PLACE_TEST(function) cmocka_unit_test_setup_teardown(function, make_place, remove_place)

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "find") == 0)
        return print_found();
    const struct CMUnitTest tests[] = {
        PLACE_TEST(test_the_one_beside_comes_first),
        PLACE_TEST(test_root_is_careful),
        PLACE_TEST(test_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
