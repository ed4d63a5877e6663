/*
 * posternctl autoreply: how much a mailbox may have stored. What is the most goes in, and what is one more is refused
 * with the field and the limit.
 */
#include "unit.h"

#include "fixture.h"
#include <stdio.h>
#include <string.h>

static const char *letters(size_t count)
{
    char *text = arena_alloc(arena, count + 1);
    memset(text, 'x', count);
    text[count] = '\0';
    return text;
}

/* COUNT octets in lines that are not too long. */
static char *lines(size_t count)
{
    char *text = arena_strdup(arena, letters(count));
    for (size_t i = 500; i + 1 < count; i += 500)
        text[i] = '\n';
    return text;
}

static void test_limits_of_a_message(void **state)
{
    (void)state;
    static const struct {
        const char *option, *said;
        size_t most;
    } rows[] = {{"--subject", "subject: it is longer than 250 octets", 250},
                {"--display-name", "display_name: it is longer than 200 octets", 200},
                {"--body", "body: it is longer than 65536 octets", 65536}};
    OK(NULL, "set", "anna@example.net", "away", "--body", "x");
    for (size_t i = 0; i < SIZE(rows); i++) {
        bool is_body = strcmp(rows[i].option, "--body") == 0;
        const char *fits = is_body ? lines(rows[i].most) : letters(rows[i].most);
        const char *over = is_body ? lines(rows[i].most + 1) : letters(rows[i].most + 1);
        OK("changed", "set", "anna@example.net", "away", rows[i].option, fits);
        REFUSED(EX_DATAERR, rows[i].said, "set", "anna@example.net", "away", rows[i].option, over);
    }
    OK("stored", "set", "bob@example.net", letters(100), "--body", letters(998));
    REFUSED(EX_DATAERR, "name: it is longer than 100 octets", "set", "bob@example.net", letters(101), "--body", "x");
    REFUSED(EX_DATAERR, "body: a line is longer than 998 octets", "set", "bob@example.net", "a", "--body",
            letters(999));
    REFUSED(EX_USAGE, "--days: \"31\" is no number from 1 to 30", "set", "bob@example.net", "a", "--days", "31");
    REFUSED(EX_DATAERR,
            "mailbox: the part before the @ is of letters, digits, dots, hyphens and underscores, at most 64", "set",
            arena_printf(arena, "%s@example.net", letters(65)), "a", "--body", "x");
}

/* A file is refused with the field and the same limit, however long it is. */
static void test_limit_of_a_file(void **state)
{
    (void)state;
    static const size_t too_long[] = {65537, 4 * 65536, 4 * 65536 + 1, 1 << 20};
    write_file("fits", lines(65536));
    OK("stored", "set", "anna@example.net", "away", "--body-file", path_of("fits"));
    for (size_t i = 0; i < SIZE(too_long); i++) {
        write_file("long", lines(too_long[i]));
        REFUSED(EX_DATAERR, arena_printf(arena, "body: %s: it is longer than 65536 octets", path_of("long")), "set",
                "anna@example.net", "away", "--body-file", path_of("long"));
    }
}

/* A responder with COUNT messages with a body of LEN octets and EXCLUDED entries each, in the file "many". */
static void write_messages(int count, size_t len, int excluded)
{
    FILE *file = fopen(path_of("many"), "w");
    assert_non_null(file);
    fputs("{\"mailbox\":\"anna@example.net\",\"messages\":[", file);
    for (int i = 0; i < count; i++) {
        fprintf(file, "%s{\"name\":\"m%d\",\"excluded\":[", i ? "," : "", i);
        for (int k = 0; k < excluded; k++)
            fprintf(file, "%s\"a%d@b.example\"", k ? "," : "", k);
        fputs("],\"body\":\"", file);
        for (size_t k = 1; k <= len; k++)
            fputs(k % 500 ? "x" : "\\n", file);
        fputs("\"}", file);
    }
    fputs("]}", file);
    fclose(file);
}

static void test_limits_of_a_mailbox(void **state)
{
    (void)state;
    write_messages(1000, 1, 0);
    OK("1 mailbox imported", "import", path_of("many"));
    REFUSED(EX_DATAERR, "messages: anna@example.net has 1000 already, which is the most", "set", "anna@example.net",
            "one more", "--body", "x");
    write_messages(1001, 1, 0);
    REFUSED(EX_DATAERR, "[0] anna@example.net: messages: more than 1000 messages", "import", path_of("many"));
    write_messages(1, 1, 1000);
    OK("1 mailbox imported", "import", path_of("many"));
    write_messages(1, 1, 1001);
    REFUSED(EX_DATAERR, "[0] anna@example.net: messages[0].excluded: more than 1000 entries", "import",
            path_of("many"));
    write_messages(17, 65536, 0);
    REFUSED(EX_DATAERR, "[0] anna@example.net: messages: together they are longer than 1023 KiB", "import",
            path_of("many"));
    write_messages(15, 65536, 0);
    OK("1 mailbox imported", "import", path_of("many"));
    REFUSED(EX_DATAERR, "messages: together they are longer than 1023 KiB", "set", "anna@example.net", "one more",
            "--body", lines(65536));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)
    const struct CMUnitTest tests[] = {
        TEST(test_limits_of_a_message),
        TEST(test_limit_of_a_file),
        TEST(test_limits_of_a_mailbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
