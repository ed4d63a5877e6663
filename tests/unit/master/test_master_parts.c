/*
 * The parts of the master that need no process: endpoints, the worker program's answer, counters, the loop, the link.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "unit.h"

#include "master/endpoint.h"
#include "master/link.h"
#include "master/loop.h"
#include "master/setup.h"
#include "master/tally.h"
#include "util/clock.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

static void test_endpoint(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *why; /* NULL: fine */
        int family, port;
        const char *address;
    } rows[] = {
        {"unix:/run/x", NULL, AF_UNIX, 0, "/run/x"},
        {"local:/run/x", NULL, AF_UNIX, 0, "/run/x"},
        {"/run/x", NULL, AF_UNIX, 0, "/run/x"},
        {"inet:8891@127.0.0.1", NULL, AF_INET, 8891, "127.0.0.1"},
        {"inet:8891@localhost", NULL, AF_INET, 8891, "127.0.0.1"},
        {"inet:8891", NULL, AF_INET, 8891, "0.0.0.0"},
        {"inet6:65535@::1", NULL, AF_INET6, 65535, "::1"},
        {"inet6:1@localhost", NULL, AF_INET6, 1, "::1"},
        {"inet6:1", NULL, AF_INET6, 1, "::"},
        {"", "s: \"\" is neither", 0, 0, NULL},
        {"unix:", "s: \"\" is no absolute path", 0, 0, NULL},
        {"unix:run/x", "s: \"run/x\" is no absolute path", 0, 0, NULL},
        {"inet:", "has no port", 0, 0, NULL},
        {"inet:0@127.0.0.1", "has no port", 0, 0, NULL},
        {"inet:65536", "has no port", 0, 0, NULL},
        {"inet: 25", "has no port", 0, 0, NULL},
        {"inet:25x", "has no port", 0, 0, NULL},
        {"inet:25@", "\"\" is no IPv4 address", 0, 0, NULL},
        {"inet:25@::1", "\"::1\" is no IPv4 address", 0, 0, NULL},
        {"inet6:25@127.0.0.1", "is no IPv6 address", 0, 0, NULL},
        {"inet:25@mail.example.net", "is no IPv4 address and not localhost", 0, 0, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct endpoint endpoint;
        struct strbuf why;
        char text[128];
        strbuf_init(&why, 0);
        int result = endpoint_parse(&endpoint, "s", rows[i].spec, &why);
        if (rows[i].why) {
            assert_int_equal(result, -1);
            assert_non_null(strstr(strbuf_text(&why), rows[i].why));
        } else {
            assert_int_equal(result, 0);
            assert_int_equal(endpoint.address.any.sa_family, rows[i].family);
            if (rows[i].family == AF_INET6)
                inet_ntop(AF_INET6, &endpoint.address.in6.sin6_addr, text, sizeof text);
            else if (rows[i].family == AF_INET)
                inet_ntop(AF_INET, &endpoint.address.in.sin_addr, text, sizeof text);
            else
                snprintf(text, sizeof text, "%s", endpoint.address.un.sun_path);
            assert_string_equal(text, rows[i].address);
            if (rows[i].port)
                assert_int_equal(ntohs(endpoint.address.in.sin_port), rows[i].port); /* the same place in both */
        }
        strbuf_free(&why);
    }
}

static void test_path_length(void **state)
{
    (void)state;
    char path[200];
    for (size_t len = 107; len <= 108; len++) {
        struct endpoint endpoint;
        struct strbuf why;
        strbuf_init(&why, 0);
        memset(path, 'x', len);
        path[0] = '/';
        path[len] = '\0';
        assert_int_equal(endpoint_parse(&endpoint, "socket", path, &why), len == 107 ? 0 : -1);
        if (len == 108)
            assert_non_null(strstr(strbuf_text(&why), "the path is 108 bytes long, a unix socket's may have 107"));
        strbuf_free(&why);
    }
}

