/* Bad files: each fault told with file and line, and all faults of a file in one run. */
#include "unit.h"

#include "fixture.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct problem_case {
    const char *text, *expected;
};

#define P "postern.conf:"
static const struct problem_case cases[] = {
    /* names */
    {"\nsockt = x\n", P "2: there is no option 'sockt' (did you mean 'socket'?)\n"},
    {"quite_other = x\n", P "1: there is no option 'quite_other'\n"},
    {"all {\n\n numbr = 5 }\n", P "3: all: there is no option 'numbr' (did you mean 'number'?)\n"},
    {"number = 5\n", P "1: there is no option 'number' (it belongs to section 'all')\n"},
    {"all { mode = off }\n", P "1: all: there is no option 'mode' (it belongs to the top level of the file)\n"},
    {"al { number = 1 }\n", P "1: there is no section 'al' (did you mean 'all'?)\n"},
    {"alll {\n { x }\n \"}\" }\nmode = x\n",
     P "1: there is no section 'alll' (did you mean 'all'?)\n" P "4: mode: 'x' is none of: enforce, monitor, off\n"},
    {"all|number = 3\n", P "1: there is no option 'all|number'\n"},
    {"all = 3\n", P "1: all: is a section: it needs '{' instead of '='\n"},
    {"mode { x = 1 }\n", P "1: mode: '=' is missing\n"},
    {"all { all { } }\nall { }\n",
     P "1: all: the section is not closed before section 'all' on line 1: '}' is missing\n" P
       "1: all: the section is given twice, first at postern.conf:1\n" P "1: '}' without a '{' before it\n" P
       "2: all: the section is given twice, first at postern.conf:1\n"},
    /* twice */
    {"mode = off\n\nmode = off\n", P "3: mode: is given twice, first at postern.conf:1\n"},
    {"all { flag = no }\nall {\n flag = maybe }\n", P "2: all: the section is given twice, first at postern.conf:1\n"},
    {"trusted_networks += { ::1 }\ntrusted_networks = { ::1 }\n",
     P "2: trusted_networks: is given twice, first at postern.conf:1\n"},
    /* shapes */
    {"mode = { off }\n", P "1: mode: takes one value, not a list\n"},
    {"trusted_networks = ::1\n", P "1: trusted_networks: takes a list: { ... }\n"},
    {"mode += off\n", P "1: mode: '+=' is for lists; this option takes one value\n"},
    {"mode off\nsocket = X\n", P "1: mode: '=' is missing\n" P "2: socket: 'X' has an X\n"},
    {"all { flag no }\nsocket = X\n", P "1: all: flag: '=' is missing\n" P "2: socket: 'X' has an X\n"},
    {"all\n", P "1: all: '{' is missing behind the name of the section\n"},
    {"mode =\n", P "1: mode: a value is missing behind '='\n"},
    {"mode =\nsocket = X\n", P "1: mode: a value is missing behind '='\n" P "2: socket: 'X' has an X\n"},
    {"mode = = off\n",
     P "1: mode: a value is missing behind '='\n" P "1: unexpected '='\n" P "1: there is no option 'off'\n"},
    {"mode = off on\n", P "1: there is no option 'on'\n"},
    {"'mode' = off\n", P "1: unexpected ''mode''\n" P "1: unexpected '='\n" P "1: there is no option 'off'\n"},
    {"all { texts = { a b } }\n", P "1: all: texts: a comma is missing before 'b'\n"},
    {"all { texts = { a, , b } }\n", P "1: all: texts: unexpected ',' in a list\n"},
    {"all { texts = { a, { b, c }, d }\n flag = x }\n",
     P "1: all: texts: unexpected '{' in a list\n" P "2: all: flag: 'x' is neither yes nor no\n"},
    {"all { texts = { a = b } }\n", P "1: all: texts: unexpected '=' in a list\n"},
    {"all {\n texts = { a, b\n flag = x\n}\n",
     P "2: all: texts: the list is not closed before 'flag' on line 3: '}' is "
       "missing\n" P "3: all: flag: 'x' is neither yes nor no\n"},
    {"\nall { texts = { a, b", P "2: all: texts: the list is never closed: '}' is missing\n" P
                                 "2: all: the section is never closed: '}' is missing\n"},
    {"\nall {\n flag = x\n",
     P "2: all: the section is never closed: '}' is missing\n" P "3: all: flag: 'x' is neither yes nor no\n"},
    {"mode = off }\n", P "1: '}' without a '{' before it\n"},
    {"\nsomething { a = b\n",
     P "2: there is no section 'something'\n" P "2: something: the block is never closed: '}' is missing\n"},
    {"all { flag = ( }\n", P "1: all: flag: a value is missing behind '='\n" P "1: all: unexpected '('\n"},
    {"mode = off;\n", P "1: mode: 'off;' is none of: enforce, monitor, off\n"},
    {"mode = *off\nsocket = X\n", P "1: mode: a character that must stand in quotes\n" P "2: socket: 'X' has an X\n"},
    {"mode = +off\n", P "1: mode: a character that must stand in quotes\n"},
    {"\x01\n", P "1: a character that must stand in quotes\n"},
    {"/* never\nmode = x\n", P "1: the comment is never closed: '*/' is missing\n"},
    /* quotes and escapes */
    {"socket = \"a\nmode = x\n",
     P "1: socket: the quoted text has no end on its line\n" P "2: mode: 'x' is none of: enforce, monitor, off\n"},
    {"socket = \"a\nmode = \"x\"\n",
     P "1: socket: the quoted text has no end on its line\n" P "2: mode: 'x' is none of: enforce, monitor, off\n"},
    {"socket = \"a\\\nb\" owner = 'c\\\nd'\nmod = x\n", P "4: there is no option 'mod' (did you mean 'mode'?)\n"},
    {"socket = 'a", P "1: socket: the quoted text has no end on its line\n"},
    {"socket = \"a\\", P "1: socket: the quoted text has no end on its line\n"},
    {"all { texts = { \"a, b }\n flag = x }\n",
     P "1: all: texts: the quoted text has no end on its line\n" P
       "1: all: texts: the list is not closed before 'flag' on line 2: '}' is "
       "missing\n" P "2: all: flag: 'x' is neither yes nor no\n"},
    {"socket = \"\\0\"\n", P "1: socket: holds a NUL byte\n"},
    {"socket = \"\\x00\"\n", P "1: socket: holds a NUL byte\n"},
    {"socket = \"\\400\"\n", P "1: socket: has an escape sequence that is no octal number up to \\377\n"},
    {"socket = \"\\9\"\n", P "1: socket: has an escape sequence that is no octal number up to \\377\n"},
    {"socket = \"\\1234\"\n", P "1: socket: has an escape sequence that is no octal number up to \\377\n"},
    {"socket = \"a${b\"\n",
     P "1: socket: '${' begins an environment variable that has no '}' (write \\${ for the characters)\n"},
    {"socket = ${b\n", P "1: socket: '${' begins an environment variable that has no '}'\n"},
    {"socket = a${b}\n", P "1: there is no option '${b}'\n"},
    /* values, with their lines */
    {"drain_timeout = 2d\n", P "1: drain_timeout: '2d' is out of range (1s to 1d)\n"},
    {"drain_timeout =\n soon\n", P "2: drain_timeout: 'soon' is no length of time (a number and ms, s, m, h or d)\n"},
    {"socket_mode = 999\n", P "1: socket_mode: '999' is no file mode (octal digits, as 0660)\n"},
    {"trusted_networks = {\n 10.0.0.1/8,\n \"10.0.0.0/33\",\n host }\n",
     P "2: trusted_networks: '10.0.0.1/8' has bits set behind the prefix length\n" P
       "3: trusted_networks: '10.0.0.0/33' has a prefix length that is out of range\n" P
       "4: trusted_networks: 'host' is no IPv4 or IPv6 network\n"},
    {"all { domains = { a..b, fXn.example } }\n",
     P "1: all: domains: 'a..b' is no domain name\n" P "1: all: domains: 'fXn.example' has an X\n"},
    {"all { classes = { outside, inside } }\n", P "1: all: classes: 'inside' is none of: outside, trusted, local\n"},
    {"all { texts = { '' } words = { \"\" } }\n", P "1: all: texts: '' is empty\n" P "1: all: words: '' is empty\n"},
    {"all { texts = { aXb } }\n", P "1: all: texts: 'aXb' has an X\n"},
    {"all { reply = '550 5.7.1 {rcpt} {file}' }\n",
     P "1: all: reply: '550 5.7.1 {rcpt} {file}' has a placeholder that does not exist here: {file} (allowed: rcpt "
       "helo)\n"},
    {"all { reply = '450 4.7.1 x' }\n", P "1: all: reply: '450 4.7.1 x' must have an SMTP code that begins with 5\n"},
    {"all { reply = '' }\n", P "1: all: reply: '' must begin with an SMTP code and an enhanced status code, like \"550 "
                               "5.7.1 \"\n"},
    {"mode = \"a\\nb\x7f\"\n", P "1: mode: 'a?b?' is none of: enforce, monitor, off\n"},
    {"mode = 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890\n",
     P "1: mode: '01234567890123456789012345678901234567890123456789012345678901234567890123456789...' is none of: "
       "enforce, monitor, off\n"},
    {"socket = \"a\\\nb\\\nc\"\nmode = x\n", P "4: mode: 'x' is none of: enforce, monitor, off\n"},
    {"/*\n\n*/ mode = x\n# c\n", P "3: mode: 'x' is none of: enforce, monitor, off\n"},
    /* list files and includes */
    {"all { words = { /nonexistent/list } }\n",
     P "1: all: words: list file '/nonexistent/list' cannot be opened: No such file or directory\n"},
    {"all { words = { /dev } }\n", P "1: all: words: list file '/dev' is a directory\n"},
    {"all { words = { /dev/null } }\n", P "1: all: words: list file '/dev/null' is no regular file\n"},
    {"\ninclude(\"none\")\nmode = x\n", P "2: include: 'none' cannot be opened: No such file or directory\n" P
                                          "3: mode: 'x' is none of: enforce, monitor, off\n"},
    {"include(postern.conf)\n", P "1: include: 'postern.conf' includes itself\n"},
    {"include(\"a\", \"b\")\n", P "1: include() must look like include(\"file\")\n"},
    {"include(\n", P "1: include() must look like include(\"file\")\n"},
    {"include = x\n", P "1: there is no option 'include'\n"},
    {"all { include(\"a\") }\n", P "1: all: include() works at the top level of the file only\n"},
    {"reload(\"a\")\n", P "1: there is no function 'reload'\n"},
};

