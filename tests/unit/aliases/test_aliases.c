/* Canonical addresses, expansion and its bounds, alias domains, and reading again. */
#include "unit.h"

#include "tables.h"
#include "util/clock.h"
#include "util/log.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SIZE(array) (sizeof(array) / sizeof *(array))

static const char VIRTUAL[] = "info@example.net alice@example.net\n"
                              "alice@example.net alice@example.net, a.home@remote.example\n"
                              "listed+tag@example.net bob@example.net\n"
                              "bare+tag bob\n"
                              "special@alias.example carol@example.net\n"
                              "@alias.example @example.net\n"
                              "@catch.example alice@example.net\n"
                              "@round.example @trip.example\n"
                              "@trip.example @round.example\n"
                              "@self.example @self.example\n";
static const char LOCAL[] = "root: alice\nlocal+tag: bob\nlocal: carol\n";

static struct tables *begin(void)
{
    struct tables *tables = tables_begin();
    tables_add(tables, "virtual", "virtual", VIRTUAL);
    tables_add(tables, "aliases", "aliases", LOCAL);
    tables->domain_items[tables->domains.count++] = "option.example=example.net";
    tables->domain_items[tables->domains.count++] = "B\xc3\xbc"
                                                    "cher.example = alias.example";
    if (!tables_open(tables))
        fail_msg("%s", strbuf_text(&tables->problems));
    return tables;
}

static void test_canonical(void **state)
{
    (void)state;
    static const struct {
        const char *address, *canonical;
    } rows[] = {
        {"User@Example.NET", "user@example.net"},
        {"user+tag+more@example.net", "user@example.net"},
        {"user@remote.example.", "user@remote.example"},
        {"User+Tag@remote.example", "user@remote.example"},
        {"\"User\"@example.net", "user@example.net"},
        {"\"a b\"@example.net", "\"a b\"@example.net"},
        {"\"a\\\"b\"@example.net", "\"a\\\"b\"@example.net"},
        {"a..b@example.net", "\"a..b\"@example.net"},
        {"info@example.net", "info@example.net"}, /* an alias is an address like others */
        /* listed with its tag: another address than without it */
        {"Listed+Tag@example.net", "listed+tag@example.net"},
        {"Listed+Other@example.net", "listed@example.net"},
        {"bare+tag@example.net", "bare+tag@example.net"},
        {"bare+tag@remote.example", "bare@remote.example"},
        {"local+tag@example.net", "local+tag@example.net"},
        {"local+other@example.net", "local@example.net"},
        {"info+t@example.net", "info@example.net"},
        /* alias domains */
        {"user+t@option.example", "user@example.net"},
        {"user@alias.example", "user@example.net"},
        {"special@alias.example", "special@alias.example"}, /* has an entry of its own there */
        {"user@xn--bcher-kva.example", "user@example.net"},
        {"listed+tag@alias.example", "listed+tag@example.net"},
        {"user+t@catch.example", "user@catch.example"},
        {"user+t@round.example", "user@round.example"},
        {"user+t@self.example", "user@self.example"},
        /* what is no sub-address */
        {"+x@example.net", "+x@example.net"},
        {"SRS0+hash=tt=orig.example=user@example.net", "srs0+hash=tt=orig.example=user@example.net"},
        {"\xc3\x84+x@example.net", "\xc3\xa4@example.net"},
        {"u@[IPv6:2001:DB8::1]", "u@[ipv6:2001:db8::1]"},
        /* no addresses */
        {"", "-"},
        {"user", "-"},
        {"@example.net", "-"},
        {"user@", "-"},
        {"user@-x-", "-"},
        {"user@1.2.3.4", "-"},
        {"a b@example.net", "-"},
        {"a@b@example.net", "-"},
        {"<user@example.net>", "-"},
        {"\"a@example.net", "-"},
        {"\"a\"b@example.net", "-"},
        {"\"\"@example.net", "-"},
        {"a\nb@example.net", "-"},
        {"\"a\nb\"@example.net", "-"},
        {"a\xff@example.net", "-"},
        {"a\xc2\x85"
         "b@example.net",
         "-"}, /* a C1 control */
        {"u@[]", "-"},
        {"u@[a b]", "-"},
    };
    struct tables *tables = begin();
    for (size_t i = 0; i < SIZE(rows); i++) {
        const char *canonical = tables_canonical(tables, rows[i].address);
        if (strcmp(canonical, rows[i].canonical) != 0)
            fail_msg("'%s' is %s and not %s", rows[i].address, canonical, rows[i].canonical);
        if (*canonical != '-')
            assert_string_equal(tables_canonical(tables, canonical), canonical); /* and stays so */
    }
    assert_null(aliases_canonical(tables->aliases, tables->arena, NULL));
    char local[400];
    memset(local, 'x', sizeof local);
    strcpy(local + 256, "@example.net");
    assert_string_equal(tables_canonical(tables, local), local);
    strcpy(local + 257, "@example.net");
    local[256] = 'x';
    assert_string_equal(tables_canonical(tables, local), "-");
    tables_end(tables);
}

