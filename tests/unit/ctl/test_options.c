/* ctl/options and ctl/json: a command line in, a filled request, an exit status and the words on the two streams
 * out. */
#include "unit.h"

#include "ctl/json.h"
#include "ctl/options.h"
#include "util/utf8.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct request {
    bool flag;
    const char *text;
    struct string_list texts;
    int64_t number, wait, when;
    int word;
    char read[32];
};

static struct request request;   /* of the last call */
static struct ctl_call seen;     /* the same; its arena is gone */
static char words[16][64], *out; /* what the arguments were; what was printed, both streams */
static unsigned runs;

static int run(const struct ctl_call *call, void *context)
{
    assert_ptr_equal(context, &request);
    seen = *call;
    runs++;
    for (size_t i = 0; i < request.texts.count; i++)
        snprintf(words[i], sizeof words[i], "%s", request.texts.items[i]);
    return strcmp(request.read, "fail") == 0 ? ctl_fail(call, EX_NOINPUT, "no %s", request.read) : EX_OK;
}

static const char *read_five(const struct ctl_call *call, void *context, const char *value)
{
    struct request *into = context;
    assert_non_null(call->arena);
    snprintf(into->read, sizeof into->read, "%s", value);
    return strlen(value) > 5 ? "is longer than five" : NULL;
}

static const struct option_word colours[] = {{"red", 1}, {"green", 2}, {"blue", 3}, {0}};

static const struct ctl_option options[] = {
    {.name = "flag", .type = CTL_FLAG, .offset = offsetof(struct request, flag)},
    {.name = "text", .type = CTL_TEXT, .offset = offsetof(struct request, text)},
    {.name = "texts", .type = CTL_TEXTS, .offset = offsetof(struct request, texts)},
    {.name = "number", .type = CTL_NUMBER, .offset = offsetof(struct request, number), .min = -2, .max = 10},
    {.name = "wait", .type = CTL_SECONDS, .offset = offsetof(struct request, wait), .min = 1, .max = 60000},
    {.name = "when", .type = CTL_TIME, .offset = offsetof(struct request, when)},
    {.name = "colour", .type = CTL_WORD, .offset = offsetof(struct request, word), .words = colours},
    {.name = "five", .type = CTL_READ, .read = read_five},
    {0},
};

static const struct ctl_command command = {
    .name = "group paint",
    .usage = "usage: paint\n",
    .shared = CTL_JSON | CTL_DNS,
    .arguments = 2,
    .options = options,
    .run = run,
};

static const struct ctl_command daemon_command = {
    .name = "talk", .usage = "usage: talk\n", .shared = CTL_DAEMON, .run = run};

static int cmd_paint(int argc, char **argv)
{
    return ctl_run(&command, &request, argc, argv);
}

static int cmd_talk(int argc, char **argv)
{
    return ctl_run(&daemon_command, &request, argc, argv);
}

static const struct ctl_verb group_verbs[] = {
    {"paint", cmd_paint, "paints"}, {"scrape", cmd_paint, "scrapes"}, {"sand", cmd_paint, "sands"}, {0}};

static int cmd_group(int argc, char **argv)
{
    return ctl_dispatch("posternctl group", group_verbs, argc, argv);
}

static const struct ctl_verb top_verbs[] = {{"group", cmd_group, "all of it"}, {"talk", cmd_talk, "speaks"}, {0}};

static int cmd_top(int argc, char **argv)
{
    return ctl_dispatch("posternctl", top_verbs, argc, argv);
}

/* LINE is cut at its blanks; its first word is the program. */
static int call(int (*command_line)(int argc, char **argv), const char *line)
{
    static char copy[512];
    char *argv[64], *rest = copy;
    int argc = 0;
    size_t len;
    FILE *old_out = stdout, *old_err = stderr, *stream;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word; (word = strsep(&rest, " "));)
        argv[argc++] = word;
    argv[argc] = NULL;
    request = (struct request){.number = 7, .wait = 5000};
    runs = 0;
    free(out);
    stream = open_memstream(&out, &len);
    stdout = stderr = stream;
    int status = command_line(argc, argv);
    stdout = old_out;
    stderr = old_err;
    fclose(stream);
    return status;
}

