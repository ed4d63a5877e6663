/* log and clock: hostile bytes in both formats, and what is a time. */
#include "unit.h"

#include "util/clock.h"
#include "util/log.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char *render(enum log_format format, struct span value)
{
    struct strbuf out;
    struct log_field fields[] = {{"v", value, 0, false}, LOG_NUMBER("n", -7), LOG_STRING("absent", NULL)};
    strbuf_init(&out, 0);
    log_render(&out, format, "test", fields, 3);
    return out.ptr;
}

static void test_kv(void **state)
{
    (void)state;
    static const struct {
        struct span value;
        const char *line;
    } rows[] = {
        {{"plain", 5}, "event=test v=plain n=-7"},
        {{"user@example.net", 16}, "event=test v=user@example.net n=-7"},
        {{"", 0}, "event=test v=\"\" n=-7"},
        {{"two words", 9}, "event=test v=\"two words\" n=-7"},
        {{"a=b", 3}, "event=test v=\"a=b\" n=-7"},
        {{"\" why=faked \"", 13}, "event=test v=\"\\\" why=faked \\\"\" n=-7"},
        {{"back\\slash", 10}, "event=test v=\"back\\\\slash\" n=-7"},
        {{"a\r\nevent=x\t", 11}, "event=test v=\"a\\r\\nevent=x\\t\" n=-7"},
        {{"a\0b", 3}, "event=test v=\"a\\x00b\" n=-7"},
        {{"\x1b[31m\x7f", 6}, "event=test v=\"\\x1b[31m\\x7f\" n=-7"},
        {{"b\xc3\xbc", 3}, "event=test v=\"b\\xc3\\xbc\" n=-7"},
        {{"\xff", 1}, "event=test v=\"\\xff\" n=-7"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *line = render(LOG_AS_KV, rows[i].value);
        assert_string_equal(line, rows[i].line);
        free(line);
    }
}

static void test_json(void **state)
{
    (void)state;
    static const struct {
        struct span value;
        const char *line;
    } rows[] = {
        {{"plain", 5}, "{\"event\":\"test\",\"v\":\"plain\",\"n\":-7}"},
        {{"\",\"x\":\"", 7}, "{\"event\":\"test\",\"v\":\"\\\",\\\"x\\\":\\\"\",\"n\":-7}"},
        {{"\\", 1}, "{\"event\":\"test\",\"v\":\"\\\\\",\"n\":-7}"},
        {{"a\n\0\x7f", 4}, "{\"event\":\"test\",\"v\":\"a\\u000a\\u0000\\u007f\",\"n\":-7}"},
        {{"b\xc3\xbc", 3}, "{\"event\":\"test\",\"v\":\"b\xc3\xbc\",\"n\":-7}"},
        {{"\xff\xc3", 2}, "{\"event\":\"test\",\"v\":\"\\u00ff\\u00c3\",\"n\":-7}"},
        {{"\xc0\xaf", 2}, "{\"event\":\"test\",\"v\":\"\\u00c0\\u00af\",\"n\":-7}"},         /* overlong */
        {{"\xed\xa0\x80", 3}, "{\"event\":\"test\",\"v\":\"\\u00ed\\u00a0\\u0080\",\"n\":-7}"}, /* surrogate */
        {{"\xf4\x90\x80\x80", 4}, "{\"event\":\"test\",\"v\":\"\\u00f4\\u0090\\u0080\\u0080\",\"n\":-7}"},
        {{"\xf0\x9f\x93\xa7", 4}, "{\"event\":\"test\",\"v\":\"\xf0\x9f\x93\xa7\",\"n\":-7}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *line = render(LOG_AS_JSON, rows[i].value);
        assert_string_equal(line, rows[i].line);
        free(line);
    }
}

/* Whatever the bytes: one line, printable, and a JSON parser takes it. */
static void test_every_byte(void **state)
{
    (void)state;
    char bytes[512];
    for (size_t i = 0; i < 256; i++) {
        bytes[2 * i] = (char)i;
        bytes[2 * i + 1] = (char)(255 - i);
    }
    char *line = render(LOG_AS_KV, (struct span){bytes, sizeof bytes});
    for (const char *p = line; *p; p++)
        assert_in_range(*p, 0x20, 0x7e);
    free(line);
    line = render(LOG_AS_JSON, (struct span){bytes, sizeof bytes});
    assert_null(strpbrk(line, "\r\n\t"));
    cJSON *json = cJSON_Parse(line);
    assert_non_null(json);
    assert_int_equal(cJSON_GetObjectItem(json, "n")->valueint, -7);
    cJSON_Delete(json);
    free(line);
}

/* What LEVEL lets through, as it stands on stderr. */
static void test_stderr(void **state)
{
    (void)state;
    int fds[2], saved = dup(STDERR_FILENO);
    char text[1024] = "";
    assert_int_equal(pipe(fds), 0);
    fflush(stderr);
    dup2(fds[1], STDERR_FILENO);
    struct log_options options = {.ident = "tester", .target = LOG_TO_STDERR, .level = LEVEL_WARNING};
    log_open(&options);
    log_text(LEVEL_INFO, "not this");
    log_text(LEVEL_WARNING, "this %d", 1);
    options.format = LOG_AS_JSON;
    log_open(&options);
    log_text(LEVEL_ERROR, "a \"quoted\" %s", "one");
    dup2(saved, STDERR_FILENO);
    close(fds[1]);
    assert_true(read(fds[0], text, sizeof text - 1) > 0);
    close(fds[0]);
    close(saved);
    assert_null(strstr(text, "not this"));
    assert_non_null(strstr(text, "] warning: this 1\n"));
    assert_non_null(strstr(text, "] error: {\"event\":\"note\",\"msg\":\"a \\\"quoted\\\" one\"}\n"));
    assert_non_null(strstr(text, " tester["));
    assert_true(log_wants(LEVEL_WARNING));
    assert_false(log_wants(LEVEL_INFO));
}

static void test_clock_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds; /* -1: no time */
    } rows[] = {
        {"0", 0},                      {"1700000000", 1700000000},    {"1970-01-01T00:00:00Z", 0},
        {"2026-11-22T03:24:22Z", 1795317862}, {"2026-11-22T03:24:22", 1795317862}, {"2024-02-29T00:00:00Z", 1709164800},
        {"", -1},                      {"-1", -1},                    {"12x", -1},
        {"yesterday", -1},             {"2026-11-22", -1},            {"2026-11-22T03:24:22+01:00", -1},
        {"2026-13-22T03:24:22Z", -1},  {"2026-11-22T03:24:22ZZ", -1}, {"99999999999999999999", -1},
    };
    setenv("TZ", "America/New_York", 1);
    tzset();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t seconds = -1;
        int error = clock_parse(rows[i].text, &seconds);
        if (error != (rows[i].seconds < 0 ? -1 : 0) || seconds != rows[i].seconds)
            fail_msg("\"%s\": %d, %lld", rows[i].text, error, (long long)seconds);
    }
}

static void test_clock(void **state)
{
    (void)state;
    int64_t start = clock_monotonic_us();
    usleep(20000);
    assert_in_range(clock_monotonic_us() - start, 20000, 10000000);
    assert_in_range(clock_wall() - time(NULL), 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kv),          cmocka_unit_test(test_json),
                                       cmocka_unit_test(test_every_byte),  cmocka_unit_test(test_stderr),
                                       cmocka_unit_test(test_clock_parse), cmocka_unit_test(test_clock)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
