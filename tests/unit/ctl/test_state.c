/*
 * posternctl autoreply and queue, in this process on a store and a spool of the test's own: command lines in, exit
 * status and the words on the two streams out. Each test begins with nothing stored.
 */
#include "unit.h"

#include "autoreply/memory.h"
#include "ctl/autoreply.h"
#include "ctl/ctl.h"
#include "fixture.h"
#include "util/clock.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define T INT64_C(1800000000)

/* ---- set, activate, off, delete ---- */

static void test_set(void **state)
{
    (void)state;
    OK("anna@example.net: stored \"away\"", "set", "Anna+x@Example.NET", "away", "--body", "Gone.\n", "--subject",
       "Gr\xc3\xbc\xc3\x9f"
       "e",
       "--start", "2026-12-24T18:00:00", "--end", "2027-01-02T08:00:00", "--weekdays", "fri-tue", "--zone",
       "Europe/Berlin", "--from", "info@example.net", "--exclude", "Boss@X.example", "--exclude", "@y.example",
       "--days", "30", "--display-name", "Anna M.");
    cJSON *object = shown("anna@example.net");
    assert_string_equal(message(object, 0),
                        "{\"name\":\"away\",\"weekdays\":[\"mon\",\"tue\",\"fri\",\"sat\",\"sun\"],"
                        "\"start\":\"2026-12-24T18:00:00\",\"end\":\"2027-01-02T08:00:00\",\"zone\":\"Europe/Berlin\","
                        "\"subject\":\"Gr\xc3\xbc\xc3\x9f"
                        "e\",\"body\":\"Gone.\\n\",\"from\":\"info@example.net\","
                        "\"excluded\":[\"boss@x.example\",\"@y.example\"],\"days\":30}");
    assert_string_equal(field(object, "display_name")->valuestring, "Anna M.");
    assert_null(cJSON_GetObjectItem(object, "active"));
    cJSON_Delete(object);
    /* what is not named stays; empty texts take away */
    OK("changed \"away\", the active message: in force", "set", "anna@example.net", "away", "--subject", "", "--start",
       "", "--end", "", "--weekdays", "", "--zone", "", "--from", "", "--exclude", "", "--display-name", "",
       "--activate");
    object = shown("anna@example.net");
    assert_string_equal(message(object, 0), "{\"name\":\"away\",\"zone\":\"UTC\",\"body\":\"Gone.\\n\",\"days\":30}");
    assert_string_equal(field(object, "active")->valuestring, "away");
    assert_null(cJSON_GetObjectItem(object, "display_name"));
    cJSON_Delete(object);
    OK("stored \"two\"", "set", "anna@example.net", "two", "--body", "x"); /* the first stays */
    object = shown("anna@example.net");
    assert_int_equal(cJSON_GetArraySize(field(object, "messages")), 2);
    assert_string_equal(field(object, "active")->valuestring, "away");
    cJSON_Delete(object);
    write_file("body", "From a file.\r\nTwo lines.\r\n");
    OK("changed", "set", "anna@example.net", "two", "--body-file", path_of("body"));
    object = shown("anna@example.net");
    assert_non_null(strstr(message(object, 1), "\"From a file.\\nTwo lines.\\n\""));
    cJSON_Delete(object);
}