static void test_setup(void **state)
{
    (void)state;
    struct setup setup, other;
    struct strbuf why;
    strbuf_init(&why, 0);
    assert_int_equal(setup_parse(&setup,
                                 "socket=unix:/a=b\nsocket_mode=0606\nuser=\ncontrol=/c\ndrain_timeout=3600000000\n"
                                 "log_target=1\nlog_format=1\nlog_level=3\nlog_facility=16\nfuture=thing\n",
                                 &why),
                     0);
    assert_string_equal(setup.socket, "unix:/a=b");
    assert_int_equal(setup.socket_mode, 0606);
    assert_string_equal(setup.user, "");
    assert_true(setup.drain_timeout == 3600000000);
    assert_int_equal(setup.log.target, LOG_TO_SYSLOG);
    assert_int_equal(setup.log.format, LOG_AS_JSON);
    assert_int_equal(setup.log.level, LEVEL_DEBUG);
    assert_int_equal(setup.log.facility, LOG_MAIL);

    static const char *const bad[] = {
        "control=/c\n",       "socket=/s\n",
        "nonsense\n",         "socket=/s\ncontrol=/c\nsocket_mode=0668\n",
        "log_level=4\n",      "log_target=-1\n",
        "drain_timeout=\n",   "drain_timeout=1s\n",
        "drain_timeout=-5\n", "drain_timeout=99999999999999999999\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(setup_parse(&other, bad[i], &why), -1);
        assert_true(why.len > 0);
        strbuf_free(&why);
    }

    other = setup;
    other.drain_timeout = 1;
    other.log.level = LEVEL_ERROR;
    setup_compare(&setup, &other, &why);
    assert_string_equal(strbuf_text(&why), ""); /* those a reload can change */
    snprintf(other.user, sizeof other.user, "x");
    snprintf(other.control, sizeof other.control, "x");
    setup_compare(&setup, &other, &why);
    assert_string_equal(strbuf_text(&why), "user, control");
    strbuf_free(&why);
}

static void test_tally(void **state)
{
    (void)state;
    struct tally tally = {0};
    struct strbuf out;
    strbuf_init(&out, 0);
    tally_add_report(&tally, "sessions=5\nconfig=/c\nchecksum=12\naccept=2\nwhy.helo.not-fqdn=1\n");
    tally_add_report(&tally,
                     "accept=40\nword=x\nempty=\nnegative=-1\nhalf=1x\n=3\nno line\nhuge=99999999999999999999\nlast=7");
    tally_print(&tally, &out);
    assert_string_equal(strbuf_text(&out), "counter.accept=42\ncounter.why.helo.not-fqdn=1\ncounter.last=7\n");
    strbuf_free(&out);
    tally_free(&tally);
    assert_true(span_equals(tally_find("a=1\nconfig=/x=y\n", "config"), "/x=y"));
    assert_null(tally_find("aa=1\n", "a").ptr);
}

struct trace {
    struct loop loop;
    struct loop_timer a, b, c;
    char order[8];
};

static void note(struct trace *trace, char what)
{
    trace->order[strlen(trace->order)] = what;
}

static void on_a(void *context)
{
    struct trace *trace = context;
    note(trace, 'a');
    loop_stop_timer(&trace->loop, &trace->b); /* due as well by now, and yet not to fire */
    loop_start_timer(&trace->loop, &trace->c, 1000);
}

static void on_b(void *context)
{
    note(context, 'b');
}

static void on_c(void *context)
{
    struct trace *trace = context;
    note(trace, 'c');
    if (strlen(trace->order) < 3)
        loop_start_timer(&trace->loop, &trace->c, 1000);
    else
        loop_stop(&trace->loop);
}

