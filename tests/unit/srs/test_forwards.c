/* The forward table: the CSV form and what spreadsheets make of it, the rows of the store, the two as one question. */
#include "unit.h"

#include "srs/forward_row.h"
#include "srs/forwards_csv.h"
#include "util/clock.h"
#include "util/log.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SIZE(array) (sizeof(array) / sizeof *(array))
#define NOW INT64_C(1800000000)

struct desk {
    char directory[64], path[96];
    struct arena *arena;
    struct strbuf problems;
    struct forwards *forwards;
    struct store *store;
};

static void keep_problem(void *context, const char *text)
{
    strbuf_puts(context, text);
    strbuf_putc(context, '\n');
}

static void write_table(struct desk *desk, const char *text)
{
    const char *other = arena_printf(desk->arena, "%s.new", desk->path);
    FILE *file = fopen(other, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(other, desk->path), 0);
}

static struct desk *begin(void)
{
    struct desk *desk = calloc(1, sizeof *desk);
    assert_non_null(desk);
    strcpy(desk->directory, "/tmp/test_forwards.XXXXXX");
    assert_non_null(mkdtemp(desk->directory));
    snprintf(desk->path, sizeof desk->path, "%s/table", desk->directory);
    desk->arena = arena_create(4096);
    strbuf_init(&desk->problems, 0);
    return desk;
}

static void end(struct desk *desk)
{
    forwards_close(desk->forwards);
    if (desk->store)
        store_close(desk->store);
    const char *command = arena_printf(desk->arena, "rm -r '%s'", desk->directory);
    assert_int_equal(system(command), 0);
    strbuf_free(&desk->problems);
    arena_destroy(desk->arena);
    free(desk);
}

/* With TEXT as the file, or NULL: the store. */
static bool open_table(struct desk *desk, const char *text)
{
    struct conf_problems problems = {keep_problem, &desk->problems, 0};
    if (text)
        write_table(desk, text);
    desk->forwards = forwards_open(text ? arena_printf(desk->arena, "csv:%s", desk->path) : "store", desk->store, &problems);
    assert_int_equal(desk->forwards == NULL, problems.count > 0);
    return desk->forwards;
}

/* "keep a@x b@y", "delete ...", "-", "down" */
static const char *found(struct desk *desk, const char *address)
{
    struct forward forward;
    enum store_outcome outcome = forwards_find(desk->forwards, desk->arena, address, NOW, &forward);
    if (outcome != STORE_OK) {
        assert_int_equal(forward.count * (outcome == STORE_ABSENT), 0);
        return outcome == STORE_ABSENT ? "-" : outcome == STORE_DOWN ? "down" : "?";
    }
    const char *text = forward.deletes ? "delete" : "keep";
    for (size_t i = 0; i < forward.count; i++)
        text = arena_printf(desk->arena, "%s %s", text, forward.targets[i]);
    return text;
}

static void expect(struct desk *desk, const char *address, const char *expected)
{
    const char *got = found(desk, address);
    if (strcmp(got, expected) != 0)
        fail_msg("%s is '%s' and not '%s'", address, got, expected);
}

/* ---- the file ---- */