static void test_rows(void **state)
{
    (void)state;
    assert_int_equal(call(cmd_paint, "x a --flag --text=t --texts 1 --number -2 b --texts 2 --wait 0.7 --colour blue "
                                     "--five 12345 --when 2026-11-22T03:24:22Z --json --dns ::1@53 -c f"),
                     EX_OK);
    assert_int_equal(runs, 1);
    assert_true(request.flag);
    assert_string_equal(request.text, "t");
    assert_int_equal(request.texts.count, 2);
    assert_string_equal(words[0], "1");
    assert_string_equal(words[1], "2");
    assert_int_equal(request.number, -2);
    assert_int_equal(request.wait, 700);
    assert_int_equal(request.when, 1795317862);
    assert_int_equal(request.word, 3);
    assert_string_equal(request.read, "12345");
    assert_true(seen.json && seen.config_is_given);
    assert_string_equal(seen.dns, "::1@53");
    assert_string_equal(seen.config, "f");
    assert_int_equal(seen.argument_count, 2);
    assert_string_equal(seen.arguments[0], "a");
    assert_string_equal(seen.arguments[1], "b");
    assert_string_equal(out, "");
}

static void test_defaults(void **state)
{
    (void)state;
    assert_int_equal(call(cmd_paint, "x"), EX_OK);
    assert_false(request.flag || seen.json || seen.config_is_given);
    assert_null(request.text);
    assert_null(seen.dns);
    assert_int_equal(request.number, 7);
    assert_int_equal(request.wait, 5000);
    assert_int_equal(request.texts.count, 0);
    assert_non_null(strstr(seen.config, "/postern/postern.conf"));
    assert_int_equal(call(cmd_talk, "x --control p -w q -cz"), EX_OK);
    assert_string_equal(seen.control, "p");
    assert_string_equal(seen.worker, "q");
    assert_string_equal(seen.config, "z");
    assert_int_equal(call(cmd_paint, "x -- --flag"), EX_OK);
    assert_string_equal(seen.arguments[0], "--flag");
}

static void test_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *line, *said;
    } rows[] = {
        {"x --number 11", "--number: \"11\" is no number from -2 to 10"},
        {"x --number -3", "from -2 to 10"},
        {"x --number 1x", "is no number"},
        {"x --number=", "is no number"},
        {"x --number 99999999999999999999", "is no number"},
        {"x --wait nan", "is no number of seconds from 0.001 to 60"},
        {"x --wait 60.001", "of seconds"},
        {"x --wait 0", "of seconds"},
        {"x --wait 1s", "of seconds"},
        {"x --when soon", "--when: \"soon\" is no time; say 2026-11-22T03:00:00Z"},
        {"x --colour pink", "--colour: \"pink\" is not known; say red, green or blue"},
        {"x --five 123456", "--five: \"123456\" is longer than five"},
        {"x --text", "posternctl group paint: option '--text' requires an argument"},
        {"x --flag=1", "posternctl group paint: option '--flag' doesn't allow an argument"},
        {"x --unknown", "unrecognized option '--unknown'"},
        {"x --te 1", "ambiguous"},
        {"x --control p", "unrecognized option '--control"},
        {"x -w q", "invalid option -- 'w'"},
        {"x a b c", "posternctl group paint: \"c\" is one argument too many"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(call(cmd_paint, rows[i].line), EX_USAGE);
        assert_int_equal(runs, 0);
        if (!strstr(out, rows[i].said) || !strstr(out, "usage: paint\n"))
            fail_msg("%s: %s", rows[i].line, out);
    }
    assert_int_equal(call(cmd_talk, "x --json"), EX_USAGE);
    assert_int_equal(call(cmd_talk, "x --dns 1"), EX_USAGE);
    assert_int_equal(call(cmd_talk, "x a"), EX_USAGE);
}

static void test_fail_and_help(void **state)
{
    (void)state;
    assert_int_equal(call(cmd_paint, "x --five fail"), EX_NOINPUT);
    assert_string_equal(out, "posternctl group paint: no fail\n");
    assert_int_equal(call(cmd_paint, "x --help --unknown"), EX_OK);
    assert_string_equal(out, "usage: paint\n");
    assert_int_equal(call(cmd_talk, "x -h"), EX_OK);
    assert_string_equal(out, "usage: talk\n");
    assert_int_equal(runs, 0);
}

