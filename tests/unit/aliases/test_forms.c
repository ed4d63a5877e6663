/* The three forms of tables: what is read, what is refused. Each row is a file, an address, and what that means. */
#include "unit.h"

#include "tables.h"
#include "util/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SIZE(array) (sizeof(array) / sizeof *(array))

struct row {
    const char *form, *text, *address, *expected;
};

static void expect_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct tables *tables = tables_begin();
        tables_add(tables, rows[i].form, "table", rows[i].text);
        if (!tables_open(tables))
            fail_msg("row %zu: %s", i, strbuf_text(&tables->problems));
        const char *got = tables_expand(tables, rows[i].address);
        if (strcmp(got, rows[i].expected) != 0)
            fail_msg("row %zu, %s in\n%sis\n%s and not\n%s", i, rows[i].address, rows[i].text, got, rows[i].expected);
        tables_end(tables);
    }
}

static void test_virtual(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"virtual", "info@example.net alice@example.net\n", "info@example.net", "alice@example.net"},
        {"virtual", "info@example.net\talice@example.net", "INFO@Example.NET.", "alice@example.net"},
        {"virtual", "Info@EXAMPLE.net alice@example.net\n", "info@example.net", "alice@example.net"},
        {"virtual", "\xef\xbb\xbfinfo@example.net alice@example.net\r\n", "info@example.net", "alice@example.net"},
        {"virtual", "a@example.net b@x.example,c@y.example d@z.example ,, e@w.example\n", "a@example.net",
         "b@x.example c@y.example d@z.example e@w.example"},
        /* comments and continued lines */
        {"virtual",
         "# a@example.net b\na@example.net b@x.example,\n  c@x.example\n\n# in between\n\td@x.example\n"
         "e@example.net f@x.example\n",
         "a@example.net", "b@x.example c@x.example d@x.example"},
        {"virtual", "  # a comment may be indented\na@example.net\n  b@x.example\n", "a@example.net", "b@x.example"},
        {"virtual", "a@example.net b@x.example\n  # this line counts for nothing\ne@example.net f@x.example\n",
         "e@example.net", "f@x.example"},
        {"virtual", "a@example.net b@x.example # no comment\n", "a@example.net",
         "b@x.example #@example.net no@example.net comment@example.net"},
        {"virtual", "a@example.net b@x.example (Bob (senior), retired) c@x.example\n", "a@example.net",
         "b@x.example c@x.example"},
        {"virtual", "a@example.net <b@x.example>\n", "a@example.net", "b@x.example"},
        /* quotes */
        {"virtual", "\"john doe\"@example.net j@x.example\n", "\"john doe\"@example.net", "j@x.example"},
        {"virtual", "\"john doe\"@example.net j@x.example\n", "\"John\\ Doe\"@example.net", "j@x.example"},
        {"virtual", "\"john\"@example.net j@x.example\n", "john@example.net", "j@x.example"},
        {"virtual", "john@example.net \"a b\"@x.example,\"c\"@x.example \"d,e\"@x.example\n", "john@example.net",
         "\"a b\"@x.example c@x.example \"d,e\"@x.example"},
        {"virtual", "\"a@b\"@example.net c@x.example\n", "\"a@b\"@example.net", "c@x.example"},
        {"virtual", "a..b@example.net c@x.example\n", "\"a..b\"@example.net", "c@x.example"},
        /* other than ASCII: domains as A-labels, local parts as UTF-8 */
        {"virtual",
         "info@b\xc3\xbc"
         "cher.example a@m\xc3\xbcller.example\n",
         "info@xn--bcher-kva.example", "a@xn--mller-kva.example"},
        {"virtual", "info@xn--bcher-kva.example a@x.example\n",
         "info@B\xc3\x9c"
         "CHER.example",
         "a@x.example"},
        {"virtual", "\xc3\x84rger@example.net a@x.example\n", "\xc3\xa4RGER@example.net", "a@x.example"},
        {"virtual", "\xe4rger@example.net a@x.example\nb@example.net c@x.example\n", "b@example.net", "c@x.example"},
        /* @domain */
        {"virtual", "@example.org info@example.net\n", "anybody@example.org", "info@example.net"},
        {"virtual", "@example.org @example.net\n", "Any.Body+Tag@example.org", "Any.Body+Tag@example.net"},
        {"virtual", "@example.org @example.com\n@example.com @example.net\n", "a@example.org", "a@example.net"},
        {"virtual", "@example.org %1@example.net\n", "a@example.org", "a@example.net"},
        {"virtual", "a@example.org b@example.net\n@example.org @example.net\n", "a@example.org", "b@example.net"},
        {"virtual", "a@example.org @example.net\n", "a@example.org", "a@example.net"},
        {"virtual", "a@example.org b@x.example @example.net\n", "a@example.org", "b@x.example"},
        {"virtual", "@.example a@x.example\nb@example.net c@x.example", "b@example.net", "c@x.example"},
        /* without a domain: the key for local_domain alone, the target there */
        {"virtual", "info alice\n", "info@example.net", "alice@example.net"},
        {"virtual", "info alice\n", "info@host.local.example", "info@host.local.example"},
        {"virtual", "info alice\n", "info@x.example", "info@x.example"},
        {"virtual", "info@example.net bob\ninfo alice\n", "info@example.net", "bob@example.net"},
        {"virtual", "@example.net carol@x.example\ninfo alice@x.example\n", "info@example.net", "alice@x.example"},
        {"virtual", "@example.net carol@x.example\ninfo alice\n", "info@example.net", "carol@x.example"},
        /* sub-addresses */
        {"virtual", "a@example.net b@x.example\n", "a+t@example.net", "b+t@x.example"},
        {"virtual", "a@example.net b@x.example\na+t@example.net c@x.example\n", "a+T@example.net", "c@x.example"},
        {"virtual", "a b@x.example\na+t c@x.example\n", "a+T@example.net", "c@x.example"},
        {"virtual", "a b@x.example\n", "a+T@example.net", "b+T@x.example"},
        {"virtual", "a@example.net @x.example\n", "a+T@example.net", "a+T@x.example"},
        {"virtual", "@example.net b@x.example\n", "a+t@example.net", "b@x.example"},
        {"virtual", "a@example.net b@x.example\n", "+t@example.net", "+t@example.net"},
        {"virtual", "postmaster@example.net b@x.example\n", "postmaster+t@example.net", "b+t@x.example"},
        /* what is no mailbox */
        {"virtual", "a@example.net error:nouser no such user\n", "a@example.net", "-"},
        {"virtual", "a@example.net |/bin/x y, b@x.example, /var/mail/z\n", "a@example.net", "b@x.example"},
        {"virtual", "a@example.net \"|/bin/x, y\", :include:/etc/passwd b@x.example\n", "a@example.net", "b@x.example"},
        {"virtual", "example.org anything\na@example.net b@x.example\n", "a@example.net", "b@x.example"},
        {"virtual", "a@b@c d\na@example.net b@x.example\n", "a@example.net", "b@x.example"},
        {"virtual", "a@example.net b@x.example\na@example.net c@x.example\n", "a@example.net", "b@x.example"},
        {"virtual", "", "a@example.net", "a@example.net"},
        {"virtual", "a@[192.0.2.1] b@[IPv6:2001:DB8::1]\n", "a@[192.0.2.1]", "b@[ipv6:2001:db8::1]"},
    };
    expect_rows(rows, SIZE(rows));
}