static void test_taken(void **state)
{
    (void)state;
    static const struct {
        const char *text, *address, *expected;
    } rows[] = {
        {"a@example.net,B@X.Example,1\n", "a@example.net", "delete B@x.example"},
        {"A@Example.NET.,b@x.example,0", "a@example.net", "keep b@x.example"},
        {"a@example.net,b@x.example,0\n", "A@Example.net", "keep b@x.example"},
        {"a@example.net,b@x.example,0\n", "c@example.net", "-"},
        {"a@example.net,b@x.example,0\n", "no address", "-"},
        {"a@example.net,b@x.example,0\n", "@example.net", "-"},
        {"a@example.net,b@x.example,0\n", "", "-"},
        {"", "a@example.net", "-"},
        /* several lines, several targets in one; distinct, in their order */
        {"a@example.net,b@x.example c@x.example,1\nd@example.net,x@x.example,0\nA@example.net,e@x.example,1\n",
         "a@example.net", "delete b@x.example c@x.example e@x.example"},
        {"a@example.net,b@x.example B@X.example,1\na@example.net,\"<b@x.example>, c@x.example;d@x.example\",1\n",
         "a@example.net", "delete b@x.example c@x.example d@x.example"},
        {"a@example.net,b@x.example,1\na@example.net,b@x.example,1\n", "a@example.net", "delete b@x.example"},
        {"a@example.net,\xc3\x84@x.example \xc3\xa4@x.example \xc3\xb6@x.example,1\n", "a@example.net",
         "delete \xc3\x84@x.example \xc3\xb6@x.example"},
        /* a header, comments, empty lines and rows */
        {"address,target,delete\na@example.net,b@x.example,1\n", "a@example.net", "delete b@x.example"},
        {"# provider's\n\nAdresse;Ziel;L\xc3\xb6schen\na@example.net;b@x.example;1\n", "a@example.net",
         "delete b@x.example"},
        {"a@example.net,b@x.example,1\n,,\n , ,\n\"\",,\n# c@example.net,d@x.example,1\n  # e\n", "c@example.net", "-"},
        /* as spreadsheets write */
        {"\xef\xbb\xbf\"a@example.net\",\"b@x.example\",\"1\"\r\n\"c@example.net\",\"d@x.example\",\"0\"\r\n",
         "c@example.net", "keep d@x.example"},
        {"\xef\xbb\xbf"
         "a@example.net;b@x.example;1\r\n",
         "a@example.net", "delete b@x.example"},
        {"a@example.net;b@x.example,c@x.example;1\n", "a@example.net", "delete b@x.example c@x.example"},
        {"a@example.net,b@x.example;c@x.example,1\n", "a@example.net", "delete b@x.example c@x.example"},
        {"a@example.net\tb@x.example\t1\nc@example.net\td@x.example e@x.example\t0\n", "c@example.net",
         "keep d@x.example e@x.example"},
        {"a@example.net\t\"b@x.example\"\t1\n", "a@example.net", "delete b@x.example"},
        {"sep=;\r\naddress;target;delete\r\na@example.net;b@x.example;1\r\n", "a@example.net", "delete b@x.example"},
        {"SEP=,\na@example.net,b@x.example;c@x.example,1\n", "a@example.net", "delete b@x.example c@x.example"},
        {"a@example.net,b@x.example,1,,,\n", "a@example.net", "delete b@x.example"},
        {" a@example.net , b@x.example ,  1  \n", "a@example.net", "delete b@x.example"},
        {"a@example.net,\"b@x.example\nc@x.example\",1\n", "a@example.net", "delete b@x.example c@x.example"},
        /* addresses of all kinds */
        {"\"\"\"john doe\"\"@example.net\",\"\"\"a b\"\"@x.example c@x.example\",1\n", "\"John Doe\"@example.net",
         "delete \"a b\"@x.example c@x.example"},
        {"\"\"\"a;b\"\"@example.net\",c@x.example,1\n", "\"a;b\"@example.net", "delete c@x.example"},
        {"\"\"\"john\"\"@example.net\",a@x.example,1\n", "john@example.net", "delete a@x.example"},
        {"a@b\xc3\xbc"
         "cher.example,c@m\xc3\xbcller.example,1\n",
         "a@xn--bcher-kva.example", "delete c@xn--mller-kva.example"},
        {"a@example.net,b@[192.0.2.1],1\n", "a@example.net", "delete b@[192.0.2.1]"},
        {"a+t@example.net,b@x.example,1\n", "a+t@example.net", "delete b@x.example"},
        {"a@example.net,a+t@example.net,1\n", "a@example.net", "delete a+t@example.net"},
        /* catch-alls */
        {"@example.net,b@x.example,1\n", "anybody@example.net", "delete b@x.example"},
        {"@example.net,b@x.example,1\n", "@example.net", "-"},
        {"@Example.NET,b@x.example,1\na@example.net,c@x.example,0\n", "a@example.net", "keep c@x.example"},
        {"@example.net,b@x.example,1\n", "a@sub.example.net", "-"},
        {"@example.net,info@example.net b@x.example,1\n", "a@example.net", "delete info@example.net b@x.example"},
        {"@example.net,info@example.net b@x.example,1\n", "Info@example.net", "keep b@x.example"},
        {"@example.net,info@example.net,1\n", "info@example.net", "-"},
    };
    for (size_t i = 0; i < SIZE(rows); i++) {
        struct desk *desk = begin();
        if (!open_table(desk, rows[i].text))
            fail_msg("row %zu: %s", i, strbuf_text(&desk->problems));
        expect(desk, rows[i].address, rows[i].expected);
        end(desk);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"a@example.net,b@x.example\n", "table:1: there is no field delete\n"},
        {"a@example.net\n", "table:1: there is no field target\n"},
        {"a@example.net,b@x.example,1\nc@example.net,,1\n", "table:2: the field target is empty\n"},
        {"@example.net,;,0\n", "table:1: ';' names no target\n"},
        {"a@example.net,b@x.example,1\na@example.net,\" , \",1\n", "table:2: ',' names no target\n"},
        {",b@x.example,1\n", "table:1: the field address is empty\n"},
        {"a@example.net,b@x.example,\n", "table:1: the field delete is empty\n"},
        {"a@example.net,b@x.example,yes\n", "table:1: 'yes' says neither 1 (delete after forwarding) nor 0"},
        {"a@example.net,b@x.example,01\n", "table:1: '01' says neither"},
        {"a@example.net,b@x.example,1,note\n", "table:1: there are more fields than address, target and delete\n"},
        {"address,target,delete\naddress,target,delete\n", "table:2: 'address' has no domain\n"},
        {"a@example.net,b@x.example,1\naddress,target,delete\n", "table:2: 'address' has no domain\n"},
        {"target,address,delete\nb@x.example,a@example.net,1\n", "table:1: the columns stand in another order"},
        {"a@example.net\tb@x.example\t1\n\t\"b@x.example\"\t1\n", "table:2: the field address is empty\n"},
        {"target,mail,delete\nb@x.example,a@example.net,1\n", "table:1: the columns stand in another order"},
        {"info,b@x.example,1\n", "table:1: 'info' has no domain\n"},
        {"info,b,1\n", "table:1: 'info' has no domain\n"},
        {"a@b@example.net,b@x.example,1\n", "table:1: 'a@b@example.net' is no address\n"},
        {"a b@example.net,b@x.example,1\n", "table:1: 'a b@example.net' is no address\n"},
        {"\xe4@example.net,b@x.example,1\n", "' is no address\n"},
        {"a@example.net,b,1\n", "table:1: 'b' has no domain\n"},
        {"a@example.net,b@,1\n", "table:1: 'b@' is no address\n"},
        {"a@example.net,@x.example,1\n", "table:1: '@x.example' is a domain and no address\n"},
        {"a@example.net,c@x.example \"|/bin/x\",1\n", "table:1: a quote stands inside a field\n"},
        {"a@example.net,|/bin/x,1\n", "table:1: '|/bin/x' has no domain\n"},
        {"a@example.net,A@Example.NET,0\n", "table:1: 'A@Example.NET' is the address itself; with delete = 0 a copy stays"},
        {"a@example.net,\"\"\"a\"\"@example.net\",1\n", "is the address itself"},
        {"a@example.net,b@x.example,1\na@example.net,c@x.example,0\n", "table:2: 'a@example.net' has delete = 1 in a line"},
        {"a@example.net,b@x.example,0\nA@example.net,b@x.example,1\n", "table:2: 'A@example.net' has delete = 0 in a line"},
        {"a@example.net,b@x.example,1\nc@example.net;d@x.example;1\n", "table:2: there is no field target\n"},
        {"a@example.net,\"b@x.example,1\n", "table:1: a quote is not closed\n"},
        {"a@example.net,\"b@x.example\" x,1\n", "table:1: there is text behind a closing quote\n"},
        {"a@example.net,b@x.example\xc2\xa0,1\n", "' is no address\n"}, /* a space that is none */
        {"a@example.net,b@x.example,1\rc@example.net,d@x.example,1\r", "table:1: there are more fields"},
    };
    for (size_t i = 0; i < SIZE(rows); i++) {
        struct desk *desk = begin();
        assert_false(open_table(desk, rows[i].text));
        if (!strstr(strbuf_text(&desk->problems), rows[i].expected))
            fail_msg("row %zu: '%s' instead of '%s'", i, strbuf_text(&desk->problems), rows[i].expected);
        end(desk);
    }
}

