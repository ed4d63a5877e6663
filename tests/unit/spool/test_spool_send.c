/* What the MTA may say, and what becomes of the entry then. */
#include "unit.h"

#include "workbench.h"
#include <sys/socket.h>
#include <sys/wait.h>

#define TEXT "Subject: hello\r\n\r\nbody\r\n"

static void assert_end(struct bench *bench, enum spool_end end)
{
    bench_wait_afters(bench, 1);
    bench_wait_empty(bench);
    assert_int_equal(bench->afters, 1);
    assert_int_equal(bench->ends[0], end);
    assert_string_equal(bench->memos[0], "memo");
}

static void sends(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message("Subject: h\r\n\r\n.dot\r\n..\r\n.\r\nend");
    message.mail_parameters = "RET=HDRS ENVID=x1";
    message.rcpt_parameters = "NOTIFY=NEVER";
    bench_start(bench);
    bench_add(bench, &message);
    assert_end(bench, SPOOL_SENT);
    const struct server_message *got = server_message(bench->server, 0);
    assert_string_equal(got->mail, "MAIL FROM:<> RET=HDRS ENVID=x1 SIZE=30");
    assert_string_equal(got->rcpts, "RCPT TO:<anne@example.org> NOTIFY=NEVER\n");
    assert_string_equal(got->content, "Subject: h\r\n\r\n..dot\r\n...\r\n..\r\nend\r\n");
    assert_int_equal(server_messages(bench->server), 1);
    assert_int_equal(bench->befores, 1);
}

static void leaves_out_what_is_not_offered(void **state)
{
    struct bench *bench = *state;
    server_rule(bench->server, "EHLO", 0, "250-test\r\n250 PIPELINING");
    struct spool_message message = bench_message("\r\n\xc3\xa4\r\n");
    message.mail_parameters = "RET=HDRS BODY=8BITMIME SIZE=5 HOLDFOR=9";
    message.rcpt_parameters = "NOTIFY=NEVER ORCPT=rfc822;x";
    bench_start(bench);
    bench_add(bench, &message);
    assert_end(bench, SPOOL_SENT);
    const struct server_message *got = server_message(bench->server, 0);
    assert_string_equal(got->mail, "MAIL FROM:<>");
    assert_string_equal(got->rcpts, "RCPT TO:<anne@example.org>\n");
}

static void announces_what_it_sends(void **state)
{
    struct bench *bench = *state;
    static const char *const two[] = {"\xc3\xa4@example.org", "b@example.org"};
    static const char *const each[] = {"NOTIFY=FAILURE ORCPT=utf-8;a", NULL};
    struct spool_message message = bench_message("\r\n\xc3\xa4\r\n");
    message.reverse_path = "\"a b>\"@example.net";
    message.forward_paths = two;
    message.forward_path_count = 2;
    message.each_rcpt_parameters = each;
    message.mail_parameters = "SIZE=5 SMTPUTF8"; /* and not twice */
    bench_start(bench);
    bench_add(bench, &message);
    assert_end(bench, SPOOL_SENT);
    const struct server_message *got = server_message(bench->server, 0);
    assert_string_equal(got->mail, "MAIL FROM:<\"a b>\"@example.net> BODY=8BITMIME SMTPUTF8 SIZE=6");
    assert_string_equal(got->rcpts, "RCPT TO:<\xc3\xa4@example.org> NOTIFY=FAILURE ORCPT=utf-8;a\n"
                                    "RCPT TO:<b@example.org>\n");
}

static void needs_smtputf8(void **state)
{
    struct bench *bench = *state;
    server_rule(bench->server, "EHLO", 0, "250-test\r\n250 8BITMIME");
    struct spool_message message = bench_message(TEXT);
    message.needs_smtputf8 = true;
    bench_start(bench);
    bench_add(bench, &message);
    assert_end(bench, SPOOL_REFUSED);
    assert_int_equal(server_count(bench->server, "MAIL"), 0);
}

static void minds_the_size(void **state)
{
    struct bench *bench = *state;
    server_rule(bench->server, "EHLO", 0, "250-test\r\n250 SIZE 20");
    struct spool_message message = bench_message(TEXT);
    bench_start(bench);
    bench_add(bench, &message);
    assert_end(bench, SPOOL_REFUSED);
    assert_int_equal(server_count(bench->server, "MAIL"), 0);
}

