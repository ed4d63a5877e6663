/* log and clock: hostile bytes in both formats, where lines arrive, and what is a time. */
#include "unit.h"

#include "util/clock.h"
#include "util/log.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

static char *render(enum log_format format, struct span value)
{
    struct strbuf out;
    struct log_field fields[] = {{"v", value, 0, false}, LOG_NUMBER("n", -7), LOG_STRING("absent", NULL)};
    strbuf_init(&out, 0);
    log_render(&out, format, "test", fields, 3);
    return out.ptr;
}

static void test_kv(void **state)
{
    (void)state;
    static const struct {
        struct span value;
        const char *line;
    } rows[] = {
        {{"plain", 5}, "event=test v=plain n=-7"},
        {{"user@example.net", 16}, "event=test v=user@example.net n=-7"},
        {{"", 0}, "event=test v=\"\" n=-7"},
        {{"two words", 9}, "event=test v=\"two words\" n=-7"},
        {{"a=b", 3}, "event=test v=\"a=b\" n=-7"},
        {{"\" why=faked \"", 13}, "event=test v=\"\\\" why=faked \\\"\" n=-7"},
        {{"back\\slash", 10}, "event=test v=\"back\\\\slash\" n=-7"},
        {{"a\r\nevent=x\t", 11}, "event=test v=\"a\\r\\nevent=x\\t\" n=-7"},
        {{"a\0b", 3}, "event=test v=\"a\\x00b\" n=-7"},
        {{"\x1b[31m\x7f", 6}, "event=test v=\"\\x1b[31m\\x7f\" n=-7"},
        {{"b\xc3\xbc", 3}, "event=test v=\"b\\xc3\\xbc\" n=-7"},
        {{"\xff", 1}, "event=test v=\"\\xff\" n=-7"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *line = render(LOG_AS_KV, rows[i].value);
        assert_string_equal(line, rows[i].line);
        free(line);
    }
}

static void test_json(void **state)
{
    (void)state;
    static const struct {
        struct span value;
        const char *line;
    } rows[] = {
        {{"plain", 5}, "{\"event\":\"test\",\"v\":\"plain\",\"n\":-7}"},
        {{"\",\"x\":\"", 7}, "{\"event\":\"test\",\"v\":\"\\\",\\\"x\\\":\\\"\",\"n\":-7}"},
        {{"\\", 1}, "{\"event\":\"test\",\"v\":\"\\\\\",\"n\":-7}"},
        {{"a\n\0\x7f", 4}, "{\"event\":\"test\",\"v\":\"a\\u000a\\u0000\\u007f\",\"n\":-7}"},
        {{"b\xc3\xbc", 3}, "{\"event\":\"test\",\"v\":\"b\xc3\xbc\",\"n\":-7}"},
        {{"\xff\xc3", 2}, "{\"event\":\"test\",\"v\":\"\\u00ff\\u00c3\",\"n\":-7}"},
        {{"\xc0\xaf", 2}, "{\"event\":\"test\",\"v\":\"\\u00c0\\u00af\",\"n\":-7}"},         /* overlong */
        {{"\xed\xa0\x80", 3}, "{\"event\":\"test\",\"v\":\"\\u00ed\\u00a0\\u0080\",\"n\":-7}"}, /* surrogate */
        {{"\xf4\x90\x80\x80", 4}, "{\"event\":\"test\",\"v\":\"\\u00f4\\u0090\\u0080\\u0080\",\"n\":-7}"},
        {{"\xf0\x9f\x93\xa7", 4}, "{\"event\":\"test\",\"v\":\"\xf0\x9f\x93\xa7\",\"n\":-7}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *line = render(LOG_AS_JSON, rows[i].value);
        assert_string_equal(line, rows[i].line);
        free(line);
    }
}

/* Whatever the bytes: one line, printable, and a JSON parser takes it. */
static void test_every_byte(void **state)
{
    (void)state;
    char bytes[512];
    for (size_t i = 0; i < 256; i++) {
        bytes[2 * i] = (char)i;
        bytes[2 * i + 1] = (char)(255 - i);
    }
    char *line = render(LOG_AS_KV, (struct span){bytes, sizeof bytes});
    for (const char *p = line; *p; p++)
        assert_in_range(*p, 0x20, 0x7e);
    free(line);
    line = render(LOG_AS_JSON, (struct span){bytes, sizeof bytes});
    assert_null(strpbrk(line, "\r\n\t"));
    cJSON *json = cJSON_Parse(line);
    assert_non_null(json);
    assert_int_equal(cJSON_GetObjectItem(json, "n")->valueint, -7);
    cJSON_Delete(json);
    free(line);
}

/* However long the names that a client gives, what Postern says behind them is still in the line, and JSON is whole. */
static void test_long_values(void **state)
{
    (void)state;
    static const char *const keys[] = {"client_name", "helo", "login", "from", "to"};
    char *huge = malloc(10000);
    memset(huge, 0xff, 10000);
    for (int bare = 0; bare < 2; bare++) {
        struct log_field fields[6];
        struct strbuf kv, json;
        if (bare)
            memset(huge, 'a', 10000);
        for (size_t i = 0; i < 5; i++)
            fields[i] = LOG_SPAN(keys[i], ((struct span){huge, 10000}));
        fields[5] = LOG_STRING("verdict", "reject");
        strbuf_init(&kv, 16384);
        strbuf_init(&json, 16384);
        log_render(&kv, LOG_AS_KV, "message", fields, 6);
        log_render(&json, LOG_AS_JSON, "message", fields, 6);
        assert_non_null(strstr(strbuf_text(&kv), "...\" verdict=reject"));
        assert_false(kv.truncated || json.truncated);
        cJSON *object = cJSON_Parse(strbuf_text(&json));
        assert_non_null(object);
        assert_string_equal(cJSON_GetObjectItem(object, "verdict")->valuestring, "reject");
        cJSON_Delete(object);
        strbuf_free(&kv);
        strbuf_free(&json);
    }
    free(huge);
}

/* ---- where lines arrive: a /dev and a /run of our own, with a socket that listens where the daemon's would ---- */

static int listen_at(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct timeval limit = {5, 0};
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof sun) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0)
        return -1;
    return fd;
}

