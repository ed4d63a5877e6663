/* Good files: what ends up in the structs. */
#include "unit.h"

#include "fixture.h"
#include <stdlib.h>
#include <string.h>

static struct conf *load_text(const char *text)
{
    struct strbuf problems;
    unsigned count;
    strbuf_init(&problems, 0);
    struct conf *conf = fixture_load(fixture_write("postern.conf", text, strlen(text)), &problems, &count);
    assert_string_equal(strbuf_text(&problems), "");
    assert_int_equal(count, 0);
    assert_non_null(conf);
    strbuf_free(&problems);
    return conf;
}

static bool net_has(const struct netset *set, const char *text)
{
    struct netaddr addr;
    assert_int_equal(netaddr_parse(text, &addr), 0);
    return netset_has(set, &addr);
}

static void check_defaults(const struct conf *conf)
{
    const struct top_values *top = conf_get(conf, "");
    const struct all_values *all = conf_get(conf, "all");
    assert_string_equal(top->socket, "unix:/run/it");
    assert_null(top->owner);
    assert_int_equal(top->mode, 0);
    assert_int_equal(top->socket_mode, 0660);
    assert_int_equal(top->drain_timeout, 60000);
    assert_true(net_has(top->networks, "127.9.9.9") && net_has(top->networks, "::1"));
    assert_false(net_has(top->networks, "128.0.0.1"));
    assert_true(all->flag);
    assert_int_equal(all->number, 100);
    assert_int_equal(all->negative, -5);
    assert_int_equal(all->wait, 0);
    assert_int_equal(all->size, 1048576);
    assert_int_equal(all->access, 0644);
    assert_string_equal(all->text, "a \"quoted\" ${word} \\ -");
    assert_int_equal(all->word, 0);
    assert_int_equal(all->classes, CLASS_OUTSIDE);
    assert_int_equal(all->texts->count, 2);
    assert_string_equal(all->texts->items[1], "b");
    assert_false(net_has(all->networks, "127.0.0.1"));
    assert_true(domain_set_has(all->domains, "example.net"));
    assert_int_equal(domain_set_count(all->domains), 1);
    assert_int_equal(strset_count(all->words), 2);
    assert_true(strset_has(all->words, span_of("exe")));
    assert_string_equal(template_text(all->reply), "550 5.7.1 <{rcpt}>... no [{helo}]");
    assert_null(all->optional_reply);
}

static void test_defaults(void **state)
{
    (void)state;
    struct conf *conf = conf_defaults(fixture_sections, FIXTURE_COUNT);
    check_defaults(conf);
    assert_string_equal(conf_path(conf), "");
    assert_string_equal(conf_checksum(conf), "");
    assert_null(conf_get(conf, "none"));
    conf_destroy(conf);
    conf_destroy(NULL);
}

static void test_empty_files(void **state)
{
    static const char *const texts[] = {"",           "#",
                                        "#\n",        "\n\n",
                                        " \t\r\n",    "# a\n#\n// b\n/* c\n * { \" */\n",
                                        "all {\n}\n", "\xef\xbb\xbf# text of an editor\n"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct conf *conf = load_text(texts[i]);
        check_defaults(conf);
        conf_destroy(conf);
    }
}

static void test_path_and_checksum(void **state)
{
    (void)state;
    struct conf *conf = load_text("mode = off\n");
    assert_string_equal(conf_path(conf), fixture_path("postern.conf"));
    assert_string_equal(conf_checksum(conf), "f3542c90100eacf2128ef3a7465ac69279ea4cb4a44bbc83997555c6dd2d5f71");
    assert_non_null(arena_alloc(conf_arena(conf), 100));
    conf_destroy(conf);
}

