/*
 * The secrets file: what is read of it, what is refused and how that is said, what a rotation keeps, and many at once.
 */
#include "unit.h"

#include "srs/srs_keys.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW 1577836860 /* 2020-01-01 */
#define DAY 86400
#define NOBODY 65534

static struct arena *arena;
static char directory[64], path[96];

static int set_up(void **state)
{
    (void)state;
    arena = arena_create(4096);
    strcpy(directory, "/tmp/postern-keys-XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/secrets", directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    int status = system(arena_printf(arena, "rm -rf %s", directory));
    arena_destroy(arena);
    return status;
}

static void write_bytes(const char *bytes, size_t len)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
}

static void write_text(const char *text)
{
    write_bytes(text, strlen(text));
}

static const char *read_text(void)
{
    static char text[200000];
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* The secrets with "|" between them, or what is wrong with the file, without its name. */
static const char *secrets(void)
{
    bool is_missing;
    const char *problem = NULL, *text = "";
    struct srs_keys *keys = srs_keys_read(path, arena, &is_missing, &problem);
    if (!keys) {
        assert_int_equal(strncmp(problem, path, strlen(path)), 0);
        return arena_strdup(arena, problem + strlen(path));
    }
    for (size_t i = 0; i < keys->count; i++)
        text = arena_printf(arena, "%s%s%.*s", text, i ? "|" : "", (int)keys->secrets[i].len, keys->secrets[i].ptr);
    srs_keys_free(keys);
    return text;
}

static const char *rotate(int64_t now, size_t *kept)
{
    const char *problem = NULL;
    return srs_keys_rotate(path, arena, 21, now, kept, &problem) == 0 ? NULL : problem;
}

/* ---- reading ---- */

static void reads_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text, *secrets;
    } rows[] = {
        {"one\n", "one"},
        {"one", "one"},
        {"one\r\ntwo\r\n", "one|two"},
        {"one\n\n  \n\r\ntwo", "one|two"},
        {" one \n\ttwo\t\n", "one|two"},
        {"with blanks in it\n", "with blanks in it"},
        {"# a comment\none\n  # another\n# retired 2020-01-01\ntwo\n", "one|two"},
        {"one#no comment\n", "one#no comment"},
        {"\xc3\xb6\xff\n", "\xc3\xb6\xff"},
        {"", ": holds no secret"},
        {"\n\r\n \t\n", ": holds no secret"},
        {"# nothing but this\n", ": holds no secret"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_text(rows[i].text);
        assert_string_equal(secrets(), rows[i].secrets);
    }
}

static void refuses_lines_that_are_none(void **state)
{
    (void)state;
    write_bytes("one\ntw\0o\n", 9);
    assert_string_equal(secrets(), ":2: the line holds a NUL");
    write_text(arena_printf(arena, "one\n%0*d\n", SRS_KEYS_LINE_MAX, 0));
    assert_string_equal(secrets(), arena_printf(arena, "one|%0*d", SRS_KEYS_LINE_MAX, 0));
    write_text(arena_printf(arena, "one\n# two\n%0*d\n", SRS_KEYS_LINE_MAX + 1, 0));
    assert_string_equal(secrets(), ":3: the line is longer than 1000 octets");
    write_text(arena_printf(arena, "%0*d", SRS_KEYS_FILE_MAX + 1, 0));
    assert_string_equal(secrets(), ": is larger than 100000 octets");
    const char *text = "";
    for (int i = 0; i < SRS_KEYS_MAX; i++)
        text = arena_printf(arena, "%ss%d\n", text, i);
    write_text(text);
    assert_int_not_equal(secrets()[0], ':');
    write_text(arena_printf(arena, "%sone more\n", text));
    assert_string_equal(secrets(), ": holds more than 100 secrets");
}

static void refuses_files_that_others_can_read(void **state)
{
    (void)state;
    write_text("one\n");
    for (mode_t mode = 0; mode <= 0777; mode++) {
        assert_int_equal(chmod(path, mode), 0);
        bool is_good = (mode & 0137) == 0;
        if (geteuid() != 0 && !(mode & 0400))
            assert_non_null(strstr(secrets(), "Permission denied"));
        else if (is_good)
            assert_string_equal(secrets(), "one");
        else
            assert_int_equal(strncmp(secrets(), ": its mode is ", 14), 0);
    }
    assert_int_equal(chmod(path, 0644), 0);
    assert_non_null(strstr(secrets(), ": its mode is 0644, and may be 0640 at most"));
}