/* UTF-16, as "Unicode text" of spreadsheets is. */
static void test_nul_bytes(void **state)
{
    (void)state;
    struct desk *desk = begin();
    struct conf_problems problems = {keep_problem, &desk->problems, 0};
    static const char bytes[] = "\xff\xfe"
                                "a\0@\0x\0";
    assert_null(forwards_csv_of("input", (struct span){bytes, sizeof bytes - 1}, &problems));
    assert_string_equal(strbuf_text(&desk->problems), "input:1: the line holds a NUL byte\n");
    end(desk);
}

static void test_bounds(void **state)
{
    (void)state;
    struct desk *desk = begin();
    struct strbuf text;
    strbuf_init(&text, 1 << 20);
    strbuf_puts(&text, "a@example.net,");
    for (int i = 0; i < FORWARDS_TARGETS_MAX; i++)
        strbuf_printf(&text, "%st%d@x.example", i ? " " : "", i);
    strbuf_puts(&text, " T7@x.example,1\n");
    assert_true(open_table(desk, strbuf_text(&text)));
    struct forward forward;
    assert_int_equal(forwards_find(desk->forwards, desk->arena, "a@example.net", NOW, &forward), STORE_OK);
    assert_int_equal(forward.count, FORWARDS_TARGETS_MAX);
    assert_string_equal(forward.targets[99], "t99@x.example");
    forwards_close(desk->forwards);
    strbuf_puts(&text, "b@example.net,c@x.example,1\na@example.net,more@x.example,1\n");
    assert_false(open_table(desk, strbuf_text(&text)));
    assert_non_null(strstr(strbuf_text(&desk->problems), "table:3: more than 100 targets of one address\n"));
    text.len = 0;
    desk->problems.len = 0;
    for (int i = 0; i < 1000; i++)
        strbuf_puts(&text, "x@example.net,x,1\n");
    assert_false(open_table(desk, strbuf_text(&text)));
    assert_non_null(strstr(strbuf_text(&desk->problems), "table:20: "));
    assert_null(strstr(strbuf_text(&desk->problems), "table:21: "));
    assert_non_null(strstr(strbuf_text(&desk->problems), "table: 980 more lines are wrong\n"));
    strbuf_free(&text);
    end(desk);
}