static void test_set_refused(void **state)
{
    (void)state;
    OK(NULL, "set", "anna@example.net", "away", "--body", "x");
    char *before = arena_strdup(arena, (OK(NULL, "export"), out));
    REFUSED(EX_USAGE, "MAILBOX is missing", "set");
    REFUSED(EX_USAGE, "NAME is missing", "set", "anna@example.net");
    REFUSED(EX_USAGE, "--body and --body-file cannot go together", "set", "a@example.net", "n", "--body", "x",
            "--body-file", path_of("virtual"));
    REFUSED(EX_USAGE, "--weekdays: \"mon,someday\" is no list of weekdays", "set", "a@example.net", "n", "--weekdays",
            "mon,someday");
    REFUSED(EX_USAGE, "--weekdays: \"mon,\" ends with a comma", "set", "a@example.net", "n", "--weekdays", "mon,");
    REFUSED(EX_USAGE, "--weekdays: \"mon-\" is no list", "set", "a@example.net", "n", "--weekdays", "mon-");
    REFUSED(EX_USAGE, "--days: \"31\" is no number from 1 to 30", "set", "anna@example.net", "away", "--days", "31");
    REFUSED(EX_NOINPUT, "No such file", "set", "anna@example.net", "away", "--body-file", "/nonexistent/x");
    REFUSED(EX_DATAERR, "body: it is missing; \"new\" is new and needs --body or --body-file", "set", "anna@example.net",
            "new");
    REFUSED(EX_DATAERR, "end: this is no date and time (2026-12-24T18:00:00 is one): 2026-02-30T00:00", "set",
            "anna@example.net", "away", "--end", "2026-02-30T00:00");
    REFUSED(EX_DATAERR, "zone: there is no time zone Mars/Crater", "set", "anna@example.net", "away", "--zone",
            "Mars/Crater");
    REFUSED(EX_DATAERR, "end: it is not after the start", "set", "anna@example.net", "away", "--start",
            "2026-12-24T18:00:00", "--end", "2026-12-24T18:00:00");
    REFUSED(EX_DATAERR, "excluded[1]: ", "set", "anna@example.net", "away", "--exclude", "a@b.example", "--exclude",
            "b");
    REFUSED(EX_DATAERR, "from: this is no address", "set", "anna@example.net", "away", "--from", "b");
    REFUSED(EX_DATAERR, "name: ", "set", "anna@example.net", "a\nb", "--body", "x");
    REFUSED(EX_DATAERR, "subject: ", "set", "anna@example.net", "away", "--subject", "a\nb");
    char line[1100];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    REFUSED(EX_DATAERR, "body: a line is longer than 998 octets", "set", "anna@example.net", "away", "--body", line);
    FILE *file = fopen(path_of("nul"), "w");
    fwrite("a\0b", 1, 3, file);
    fclose(file);
    REFUSED(EX_DATAERR, "body: it holds a NUL byte", "set", "anna@example.net", "away", "--body-file", path_of("nul"));
    REFUSED(EX_DATAERR, "mailbox: \"anna\" is no address", "set", "anna", "away", "--body", "x");
    REFUSED(EX_DATAERR, "mailbox: the part before the @", "set", "\"a b\"@example.net", "away", "--body", "x");
    OK(NULL, "export");
    assert_string_equal(out, before); /* none of it left a trace */
}

static void test_aliases_of_mailboxes(void **state)
{
    (void)state;
    OK("info@example.net means the mailbox anna@example.net", "set", "info@example.org", "away", "--body", "x");
    OK("anna@example.net", "show", "anna@example.org");
    OK("bob@example.net: stored", "set", "bob@example.net", "away", "--body", "x"); /* lists itself */
    REFUSED(EX_DATAERR, "is an alias of several: anna@example.net, bob@example.net", "set", "team@example.net", "a",
            "--body", "x");
    REFUSED(EX_DATAERR, "none@example.net is an alias that means no mailbox", "show", "none@example.net");
    REFUSED(EX_DATAERR, "loop@example.net is an alias in a loop", "show", "loop@example.net");
    OK("warning: carl@elsewhere.example: elsewhere.example is not one of local_domains", "set",
       "carl@elsewhere.example", "away", "--body", "x");
    OK("warning: anna@example.net: from: by the alias tables bob@example.net is not an address", "set",
       "anna@example.net", "away", "--from", "bob@example.net");
    OK("warning: anna@example.net: from: chief@bank.example is at none of local_domains", "set", "anna@example.net",
       "away", "--from", "chief@bank.example");
    OK(NULL, "set", "anna@example.net", "away", "--from", "info@example.net");
    assert_null(strstr(errors, "warning"));
}

static void test_activate_off_delete(void **state)
{
    (void)state;
    OK(NULL, "set", "anna@example.net", "one", "--body", "x");
    OK(NULL, "set", "anna@example.net", "two", "--body", "x", "--start", "2090-01-01T00:00:00");
    OK("\"one\" is active: in force", "activate", "anna@example.net", "one");
    OK("\"two\" is active: begins 2090-01-01T00:00:00 UTC", "activate", "anna@example.net", "two");
    OK("no message is active any more", "off", "anna@example.net");
    OK("no message was active", "off", "anna@example.net");
    REFUSED(EX_NOINPUT, "anna@example.net has no message \"three\"", "activate", "anna@example.net", "three");
    REFUSED(EX_NOINPUT, "nothing is stored for bob@example.net", "activate", "bob@example.net", "one");
    REFUSED(EX_USAGE, "NAME is missing", "activate", "anna@example.net");
    OK("{", "activate", "anna@example.net", "one", "--json");
    cJSON *object = cJSON_Parse(out);
    assert_string_equal(field(object, "active")->valuestring, "one");
    cJSON_Delete(object);
    REFUSED(EX_NOINPUT, "has no message \"three\"", "delete", "anna@example.net", "three");
    OK("\"one\" is deleted; it was the active message", "delete", "anna@example.net", "one");
    object = shown("anna@example.net");
    assert_int_equal(cJSON_GetArraySize(field(object, "messages")), 1);
    assert_non_null(strstr(message(object, 0), "\"name\":\"two\""));
    assert_null(cJSON_GetObjectItem(object, "active"));
    cJSON_Delete(object);
    OK("all of it is deleted", "delete", "anna@example.net");
    REFUSED(EX_NOINPUT, "nothing is stored for anna@example.net", "show", "anna@example.net");
    REFUSED(EX_NOINPUT, "nothing is stored for anna@example.net", "delete", "anna@example.net");
}