static void test_local(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"aliases", "info: alice\n", "info@example.net", "alice@example.net"},
        {"aliases", "INFO : alice, Bob@X.example\n", "Info@example.net", "alice@example.net Bob@x.example"},
        {"aliases", "info:alice,\n  bob\n# c\n\tcarol\nx: y\n", "info@example.net",
         "alice@example.net bob@example.net carol@example.net"},
        {"aliases", "info: alice\n", "info@host.local.example", "alice@example.net"}, /* every local domain */
        {"aliases", "info: alice\n", "info@x.example", "info@x.example"},             /* and no other */
        {"aliases", "\"info desk\": alice\n", "\"Info Desk\"@example.net", "alice@example.net"},
        {"aliases", "\"a:b\": alice\n", "\"a:b\"@example.net", "alice@example.net"},
        {"aliases", "root: postmaster\npostmaster: alice\n", "root@example.net", "alice@example.net"},
        {"aliases", "root: root, alice\n", "root@example.net", "root@example.net alice@example.net"},
        {"aliases", "root: \\root, \\alice\nalice: bob\n", "root@example.net", "root@example.net bob@example.net"},
        {"aliases", "bob: \\alice\nalice: carol\n", "bob@example.net", "carol@example.net"},
        {"aliases", "list: \"|/bin/list, more\", /dev/null, \"/var/mail/a b\", |/bin/b c d, alice\n",
         "list@example.net", "alice@example.net"},
        {"aliases", "trash: /dev/null\n", "trash@example.net", "-"},
        {"aliases", "list: alice\nowner-list: bob\nlist-request: owner-list\n", "list-request@example.net",
         "bob@example.net"},
        {"aliases", "a: b\n", "a+t@example.net", "b@example.net"}, /* a tag stays behind */
        {"aliases", "a: b\na+t: c\n", "a+T@example.net", "c@example.net"},
        {"aliases", "a: b\na: c\n", "a@example.net", "b@example.net"},
        {"aliases", "+: x\na@example.net: y\n@x.example: y\na: @x.example, b\n", "a@example.net", "b@example.net"},
        {"aliases", "a: b, (c d) \"e\"\n", "a@example.net", "b@example.net e@example.net"},
        {"aliases", "a: :include:relative, :include:%/missing, b\n", "a@example.net", "b@example.net"},
    };
    expect_rows(rows, SIZE(rows));
}