static void test_every_type(void **state)
{
    (void)state;
    struct conf *conf = load_text("socket = inet:8891@127.0.0.1  # bare\n"
                                  "owner = ''\n"
                                  "mode=monitor socket_mode = 600 drain_timeout = \"2m\"\r\n"
                                  "trusted_networks = {}\n"
                                  "all {\n"
                                  "  flag = Off\n  number = 010\n  negative = -10\n  wait = 500ms\n  size = 4G\n"
                                  "  access = '01777'\n  text = \"a \\\"b\\\" \\x41\\101 \\${c} \\\n d\"\n"
                                  "  word = \"off\"\n  classes = { trusted, 'local', }\n"
                                  "  texts = { one,\n \"two words\"\n, 'a \\'b' }\n"
                                  "  networks = { 10.0.0.0/8, \"2001:db8::/32\", 192.0.2.1 }\n"
                                  "  domains = { Example.ORG., .Example.com }\n  words = { BAT, zip }\n"
                                  "  reply = \"554 5.7.0 {helo} {{x}\"\n  optional_reply = '450 4.7.1 later'\n}\n");
    const struct top_values *top = conf_get(conf, "");
    const struct all_values *all = conf_get(conf, "all");
    assert_string_equal(top->socket, "inet:8891@127.0.0.1");
    assert_null(top->owner);
    assert_int_equal(top->mode, 1);
    assert_int_equal(top->socket_mode, 0600);
    assert_int_equal(top->drain_timeout, 120000);
    assert_false(net_has(top->networks, "127.0.0.1"));
    assert_false(all->flag);
    assert_int_equal(all->number, 10);
    assert_int_equal(all->negative, -10);
    assert_int_equal(all->wait, 500);
    assert_true(all->size == (uint64_t)4 << 30);
    assert_int_equal(all->access, 01777);
    assert_string_equal(all->text, "a \"b\" AA ${c}  d");
    assert_int_equal(all->word, 2);
    assert_int_equal(all->classes, CLASS_TRUSTED | CLASS_LOCAL);
    assert_int_equal(all->texts->count, 3);
    assert_string_equal(all->texts->items[1], "two words");
    assert_string_equal(all->texts->items[2], "a 'b");
    assert_true(net_has(all->networks, "10.1.2.3") && net_has(all->networks, "2001:db8::9"));
    assert_true(net_has(all->networks, "192.0.2.1") && !net_has(all->networks, "192.0.2.2"));
    assert_true(domain_set_has(all->domains, "example.org") && domain_set_has(all->domains, "a.example.com"));
    assert_false(domain_set_has(all->domains, "example.net"));
    assert_true(strset_has(all->words, span_of("bat")) && strset_has(all->words, span_of("zip")));
    assert_int_equal(strset_count(all->words), 2);
    assert_string_equal(template_text(all->reply), "554 5.7.0 {helo} {{x}");
    assert_string_equal(template_text(all->optional_reply), "450 4.7.1 later");
    conf_destroy(conf);
}

static void test_append(void **state)
{
    (void)state;
    struct conf *conf =
        load_text("trusted_networks = { 10.0.0.0/8 }\ntrusted_networks += { 11.0.0.0/8 }\n"
                  "all { texts += { c }\n classes += { local }\n words += { bat } words += { scr } }\n");
    const struct top_values *top = conf_get(conf, "");
    const struct all_values *all = conf_get(conf, "all");
    assert_true(net_has(top->networks, "10.0.0.1") && net_has(top->networks, "11.0.0.1"));
    assert_false(net_has(top->networks, "127.0.0.1"));
    assert_int_equal(all->texts->count, 3);
    assert_string_equal(all->texts->items[2], "c");
    assert_int_equal(all->classes, CLASS_OUTSIDE | CLASS_LOCAL);
    assert_int_equal(strset_count(all->words), 4);
    conf_destroy(conf);
}

