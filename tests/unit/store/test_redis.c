/* Redis that refuses, hangs, dies, comes back, wants a password, or speaks TLS. */
#include "fixture.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct redis_server server;

static int stop_server(void **state)
{
    (void)state;
    redis_stop(&server, SIGKILL);
    return 0;
}

static const char *socket_url(void)
{
    return text("redis+unix:%s", server.socket);
}

static const char *free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return text("%d", ntohs(address.sin_port));
}

/* What a put says, and what is logged of it. */
static const char *complaint(const struct store_options *options)
{
    const char *problem = NULL;
    log_begin();
    struct store *store = store_open(options, fixture_arena, &problem);
    enum store_outcome outcome = store ? store_put(store, "a", span_of("b"), 0, T) : STORE_DOWN;
    store_close(store);
    const char *log = log_end();
    return !store ? problem : outcome == STORE_OK ? "fine" : log;
}

static void test_urls(void **state)
{
    (void)state;
    static const char *const good[] = {
        "sqlite:/var/lib/postern/postern.db",
        "redis://host",
        "redis://host:1/15",
        "redis://host/",
        "REDIS://[::1]:6379",
        "rediss://user@redis.example.net:6380/2",
        "redis+unix:/run/redis.sock",
        "redis://192.0.2.1:6379",
    };
    static const char *const bad[] = {
        "",
        "sqlite:",
        "sqlite:store.db",
        "sqlite:/var/lib/",
        "sqlite://",
        "mysql://host",
        "redis:host",
        "redis://",
        "redis://:6379",
        "redis://host:",
        "redis://host:0",
        "redis://host:65536",
        "redis://host:6379x",
        "redis://host/a",
        "redis://host/-1",
        "redis://host/0/1",
        "redis://::1",
        "redis://[::1",
        "redis://[::1]x",
        "redis://user:password@host",
        "redis://host?db=1",
        "redis://ho st",
        "redis://h%6fst",
        "redis+unix:run",
        "redis://host/99999999999999999999",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (store_verify_url(good[i]))
            fail_msg("%s: %s", good[i], store_verify_url(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct store_options options = {.url = bad[i], .timeout = 100};
        const char *problem = NULL;
        if (!store_verify_url(bad[i]))
            fail_msg("%s is taken", bad[i]);
        assert_null(store_open(&options, fixture_arena, &problem));
        assert_non_null(problem);
    }
    /* and what is advised is there */
    assert_non_null(strstr(store_verify_url("redis://anna:secret@host"), "redis { password_file }"));
}

static void test_killed_and_restarted(void **state)
{
    (void)state;
    server = redis_start(fixture_path, NULL);
    struct store *store = open_store(socket_url(), 1000);
    assert_int_equal(store_put(store, "a", span_of("b"), 0, T), STORE_OK);
    redis_stop(&server, SIGKILL);
    log_begin();
    int wrong = 0;
    int64_t start = now_ms();
    for (int i = 0; i < 500; i++)
        wrong += store_put(store, "a", span_of("c"), 0, T) != STORE_DOWN;
    int64_t took = now_ms() - start;
    wrong += store_health(store).is_up;
    server = redis_start(fixture_path, NULL);
    sleep_ms(1100);
    enum store_outcome outcome = store_put_if_absent(store, fixture_arena, "a", span_of("d"), 0, T, NULL);
    const char *log = log_end();
    assert_int_equal(wrong, 0);
    assert_true(took < 1000);
    assert_int_equal(outcome, STORE_OK);
    assert_true(store_health(store).is_up);
    assert_int_equal(store_health(store).failures, 500);
    assert_int_equal(count_of(log, "event=store-down"), 1);
    assert_int_equal(count_of(log, "event=store-up"), 1);
    /* One that was restarted while nobody asked costs no call. */
    redis_stop(&server, SIGTERM);
    server = redis_start(fixture_path, NULL);
    assert_string_equal(value_of(store, "a"), "(absent)");
    store_close(store);
}

static void test_hanging_server(void **state)
{
    (void)state;
    server = redis_start(fixture_path, NULL);
    struct store *store = open_store(socket_url(), 300);
    assert_int_equal(store_put(store, "a", span_of("b"), 0, T), STORE_OK);
    kill(server.pid, SIGSTOP);
    log_begin();
    int64_t start = now_ms();
    enum store_outcome first = store_put(store, "a", span_of("c"), 0, T);
    int64_t took = now_ms() - start;
    enum store_outcome second = store_put(store, "a", span_of("c"), 0, T);
    int64_t took_both = now_ms() - start;
    kill(server.pid, SIGCONT);
    sleep_ms(1100);
    const char *value = value_of(store, "b"); /* and not the late reply to something else */
    const char *log = log_end();
    assert_int_equal(first, STORE_DOWN);
    assert_int_equal(second, STORE_DOWN);
    assert_in_range(took, 290, 900);
    assert_true(took_both - took < 200);
    assert_string_equal(value, "(absent)");
    assert_non_null(strstr(log, "does not answer in time"));
    store_close(store);
}

static atomic_bool is_over;
static void *ask_all_the_time(void *context)
{
    while (!is_over) {
        store_put(context, "a", span_of("b"), 0, T);
        sleep_ms(5);
    }
    return NULL;
}

static void test_no_hammering(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), attempts = 0;
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 64), 0);
    getsockname(listener, (struct sockaddr *)&address, &size);
    struct store *store = open_store(text("redis://localhost:%d", ntohs(address.sin_port)), 500);
    log_begin();
    pthread_t threads[4];
    is_over = false;
    store_put(store, "a", span_of("b"), 0, T - 1); /* nobody answers: 500 ms */
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, ask_all_the_time, store);
    for (int64_t end = now_ms() + 2500; now_ms() < end;) {
        struct pollfd pfd = {.fd = listener, .events = POLLIN};
        if (poll(&pfd, 1, 50) > 0) {
            int fd = accept(listener, NULL, NULL); /* and not a word to it: whoever comes waits 500 ms */
            attempts += fd >= 0;
        }
    }
    is_over = true;
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    log_end();
    assert_in_range(attempts, 2, 3); /* the first, and then one at a time */
    assert_true(store_health(store).failures > 400);
    store_close(store);
    close(listener);
}

