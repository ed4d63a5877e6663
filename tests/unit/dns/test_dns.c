/*
 * dns against a real name server on the loopback, against a socket that never answers, against one that answers late,
 * against a port where nobody is; and the fake.
 */
#include "unit.h"

#include "dns/dns.h"
#include "util/clock.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[64], server[32];
static pid_t nsd;

static int bind_udp(uint16_t *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static struct dns *resolver_at(const char *where)
{
    const char *items[] = {where}, *why = "";
    struct dns *dns = dns_create(&(struct string_list){1, items}, &why);
    if (!dns)
        fail_msg("dns_create: %s", why);
    return dns;
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

#define ZONE_HEAD "$TTL 60\n@ SOA ns hostmaster 1 60 60 60 60\n@ NS ns\nns A 192.0.2.53\n"

static void write_nsd_files(uint16_t port)
{
    static const char *const zones[] = {"example.net", "example.test", "10.in-addr.arpa"};
    char conf[2048];
    int n = snprintf(conf, sizeof conf,
                     "server:\n ip-address: 127.0.0.1@%u\n zonesdir: \"%s\"\n pidfile: \"%s/pid\"\n username: \"\"\n"
                     " chroot: \"\"\n database: \"\"\n xfrdfile: \"%s/xfrd\"\n zonelistfile: \"%s/list\"\n"
                     " logfile: \"%s/log\"\n xfrdir: \"%s\"\n server-count: 1\nremote-control:\n control-enable: no\n",
                     port, directory, directory, directory, directory, directory, directory);
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        n += snprintf(conf + n, sizeof conf - (size_t)n, "zone:\n name: %s\n zonefile: %s\n", zones[i], zones[i]);
    write_file("nsd.conf", conf);
    write_file("example.net", ZONE_HEAD "www A 192.0.2.1\nv6 AAAA 2001:db8::1\nmail MX 10 www\nwords TXT \"v=spf1 -all\"\n"
                                        "alias CNAME www\ndangling CNAME nowhere\nunder_score A 192.0.2.2\n");
    write_file("example.test", ZONE_HEAD "www A 192.0.2.1\n");
    write_file("10.in-addr.arpa", ZONE_HEAD "1.0.0 PTR host.example.net.\n");
}

/* Asks for the SOA of example.net until somebody answers. */
static bool nsd_is_ready(uint16_t port)
{
    static const char query[] = "\x12\x34\0\0\0\1\0\0\0\0\0\0\7example\3net\0\0\6\0\1";
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval wait = {.tv_usec = 100000};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ready = false;
    connect(fd, (struct sockaddr *)&to, sizeof to);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    for (int i = 0; i < 200 && !ready; i++) {
        char answer[512];
        if (send(fd, query, sizeof query - 1, 0) > 0 && recv(fd, answer, sizeof answer, 0) > 12)
            ready = (answer[3] & 15) == 0;
        if (!ready)
            usleep(50000);
    }
    close(fd);
    return ready;
}

static int start_nsd(void **state)
{
    (void)state;
    uint16_t port;
    strcpy(directory, "/tmp/postern-dns-XXXXXX");
    assert_non_null(mkdtemp(directory));
    close(bind_udp(&port));
    snprintf(server, sizeof server, "127.0.0.1@%u", port);
    write_nsd_files(port);
    char conf[128];
    snprintf(conf, sizeof conf, "%s/nsd.conf", directory);
    nsd = fork();
    if (nsd == 0) {
        setpgid(0, 0);
        execlp("nsd", "nsd", "-d", "-c", conf, (char *)NULL);
        execl("/usr/sbin/nsd", "nsd", "-d", "-c", conf, (char *)NULL);
        _exit(127);
    }
    if (!nsd_is_ready(port)) {
        fprintf(stderr, "nsd did not start; see %s/log\n", directory);
        return -1;
    }
    return 0;
}

static int stop_nsd(void **state)
{
    (void)state;
    static const char *const files[] = {"nsd.conf", "example.net", "example.test", "10.in-addr.arpa",
                                        "pid",      "xfrd",        "list",         "log"};
    kill(nsd, SIGTERM);
    waitpid(nsd, NULL, 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", directory, files[i]);
        unlink(path);
    }
    rmdir(directory);
    return 0;
}

static const struct dns_fake_row table[] = {
    {"www.example.net", DNS_A, DNS_ANSWER},        {"www.example.net", DNS_AAAA, DNS_NODATA},
    {"www.example.net", DNS_MX, DNS_NODATA},       {"v6.example.net", DNS_AAAA, DNS_ANSWER},
    {"v6.example.net", DNS_A, DNS_NODATA},         {"mail.example.net", DNS_MX, DNS_ANSWER},
    {"words.example.net", DNS_TXT, DNS_ANSWER},    {"alias.example.net", DNS_A, DNS_ANSWER},
    {"alias.example.net", DNS_MX, DNS_NODATA},     {"dangling.example.net", DNS_A, DNS_NXDOMAIN},
    {"nowhere.example.net", DNS_A, DNS_NXDOMAIN},  {"under_score.example.net", DNS_A, DNS_ANSWER},
    {"1.0.0.10.in-addr.arpa", DNS_PTR, DNS_ANSWER}, {"www.example.test", DNS_A, DNS_ANSWER},
    {"www.example.org", DNS_A, DNS_SERVFAIL}, /* nsd refuses what it does not serve */
};
#define TABLE_COUNT (sizeof table / sizeof *table)

static void check_table(struct dns *dns)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        enum dns_outcome outcome = dns_lookup(dns, table[i].name, table[i].type, 10000);
        if (outcome != table[i].outcome)
            fail_msg("%s type %d: %s, not %s", table[i].name, table[i].type, dns_outcome_name(outcome),
                     dns_outcome_name(table[i].outcome));
    }
}