static void speaks_helo(void **state)
{
    struct bench *bench = *state;
    server_rule(bench->server, "EHLO", 0, "502 5.5.1 no");
    struct spool_message message = bench_message(TEXT);
    message.rcpt_parameters = "NOTIFY=NEVER";
    bench_start(bench);
    bench_add(bench, &message);
    assert_end(bench, SPOOL_SENT);
    assert_string_equal(server_message(bench->server, 0)->rcpts, "RCPT TO:<anne@example.org>\n");
}

/* A permanent refusal, wherever it comes, ends it at the first attempt; the connection goes on. */
static void minds_refusals(void **state)
{
    static const char *const phases[] = {"MAIL", "RCPT", "DATA", "DOT"};
    struct bench *bench = *state;
    bench_start(bench);
    for (int i = 0; i < 4; i++) {
        struct spool_message message = bench_message(TEXT);
        server_rule(bench->server, phases[i], 0, "550 5.7.1 not here");
        bench_add(bench, &message);
        bench_wait_afters(bench, i + 1);
        assert_int_equal(bench->ends[i], SPOOL_REFUSED);
        server_rule(bench->server, phases[i], 0, NULL);
    }
    struct spool_message message = bench_message(TEXT);
    bench_add(bench, &message);
    bench_wait_afters(bench, 5);
    assert_int_equal(bench->ends[4], SPOOL_SENT);
    assert_int_equal(server_count(bench->server, "CONNECT"), 1);
}

/* A temporary one keeps it, with the reply, and the next attempt succeeds. */
static void tries_again(void **state)
{
    static const char *const phases[] = {"MAIL", "RCPT", "DATA", "DOT", "EHLO", "CONNECT"};
    struct bench *bench = *state;
    bench_start(bench);
    for (int i = 0; i < 6; i++) {
        struct spool_message message = bench_message(TEXT);
        message.once = true;
        server_rule(bench->server, phases[i], 0, "451 4.3.0 later");
        if (i >= 4)
            clock_sleep_us(2500000); /* the connection of before is idle and goes */
        bench_add(bench, &message);
        struct spool_entry *entry = bench_wait_attempts(bench, 1);
        assert_int_equal(entry->attempts, 1);
        assert_non_null(strstr(entry->last_reply, "451 4.3.0 later"));
        assert_true(entry->next_attempt >= clock_wall() + 3590 && entry->next_attempt <= clock_wall() + 3600);
        server_rule(bench->server, phases[i], 0, NULL);
        bench_flush(bench);
        bench_wait_afters(bench, i + 1);
        assert_int_equal(bench->ends[i], SPOOL_SENT);
    }
    assert_int_equal(bench->befores, 12); /* at each attempt, for the entry may have waited for days */
}

/* 421 anywhere before the end, a cut before the dot, silence, nonsense: nothing was sent, and it is sent on another
 * connection. With `once` too. */
static void survives_broken_servers(void **state)
{
    static const struct {
        const char *phase, *reply, *expected;
    } rows[] = {
        {"MAIL", "421 4.3.2 bye", "421 4.3.2 bye"},
        {"RCPT", "421 4.3.2 bye", "421 4.3.2 bye"},
        {"DATA", "421 4.3.2 bye", "421 4.3.2 bye"},
        {"MAIL", "CUT", "was cut"},
        {"RCPT", "CUT", "was cut"},
        {"DATA", "CUT", "was cut"},
        {"MAIL", "HANG", "in time"},
        {"DATA", "HANG", "in time"},
        {"CONNECT", "HANG", "cannot connect"},
        {"RCPT", "hello", "no SMTP reply"},
        {"DATA", "250 ok", "2xx"},
        {"MAIL", "250 a\r\n250 b\r\n250 c", "the server"}, /* "spoke out of turn"; ahead, "answered DATA with 2xx" */
        {"DATA", "354 go\r\n250 taken", "out of turn"},
        {"CONNECT", "220-x\r\n550 y", "cannot connect"},
    };
    struct bench *bench = *state;
    bench_start(bench);
    for (int i = 0; i < (int)(sizeof rows / sizeof *rows); i++) {
        struct spool_message message = bench_message(TEXT);
        message.once = true;
        server_rule(bench->server, rows[i].phase, 0, rows[i].reply);
        if (strcmp(rows[i].phase, "CONNECT") == 0)
            clock_sleep_us(2500000);
        bench_add(bench, &message);
        bench_flush(bench); /* past a pause */
        struct spool_entry *entry = bench_wait_attempts(bench, 1);
        if (!strstr(entry->last_reply, rows[i].expected))
            fail_msg("row %d: %s", i, entry->last_reply);
        assert_int_equal(server_messages(bench->server), i);
        server_rule(bench->server, rows[i].phase, 0, NULL);
        bench_flush(bench);
        bench_wait_afters(bench, i + 1);
        assert_int_equal(bench->ends[i], SPOOL_SENT);
    }
}