static void refuses_what_is_no_file(void **state)
{
    (void)state;
    bool is_missing = false;
    const char *problem;
    assert_null(srs_keys_read(path, arena, &is_missing, &problem));
    assert_true(is_missing);
    assert_string_equal(secrets(), ": cannot be opened: No such file or directory");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_null(srs_keys_read(path, arena, &is_missing, &problem));
    assert_false(is_missing);
    assert_string_equal(secrets(), ": is a directory, and must be a file");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_string_equal(secrets(), ": is a FIFO, and must be a file");
    assert_int_equal(unlink(path), 0);
    char *target = arena_printf(arena, "%s/target", directory);
    assert_int_equal(symlink(target, path), 0);
    assert_string_equal(secrets(), ": is a symbolic link, and must be the file itself");
    close(open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_string_equal(secrets(), ": is a symbolic link, and must be the file itself");
    assert_int_equal(unlink(path), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(secrets()[0], ':'); /* open(2) refuses it: no such device */
    close(fd);
}

static void refuses_files_of_strangers(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("only root can give a file away\n");
        skip();
        return;
    }
    write_text("one\n");
    assert_int_equal(chmod(directory, 0755), 0);
    assert_int_equal(chown(path, 12345, NOBODY), 0);
    assert_int_equal(chmod(path, 0640), 0);
    assert_string_equal(secrets(), "one"); /* to root */
    assert_int_equal(setegid(NOBODY), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    const char *strangers = secrets();
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(chown(path, 0, NOBODY), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    const char *roots = secrets();
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(0), 0);
    assert_string_equal(strangers, ": belongs to user 12345, and must belong to root or to user 65534");
    assert_string_equal(roots, "one");
}

/* ---- creating, rotating ---- */

static void makes_a_file_of_its_own(void **state)
{
    (void)state;
    const char *problem = NULL;
    struct stat status;
    umask(0);
    assert_int_equal(srs_keys_create(path, arena, &problem), 0);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    const char *first = secrets();
    assert_int_equal(strlen(first), 40);
    assert_string_equal(read_text(), arena_printf(arena, "%s\n", first)); /* the key is the first line */
    assert_int_equal(srs_keys_create(path, arena, &problem), 1);
    assert_string_equal(secrets(), first);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(srs_keys_create(path, arena, &problem), 0);
    assert_string_not_equal(secrets(), first);
    assert_int_equal(srs_keys_create("/nowhere/secrets", arena, &problem), -1);
    assert_int_equal(strncmp(problem, "/nowhere/secrets", 16), 0);
    assert_int_equal(system(arena_printf(arena, "test $(ls -A %s | wc -l) = 1", directory)), 0); /* nothing beside it */
}

static void rotates(void **state)
{
    (void)state;
    size_t kept = 0;
    struct stat status;
    write_text("# of the old days\r\none\r\ntwo");
    assert_int_equal(chmod(path, 0440), 0);
    assert_null(rotate(NOW, &kept));
    assert_int_equal(kept, 2);
    const char *text = read_text();
    assert_string_equal(text + 40, "\n# retired 2020-01-01\n# of the old days\r\none\r\ntwo\n");
    assert_string_equal(secrets() + 40, "|one|two");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0440);
    const char *second = arena_printf(arena, "%.40s", text);
    assert_null(rotate(NOW + 10 * DAY, &kept));
    assert_int_equal(kept, 3);
    assert_string_equal(read_text() + 40, arena_printf(arena,
                                                       "\n# retired 2020-01-11\n%s\n# retired 2020-01-01\n"
                                                       "# of the old days\r\none\r\ntwo\n",
                                                       second));
    /* What was retired on the 1st was good until the 22nd, and a day more. */
    assert_null(rotate(NOW + 22 * DAY, &kept));
    assert_int_equal(kept, 4);
    const char *third = arena_printf(arena, "%.40s", read_text());
    assert_null(rotate(NOW + 23 * DAY, &kept));
    assert_int_equal(kept, 3);
    assert_non_null(strstr(read_text(), "\n# of the old days\r\n")); /* comments stay */
    assert_null(strstr(read_text(), "one"));
    assert_null(strstr(read_text(), "2020-01-01"));
    assert_non_null(strstr(secrets(), third));
    assert_non_null(strstr(secrets(), second));
    assert_null(rotate(NOW + 400 * DAY, &kept));
    assert_int_equal(kept, 1); /* the one that signed until now */
}

static void takes_no_other_comment_for_a_date(void **state)
{
    (void)state;
    size_t kept;
    write_text("one\n# retired 2001-01-0x\ntwo\n# retired\nthree\n# retired 2001-1-1\nfour\n#retired 2001-01-01\nfive\n"
               "# retired 2001-01-011\nsix\n");
    assert_null(rotate(NOW, &kept));
    assert_int_equal(kept, 6);
    write_text("one\n# retired 2001-01-01\r\ntwo\n");
    assert_null(rotate(NOW, &kept));
    assert_int_equal(kept, 1);
}

static void refuses_to_rotate_what_it_cannot_read(void **state)
{
    (void)state;
    size_t kept;
    assert_non_null(strstr(rotate(NOW, &kept), "No such file"));
    write_text("");
    assert_non_null(strstr(rotate(NOW, &kept), "holds no secret"));
    assert_string_equal(read_text(), "");
    write_text("one\n");
    assert_int_equal(chmod(path, 0666), 0);
    assert_non_null(strstr(rotate(NOW, &kept), "mode is 0666"));
    assert_string_equal(read_text(), "one\n");
    assert_int_equal(chmod(path, 0600), 0);
    for (int i = 0; i < SRS_KEYS_MAX - 1; i++)
        assert_null(rotate(NOW, &kept));
    assert_non_null(strstr(rotate(NOW, &kept), "100 secrets that are still needed"));
    assert_null(rotate(NOW + 23 * DAY, &kept));
}

static void a_file_left_behind_does_no_harm(void **state)
{
    (void)state;
    size_t kept;
    char *beside = arena_printf(arena, "%s.new", path), *victim = arena_printf(arena, "%s/victim", directory);
    write_text("one\n");
    assert_int_equal(symlink(victim, beside), 0);
    assert_null(rotate(NOW, &kept));
    assert_int_equal(access(victim, F_OK), -1);
    assert_int_equal(access(beside, F_OK), -1);
    assert_int_equal(mkdir(beside, 0700), 0); /* cannot be removed like a file */
    const char *before = arena_strdup(arena, read_text());
    assert_non_null(strstr(rotate(NOW, &kept), "secrets.new: cannot be removed"));
    assert_string_equal(read_text(), before);
}

static void keeps_the_owner(void **state)
{
    (void)state;
    size_t kept;
    struct stat status;
    if (geteuid() != 0) {
        print_message("only root can give a file away\n");
        skip();
        return;
    }
    write_text("one\n");
    assert_int_equal(chown(path, 12345, 54321), 0);
    assert_int_equal(chmod(path, 0640), 0);
    assert_null(rotate(NOW, &kept));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_uid, 12345);
    assert_int_equal(status.st_gid, 54321);
    assert_int_equal(status.st_mode & 07777, 0640);
    /* A group that may not read it need not be kept. */
    assert_int_equal(chown(path, NOBODY, 0), 0);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(directory, 0777), 0);
    assert_int_equal(setegid(NOBODY), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    const char *refused = rotate(NOW, &kept);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(0), 0);
    assert_null(refused);
    assert_int_equal(chmod(path, 0640), 0);
    /* Who cannot keep it changes nothing. */
    assert_int_equal(chown(path, 0, NOBODY), 0);
    assert_int_equal(chmod(directory, 0777), 0);
    const char *before = arena_strdup(arena, read_text());
    assert_int_equal(setegid(NOBODY), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    const char *problem = rotate(NOW, &kept);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(0), 0);
    assert_non_null(problem);
    assert_non_null(strstr(problem, "cannot be given the owner of the old file"));
    assert_string_equal(read_text(), before);
    assert_int_equal(access(arena_printf(arena, "%s.new", path), F_OK), -1);
}

