/*
 * dns against a real name server on the loopback, against a socket that never answers, against one that answers late,
 * against a slow one that counts what it is asked, against a port where nobody is; and the fake.
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

static struct arena *arena;

static enum dns_outcome ask(struct dns *dns, const char *name, enum dns_type type, int64_t timeout_ms)
{
    struct dns_budget budget = {clock_monotonic_us() + timeout_ms * 1000, timeout_ms * 1000, 1};
    struct arena *own = arena_create(1024); /* threads ask at the same time */
    enum dns_outcome outcome = dns_query(dns, &budget, own, name, type)->outcome;
    arena_destroy(own);
    return outcome;
}

static const struct dns_answer *records_of(struct dns *dns, const char *name, enum dns_type type)
{
    struct dns_budget budget = {clock_monotonic_us() + 10000000, 10000000, 1};
    return dns_query(dns, &budget, arena, name, type);
}

static struct dns *create_at(const char *where, const char **why)
{
    const char *items[] = {where};
    struct string_list list = {1, items};
    return dns_create(&(struct dns_options){.servers = &list, .cache_size = 1 << 20}, why);
}

static struct dns *resolver_at(const char *where)
{
    const char *why = "";
    struct dns *dns = create_at(where, &why);
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

/* A TXT record that does not fit into a datagram. */
static void write_big_record(char *zone, size_t size)
{
    size_t used = strlen(zone);
    used += (size_t)snprintf(zone + used, size - used, "big TXT");
    for (int i = 0; i < 40; i++)
        used += (size_t)snprintf(zone + used, size - used, " \"%0200d\"", i);
    snprintf(zone + used, size - used, "\n");
}

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
    static char zone[16384] = ZONE_HEAD "www A 192.0.2.1\nv6 AAAA 2001:db8::1\nmail MX 10 www\nwords TXT \"v=spf1 -all\"\n"
                                        "joined TXT \"v=spf1 ip4:192.0\" \".2.1 -all\"\nsp\\032ce\\092 A 192.0.2.4\nodd MX 10 a\\.b\\000c.Host\n"
                                        "two A 192.0.2.1\ntwo A 192.0.2.2\nalias CNAME www\ndangling CNAME nowhere\nunder_score A 192.0.2.2\n";
    write_big_record(zone, sizeof zone);
    write_file("example.net", zone);
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

/* nsd wants one port for both; one that is free for UDP may be taken for TCP. */
static uint16_t find_port(void)
{
    for (int i = 0; i < 100; i++) {
        uint16_t port;
        int udp = bind_udp(&port), tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in at = {
            .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        bool is_free = bind(tcp, (struct sockaddr *)&at, sizeof at) == 0;
        close(tcp);
        close(udp);
        if (is_free)
            return port;
    }
    return 0;
}

static int start_nsd(void **state)
{
    (void)state;
    uint16_t port;
    strcpy(directory, "/tmp/postern-dns-XXXXXX");
    assert_non_null(mkdtemp(directory));
    port = find_port();
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
    {"www.example.net", DNS_A, DNS_ANSWER, "192.0.2.1"},
    {"www.example.net", DNS_AAAA, DNS_NODATA, NULL},
    {"www.example.net", DNS_MX, DNS_NODATA, NULL},
    {"v6.example.net", DNS_AAAA, DNS_ANSWER, "2001:db8::1"},
    {"v6.example.net", DNS_A, DNS_NODATA, NULL},
    {"mail.example.net", DNS_MX, DNS_ANSWER, "10 www.example.net"},
    {"words.example.net", DNS_TXT, DNS_ANSWER, "v=spf1 -all"},
    {"joined.example.net", DNS_TXT, DNS_ANSWER, "v=spf1 ip4:192.0.2.1 -all"},
    {"alias.example.net", DNS_CNAME, DNS_ANSWER, "www.example.net"},
    {"alias.example.net", DNS_A, DNS_ANSWER, "192.0.2.1"},
    {"alias.example.net", DNS_MX, DNS_NODATA, NULL},
    {"dangling.example.net", DNS_A, DNS_NXDOMAIN, NULL},
    {"nowhere.example.net", DNS_A, DNS_NXDOMAIN, NULL},
    {"under_score.example.net", DNS_A, DNS_ANSWER, "192.0.2.2"},
    {"sp ce\\.example.net", DNS_A, DNS_ANSWER, "192.0.2.4"}, /* bytes, not the presentation format */
    {"1.0.0.10.in-addr.arpa", DNS_PTR, DNS_ANSWER, "host.example.net"},
    {"www.example.test", DNS_A, DNS_ANSWER, "192.0.2.1"},
    {"www.example.org", DNS_A, DNS_SERVFAIL, NULL}, /* nsd refuses what it does not serve */
    {"a..example.net", DNS_A, DNS_SERVFAIL, NULL},  /* what cannot be asked for */
    {"", DNS_A, DNS_SERVFAIL, NULL},
    {"l234567890123456789012345678901234567890123456789012345678901234.example.net", DNS_A, DNS_SERVFAIL, NULL},
};
#define TABLE_COUNT (sizeof table / sizeof *table)

static void check_table(struct dns *dns)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        enum dns_outcome outcome = ask(dns, table[i].name, table[i].type, 10000);
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
        wrong += row->outcome != DNS_SERVFAIL && ask(dns, row->name, row->type, 10000) != row->outcome;
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
    return (void *)(uintptr_t)ask(dns, "www.example.net", DNS_A, 200);
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
    assert_int_equal(ask(dns, "mail.example.net", DNS_MX, 300), DNS_TIMEOUT);
    int64_t took = clock_monotonic_us() - start;
    assert_in_range(took, 290000, 2000000);
    assert_int_equal(ask(dns, "mail.example.net", DNS_MX, 0), DNS_TIMEOUT);
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
    enum dns_outcome outcome = ask(dns, "www.example.net", DNS_A, 1000);
    assert_true(outcome == DNS_SERVFAIL || outcome == DNS_TIMEOUT);
    assert_in_range(clock_monotonic_us() - start, 0, 3000000);
    dns_destroy(dns);
}

/* Answers the first query with one A record after 250 ms, and never again: within the 376 ms after which unbound asks
 * again. */
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
    assert_int_equal(ask(dns, "late.example.net", DNS_A, 100), DNS_TIMEOUT);
    pthread_join(thread, NULL);
    usleep(200000);
    assert_int_equal(ask(dns, "late.example.net", DNS_A, 1000), DNS_ANSWER);
    dns_destroy(dns);
    close(fd);
}