static void test_refusals(void **state)
{
    (void)state;
    server = redis_start(fixture_path, NULL);
    struct store *store = open_store(socket_url(), 1000);
    assert_int_equal(store_put(store, "a", span_of("b"), 0, T), STORE_OK);
    redis_say(&server, "CONFIG SET maxmemory 1");
    struct store_change changes[] = {{.key = "x", .value = span_of("1")}, {.key = "y", .value = span_of("2")}};
    log_begin();
    enum store_outcome put = store_put_if_absent(store, fixture_arena, "c", span_of("d"), 0, T, NULL);
    enum store_outcome apply = store_apply(store, changes, 2, T);
    const char *value = value_of(store, "a"); /* it still answers what it knows */
    const char *log = log_end();
    assert_int_equal(put, STORE_DOWN);
    assert_int_equal(apply, STORE_DOWN);
    assert_non_null(strstr(log, "OOM"));
    assert_string_equal(value, "b");
    redis_say(&server, "CONFIG SET maxmemory 0");
    assert_string_equal(value_of(store, "c"), "(absent)");
    assert_string_equal(value_of(store, "x"), "(absent)");
    redis_say(&server, "REPLICAOF 127.0.0.1 1");
    struct store_options options = {.url = socket_url(), .prefix = "postern:", .timeout = 1000};
    assert_non_null(strstr(complaint(&options), "READONLY"));
    log_begin();
    put = store_put(store, "a", span_of("c"), 0, T);
    value = value_of(store, "a"); /* not asked: another server may be the right one by and by */
    log_end();
    assert_int_equal(put, STORE_DOWN);
    assert_string_equal(value, "(down)");
    redis_say(&server, "REPLICAOF NO ONE");
    assert_string_equal(complaint(&options), "fine");
    store_close(store);
}

static void test_scripts_are_sent_when_forgotten(void **state)
{
    (void)state;
    server = redis_start(fixture_path, NULL);
    struct store *store = open_store(socket_url(), 1000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(store_put_if_absent(store, fixture_arena, text("s%d", i), span_of("x"), 0, T, NULL), STORE_OK);
        assert_int_equal(store_swap(store, text("s%d", i), span_of("x"), span_of("y"), 0, T), STORE_OK);
        assert_int_equal(store_delete(store, text("s%d", i), T), STORE_OK);
        if (i == 1)
            assert_string_equal(redis_say(&server, "SCRIPT FLUSH"), "OK");
    }
    /* By their digest, once they are known. */
    assert_non_null(strstr(redis_say(&server, "INFO commandstats"), "cmdstat_evalsha:calls="));
    assert_non_null(strstr(redis_say(&server, "INFO commandstats"), "cmdstat_eval:calls=6,"));
    store_close(store);
}