static void test_list(void **state)
{
    (void)state;
    OK(NULL, "list");
    assert_string_equal(out, "nothing is stored for any mailbox\n");
    OK(NULL, "list", "--json");
    assert_string_equal(out, "[]\n");
    expect(RUN("queue", "list"), EX_OK, "the queue is empty\n");
    expect(RUN("queue", "list", "--json"), EX_OK, NULL);
    assert_string_equal(out, "[]\n");
    expect(RUN("forwards", "list"), EX_OK, "the forward table is empty\n");
    expect(RUN("forwards", "list", "--json"), EX_OK, NULL);
    assert_string_equal(out, "[]\n");
    OK(NULL, "set", "bob@example.net", "away", "--body", "x", "--end", "2026-12-31T00:00:00", "--activate");
    OK(NULL, "set", "anna@example.net", "away", "--body", "x");
    OK(NULL, "list", "--now", "2026-12-30T00:00:00Z", "--json");
    cJSON *array = cJSON_Parse(out);
    assert_int_equal(cJSON_GetArraySize(array), 2);
    const cJSON *anna = cJSON_GetArrayItem(array, 0), *bob = cJSON_GetArrayItem(array, 1);
    assert_string_equal(field(anna, "mailbox")->valuestring, "anna@example.net");
    assert_true(cJSON_IsFalse(field(anna, "in_force")));
    assert_string_equal(field(anna, "why")->valuestring, "no message is active");
    assert_true(cJSON_IsTrue(field(bob, "in_force")));
    assert_true(cJSON_IsNull(field(bob, "why")));
    cJSON_Delete(array);
    OK("ended 2026-12-31T00:00:00 UTC", "list", "--now", "2026-12-31T00:00:00Z");
}

/* ---- import, export ---- */

static void test_import_and_export(void **state)
{
    (void)state;
    static const char two[] = "[ {\"mailbox\": \"Info@example.org\", \"active\": \"a]\", \"messages\": [\n"
                              "{\"name\": \"a]\", \"body\": \"\\\"}{[\\n\"}]},\n"
                              "{\"mailbox\": \"bob@example.net\", \"generation\": 2, \"messages\": []} ]\n";
    OK(NULL, "set", "anna@example.net", "old", "--body", "x");
    OK(NULL, "reset", "anna@example.net"); /* generation 1 */
    write_file("two", two);
    OK("2 mailboxes imported", "import", path_of("two"));
    cJSON *object = shown("anna@example.net");
    assert_string_equal(message(object, 0), "{\"name\":\"a]\",\"zone\":\"UTC\",\"body\":\"\\\"}{[\\n\",\"days\":7}");
    assert_int_equal(cJSON_GetArraySize(field(object, "messages")), 1);
    assert_int_equal(field(object, "generation")->valueint, 1); /* does not go back */
    cJSON_Delete(object);
    object = shown("bob@example.net");
    assert_int_equal(field(object, "generation")->valueint, 2);
    cJSON_Delete(object);
    OK(NULL, "export");
    char *exported = arena_strdup(arena, out);
    write_file("exported", exported);
    OK(NULL, "delete", "anna@example.net");
    OK(NULL, "delete", "bob@example.net");
    OK("2", "import", path_of("exported"), "--json");
    OK(NULL, "export");
    assert_string_equal(out, exported);
    OK(NULL, "export", "bob@example.net");
    cJSON *array = cJSON_Parse(out);
    assert_int_equal(cJSON_GetArraySize(array), 1);
    cJSON_Delete(array);
    REFUSED(EX_NOINPUT, "nothing is stored for carl@example.net", "export", "bob@example.net", "carl@example.net");
    OK(NULL, "show", "bob@example.net", "--json"); /* one object goes in as well */
    write_file("one", out);
    OK("1 mailbox imported", "import", path_of("one"));
    write_file("none", " [ ] ");
    OK("0 mailboxes imported", "import", path_of("none"));
    write_file("marked",
               "\xef\xbb\xbf{\"mailbox\": \"bob@example.net\", \"messages\": []}"); /* as some editors write UTF-8 */
    OK("1 mailbox imported", "import", path_of("marked"));
}

