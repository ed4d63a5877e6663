/* A queue that is lost: found corrupt, cut off, or put aside by somebody else. Who asks for what was in it is told, who
 * adds to it goes on, and the log says so, once. */
#include "unit.h"

#include "spool/spool_file.h"
#include "util/newfile.h"
#include "workbench.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define TEXT "Subject: hello\r\n\r\nbody\r\n"
#define CORRUPT "THE QUEUE IS CORRUPT"
#define ANOTHER "THE QUEUE IS NOT THE FILE IT WAS"
#define EMPTY "THE QUEUE IS EMPTY"

static char *path_in(struct bench *bench, const char *name)
{
    return arena_printf(bench->arena, "%s/%s", bench->directory, name);
}

static int count_aside(struct bench *bench)
{
    int count = 0;
    DIR *directory = opendir(bench->directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        count += strncmp(entry->d_name, "spool.db.corrupt-", 17) == 0;
    closedir(directory);
    return count;
}

/* ---- what is logged ---- */

static int saved_stderr;

static void log_begin(struct bench *bench)
{
    fflush(stderr);
    saved_stderr = dup(STDERR_FILENO);
    int fd = open(path_in(bench, "log"), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);
    assert_true(saved_stderr >= 0 && fd >= 0);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

static const char *log_end(struct bench *bench)
{
    char *all = arena_alloc(bench->arena, 65536);
    fflush(stderr);
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    FILE *file = fopen(path_in(bench, "log"), "r");
    assert_non_null(file);
    all[fread(all, 1, 65535, file)] = '\0';
    fclose(file);
    return all;
}

static int count_of(const char *haystack, const char *needle)
{
    int count = 0;
    for (; (haystack = strstr(haystack, needle)); haystack += strlen(needle))
        count++;
    return count;
}

/* ---- the administrator's calls ---- */

static void write_garbage(struct bench *bench)
{
    FILE *file = fopen(path_in(bench, "spool.db"), "w");
    for (int i = 0; i < 500; i++)
        fputs("this is no database", file);
    fclose(file);
}

static int ask_list(struct bench *bench, const char **problem)
{
    struct spool_entry *entries;
    size_t count;
    return spool_list(bench->spool, bench->arena, &entries, &count, problem);
}

static int ask_show(struct bench *bench, const char **problem)
{
    struct spool_entry entry;
    struct span content;
    return spool_show(bench->spool, bench->arena, 1, &entry, &content, problem);
}

static int ask_flush(struct bench *bench, const char **problem)
{
    return spool_flush(bench->spool, 0, problem);
}

static int ask_delete(struct bench *bench, const char **problem)
{
    return spool_delete(bench->spool, 0, problem);
}

static const struct {
    int (*ask)(struct bench *bench, const char **problem);
    int of_nothing; /* what it says of an empty queue */
} asking[] = {{ask_list, 0}, {ask_show, 1}, {ask_flush, 0}, {ask_delete, 0}};

/* Whoever puts it aside does not know that there is nothing. */
static void tells_who_asked(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof asking / sizeof *asking; i++) {
        const char *problem = "";
        write_garbage(bench);
        log_begin(bench);
        uint64_t failures = spool_failures(bench->spool);
        int first = asking[i].ask(bench, &problem), second = asking[i].ask(bench, &problem);
        failures = spool_failures(bench->spool) - failures;
        const char *log = log_end(bench);
        assert_int_equal(first, -1);
        assert_non_null(strstr(problem, "moved aside"));
        assert_int_equal(second, asking[i].of_nothing);
        assert_int_equal(failures, 1);
        assert_int_equal(count_of(log, CORRUPT), 1);
        assert_int_equal(count_of(log, ANOTHER), 0);
        assert_int_equal(count_aside(bench), (int)i + 1);
        bench_open_again(bench);
    }
}

/* Damage that shows when a page is read. */
static void tells_who_found_it_in_use(void **state)
{
    struct bench *bench = *state;
    char content[20000] = "";
    memset(content, 'x', sizeof content - 1);
    struct spool_message message = bench_message(content);
    for (size_t i = 0; i < sizeof asking / sizeof *asking; i++) {
        for (int n = 0; n < 20; n++)
            bench_add(bench, &message);
        bench_open_again(bench);
        FILE *file = fopen(path_in(bench, "spool.db"), "r+");
        fseek(file, 4096, SEEK_SET);
        for (int n = 0; n < 40000; n++)
            fputc('Z', file);
        fclose(file);
        const char *problem = "";
        log_begin(bench);
        int first = asking[i].ask(bench, &problem), second = asking[i].ask(bench, &problem);
        const char *log = log_end(bench);
        assert_int_equal(first, -1);
        assert_int_equal(second, asking[i].of_nothing);
        assert_int_equal(count_of(log, CORRUPT), 1);
    }
}

/* An addition has lost nothing: it is in the queue that begins. */
static void adds_to_the_new_one(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    struct spool_entry *entries;
    write_garbage(bench);
    log_begin(bench);
    bench_add(bench, &message);
    const char *log = log_end(bench);
    assert_int_equal(count_of(log, CORRUPT), 1);
    assert_int_equal(bench_list(bench, &entries), 1);
    assert_int_equal(spool_failures(bench->spool), 0);
}

/* ---- another file ---- */

static void put_aside(struct bench *bench, const char *name)
{
    assert_int_equal(rename(path_in(bench, "spool.db"), path_in(bench, name)), 0);
    unlink(path_in(bench, "spool.db-wal"));
    unlink(path_in(bench, "spool.db-shm"));
}

/* Both connections of a spool that sends notice it, and one of them says so. */
static void tells_of_another_file(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    bench_start(bench);
    bench_add(bench, &message);
    bench_wait_afters(bench, 1);
    log_begin(bench);
    put_aside(bench, "taken");
    clock_sleep_us(1500000); /* the sender looks by itself */
    bench_add(bench, &message);
    bench_wait_afters(bench, 2);
    int once = count_of(log_end(bench), ANOTHER);
    log_begin(bench);
    put_aside(bench, "taken.2");
    bench_add(bench, &message);
    bench_wait_afters(bench, 3);
    clock_sleep_us(1500000);
    int again = count_of(log_end(bench), ANOTHER);
    assert_int_equal(once, 1);
    assert_int_equal(again, 1);
}

/* The new one may have the inode of the old one. */
static void tells_of_a_deleted_file(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    bench_add(bench, &message);
    log_begin(bench);
    for (int i = 0; i < 5; i++) {
        put_aside(bench, "taken");
        unlink(path_in(bench, "taken"));
        bench_add(bench, &message);
    }
    assert_int_equal(count_of(log_end(bench), ANOTHER), 5);
}

/* What posternctl puts aside, the daemon tells of. */
static void tells_what_another_process_found(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    struct spool_entry *entries;
    struct spool *other = spool_open(&bench->options);
    const char *problem;
    size_t count;
    bench_add(bench, &message);
    assert_int_equal(bench_list(bench, &entries), 1);
    log_begin(bench);
    put_aside(bench, "taken");
    write_garbage(bench);
    int found = spool_list(other, bench->arena, &entries, &count, &problem);
    bench_add(bench, &message);
    const char *log = log_end(bench);
    assert_int_equal(found, -1);
    assert_int_equal(count_of(log, CORRUPT), 1);
    assert_int_equal(count_of(log, ANOTHER), 1);
    spool_close(other);
}

/* One's own doing was told already. */
static void tells_nothing_twice(void **state)
{
    struct bench *bench = *state;
    struct spool_known known = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    struct spool_file one, two, three;
    char problem[200];
    log_begin(bench);
    int result = spool_file_open(&one, bench->directory, &known, problem, sizeof problem);
    spool_file_condemn(&one, bench->directory, &known, "test");
    result |= spool_file_open(&two, bench->directory, &known, problem, sizeof problem);
    int by_us = count_of(log_end(bench), ANOTHER);
    log_begin(bench);
    spool_file_condemn(&two, bench->directory, NULL, "test");
    result |= spool_file_open(&three, bench->directory, &known, problem, sizeof problem);
    int by_others = count_of(log_end(bench), ANOTHER);
    spool_file_close(&three);
    assert_int_equal(result, SQLITE_OK);
    assert_int_equal(by_us, 0);
    assert_int_equal(by_others, 1);
}

/* ---- an empty file ---- */

static void tells_of_lost_content(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    const char *problem = "";
    bench_add(bench, &message);
    spool_close(bench->spool);
    assert_int_equal(truncate(path_in(bench, "spool.db"), 0), 0);
    bench->spool = spool_open(&bench->options);
    log_begin(bench);
    int first = ask_list(bench, &problem);
    struct stat begun;
    assert_int_equal(stat(path_in(bench, "spool.db"), &begun), 0);
    int second = ask_list(bench, &problem);
    bench_open_again(bench);
    bench_add(bench, &message);
    bench_open_again(bench);
    int third = ask_list(bench, &problem);
    const char *log = log_end(bench);
    assert_int_equal(first, -1);
    assert_true(begun.st_size > 0); /* whoever comes next sees nothing to tell */
    assert_int_equal(second, 0);
    assert_int_equal(third, 0);
    assert_int_equal(count_of(log, EMPTY), 1);
    assert_int_equal(count_aside(bench), 0);
}

/* In the log may be all of it. */
static void keeps_the_log_of_an_empty_file(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    struct stat st;
    pid_t child = fork();
    if (child == 0) {
        struct spool *spool = spool_open(&bench->options);
        spool_add(spool, &message, clock_wall(), NULL);
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
    assert_int_equal(stat(path_in(bench, "spool.db-wal"), &st), 0);
    off_t size = st.st_size;
    assert_int_equal(truncate(path_in(bench, "spool.db"), 0), 0);
    log_begin(bench);
    bench_add(bench, &message);
    const char *log = log_end(bench);
    assert_int_equal(count_of(log, CORRUPT), 1);
    assert_non_null(strstr(log, "it is empty"));
    assert_int_equal(count_aside(bench), 3);
    const char *command = arena_printf(bench->arena, "test $(stat -c %%s %s/spool.db.corrupt-*Z-wal) = %lld",
                                       bench->directory, (long long)size);
    assert_int_equal(system(command), 0);
}

/* What was logged while CHILDREN processes add to the queue for the first time. */
static const char *start_together(struct bench *bench, int children)
{
    struct spool_message message = bench_message(TEXT);
    pid_t pids[16];
    int failed = 0, status;
    log_begin(bench);
    for (int i = 0; i < children; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct spool *spool = spool_open(&bench->options);
            enum spool_outcome outcome = spool_add(spool, &message, clock_wall(), NULL);
            spool_close(spool);
            _exit(outcome != SPOOL_OK);
        }
    }
    for (int i = 0; i < children; i++) {
        waitpid(pids[i], &status, 0);
        failed += status != 0;
    }
    const char *log = log_end(bench);
    assert_int_equal(failed, 0);
    return log;
}

static void begin_again(struct bench *bench)
{
    static const char *const names[] = {"spool.db", "spool.db-wal", "spool.db-shm", "spool.db.new"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_in(bench, names[i]));
}

static void starts_quietly(void **state)
{
    struct bench *bench = *state;
    for (int round = 0; round < 5; round++) {
        begin_again(bench);
        assert_string_equal(start_together(bench, 12), "");
    }
    begin_again(bench);
    assert_int_equal(newfile_create_blank(path_in(bench, "spool.db")), 0);
    assert_string_equal(start_together(bench, 2), "");
}

/* At any moment of a first start. */
static void starts_quietly_after_a_kill(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    int made = 0;
    for (int round = 0; round < 60; round++) {
        begin_again(bench);
        pid_t child = fork();
        if (child == 0) {
            struct spool *spool = spool_open(&bench->options);
            spool_add(spool, &message, clock_wall(), NULL);
            _exit(0);
        }
        usleep((useconds_t)(round * 211));
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        made += access(path_in(bench, "spool.db"), F_OK) == 0;
        assert_string_equal(start_together(bench, 1), "");
    }
    assert_true(made > 0);
}

/* ---- why it cannot be opened ---- */

static void set_size_limit(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

static void says_what_the_system_said(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    signal(SIGXFSZ, SIG_IGN);
    log_begin(bench);
    set_size_limit(1000);
    enum spool_outcome full = spool_add(bench->spool, &message, clock_wall(), NULL);
    set_size_limit(RLIM_INFINITY);
    enum spool_outcome again = spool_add(bench->spool, &message, clock_wall(), NULL);
    const char *log = log_end(bench);
    assert_int_equal(full, SPOOL_FAILED);
    assert_int_equal(again, SPOOL_OK); /* nor is what SQLite took back a loss */
    assert_int_equal(spool_failures(bench->spool), 1);
    assert_int_equal(count_of(log, EMPTY), 0);
    assert_int_equal(count_of(log, "File too large"), 1);
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(path_in(bench, "spool.db"), 0), 0);
    assert_int_equal(chmod(bench->directory, 0777), 0);
    assert_int_equal(chmod(path_in(bench, "spool.open"), 0666), 0);
    log_begin(bench);
    pid_t child = fork();
    if (child == 0) {
        struct spool *spool = spool_open(&bench->options);
        bool is_other = setgid(65534) == 0 && setuid(65534) == 0;
        _exit(is_other && spool_add(spool, &message, clock_wall(), NULL) == SPOOL_FAILED ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    log = log_end(bench);
    assert_int_equal(status, 0);
    assert_non_null(strstr(log, "unable to open database file (14): Permission denied"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_set_up, bench_tear_down)

int main(void)
{
    log_open(&(struct log_options){"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0});
    const struct CMUnitTest tests[] = {
        TEST(tells_who_asked),
        TEST(tells_who_found_it_in_use),
        TEST(adds_to_the_new_one),
        TEST(tells_of_another_file),
        TEST(tells_of_a_deleted_file),
        TEST(tells_what_another_process_found),
        TEST(tells_nothing_twice),
        TEST(tells_of_lost_content),
        TEST(keeps_the_log_of_an_empty_file),
        TEST(starts_quietly),
        TEST(starts_quietly_after_a_kill),
        TEST(says_what_the_system_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