static void test_csv(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"csv", "info@example.net,alice@example.net\n", "info@example.net", "alice@example.net"},
        {"csv", "address,target,delete\ninfo@example.net,alice@example.net,1\n", "info@example.net",
         "alice@example.net"},
        {"csv", "address,target\ninfo@example.net,alice@example.net\n", "address@example.net", "address@example.net"},
        {"csv", "\xef\xbb\xbf\"Address\",Target\r\n\"info@example.net\" , \"alice@example.net\",\"x \"\"y\"\"\"\r\n",
         "info@example.net", "alice@example.net"},
        {"csv", "# comment, \"open\n\n   \ninfo@example.net,a@x.example\ninfo@example.net,b@x.example\n",
         "info@example.net", "a@x.example b@x.example"},
        {"csv", "info@example.net,\"a@x.example, b@x.example\",0\n", "info@example.net", "a@x.example b@x.example"},
        {"csv", "\"\"\"john doe\"\"@example.net\",j@x.example\n", "\"john doe\"@example.net", "j@x.example"},
        {"csv", "a@example.net,b@x.example,\"a note\nof \"\"two\"\" lines\"\nc@example.net,d@x.example\n",
         "c@example.net", "d@x.example"},
        {"csv", "@example.org,@example.net\n", "a@example.org", "a@example.net"},
        {"csv", "info,alice\n", "info@example.net", "alice@example.net"},
        {"csv", "nonsense@@x,a@x.example\na@example.net,b@x.example", "a@example.net", "b@x.example"},
    };
    expect_rows(rows, SIZE(rows));
}