static void test_expand(void **state)
{
    (void)state;
    static const struct {
        const char *address, *routes, *items;
    } rows[] = {
        {"Nobody+T@example.net", "Nobody+T@example.net", "nobody@example.net"},
        {"info@example.net", "alice@example.net a.home@remote.example", NULL},
        {"alice@example.net", "alice@example.net a.home@remote.example", NULL},
        {"info+T@option.example", "alice+T@example.net a.home+T@remote.example",
         "alice@example.net a.home@remote.example"},
        {"special@alias.example", "carol@example.net", NULL},
        {"Root@alias.example", "alice@example.net", NULL}, /* behind aliases(5) no virtual alias at local_domain */
        {"x@catch.example", "alice@example.net a.home@remote.example", NULL},
        {"x@round.example", "- (cut)", NULL},
        {"X@self.example", "X@self.example", "x@self.example"},
        {"x@remote.example", "x@remote.example", NULL},
        {"no address", "-", NULL},
        /* the delimiter of an SRS address is its own */
        {"SRS0+h=tt=o.example=u@remote.example", "SRS0+h=tt=o.example=u@remote.example",
         "srs0+h=tt=o.example=u@remote.example"},
    };
    struct tables *tables = begin();
    for (size_t i = 0; i < SIZE(rows); i++) {
        const char *routes = tables_expand(tables, rows[i].address), *items = tables_items(tables, rows[i].address);
        if (strcmp(routes, rows[i].routes) != 0)
            fail_msg("%s has the routes %s and not %s", rows[i].address, routes, rows[i].routes);
        assert_string_equal(items, rows[i].items ? rows[i].items : rows[i].routes);
    }
    tables_end(tables);
}

/* "V" and "L" of each route in the order of tables_expand(), and "alias" in front if the address is one. */
static const char *flags(struct tables *tables, const char *address)
{
    struct aliases_targets targets = aliases_expand(tables->aliases, tables->arena, address);
    const char *text = targets.is_alias ? "alias" : "plain";
    for (size_t i = 0; i < targets.route_count; i++)
        text = arena_printf(tables->arena, "%s %s%s%s", text, targets.routes[i],
                            targets.route_flags[i] & ROUTE_IS_KEY_VIRTUAL ? ":V" : "",
                            targets.route_flags[i] & ROUTE_IS_KEY_LOCAL ? ":L" : "");
    return text;
}