/* What stands on TARGET's socket, or with IS_DEAF (nobody listens there) on stderr, after one event. 0, or the number
 * of the step that failed. */
static int log_into(enum log_target target, const char *socket_path, bool is_deaf, char text[8192])
{
    int fds[2] = {-1, -1}, fd = -1;
    if (mkdir("/run/systemd", 0755) != 0 || mkdir("/run/systemd/journal", 0755) != 0)
        return 1;
    if (is_deaf ? pipe(fds) != 0 || dup2(fds[1], STDERR_FILENO) < 0 : (fd = listen_at(socket_path)) < 0)
        return 2;
    struct log_options options = {"tester", target, LOG_AS_KV, LEVEL_INFO, LOG_MAIL};
    struct log_field fields[] = {LOG_SPAN("helo", ((struct span){"a\n\0b", 4})), LOG_NUMBER("size", 7),
                                 LOG_STRING("absent", NULL)};
    log_open(&options);
    log_event(LEVEL_WARNING, "test", fields, 3);
    ssize_t len = is_deaf ? read(fds[0], text, 8191) : recv(fd, text, 8191, 0);
    if (len <= 0)
        return 3;
    for (ssize_t i = 0; i < len; i++) /* so that it can be searched as a string */
        text[i] = text[i] ? text[i] : '0';
    text[len] = '\0';
    return 0;
}

/* In a child, because what is mounted must not outlive the test. 77: this machine lets nobody mount. */
static int run_with_sockets(int (*look)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(10);
        if (unshare(CLONE_NEWNS) != 0 && (errno != EPERM || unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0))
            _exit(77);
        if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("none", "/dev", "tmpfs", 0, "") != 0 ||
            mount("none", "/run", "tmpfs", 0, "") != 0)
            _exit(77);
        close(open("/dev/null", O_CREAT | O_WRONLY, 0666));
        _exit(look());
    }
    int status = -1;
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int look_at_syslog(void)
{
    char text[8192];
    int step = log_into(LOG_TO_SYSLOG, "/dev/log", false, text);
    if (step)
        return step;
    return strncmp(text, "<20>", 4) == 0 && /* mail.warning */
                   strstr(text, " tester[") && strstr(text, "]: event=test helo=\"a\\n\\x00b\" size=7")
               ? 0
               : 4;
}

static int look_at_journal(void)
{
    static const char helo[] = "POSTERN_HELO\n\0040000000a\n0b\n"; /* its length in eight bytes, then its bytes */
    char text[8192];
    int step = log_into(LOG_TO_JOURNAL, "/run/systemd/journal/socket", false, text);
    if (step)
        return step;
    return strstr(text, "MESSAGE=event=test helo=\"a\\n\\x00b\" size=7\n") && strstr(text, "PRIORITY=4\n") &&
                   strstr(text, "SYSLOG_IDENTIFIER=tester\n") && strstr(text, "POSTERN_SIZE=7\n") &&
                   strstr(text, helo) && !strstr(text, "ABSENT")
               ? 0
               : 4;
}

static int look_without_journal(void)
{
    char text[8192];
    int step = log_into(LOG_TO_JOURNAL, NULL, true, text);
    if (step)
        return step;
    return strstr(text, " warning: event=test helo=") ? 0 : 4;
}