static bool count_row(void *context, const char *key, const struct store_value *value)
{
    (void)key;
    (void)value;
    ++*(int *)context;
    return true;
}

static void test_rows_of_others(void **state)
{
    (void)state;
    server = redis_start(fixture_path, NULL);
    struct store *store = open_store(socket_url(), 1000);
    redis_say(&server, "SET postern:garbled abc");
    redis_say(&server, "RPUSH postern:list a b");
    redis_say(&server, "SET other:a 0:x");
    assert_int_equal(store_put(store, "mine", span_of("x"), 0, T), STORE_OK);
    int count = 0;
    assert_int_equal(store_each(store, "", T, count_row, &count), STORE_OK);
    assert_int_equal(count, 1);
    log_begin();
    const char *garbled = value_of(store, "garbled"), *list = value_of(store, "list");
    enum store_outcome put = store_put_if_absent(store, fixture_arena, "garbled", span_of("x"), 0, T, NULL);
    enum store_outcome removed = store_delete(store, "garbled", T);
    const char *mine = value_of(store, "mine");
    log_end();
    assert_string_equal(garbled, "(down)");
    assert_string_equal(list, "(down)");
    assert_int_equal(put, STORE_DOWN);
    assert_int_equal(removed, STORE_DOWN);
    assert_string_equal(mine, "x");
    assert_string_equal(redis_say(&server, "GET postern:garbled"), "abc");
    store_close(store);
}

static const char *secret(const char *line, mode_t mode)
{
    static int number;
    const char *path = text("%s/secret%d", fixture_path, ++number);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0 && write(fd, line, strlen(line)) == (ssize_t)strlen(line));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static void test_passwords(void **state)
{
    (void)state;
    const char *port = free_port();
    server = redis_start(fixture_path, "--port", port, "--bind", "127.0.0.1", "--requirepass", "s:ecret", "--user",
                         "mail", "on", ">pass", "~*", "+@all", NULL);
    struct store_options options = {.url = text("redis://127.0.0.1:%s/3", port), .prefix = "p:", .timeout = 1000};
    assert_non_null(strstr(complaint(&options), "NOAUTH"));
    options.password_file = secret("default:s:ecret\n", 0640);
    assert_string_equal(complaint(&options), "fine");
    options.password_file = secret("mail:pass", 0600);
    assert_string_equal(complaint(&options), "fine");
    options.password_file = secret("wrong\n", 0600);
    assert_non_null(strstr(complaint(&options), "WRONGPASS"));
    assert_null(strstr(complaint(&options), "wrong"));
    options.password_file = secret("mail:pass\n", 0604);
    assert_non_null(strstr(complaint(&options), "open to others"));
    options.password_file = secret("\n", 0600);
    assert_non_null(strstr(complaint(&options), "no password"));
    options.password_file = "/nowhere/secret";
    assert_non_null(strstr(complaint(&options), "No such file"));
    options.url = text("redis://default@127.0.0.1:%s", port);
    options.password_file = secret("s:ecret\r\n", 0600);
    assert_string_equal(complaint(&options), "fine");
    options.url = text("redis://127.0.0.1:%s/9999", port);
    options.password_file = secret(":s:ecret\n", 0600); /* no user before the colon */
    assert_non_null(strstr(complaint(&options), "SELECT"));
}

static const char *certificate(const char *name, const char *alternatives)
{
    const char *base = text("%s/%s", fixture_path, name);
    run_command(text("cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
                     "'/CN=%s' -addext 'subjectAltName=%s' -keyout %s.key -out %s.pem 2>/dev/null",
                     fixture_path, name, alternatives, name, name));
    return base;
}