static void test_answers(void **state)
{
    (void)state;
    struct dns *dns = resolver_at(server);
    check_table(dns);
    check_table(dns); /* now out of the cache */
    dns_destroy(dns);
}

static void *ask_much(void *dns)
{
    size_t wrong = 0;
    for (size_t i = 0; i < 20 * TABLE_COUNT; i++) {
        const struct dns_fake_row *row = &table[i % TABLE_COUNT];
        wrong += row->outcome != DNS_SERVFAIL && dns_lookup(dns, row->name, row->type, 10000) != row->outcome;
    }
    return (void *)wrong;
}

static void test_many_threads(void **state)
{
    (void)state;
    struct dns *dns = resolver_at(server);
    pthread_t threads[16];
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_much, dns), 0);
    for (size_t i = 0; i < 16; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_int_equal((size_t)wrong, 0);
    }
    dns_destroy(dns);
}

static void *ask_silent(void *dns)
{
    return (void *)(uintptr_t)dns_lookup(dns, "www.example.net", DNS_A, 200);
}

/* Nobody answers: each waiter comes back at its deadline, and what is still pending ends with the resolver. */
static void test_silence(void **state)
{
    (void)state;
    uint16_t port;
    char where[32];
    int fd = bind_udp(&port);
    snprintf(where, sizeof where, "127.0.0.1@%u", port);
    struct dns *dns = resolver_at(where);
    int64_t start = clock_monotonic_us();
    assert_int_equal(dns_lookup(dns, "mail.example.net", DNS_MX, 300), DNS_TIMEOUT);
    int64_t took = clock_monotonic_us() - start;
    assert_in_range(took, 290000, 2000000);
    assert_int_equal(dns_lookup(dns, "mail.example.net", DNS_MX, 0), DNS_TIMEOUT);
    pthread_t threads[8];
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_silent, dns), 0);
    for (size_t i = 0; i < 8; i++) {
        void *outcome;
        pthread_join(threads[i], &outcome);
        assert_int_equal((uintptr_t)outcome, DNS_TIMEOUT);
    }
    dns_destroy(dns);
    close(fd);
}