static bool matches(const char *path, const char *expected)
{
    struct strbuf problems;
    unsigned count;
    strbuf_init(&problems, 0);
    struct conf *conf = fixture_load(path, &problems, &count);
    bool same = !conf && strcmp(strbuf_text(&problems), expected) == 0;
    if (!same)
        print_error("expected:\n%sgot:\n%s\n", expected, strbuf_text(&problems));
    conf_destroy(conf);
    strbuf_free(&problems);
    return same;
}

static void check(const char *path, const char *expected)
{
    struct strbuf problems;
    unsigned count, lines = 0;
    strbuf_init(&problems, 0);
    struct conf *conf = fixture_load(path, &problems, &count);
    assert_string_equal(strbuf_text(&problems), expected);
    assert_null(conf);
    for (const char *p = expected; (p = strchr(p, '\n')); p++)
        lines++;
    assert_int_equal(count, lines);
    strbuf_free(&problems);
}

static void test_cases(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        wrong += !matches(fixture_write("postern.conf", cases[i].text, strlen(cases[i].text)), cases[i].expected);
    assert_int_equal(wrong, 0);
}

static void test_all_at_once(void **state)
{
    static const char text[] =
        "sockt = x\nmode = foo\nall {\n flag = maybe\n number = 0\n nmber = 1\n words = { a b }\n"
        " size = 1X\n}\nall { flag = no }\ndrain_timeout = 1ms\nother { x = { y } }\n";
    (void)state;
    check(fixture_write("postern.conf", text, sizeof text - 1),
          P "1: there is no option 'sockt' (did you mean 'socket'?)\n" P
            "2: mode: 'foo' is none of: enforce, monitor, off\n" P "4: all: flag: 'maybe' is neither yes nor no\n" P
            "5: all: number: '0' is out of range (1 to 100000)\n" P
            "6: all: there is no option 'nmber' (did you mean 'number'?)\n" P
            "7: all: words: a comma is missing before 'b'\n" P
            "8: all: size: '1X' is no size (a number and optional k, M or G)\n" P
            "10: all: the section is given twice, first at postern.conf:3\n" P
            "11: drain_timeout: '1ms' is out of range (1s to 1d)\n" P "12: there is no section 'other'\n");
}