/* Behind the dot nobody knows: with `once` that is the end of it, without it is sent again. */
static void decides_doubt(void **state)
{
    static const char *const replies[] = {"CUT", "TAKE+CUT", "HANG", "354 what?", "nonsense"};
    struct bench *bench = *state;
    bench_start(bench);
    int afters = 0;
    for (int i = 0; i < 5; i++) {
        struct spool_message message = bench_message(TEXT);
        server_rule(bench->server, "DOT", 0, replies[i]);
        message.once = true;
        bench_add(bench, &message);
        bench_flush(bench);
        bench_wait_afters(bench, ++afters);
        assert_int_equal(bench->ends[afters - 1], SPOOL_UNKNOWN);
        message.once = false;
        bench_add(bench, &message);
        bench_flush(bench);
        bench_wait_attempts(bench, 1);
        server_rule(bench->server, "DOT", 0, NULL);
        bench_flush(bench);
        bench_wait_afters(bench, ++afters);
        assert_int_equal(bench->ends[afters - 1], SPOOL_SENT);
        assert_int_equal(server_messages(bench->server), (size_t)3 * (i + 1));
    }
}

/* 421 to the dot says that it was not taken. */
static void minds_421_to_the_dot(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    message.once = true;
    server_rule(bench->server, "DOT", 1, "421 4.3.2 bye");
    bench_start(bench);
    bench_add(bench, &message);
    bench_wait_attempts(bench, 1);
    bench_flush(bench);
    assert_end(bench, SPOOL_SENT);
    assert_int_equal(server_count(bench->server, "CONNECT"), 2); /* and this server is not spoken to again */
}

static void keeps_each_recipients_fate(void **state)
{
    struct bench *bench = *state;
    static const char *const three[] = {"a@x.example", "b@x.example", "c@x.example"};
    struct spool_message message = bench_message(TEXT);
    message.forward_paths = three;
    message.forward_path_count = 3;
    server_rule(bench->server, "RCPT", 2, "452 4.2.2 full");
    server_rule(bench->server, "RCPT", 3, "550 5.1.1 who?");
    bench_start(bench);
    bench_add(bench, &message);
    struct spool_entry *entry = bench_wait_attempts(bench, 1);
    assert_string_equal(entry->forward_paths, "a@x.example, b@x.example, c@x.example");
    assert_int_equal(bench->afters, 0);
    assert_string_equal(entry->last_reply, "452 4.2.2 full"); /* why it is still there, and not that of the others */
    assert_string_equal(server_message(bench->server, 0)->rcpts, "RCPT TO:<a@x.example>\n");
    server_rule(bench->server, "RCPT", 4, "550 5.1.1 who?");
    bench_flush(bench);
    assert_end(bench, SPOOL_SENT);                            /* one had it */
    assert_int_equal(server_count(bench->server, "RCPT"), 4); /* the one was asked for, and nobody else */
    assert_int_equal(server_messages(bench->server), 1);
}