/* The socket's file is there, but nobody reads it. */
static int look_at_dead_journal(void)
{
    char text[8192];
    int fds[2];
    mkdir("/run/systemd", 0755);
    mkdir("/run/systemd/journal", 0755);
    close(listen_at("/run/systemd/journal/socket"));
    struct log_options options = {"tester", LOG_TO_JOURNAL, LOG_AS_KV, LEVEL_INFO, LOG_MAIL};
    log_open(&options);
    if (pipe(fds) != 0 || dup2(fds[1], STDERR_FILENO) < 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0)
        return 1;
    log_text(LEVEL_ERROR, "nobody there");
    ssize_t len = read(fds[0], text, sizeof text - 1);
    text[len > 0 ? len : 0] = '\0';
    return strstr(text, " error: nobody there") ? 0 : 4;
}

static void test_targets(void **state)
{
    (void)state;
    static int (*const looks[])(void) = {look_at_syslog, look_at_journal, look_without_journal, look_at_dead_journal};
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        int status = run_with_sockets(looks[i]);
        if (status == 77)
            skip();
        if (status != 0)
            fail_msg("target %zu: step %d", i, status);
    }
}

/* What LEVEL lets through, as it stands on stderr. */
static void test_stderr(void **state)
{
    (void)state;
    int fds[2], saved = dup(STDERR_FILENO);
    char text[1024] = "";
    assert_int_equal(pipe(fds), 0);
    fflush(stderr);
    dup2(fds[1], STDERR_FILENO);
    struct log_options options = {.ident = "tester", .target = LOG_TO_STDERR, .level = LEVEL_WARNING};
    log_open(&options);
    log_text(LEVEL_INFO, "not this");
    log_text(LEVEL_WARNING, "this %d", 1);
    options.format = LOG_AS_JSON;
    log_open(&options);
    log_text(LEVEL_ERROR, "a \"quoted\" %s", "one");
    dup2(saved, STDERR_FILENO);
    close(fds[1]);
    assert_true(read(fds[0], text, sizeof text - 1) > 0);
    close(fds[0]);
    close(saved);
    assert_null(strstr(text, "not this"));
    assert_non_null(strstr(text, "] warning: this 1\n"));
    assert_non_null(strstr(text, "] error: {\"event\":\"note\",\"msg\":\"a \\\"quoted\\\" one\"}\n"));
    assert_non_null(strstr(text, " tester["));
    assert_true(log_wants(LEVEL_WARNING));
    assert_false(log_wants(LEVEL_INFO));
}

static void test_clock_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds; /* -1: no time */
    } rows[] = {
        {"0", 0},                      {"1700000000", 1700000000},    {"1970-01-01T00:00:00Z", 0},
        {"2026-11-22T03:24:22Z", 1795317862}, {"2026-11-22T03:24:22", 1795317862}, {"2024-02-29T00:00:00Z", 1709164800},
        {"", -1},                      {"-1", -1},                    {"12x", -1},
        {"yesterday", -1},             {"2026-11-22", -1},            {"2026-11-22T03:24:22+01:00", -1},
        {"2026-13-22T03:24:22Z", -1},  {"2026-11-22T03:24:22ZZ", -1}, {"99999999999999999999", -1},
    };
    setenv("TZ", "America/New_York", 1);
    tzset();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t seconds = -1;
        int error = clock_parse(rows[i].text, &seconds);
        if (error != (rows[i].seconds < 0 ? -1 : 0) || seconds != rows[i].seconds)
            fail_msg("\"%s\": %d, %lld", rows[i].text, error, (long long)seconds);
    }
}

/* Longer than a useconds_t can say: such a wait must not end after its remainder. */
static void test_long_sleep(void **state)
{
    (void)state;
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        clock_sleep_us(INT64_C(0x100000000) + 1000);
        _exit(1);
    }
    usleep(200000);
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    int64_t start = clock_monotonic_us();
    clock_sleep_us(20000);
    assert_in_range(clock_monotonic_us() - start, 20000, 10000000);
}

static void test_clock(void **state)
{
    (void)state;
    int64_t start = clock_monotonic_us();
    usleep(20000);
    assert_in_range(clock_monotonic_us() - start, 20000, 10000000);
    assert_in_range(clock_wall() - time(NULL), 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kv),          cmocka_unit_test(test_json),
                                       cmocka_unit_test(test_every_byte),  cmocka_unit_test(test_stderr),
                                       cmocka_unit_test(test_clock_parse), cmocka_unit_test(test_clock),
                                       cmocka_unit_test(test_long_values), cmocka_unit_test(test_targets),
                                       cmocka_unit_test(test_long_sleep)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