static void test_nul(void **state)
{
    static const char text[] = "mode = off\nsocket = \"a\0b\"\nmode = \0x\n";
    (void)state;
    check(fixture_write("postern.conf", text, sizeof text - 1),
          P "2: holds a NUL byte\n" P "3: holds a NUL byte\n" P "3: mode: is given twice, first at postern.conf:1\n");
}

static void test_unreadable(void **state)
{
    (void)state;
    check("/nonexistent/postern.conf", "/nonexistent/postern.conf: cannot be opened: No such file or directory\n");
    check("/tmp", "/tmp: is a directory\n");
    check("/dev/null", "/dev/null: is no regular file\n");
    FILE *file = fopen(fixture_path("postern.conf"), "w");
    assert_int_equal(ftruncate(fileno(file), 5 << 20), 0);
    fclose(file);
    check(fixture_path("postern.conf"), "postern.conf: is larger than 4 MiB\n");
}

static void test_list_file(void **state)
{
    static const char list[] = "fine.example\n# a comment\nbad..example\n/etc/other\nnul\0.example\n X.example\n";
    (void)state;
    char text[512];
    snprintf(text, sizeof text, "\nall { domains = { %s } }\n", fixture_write("list", list, sizeof list - 1));
    check(fixture_write("postern.conf", text, strlen(text)),
          "list:3: all: domains: 'bad..example' is no domain name\n"
          "list:4: all: domains: '/etc/other' is a path; a list file cannot name another\n"
          "list:5: all: domains: 'nul' holds a NUL byte\n"
          "list:6: all: domains: 'X.example' has an X\n");
}