static void test_refused(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"virtual", "a@example.net b\n\nc@example.net\n", NULL, "table:3: 'c@example.net' has no target"},
        {"virtual", "a@example.net b\nc@example.net", NULL, "table:2: 'c@example.net' has no target"},
        {"virtual", "\"a b@example.net c\n", NULL, "table:1: a quote is not closed"},
        {"virtual", "a@example.net b,\n c, \"d\n", NULL, "table:1: a quote is not closed"},
        {"virtual", "a: b\n", NULL, "table:1: is of the form 'name: target'; is this a table for aliases:"},
        {"virtual", "  a@example.net b\n", NULL, "table:1: the line begins with white space"},
        {"aliases", "a b\n", NULL, "table:1: is not of the form 'name: target'"},
        {"aliases", "x: y\na:\n", NULL, "table:2: 'a' has no target"},
        {"aliases", "\"a: b\n", NULL, "table:1: a quote is not closed"},
        {"aliases", ": b\n", NULL, "table:1: is not of the form 'name: target'"},
        {"csv", "a@example.net\n", NULL, "table:1: there is no second field"},
        {"csv", "a@example.net,\n", NULL, "table:1: the target is empty"},
        {"csv", ",a@example.net\n", NULL, "table:1: the address is empty"},
        {"csv", "a@example.net,b\nc@example.net,\"d\n", NULL, "table:2: a quote is not closed"},
        {"csv", "a@example.net,\"b\" c\n", NULL, "table:1: there is text behind a closing quote"},
        {"csv", "a@example.net,b\"c\"\n", NULL, "table:1: a quote stands inside a field"},
        {"hash", "a b\n", NULL, "is no table: it must begin with virtual:, aliases: or csv:"},
    };
    for (size_t i = 0; i < SIZE(rows); i++) {
        struct tables *tables = tables_begin();
        tables_add(tables, rows[i].form, "table", rows[i].text);
        assert_false(tables_open(tables));
        if (!strstr(strbuf_text(&tables->problems), rows[i].expected))
            fail_msg("row %zu: '%s' instead of '%s'", i, strbuf_text(&tables->problems), rows[i].expected);
        tables_end(tables);
    }
}

/* Every wrong line is told, but not a thousand of them. */
static void test_many_problems(void **state)
{
    (void)state;
    struct tables *tables = tables_begin();
    struct strbuf text;
    strbuf_init(&text, 0);
    for (int i = 0; i < 1000; i++)
        strbuf_puts(&text, "lonely\n");
    tables_add(tables, "virtual", "table", strbuf_text(&text));
    assert_false(tables_open(tables));
    const char *problems = strbuf_text(&tables->problems);
    assert_non_null(strstr(problems, "table:20: "));
    assert_null(strstr(problems, "table:21: "));
    assert_non_null(strstr(problems, "table: 980 more lines are wrong"));
    strbuf_free(&text);
    tables_end(tables);
}