static void test_loop_timers(void **state)
{
    (void)state;
    struct trace trace = {.order = ""};
    loop_init(&trace.loop);
    trace.a = (struct loop_timer){.on_due = on_a, .context = &trace};
    trace.b = (struct loop_timer){.on_due = on_b, .context = &trace};
    trace.c = (struct loop_timer){.on_due = on_c, .context = &trace};
    loop_start_timer(&trace.loop, &trace.c, 60000000);
    loop_start_timer(&trace.loop, &trace.a, 0);
    loop_start_timer(&trace.loop, &trace.b, 1);
    usleep(1000);
    alarm(10);
    assert_int_equal(loop_run(&trace.loop), 0);
    alarm(0);
    assert_string_equal(trace.order, "acc");
}

struct pair {
    struct loop loop;
    struct loop_watch watches[2];
    int calls;
};

static void on_either(void *context, short revents)
{
    struct pair *pair = context;
    (void)revents;
    pair->calls++;
    loop_unwatch(&pair->loop, &pair->watches[0]); /* both are ready; the first to be called takes both out */
    loop_unwatch(&pair->loop, &pair->watches[1]);
    loop_stop(&pair->loop);
}

static void test_loop_unwatch_inside(void **state)
{
    (void)state;
    struct pair pair = {0};
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    loop_init(&pair.loop);
    for (int i = 0; i < 2; i++) {
        pair.watches[i] = (struct loop_watch){.fd = fds[i], .events = POLLOUT, .on_event = on_either, .context = &pair};
        assert_int_equal(loop_watch(&pair.loop, &pair.watches[i]), 0);
    }
    assert_int_equal(loop_run(&pair.loop), 0);
    assert_int_equal(pair.calls, 1);
    assert_int_equal(pair.loop.count, 0);
    close(fds[0]);
    close(fds[1]);
}

struct heard {
    int drains, orphaned;
    size_t lines;
};

static void heard_drain(void *context)
{
    ((struct heard *)context)->drains++;
}

static void heard_report(void *context, struct strbuf *out)
{
    strbuf_puts(out, "sessions=1\n");
    for (size_t i = 1; i < ((struct heard *)context)->lines; i++)
        strbuf_printf(out, "counter-with-a-name-%zu=12345678\n", i);
}

static void heard_orphaned(void *context)
{
    ((struct heard *)context)->orphaned++;
}

static void test_link(void **state)
{
    (void)state;
    static char text[LINK_TEXT_MAX + 1];
    int fds[2];
    struct heard heard = {.lines = 5000};
    const struct link_handler handler = {heard_drain, heard_report, heard_orphaned, &heard};
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    assert_int_equal(link_receive(fds[0], text), -1);
    assert_int_equal(link_send_ready(fds[1]), 0);
    assert_int_equal(link_tell(fds[0], "drain"), 0);
    assert_int_equal(link_tell(fds[0], "a word of a later version"), 0);
    assert_int_equal(link_tell(fds[0], "report"), 0);
    assert_int_equal(link_tell(fds[0], "drain"), 0);
    shutdown(fds[0], SHUT_WR);
    alarm(10);
    link_serve(fds[1], &handler);
    alarm(0);
    assert_int_equal(heard.drains, 1);
    assert_int_equal(heard.orphaned, 1);
    close(fds[1]);
    assert_int_equal(link_receive(fds[0], text), 5);
    assert_string_equal(text, "ready");
    ssize_t len = link_receive(fds[0], text);
    assert_in_range(len, LINK_TEXT_MAX - 64, LINK_TEXT_MAX);
    assert_int_equal(text[len - 1], '\n'); /* cut at a line */
    assert_memory_equal(text, "report\nsessions=1\n", 18);
    assert_int_equal(link_receive(fds[0], text), 0);
    assert_int_equal(link_tell(fds[0], "drain"), -1);
    close(fds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endpoint), cmocka_unit_test(test_path_length), cmocka_unit_test(test_setup),
        cmocka_unit_test(test_tally),    cmocka_unit_test(test_loop_timers), cmocka_unit_test(test_loop_unwatch_inside),
        cmocka_unit_test(test_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