static void test_bad_servers(void **state)
{
    (void)state;
    static const char *const bad[] = {"ns.example.net", "127.0.0.1@", "1.2.3", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *why = NULL;
        struct dns *dns = create_at(bad[i], &why);
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
    struct dns *dns = dns_create(&(struct dns_options){0}, &why);
    assert_non_null(dns);
    assert_null(why);
    dns_destroy(dns);
}

static void test_records(void **state)
{
    (void)state;
    struct dns *dns = resolver_at(server);
    char text[NETADDR_TEXT_SIZE];
    const struct dns_answer *answer = records_of(dns, "two.example.net", DNS_A);
    assert_int_equal(answer->count, 2);
    assert_int_equal(answer->records[0].addr.bytes[3] + answer->records[1].addr.bytes[3], 3);
    answer = records_of(dns, "v6.example.net", DNS_AAAA);
    assert_string_equal(netaddr_format(&answer->records[0].addr, text), "2001:db8::1");
    answer = records_of(dns, "mail.example.net", DNS_MX);
    assert_int_equal(answer->records[0].preference, 10);
    assert_string_equal(answer->records[0].name, "www.example.net");
    answer = records_of(dns, "odd.example.net", DNS_MX);
    assert_string_equal(answer->records[0].name, "a?b?c.host.example.net");
    answer = records_of(dns, "1.0.0.10.in-addr.arpa", DNS_PTR);
    assert_string_equal(answer->records[0].name, "host.example.net");
    answer = records_of(dns, "joined.example.net", DNS_TXT);
    assert_int_equal(answer->count, 1);
    assert_string_equal(answer->records[0].text.ptr, "v=spf1 ip4:192.0.2.1 -all");
    assert_int_equal(answer->records[0].text.len, strlen(answer->records[0].text.ptr));
    answer = records_of(dns, "alias.example.net", DNS_A);
    assert_string_equal(netaddr_format(&answer->records[0].addr, text), "192.0.2.1");
    answer = records_of(dns, "big.example.net", DNS_TXT); /* over TCP */
    assert_int_equal(answer->outcome, DNS_ANSWER);
    assert_int_equal(answer->records[0].text.len, 40 * 200);
    dns_destroy(dns);
}

static void test_budget(void **state)
{
    (void)state;
    struct dns *dns = dns_create_fake(table, TABLE_COUNT);
    struct dns_budget budget = {clock_monotonic_us() + 1000000, 1000000, 2};
    assert_int_equal(dns_query(dns, &budget, arena, "www.example.net", DNS_A)->outcome, DNS_ANSWER);
    assert_int_equal(dns_query(dns, &budget, arena, "nowhere.example.net", DNS_A)->outcome, DNS_NXDOMAIN);
    assert_int_equal(budget.queries_left, 0);
    assert_int_equal(dns_query(dns, &budget, arena, "www.example.net", DNS_A)->outcome, DNS_TIMEOUT);
    budget = (struct dns_budget){clock_monotonic_us() - 1, 1000000, 2};
    assert_int_equal(dns_query(dns, &budget, arena, "www.example.net", DNS_A)->outcome, DNS_TIMEOUT);
    assert_int_equal(dns_query(dns, &budget, arena, "a..b", DNS_A)->outcome, DNS_SERVFAIL);
    assert_string_equal(dns_fake_log(dns), "www.example.net A nowhere.example.net A");
    dns_destroy(dns);
}

/* Answers whatever it is asked with one TXT record, each after SLOW_MS, and counts the questions. */
#define SLOW_MS 3000
#define SLOW_NAMES 8
struct slow {
    int fd;
    unsigned asked;
};

static void answer_text(int fd, char *packet, const struct sockaddr_in *to)
{
    static const char record[] = "\xc0\x0c\0\x10\0\1\0\0\0\0\0\6\5hello"; /* TTL 0 */
    size_t end = 12;
    while (packet[end])
        end += 1 + (unsigned char)packet[end];
    end += 5;
    packet[2] = (char)0x81;
    packet[3] = (char)0x80;
    packet[7] = 1;
    packet[9] = packet[11] = 0;
    memcpy(packet + end, record, sizeof record - 1);
    sendto(fd, packet, end + sizeof record - 1, 0, (const struct sockaddr *)to, sizeof *to);
}

/* Each name once: libunbound asks again before the three seconds are over, and is not answered twice. */
static void *answer_slowly(void *object)
{
    struct slow *slow = object;
    struct { char packet[600]; struct sockaddr_in from; int64_t due; } waiting[SLOW_NAMES];
    size_t held = 0, sent = 0;
    char seen[SLOW_NAMES];
    while (sent < SLOW_NAMES) {
        char packet[600];
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        struct timeval wait = {.tv_usec = 20000};
        setsockopt(slow->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
        ssize_t n = recvfrom(slow->fd, packet, 512, 0, (struct sockaddr *)&from, &len);
        if (n >= 17 && held < SLOW_NAMES && !memchr(seen, packet[13], held)) {
            seen[held] = packet[13]; /* the names differ in their first letter */
            memcpy(waiting[held].packet, packet, sizeof packet);
            waiting[held].from = from;
            waiting[held++].due = clock_monotonic_us() + SLOW_MS * 1000;
        }
        for (size_t i = 0; n >= 17 && i < held; i++) { /* the last transmission is the one unbound waits for */
            if (seen[i] == packet[13]) {
                memcpy(waiting[i].packet, packet, sizeof packet);
                waiting[i].from = from;
            }
        }
        while (sent < held && waiting[sent].due <= clock_monotonic_us()) {
            answer_text(slow->fd, waiting[sent].packet, &waiting[sent].from);
            sent++;
        }
    }
    slow->asked = (unsigned)held;
    return NULL;
}

/* Eight look-ups of three seconds each take three seconds, and each is asked for once although it was prefetched. */
static void test_prefetch(void **state)
{
    (void)state;
    uint16_t port;
    char where[32];
    struct slow slow = {.fd = bind_udp(&port)};
    pthread_t thread;
    snprintf(where, sizeof where, "127.0.0.1@%u", port);
    assert_int_equal(pthread_create(&thread, NULL, answer_slowly, &slow), 0);
    struct dns *dns = resolver_at(where);
    int64_t start = clock_monotonic_us();
    char name[] = "?.example.net";
    for (name[0] = 'a'; name[0] < 'a' + SLOW_NAMES; name[0]++)
        dns_prefetch(dns, name, DNS_TXT);
    dns_prefetch(dns, "not..sound", DNS_TXT);
    assert_true(clock_monotonic_us() - start < 500000); /* nobody waited */
    for (name[0] = 'a'; name[0] < 'a' + SLOW_NAMES; name[0]++) {
        const struct dns_answer *answer = records_of(dns, name, DNS_TXT);
        assert_int_equal(answer->outcome, DNS_ANSWER);
        assert_string_equal(answer->records[0].text.ptr, "hello");
    }
    int64_t took = clock_monotonic_us() - start;
    assert_in_range(took, SLOW_MS * 1000 - 100000, 2 * SLOW_MS * 1000 - 500000);
    /* The server answers each name once: what is asked now comes out of the cache, although its owner said TTL 0. */
    pthread_join(thread, NULL);
    assert_int_equal(slow.asked, SLOW_NAMES);
    assert_int_equal(ask(dns, "a.example.net", DNS_TXT, 1000), DNS_ANSWER);
    dns_destroy(dns);
    close(slow.fd);
}

/* More than may be under way at once: no crash, no growth, and what is wanted still gets through. */
static void test_prefetch_is_bounded(void **state)
{
    (void)state;
    uint16_t port;
    char where[32], name[64];
    int fd = bind_udp(&port);
    snprintf(where, sizeof where, "127.0.0.1@%u", port);
    struct dns *dns = resolver_at(where);
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "n%d.example.net", i);
        dns_prefetch(dns, name, DNS_A);
    }
    assert_int_equal(ask(dns, "wanted.example.net", DNS_A, 100), DNS_TIMEOUT); /* not SERVFAIL: it was sent off */
    dns_destroy(dns);
    close(fd);
}

