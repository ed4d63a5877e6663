/* The SQLite file: made, raised, broken, moved, filled up, killed. */
#include "fixture.h"
#include "store/store_file.h"
#include "store/store_schema.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *name, *url, *path;

/* A new name for each test. */
static int set_up(void **state)
{
    static int number;
    (void)state;
    name = text("s%d.db", ++number);
    path = text("%s/%s", fixture_path, name);
    url = text("sqlite:%s", path);
    return 0;
}

static void sql(const char *file, const char *statements)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, statements, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static const char *sql_value(const char *file, const char *query)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const char *value = text("%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static void overwrite(const char *file, off_t from, size_t len)
{
    char *garbage = malloc(len);
    memset(garbage, 0xa5, len);
    int fd = open(file, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0 && pwrite(fd, garbage, len, from) == (ssize_t)len);
    close(fd);
    free(garbage);
}

static void fill(struct store *store, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(store_put(store, text("fill/%05d", i), span_of("a value of some length"), 0, T), STORE_OK);
}

/* Databases that were moved aside, with their -wal and -shm or without. */
static int count_moved(void)
{
    const char *beginning = text("%s.corrupt-", name);
    return count_files(beginning, "") - count_files(beginning, "-wal") - count_files(beginning, "-shm");
}

static void test_version_1_is_raised(void **state)
{
    (void)state;
    sql(path, store_schema_steps[0]);
    sql(path, "PRAGMA user_version = 1; INSERT INTO store VALUES (x'61', x'62', 0);");
    struct store *store = open_store(url, 2000);
    assert_string_equal(value_of(store, "a"), "b");
    assert_int_equal(store_put(store, "c", span_of("d"), T, T), STORE_OK);
    assert_int_equal(store_sweep(store, T + STORE_GRACE, 10), 1);
    store_close(store);
    assert_string_equal(sql_value(path, "PRAGMA user_version"), "2");
    assert_string_equal(sql_value(path, "PRAGMA journal_mode"), "wal");
    assert_string_equal(sql_value(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'store_expiry'"), "1");
}

static void test_step_that_fails_changes_nothing(void **state)
{
    (void)state;
    const char *steps[] = {store_schema_steps[0], store_schema_steps[1],
                           "ALTER TABLE store RENAME TO old; CREATE TABLE store (a); INSERT INTO nowhere VALUES (1);",
                           "SELECT 1"};
    char why[200];
    struct store *store = open_store(url, 2000);
    assert_int_equal(store_put(store, "a", span_of("b"), 0, T), STORE_OK);
    store_close(store);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_not_equal(store_schema_raise(db, steps, 4, why, sizeof why), SQLITE_OK);
    assert_non_null(strstr(why, "nowhere"));
    sqlite3_close(db);
    assert_string_equal(sql_value(path, "PRAGMA user_version"), "2");
    store = open_store(url, 2000);
    assert_string_equal(value_of(store, "a"), "b");
    store_close(store);
}

static void refuse(const char *wanted)
{
    const char *before = sql_value(path, "SELECT count(*) || group_concat(sql) FROM sqlite_schema");
    log_begin();
    struct store *store = open_store(url, 1000);
    bool is_up = store_health(store).is_up;
    const char *value = value_of(store, "a");
    store_close(store);
    const char *log = log_end();
    assert_false(is_up);
    assert_string_equal(value, "(down)");
    assert_non_null(strstr(log, wanted));
    assert_string_equal(sql_value(path, "SELECT count(*) || group_concat(sql) FROM sqlite_schema"), before);
    assert_int_equal(count_moved(), 0);
}

static void test_newer_and_foreign_files_are_left_alone(void **state)
{
    (void)state;
    sql(path, store_schema_steps[0]);
    sql(path, "PRAGMA user_version = 3");
    refuse("made by a newer Postern");
    set_up(NULL);
    sql(path, "CREATE TABLE mail (a)");
    refuse("another program");
    assert_string_equal(sql_value(path, "PRAGMA journal_mode"), "delete");
}

static void test_modes_and_owner(void **state)
{
    (void)state;
    const char *directory = text("%s/owned", fixture_path);
    assert_int_equal(mkdir(directory, 0755), 0);
    uid_t owner = geteuid() == 0 ? 65534 : geteuid();
    assert_int_equal(chown(directory, owner, (gid_t)-1), 0);
    umask(0);
    struct store *store = open_store(text("sqlite:%s/o.db", directory), 1000);
    umask(022);
    assert_int_equal(store_put(store, "a", span_of("b"), 0, T), STORE_OK);
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < 4; i++) {
        struct stat st;
        assert_int_equal(stat(text("%s/o.db%s", directory, suffixes[i]), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(st.st_uid, owner);
    }
    store_close(store);
}

static void test_links_are_not_followed(void **state)
{
    (void)state;
    const char *target = text("%s/target", fixture_path);
    assert_int_equal(symlink(target, path), 0);
    log_begin();
    struct store *store = open_store(url, 1000);
    store_close(store);
    assert_non_null(strstr(log_end(), "no regular file"));
    assert_int_equal(access(target, F_OK), -1);
}

static void test_garbage_is_moved_aside(void **state)
{
    (void)state;
    overwrite(path, 0, 5000);
    log_begin();
    struct store *store = open_store(url, 1000);
    enum store_outcome first = store_put(store, "a", span_of("b"), 0, T);
    uint64_t failures = store_health(store).failures;
    enum store_outcome second = store_put(store, "a", span_of("b"), 0, T);
    const char *value = value_of(store, "a");
    store_close(store);
    const char *log = log_end();
    assert_int_equal(first, STORE_DOWN);
    assert_int_equal(failures, 1); /* the call's; opening is none */
    assert_int_equal(second, STORE_OK);
    assert_string_equal(value, "b");
    assert_int_equal(count_of(log, "IS CORRUPT"), 1);
    assert_int_equal(count_of(log, "and was moved aside to"), 1); /* in event=store-down */
    assert_int_equal(count_moved(), 1);
    run_command(text("test $(stat -c %%s %s.corrupt-*Z) = 5000", path)); /* nothing of it was thrown away */
}

static bool count_row(void *context, const char *key, const struct store_value *value)
{
    (void)key;
    (void)value;
    ++*(int *)context;
    return true;
}

/* That there are no rows is no answer of one who has just put them aside: a backup would be empty, and look like one. */
static void test_nothing_is_no_answer_from_what_was_moved(void **state)
{
    (void)state;
    overwrite(path, 0, 5000);
    log_begin();
    struct store *store = open_store(url, 1000);
    int rows = 0;
    enum store_outcome first = store_each(store, "", T, count_row, &rows);
    enum store_outcome second = store_each(store, "", T, count_row, &rows);
    fill(store, 1);
    run_command(text("rm %s %s-wal %s-shm", path, path, path)); /* under a store in use, which then finds garbage */
    overwrite(path, 0, 5000);
    enum store_outcome again = store_each(store, "", T, count_row, &rows);
    store_close(store);
    log_end();
    assert_int_equal(first, STORE_DOWN);
    assert_int_equal(second, STORE_OK);
    assert_int_equal(again, STORE_DOWN);
    assert_int_equal(rows, 0);
}

struct mover {
    struct store *store;
    int rows;
};

static bool move_it(void *context, const char *key, const struct store_value *value)
{
    struct mover *mover = context;
    (void)key;
    (void)value;
    if (mover->rows++ == 0)
        run_command(text("mv %s %s.kept && mv %s-wal %s.kept-wal && mv %s-shm %s.kept-shm", path, path, path, path, path,
                         path));
    return true;
}

/* Half of the rows are not all of them. */
static void test_pages_are_of_one_file(void **state)
{
    (void)state;
    struct store *store = open_store(url, 1000);
    struct mover mover = {.store = store};
    fill(store, 1000);
    log_begin();
    enum store_outcome outcome = store_each(store, "", T, move_it, &mover);
    const char *log = log_end();
    store_close(store);
    assert_int_equal(outcome, STORE_DOWN);
    assert_true(mover.rows > 0 && mover.rows < 1000);
    assert_non_null(strstr(log, "moved or deleted meanwhile"));
}

/* A page is broken behind the back of a store that was closed well: found by who reads it. */
static void test_corruption_found_in_use(void **state)
{
    (void)state;
    struct store *store = open_store(url, 1000);
    fill(store, 3000);
    store_close(store);
    overwrite(path, 4096 * 5, 4096 * 20);
    log_begin();
    store = open_store(url, 1000);
    int down = 0;
    for (int i = 0; i < 3000; i++)
        down += strcmp(value_of(store, text("fill/%05d", i)), "(down)") == 0;
    enum store_outcome outcome = store_put(store, "a", span_of("b"), 0, T);
    const char *log = log_end();
    assert_int_equal(count_of(log, "IS NOT THE FILE IT WAS"), 0); /* it was its own doing */
    assert_true(down >= 1);
    assert_int_equal(outcome, STORE_OK);
    assert_string_equal(value_of(store, "a"), "b");
    store_close(store);
    assert_int_equal(count_of(log, "IS CORRUPT"), 1);
    assert_int_equal(count_moved(), 1);
}

/* Runs WRITE in a process of its own that is killed after MS. */
static void kill_while(void (*write)(struct store *store), int ms)
{
    pid_t child = fork();
    if (child == 0) {
        struct store *store = open_store(url, 5000);
        write(store);
        for (;;)
            pause();
    }
    sleep_ms(ms);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void change_500(struct store *store)
{
    for (int i = 0; i < 500; i++)
        assert_int_equal(store_put(store, text("fill/%05d", i), span_of("another value"), 0, T), STORE_OK);
}

/* A file that was not closed is checked before it is used, and goes with its log. */
static void test_abandoned_file_is_checked(void **state)
{
    (void)state;
    struct store *store = open_store(url, 1000);
    fill(store, 3000);
    store_close(store);
    kill_while(change_500, 1000);
    assert_int_equal(count_files(text("%s-wal", name), ""), 1);
    overwrite(path, 4096 * 20, 4096 * 3);
    log_begin();
    store = open_store(url, 1000);
    const char *first = value_of(store, "fill/00000"), *second = value_of(store, "fill/00000");
    const char *log = log_end();
    assert_int_equal(count_of(log, "IS CORRUPT"), 1);
    assert_string_equal(first, "(down)");
    assert_string_equal(second, "(absent)");
    store_close(store);
    run_command(
        text("test -s %s.corrupt-*Z && test -s %s.corrupt-*Z-wal && test -e %s.corrupt-*Z-shm", path, path, path));
    /* One that was merely abandoned loses nothing. */
    set_up(NULL);
    kill_while(change_500, 1000);
    store = open_store(url, 1000);
    assert_string_equal(value_of(store, "fill/00499"), "another value");
    store_close(store);
    assert_int_equal(count_moved(), 0);
}

static void test_log_without_its_file(void **state)
{
    (void)state;
    overwrite(text("%s-wal", path), 0, 5000);
    log_begin();
    struct store *store = open_store(url, 1000);
    assert_int_equal(store_put(store, "a", span_of("b"), 0, T), STORE_OK);
    store_close(store);
    assert_non_null(strstr(log_end(), "without its file"));
    assert_int_equal(count_files(text("%s.corrupt-", name), "-wal"), 1);
}

static void test_many_notice_at_once(void **state)
{
    (void)state;
    overwrite(path, 0, 50000);
    log_begin();
    pid_t children[6];
    for (int i = 0; i < 6; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            struct store *store = open_store(url, 10000);
            enum store_outcome outcome = store_put(store, text("from/%d", i), span_of("x"), 0, T);
            bool has_found_it = outcome == STORE_DOWN;
            if (has_found_it)
                outcome = store_put(store, text("from/%d", i), span_of("x"), 0, T);
            sleep_ms(200);
            store_close(store);
            _exit(outcome != STORE_OK ? 2 : has_found_it);
        }
    }
    int failed = 0, found = 0, status;
    for (int i = 0; i < 6; i++) {
        waitpid(children[i], &status, 0);
        found += WIFEXITED(status) && WEXITSTATUS(status) == 1;
        failed += !WIFEXITED(status) || WEXITSTATUS(status) > 1;
    }
    const char *log = log_end();
    assert_int_equal(failed, 0);
    assert_int_equal(found, 1);
    assert_int_equal(count_of(log, "IS CORRUPT"), 1);
    assert_int_equal(count_moved(), 1);
    struct store *store = open_store(url, 1000);
    for (int i = 0; i < 6; i++)
        assert_string_equal(value_of(store, text("from/%d", i)), "x");
    store_close(store);
}

/* Who comes second with his news must not move the new file. */
static void test_the_new_file_is_not_moved(void **state)
{
    (void)state;
    struct store_file file;
    struct store_identity broken = {0, 0}, fresh = {0, 0}, there;
    struct store_call call = {.deadline = now_ms() * 1000 + 1000000};
    bool is_new, was_first, was_second;
    store_file_init(&file, fixture_arena, path);
    assert_true(store_file_lock(&file, &call));
    assert_true(store_file_make(&file, &call, &is_new) && store_file_identify(&file, &call, &broken));
    overwrite(path, 0, 100);
    log_begin();
    bool first = store_file_move_aside(&file, &call, broken, "a test", &was_first);
    assert_true(store_file_make(&file, &call, &is_new) && store_file_identify(&file, &call, &fresh));
    bool second = store_file_move_aside(&file, &call, broken, "a test", &was_second);
    const char *log = log_end();
    assert_true(first && second && was_first && !was_second);
    assert_true(store_file_identify(&file, &call, &there));
    assert_true(store_identity_equals(there, fresh));
    assert_int_equal(count_moved(), 1);
    assert_int_equal(count_of(log, "IS CORRUPT"), 1);
    store_file_unlock(&file);
    store_file_close(&file);
}

/* What one store moved aside, the other leaves at once, and does not take the new log along when it closes. */
static void test_others_follow_to_the_new_file(void **state)
{
    (void)state;
    struct store *first = open_store(url, 1000), *second = open_store(url, 1000);
    assert_int_equal(store_put(first, "before", span_of("x"), 0, T), STORE_OK);
    assert_string_equal(value_of(second, "before"), "x");
    log_begin();
    run_command(
        text("mv %s %s.kept && mv %s-wal %s.kept-wal && mv %s-shm %s.kept-shm", path, path, path, path, path, path));
    assert_int_equal(store_put(first, "after", span_of("y"), 0, T), STORE_OK);
    assert_string_equal(value_of(second, "after"), "y");
    assert_string_equal(value_of(second, "before"), "(absent)");
    run_command(
        text("mv %s %s.again && mv %s-wal %s.again-wal && mv %s-shm %s.again-shm", path, path, path, path, path, path));
    assert_int_equal(store_put(first, "last", span_of("z"), 0, T), STORE_OK);
    assert_string_equal(value_of(first, "last"), "z");
    int told = count_of(log_end(), "IS NOT THE FILE IT WAS");
    assert_int_equal(told, 3); /* once a change and store: the second has not seen the last one */
    store_close(second); /* it is still open on the file before */
    assert_int_equal(count_files(text("%s-wal", name), ""), 1);
    assert_string_equal(value_of(first, "last"), "z");
    store_close(first);
    assert_string_equal(sql_value(text("%s.kept", path), "SELECT CAST(key AS TEXT) FROM store"), "before");
    assert_string_equal(sql_value(path, "SELECT CAST(key AS TEXT) FROM store"), "last");
}

static void test_missing_directory(void **state)
{
    (void)state;
    const char *directory = text("%s/later", fixture_path);
    log_begin();
    struct store *store = open_store(text("sqlite:%s/l.db", directory), 500);
    int wrong = 0;
    for (int i = 0; i < 99; i++)
        wrong += store_put(store, "a", span_of("b"), 0, T) != STORE_DOWN;
    struct store_health health = store_health(store);
    int made = mkdir(directory, 0755);
    sleep_ms(1100);
    enum store_outcome outcome = store_put(store, "a", span_of("b"), 0, T);
    bool is_up = store_health(store).is_up;
    run_command(text("rm -r %s", directory));
    enum store_outcome gone = store_put(store, "a", span_of("b"), 0, T);
    mkdir(directory, 0755);
    sleep_ms(1100);
    enum store_outcome again = store_put(store, "a", span_of("b"), 0, T);
    store_close(store);
    const char *log = log_end();
    assert_int_equal(wrong + made, 0);
    assert_int_equal(health.failures, 100);
    assert_false(health.is_up);
    assert_true(is_up);
    assert_int_equal(outcome, STORE_OK);
    assert_int_equal(gone, STORE_DOWN);
    assert_int_equal(again, STORE_OK);
    assert_int_equal(count_of(log, "event=store-down"), 1); /* once a minute */
    assert_int_equal(count_of(log, "event=store-up"), 1);
    assert_non_null(strstr(log, "No such file or directory"));
}

/* In a process of its own, as somebody who may not do everything. CODE of exit: what was wrong. */
static void in_child(int (*work)(void))
{
    pid_t child = fork();
    if (child == 0)
        _exit(work());
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

/* As somebody who may not write the file, and later may. */
static int read_only(void)
{
    if (setgid(65534) != 0 || setuid(65534) != 0)
        return 1;
    struct store *store = open_store(url, 500);
    if (store_put(store, "a", span_of("b"), 0, T) != STORE_DOWN)
        return 2;
    sleep_ms(3000);
    if (store_put(store, "a", span_of("b"), 0, T) != STORE_OK)
        return 3;
    store_close(store);
    return 0;
}

static void test_no_right_to_write(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    const char *directory = text("%s/ro", fixture_path);
    assert_int_equal(chmod(fixture_path, 0755), 0);
    assert_int_equal(mkdir(directory, 0755), 0);
    path = text("%s/r.db", directory);
    url = text("sqlite:%s", path);
    store_close(open_store(url, 500));
    assert_int_equal(chown(directory, 65534, 65534), 0);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(chown(text("%s.lock", path), 65534, 65534), 0);
    log_begin();
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(read_only());
    sleep_ms(1500);
    assert_int_equal(chown(path, 65534, 65534), 0);
    waitpid(child, &status, 0);
    const char *log = log_end();
    assert_int_equal(status, 0);
    assert_non_null(strstr(log, "no right to write it"));
}

static int open_without_a_right(void)
{
    if (setgid(65534) != 0 || setuid(65534) != 0)
        return 1;
    struct store *store = open_store(url, 500);
    bool is_down = strcmp(value_of(store, "a"), "(down)") == 0;
    store_close(store);
    return is_down ? 0 : 2;
}

static int open_on_a_full_disk(void)
{
    struct rlimit none = {1000, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &none);
    struct store *store = open_store(url, 500);
    bool is_down = strcmp(value_of(store, "a"), "(down)") == 0;
    store_close(store);
    return is_down ? 0 : 2;
}

/* SQLite's own words and a number are no reason. */
static void test_the_reason_is_the_systems(void **state)
{
    (void)state;
    log_begin();
    in_child(open_on_a_full_disk);
    const char *log = log_end();
    assert_non_null(strstr(log, "File too large"));
    if (geteuid() != 0)
        skip();
    set_up(NULL);
    assert_int_equal(chmod(fixture_path, 0755), 0);
    store_close(open_store(url, 500));
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chown(text("%s.lock", path), 65534, 65534), 0);
    log_begin();
    in_child(open_without_a_right);
    log = log_end();
    assert_non_null(strstr(log, "unable to open database file (14): Permission denied"));
}

static int fill_the_disk(void)
{
    struct rlimit small = {200 * 1024, RLIM_INFINITY}, large = {RLIM_INFINITY, RLIM_INFINITY};
    char value[5000];
    memset(value, 'v', sizeof value);
    signal(SIGXFSZ, SIG_IGN);
    struct store *store = open_store(url, 500);
    setrlimit(RLIMIT_FSIZE, &small);
    int kept = 0;
    while (kept < 1000 && store_put(store, text("full/%d", kept), (struct span){value, 5000}, 0, T) == STORE_OK)
        kept++;
    if (kept == 1000 || kept < 5)
        return 1;
    if (strlen(value_of(store, "full/0")) != 5000) /* reading goes on */
        return 2;
    setrlimit(RLIMIT_FSIZE, &large);
    sleep_ms(1100);
    if (store_put(store, "full/last", span_of("x"), 0, T) != STORE_OK)
        return 3;
    for (int i = 0; i < kept; i++)
        if (strlen(value_of(store, text("full/%d", i))) != 5000)
            return 4;
    store_close(store);
    return 0;
}

static void test_disk_full(void **state)
{
    (void)state;
    log_begin();
    in_child(fill_the_disk);
    assert_non_null(strstr(log_end(), "disk I/O error (778): File too large"));
    assert_string_equal(sql_value(path, "PRAGMA integrity_check"), "ok");
    assert_int_equal(count_moved(), 0);
}

static void write_pairs(struct store *store)
{
    for (int i = 1;; i++) {
        struct span value = span_of(text("%d", i));
        struct store_change pair[] = {{.key = text("left/%d", i % 100), .value = value},
                                      {.key = text("right/%d", i % 100), .value = value}};
        store_apply(store, pair, 2, T);
        store_put(store, "last", value, 0, T);
    }
}

static void test_killed_while_writing(void **state)
{
    (void)state;
    struct store *store = open_store(url, 5000); /* open all the time, as an old worker beside a new one */
    for (int round = 0; round < 6; round++) {
        kill_while(write_pairs, 150 + 37 * round);
        assert_string_not_equal(value_of(store, "last"), "(down)");
        for (int i = 0; i < 100; i++)
            assert_string_equal(value_of(store, text("left/%d", i)), value_of(store, text("right/%d", i)));
        assert_int_equal(store_put(store, "mine", span_of("x"), 0, T), STORE_OK);
        assert_string_equal(sql_value(path, "PRAGMA integrity_check"), "ok");
    }
    assert_true(atoi(value_of(store, "last")) > 0);
    store_close(store);
    assert_int_equal(count_moved(), 0);
}

/* fdatasync() and fsync() of SQLite end here, as the program's own come first. */
static int synced_logs;
static void note_sync(int fd)
{
    char link[64], target[256];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, target, sizeof target - 1);
    target[n > 0 ? n : 0] = '\0';
    synced_logs += n > 4 && strcmp(target + n - 4, "-wal") == 0;
}
int fdatasync(int fd)
{
    note_sync(fd);
    return 0;
}
int fsync(int fd)
{
    note_sync(fd);
    return 0;
}

static void test_sync_reaches_the_log(void **state)
{
    (void)state;
    struct store *store = open_store(url, 1000);
    assert_int_equal(store_put(store, "first", span_of("b"), 0, T), STORE_OK); /* a new log's header is synced */
    synced_logs = 0;
    assert_int_equal(store_put(store, "a", span_of("b"), 0, T), STORE_OK);
    int before = synced_logs;
    assert_int_equal(store_sync(store), STORE_OK);
    assert_int_equal(before, 0); /* a put alone waits for no disk */
    assert_int_equal(synced_logs, 1);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_version_1_is_raised, set_up),
        cmocka_unit_test_setup(test_step_that_fails_changes_nothing, set_up),
        cmocka_unit_test_setup(test_newer_and_foreign_files_are_left_alone, set_up),
        cmocka_unit_test_setup(test_modes_and_owner, set_up),
        cmocka_unit_test_setup(test_links_are_not_followed, set_up),
        cmocka_unit_test_setup(test_garbage_is_moved_aside, set_up),
        cmocka_unit_test_setup(test_nothing_is_no_answer_from_what_was_moved, set_up),
        cmocka_unit_test_setup(test_pages_are_of_one_file, set_up),
        cmocka_unit_test_setup(test_corruption_found_in_use, set_up),
        cmocka_unit_test_setup(test_abandoned_file_is_checked, set_up),
        cmocka_unit_test_setup(test_log_without_its_file, set_up),
        cmocka_unit_test_setup(test_many_notice_at_once, set_up),
        cmocka_unit_test_setup(test_the_new_file_is_not_moved, set_up),
        cmocka_unit_test_setup(test_others_follow_to_the_new_file, set_up),
        cmocka_unit_test_setup(test_missing_directory, set_up),
        cmocka_unit_test_setup(test_no_right_to_write, set_up),
        cmocka_unit_test_setup(test_the_reason_is_the_systems, set_up),
        cmocka_unit_test_setup(test_disk_full, set_up),
        cmocka_unit_test_setup(test_killed_while_writing, set_up),
        cmocka_unit_test_setup(test_sync_reaches_the_log, set_up),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