/* Which final addresses the MTA would expand by itself, were they its recipients. */
static void test_final_addresses_that_are_keys(void **state)
{
    (void)state;
    static const struct {
        const char *address, *expected;
    } rows[] = {
        {"nobody@example.net", "plain nobody@example.net"},
        {"info@example.net", "alias one@x.example"},
        {"user@example.net", "alias user@example.net:V user@gmail.example"},
        {"User+T@example.net", "alias user+T@example.net:V user+T@gmail.example"},
        {"to.user@example.net", "alias user@example.net:V user@gmail.example"},
        {"only@example.net", "alias only@example.net:V"},
        {"csv@example.net", "alias csv@example.net:V x@x.example"},
        {"x@self.example", "alias x@self.example:V"},
        {"bob@example.net", "alias bob@example.net:L bob@gmail.example"},     /* \bob */
        {"carol@example.net", "alias carol@example.net:L carol@gmail.example"}, /* carol */
        {"listed@example.net", "alias listed@example.net:L l@x.example"},    /* in an included list */
        /* behind aliases(5) user is final, but given as a recipient it is a virtual alias */
        {"late@example.net", "alias user@example.net:V"},
        /* a virtual alias that means itself and, for local(8), one that does */
        {"both@example.net", "alias both@example.net:V:L b@x.example"},
        {"x@option.example", "alias x@example.net"},
        {"none@example.net", "alias"},
        {"loop@example.net", "alias"},
        {"no address", "plain"},
    };
    struct tables *tables = tables_begin();
    tables_write(tables, "list", "listed\nl@x.example\n");
    tables_add(tables, "virtual", "virtual",
               "info@example.net one@x.example\nuser@example.net user@example.net, user@gmail.example\n"
               "to.user@example.net user@example.net\nonly@example.net only\n@self.example @self.example\n"
               "both both\nloop@example.net pool@example.net\npool@example.net loop@example.net\n");
    tables_add(tables, "csv", "csv", "csv@example.net,csv@example.net x@x.example\n");
    tables_add(tables, "aliases", "aliases",
               "bob: \\bob, bob@gmail.example\ncarol: carol, carol@gmail.example\nlate: user\nnone: /dev/null\n"
               "listed: :include:%/list\nboth: both, b@x.example\n");
    tables->domain_items[tables->domains.count++] = "option.example=example.net";
    if (!tables_open(tables))
        fail_msg("%s", strbuf_text(&tables->problems));
    for (size_t i = 0; i < SIZE(rows); i++) {
        const char *got = flags(tables, rows[i].address);
        if (strcmp(got, rows[i].expected) != 0)
            fail_msg("%s is '%s' and not '%s'", rows[i].address, got, rows[i].expected);
    }
    tables_end(tables);
}

/* The same target written in several ways is one item and several routes. */
static void test_distinct(void **state)
{
    (void)state;
    struct tables *tables = tables_begin();
    tables_add(tables, "virtual", "virtual", "a@example.net b@x.example, B@X.example b+t@x.example \"b\"@X.example.\n");
    assert_true(tables_open(tables));
    assert_string_equal(tables_items(tables, "a@example.net"), "b@x.example");
    assert_string_equal(tables_expand(tables, "a@example.net"), "b@x.example b+t@x.example");
    tables_end(tables);
}

/* Likewise when there are so many that they are compared in another way: each target twice, in another case and tag. */
static void test_distinct_of_many(void **state)
{
    (void)state;
    for (int count = 1; count < 40; count++) {
        struct tables *tables = tables_begin();
        struct strbuf line;
        strbuf_init(&line, 0);
        strbuf_puts(&line, "a@example.net");
        for (int twice = 0; twice < 2; twice++) {
            for (int i = 0; i < count; i++)
                strbuf_printf(&line, " t%d@x.example %c%d+g@x.example", i, twice ? 'T' : 't', i);
        }
        strbuf_puts(&line, "\n");
        tables_add(tables, "virtual", "virtual", strbuf_text(&line));
        assert_true(tables_open(tables));
        struct aliases_targets targets = aliases_expand(tables->aliases, tables->arena, "a@example.net");
        assert_int_equal(targets.count, count);
        assert_int_equal(targets.route_count, 2 * count); /* without the tag, and with it */
        assert_false(targets.is_cut);
        strbuf_free(&line);
        tables_end(tables);
    }
}

static void test_tables_in_order(void **state)
{
    (void)state;
    struct tables *tables = tables_begin();
    tables_add(tables, "virtual", "one", "@example.org one@x.example\nb@example.net one@x.example\n");
    tables_add(tables, "csv", "two", "a@example.org,two@x.example\nb@example.net,two@x.example\n");
    assert_true(tables_open(tables));
    assert_string_equal(tables_expand(tables, "a@example.org"), "two@x.example"); /* the form goes before the table */
    assert_string_equal(tables_expand(tables, "b@example.net"), "one@x.example");
    tables_end(tables);
}