static void test_tls(void **state)
{
    (void)state;
    const char *port = free_port(), *right = certificate("right", "DNS:localhost,IP:127.0.0.1");
    const char *other = certificate("other", "DNS:redis.example.net");
    server = redis_start(fixture_path, "--tls-port", port, "--bind", "127.0.0.1", "--tls-auth-clients", "no",
                         "--tls-cert-file", text("%s.pem", right), "--tls-key-file", text("%s.key", right), NULL);
    struct store_options options = {
        .url = text("rediss://localhost:%s", port), .prefix = "p:", .timeout = 3000, .ca_file = text("%s.pem", right)};
    assert_string_equal(complaint(&options), "fine");
    options.url = text("rediss://127.0.0.1:%s", port);
    assert_string_equal(complaint(&options), "fine");
    options.ca_file = text("%s.pem", other);
    assert_non_null(strstr(complaint(&options), "certificate: "));
    options.ca_file = NULL;
    assert_non_null(strstr(complaint(&options), "certificate: "));
    options.ca_file = "/nowhere/ca.pem";
    assert_non_null(strstr(complaint(&options), "cannot be read"));
    options.url = text("redis://127.0.0.1:%s", port);
    options.ca_file = NULL;
    assert_string_not_equal(complaint(&options), "fine");
    redis_stop(&server, SIGKILL);
    server = redis_start(fixture_path, "--tls-port", port, "--bind", "127.0.0.1", "--tls-auth-clients", "no",
                         "--tls-cert-file", text("%s.pem", other), "--tls-key-file", text("%s.key", other), NULL);
    options.url = text("rediss://localhost:%s", port);
    options.ca_file = text("%s.pem", other);
    assert_non_null(strstr(complaint(&options), "ostname mismatch"));
    options.url = text("rediss://127.0.0.1:%s", port);
    assert_non_null(strstr(complaint(&options), "IP address mismatch"));
}

/* Long values in pieces, an idle link whose server was restarted, and a server that goes away in the middle. */
static void test_tls_in_use(void **state)
{
    (void)state;
    const char *port = free_port(), *base = certificate("use", "DNS:localhost");
    const char *arguments[] = {"--tls-cert-file", text("%s.pem", base), "--tls-key-file", text("%s.key", base)};
    server = redis_start(fixture_path, "--tls-port", port, "--tls-auth-clients", "no", arguments[0], arguments[1],
                         arguments[2], arguments[3], NULL);
    struct store_options options = {
        .url = text("rediss://localhost:%s", port), .prefix = "p:", .timeout = 5000, .ca_file = text("%s.pem", base)};
    const char *problem;
    struct store *store = store_open(&options, fixture_arena, &problem);
    char *big = arena_alloc(fixture_arena, STORE_VALUE_MAX);
    for (int i = 0; i < STORE_VALUE_MAX; i++)
        big[i] = (char)(i * 7);
    struct store_value value;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(store_put(store, "big", (struct span){big, STORE_VALUE_MAX}, 0, T), STORE_OK);
        assert_int_equal(store_get(store, fixture_arena, "big", T, &value), STORE_OK);
        assert_int_equal(value.bytes.len, STORE_VALUE_MAX);
        assert_memory_equal(value.bytes.ptr, big, STORE_VALUE_MAX);
    }
    redis_stop(&server, SIGTERM);
    server = redis_start(fixture_path, "--tls-port", port, "--tls-auth-clients", "no", arguments[0], arguments[1],
                         arguments[2], arguments[3], NULL);
    assert_string_equal(value_of(store, "a"), "(absent)");
    redis_stop(&server, SIGKILL);
    log_begin();
    const char *gone = value_of(store, "a");
    log_end();
    assert_string_equal(gone, "(down)");
    store_close(store);
}

static void test_name_that_does_not_resolve(void **state)
{
    (void)state;
    struct store_options options = {.url = "redis://nowhere.invalid", .prefix = "p:", .timeout = 2000};
    int64_t start = now_ms();
    assert_non_null(strstr(complaint(&options), "nowhere.invalid: "));
    assert_true(now_ms() - start < 3000);
}

int main(void)
{
    alarm(300);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test_teardown(test_killed_and_restarted, stop_server),
        cmocka_unit_test_teardown(test_hanging_server, stop_server),
        cmocka_unit_test(test_no_hammering),
        cmocka_unit_test_teardown(test_refusals, stop_server),
        cmocka_unit_test_teardown(test_scripts_are_sent_when_forgotten, stop_server),
        cmocka_unit_test_teardown(test_rows_of_others, stop_server),
        cmocka_unit_test_teardown(test_passwords, stop_server),
        cmocka_unit_test_teardown(test_tls, stop_server),
        cmocka_unit_test_teardown(test_tls_in_use, stop_server),
        cmocka_unit_test(test_name_that_does_not_resolve),
    };
    return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
