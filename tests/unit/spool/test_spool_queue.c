/* The queue itself: bounds, retry and lifetime, the owner's callbacks, the administrator's calls, and files in a bad
 * way. */
#include "unit.h"

#include "spool/spool_db.h"
#include "spool/spool_file.h"
#include "spool/spool_lock.h"
#include "workbench.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define TEXT "Subject: hello\r\n\r\nbody\r\n"

static char *path_in(struct bench *bench, const char *name)
{
    return arena_printf(bench->arena, "%s/%s", bench->directory, name);
}

static void run_sql(struct bench *bench, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path_in(bench, "spool.db"), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static int read_number(struct bench *bench, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *rows;
    assert_int_equal(sqlite3_open(path_in(bench, "spool.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
    int number = sqlite3_column_int(rows, 0);
    sqlite3_finalize(rows);
    sqlite3_close(db);
    return number;
}

/* Of what was logged: how many lines have TEXT. */
static int count_lines(const char *path, const char *text)
{
    char line[4096];
    int count = 0;
    FILE *file = fopen(path, "r");
    while (fgets(line, sizeof line, file))
        count += strstr(line, text) != NULL;
    fclose(file);
    return count;
}

/* What is logged goes to the file at PATH; what it went to before, for log_back(). */
static int log_into(const char *path)
{
    int before = dup(STDERR_FILENO), fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(before >= 0 && fd >= 0);
    dup2(fd, STDERR_FILENO);
    close(fd);
    return before;
}

static void log_back(int before)
{
    dup2(before, STDERR_FILENO);
    close(before);
}

static void is_bounded(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    bench->options.max_messages = 3;
    bench->options.max_bytes = 60;
    bench_open_again(bench);
    bench_add(bench, &message); /* 24 bytes each */
    bench_add(bench, &message);
    char *log = path_in(bench, "log");
    int before = log_into(log);
    assert_int_equal(spool_add(bench->spool, &message, clock_wall(), NULL), SPOOL_FULL);
    message.content = span_of("");
    bench_add(bench, &message);
    assert_int_equal(spool_add(bench->spool, &message, clock_wall(), NULL), SPOOL_FULL);
    log_back(before);
    assert_int_equal(count_lines(log, " error: spool: the queue is full (max_messages 3, max_bytes 60)"), 1);
    assert_int_equal(spool_failures(bench->spool), 0); /* there is nothing wrong with it */
    message.is_beyond_limits = true; /* takes the place of one that leaves */
    message.content = span_of(TEXT);
    bench_add(bench, &message);
    struct spool_entry *entries;
    assert_int_equal(bench_list(bench, &entries), 4);
    bench_start(bench);
    bench_wait_afters(bench, 4);
    bench_wait_empty(bench);
    message.is_beyond_limits = false;
    bench_add(bench, &message); /* what left made room */
    bench_wait_afters(bench, 5);
}

static void refuses_what_is_no_smtp(void **state)
{
    struct bench *bench = *state;
    static const char *const bad[] = {"a@b\r\nDATA", "a@b> NOTIFY=NEVER", "<a@b", "a b@c", "",
                                      "\"a@b",       "a\x7f@b",           "a\n@b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct spool_message message = bench_message(TEXT);
        message.forward_paths = &bad[i];
        assert_int_equal(spool_add(bench->spool, &message, 1, NULL), SPOOL_FAILED);
        message = bench_message(TEXT);
        message.reverse_path = bad[i];
        if (bad[i][0])
            assert_int_equal(spool_add(bench->spool, &message, 1, NULL), SPOOL_FAILED);
    }
    struct spool_message message = bench_message(TEXT);
    message.rcpt_parameters = "NOTIFY=NEVER\r\nRSET";
    assert_int_equal(spool_add(bench->spool, &message, 1, NULL), SPOOL_FAILED);
    message = bench_message(TEXT);
    message.mail_parameters = "RET=HDRS\n";
    assert_int_equal(spool_add(bench->spool, &message, 1, NULL), SPOOL_FAILED);
    message = bench_message(TEXT);
    message.forward_path_count = 0;
    assert_int_equal(spool_add(bench->spool, &message, 1, NULL), SPOOL_FAILED);
    struct spool_entry *entries;
    assert_int_equal(bench_list(bench, &entries), 0);
}

/* The wait is doubled up to its bound. */
static void waits_longer(void **state)
{
    struct bench *bench = *state;
    static const int64_t waits[] = {3600, 7200, 10000, 10000};
    bench->options.retry_most = 10000000;
    bench_open_again(bench);
    server_rule(bench->server, "MAIL", 0, "451 no");
    struct spool_message message = bench_message(TEXT);
    bench_start(bench);
    bench_add(bench, &message);
    for (unsigned i = 0; i < 4; i++) {
        struct spool_entry *entry = bench_wait_attempts(bench, i + 1);
        int64_t wait = entry->next_attempt - clock_wall();
        assert_true(wait > waits[i] - 10 && wait <= waits[i]);
        bench_flush(bench);
    }
}

static void tries_again_by_itself(void **state)
{
    struct bench *bench = *state;
    bench->options.retry_first = 1000;
    bench_open_again(bench);
    server_rule(bench->server, "MAIL", 1, "451 no");
    struct spool_message message = bench_message(TEXT);
    bench_start(bench);
    bench_add(bench, &message);
    bench_wait_afters(bench, 1);
    assert_int_equal(bench->ends[0], SPOOL_SENT);
    assert_int_equal(server_count(bench->server, "MAIL"), 2);
}

/* One that is older than its lifetime is tried once, if it never was, and given up. */
static void gives_up(void **state)
{
    struct bench *bench = *state;
    server_rule(bench->server, "MAIL", 0, "451 no");
    struct spool_message message = bench_message(TEXT);
    assert_int_equal(spool_add(bench->spool, &message, clock_wall() - 172800, NULL), SPOOL_OK);
    bench_start(bench);
    bench_wait_afters(bench, 1);
    bench_wait_empty(bench);
    assert_int_equal(bench->ends[0], SPOOL_GIVEN_UP);
    assert_int_equal(server_count(bench->server, "MAIL"), 1);
    assert_int_equal(spool_add(bench->spool, &message, clock_wall() - 172790, NULL), SPOOL_OK);
    struct spool_entry *entry = bench_wait_attempts(bench, 1);
    assert_true(entry->next_attempt <= clock_wall() + 10); /* its last try is at the end of its time, not in an hour */
}

/* A clock that was set back does not make an entry wait for years. */
static void survives_a_clock_set_back(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    assert_int_equal(spool_add(bench->spool, &message, clock_wall() + 86400 * 365, NULL), SPOOL_OK);
    bench_start(bench);
    bench_wait_afters(bench, 1);
    assert_int_equal(bench->ends[0], SPOOL_SENT);
}

static void asks_its_owner(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    bench->refuses = true;
    bench_start(bench);
    bench_add(bench, &message);
    bench_wait_empty(bench);
    assert_int_equal(bench->befores, 1);
    assert_int_equal(bench->afters, 0);
    assert_int_equal(server_messages(bench->server), 0);
    bench_open_again(bench);
    bench->refuses = false;
    bench->puts_off = true;
    bench_start(bench);
    int64_t id = bench_add(bench, &message);
    struct spool_entry *entries;
    for (int i = 0; i < 1000 && (bench_list(bench, &entries) == 0 || !entries[0].last_reply); i++)
        clock_sleep_us(10000);
    assert_int_equal(entries[0].attempts, 0);
    assert_true(entries[0].next_attempt > clock_wall() + 3000);
    pthread_mutex_lock(&bench->mutex);
    bench->puts_off = false;
    int befores = bench->befores;
    pthread_mutex_unlock(&bench->mutex);
    const char *problem;
    assert_int_equal(spool_flush(bench->spool, id, &problem), 1);
    bench_wait_afters(bench, 1);
    assert_int_equal(bench->befores, befores + 1);
}

/* It was wanted at the first attempt, and is not any more at the second: the memory it stood for has run out and
 * another reply was queued meanwhile. */
static void asks_at_each_attempt(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    server_rule(bench->server, "MAIL", 1, "451 no");
    bench_start(bench);
    bench_add(bench, &message);
    bench_wait_attempts(bench, 1);
    pthread_mutex_lock(&bench->mutex);
    bench->refuses = true;
    pthread_mutex_unlock(&bench->mutex);
    bench_flush(bench);
    bench_wait_empty(bench);
    assert_int_equal(bench->befores, 2);
    assert_int_equal(bench->afters, 0);
    assert_int_equal(server_messages(bench->server), 0);
}

/* Again after a restart, though it was asked before. */
static void asks_again_after_a_restart(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    server_rule(bench->server, "MAIL", 1, "451 no");
    bench_start(bench);
    bench_add(bench, &message);
    bench_wait_attempts(bench, 1);
    bench_open_again(bench);
    bench_flush(bench);
    bench_start(bench);
    bench_wait_afters(bench, 1);
    assert_int_equal(bench->befores, 2);
}

static void sends_what_nobody_owns(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    message.kind = "other";
    message.memo = NULL;
    bench_start(bench);
    bench_add(bench, &message);
    bench_wait_empty(bench);
    assert_int_equal(server_messages(bench->server), 1);
    assert_int_equal(bench->afters, 0);
}

/* Between the two looks at an entry it may leave: then there is none, and not one without content. */
static void is_shown_whole_or_not(void **state)
{
    struct bench *bench = *state;
    const char *problem;
    struct spool_entry entry;
    struct span content;
    struct spool_message message = bench_message(TEXT);
    int64_t id = bench_add(bench, &message);
    assert_int_equal(spool_show(bench->spool, bench->arena, id, &entry, &content, &problem), 0);
    run_sql(bench, "UPDATE entry SET content = NULL");
    assert_int_equal(spool_show(bench->spool, bench->arena, id, &entry, &content, &problem), 1);
}

static void is_administered(void **state)
{
    struct bench *bench = *state;
    const char *problem;
    struct spool_entry *entries, entry;
    struct span content;
    assert_int_equal(bench_list(bench, &entries), 0);
    assert_int_equal(spool_show(bench->spool, bench->arena, 7, &entry, &content, &problem), 1);
    struct spool_message message = bench_message(TEXT);
    message.reverse_path = "me@example.net";
    int64_t first = bench_add(bench, &message), second = bench_add(bench, &message);
    struct spool *other = spool_open(&bench->options); /* as posternctl does */
    size_t count;
    assert_int_equal(spool_list(other, bench->arena, &entries, &count, &problem), 0);
    assert_int_equal(count, 2);
    assert_true(entries[0].id == first && entries[1].id == second);
    assert_string_equal(entries[0].kind, "autoreply");
    assert_string_equal(entries[0].reverse_path, "me@example.net");
    assert_string_equal(entries[0].forward_paths, "anne@example.org");
    assert_int_equal(entries[0].bytes, strlen(TEXT));
    assert_int_equal(entries[0].attempts, 0);
    assert_null(entries[0].last_reply);
    assert_int_equal(spool_show(other, bench->arena, second, &entry, &content, &problem), 0);
    assert_true(span_equals(content, TEXT));
    assert_int_equal(spool_show(other, bench->arena, 99, &entry, &content, &problem), 1);
    assert_int_equal(spool_delete(other, 99, &problem), 0);
    assert_int_equal(spool_delete(other, first, &problem), 1);
    assert_int_equal(spool_delete(other, first, &problem), 0); /* it is on its way out */
    assert_int_equal(bench_list(bench, &entries), 1);
    bench_start(bench);
    bench_wait_afters(bench, 2);
    assert_int_equal(bench->ends[0], SPOOL_DELETED);
    assert_int_equal(bench->ends[1], SPOOL_SENT);
    server_rule(bench->server, "MAIL", 0, "451 no");
    bench_add(bench, &message);
    bench_wait_attempts(bench, 1);
    bench_add(bench, &message);
    for (int i = 0; i < 1000 && (bench_list(bench, &entries) < 2 || !entries[1].attempts || entries[1].is_being_sent); i++)
        clock_sleep_us(10000);
    server_rule(bench->server, "MAIL", 0, NULL);
    assert_int_equal(spool_flush(other, 0, &problem), 2); /* seen although another connection asked */
    bench_wait_afters(bench, 4);
    assert_int_equal(bench->ends[2], SPOOL_SENT);
    assert_int_equal(bench->ends[3], SPOOL_SENT);
    spool_close(other);
}

static void deletes_all(void **state)
{
    struct bench *bench = *state;
    const char *problem;
    struct spool_message message = bench_message(TEXT);
    for (int i = 0; i < 3; i++)
        bench_add(bench, &message);
    assert_int_equal(spool_delete(bench->spool, 0, &problem), 3);
    bench_start(bench);
    bench_wait_afters(bench, 3);
    bench_wait_empty(bench);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bench->ends[i], SPOOL_DELETED);
    assert_int_equal(server_count(bench->server, "CONNECT"), 0);
}

/* Deleted while an attempt is under way that fails then: it stays deleted. */
static void deletes_under_way(void **state)
{
    struct bench *bench = *state;
    const char *problem;
    struct spool_message message = bench_message(TEXT);
    server_rule(bench->server, "MAIL", 0, "451 no");
    server_delay(bench->server, "MAIL", 700);
    bench_start(bench);
    int64_t id = bench_add(bench, &message);
    for (int i = 0; i < 1000 && server_count(bench->server, "MAIL") == 0; i++)
        clock_sleep_us(10000);
    assert_int_equal(spool_delete(bench->spool, id, &problem), 1);
    bench_wait_afters(bench, 1);
    assert_int_equal(bench->ends[0], SPOOL_DELETED);
    assert_int_equal(server_count(bench->server, "MAIL"), 1);
}

/* ---- files ---- */

static void assert_mode(const char *path, uid_t uid)
{
    struct stat there;
    if (stat(path, &there) != 0)
        fail_msg("%s: %s", path, strerror(errno));
    assert_int_equal(there.st_mode & 07777, 0600);
    assert_int_equal(there.st_uid, uid);
}

/* The files are the directory's owner's, though root made them. */
static void has_modes(void **state)
{
    struct bench *bench = *state;
    uid_t uid = geteuid() == 0 ? 65534 : geteuid();
    assert_int_equal(chown(bench->directory, uid, (gid_t)-1), 0);
    mode_t before = umask(0);
    struct spool_message message = bench_message(TEXT);
    server_rule(bench->server, "MAIL", 0, "451 no");
    bench_start(bench);
    bench_add(bench, &message);
    bench_wait_attempts(bench, 1);
    umask(before);
    static const char *const names[] = {"spool.db", "spool.db-wal", "spool.db-shm", "spool.lock", "spool.open"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_mode(path_in(bench, names[i]), uid);
}

static void assert_works(struct bench *bench)
{
    struct spool_message message = bench_message(TEXT);
    struct spool_entry *entries;
    bench_add(bench, &message);
    assert_true(bench_list(bench, &entries) >= 1);
}

static void waits_for_its_directory(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    struct spool_entry *entries;
    size_t count;
    const char *problem = NULL;
    char *aside = arena_printf(bench->arena, "%s.aside", bench->directory);
    assert_int_equal(rename(bench->directory, aside), 0);
    bench_start(bench);
    assert_int_equal(spool_add(bench->spool, &message, clock_wall(), NULL), SPOOL_FAILED);
    assert_int_equal(spool_list(bench->spool, bench->arena, &entries, &count, &problem), -1);
    assert_non_null(problem);
    assert_int_equal(spool_delete(bench->spool, 0, &problem), -1);
    assert_int_equal(rename(aside, bench->directory), 0);
    bench_add(bench, &message);
    bench_wait_afters(bench, 1); /* the thread goes on too */
}

/* "spool.db.corrupt-..." */
static int count_aside(struct bench *bench)
{
    int count = 0;
    DIR *directory = opendir(bench->directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        count += strncmp(entry->d_name, "spool.db.corrupt-", 17) == 0 && !strstr(entry->d_name, "-wal") &&
                 !strstr(entry->d_name, "-shm");
    closedir(directory);
    return count;
}

static void overwrite(struct bench *bench, long from, size_t len)
{
    FILE *file = fopen(path_in(bench, "spool.db"), "r+");
    assert_non_null(file);
    fseek(file, from, SEEK_SET);
    for (size_t i = 0; i < len; i++)
        fputc('Z', file);
    fclose(file);
}

static void moves_garbage_aside(void **state)
{
    struct bench *bench = *state;
    FILE *file = fopen(path_in(bench, "spool.db"), "w");
    for (int i = 0; i < 5000; i++)
        fputs("this is no database", file);
    fclose(file);
    assert_works(bench);
    assert_int_equal(count_aside(bench), 1);
    struct spool_entry *entries;
    assert_int_equal(bench_list(bench, &entries), 1);
}

/* Damage that shows only when a page is read, with two spools at work: it is moved aside once, both go on in the new
 * file, and what the old one held is still in it. */
static void moves_damage_aside_once(void **state)
{
    struct bench *bench = *state;
    char content[20000];
    memset(content, 'x', sizeof content);
    content[sizeof content - 1] = '\0';
    struct spool_message message = bench_message(content);
    for (int i = 0; i < 20; i++)
        bench_add(bench, &message);
    bench_open_again(bench); /* which puts the log into the file */
    struct spool *other = spool_open(&bench->options);
    assert_works(bench);
    bench_open_again(bench);
    overwrite(bench, 4096, 40000); /* all trees' roots, the first page not */
    struct spool_entry *entries;
    size_t count;
    const char *problem;
    assert_int_equal(spool_list(other, bench->arena, &entries, &count, &problem), -1); /* it found it */
    assert_non_null(strstr(problem, "moved aside"));
    assert_int_equal(spool_list(other, bench->arena, &entries, &count, &problem), 0);
    assert_int_equal(count, 0);
    assert_works(bench);
    assert_int_equal(spool_list(other, bench->arena, &entries, &count, &problem), 0);
    assert_int_equal(count, 1);
    assert_int_equal(spool_add(other, &message, 1, NULL), SPOOL_OK);
    assert_int_equal(bench_list(bench, &entries), 2);
    assert_int_equal(count_aside(bench), 1);
    spool_close(other);
}

/* Two find the same damage at the same time: the second must not move away what the first began anew. */
static void condemns_once(void **state)
{
    struct bench *bench = *state;
    struct spool_file one, two, fresh;
    char problem[200];
    assert_int_equal(spool_file_open(&one, bench->directory, NULL, problem, sizeof problem), SQLITE_OK);
    assert_int_equal(spool_file_open(&two, bench->directory, NULL, problem, sizeof problem), SQLITE_OK);
    spool_file_condemn(&one, bench->directory, NULL, "test");
    assert_int_equal(count_aside(bench), 1);
    assert_int_equal(spool_file_open(&fresh, bench->directory, NULL, problem, sizeof problem), SQLITE_OK);
    spool_file_condemn(&two, bench->directory, NULL, "test");
    assert_int_equal(count_aside(bench), 1);
    assert_true(spool_file_is_current(&fresh, bench->directory));
    spool_file_close(&fresh);
}

/* Somebody moved the file away under us: nothing more goes into the old one. */
static void notices_another_file(void **state)
{
    struct bench *bench = *state;
    assert_works(bench);
    struct spool *other = spool_open(&bench->options);
    const char *problem;
    struct spool_entry *entries;
    size_t count;
    assert_int_equal(spool_list(other, bench->arena, &entries, &count, &problem), 0);
    assert_int_equal(count, 1);
    assert_int_equal(rename(path_in(bench, "spool.db"), path_in(bench, "taken")), 0);
    unlink(path_in(bench, "spool.db-wal"));
    unlink(path_in(bench, "spool.db-shm"));
    assert_works(bench);
    assert_int_equal(spool_list(other, bench->arena, &entries, &count, &problem), 0);
    assert_int_equal(count, 1); /* the new one's */
    spool_close(other);
}

static void keeps_off_a_newer_file(void **state)
{
    struct bench *bench = *state;
    assert_works(bench);
    bench_open_again(bench);
    int version = read_number(bench, "PRAGMA user_version");
    run_sql(bench, "PRAGMA user_version = 99");
    struct spool_message message = bench_message(TEXT);
    assert_int_equal(spool_add(bench->spool, &message, clock_wall(), NULL), SPOOL_FAILED);
    assert_int_equal(count_aside(bench), 0);
    run_sql(bench, arena_printf(bench->arena, "PRAGMA user_version = %d", version));
    assert_works(bench);
    struct spool_entry *entries;
    assert_int_equal(bench_list(bench, &entries), 2);
}

/* A disk without room: RLIMIT_FSIZE stands in for it. What was queued stays, and it goes on when there is room. */
static void survives_a_full_disk(void **state)
{
    struct bench *bench = *state;
    static char content[200000];
    memset(content, 'x', sizeof content - 1);
    struct spool_message message = bench_message(content);
    assert_works(bench);
    struct rlimit before, small;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 150000;
    setrlimit(RLIMIT_FSIZE, &small);
    assert_int_equal(spool_add(bench->spool, &message, clock_wall(), NULL), SPOOL_FAILED);
    assert_int_equal(spool_add(bench->spool, &message, clock_wall(), NULL), SPOOL_FAILED);
    setrlimit(RLIMIT_FSIZE, &before);
    bench_add(bench, &message);
    struct spool_entry *entries;
    assert_int_equal(bench_list(bench, &entries), 2);
    assert_int_equal(count_aside(bench), 0);
}

/* The dot does not go out when the fact cannot be written first; it is no attempt that the MTA is blamed for. */
static void sends_nothing_it_cannot_note(void **state)
{
    struct bench *bench = *state;
    static const char *const two[] = {"anne@example.org", "bob@example.org"};
    struct spool_message message = bench_message(TEXT);
    message.once = true;
    message.forward_paths = two;
    message.forward_path_count = 2;
    bench_add(bench, &message);
    run_sql(bench, "CREATE TRIGGER broken BEFORE UPDATE OF fate ON recipient WHEN new.fate = 1"
                   " BEGIN SELECT RAISE(ABORT, 'no'); END");
    bench_start(bench);
    struct spool_entry *entry = bench_wait_attempts(bench, 1);
    assert_string_equal(entry->last_reply, "the queue cannot be written");
    assert_int_equal(server_messages(bench->server), 0);
    run_sql(bench, "DROP TRIGGER broken");
    bench_flush(bench);
    bench_wait_afters(bench, 1);
    assert_int_equal(bench->ends[0], SPOOL_SENT);
    assert_int_equal(server_messages(bench->server), 1);
}

/* Nor is anything sent before it is known what a worker before left in doubt. */
static void sends_nothing_without_its_dots(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    const char *path = arena_printf(bench->arena, "%s/spool.dots", bench->directory);
    bench_add(bench, &message);
    assert_int_equal(mkdir(path, 0700), 0);
    bench_start(bench);
    clock_sleep_us(700000);
    assert_int_equal(server_messages(bench->server), 0);
    assert_int_equal(rmdir(path), 0);
    bench_wait_afters(bench, 1);
    assert_int_equal(bench->ends[0], SPOOL_SENT);
}

/* The MTA has it, and that cannot be written: it is written later, and not sent again meanwhile. */
static void notes_a_fate_later(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    bench_add(bench, &message);
    run_sql(bench, "CREATE TRIGGER broken BEFORE UPDATE OF fate ON recipient WHEN new.fate = 2"
                   " BEGIN SELECT RAISE(ABORT, 'no'); END");
    bench_start(bench);
    assert_non_null(server_message(bench->server, 0));
    clock_sleep_us(1500000);
    assert_int_equal(bench->afters, 0);
    run_sql(bench, "DROP TRIGGER broken");
    bench_wait_afters(bench, 1);
    assert_int_equal(bench->ends[0], SPOOL_SENT);
    assert_int_equal(server_messages(bench->server), 1);
}

/* Half of a message is not sent for a whole one. */
static void sends_no_half_message(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    bench_add(bench, &message);
    run_sql(bench, "UPDATE entry SET content = NULL");
    bench_start(bench);
    struct spool_entry *entry = bench_wait_attempts(bench, 1);
    assert_string_equal(entry->last_reply, "the content cannot be read from the queue");
    assert_int_equal(server_messages(bench->server), 0);
}

static void tells_what_it_did(void **state)
{
    struct bench *bench = *state;
    static const char *const two[] = {"a@x.example", "b@x.example"};
    char *path = path_in(bench, "log");
    struct spool_message message = bench_message(TEXT);
    message.forward_paths = two;
    message.forward_path_count = 2;
    int before = log_into(path);
    log_open(&(struct log_options){"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_INFO, 0});
    server_rule(bench->server, "RCPT", 1, "550 5.1.1 who?");
    server_rule(bench->server, "DOT", 1, "451 4.3.0 later");
    bench_start(bench);
    bench_add(bench, &message);
    bench_wait_attempts(bench, 1);
    bench_flush(bench);
    bench_wait_afters(bench, 1);
    bench_wait_empty(bench);
    char *aside = arena_printf(bench->arena, "%s.aside", bench->directory);
    spool_stop(bench->spool);
    clock_sleep_us(300000);
    assert_int_equal(rename(bench->directory, aside), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(spool_add(bench->spool, &message, clock_wall(), NULL), SPOOL_FAILED);
    assert_int_equal(rename(aside, bench->directory), 0);
    log_open(&(struct log_options){"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0});
    log_back(before);
    assert_int_equal(count_lines(path, "event=spool-attempt id=1 kind=autoreply to=a@x.example,b@x.example attempts=1 "
                                       "reply=\"451 4.3.0 later\" next="),
                     1);
    assert_int_equal(count_lines(path, "event=spool-recipient id=1 kind=autoreply to=a@x.example end=refused "
                                       "reply=\"550 5.1.1 who?\""),
                     1);
    assert_int_equal(count_lines(path, "event=spool id=1 kind=autoreply to=a@x.example,b@x.example end=sent attempts=2 "
                                       "reply=\"250 2.0.0 Ok: queued\" us="),
                     1);
    assert_int_equal(count_lines(path, "the queue cannot be used now"), 1); /* and not five times */
}

struct adder {
    struct bench *bench;
    pthread_t thread;
    int count;
};

static void *add_many(void *context)
{
    struct adder *adder = context;
    struct spool_message message = bench_message(TEXT);
    for (int i = 0; i < adder->count; i++) {
        if (spool_add(adder->bench->spool, &message, clock_wall(), NULL) != SPOOL_OK)
            return "failed";
    }
    return NULL;
}

/* Many threads add while the sender sends; nothing is lost and nothing doubled. */
static void is_shared_by_threads(void **state)
{
    struct bench *bench = *state;
    enum { THREADS = 8, EACH = 25 };
    struct adder adders[THREADS];
    bench_start(bench);
    for (int i = 0; i < THREADS; i++) {
        adders[i] = (struct adder){.bench = bench, .count = EACH};
        pthread_create(&adders[i].thread, NULL, add_many, &adders[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        void *problem;
        pthread_join(adders[i].thread, &problem);
        assert_null(problem);
    }
    bench_wait_afters(bench, THREADS * EACH);
    bench_wait_empty(bench);
    assert_int_equal(server_messages(bench->server), THREADS * EACH);
}

static int write_well(sqlite3 *sql, void *context)
{
    (void)context;
    return sqlite3_exec(sql, "UPDATE counted SET n = n + 1", NULL, NULL, NULL);
}

static int write_badly(sqlite3 *sql, void *context)
{
    (void)context;
    sqlite3_exec(sql, "UPDATE counted SET n = n + 1000000", NULL, NULL, NULL);
    return SQLITE_CONSTRAINT;
}

struct writer {
    struct spool_db *db;
    spool_db_task *task;
    pthread_t thread;
    int good;
};

static void *write_often(void *context)
{
    struct writer *writer = context;
    for (int i = 0; i < 40; i++)
        writer->good += spool_db_write(writer->db, writer->task, NULL, SPOOL_DB_DURABLE) == SQLITE_OK;
    return NULL;
}

static int read_count(sqlite3 *sql, void *context)
{
    sqlite3_stmt *rows;
    int result = sqlite3_prepare_v2(sql, "SELECT n FROM counted", -1, &rows, NULL);
    if (result == SQLITE_OK && sqlite3_step(rows) == SQLITE_ROW)
        *(int *)context = sqlite3_column_int(rows, 0);
    sqlite3_finalize(rows);
    return result;
}

/* In a group of writers one that fails leaves no trace, and fails nobody else. */
static void fails_alone(void **state)
{
    struct bench *bench = *state;
    struct writer writers[6];
    int count = -1;
    assert_works(bench);
    run_sql(bench, "CREATE TABLE counted(n); INSERT INTO counted VALUES(0)");
    struct spool_db *db = spool_db_open(bench->directory);
    for (int i = 0; i < 6; i++) {
        writers[i] = (struct writer){.db = db, .task = i == 3 ? write_badly : write_well};
        pthread_create(&writers[i].thread, NULL, write_often, &writers[i]);
    }
    for (int i = 0; i < 6; i++) {
        pthread_join(writers[i].thread, NULL);
        assert_int_equal(writers[i].good, i == 3 ? 0 : 40);
    }
    assert_int_equal(spool_db_read(db, read_count, &count), SQLITE_OK);
    assert_int_equal(count, 200);
    spool_db_close(db);
}

static void *write_once(void *context)
{
    struct writer *writer = context;
    writer->good = spool_db_write(writer->db, writer->task, NULL, SPOOL_DB_DURABLE) == SQLITE_OK;
    return NULL;
}

/* Somebody else holds the lock: those that wait do so together, and not one after the other. */
static void waits_together(void **state)
{
    struct bench *bench = *state;
    struct writer writers[6];
    sqlite3 *other;
    assert_works(bench);
    run_sql(bench, "CREATE TABLE counted(n); INSERT INTO counted VALUES(0)");
    assert_int_equal(sqlite3_open(path_in(bench, "spool.db"), &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct spool_db *db = spool_db_open(bench->directory);
    int64_t began = clock_monotonic_us();
    for (int i = 0; i < 6; i++) {
        writers[i] = (struct writer){.db = db, .task = write_well};
        pthread_create(&writers[i].thread, NULL, write_once, &writers[i]);
    }
    for (int i = 0; i < 6; i++) {
        pthread_join(writers[i].thread, NULL);
        assert_int_equal(writers[i].good, 0);
    }
    assert_true(clock_monotonic_us() - began < 14000000); /* twice 5 s: the first, and all that came while it waited */
    sqlite3_close(other);
    assert_int_equal(spool_db_write(db, write_well, NULL, SPOOL_DB_DURABLE), SQLITE_OK);
    spool_db_close(db);
}

/* A process that was stopped while it opened the queue does not stop us. */
static void waits_for_no_opener(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    int fd = spool_lock_file(bench->directory, "spool.open");
    assert_int_equal(flock(fd, LOCK_EX), 0);
    alarm(20);
    assert_int_equal(spool_add(bench->spool, &message, clock_wall(), NULL), SPOOL_FAILED);
    alarm(0);
    close(fd);
    bench_add(bench, &message);
}

/* ---- what was claimed ---- */

/* A worker that was killed under this boot of the machine forgot nothing: what it had claimed and not begun is sent.
 * Under another boot it may have been sent, and with `once` that counts. */
static void decides_claims(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    char boot[64] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (!file || !fgets(boot, sizeof boot, file))
        skip();
    fclose(file);
    boot[strcspn(boot, "\n")] = '\0';
    static const struct {
        const char *memo;
        bool once, is_other, is_doubt;
        enum spool_end end;
    } rows[] = {
        {"once here", true, false, false, SPOOL_SENT},       {"once there", true, true, false, SPOOL_UNKNOWN},
        {"once in doubt", true, false, true, SPOOL_UNKNOWN}, {"surely here", false, false, false, SPOOL_SENT},
        {"surely there", false, true, false, SPOOL_SENT},    {"surely in doubt", false, false, true, SPOOL_SENT}};
    for (size_t i = 0; i < 6; i++) {
        message.memo = rows[i].memo;
        message.once = rows[i].once;
        int64_t id = bench_add(bench, &message);
        run_sql(bench, arena_printf(bench->arena,
                                    "UPDATE entry SET claim = '%s' WHERE id = %lld;"
                                    "UPDATE recipient SET fate = %d WHERE entry = %lld",
                                    rows[i].is_other ? "11111111-2222" : boot, (long long)id, rows[i].is_doubt,
                                    (long long)id));
    }
    bench_start(bench);
    bench_wait_afters(bench, 6);
    bench_wait_empty(bench);
    for (size_t i = 0; i < 6; i++) {
        bool found = false;
        for (int k = 0; k < 6; k++) {
            if (strcmp(bench->memos[k], rows[i].memo) == 0) {
                found = true;
                if (bench->ends[k] != rows[i].end)
                    fail_msg("%s: %d", rows[i].memo, bench->ends[k]);
            }
        }
        assert_true(found);
    }
    assert_int_equal(server_messages(bench->server), 4);
}

static bool settle_or_not(void *context)
{
    struct bench *bench = context;
    pthread_mutex_lock(&bench->mutex);
    bench->settles++;
    bool is_settled = !bench->is_unsettled;
    pthread_mutex_unlock(&bench->mutex);
    return is_settled;
}

/* What before() wrote is made durable once for all that are sent together; what cannot be is not sent. */
static void settles_once(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    struct spool_owner owners[] = {{.kind = "autoreply", .before = bench_before, .after = bench_after, .context = bench, .settle = settle_or_not},
                                   {.kind = NULL}};
    bench->is_unsettled = true;
    for (int i = 0; i < 20; i++)
        bench_add(bench, &message);
    message.kind = "other"; /* nobody's: it does not wait for them */
    bench_add(bench, &message);
    assert_int_equal(spool_start(bench->spool, owners), 0);
    assert_non_null(server_message(bench->server, 0));
    struct spool_entry *entries;
    for (int i = 0; i < 1000 && bench_list(bench, &entries) > 20; i++)
        clock_sleep_us(10000);
    assert_int_equal(server_messages(bench->server), 1);
    for (int i = 0; i < 20; i++) {
        assert_string_equal(entries[i].last_reply, "waits for its owner");
        assert_int_equal(entries[i].attempts, 0);
    }
    pthread_mutex_lock(&bench->mutex);
    assert_int_equal(bench->settles, 1);
    bench->is_unsettled = false;
    pthread_mutex_unlock(&bench->mutex);
    bench_flush(bench);
    bench_wait_afters(bench, 20);
    assert_int_equal(bench->settles, 2);
    assert_int_equal(bench->befores, 40);
    assert_int_equal(server_messages(bench->server), 21);
}

/* Not a test: `test_spool_queue bench` prints how many durable additions a second N threads make. */
static int measure(void)
{
    for (int threads = 1; threads <= 32; threads *= 2) {
        void *state;
        bench_set_up(&state);
        struct bench *bench = state;
        bench->options.max_messages = 1000000;
        bench_open_again(bench);
        struct adder adders[32];
        int64_t began = clock_monotonic_us();
        for (int i = 0; i < threads; i++) {
            adders[i] = (struct adder){.bench = bench, .count = 2000 / threads};
            pthread_create(&adders[i].thread, NULL, add_many, &adders[i]);
        }
        for (int i = 0; i < threads; i++)
            pthread_join(adders[i].thread, NULL);
        int64_t us = clock_monotonic_us() - began;
        printf("%2d threads: %lld durable additions a second\n", threads, 2000LL * 1000000 / (long long)us);
        bench_tear_down(&state);
    }
    return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_set_up, bench_tear_down)

int main(int argc, char **argv)
{
    log_open(&(struct log_options){"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0});
    if (argc > 1 && strcmp(argv[1], "bench") == 0)
        return measure();
    const struct CMUnitTest tests[] = {
        TEST(is_bounded),
        TEST(refuses_what_is_no_smtp),
        TEST(waits_longer),
        TEST(tries_again_by_itself),
        TEST(gives_up),
        TEST(survives_a_clock_set_back),
        TEST(asks_its_owner),
        TEST(asks_at_each_attempt),
        TEST(asks_again_after_a_restart),
        TEST(sends_what_nobody_owns),
        TEST(is_shown_whole_or_not),
        TEST(is_administered),
        TEST(deletes_all),
        TEST(deletes_under_way),
        TEST(has_modes),
        TEST(waits_for_its_directory),
        TEST(moves_garbage_aside),
        TEST(moves_damage_aside_once),
        TEST(condemns_once),
        TEST(notices_another_file),
        TEST(keeps_off_a_newer_file),
        TEST(survives_a_full_disk),
        TEST(sends_nothing_it_cannot_note),
        TEST(sends_nothing_without_its_dots),
        TEST(notes_a_fate_later),
        TEST(sends_no_half_message),
        TEST(tells_what_it_did),
        TEST(fails_alone),
        TEST(waits_together),
        TEST(waits_for_no_opener),
        TEST(is_shared_by_threads),
        TEST(decides_claims),
        TEST(settles_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