static void test_delimiters(void **state)
{
    (void)state;
    struct tables *tables = tables_begin();
    tables->options.recipient_delimiter = "-+";
    tables_add(tables, "virtual", "virtual", "a@example.net b@x.example\n");
    assert_true(tables_open(tables));
    assert_string_equal(tables_expand(tables, "a-t+u@example.net"), "b-t+u@x.example");
    assert_string_equal(tables_canonical(tables, "a+t-u@example.net"), "a@example.net");
    assert_string_equal(tables_canonical(tables, "Owner-List@example.net"), "owner-list@example.net");
    assert_string_equal(tables_canonical(tables, "MAILER-DAEMON@example.net"), "mailer-daemon@example.net");
    assert_string_equal(tables_canonical(tables, "list-request@example.net"), "list-request@example.net");
    tables_end(tables);
    tables = tables_begin();
    tables->options.recipient_delimiter = NULL;
    assert_true(tables_open(tables)); /* no table at all */
    assert_string_equal(tables_canonical(tables, "A+t@example.net"), "a+t@example.net");
    assert_string_equal(tables_expand(tables, "A+t@example.net"), "A+t@example.net");
    tables_end(tables);
}

static void test_without_local_domain(void **state)
{
    (void)state;
    struct tables *tables = tables_begin();
    tables->options.local_domain = NULL;
    tables_add(tables, "virtual", "virtual", "a@example.net b, c@x.example\nd e@x.example\n");
    tables_add(tables, "aliases", "aliases", "f: g@x.example\n");
    assert_true(tables_open(tables));
    assert_string_equal(tables_expand(tables, "a@example.net"), "c@x.example");
    assert_string_equal(tables_expand(tables, "d@example.net"), "d@example.net");
    assert_string_equal(tables_expand(tables, "f@example.net"), "g@x.example");
    tables_end(tables);
}

static void test_bounds(void **state)
{
    (void)state;
    struct tables *tables = tables_begin();
    struct strbuf text;
    strbuf_init(&text, (size_t)16 << 20);
    for (int i = 0; i < 40; i++)
        strbuf_printf(&text, "chain%d@example.net chain%d@example.net\n", i, i + 1);
    for (int i = 0; i < 2000; i++)
        strbuf_printf(&text, "%sc%d@x.example%s", i ? " " : "many@example.net ", i, i == 1999 ? "\n" : "");
    for (int i = 0; i < 900; i++)
        strbuf_printf(&text, "%sd%d@x.example%s", i ? " " : "half@example.net ", i, i == 899 ? "\n" : "");
    strbuf_puts(&text, "both@example.net half@example.net other@example.net\n");
    for (int i = 0; i < 900; i++)
        strbuf_printf(&text, "%se%d@x.example%s", i ? " " : "other@example.net ", i, i == 899 ? "\n" : "");
    /* a net: every node names both of the next level; 2^18 ways through it */
    for (int i = 0; i < 18; i++)
        strbuf_printf(&text,
                      "l%d@example.net l%d@example.net r%d@example.net\nr%d@example.net l%d@example.net "
                      "r%d@example.net\n",
                      i, i + 1, i + 1, i, i + 1, i + 1);
    /* every one of 300 names all of them */
    for (int i = 0; i < 300; i++) {
        strbuf_printf(&text, "k%d@example.net", i);
        for (int k = 0; k < 300; k++)
            strbuf_printf(&text, " k%d@example.net", k);
        strbuf_puts(&text, "\n");
    }
    tables_add(tables, "virtual", "virtual", strbuf_text(&text));
    assert_true(tables_open(tables));
    assert_string_equal(tables_expand(tables, "chain20@example.net"), "chain40@example.net"); /* 20 steps */
    assert_string_equal(tables_expand(tables, "chain19@example.net"), "- (cut)");
    assert_string_equal(tables_expand(tables, "l0@example.net"), "l18@example.net r18@example.net");
    static const struct {
        const char *address;
        size_t count;
        bool is_cut;
    } rows[] = {{"many@example.net", 1000, true}, {"half@example.net", 900, false}, {"both@example.net", 1000, true}};
    for (size_t i = 0; i < SIZE(rows); i++) {
        struct aliases_targets targets = aliases_expand(tables->aliases, tables->arena, rows[i].address);
        assert_int_equal(targets.route_count, rows[i].count);
        assert_int_equal(targets.count, rows[i].count);
        assert_int_equal(targets.is_cut, rows[i].is_cut);
    }
    int64_t start = clock_monotonic_us();
    assert_true(aliases_expand(tables->aliases, tables->arena, "k7@example.net").is_cut);
    assert_true(clock_monotonic_us() - start < 2000000);
    strbuf_free(&text);
    tables_end(tables);
}