static void test_variables(void **state)
{
    (void)state;
    setenv("POSTERN_TEST", "from outside", 1);
    unsetenv("POSTERN_NONE");
    struct conf *conf = load_text("socket = \"<${POSTERN_TEST}>${POSTERN_NONE}\"\nowner = '${POSTERN_TEST}'\n"
                                  "drain_timeout = ${POSTERN_NONE:-5s}\n");
    const struct top_values *top = conf_get(conf, "");
    assert_string_equal(top->socket, "<from outside>");
    assert_string_equal(top->owner, "${POSTERN_TEST}");
    assert_int_equal(top->drain_timeout, 5000);
    conf_destroy(conf);
}

static void test_list_file(void **state)
{
    static const char list[] = "# names\n\nbad.example # spam\r\n\t.worse.example\nlast.example";
    (void)state;
    char text[512];
    snprintf(text, sizeof text, "all { domains = { one.example, \"%s\" } }\n",
             fixture_write("list", list, sizeof list - 1));
    struct conf *conf = load_text(text);
    const struct all_values *all = conf_get(conf, "all");
    assert_int_equal(domain_set_count(all->domains), 4);
    assert_true(domain_set_has(all->domains, "one.example") && domain_set_has(all->domains, "bad.example"));
    assert_true(domain_set_has(all->domains, "x.worse.example") && domain_set_has(all->domains, "last.example"));
    conf_destroy(conf);
}

static void test_where(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1024);
    const char *other = arena_strdup(arena, fixture_write("other", "owner = me\n", 11));
    struct conf *conf = load_text("include(\"other\")\nall {\n  number = 7\n  texts = {\"x\",\n    \"y\", \"x\"}\n"
                                  "  texts += { \"z\" }\n  words = { a }\n}\n");
    const char *file = conf_path(conf);
    assert_string_equal(conf_where(conf, arena, "", "owner", NULL), arena_printf(arena, "%s:1", other));
    assert_string_equal(conf_where(conf, arena, "all", "number", NULL), arena_printf(arena, "%s:3", file));
    assert_string_equal(conf_where(conf, arena, "all", "texts", "x"), arena_printf(arena, "%s:5", file));
    assert_string_equal(conf_where(conf, arena, "all", "texts", "z"), arena_printf(arena, "%s:6", file));
    assert_string_equal(conf_where(conf, arena, "all", "texts", "a"), file);
    assert_string_equal(conf_where(conf, arena, "", "socket", NULL), file);
    conf_destroy(conf);
    arena_destroy(arena);
}

static void test_include(void **state)
{
    static const char more[] = "mode = off\nall { flag = no }\n", other[] = "socket = other";
    (void)state;
    fixture_write("more.conf", more, sizeof more - 1);
    fixture_write("other", other, sizeof other - 1);
    struct conf *conf = load_text("include(\"other\")\ninclude(more.conf)\nowner = me\n");
    const struct top_values *top = conf_get(conf, "");
    const struct all_values *all = conf_get(conf, "all");
    assert_string_equal(top->socket, "other");
    assert_string_equal(top->owner, "me");
    assert_int_equal(top->mode, 2);
    assert_false(all->flag);
    conf_destroy(conf);
}

static void test_sections_without_top(void **state)
{
    (void)state;
    struct conf_problems problems = {0};
    const char *text = "all { number = 7 }";
    struct conf *conf =
        conf_load(fixture_write("postern.conf", text, strlen(text)), fixture_sections + 1, 1, &problems);
    assert_non_null(conf);
    assert_int_equal(((const struct all_values *)conf_get(conf, "all"))->number, 7);
    conf_destroy(conf);
}

static int clean(void **state)
{
    (void)state;
    fixture_clean();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_defaults),
                                       cmocka_unit_test(test_empty_files),
                                       cmocka_unit_test(test_path_and_checksum),
                                       cmocka_unit_test(test_every_type),
                                       cmocka_unit_test(test_append),
                                       cmocka_unit_test(test_variables),
                                       cmocka_unit_test(test_list_file),
                                       cmocka_unit_test(test_include),
                                       cmocka_unit_test(test_where),
                                       cmocka_unit_test(test_sections_without_top)};
    return cmocka_run_group_tests_name("conf_load", tests, NULL, clean);
}