static void test_what_smtp_carries(void **state)
{
    (void)state;
    struct alias_address target;
    char text[400];
    memset(text, 'x', sizeof text);
    strcpy(text + 64, "@x.example");
    assert_null(forward_read_target(NULL, span_of(text), &target));
    text[64] = 'x';
    strcpy(text + 65, "@x.example");
    assert_string_equal(forward_read_target(NULL, span_of(text), &target),
                        "has more than 64 octets before the '@', which SMTP does not carry");
    /* quotes count: 62 octets and two quotes, then 63 */
    memset(text, 'x', sizeof text);
    text[0] = '"';
    text[1] = ' ';
    strcpy(text + 63, "\"@x.example");
    assert_null(forward_read_target(NULL, span_of(text), &target));
    text[63] = 'x';
    strcpy(text + 64, "\"@x.example");
    assert_non_null(forward_read_target(NULL, span_of(text), &target));
    /* 254 octets in all, then 255 */
    memset(text, 'x', sizeof text);
    text[10] = '@';
    for (size_t i = 50; i < 250; i += 40)
        text[i] = '.';
    text[254] = '\0';
    assert_null(forward_read_target(NULL, span_of(text), &target));
    text[254] = 'x';
    text[255] = '\0';
    assert_string_equal(forward_read_target(NULL, span_of(text), &target),
                        "has more than 254 octets, which SMTP does not carry");
}