static void write_bytes(struct tables *tables, const char *name, const char *bytes, size_t len)
{
    const char *path = tables_write(tables, name, "");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static void test_files_that_are_none(void **state)
{
    (void)state;
    struct tables *tables = tables_begin();
    tables_add(tables, "virtual", "nul", "");
    tables_add(tables, "virtual", "long", "");
    write_bytes(tables, "nul", "a@example.net b\nc\0d e\n", 22);
    char *line = malloc((2 << 20) + 1);
    assert_non_null(line);
    memset(line, 'x', 2 << 20);
    line[5] = ' ';
    write_bytes(tables, "long", line, 2 << 20);
    free(line);
    tables->name_items[tables->names.count++] = "aliases:/nonexistent/aliases";
    tables->name_items[tables->names.count++] = "csv:/dev/zero";
    assert_false(tables_open(tables));
    const char *problems = strbuf_text(&tables->problems);
    assert_non_null(strstr(problems, "nul:2: the line holds a NUL byte"));
    assert_non_null(strstr(problems, "long:1: the line is too long"));
    assert_non_null(strstr(problems, "aliases:/nonexistent/aliases: No such file or directory\n"));
    assert_non_null(strstr(problems, "csv:/dev/zero: is no regular file\n"));
    tables_end(tables);
}

/* A line put together out of many is bounded too, and lines may lie anywhere across the reader's buffer. */
static void test_long_files(void **state)
{
    (void)state;
    struct tables *tables = tables_begin();
    struct strbuf text;
    strbuf_init(&text, (size_t)64 << 20);
    for (int i = 0; i < 150000; i++)
        strbuf_printf(&text, "user%d@example.net\n#%*s\n target%d@x.example\n", i, i % 61, "", i);
    tables_add(tables, "virtual", "table", strbuf_text(&text));
    assert_true(text.len > 3 * (2 << 20));
    assert_true(tables_open(tables));
    for (int i = 0; i < 150000; i += 7) {
        char address[64], expected[64];
        snprintf(address, sizeof address, "user%d@example.net", i);
        snprintf(expected, sizeof expected, "target%d@x.example", i);
        struct arena *arena = arena_create(4096);
        struct aliases_targets targets = aliases_expand(tables->aliases, arena, address);
        assert_int_equal(targets.count, 1);
        assert_string_equal(targets.items[0], expected);
        arena_destroy(arena);
    }
    aliases_close(tables->aliases);
    tables->aliases = NULL;
    text.len = 0;
    strbuf_puts(&text, "a@example.net b\n");
    while (text.len < 2 << 20)
        strbuf_puts(&text, "  c@x.example\n");
    tables_write(tables, "table", strbuf_text(&text));
    assert_false(tables_open(tables));
    assert_non_null(strstr(strbuf_text(&tables->problems), "table:1: the line is too long"));
    strbuf_free(&text);
    tables_end(tables);
}

/* A line that ends where the reader's buffer (2 MiB) does, and is continued behind it. */
static void test_line_at_the_buffer_s_end(void **state)
{
    (void)state;
    for (size_t off = 0; off < 3; off++) {
        struct tables *tables = tables_begin();
        struct strbuf text;
        strbuf_init(&text, (size_t)8 << 20);
        static const char entry[] = "a@example.net b@x.example\n";
        size_t start = (2 << 20) - (sizeof entry - 1) + 1 - off;
        while (text.len + 1000 < start)
            strbuf_printf(&text, "#%0500d\n", 0);
        while (text.len + 1 < start)
            strbuf_putc(&text, '#');
        strbuf_putc(&text, '\n');
        strbuf_puts(&text, entry);
        strbuf_puts(&text, " c@x.example\n");
        for (int i = 0; i < 60000; i++) /* a whole buffer of it */
            strbuf_puts(&text, "# overwritten, overwritten, overwritten\n");
        strbuf_puts(&text, "d@example.net e@x.example\n");
        tables_add(tables, "virtual", "table", strbuf_text(&text));
        assert_true(tables_open(tables));
        assert_string_equal(tables_expand(tables, "a@example.net"), "b@x.example c@x.example");
        assert_string_equal(tables_expand(tables, "d@example.net"), "e@x.example");
        strbuf_free(&text);
        tables_end(tables);
    }
}

static void test_lists(void **state)
{
    (void)state;
    struct tables *tables = tables_begin();
    tables_write(tables, "all", "alice, bob@x.example\n# nobody\n\n\"|/bin/x y\"\n:include:%/more\n:include:more\n");
    tables_write(tables, "more", "carol\ndave erin\n:include:%/all\n"); /* names the first again */
    tables_write(tables, "self", ":include:%/self\nfrank\n");
    tables_add(tables, "aliases", "aliases",
               "all: :include:%/all, \":include:%/missing\"\nself: :include:%/self\ncarol: zoe\n");
    assert_true(tables_open(tables));
    assert_string_equal(tables_expand(tables, "all@example.net"),
                        "alice@example.net bob@x.example zoe@example.net dave@example.net erin@example.net (cut)");
    assert_string_equal(tables_expand(tables, "self@example.net"), "frank@example.net (cut)");
    tables_end(tables);
}

int main(void)
{
    static const struct log_options quiet = {"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0};
    log_open(&quiet);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_virtual),
        cmocka_unit_test(test_local),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_many_problems),
        cmocka_unit_test(test_files_that_are_none),
        cmocka_unit_test(test_line_at_the_buffer_s_end),
        cmocka_unit_test(test_long_files),
        cmocka_unit_test(test_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