static void refuses_when_all_are_refused(void **state)
{
    struct bench *bench = *state;
    static const char *const two[] = {"a@x.example", "b@x.example"};
    struct spool_message message = bench_message(TEXT);
    message.forward_paths = two;
    message.forward_path_count = 2;
    server_rule(bench->server, "RCPT", 0, "550 5.1.1 who?");
    bench_start(bench);
    bench_add(bench, &message);
    assert_end(bench, SPOOL_REFUSED);
    assert_int_equal(server_count(bench->server, "DATA"), 0);
}

static void shares_a_connection(void **state)
{
    struct bench *bench = *state;
    for (int i = 0; i < 20; i++) {
        struct spool_message message = bench_message(TEXT);
        bench_add(bench, &message);
    }
    bench_start(bench);
    bench_wait_afters(bench, 20);
    bench_wait_empty(bench);
    assert_int_equal(server_count(bench->server, "CONNECT"), 1);
    assert_int_equal(server_messages(bench->server), 20);
    for (int i = 0; i < 500 && server_count(bench->server, "QUIT") == 0; i++)
        clock_sleep_us(10000);
    assert_int_equal(server_count(bench->server, "QUIT"), 1); /* an idle connection is not kept */
}

static void carries_large_content(void **state)
{
    struct bench *bench = *state;
    size_t len = 900000;
    char *content = malloc(len + 1);
    for (size_t i = 0; i < len; i++)
        content[i] = (char)('a' + i % 26);
    memcpy(content, "Subject: x\r\n\r\n", 14); /* then one line far longer than 998 */
    memcpy(content + len - 2, "\r\n", 3);
    struct spool_message message = bench_message(content);
    bench_start(bench);
    int64_t id = bench_add(bench, &message);
    assert_end(bench, SPOOL_SENT);
    const struct server_message *got = server_message(bench->server, 0);
    assert_int_equal(got->len, len);
    assert_memory_equal(got->content, content, len);
    (void)id;
    free(content);
}

/* An MTA that hangs holds up nobody who adds, and the worker can let go of it. */
static void lets_go_of_a_tarpit(void **state)
{
    struct bench *bench = *state;
    bench->options.timeout = 60000;
    bench_open_again(bench);
    server_rule(bench->server, "DATA", 0, "HANG");
    bench_start(bench);
    struct spool_message message = bench_message(TEXT);
    bench_add(bench, &message);
    for (int i = 0; i < 1000 && server_count(bench->server, "DATA") == 0; i++)
        clock_sleep_us(10000);
    int64_t began = clock_monotonic_us();
    bench_add(bench, &message);
    assert_true(clock_monotonic_us() - began < 1000000);
    began = clock_monotonic_us();
    bench_open_again(bench);
    assert_true(clock_monotonic_us() - began < 3000000);
    struct spool_entry *entries;
    assert_int_equal(bench_list(bench, &entries), 2);
    assert_int_equal(entries[0].attempts, 0); /* it was no attempt */
    assert_false(entries[0].is_being_sent);
    server_rule(bench->server, "DATA", 0, NULL);
    bench_start(bench);
    bench_wait_afters(bench, 2);
    assert_int_equal(server_messages(bench->server), 2);
}

/* Nobody at the port: one attempt, then a pause, and the others are not charged. */
static void pauses_when_nobody_is_there(void **state)
{
    struct bench *bench = *state;
    bench->options.submit = "smtp://127.0.0.1:1";
    bench_open_again(bench);
    struct spool_message message = bench_message(TEXT);
    for (int i = 0; i < 5; i++)
        bench_add(bench, &message);
    bench_start(bench);
    bench_wait_attempts(bench, 1);
    clock_sleep_us(1500000);
    struct spool_entry *entries;
    assert_int_equal(bench_list(bench, &entries), 5);
    unsigned attempts = 0;
    for (int i = 0; i < 5; i++)
        attempts += entries[i].attempts;
    assert_int_equal(attempts, 1);
    assert_non_null(strstr(entries[0].last_reply, "cannot connect"));
    /* the owner knows of all of them, and of one that comes now; each is asked about once in the pause */
    assert_int_equal(bench->befores, 5);
    bench_add(bench, &message);
    for (int i = 0; i < 500 && (bench_list(bench, &entries) < 6 || !entries[5].last_reply); i++)
        clock_sleep_us(10000);
    assert_int_equal(entries[5].attempts, 0);
    clock_sleep_us(1500000);
    assert_int_equal(bench->befores, 6);
    bench->options.submit = bench->submit;
    bench_open_again(bench);
    bench_flush(bench);
    bench_start(bench);
    bench_wait_afters(bench, 6);
}