static void test_list_file_of_rubbish(void **state)
{
    (void)state;
    char text[512];
    struct strbuf list, expected;
    strbuf_init(&list, 0);
    strbuf_init(&expected, 0);
    strbuf_puts(&expected, "list: all: domains: 9980 more lines are wrong\n");
    for (int i = 1; i <= 10000; i++) {
        strbuf_puts(&list, "-.-\n");
        if (i <= 20)
            strbuf_printf(&expected, "list:%d: all: domains: '-.-' is no domain name\n", i);
    }
    snprintf(text, sizeof text, "all { domains = { %s } }\n", fixture_write("list", list.ptr, list.len));
    check(fixture_write("postern.conf", text, strlen(text)), strbuf_text(&expected));
    strbuf_free(&list);
    strbuf_free(&expected);
}

static void count_lines(void *context, const char *text)
{
    (void)text;
    ++*(unsigned *)context;
}

/* A file that is no configuration at all must not bury the screen, nor take a second. */
static void test_rubbish(void **state)
{
    (void)state;
    struct strbuf text;
    strbuf_init(&text, 3 << 20);
    for (int i = 0; !text.truncated; i++)
        strbuf_printf(&text, "name%d\n", i);
    unsigned lines = 0;
    struct conf_problems problems = {count_lines, &lines, 0};
    assert_null(
        conf_load(fixture_write("postern.conf", text.ptr, text.len), fixture_sections, FIXTURE_COUNT, &problems));
    assert_int_equal(problems.count, 500);
    assert_int_equal(lines, 501);
    strbuf_free(&text);
}