static void test_import_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"", "no JSON array: it must begin with [, byte 1"},
        {"5", "no JSON array"},
        {"[{}", "something that begins here has no end, byte 2"},
        {"[{},]", "an item is missing, byte 5"},
        {"[,{}]", "an item is missing, byte 2"},
        {"[{]}]", "something that begins here has no end"},
        {"[{}] x", "there is something behind its end, byte 6"},
        {"[\"abc", "has no end"},
        {"[5]", "[0]: a responder (an object) is wanted here, not a number"},
        {"[{}]", "[0]: mailbox: it is missing"},
        {"[{\"mailbox\": \"a@example.net\", \"messages\": [{\"name\": \"x\", \"body\": \"y\", \"colour\": 1}]}]",
         "[0] a@example.net: messages[0].colour: there is no such field"},
        {"[{\"mailbox\": \"a@example.net\", \"messages\": [{\"name\": \"x\", \"body\": \"y\\u0000z\"}]}]",
         "[0] a@example.net: messages[0].body: it holds a control character"},
        {"[{\"mailbox\": \"a@example.net\", \"messages\": []}, {\"mailbox\": \"A@example.org\", \"messages\": []}]",
         "[1] a@example.net: mailbox: it stands at [0] already"},
        {"[{\"mailbox\": \"team@example.net\", \"messages\": []}]",
         "[0] team@example.net: mailbox: it is an alias that does not mean exactly one mailbox"},
        {"[{\"mailbox\": \"new@example.net\", \"messages\": []}, {\"mailbox\": \"b@example.net\", \"messages\": "
         "[{\"name\": \"x\"}]}, {\"mailbox\": \"c@example.net\", \"active\": \"z\", \"messages\": []}]",
         "[2] c@example.net: active: there is no message z"},
    };
    for (size_t i = 0; i < SIZE(rows); i++) {
        write_file("bad", rows[i].text);
        REFUSED(EX_DATAERR, rows[i].said, "import", path_of("bad"));
    }
    assert_non_null(strstr(errors, "[1] b@example.net: messages[0].body: it is missing")); /* each of them is told */
    assert_non_null(strstr(errors, "2 of 3 cannot be imported; nothing was changed"));
    OK(NULL, "list");
    assert_string_equal(out, "nothing is stored for any mailbox\n"); /* nothing of new@example.net */
    REFUSED(EX_NOINPUT, "No such file", "import", "/nonexistent/x");
}

/* COUNT mailboxes, m0000@example.net and so on, as JSON in the file NAME. */
static void write_many(const char *name, int count)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    for (int i = 0; i < count; i++)
        fprintf(file, "%s{\"mailbox\":\"m%04d@example.net\",\"messages\":[{\"name\":\"a\",\"body\":\"x\"}]}",
                i ? "," : "[", i);
    fputs("]", file);
    fclose(file);
}

static int64_t generation_of(const char *mailbox)
{
    cJSON *object = shown(mailbox);
    int64_t generation = (int64_t)field(object, "generation")->valuedouble;
    cJSON_Delete(object);
    return generation;
}

/* Another process forgets whom they answered, again and again, while we import: no reset is undone. */
static void test_import_beside_resets(void **state)
{
    (void)state;
    enum { RESETS = 60 };
    int status;
    write_many("many", 50);
    OK("50 mailboxes imported", "import", path_of("many"));
    pid_t child = fork();
    if (child == 0) {
        int failed = 0;
        strcat(directory, "/child");
        if (mkdir(directory, 0700) != 0)
            _exit(2);
        for (int i = 0; i < RESETS; i++)
            failed |= RUN("autoreply", "reset", i % 2 ? "m0000@example.net" : "m0049@example.net") != EX_OK;
        _exit(failed);
    }
    int imports = 0;
    do {
        OK("50 mailboxes imported", "import", path_of("many"));
        imports++;
    } while (waitpid(child, &status, WNOHANG) == 0);
    assert_int_equal(status, 0);
    assert_true(imports > 1); /* how many depends on the disk */
    assert_int_equal(generation_of("m0000@example.net"), RESETS / 2);
    assert_int_equal(generation_of("m0049@example.net"), RESETS / 2);
    assert_int_equal(generation_of("m0020@example.net"), 0);
}

static atomic_bool writing;
static atomic_int written;

static void *write_always(void *context)
{
    char value[128];
    while (writing) {
        snprintf(value, sizeof value,
                 "{\"mailbox\":\"m0000@example.net\",\"messages\":[{\"name\":\"%d\",\"body\":\"x\"}]}", written);
        store_put(context, RESPONDER_KEY "m0000@example.net", span_of(value), 0, clock_wall());
        written++;
        clock_sleep_us(100);
    }
    return NULL;
}