/* TLS from the start and by STARTTLS, against a server whose certificate only our CA file vouches for. */
static void speaks_tls(void **state)
{
    struct bench *bench = *state;
    char command[600];
    if (system("openssl version >/dev/null 2>&1") != 0)
        skip();
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey rsa:2048 -nodes -keyout %s/key.pem -out %s/cert.pem -days 2 -subj /CN=localhost"
             " -addext subjectAltName=DNS:localhost >/dev/null 2>&1",
             bench->directory, bench->directory);
    assert_int_equal(system(command), 0);
    /* a port that was free a moment ago */
    struct server *spare = server_start();
    int port = server_port(spare);
    server_stop(spare);
    char at[32], cert[100], key[100], submit[200];
    snprintf(at, sizeof at, "127.0.0.1:%d", port);
    snprintf(cert, sizeof cert, "%s/cert.pem", bench->directory);
    snprintf(key, sizeof key, "%s/key.pem", bench->directory);
    snprintf(submit, sizeof submit, "smtps://localhost:%d?ca=%s", port, cert);
    /* what it decrypts it hands over to a shell, which answers as an MTA would */
    int to_server[2];
    assert_int_equal(pipe(to_server), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(to_server[0], 0);
        close(to_server[1]);
        snprintf(command, sizeof command, "%s/out", bench->directory);
        if (!freopen(command, "w", stdout))
            _exit(1);
        execlp("openssl", "openssl", "s_server", "-quiet", "-accept", at, "-cert", cert, "-key", key, (char *)NULL);
        _exit(127);
    }
    close(to_server[0]);
    const char *script = "220 tls ESMTP\r\n250 tls\r\n";
    bench->options.submit = submit;
    bench->options.timeout = 5000;
    bench_open_again(bench);
    clock_sleep_us(500000);
    struct spool_message message = bench_message(TEXT);
    bench_add(bench, &message);
    bench_start(bench);
    clock_sleep_us(500000);
    static const char *const rest[] = {"250 again\r\n", "250 mail\r\n", "250 rcpt\r\n", "354 go\r\n", "250 taken\r\n"};
    assert_true(write(to_server[1], script, strlen(script)) > 0);
    for (size_t i = 0; i < 5; i++) {
        clock_sleep_us(400000);
        assert_true(write(to_server[1], rest[i], strlen(rest[i])) > 0);
    }
    bench_wait_afters(bench, 1);
    assert_int_equal(bench->ends[0], SPOOL_SENT);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(to_server[1]);
    snprintf(command, sizeof command, "grep -q '^Subject: hello' %s/out", bench->directory);
    assert_int_equal(system(command), 0);
}

/* It is told to stop behind the final dot: it is at rest when the answer is there and written down. */
static void rests_behind_the_answer(void **state)
{
    struct bench *bench = *state;
    struct spool_message message = bench_message(TEXT);
    message.once = true;
    assert_true(spool_is_at_rest(bench->spool));
    server_delay(bench->server, "DOT", 1500);
    bench_start(bench);
    bench_add(bench, &message);
    for (int i = 0; i < 1000 && server_count(bench->server, "DOT") == 0; i++)
        clock_sleep_us(10000);
    spool_stop(bench->spool);
    assert_false(spool_is_at_rest(bench->spool));
    for (int i = 0; i < 1000 && !spool_is_at_rest(bench->spool); i++)
        clock_sleep_us(10000);
    assert_true(spool_is_at_rest(bench->spool));
    assert_int_equal(bench->afters, 1);
    assert_int_equal(bench->ends[0], SPOOL_SENT);
}

/* ---- commands sent ahead ---- */

static int set_up_ahead(void **state)
{
    bench_set_up(state);
    server_rule(((struct bench *)*state)->server, "EHLO", 0,
                "250-test\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250-DSN\r\n250 SMTPUTF8");
    return 0;
}