static void test_verbs(void **state)
{
    (void)state;
    static const char *const same[] = {"x group paint -c f a", "x -c f group paint a", "x group -c f paint a",
                                       "x -cf group paint a", "x -c g group -c f paint a"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_int_equal(call(cmd_top, same[i]), EX_OK);
        assert_int_equal(runs, 1);
        assert_string_equal(seen.config, "f");
        assert_int_equal(seen.argument_count, 1);
        assert_string_equal(seen.arguments[0], "a");
    }
    assert_int_equal(call(cmd_top, "x --help"), EX_OK);
    assert_string_equal(out, "usage: posternctl COMMAND [-c FILE] [options]\n\n  group  all of it\n  talk   speaks\n\n"
                             "\"posternctl COMMAND --help\" tells more about one of them.\n");
    assert_int_equal(call(cmd_top, "x group -h"), EX_OK);
    assert_non_null(strstr(out, "usage: posternctl group COMMAND"));
    assert_int_equal(runs, 0);
}

/* One line with the verbs there are, whatever stands where a verb should. */
static void test_wrong_verb(void **state)
{
    (void)state;
#define TOP "; say group or talk (\"posternctl --help\" tells more)\n"
#define GROUP "; say paint, scrape or sand (\"posternctl group --help\" tells more)\n"
    static const struct {
        const char *line, *said;
    } rows[] = {
        {"x", "posternctl: a command is missing" TOP},
        {"x nothing", "posternctl: \"nothing\" is no command" TOP},
        {"x -c f", "posternctl: a command is missing" TOP},
        {"x -c", "posternctl: -c FILE and a command are missing" TOP},
        {"x --json group", "posternctl: \"--json\" must stand behind a command" TOP},
        {"x group", "posternctl group: a command is missing" GROUP},
        {"x group -c f", "posternctl group: a command is missing" GROUP},
        {"x -c f group", "posternctl group: a command is missing" GROUP},
        {"x group -cf", "posternctl group: a command is missing" GROUP},
        {"x group -c", "posternctl group: -c FILE and a command are missing" GROUP},
        {"x group -c f nothing", "posternctl group: \"nothing\" is no command" GROUP},
        {"x group --json paint", "posternctl group: \"--json\" must stand behind a command" GROUP},
        {"x group ", "posternctl group: a command is missing" GROUP},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(call(cmd_top, rows[i].line), EX_USAGE);
        assert_string_equal(out, rows[i].said);
        assert_int_equal(runs, 0);
    }
}

static void expect_clean(const char *bytes, size_t len, const char *want)
{
    struct strbuf text;
    strbuf_init(&text, 0);
    utf8_add_clean(&text, (struct span){bytes, len});
    assert_string_equal(strbuf_text(&text), want);
    strbuf_free(&text);
}

static void test_json(void **state)
{
    (void)state;
    expect_clean("a\xc3\xa4\0\x1b\x7f", 6, "a\xc3\xa4???");
    expect_clean("\xc2\x9b|\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80", 14, "?|\?\?|\?\?\?|\?\?\?\?");
    expect_clean("\xe2\x82\xac\xf0\x9f\x98\x80\xe2\x82", 9, "\xe2\x82\xac\xf0\x9f\x98\x80??");
    cJSON *object = cJSON_CreateObject();
    json_add_text(object, "one", "\"\xff\n\xc3\xa4");
    json_add_text(object, "none", NULL);
    char *text;
    size_t len;
    FILE *stream = open_memstream(&text, &len);
    json_print(stream, object);
    fclose(stream);
    assert_string_equal(text, "{\n\t\"one\":\t\"\\\"??\xc3\xa4\",\n\t\"none\":\tnull\n}\n");
    free(text);
}

static void test_resolver(void **state)
{
    (void)state;
    struct ctl_call made = {.command = &command, .dns = "127.0.0.1@5353"};
    struct dns *dns = ctl_open_dns(&made);
    assert_non_null(dns);
    dns_destroy(dns);
    made.dns = "nowhere@x";
    FILE *old = stderr;
    size_t len;
    free(out);
    FILE *stream = stderr = open_memstream(&out, &len);
    assert_null(ctl_open_dns(&made));
    stderr = old;
    fclose(stream);
    assert_int_equal(strncmp(out, "posternctl group paint: ", 24), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),          cmocka_unit_test(test_defaults), cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_fail_and_help), cmocka_unit_test(test_verbs),
        cmocka_unit_test(test_wrong_verb),    cmocka_unit_test(test_json),
        cmocka_unit_test(test_resolver),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(out);
    return failed;
}