static void test_verify(void **state)
{
    (void)state;
    assert_null(forwards_verify_table(""));
    assert_null(forwards_verify_table("store"));
    assert_null(forwards_verify_table("csv:/etc/postern/forwards.csv"));
    assert_string_equal(forwards_verify_table("csv:forwards.csv"), "does not name the file by its whole path");
    assert_non_null(forwards_verify_table("virtual:/etc/postfix/virtual"));
    assert_non_null(forwards_verify_table("/etc/postern/forwards.csv"));
    struct desk *desk = begin();
    struct conf_problems problems = {keep_problem, &desk->problems, 0};
    assert_null(forwards_open("aliases:/etc/aliases", NULL, &problems));
    assert_string_equal(strbuf_text(&desk->problems),
                        "forwards: table: 'aliases:/etc/aliases' is neither store nor csv:/PATH\n");
    assert_null(forwards_open("csv:/nonexistent/forwards", NULL, &problems));
    assert_non_null(strstr(strbuf_text(&desk->problems), "/nonexistent/forwards: No such file or directory\n"));
    end(desk);
}

/* ---- reading again ---- */

static void expect_soon(struct desk *desk, const char *address, const char *expected)
{
    int64_t start = clock_monotonic_us();
    while (strcmp(found(desk, address), expected) != 0) {
        if (clock_monotonic_us() - start > 3000000)
            fail_msg("%s is still '%s' and not '%s'", address, found(desk, address), expected);
        clock_sleep_us(20000);
    }
}

static void test_read_again(void **state)
{
    (void)state;
    struct desk *desk = begin();
    assert_true(open_table(desk, "a@example.net,1@x.example,1\n"));
    write_table(desk, "a@example.net,2@x.example,0\n");
    expect_soon(desk, "a@example.net", "keep 2@x.example");
    write_table(desk, "a@example.net,3@x.example,0\nb@example.net,b,1\n"); /* bad: the old one stays */
    clock_sleep_us(1500000);
    expect(desk, "a@example.net", "keep 2@x.example");
    write_table(desk, "a@example.net,4@x.example,1\n");
    expect_soon(desk, "a@example.net", "delete 4@x.example");
    end(desk);
}

static atomic_bool stop;

static void *look_up(void *context)
{
    struct desk *desk = context;
    size_t wrong = 0;
    while (!atomic_load(&stop)) {
        struct arena *arena = arena_create(1024);
        struct forward forward;
        wrong += forwards_find(desk->forwards, arena, "a@example.net", NOW, &forward) != STORE_OK || forward.count != 2 ||
                 forward.targets[0][0] != forward.targets[1][0];
        arena_destroy(arena);
    }
    return (void *)wrong;
}

static void test_look_ups_while_reading(void **state)
{
    (void)state;
    struct desk *desk = begin();
    pthread_t threads[2];
    assert_true(open_table(desk, "a@example.net,0a@x.example 0b@x.example,1\n"));
    atomic_store(&stop, false);
    for (size_t i = 0; i < SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, look_up, desk), 0);
    write_table(desk, "a@example.net,1a@x.example,1\na@example.net,1b@x.example,1\n");
    expect_soon(desk, "a@example.net", "delete 1a@x.example 1b@x.example");
    atomic_store(&stop, true);
    for (size_t i = 0; i < SIZE(threads); i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    end(desk);
}

/* ---- the store ---- */

static void put(struct desk *desk, const char *key, const char *row)
{
    assert_int_equal(store_put(desk->store, key, span_of(row), 0, NOW), STORE_OK);
}

static struct desk *begin_store(void)
{
    struct desk *desk = begin();
    const char *problem = NULL;
    const struct store_options options = {arena_printf(desk->arena, "sqlite:%s/db", desk->directory), "", NULL, NULL, 2000};
    desk->store = store_open(&options, desk->arena, &problem);
    assert_non_null(desk->store);
    assert_true(open_table(desk, NULL));
    return desk;
}

