/* The printers: what they write must be there, and what they write must be readable again. */
#include "unit.h"

#include "fixture.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef void (*printer)(FILE *out, const struct conf_section *sections, size_t count);

static char *print(printer to)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    to(out, fixture_sections, FIXTURE_COUNT);
    fclose(out);
    return text;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("not found: %s\nin:\n%s", part, text);
}

static void assert_widths(const char *text, size_t most)
{
    for (const char *p = text; *p; p += strcspn(p, "\n") + 1)
        if (strcspn(p, "\n") > most)
            fail_msg("%.*s", (int)strcspn(p, "\n"), p);
}

/* Without the '#' in front of each option name; *COUNT of them. */
static char *uncomment(const char *text, size_t *count)
{
    char *out = malloc(strlen(text) + 1), *to = out;
    *count = 0;
    for (bool start = true; *text; text++) {
        if (start && *text == '#' && isalpha((unsigned char)text[1])) {
            ++*count;
            start = false;
            continue;
        }
        start = *text == '\n' || (start && *text == ' ');
        *to++ = *text;
    }
    *to = '\0';
    return out;
}

static void check_loads(const char *text)
{
    struct strbuf problems;
    unsigned count;
    strbuf_init(&problems, 0);
    struct conf *conf = fixture_load(fixture_write("postern.conf", text, strlen(text)), &problems, &count);
    assert_string_equal(strbuf_text(&problems), "");
    struct conf *plain = conf_defaults(fixture_sections, FIXTURE_COUNT);
    const struct all_values *all = conf_get(conf, "all"), *expected = conf_get(plain, "all");
    const struct top_values *top = conf_get(conf, "");
    assert_string_equal(all->text, expected->text);
    assert_int_equal(all->negative, expected->negative);
    assert_int_equal(all->size, expected->size);
    assert_int_equal(all->access, expected->access);
    assert_int_equal(all->classes, expected->classes);
    assert_int_equal(all->texts->count, expected->texts->count);
    assert_int_equal(strset_count(all->words), strset_count(expected->words));
    assert_string_equal(template_text(all->reply), template_text(expected->reply));
    assert_null(all->optional_reply);
    assert_null(top->owner);
    assert_int_equal(top->socket_mode, 0660);
    conf_destroy(plain);
    conf_destroy(conf);
    strbuf_free(&problems);
}

static void test_annotated(void **state)
{
    (void)state;
    size_t count;
    char *text = print(conf_print_annotated), *open = uncomment(text, &count);
    assert_has(text, "\n# Where it listens. One of unix:/PATH and inet:PORT@HOST.\n"
                     "# Type: text. Default: \"unix:/run/it\"\n#socket = \"unix:/run/it\"\n");
    assert_has(text, "\n# An option of each type.\n\nall {\n    # A switch.\n");
    assert_has(text, "\n    # Type: number; 1 to 100000. Default: 100\n    #number = 100\n");
    assert_has(text, "\n    #text = \"a \\\"quoted\\\" \\${word} \\\\ -\"\n");
    assert_has(text, "\n    #wait = 0\n");
    assert_has(text, "\n    #networks = {}\n");
    assert_has(text, "\n    #domains = { \"example.net\" }\n");
    assert_has(text, "\n}\n");
    assert_widths(text, 100);
    assert_int_equal(count, 21);
    check_loads(text);
    check_loads(open);
    assert_has(open, "\n    number = 100\n");
    free(text);
    free(open);
}

static void test_options(void **state)
{
    (void)state;
    char *text = print(conf_print_options);
    assert_int_equal(strncmp(text, "OPTION ", 7), 0);
    assert_has(text, "\nmode                               word              enforce                  "
                     "one of: enforce, monitor, off\n");
    assert_has(text, "\nall.number                         number            100                      1 to 100000\n"
                     "    A number.\n");
    assert_has(text, "\nall.flag                           yes or no         yes\n    A switch.\n");
    assert_has(text, "\nall.reply                          SMTP reply        (below)                  "
                     "placeholders: {rcpt} {helo}\n    default: \"550 5.7.1 <{rcpt}>... no [{helo}]\"\n");
    assert_has(text,
               "\n    Some names, such as exe. Or com. No more than these, for everything that is listed here costs a"
               "\n    line in the manual page, and");
    assert_widths(text, 110);
    free(text);
}

static void test_mdoc(void **state)
{
    (void)state;
    char *text = print(conf_print_mdoc);
    assert_has(text, ".Sh OPTIONS\n.Ss \"\\&Top level\"\nThe whole of it.\n.Bl -tag -width Ds\n");
    assert_has(text, ".Ss \"\\&Section all\"\n");
    assert_has(text, "\n.It Ic \"\\&number\"\nA number.\nType: number; range\n.Ql \"\\&1 to 100000\" .\n"
                     "Default:\n.Ql \"\\&100\" .\n");
    assert_has(text, "What happens.\n\\&\\(aqoff\\(aq is a \\(dqword\\(dq; so is C:\\edir, and .Sh is none.\n");
    assert_has(text, "Some names, such as exe.\nOr com.\nNo more");
    assert_has(text, "Default:\n.Ql \"\\&\\(dqa \\e\\(dqquoted\\e\\(dq \\e${word} \\e\\e \\-\\(dq\" .\n");
    assert_has(text, "\n.El\n");
    free(text);
}

/* mandoc knows better than any expectation written down here. */
static void test_mdoc_lint(void **state)
{
    (void)state;
    if (system("command -v mandoc >/dev/null 2>&1") != 0)
        skip();
    char command[600], output[1000];
    char *text = print(conf_print_mdoc);
    const char *path = fixture_path("other");
    FILE *page = fopen(path, "w");
    assert_non_null(page);
    fprintf(page, ".Dd November 22, 2026\n.Dt POSTERN.CONF 5\n.Os\n.Sh NAME\n.Nm postern.conf\n.Nd options\n%s", text);
    fclose(page);
    snprintf(command, sizeof command, "mandoc -Tlint -Wstyle %s 2>&1 | grep -v 'referenced manual'", path);
    FILE *lint = popen(command, "r");
    assert_non_null(lint);
    output[fread(output, 1, sizeof output - 1, lint)] = '\0';
    pclose(lint);
    assert_string_equal(output, "");
    free(text);
}

static int clean(void **state)
{
    (void)state;
    fixture_clean();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_annotated), cmocka_unit_test(test_options),
                                       cmocka_unit_test(test_mdoc), cmocka_unit_test(test_mdoc_lint)};
    return cmocka_run_group_tests_name("conf_print", tests, NULL, clean);
}