static void many_at_once_lose_nothing(void **state)
{
    (void)state;
    size_t kept;
    pid_t workers[8];
    write_text("one\n");
    for (size_t i = 0; i < 8; i++) {
        workers[i] = fork();
        assert_true(workers[i] >= 0);
        if (workers[i] == 0) {
            int failures = 0;
            for (size_t k = 0; k < 10; k++)
                failures += rotate(NOW, &kept) != NULL;
            _exit(failures);
        }
    }
    for (size_t i = 0; i < 8; i++) {
        int status;
        assert_int_equal(waitpid(workers[i], &status, 0), workers[i]);
        assert_int_equal(status, 0);
    }
    assert_null(rotate(NOW, &kept));
    assert_int_equal(kept, 81);
    assert_int_equal(system(arena_printf(arena, "test $(grep -v '#' %s | sort -u | wc -l) = 82", path)), 0);
}

static void many_make_one_file(void **state)
{
    (void)state;
    pid_t workers[8];
    int makers = 0;
    for (size_t i = 0; i < 8; i++) {
        workers[i] = fork();
        assert_true(workers[i] >= 0);
        if (workers[i] == 0) {
            const char *problem;
            _exit(srs_keys_create(path, arena, &problem) + 1);
        }
    }
    for (size_t i = 0; i < 8; i++) {
        int status;
        assert_int_equal(waitpid(workers[i], &status, 0), workers[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) >= 1);
        makers += WEXITSTATUS(status) == 1;
    }
    assert_int_equal(makers, 1);
    assert_int_equal(strlen(secrets()), 40);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_lines),
        TEST(refuses_lines_that_are_none),
        TEST(refuses_files_that_others_can_read),
        TEST(refuses_what_is_no_file),
        TEST(refuses_files_of_strangers),
        TEST(makes_a_file_of_its_own),
        TEST(rotates),
        TEST(takes_no_other_comment_for_a_date),
        TEST(refuses_to_rotate_what_it_cannot_read),
        TEST(a_file_left_behind_does_no_harm),
        TEST(keeps_the_owner),
        TEST(many_at_once_lose_nothing),
        TEST(many_make_one_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
