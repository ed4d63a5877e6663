/* netaddr and domain: what is taken, what is refused, and what is in a set. */
#include "unit.h"

#include "util/domain.h"
#include "util/filepath.h"
#include "util/netaddr.h"
#include <arpa/inet.h>
#include <errno.h>

static void test_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical; /* NULL: no address */
    } rows[] = {
        {"192.0.2.1", "192.0.2.1"},   {"2001:DB8:0:0::1", "2001:db8::1"}, {"::ffff:192.0.2.1", "192.0.2.1"},
        {"::ffff:c000:201", "192.0.2.1"}, {"::1", "::1"},                 {"::192.0.2.1", "::192.0.2.1"},
        {"192.0.2", NULL},            {"192.0.2.256", NULL},              {"192.0.2.01", NULL},
        {"", NULL},                   {"[::1]", NULL},                    {"fe80::1%lo", NULL},
        {"192.0.2.1 ", NULL},         {"2001:db8:::1", NULL},             {"host", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct netaddr addr;
        char text[NETADDR_TEXT_SIZE];
        int error = netaddr_parse(rows[i].text, &addr);
        if (error != (rows[i].canonical ? 0 : -1))
            fail_msg("\"%s\": %d", rows[i].text, error);
        assert_string_equal(netaddr_format(&addr, text), rows[i].canonical ? rows[i].canonical : "");
    }
}

static void test_sockaddr(void **state)
{
    (void)state;
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(25)};
    char text[NETADDR_TEXT_SIZE];
    inet_pton(AF_INET6, "::ffff:192.0.2.1", &in6.sin6_addr);
    struct netaddr addr = netaddr_of_sockaddr((struct sockaddr *)&in6), same;
    assert_int_equal(addr.family, AF_INET);
    assert_int_equal(addr.port, 25);
    assert_string_equal(netaddr_format(&addr, text), "192.0.2.1");
    netaddr_parse("192.0.2.1", &same);
    assert_true(netaddr_equal(&addr, &same)); /* whatever the port */
    struct sockaddr unknown = {.sa_family = AF_UNIX};
    addr = netaddr_of_sockaddr(&unknown);
    assert_int_equal(addr.family, AF_UNSPEC);
    same = netaddr_of_sockaddr(NULL);
    assert_false(netaddr_equal(&addr, &same)); /* nobody is the same as nobody */
}

static void test_loopback(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_loopback;
    } rows[] = {{"127.0.0.1", true}, {"127.255.0.9", true}, {"::1", true},        {"::ffff:127.0.0.1", true},
                {"128.0.0.1", false}, {"::2", false},       {"7f00::1", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct netaddr addr;
        netaddr_parse(rows[i].text, &addr);
        assert_int_equal(netaddr_is_loopback(&addr), rows[i].is_loopback);
    }
}