static void test_nobody_there(void **state)
{
    (void)state;
    uint16_t port;
    char where[32];
    close(bind_udp(&port));
    snprintf(where, sizeof where, "127.0.0.1@%u", port);
    struct dns *dns = resolver_at(where);
    int64_t start = clock_monotonic_us();
    enum dns_outcome outcome = dns_lookup(dns, "www.example.net", DNS_A, 1000);
    assert_true(outcome == DNS_SERVFAIL || outcome == DNS_TIMEOUT);
    assert_in_range(clock_monotonic_us() - start, 0, 3000000);
    dns_destroy(dns);
}

/* Answers the first query with one A record after 250 ms, and never again: within the 376 ms after which unbound asks again. */
static void *answer_late(void *object)
{
    int fd = *(int *)object;
    char packet[600];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    ssize_t n = recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &len);
    if (n < 17)
        return NULL;
    usleep(250000);
    static const char record[] = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1";
    size_t end = 12;
    while (packet[end]) /* the question's name, then type and class */
        end += 1 + (unsigned char)packet[end];
    end += 5;
    packet[2] = (char)0x81;
    packet[3] = (char)0x80;
    packet[7] = 1;               /* one answer */
    packet[9] = packet[11] = 0;  /* no authority, no EDNS */
    memcpy(packet + end, record, sizeof record - 1);
    sendto(fd, packet, end + sizeof record - 1, 0, (struct sockaddr *)&from, len);
    return NULL;
}

/* A late answer is of use to the next one who asks. */
static void test_late_answer(void **state)
{
    (void)state;
    uint16_t port;
    char where[32];
    int fd = bind_udp(&port);
    pthread_t thread;
    snprintf(where, sizeof where, "127.0.0.1@%u", port);
    assert_int_equal(pthread_create(&thread, NULL, answer_late, &fd), 0);
    struct dns *dns = resolver_at(where);
    assert_int_equal(dns_lookup(dns, "late.example.net", DNS_A, 100), DNS_TIMEOUT);
    pthread_join(thread, NULL);
    usleep(200000);
    assert_int_equal(dns_lookup(dns, "late.example.net", DNS_A, 1000), DNS_ANSWER);
    dns_destroy(dns);
    close(fd);
}

static void test_bad_servers(void **state)
{
    (void)state;
    static const char *const bad[] = {"ns.example.net", "127.0.0.1@", "1.2.3", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *items[] = {bad[i]}, *why = NULL;
        struct dns *dns = dns_create(&(struct string_list){1, items}, &why);
        if (dns)
            fail_msg("\"%s\" was taken for a name server", bad[i]);
        assert_non_null(why);
    }
    dns_destroy(NULL);
}

static void test_resolv_conf(void **state)
{
    (void)state;
    const char *why = NULL;
    struct dns *dns = dns_create(&(struct string_list){0, NULL}, &why);
    assert_non_null(dns);
    assert_null(why);
    dns_destroy(dns);
}

static void test_fake(void **state)
{
    (void)state;
    struct dns *dns = dns_create_fake(table, TABLE_COUNT);
    check_table(dns);
    assert_int_equal(dns_lookup(dns, "www.example.net", DNS_TXT, 0), DNS_NXDOMAIN);
    assert_int_equal(dns_lookup(dns, "other.example.net", DNS_A, 0), DNS_NXDOMAIN);
    dns_destroy(dns);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(dns_outcome_name(DNS_ANSWER), "answer");
    assert_string_equal(dns_outcome_name(DNS_BOGUS), "bogus");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),     cmocka_unit_test(test_many_threads), cmocka_unit_test(test_silence),
        cmocka_unit_test(test_nobody_there), cmocka_unit_test(test_late_answer), cmocka_unit_test(test_bad_servers),
        cmocka_unit_test(test_resolv_conf), cmocka_unit_test(test_fake),         cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, start_nsd, stop_nsd);
}