/* A mailbox that changes all the time: the import gives up in the end, and has changed nothing. Where the writer is
 * held up for a moment it may succeed; then we try again. */
static void test_import_beside_a_writer(void **state)
{
    (void)state;
    pthread_t thread;
    int status = EX_OK;
    write_many("many", 1000);
    struct store *store = open_store();
    writing = true;
    assert_int_equal(pthread_create(&thread, NULL, write_always, store), 0);
    while (written == 0)
        clock_sleep_us(1000);
    for (int i = 0; i < 50 && status == EX_OK; i++) {
        store_delete(store, RESPONDER_KEY "m0999@example.net", clock_wall());
        status = RUN("autoreply", "import", path_of("many"));
    }
    writing = false;
    pthread_join(thread, NULL);
    store_close(store);
    expect(status, EX_TEMPFAIL, "others change these mailboxes all the time; nothing was changed");
    REFUSED(EX_NOINPUT, "nothing is stored", "show", "m0999@example.net");
    OK("1000 mailboxes imported", "import", path_of("many"));
}

/* Sixteen administrators at once: nobody undoes another's change. */
static void test_changes_at_once(void **state)
{
    (void)state;
    enum { WRITERS = 16 };
    OK(NULL, "list"); /* makes the store */
    pid_t pids[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            char name[16];
            snprintf(name, sizeof name, "m%d", i);
            char *argv[] = {(char[]){"autoreply"},
                            (char[]){"set"},
                            (char[]){"anna@example.net"},
                            name,
                            (char[]){"--body"},
                            (char[]){"x"},
                            (char[]){"-c"},
                            conf,
                            NULL};
            if (!freopen("/dev/null", "w", stdout))
                _exit(99);
            _exit(ctl_autoreply(8, argv));
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    cJSON *object = shown("anna@example.net");
    assert_int_equal(cJSON_GetArraySize(field(object, "messages")), WRITERS);
    cJSON_Delete(object);
}

/* ---- the memory ---- */

/* As the daemon does when it has answered. */
static void remember(const char *mailbox, const char *sender, const char *fingerprint, int64_t at)
{
    struct store *store = open_store();
    struct responder responder = {.mailbox = mailbox};
    const struct memory_mark mark = {"00112233445566778899aabbccddeeff", false, at};
    assert_int_equal(store_put(store, memory_key(arena, &responder, sender, fingerprint),
                               span_of(memory_mark_print(arena, &mark)), memory_until(at, 7), at),
                     STORE_OK);
    store_close(store);
}

static void test_memory(void **state)
{
    (void)state;
    int64_t now = clock_wall();
    OK(NULL, "set", "anna@example.net", "away", "--body", "x", "--activate");
    const struct responder_message there = {.name = "away", .body = "x", .zone = "UTC", .days = 7};
    remember("anna@example.net", "a@sender.example", responder_fingerprint(arena, &there), now - 60);
    remember("anna@example.net", "a@sender.example", "0123456789abcdef", now - 60);
    remember("anna@example.net", "aa@sender.example", responder_fingerprint(arena, &there), now - 60);
    OK("AGAIN FROM", "seen", "info@example.net");
    OK("a@sender.example ", "seen", "anna@example.net");
    assert_non_null(strstr(out, "(an older text)"));
    OK(NULL, "seen", "anna@example.net", "--json");
    cJSON *array = cJSON_Parse(out);
    assert_int_equal(cJSON_GetArraySize(array), 3);
    char text[CLOCK_TEXT_SIZE];
    assert_string_equal(field(cJSON_GetArrayItem(array, 2), "answered")->valuestring, clock_format(now - 60, text));
    assert_string_equal(field(cJSON_GetArrayItem(array, 2), "again")->valuestring,
                        clock_format(now - 60 + 7 * 86400, text));
    cJSON_Delete(array);
    REFUSED(EX_OK, "autoreply.remembered: a@sender.example was answered at", "preview", "anna@example.net", "--from",
            "A@Sender.example"); /* it reads the memory */
    OK("a@sender.example is forgotten", "reset", "anna@example.net", "prvs=0123456789=A@sender.example");
    OK("was not remembered", "reset", "anna@example.net", "a@sender.example");
    REFUSED(EX_DATAERR, "sender: \"nobody\" is no address", "reset", "anna@example.net", "nobody");
    OK("aa@sender.example ", "seen", "anna@example.net"); /* the one whose name goes on is still there */
    OK("Auto-Submitted: auto-replied", "preview", "anna@example.net", "--from", "a@sender.example");
    OK("everybody is forgotten", "reset", "anna@example.net");
    OK(NULL, "seen", "anna@example.net", "--json");
    assert_string_equal(out, "[]\n");
    OK(NULL, "seen", "info@example.net");
    assert_string_equal(out, "nobody is remembered for anna@example.net\n");
    OK("Auto-Submitted: auto-replied", "preview", "anna@example.net", "--from", "aa@sender.example");
    REFUSED(EX_NOINPUT, "nothing is stored", "reset", "carl@example.net");
    REFUSED(EX_NOINPUT, "nothing is stored", "seen", "carl@example.net");
}

/* Deleted and stored again, as a web page may do it: the resets of before still count, in both directions. */
static void test_memory_of_the_deleted(void **state)
{
    (void)state;
    OK(NULL, "set", "anna@example.net", "away", "--body", "x", "--activate");
    const struct responder_message there = {.name = "away", .body = "x", .zone = "UTC", .days = 7};
    remember("anna@example.net", "a@sender.example", responder_fingerprint(arena, &there), clock_wall() - 60);
    OK(NULL, "reset", "anna@example.net");
    OK("all of it is deleted", "delete", "anna@example.net");
    REFUSED(EX_NOINPUT, "nothing is stored", "show", "anna@example.net");
    REFUSED(EX_NOINPUT, "nothing is stored", "delete", "anna@example.net");
    REFUSED(EX_NOINPUT, "nothing is stored", "activate", "anna@example.net", "away");
    OK("no reply: nothing is stored", "preview", "anna@example.net", "--from", "a@sender.example");
    OK(NULL, "list", "--json");
    assert_string_equal(out, "[]\n");
    OK(NULL, "export");
    assert_string_equal(out, "[]\n");
    OK("stored \"away\"", "set", "anna@example.net", "away", "--body", "x", "--activate");
    cJSON *object = shown("anna@example.net");
    assert_int_equal(field(object, "generation")->valueint, 1);
    cJSON_Delete(object);
    OK("Auto-Submitted: auto-replied", "preview", "anna@example.net", "--from", "a@sender.example");
    OK(NULL, "list", "--json");
    assert_non_null(strstr(out, "anna@example.net")); /* stored to stay */
    write_file("one", "{\"mailbox\": \"anna@example.net\", \"messages\": []}");
    OK(NULL, "delete", "anna@example.net");
    OK(NULL, "import", path_of("one"));
    object = shown("anna@example.net");
    assert_int_equal(field(object, "generation")->valueint, 1);
    cJSON_Delete(object);
}

static void test_preview(void **state)
{
    (void)state;
    OK("no reply: nothing is stored for this mailbox", "preview", "anna@example.net", "--from", "a@sender.example");
    OK(NULL, "set", "anna@example.net", "away", "--body", "Gone fishing.", "--exclude", "@excluded.example", "--end",
       "2027-01-01T00:00:00");
    OK("no reply: no message is active", "preview", "anna@example.net", "--from", "a@sender.example");
    OK(NULL, "activate", "anna@example.net", "away");
    const char *now = "2026-12-01T00:00:00Z";
    OK("Subject: Auto: Hello\n", "preview", "info@example.net", "--from", "a@sender.example", "--now", now);
    assert_non_null(strstr(out, "From: info@example.net\n")); /* as it was written to */
    assert_non_null(strstr(out, "\n\nGone fishing.\n"));
    OK("From: anna@example.org\n", "preview", "anna@example.net", "--from", "a@sender.example", "--to",
       "anna@example.org", "--now", now);
    REFUSED(EX_DATAERR, "--to: \"bob@example.net\" is no address of the mailbox anna@example.net", "preview",
            "anna@example.net", "--from", "a@sender.example", "--to", "bob@example.net", "--now", now);
    OK("no reply: ended 2027-01-01T00:00:00 UTC", "preview", "anna@example.net", "--from", "a@sender.example", "--now",
       "2027-01-01T00:00:00Z");
    OK("no reply: autoreply.excluded: ", "preview", "anna@example.net", "--from", "a@excluded.example", "--now", now);
    OK("(point 1 of the checklist)", "preview", "anna@example.net", "--from", "<>", "--now", now);
    write_file("list", "To: anna@example.net\nSubject: x\nPrecedence: list\n\nbody\n");
    OK("no reply: autoreply.precedence: ", "preview", "anna@example.net", path_of("list"), "--from", "a@sender.example",
       "--now", now);
    assert_non_null(strstr(out, "(point 4 of the checklist)"));
    OK(NULL, "preview", "anna@example.net", path_of("list"), "--from", "a@sender.example", "--now", now, "--json");
    cJSON *object = cJSON_Parse(out);
    assert_true(cJSON_IsFalse(field(object, "reply")));
    assert_string_equal(field(object, "why")->valuestring, "autoreply.precedence");
    assert_int_equal(field(object, "point")->valueint, 4);
    assert_true(cJSON_IsNull(field(object, "content")));
    cJSON_Delete(object);
    OK(NULL, "preview", "anna@example.net", "--from", "a@sender.example", "--now", now, "--json");
    object = cJSON_Parse(out);
    assert_true(cJSON_IsTrue(field(object, "reply")));
    assert_non_null(strstr(field(object, "content")->valuestring, "\r\n\r\nGone fishing.\r\n"));
    cJSON_Delete(object);
    OK(NULL, "seen", "anna@example.net", "--json"); /* and nobody is remembered for it */
    assert_string_equal(out, "[]\n");
    expect(RUN("queue", "list"), EX_OK, "the queue is empty");
    char *large = arena_alloc(arena, 20001 * 5 + 1);
    for (int i = 0; i < 20001; i++)
        memcpy(large + 5L * i, "X: y\n", 5);
    write_file("large", large);
    REFUSED(EX_DATAERR, "the header is too large", "preview", "anna@example.net", path_of("large"), "--from",
            "a@sender.example", "--now", now);
    REFUSED(EX_USAGE, "--from is missing", "preview", "anna@example.net");
    REFUSED(EX_NOINPUT, "/nonexistent: No such file", "preview", "anna@example.net", "/nonexistent", "--from",
            "a@sender.example");
    REFUSED(EX_IOERR, "/tmp: Is a directory", "preview", "anna@example.net", "/tmp", "--from", "a@sender.example");
}

/* What is in force and not sent for another reason than any that the mailbox has. */
static void test_mode(void **state)
{
    (void)state;
    char text[1024];
    read_back("postern.conf", text, sizeof text);
    const char *good = arena_strdup(arena, text);
    OK("stored \"away\", which is not active", "set", "anna@example.net", "away", "--body", "x");
    OK("\"away\" is active: in force", "activate", "anna@example.net", "away");
    assert_string_equal(errors, "");
    static const struct {
        const char *options, *warning;
    } rows[] = {{"mode = off\n", ": warning: the check autoreply is off "},
                {"autoreply { mode = off }\n", ": warning: the check autoreply is off "},
                {"autoreply { mode = monitor }\n", ": warning: the check autoreply only monitors "},
                {"mode = off\nautoreply { mode = enforce }\n", NULL}};
    for (size_t i = 0; i < SIZE(rows); i++) {
        const char *const commands[][5] = {{"list"},
                                           {"show", "anna@example.net"},
                                           {"activate", "anna@example.net", "away"},
                                           {"set", "anna@example.net", "away", "--subject", "y"},
                                           {"preview", "anna@example.net", "--from", "a@sender.example"}};
        write_file("postern.conf", arena_printf(arena, "%s%s", good, rows[i].options));
        for (size_t k = 0; k < SIZE(commands); k++) {
            const char *const *word = commands[k];
            expect(RUN("autoreply", word[0], word[1], word[2], word[3], word[4]), EX_OK, NULL);
            if (!rows[i].warning != !strstr(errors, ": warning: ") || (rows[i].warning && !strstr(errors, rows[i].warning)))
                fail_msg("%s %s: %s", rows[i].options, word[0], errors);
        }
    }
}

/* ---- the queue ---- */

static void add_to_queue(const char *to, const char *content)
{
    const struct spool_options options = {.directory = directory,
                                          .submit = "smtp://127.0.0.1:9",
                                          .hostname = "x.example",
                                          .max_messages = 10,
                                          .max_bytes = 1 << 20,
                                          .lifetime = 86400000,
                                          .retry_first = 60000,
                                          .retry_most = 60000,
                                          .timeout = 1000};
    struct spool *spool = spool_open(&options);
    const struct spool_message entry = {.kind = "autoreply",
                                        .reverse_path = "",
                                        .forward_paths = &to,
                                        .forward_path_count = 1,
                                        .content = span_of(content)};
    assert_int_equal(spool_add(spool, &entry, T, NULL), SPOOL_OK);
    spool_close(spool);
}

static void test_queue(void **state)
{
    (void)state;
    expect(RUN("queue", "list"), EX_OK, "the queue is empty");
    add_to_queue("a@sender.example", "Subject: one\r\n\r\nText\tone\r\n");
    add_to_queue("b@sender.example", "Subject: two\r\n\r\n");
    expect(RUN("queue", "list"), EX_OK, "<> to a@sender.example");
    expect(RUN("queue", "list", "--json"), EX_OK, NULL);
    cJSON *array = cJSON_Parse(out);
    assert_int_equal(cJSON_GetArraySize(array), 2);
    const cJSON *first = cJSON_GetArrayItem(array, 0);
    assert_string_equal(field(first, "kind")->valuestring, "autoreply");
    assert_string_equal(field(first, "from")->valuestring, "");
    assert_string_equal(field(first, "to")->valuestring, "a@sender.example");
    assert_int_equal(field(first, "bytes")->valueint, 26);
    assert_string_equal(field(first, "added")->valuestring, "2027-01-15T08:00:00Z");
    assert_true(cJSON_IsNull(field(first, "last_reply")));
    assert_int_equal(field(first, "attempts")->valueint, 0);
    const char *id = arena_printf(arena, "%d", field(first, "id")->valueint);
    const char *other = arena_printf(arena, "%d", field(cJSON_GetArrayItem(array, 1), "id")->valueint);
    cJSON_Delete(array);
    expect(RUN("queue", "show", id), EX_OK, "NEXT ATTEMPT");
    expect(RUN("queue", "show", id), EX_OK, "\nSubject: one\r\n\r\nText\tone\r\n");
    expect(RUN("queue", "show", id, "--json"), EX_OK, NULL);
    cJSON *object = cJSON_Parse(out);
    assert_string_equal(field(object, "content")->valuestring, "Subject: one\r\n\r\nText\tone\r\n");
    cJSON_Delete(object);
    expect(RUN("queue", "show", "999"), EX_NOINPUT, "there is no entry 999 in the queue");
    expect(RUN("queue", "show", "x"), EX_USAGE, "\"x\" is no number of an entry");
    expect(RUN("queue", "show"), EX_USAGE, "ID is missing");
    expect(RUN("queue", "flush"), EX_OK, "2 entries will be tried now");
    expect(RUN("queue", "flush", id, "999"), EX_NOINPUT, "1 entry will be tried now");
    expect(RUN("queue", "delete"), EX_USAGE, "ID is missing");
    expect(RUN("queue", "delete", "--all", id), EX_USAGE, "cannot go together");
    expect(RUN("queue", "delete", other, "0"), EX_USAGE, "\"0\" is no number of an entry"); /* and nothing is deleted */
    expect(RUN("queue", "delete", other), EX_OK, "1 entry will be deleted");
    expect(RUN("queue", "delete", "--all", "--json"), EX_OK, "\"entries\"");
}

/* ---- what cannot be opened ---- */

static void test_trouble(void **state)
{
    (void)state;
    write_file("virtual", "half\n");
    REFUSED(EX_CONFIG, "virtual:1: 'half' has no target", "list");
    expect(RUN("queue", "list"), EX_OK, "the queue is empty"); /* needs no alias table */
    write_file("virtual", "");
    write_file("postern.conf", "nonsense = 5\n");
    REFUSED(EX_CONFIG, "postern.conf:1: ", "list");
    write_file("postern.conf", arena_printf(arena,
                                            "user = \"\"\nstate_directory = \"%s\"\n"
                                            "store = \"redis://127.0.0.1:9/0\"\n",
                                            directory));
    const char *silent = "the store does not answer\n"; /* where nothing would have been changed */
    REFUSED(EX_TEMPFAIL, silent, "list");
    REFUSED(EX_TEMPFAIL, silent, "show", "a@example.net");
    REFUSED(EX_TEMPFAIL, silent, "export");
    REFUSED(EX_TEMPFAIL, silent, "export", "a@example.net");
    REFUSED(EX_TEMPFAIL, silent, "seen", "a@example.net");
    REFUSED(EX_TEMPFAIL, silent, "preview", "a@example.net", "--from", "b@example.org");
    REFUSED(EX_TEMPFAIL, "the store does not answer; nothing was changed", "set", "a@example.net", "x", "--body", "y");
    REFUSED(EX_TEMPFAIL, "the store does not answer; nothing was changed", "off", "a@example.net");
    write_file("postern.conf",
               arena_printf(arena, "user = \"no-such-user-here\"\nstate_directory = \"%s\"\n", directory));
    REFUSED(EX_CONFIG, "user: there is no user \"no-such-user-here\"", "list");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(test_set),
        TEST(test_set_refused),
        TEST(test_aliases_of_mailboxes),
        TEST(test_activate_off_delete),
        TEST(test_list),
        TEST(test_import_and_export),
        TEST(test_import_refused),
        TEST(test_import_beside_resets),
        TEST(test_import_beside_a_writer),
        TEST(test_changes_at_once),
        TEST(test_memory),
        TEST(test_memory_of_the_deleted),
        TEST(test_preview),
        TEST(test_mode),
        TEST(test_queue),
        TEST(test_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