static void test_alias_domains_refused(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second, *expected;
    } rows[] = {
        {"a.example", NULL, "aliases: domains: 'a.example' is not of the form ALIAS.DOMAIN=DOMAIN\n"},
        {"a..example=b.example", NULL, "has no domain name before '='"},
        {"a.example=", NULL, "has no domain name behind '='"},
        {"a.example=A.Example.", NULL, "makes a domain its own alias"},
        {"a.example=b.example", "b.example=c.example",
         "'a.example=b.example' ends at a domain that is itself an alias"},
        {"a.example=b.example", "b.example=a.example", "'b.example=a.example' ends at a domain that is itself"},
        {"a.example=b.example", "a.example=c.example", "'a.example=c.example' contradicts an entry before it"},
    };
    for (size_t i = 0; i < SIZE(rows); i++) {
        struct tables *tables = tables_begin();
        tables->domain_items[tables->domains.count++] = rows[i].first;
        if (rows[i].second)
            tables->domain_items[tables->domains.count++] = rows[i].second;
        assert_false(tables_open(tables));
        if (!strstr(strbuf_text(&tables->problems), rows[i].expected))
            fail_msg("row %zu: %s", i, strbuf_text(&tables->problems));
        tables_end(tables);
    }
    struct tables *tables = tables_begin();
    tables->domain_items[tables->domains.count++] = "a.example=b.example";
    tables->domain_items[tables->domains.count++] = "A.example = b.example."; /* twice the same is no fault */
    assert_true(tables_open(tables));
    tables_end(tables);
    tables = tables_begin();
    tables->options.local_domain = "-x-";
    assert_false(tables_open(tables));
    assert_string_equal(strbuf_text(&tables->problems), "aliases: local_domain: '-x-' is no domain name\n");
    tables_end(tables);
}

static void test_verify(void **state)
{
    (void)state;
    assert_null(aliases_verify_table("virtual:/etc/postfix/virtual"));
    assert_null(aliases_verify_table("aliases:/etc/aliases"));
    assert_null(aliases_verify_table("csv:/etc/postern/forwards.csv"));
    assert_non_null(aliases_verify_table("csv:forwards.csv"));
    assert_non_null(aliases_verify_table("/etc/aliases"));
    assert_non_null(aliases_verify_table("hash:/etc/aliases"));
    assert_null(aliases_verify_domain("a.example=b.example"));
    assert_non_null(aliases_verify_domain("a.example"));
}

/* ---- reading again ---- */

static int log_pipe[2];

/* What the log says from now on, until it is asked for. */
static void log_catch(int *saved)
{
    fflush(stderr);
    *saved = dup(STDERR_FILENO);
    assert_int_equal(pipe2(log_pipe, O_NONBLOCK | O_CLOEXEC), 0);
    dup2(log_pipe[1], STDERR_FILENO);
}

static const char *log_caught(int saved, char *text, size_t size)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t n = read(log_pipe[0], text, size - 1);
    text[n > 0 ? n : 0] = '\0';
    close(log_pipe[0]);
    close(log_pipe[1]);
    return text;
}

/* Waits until ADDRESS means EXPECTED, the two seconds of the contract and one for a slow machine. */
static void expect_soon(struct tables *tables, const char *address, const char *expected)
{
    int64_t start = clock_monotonic_us();
    while (strcmp(tables_expand(tables, address), expected) != 0) {
        if (clock_monotonic_us() - start > 3000000)
            fail_msg("%s is still %s and not %s", address, tables_expand(tables, address), expected);
        clock_sleep_us(20000);
    }
}