/* DATA was taken before it was clear that nobody is to get it: the content is never sent, and what was said about the
 * recipients counts. */
static void cuts_data_for_nobody(void **state)
{
    struct bench *bench = *state;
    static const char *const phases[] = {"MAIL", "RCPT"};
    bench_start(bench);
    for (int i = 0; i < 2; i++) {
        struct spool_message message = bench_message(TEXT);
        server_rule(bench->server, phases[i], 0, "550 5.7.1 not here");
        bench_add(bench, &message);
        bench_flush(bench);
        bench_wait_afters(bench, i + 1);
        assert_int_equal(bench->ends[i], SPOOL_REFUSED);
        server_rule(bench->server, phases[i], 0, NULL);
    }
    assert_int_equal(server_count(bench->server, "DATA"), 2);
    assert_int_equal(server_count(bench->server, "DOT"), 0);
    assert_int_equal(server_messages(bench->server), 0);
}

/* More than fit into a group go one by one; who was accepted gets it. */
static void sends_to_many(void **state)
{
    struct bench *bench = *state;
    static const char *paths[60];
    for (int i = 0; i < 60; i++)
        paths[i] = arena_printf(bench->arena, "r%d@example.org", i);
    struct spool_message message = bench_message(TEXT);
    message.forward_paths = paths;
    bench_start(bench);
    static const size_t counts[] = {2, 20, 21, 60};
    for (size_t i = 0; i < 4; i++) {
        message.forward_path_count = counts[i];
        bench_add(bench, &message);
        const struct server_message *got = server_message(bench->server, i);
        assert_non_null(got);
        size_t lines = 0;
        for (const char *p = got->rcpts; *p; p++)
            lines += *p == '\n';
        assert_int_equal(lines, counts[i]);
    }
    bench_wait_empty(bench);
}

/* With its entry, read with its entry, or in parts: what arrives is what was added. */
static void arrives_whole(void **state)
{
    struct bench *bench = *state;
    static const size_t sizes[] = {4, 70, 2999, 3000, 3001, 4096, 16384, 16386, 262144, 262146, 600000};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    char *text[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        text[i] = malloc(sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++)
            text[i][k] = (char)('a' + (k * 7 + k / 90 + i) % 26);
        for (size_t k = 78; k + 4 < sizes[i]; k += 80)
            memcpy(text[i] + k, "\r\n", 2);
        memcpy(text[i] + sizes[i] - 2, "\r\n", 2);
        struct spool_message message = bench_message("");
        message.content = (struct span){text[i], sizes[i]};
        bench_add(bench, &message);
    }
    bench_start(bench);
    bench_wait_empty(bench);
    assert_int_equal(server_messages(bench->server), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const struct server_message *got = server_message(bench->server, (int)i);
        if (got->len != sizes[i] || memcmp(got->content, text[i], sizes[i]) != 0)
            fail_msg("%zu octets: %zu arrived", sizes[i], got->len);
        free(text[i]);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_set_up, bench_tear_down)
#define BOTH(function) TEST(function), AHEAD(function)
#define AHEAD(function) {#function " (ahead)", function, set_up_ahead, bench_tear_down, NULL}

int main(void)
{
    log_open(&(struct log_options){"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0});
    const struct CMUnitTest tests[] = {
        BOTH(sends),
        TEST(leaves_out_what_is_not_offered),
        BOTH(announces_what_it_sends),
        TEST(needs_smtputf8),
        TEST(minds_the_size),
        TEST(speaks_helo),
        TEST(minds_refusals),
        AHEAD(cuts_data_for_nobody),
        BOTH(tries_again),
        BOTH(survives_broken_servers),
        BOTH(decides_doubt),
        BOTH(minds_421_to_the_dot),
        BOTH(keeps_each_recipients_fate),
        BOTH(sends_to_many),
        TEST(refuses_when_all_are_refused),
        BOTH(shares_a_connection),
        BOTH(carries_large_content),
        BOTH(lets_go_of_a_tarpit),
        TEST(pauses_when_nobody_is_there),
        BOTH(rests_behind_the_answer),
        TEST(speaks_tls),
        TEST(arrives_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