static void test_store(void **state)
{
    (void)state;
    struct desk *desk = begin_store();
    expect(desk, "a@example.net", "-");
    struct forward forward = {.deletes = true};
    assert_true(forward_add_target(desk->arena, &forward, "B@x.example"));
    assert_true(forward_add_target(desk->arena, &forward, "b@x.example"));
    assert_true(forward_add_target(desk->arena, &forward, "c@x.example"));
    assert_int_equal(store_put(desk->store, "forward/a@example.net", forward_print(desk->arena, &forward), 0, NOW), STORE_OK);
    expect(desk, "A@Example.NET", "delete B@x.example c@x.example");
    put(desk, "forward/@example.net", "1 keep\nall@x.example\ninfo@example.net\n");
    put(desk, "forward/\"john doe\"@example.net", "1 keep\nj@x.example\n");
    expect(desk, "a@example.net", "delete B@x.example c@x.example");
    expect(desk, "b@example.net", "keep all@x.example info@example.net");
    expect(desk, "info@example.net", "keep all@x.example");
    expect(desk, "\"John Doe\"@example.net", "keep j@x.example");
    assert_int_equal(store_delete(desk->store, "forward/a@example.net", NOW), STORE_OK);
    expect(desk, "a@example.net", "keep all@x.example info@example.net");
    end(desk);
}

/* Nothing may be concluded from a damaged row, least of all the catch-all. */
static void test_damaged_rows(void **state)
{
    (void)state;
    static const char *const rows[] = {"", "1 keep", "1 keep\n", "2 keep\nb@x.example\n", "1 keep\nb@x.example",
                                       "1 keep\nb\n", "1 perhaps\nb@x.example\n", "b@x.example\n",
                                       "1 keep\nb@x.example\n\n", "1 keep\na@b@c\n"};
    struct desk *desk = begin_store();
    put(desk, "forward/@example.net", "1 keep\nall@x.example\n");
    for (size_t i = 0; i < SIZE(rows); i++) {
        struct forward forward;
        assert_int_equal(forward_load(desk->arena, span_of(rows[i]), &forward), -1);
        put(desk, "forward/a@example.net", rows[i]);
        expect(desk, "a@example.net", "down");
    }
    put(desk, "forward/a@example.net", "1 keep\nb@x.example\n");
    expect(desk, "a@example.net", "keep b@x.example");
    end(desk);
}

/* ---- all of it ---- */

static void visit(void *context, const char *address, const struct forward *forward)
{
    struct strbuf *text = context;
    strbuf_printf(text, "%s:%s", address, forward->deletes ? "d" : "k");
    for (size_t i = 0; i < forward->count; i++)
        strbuf_printf(text, " %s", forward->targets[i]);
    strbuf_putc(text, '\n');
}

static void test_each(void **state)
{
    (void)state;
    struct desk *desk = begin();
    struct conf_problems problems = {keep_problem, &desk->problems, 0};
    struct strbuf text;
    static const char csv[] = "a@example.net,b@x.example,1\n@example.net,c@x.example,0\na@example.net,d@x.example,1\n"
                              "\"\"\"x@y z\"\"@example.net\",e@x.example,0\n";
    struct alias_table *table = forwards_csv_of("input", span_of(csv), &problems);
    assert_non_null(table);
    strbuf_init(&text, 0);
    forwards_csv_each(table, desk->arena, visit, &text);
    assert_non_null(strstr(strbuf_text(&text), "a@example.net:d b@x.example d@x.example\n"));
    assert_non_null(strstr(strbuf_text(&text), "@example.net:k c@x.example\n"));
    assert_non_null(strstr(strbuf_text(&text), "\"x@y z\"@example.net:k e@x.example\n"));
    size_t lines = 0;
    for (const char *p = strbuf_text(&text); *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 3);
    strbuf_free(&text);
    alias_table_free(table);
    end(desk);
}

int main(void)
{
    static const struct log_options quiet = {"test", LOG_TO_STDERR, LOG_AS_KV, LEVEL_ERROR, 0};
    log_open(&quiet);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nul_bytes),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_what_smtp_carries),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_read_again),
        cmocka_unit_test(test_look_ups_while_reading),
        cmocka_unit_test(test_store),
        cmocka_unit_test(test_damaged_rows),
        cmocka_unit_test(test_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