static void write_in_place(const char *path, const char *text, bool append)
{
    FILE *file = fopen(path, append ? "a" : "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_read_again(void **state)
{
    (void)state;
    struct tables *tables = tables_begin();
    tables_add(tables, "virtual", "virtual", "a@example.net 1@x.example\n");
    tables_add(tables, "aliases", "aliases", "l: :include:%/list\n");
    const char *path = tables->name_items[0] + strlen("virtual:");
    assert_true(tables_open(tables));
    assert_string_equal(tables_expand(tables, "l@example.net"), "-");
    tables_write(tables, "list", "one@x.example\n");                /* a list that comes later */
    tables_write(tables, "virtual", "a@example.net 2@x.example\n"); /* by rename */
    expect_soon(tables, "a@example.net", "2@x.example");
    expect_soon(tables, "l@example.net", "one@x.example");
    write_in_place(path, "a@example.net 3@x.example\n", false); /* of the same size */
    tables_write(tables, "list", "two@x.example\n");
    expect_soon(tables, "a@example.net", "3@x.example");
    expect_soon(tables, "l@example.net", "two@x.example");
    tables_write(tables, "aliases", "l: :include:%/list, three\n"); /* and its list stays the same */
    expect_soon(tables, "l@example.net", "two@x.example three@example.net");
    const char *other = tables_write(tables, "other", "a@example.net 4@x.example\n");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(other, path), 0);
    expect_soon(tables, "a@example.net", "4@x.example");
    tables_write(tables, "other", "a@example.net 5@x.example\n"); /* behind the link */
    expect_soon(tables, "a@example.net", "5@x.example");
    tables_end(tables);
}

static void test_bad_version(void **state)
{
    (void)state;
    struct tables *tables = tables_begin();
    char text[8192];
    int saved;
    tables_add(tables, "virtual", "virtual", "a@example.net 1@x.example\n");
    tables_add(tables, "csv", "csv", "b@example.net,1@x.example\n");
    const char *path = tables->name_items[0] + strlen("virtual:");
    assert_true(tables_open(tables));
    log_catch(&saved);
    tables_write(tables, "virtual", "a@example.net 2@x.example\nb@example.net\n");
    tables_write(tables, "csv", "b@example.net,2@x.example\n"); /* is read all the same */
    expect_soon(tables, "b@example.net", "2@x.example");
    clock_sleep_us(2000000);
    assert_string_equal(tables_expand(tables, "a@example.net"), "1@x.example");
    log_caught(saved, text, sizeof text);
    const char *said = strstr(text, "virtual:2: 'b@example.net' has no target");
    assert_non_null(said);
    assert_null(strstr(said + 1, "virtual:2:")); /* once */
    assert_non_null(strstr(text, "1 problem; what was read before stays in use"));

    log_catch(&saved);
    assert_int_equal(unlink(path), 0); /* gone: the same */
    clock_sleep_us(1500000);
    assert_string_equal(tables_expand(tables, "a@example.net"), "1@x.example");
    assert_non_null(strstr(log_caught(saved, text, sizeof text), "No such file or directory"));
    tables_write(tables, "virtual", "a@example.net 3@x.example\n");
    expect_soon(tables, "a@example.net", "3@x.example");
    tables_end(tables);
}

/* A file that is being written is not read before the writer pauses. */
static void test_half_written(void **state)
{
    (void)state;
    struct tables *tables = tables_begin();
    char text[8192];
    int saved;
    tables_add(tables, "virtual", "virtual", "a@example.net 1@x.example\n");
    const char *path = tables->name_items[0] + strlen("virtual:");
    assert_true(tables_open(tables));
    log_catch(&saved);
    write_in_place(path, "", false);
    for (int i = 0; i < 10; i++) {
        clock_sleep_us(80000);
        write_in_place(path, i == 9 ? "a@example.net" : "# more\n", true); /* no target yet */
        assert_string_equal(tables_expand(tables, "a@example.net"), "1@x.example");
    }
    write_in_place(path, " 2@x.example\n", true);
    expect_soon(tables, "a@example.net", "2@x.example");
    assert_null(strstr(log_caught(saved, text, sizeof text), "problem"));
    tables_end(tables);
}

static atomic_bool stop;

/* Either version, never a mixture or nothing. */
static void *look_up(void *context)
{
    struct tables *tables = context;
    size_t wrong = 0;
    while (!atomic_load(&stop)) {
        struct arena *arena = arena_create(4096);
        struct aliases_targets a = aliases_expand(tables->aliases, arena, "a@example.net");
        const char *canonical = aliases_canonical(tables->aliases, arena, "b+t@example.org");
        wrong +=
            a.count != 2 || a.items[0][0] != a.items[1][0] || !canonical || strcmp(canonical, "b@example.net") != 0;
        arena_destroy(arena);
    }
    return (void *)wrong;
}

static void test_look_ups_while_reading(void **state)
{
    (void)state;
    struct tables *tables = tables_begin();
    pthread_t threads[3];
    char text[128];
    tables_add(tables, "virtual", "virtual", "a@example.net 0a@x.example 0b@x.example\n@example.org @example.net\n");
    assert_true(tables_open(tables));
    atomic_store(&stop, false);
    for (size_t i = 0; i < SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, look_up, tables), 0);
    for (int i = 1; i <= 3; i++) {
        snprintf(text, sizeof text, "a@example.net %da@x.example %db@x.example\n@example.org @example.net\n", i, i);
        tables_write(tables, "virtual", text);
        snprintf(text, sizeof text, "%da@x.example %db@x.example", i, i);
        expect_soon(tables, "a@example.net", text);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < SIZE(threads); i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    tables_end(tables);
}

/* What an alias means beside addresses is left out, and said. */
static void test_partial(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        bool is_partial, is_cut;
    } rows[] = {
        {"plain@example.net", false, false},   {"command@example.net", true, false}, {"file@example.net", true, false},
        {"null@example.net", false, false},    {"missing@example.net", true, false}, {"inner@example.net", true, false},
        {"behind@example.net", true, false},   {"bad@example.net", true, false},     {"long@example.net", true, true},
        {"longlist@example.net", true, true},  {"goodlist@example.net", false, false}, {"nobody@example.net", false, false},
        {"twice@example.net", true, false},
    };
    struct tables *tables = tables_begin();
    struct strbuf text;
    strbuf_init(&text, 1 << 20);
    strbuf_puts(&text, "plain: alice, bob\ncommand: alice, \"|/bin/x y\"\nfile: /var/mail/z\nnull: /dev/null, alice\n"
                       "missing: alice, :include:%/absent\nbehind: command\nbad: alice, a@b@c\ntwice: |/a, /b, |/c, alice\n"
                       "inner: :include:%/inner\nlonglist: :include:%/longlist\ngoodlist: :include:%/goodlist\n");
    strbuf_puts(&text, "long: a");
    for (int i = 0; i < ALIASES_TARGETS_MAX; i++)
        strbuf_printf(&text, ", a%d", i);
    tables_write(tables, "inner", "alice\n|/bin/x\n");
    tables_write(tables, "goodlist", "alice\nbob\n");
    tables_add(tables, "aliases", "aliases", strbuf_text(&text));
    strbuf_free(&text);
    strbuf_init(&text, 1 << 20);
    for (int i = 0; i <= ALIASES_TARGETS_MAX; i++)
        strbuf_printf(&text, "a%d\n", i);
    tables_write(tables, "longlist", strbuf_text(&text));
    strbuf_free(&text);
    if (!tables_open(tables))
        fail_msg("%s", strbuf_text(&tables->problems));
    for (size_t i = 0; i < SIZE(rows); i++) {
        struct aliases_targets targets = aliases_expand(tables->aliases, tables->arena, rows[i].address);
        if (targets.is_partial != rows[i].is_partial || targets.is_cut != rows[i].is_cut)
            fail_msg("%s: partial %d, cut %d", rows[i].address, targets.is_partial, targets.is_cut);
    }
    assert_string_equal(tables_expand(tables, "twice@example.net"), "alice@example.net");
    tables_end(tables);
}

int main(void)
{
    static const struct log_options quiet = {"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0};
    log_open(&quiet);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_expand),
        cmocka_unit_test(test_final_addresses_that_are_keys),
        cmocka_unit_test(test_distinct),
        cmocka_unit_test(test_distinct_of_many),
        cmocka_unit_test(test_tables_in_order),
        cmocka_unit_test(test_delimiters),
        cmocka_unit_test(test_without_local_domain),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_alias_domains_refused),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_read_again),
        cmocka_unit_test(test_bad_version),
        cmocka_unit_test(test_half_written),
        cmocka_unit_test(test_look_ups_while_reading),
        cmocka_unit_test(test_partial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