static void test_networks(void **state)
{
    (void)state;
    static const struct {
        const char *network, *address;
        bool has;
    } rows[] = {
        {"192.0.2.0/24", "192.0.2.255", true},    {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.4/30", "192.0.2.7", true},      {"192.0.2.4/30", "192.0.2.8", false},
        {"192.0.2.1", "192.0.2.1", true},         {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1/32", "192.0.2.1", true},      {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},      {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.1", false},             {"2001:db8::/32", "2001:db8:ffff::1", true},
        {"2001:db8::/32", "2001:db9::1", false},  {"2001:db8::/33", "2001:db8:8000::1", false},
        {"2001:db8::1", "2001:db8::1", true},     {"192.0.2.0/24", "::ffff:192.0.2.9", true},
        {"::ffff:192.0.2.9", "192.0.2.9", true},  {"128.0.0.0/1", "127.255.255.255", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_create(256);
        struct netset *set = netset_create(arena);
        struct netaddr addr;
        assert_null(netset_add(set, "198.51.100.0/24"));
        assert_null(netset_add(set, rows[i].network));
        assert_int_equal(netaddr_parse(rows[i].address, &addr), 0);
        if (netset_has(set, &addr) != rows[i].has)
            fail_msg("%s in %s: %d", rows[i].address, rows[i].network, !rows[i].has);
        addr.family = AF_UNSPEC;
        assert_false(netset_has(set, &addr));
        arena_destroy(arena);
    }
}

static void test_bad_networks(void **state)
{
    (void)state;
    static const char *const bad[] = {"",          "192.0.2.1/24", "192.0.2.0/33", "2001:db8::/129", "192.0.2.0/",
                                      "192.0.2.0/-1", "192.0.2.0/+8", "192.0.2.0/8x", "192.0.2.0/0024", "192.0.2/24",
                                      "2001:db8::1/32", "host/24", "/24", "192.0.2.0/24/24", "10.0.0.0/4294967304",
                                      "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/64"};
    struct arena *arena = arena_create(256);
    struct netset *set = netset_create(arena);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (!netset_add(set, bad[i]))
            fail_msg("\"%s\" was taken for a network", bad[i]);
    }
    struct netaddr addr;
    netaddr_parse("192.0.2.1", &addr);
    assert_false(netset_has(set, &addr)); /* nothing of it got in */
    arena_destroy(arena);
}

#define L10 "abcdefghij"
#define L61 L10 L10 L10 L10 L10 L10 "a"
#define L63 L61 "bc"

static void test_domains(void **state)
{
    (void)state;
    static const struct {
        const char *name, *canonical; /* NULL: no domain name */
    } rows[] = {
        {"example.net", "example.net"},  {"EXAMPLE.Net", "example.net"}, {"example.net.", "example.net"},
        {"localhost", "localhost"},      {"_dmarc.example.net", "_dmarc.example.net"}, {"a_b.c", "a_b.c"},
        {"1.example", "1.example"},      {"a-b.c", "a-b.c"},            {"xn--bcher-kva.example", "xn--bcher-kva.example"},
        {"b\xc3\xbc" "cher.example", "xn--bcher-kva.example"},
        {"B\xc3\x9c" "CHER.Example.", "xn--bcher-kva.example"},
        {"stra\xc3\x9f" "e.example", "xn--strae-oqa.example"}, /* IDNA 2008: not strasse */
        {L63 ".net", L63 ".net"},        {L63 "d.net", NULL},
        {L63 "." L63 "." L63 "." L61, L63 "." L63 "." L63 "." L61},  /* 253 */
        {L63 "." L63 "." L63 "." L61 ".", L63 "." L63 "." L63 "." L61},
        {L63 "." L63 "." L63 "." L61 "b", NULL},                     /* 254 */
        {"", NULL},                      {".", NULL},                    {"..", NULL},
        {"a..b", NULL},                  {".a", NULL},                   {"a..", NULL},
        {"-a.b", NULL},                  {"a-.b", NULL},                 {"a.b-", NULL},
        {"a b", NULL},                   {"a\nb", NULL},                 {"a/b", NULL},
        {"a@b", NULL},                   {"127.0.0.1", NULL},            {"1.2.3", NULL},
        {"\xff.example", NULL},          {"\xc3", NULL},                 {"\xe2\x80\xae" "a.example", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[DOMAIN_MAX + 1];
        int error = domain_canonical(span_of(rows[i].name), out);
        if (error != (rows[i].canonical ? 0 : -1))
            fail_msg("\"%s\": %d", rows[i].name, error);
        if (rows[i].canonical)
            assert_string_equal(out, rows[i].canonical);
    }
    char out[DOMAIN_MAX + 1];
    assert_int_equal(domain_canonical((struct span){"a\0b.example", 11}, out), -1);
    assert_int_equal(domain_canonical((struct span){"example.netXXX", 11}, out), 0);
    assert_string_equal(out, "example.net");
}

static void test_domain_of_address(void **state)
{
    (void)state;
    static const struct {
        const char *address, *expected; /* NULL: none */
    } rows[] = {{"user@Example.NET.", "example.net"}, {"\"a@b\"@example.net", "example.net"},
                {"@example.net", "example.net"},      {"user@b\303\274cher.example", "xn--bcher-kva.example"},
                {"user", NULL},                       {"user@", NULL},
                {"user@[192.0.2.1]", NULL},           {"", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[DOMAIN_MAX + 1] = "";
        int error = domain_of_address(rows[i].address, out);
        assert_int_equal(error, rows[i].expected ? 0 : -1);
        if (rows[i].expected)
            assert_string_equal(out, rows[i].expected);
    }
}

static void test_filepath(void **state)
{
    (void)state;
    static const struct {
        const char *path, *expected;
    } rows[] = {{"/var/lib/postern/postern.db", "/var/lib/postern"}, {"/file", "/"}, {"file", "."}, {"a/b", "a"}};
    char out[PATH_MAX], longest[PATH_MAX + 3];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(filepath_directory(rows[i].path, out), 0);
        assert_string_equal(out, rows[i].expected);
    }
    memset(longest, 'x', sizeof longest);
    strcpy(longest + PATH_MAX - 1, "/x");
    assert_int_equal(filepath_directory(longest, out), 0);
    assert_int_equal(strlen(out), PATH_MAX - 1);
    strcpy(longest + PATH_MAX - 1, "x/");
    assert_int_equal(filepath_directory(longest, out), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    assert_int_equal(filepath_sync_directory("/no/such/file"), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(filepath_sync_directory("/tmp/file"), 0);
}

static void test_within(void **state)
{
    (void)state;
    assert_true(domain_is_within("example.net", "example.net"));
    assert_true(domain_is_within("a.example.net", "example.net"));
    assert_false(domain_is_within("notexample.net", "example.net"));
    assert_false(domain_is_within("net", "example.net"));
    assert_false(domain_is_within("example.net.org", "example.net"));
}

static void test_domain_set(void **state)
{
    (void)state;
    struct arena *arena = arena_create(256);
    struct domain_set *set = domain_set_create(arena);
    assert_false(domain_set_has(set, "example.net"));
    assert_null(domain_set_add(set, "Exact.Example."));
    assert_null(domain_set_add(set, ".below.example"));
    assert_null(domain_set_add(set, ".B\xc3\xbc" "cher.example"));
    assert_null(domain_set_add(set, ".below.example"));
    assert_int_equal(domain_set_count(set), 3);
    assert_non_null(domain_set_add(set, "."));
    assert_non_null(domain_set_add(set, ""));
    assert_non_null(domain_set_add(set, "..example"));
    assert_non_null(domain_set_add(set, "a b"));
    assert_non_null(domain_set_add(set, "*.example"));
    assert_int_equal(domain_set_count(set), 3);
    assert_true(domain_set_has(set, "exact.example"));
    assert_false(domain_set_has(set, "a.exact.example"));
    assert_true(domain_set_has(set, "a.below.example"));
    assert_true(domain_set_has(set, "a.b.below.example"));
    assert_false(domain_set_has(set, "below.example"));
    assert_false(domain_set_has(set, "notbelow.example"));
    assert_true(domain_set_has(set, "mail.xn--bcher-kva.example"));
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_addresses),    cmocka_unit_test(test_sockaddr),
                                       cmocka_unit_test(test_loopback),     cmocka_unit_test(test_networks),
                                       cmocka_unit_test(test_bad_networks), cmocka_unit_test(test_domains),
                                       cmocka_unit_test(test_within),       cmocka_unit_test(test_domain_set),
                                       cmocka_unit_test(test_domain_of_address), cmocka_unit_test(test_filepath)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
