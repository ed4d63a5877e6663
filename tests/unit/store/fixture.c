#include "fixture.h"
#include "util/clock.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

char fixture_path[64];
struct arena *fixture_arena;

int fixture_begin(void **state)
{
    (void)state;
    snprintf(fixture_path, sizeof fixture_path, "/tmp/postern-store-XXXXXX");
    if (!mkdtemp(fixture_path))
        return -1;
    fixture_arena = arena_create(4096);
    return 0;
}

int fixture_end(void **state)
{
    (void)state;
    run_command(text("rm -rf %s", fixture_path));
    arena_destroy(fixture_arena);
    return 0;
}

const char *text(const char *format, ...)
{
    char buffer[4096];
    va_list ap;
    va_start(ap, format);
    vsnprintf(buffer, sizeof buffer, format, ap);
    va_end(ap);
    return arena_strdup(fixture_arena, buffer);
}

struct store *open_store(const char *url, int64_t timeout)
{
    const char *problem = NULL;
    struct store_options options = {.url = url, .prefix = "postern:", .timeout = timeout};
    struct store *store = store_open(&options, fixture_arena, &problem);
    if (!store)
        fail_msg("%s: %s", url, problem);
    return store;
}

static redisContext *administrator(const struct redis_server *server)
{
    redisContext *context = redisConnectUnixWithTimeout(server->socket, (struct timeval){5, 0});
    if (context && context->err) {
        redisFree(context);
        context = NULL;
    }
    return context;
}

static void exec_server(const char *directory, const char *socket, va_list ap)
{
    const char *argv[64] = {"redis-server", "--port", "0",     "--unixsocket", socket,      "--save",   "",
                            "--appendonly", "no",     "--dir", directory,      "--logfile", "redis.log"};
    int argc = 13;
    const char *argument;
    while (argc < 62 && (argument = va_arg(ap, const char *)))
        argv[argc++] = argument;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execvp(argv[0], (char **)argv);
    fprintf(stderr, "redis-server: %s (Debian: redis-server)\n", strerror(errno));
    _exit(127);
}

struct redis_server redis_start(const char *directory, ...)
{
    struct redis_server server = {.socket = text("%s/redis.sock", directory)};
    unlink(server.socket);
    va_list ap;
    va_start(ap, directory);
    server.pid = fork();
    if (server.pid == 0)
        exec_server(directory, server.socket, ap);
    va_end(ap);
    assert_true(server.pid > 0);
    for (int i = 0; i < 1000; i++) {
        redisContext *context = administrator(&server);
        redisReply *reply = context ? redisCommand(context, "PING") : NULL; /* "NOAUTH" is an answer too */
        if (context)
            redisFree(context);
        if (reply) {
            freeReplyObject(reply);
            return server;
        }
        assert_int_equal(waitpid(server.pid, NULL, WNOHANG), 0);
        sleep_ms(10);
    }
    redis_stop(&server, SIGKILL);
    fail_msg("redis-server does not start");
    return server;
}

void redis_stop(struct redis_server *server, int signal)
{
    if (server->pid > 0) {
        kill(server->pid, signal);
        waitpid(server->pid, NULL, 0);
    }
    server->pid = 0;
}

const char *redis_say(const struct redis_server *server, const char *command)
{
    redisContext *context = administrator(server);
    assert_non_null(context);
    redisReply *reply = redisCommand(context, command);
    assert_non_null(reply);
    const char *answer = reply->str                           ? text("%s", reply->str)
                         : reply->type == REDIS_REPLY_INTEGER ? text("(%lld)", reply->integer)
                                                              : "(nil)";
    freeReplyObject(reply);
    redisFree(context);
    return answer;
}

static int saved_stderr = -1;
static char log_path[128];

void log_begin(void)
{
    snprintf(log_path, sizeof log_path, "%s/stderr", fixture_path);
    fflush(stderr);
    saved_stderr = dup(2);
    int fd = open(log_path, O_CREAT | O_TRUNC | O_RDWR | O_APPEND, 0600);
    assert_true(fd >= 0 && saved_stderr >= 0);
    dup2(fd, 2);
    close(fd);
}

const char *log_end(void)
{
    fflush(stderr);
    dup2(saved_stderr, 2);
    close(saved_stderr);
    FILE *file = fopen(log_path, "r");
    char *all = arena_alloc(fixture_arena, 65536);
    assert_non_null(file);
    size_t len = fread(all, 1, 65535, file);
    all[len] = '\0';
    fclose(file);
    return all;
}

int count_of(const char *haystack, const char *needle)
{
    int count = 0;
    while ((haystack = strstr(haystack, needle))) {
        count++;
        haystack += strlen(needle);
    }
    return count;
}

void run_command(const char *command)
{
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}

int count_files(const char *beginning, const char *end)
{
    DIR *directory = opendir(fixture_path);
    assert_non_null(directory);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        size_t len = strlen(entry->d_name);
        count += strncmp(entry->d_name, beginning, strlen(beginning)) == 0 && len >= strlen(end) &&
                 strcmp(entry->d_name + len - strlen(end), end) == 0;
    }
    closedir(directory);
    return count;
}

void sleep_ms(int ms)
{
    clock_sleep_us((int64_t)ms * 1000);
}

int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

const char *value_of(struct store *store, const char *key)
{
    struct store_value value;
    enum store_outcome outcome = store_get(store, fixture_arena, key, T, &value);
    return outcome == STORE_OK ? value.bytes.ptr : outcome == STORE_ABSENT ? "(absent)" : "(down)";
}