static void test_include(void **state)
{
    static const char more[] = "\nmode = x\nall { flg = no\n number = 0\n}\nsocket = a\n",
                      main_file[] = "socket = b\ninclude(\"more.conf\")\nall { }\ndrain_timeout = x\n";
    (void)state;
    fixture_write("more.conf", more, sizeof more - 1);
    check(fixture_write("postern.conf", main_file, sizeof main_file - 1),
          "more.conf:2: mode: 'x' is none of: enforce, monitor, off\n"
          "more.conf:3: all: the section is given twice, first at postern.conf:3\n"
          "more.conf:6: socket: is given twice, first at postern.conf:1\n" P
          "4: drain_timeout: 'x' is no length of time (a number and ms, s, m, h or d)\n");
}

static void test_include_loop(void **state)
{
    static const char more[] = "include(loop.conf)\n", loop[] = "include(more.conf)\n", text[] = "include(loop.conf)\n";
    (void)state;
    fixture_write("more.conf", more, sizeof more - 1);
    fixture_write("loop.conf", loop, sizeof loop - 1);
    check(fixture_write("postern.conf", text, sizeof text - 1), "more.conf:1: include: 'loop.conf' includes itself\n");
}

/* After bad files, deep in includes and in quotes, a good one must load as if nothing had been. */
static void test_nothing_stays(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++) {
        test_include_loop(NULL);
        test_include(NULL);
        check(fixture_write("postern.conf", "socket = \"a", 11),
              P "1: socket: the quoted text has no end on its line\n");
        struct strbuf problems;
        unsigned count;
        strbuf_init(&problems, 0);
        struct conf *conf = fixture_load(fixture_write("postern.conf", "mode = off", 10), &problems, &count);
        assert_non_null(conf);
        conf_destroy(conf);
        strbuf_free(&problems);
    }
}

static void keep_last(void *context, const char *text)
{
    snprintf(context, 200, "%s", text);
}

static void test_bad_default(void **state)
{
    static const struct option_row rows[] = {
        {.name = "number", .type = OPTION_INT, .def = "0", .min = 1, .max = 5, .help = "A number."}, {.name = NULL}};
    static const struct conf_section section = {"bad", "A section.", rows, sizeof(int64_t)};
    (void)state;
    char last[200] = "";
    struct conf_problems problems = {keep_last, last, 0};
    assert_null(conf_load(fixture_write("postern.conf", "", 0), &section, 1, &problems));
    assert_int_equal(problems.count, 1);
    assert_string_equal(last, "default of bad: number: '0' is out of range (1 to 5)");
    assert_null(conf_load(fixture_path("postern.conf"), &section, 1, NULL));
}

static int clean(void **state)
{
    (void)state;
    fixture_clean();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases),        cmocka_unit_test(test_all_at_once),
                                       cmocka_unit_test(test_nul),          cmocka_unit_test(test_unreadable),
                                       cmocka_unit_test(test_list_file),    cmocka_unit_test(test_list_file_of_rubbish),
                                       cmocka_unit_test(test_rubbish),      cmocka_unit_test(test_include),
                                       cmocka_unit_test(test_include_loop), cmocka_unit_test(test_nothing_stays),
                                       cmocka_unit_test(test_bad_default)};
    return cmocka_run_group_tests_name("conf_problems", tests, NULL, clean);
}