static void test_dnssec(void **state)
{
    (void)state;
    const char *items[] = {server}, *why = NULL;
    struct string_list list = {1, items};
    struct dns *dns = dns_create(&(struct dns_options){.servers = &list, .dnssec = true}, &why);
    if (access("/usr/share/dns/root.key", R_OK) != 0) {
        assert_null(dns);
        assert_non_null(strstr(why, "dns-root-data"));
        return;
    }
    /* The root of this name server cannot be validated: what it says is not believed. */
    assert_non_null(dns);
    assert_int_not_equal(ask(dns, "www.example.net", DNS_A, 3000), DNS_ANSWER);
    dns_destroy(dns);
}

static void test_fake(void **state)
{
    (void)state;
    struct dns *dns = dns_create_fake(table, TABLE_COUNT);
    check_table(dns);
    assert_int_equal(ask(dns, "www.example.net", DNS_TXT, 1000), DNS_NODATA);
    assert_int_equal(ask(dns, "other.example.net", DNS_A, 1000), DNS_NXDOMAIN);
    const struct dns_answer *answer = records_of(dns, "MAIL.example.net", DNS_MX);
    assert_int_equal(answer->records[0].preference, 10);
    assert_string_equal(answer->records[0].name, "www.example.net");
    answer = records_of(dns, "words.example.net", DNS_TXT);
    assert_string_equal(answer->records[0].text.ptr, "v=spf1 -all");
    static const struct dns_fake_row loop[] = {{"a", DNS_CNAME, DNS_ANSWER, "b"}, {"b", DNS_CNAME, DNS_ANSWER, "a"}};
    dns_destroy(dns);
    dns = dns_create_fake(loop, 2);
    assert_int_equal(ask(dns, "a", DNS_A, 1000), DNS_SERVFAIL);
    dns_destroy(dns);
}

static void test_reverse_name(void **state)
{
    (void)state;
    struct netaddr addr;
    netaddr_parse("192.0.2.1", &addr);
    assert_string_equal(dns_reverse_name(arena, &addr), "1.2.0.192.in-addr.arpa");
    netaddr_parse("2001:db8::ff00:1", &addr);
    assert_string_equal(dns_reverse_name(arena, &addr),
                        "1.0.0.0.0.0.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
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
        cmocka_unit_test(test_resolv_conf), cmocka_unit_test(test_fake),         cmocka_unit_test(test_names),
        cmocka_unit_test(test_records),     cmocka_unit_test(test_budget),       cmocka_unit_test(test_prefetch),
        cmocka_unit_test(test_prefetch_is_bounded), cmocka_unit_test(test_dnssec), cmocka_unit_test(test_reverse_name)};
    arena = arena_create(4096);
    int failed = cmocka_run_group_tests(tests, start_nsd, stop_nsd);
    arena_destroy(arena);
    return failed;
}
