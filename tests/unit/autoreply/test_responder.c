/* responder: JSON in and out, and each refusal with the field it is about. */
#include "unit.h"

#include "autoreply/responder.h"
#include <stdio.h>
#include <stdlib.h>

#define HEAD "{\"mailbox\":\"owner@example.net\",\"messages\":["
#define MESSAGE "{\"name\":\"a\",\"body\":\"x\"}"
#define WITH(fields) HEAD "{\"name\":\"a\",\"body\":\"x\"," fields "}]}"

static const char full[] =
    "{\"mailbox\":\"owner@example.net\",\"display_name\":\"J\xc3\xb6rg Owner\",\"active\":\"xmas\",\"generation\":3,"
    "\"messages\":[{\"name\":\"xmas\",\"weekdays\":[\"mon\",\"sun\"],\"start\":\"2026-12-24T18:00:00\","
    "\"end\":\"2026-12-31T18:00:00\",\"zone\":\"Europe/Berlin\",\"subject\":\"Away\",\"body\":\"I am away.\\nBye\\n\","
    "\"from\":\"Office@example.net\",\"excluded\":[\"@enemy.example\",\"mum@home.example\"],\"days\":14},"
    "{\"name\":\"ill\",\"zone\":\"UTC\",\"body\":\"x\",\"days\":7}]}";

static const char *parse(struct arena *arena, struct span json, struct responder *responder, const char **field)
{
    struct responder_problem problem = {NULL, NULL};
    if (responder_parse(arena, json, responder, &problem) == 0)
        return NULL;
    *field = problem.field;
    return problem.text;
}

static void it_comes_back(void **state)
{
    (void)state;
    struct arena *arena = arena_create(4096);
    struct responder responder;
    const char *field, *problem = parse(arena, span_of(full), &responder, &field);
    if (problem)
        fail_msg("%s", problem);
    assert_string_equal(responder.mailbox, "owner@example.net");
    assert_string_equal(responder.display_name, "J\xc3\xb6rg Owner");
    assert_string_equal(responder.active, "xmas");
    assert_int_equal(responder.generation, 3);
    assert_int_equal(responder.count, 2);
    const struct responder_message *message = responder_find(&responder, "xmas");
    assert_ptr_equal(message, &responder.messages[0]);
    assert_int_equal(message->weekdays, 1 | 64);
    assert_string_equal(message->start, "2026-12-24T18:00:00");
    assert_string_equal(message->end, "2026-12-31T18:00:00");
    assert_string_equal(message->zone, "Europe/Berlin");
    assert_string_equal(message->subject, "Away");
    assert_string_equal(message->body, "I am away.\nBye\n");
    assert_string_equal(message->from, "Office@example.net");
    assert_int_equal(message->excluded_count, 2);
    assert_string_equal(message->excluded[0], "@enemy.example");
    assert_string_equal(message->excluded[1], "mum@home.example");
    assert_int_equal(message->days, 14);
    assert_null(responder_find(&responder, "Xmas"));
    assert_null(responder_find(&responder, NULL));
    const char *text = responder_print(arena, &responder);
    assert_string_equal(text, full);
    assert_null(strchr(text, '\n'));
    arena_destroy(arena);
}

static void defaults_and_settled_forms(void **state)
{
    (void)state;
    struct arena *arena = arena_create(4096);
    struct responder responder;
    const char *field;
    assert_null(parse(
        arena,
        span_of("{\"mailbox\":\"Ow.ner_1-2@B\xc3\xbc"
                "cher.EXAMPLE.\",\"active\":null,\"messages\":["
                "{\"name\":\"a\",\"body\":\"x\\r\\ny\",\"zone\":null,\"weekdays\":[],\"from\":\"O'Neil@EXAMPLE.net\","
                "\"excluded\":[\"Bob+x@B\xc3\xbc"
                "cher.example\",\"@ENEMY.example.\"]}]}"),
        &responder, &field));
    assert_string_equal(responder.mailbox, "ow.ner_1-2@xn--bcher-kva.example");
    assert_null(responder.display_name);
    assert_null(responder.active);
    assert_int_equal(responder.generation, 0);
    const struct responder_message *message = &responder.messages[0];
    assert_string_equal(message->zone, "UTC");
    assert_int_equal(message->days, 7);
    assert_int_equal(message->weekdays, 0);
    assert_string_equal(message->body, "x\ny");
    assert_string_equal(message->from, "O'Neil@example.net");
    assert_string_equal(message->excluded[0], "bob+x@xn--bcher-kva.example");
    assert_string_equal(message->excluded[1], "@enemy.example");
    /* no messages at all is a mailbox that answers nobody */
    assert_null(parse(arena, span_of("{\"mailbox\":\"a@b.example\"}"), &responder, &field));
    assert_int_equal(responder.count, 0);
    assert_string_equal(responder_print(arena, &responder),
                        "{\"mailbox\":\"a@b.example\",\"generation\":0,\"messages\":[]}");
    arena_destroy(arena);
}

#define R10 "rrrrrrrrrr"
#define R100 R10 R10 R10 R10 R10 R10 R10 R10 R10 R10
#define R65 R10 R10 R10 R10 R10 R10 "rrrrr"
#define R250 R100 R100 R10 R10 R10 R10 R10
#define R998 R250 R250 R250 R100 R100 R10 R10 R10 R10 "rrrrrrrr"

static const struct {
    const char *json, *field, *text; /* text: a part of it; field NULL: taken */
} rows[] = {
    /* the text as a whole */
    {"", "", "no JSON"},
    {"{", "", "no JSON"},
    {"{\"mailbox\":\"a@b.example\"} x", "", "no JSON: it cannot be read behind byte"},
    {"{\"mailbox\":\"a@b.example\",}", "", "no JSON"},
    {"[]", "", "a responder (an object) is wanted here, not a list"},
    {"\"x\"", "", "not a text"},
    {"null", "", "not null"},
    {"{\"mailbox\"\x01:\"a@b.example\"}", "", "no JSON"},
    {" \r\n\t{\"mailbox\":\"a@b.example\"} \r\n\t", NULL, NULL},
    /* fields */
    {"{\"mailbox\":\"a@b.example\",\"x\":1}", "x", "x: there is no such field"},
    {"{\"mailbox\":\"a@b.example\",\"Active\":null}", "Active", "no such field"},
    {"{\"mailbox\":\"a@b.example\",\"\xff\\ny\":1}", "? y", "no such field"},
    {"{\"mailbox\":\"a@b.example\",\"mailbox\":\"a@b.example\"}", "mailbox", "the field is there twice"},
    {"{\"mailbox\":\"a@b.example\",\"active\":null,\"active\":null}", "active", "the field is there twice"},
    {WITH("\"name\":\"b\""), "messages[0].name", "the field is there twice"},
    {WITH("\"colour\":\"b\""), "messages[0].colour", "there is no such field"},
    /* types */
    {"{\"mailbox\":1}", "mailbox", "a text is wanted here, not a number"},
    {"{\"mailbox\":\"a@b.example\",\"generation\":\"1\"}", "generation", "a number is wanted here, not a text"},
    {"{\"mailbox\":\"a@b.example\",\"generation\":1.5}", "generation", "a whole number"},
    {"{\"mailbox\":\"a@b.example\",\"generation\":1e300}", "generation", "a whole number"},
    {"{\"mailbox\":\"a@b.example\",\"generation\":-1}", "generation", "from 0"},
    {"{\"mailbox\":\"a@b.example\",\"generation\":2147483647}", NULL, NULL},
    {"{\"mailbox\":\"a@b.example\",\"generation\":2147483648}", "generation", "from 0"},
    {"{\"mailbox\":\"a@b.example\",\"messages\":{}}", "messages", "a list of messages is wanted here, not an object"},
    {HEAD "1]}", "messages[0]", "a message (an object) is wanted here"},
    {HEAD MESSAGE ",true]}", "messages[1]", "not true or false"},
    {WITH("\"subject\":[]"), "messages[0].subject", "not a list"},
    {WITH("\"excluded\":\"@a.example\""), "messages[0].excluded", "a list of texts is wanted here, not a text"},
    {WITH("\"excluded\":[\"@a.example\",1]"), "messages[0].excluded[1]", "a text is wanted here"},
    {WITH("\"weekdays\":\"mon\""), "messages[0].weekdays", "a list of texts"},
    {WITH("\"days\":\"7\""), "messages[0].days", "a number"},
    /* mailbox */
    {"{}", "mailbox", "mailbox: it is missing"},
    {"{\"mailbox\":null}", "mailbox", "missing"},
    {"{\"mailbox\":\"\"}", "mailbox", "no address"},
    {"{\"mailbox\":\"owner\"}", "mailbox", "this is no address: owner"},
    {"{\"mailbox\":\"owner@\"}", "mailbox", "no address"},
    {"{\"mailbox\":\"@example.net\"}", "mailbox", "no address"},
    {"{\"mailbox\":\"a b@example.net\"}", "mailbox", "no address"},
    {"{\"mailbox\":\"a+b@example.net\"}", "mailbox", "of letters, digits"},
    {"{\"mailbox\":\".a@example.net\"}", "mailbox", "of letters, digits"},
    {"{\"mailbox\":\"a.@example.net\"}", "mailbox", "of letters, digits"},
    {"{\"mailbox\":\"a..b@example.net\"}", "mailbox", "of letters, digits"},
    {"{\"mailbox\":\"j\xc3\xb6rg@example.net\"}", "mailbox", "of letters, digits"},
    {"{\"mailbox\":\"" R65 "@example.net\"}", "mailbox", "at most 64"},
    {"{\"mailbox\":\"a@b.example\\u0000\"}", "mailbox", "no address"},
    /* header lines */
    {"{\"mailbox\":\"a@b.example\",\"display_name\":\"\"}", "display_name", "it is empty"},
    {"{\"mailbox\":\"a@b.example\",\"display_name\":\"a\\r\\nBcc: x\"}", "display_name", "a control character"},
    {"{\"mailbox\":\"a@b.example\",\"display_name\":\"a\\nb\"}", "display_name", "a control character"},
    {"{\"mailbox\":\"a@b.example\",\"display_name\":\"a\\u0000b\"}", "display_name", "a control character"},
    {"{\"mailbox\":\"a@b.example\",\"display_name\":\"a\\u0085b\"}", "display_name", "a control character"},
    {"{\"mailbox\":\"a@b.example\",\"display_name\":\"a\\u2028b\"}", "display_name", "a control character"},
    {"{\"mailbox\":\"a@b.example\",\"display_name\":\"a\xff\"}", "display_name", "no UTF-8"},
    {"{\"mailbox\":\"a@b.example\",\"display_name\":\"a\xed\xa0\x80\"}", "display_name", "no UTF-8"},
    {"{\"mailbox\":\"a@b.example\",\"display_name\":\"a\xc0\xaf\"}", "display_name", "no UTF-8"},
    {"{\"mailbox\":\"a@b.example\",\"display_name\":\" a\"}", "display_name", "a blank"},
    {"{\"mailbox\":\"a@b.example\",\"display_name\":\"" R100 R100 "\"}", NULL, NULL},
    {"{\"mailbox\":\"a@b.example\",\"display_name\":\"" R100 R100 "r\"}", "display_name", "longer than 200"},
    {WITH("\"subject\":\"a\\tb\""), "messages[0].subject", "a control character"},
    {WITH("\"subject\":\"a\\\\u0000b\""), NULL, NULL}, /* a backslash and text */
    {WITH("\"subject\":\"a\\\\\\u0000b\""), "messages[0].subject", "a control character"},
    {WITH("\"subject\":\"a\nb\""), "messages[0].subject", "a control character"},
    {WITH("\"subject\":\"\""), "messages[0].subject", "it is empty"},
    {WITH("\"subject\":\"" R250 "\""), NULL, NULL},
    {WITH("\"subject\":\"" R250 "r\""), "messages[0].subject", "longer than 250"},
    /* names */
    {HEAD "{\"body\":\"x\"}]}", "messages[0].name", "it is missing"},
    {HEAD "{\"body\":\"x\",\"name\":\"\"}]}", "messages[0].name", "it is empty"},
    {HEAD "{\"body\":\"x\",\"name\":\"a\\nb\"}]}", "messages[0].name", "a control character"},
    {HEAD "{\"body\":\"x\",\"name\":\"" R100 "\"}]}", NULL, NULL},
    {HEAD "{\"body\":\"x\",\"name\":\"" R100 "r\"}]}", "messages[0].name", "longer than 100"},
    {HEAD MESSAGE "," MESSAGE "]}", "messages[1].name", "there is already a message a"},
    {HEAD MESSAGE "],\"active\":\"b\"}", "active", "there is no message b"},
    {HEAD MESSAGE "],\"active\":\"A\"}", "active", "there is no message A"},
    {HEAD MESSAGE "],\"active\":\"a\"}", NULL, NULL},
    {"{\"mailbox\":\"a@b.example\",\"active\":\"a\"}", "active", "there is no message a"},
    /* bodies */
    {HEAD "{\"name\":\"a\"}]}", "messages[0].body", "it is missing"},
    {HEAD "{\"name\":\"a\",\"body\":\"\"}]}", "messages[0].body", "it is empty"},
    {HEAD "{\"name\":\"a\",\"body\":\" \\n\\t\\r\\n\"}]}", "messages[0].body", "it is empty"},
    {HEAD "{\"name\":\"a\",\"body\":\"a\\rb\"}]}", "messages[0].body", "a control character"},
    {HEAD "{\"name\":\"a\",\"body\":\"a\\u0000b\"}]}", "messages[0].body", "a control character"},
    {HEAD "{\"name\":\"a\",\"body\":\"a\\u001bb\"}]}", "messages[0].body", "a control character"},
    {HEAD "{\"name\":\"a\",\"body\":\"a\nb\"}]}", "messages[0].body", "a control character"},
    {HEAD "{\"name\":\"a\",\"body\":\"a\xff\"}]}", "messages[0].body", "no UTF-8"},
    {HEAD "{\"name\":\"a\",\"body\":\"a\\tb\\n\\nc\"}]}", NULL, NULL},
    {HEAD "{\"name\":\"a\",\"body\":\"" R998 "\\r\\n" R998 "\"}]}", NULL, NULL},
    {HEAD "{\"name\":\"a\",\"body\":\"" R998 "r\"}]}", "messages[0].body", "a line is longer than 998 octets"},
    {HEAD "{\"name\":\"a\",\"body\":\"x\\n" R998 "r\\nx\"}]}", "messages[0].body", "a line is longer than 998 octets"},
    /* schedule */
    {HEAD MESSAGE "," MESSAGE "," MESSAGE "]}", "messages[1].name", "already"},
    {WITH("\"zone\":\"Europe/Berln\""), "messages[0].zone", "messages[0].zone: there is no time zone Europe/Berln"},
    {WITH("\"zone\":\"../UTC\""), "messages[0].zone", "no time zone"},
    {WITH("\"zone\":\"+01:00\""), "messages[0].zone", "no time zone"},
    {WITH("\"start\":\"2026-02-29T00:00:00\""), "messages[0].start", "2026-02-29T00:00:00"},
    {WITH("\"end\":\"soon\""), "messages[0].end", "one): soon"},
    {WITH("\"end\":\"2026-12-31 18:00\""), "messages[0].end", "one): 2026-12-31 18:00"},
    {WITH("\"end\":\"2026-12-31T18:60\""), "messages[0].end", "one): 2026-12-31T18:60"},
    {WITH("\"start\":\"2026-12-24T18\""), "messages[0].start", "one): 2026-12-24T18"},
    {WITH("\"start\":\"2026-03-01T00:00:00\",\"end\":\"2026-03-01T00:00:00\""), "messages[0].end",
     "not after the start"},
    {WITH("\"start\":\"2026-03-01T00:00:00\",\"end\":\"2026-02-01T00:00:00\""), "messages[0].end",
     "not after the start"},
    {WITH("\"start\":\"2026-03-01T00:00:00\",\"end\":\"2026-03-01T00:00:01\""), NULL, NULL},
    {WITH("\"weekdays\":[\"Mon\"]"), "messages[0].weekdays[0]", "a day is mon"},
    {WITH("\"weekdays\":[\"mon\",\"tue\",\"mon\"]"), "messages[0].weekdays[2]", "twice"},
    {WITH("\"weekdays\":[\"mon\",\"tue\",\"wed\",\"thu\",\"fri\",\"sat\",\"sun\"]"), NULL, NULL},
    /* addresses */
    {WITH("\"from\":\"office\""), "messages[0].from", "no address: office"},
    {WITH("\"from\":\"a@b.example>\\r\\nBcc: c@d.example\""), "messages[0].from", "no address"},
    {WITH("\"from\":\"\\\"a b\\\"@b.example\""), "messages[0].from", "no address"},
    {WITH("\"from\":\"O. <a@b.example>\""), "messages[0].from", "no address"},
    {WITH("\"from\":\"a@[192.0.2.1]\""), "messages[0].from", "no address"},
    {WITH("\"excluded\":[\"bob\"]"), "messages[0].excluded[0]", "an address or @domain is wanted here, not bob"},
    {WITH("\"excluded\":[\"remote.example\"]"), "messages[0].excluded[0]", "an address or @domain"},
    {WITH("\"excluded\":[\"@\"]"), "messages[0].excluded[0]", "an address or @domain"},
    {WITH("\"excluded\":[\"@.example\"]"), "messages[0].excluded[0]", "an address or @domain"},
    {WITH("\"excluded\":[\"*@remote.example\"]"), "messages[0].excluded[0]", "not *@remote.example"},
    {WITH("\"excluded\":[\"o'neil+x!#$@remote.example\",\"@remote.example\"]"), NULL, NULL},
    {WITH("\"excluded\":[\"a..b@remote.example\"]"), "messages[0].excluded[0]", "an address or @domain"},
    {WITH("\"excluded\":[\"\"]"), "messages[0].excluded[0]", "an address or @domain"},
    {WITH("\"excluded\":[\"a@remote.example\\u0000\"]"), "messages[0].excluded[0]", "an address or @domain"},
    /* days */
    {WITH("\"days\":1"), NULL, NULL},
    {WITH("\"days\":30"), NULL, NULL},
    {WITH("\"days\":0"), "messages[0].days", "1 to 30 days"},
    {WITH("\"days\":31"), "messages[0].days", "1 to 30 days"},
    {WITH("\"days\":-7"), "messages[0].days", "1 to 30 days"},
    {WITH("\"days\":7.5"), "messages[0].days", "a whole number"},
};

static void refusals_name_the_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *arena = arena_create(4096);
        struct responder responder;
        const char *field = NULL, *text = parse(arena, span_of(rows[i].json), &responder, &field);
        bool is_right = rows[i].field ? text && strcmp(field, rows[i].field) == 0 && strstr(text, rows[i].text) : !text;
        if (!is_right)
            fail_msg("%.300s: field %s, text %s", rows[i].json, text ? field : "-", text ? text : "taken");
        if (text && *field)
            assert_memory_equal(text, field, strlen(field));
        for (const char *p = text; p && *p; p++)
            assert_in_range((unsigned char)*p, 0x20, 0x7e);
        arena_destroy(arena);
    }
}

/* As a form on a web page sends it, and as people write it. */
static void times_without_seconds(void **state)
{
    (void)state;
    struct arena *arena = arena_create(4096);
    struct responder responder;
    const char *field,
        *text = parse(arena, span_of(WITH("\"start\":\"2026-12-24T18:00\",\"end\":\"2026-12-31T18:30\"")), &responder,
                      &field);
    if (text)
        fail_msg("%s", text);
    assert_string_equal(responder.messages[0].start, "2026-12-24T18:00:00");
    assert_string_equal(responder.messages[0].end, "2026-12-31T18:30:00");
    arena_destroy(arena);
}

/* A NUL in the bytes themselves, in a text and between the fields. */
static void raw_nul(void **state)
{
    (void)state;
    static const char inside[] = "{\"mailbox\":\"a@b.example\",\"display_name\":\"a\0b\"}";
    static const char between[] = "{\"mailbox\":\"a@b.example\"\0}", behind[] = "{\"mailbox\":\"a@b.example\"}\0";
    struct arena *arena = arena_create(4096);
    struct responder responder;
    const char *field;
    assert_non_null(parse(arena, (struct span){inside, sizeof inside - 1}, &responder, &field));
    assert_string_equal(field, "display_name");
    assert_non_null(parse(arena, (struct span){between, sizeof between - 1}, &responder, &field));
    assert_non_null(parse(arena, (struct span){behind, sizeof behind - 1}, &responder, &field));
    assert_null(parse(arena, (struct span){behind, sizeof behind - 2}, &responder, &field));
    arena_destroy(arena);
}

static char *repeat(struct arena *arena, const char *head, const char *format, unsigned n, const char *tail)
{
    char *text = arena_alloc(arena, strlen(head) + n * (strlen(format) + 20) + strlen(tail) + 1), *p = text;
    p += sprintf(p, "%s", head);
    for (unsigned i = 0; i < n; i++) {
        char number[20];
        snprintf(number, sizeof number, "%u", i);
        *p = ',';
        p += i > 0;
        for (const char *f = format; *f; f++)
            p += *f == '#' ? sprintf(p, "%s", number) : sprintf(p, "%c", *f);
    }
    sprintf(p, "%s", tail);
    return text;
}

static void there_are_bounds(void **state)
{
    (void)state;
    struct arena *arena = arena_create(4096);
    struct responder responder;
    const char *field, *one = "{\"name\":\"#\",\"body\":\"x\"}";
    assert_null(parse(arena, span_of(repeat(arena, HEAD, one, 1000, "]}")), &responder, &field));
    assert_non_null(parse(arena, span_of(repeat(arena, HEAD, one, 1001, "]}")), &responder, &field));
    assert_string_equal(field, "messages");
    const char *excluding = HEAD "{\"name\":\"a\",\"body\":\"x\",\"excluded\":[";
    assert_null(parse(arena, span_of(repeat(arena, excluding, "\"@d#.example\"", 1000, "]}]}")), &responder, &field));
    assert_int_equal(responder.messages[0].excluded_count, 1000);
    assert_non_null(
        parse(arena, span_of(repeat(arena, excluding, "\"@d#.example\"", 1001, "]}]}")), &responder, &field));
    assert_string_equal(field, "messages[0].excluded");
    /* a body of 65536 octets, and one more */
    const char *body = repeat(arena, HEAD "{\"name\":\"a\",\"body\":\"x,", "yy\\n", 16383, "xy\"}]}");
    assert_null(parse(arena, span_of(body), &responder, &field));
    assert_int_equal(strlen(responder.messages[0].body), RESPONDER_BODY_MAX - 1);
    body = repeat(arena, HEAD "{\"name\":\"a\",\"body\":\"x,", "yy\\n", 16383, "xyz1\"}]}");
    assert_non_null(parse(arena, span_of(body), &responder, &field));
    assert_string_equal(field, "messages[0].body");
    /* all together: more than the store takes as one value */
    char *large = repeat(arena, "{\"name\":\"#\",\"body\":\"", "yyy\\n", 13000, "\"}");
    assert_non_null(parse(arena, span_of(repeat(arena, HEAD, large, 20, "]}")), &responder, &field));
    assert_string_equal(field, "messages");
    assert_null(parse(arena, span_of(repeat(arena, HEAD, large, 10, "]}")), &responder, &field));
    /* levels without end */
    char *deep = arena_alloc(arena, 200001);
    memset(deep, '[', 200000);
    assert_non_null(parse(arena, span_of(deep), &responder, &field));
    arena_destroy(arena);
}

/* What was stored when the zone existed is still read when it does not. */
static void stored_zones_may_go(void **state)
{
    (void)state;
    struct arena *arena = arena_create(4096);
    struct responder responder;
    struct responder_problem problem;
    const char *json = WITH("\"zone\":\"Europe/Atlantis\""), *why;
    assert_int_equal(responder_parse(arena, span_of(json), &responder, &problem), -1);
    assert_int_equal(responder_load(arena, span_of(json), &responder, &problem), 0);
    responder.active = "a";
    assert_null(responder_in_force(arena, &responder, 1793516400, &why));
    assert_string_equal(why, "there is no time zone Europe/Atlantis");
    assert_int_equal(responder_load(arena, span_of(WITH("\"days\":99")), &responder, &problem), -1);
    arena_destroy(arena);
}

static void options_are_verified_alike(void **state)
{
    (void)state;
    struct arena *arena = arena_create(4096);
    const char *excluded[] = {"Mum@Home.example"};
    struct responder_message message = {
        .name = "a", .body = "x\r\n", .excluded = excluded, .excluded_count = 1, .days = 7};
    struct responder responder = {.mailbox = "Owner@Example.NET", .messages = &message, .count = 1};
    struct responder_problem problem;
    assert_int_equal(responder_verify(arena, &responder, &problem), 0);
    assert_string_equal(responder.mailbox, "owner@example.net");
    assert_string_equal(message.excluded[0], "mum@home.example");
    assert_string_equal(message.zone, "UTC");
    assert_string_equal(message.body, "x\n");
    message.weekdays = 128;
    assert_int_equal(responder_verify(arena, &responder, &problem), -1);
    assert_string_equal(problem.field, "messages[0].weekdays");
    message.weekdays = 0;
    message.days = 0;
    assert_int_equal(responder_verify(arena, &responder, &problem), -1);
    assert_string_equal(problem.field, "messages[0].days");
    arena_destroy(arena);
}

static void fingerprints_tell_parts_apart(void **state)
{
    (void)state;
    struct arena *arena = arena_create(4096);
    static const struct responder_message messages[] = {
        {.subject = "ab", .body = "c"},   {.subject = "a", .body = "bc"},    {.body = "abc"},
        {.body = "abc", .from = "x@y"},   {.subject = "x@y", .body = "abc"}, {.subject = "", .body = "abc"},
        {.subject = "a1:b", .body = "c"}, {.subject = "a", .body = "1:bc"},
    };
    size_t count = sizeof messages / sizeof *messages;
    for (size_t i = 0; i < count; i++) {
        const char *print = responder_fingerprint(arena, &messages[i]);
        assert_int_equal(strlen(print), 16);
        assert_int_equal(strspn(print, "0123456789abcdef"), 16);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(print, responder_fingerprint(arena, &messages[k]));
    }
    /* what is no part of the text changes nothing, and it is the same on every machine */
    struct responder_message other = messages[0];
    other.name = "z";
    other.days = 3;
    other.zone = "UTC";
    assert_string_equal(responder_fingerprint(arena, &other), responder_fingerprint(arena, &messages[0]));
    struct responder_message known = {.subject = "Away", .body = "x\n"};
    assert_string_equal(responder_fingerprint(arena, &known), "ef8152c20fca703d");
    arena_destroy(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_back),
        cmocka_unit_test(defaults_and_settled_forms),
        cmocka_unit_test(refusals_name_the_field),
        cmocka_unit_test(times_without_seconds),
        cmocka_unit_test(raw_nul),
        cmocka_unit_test(there_are_bounds),
        cmocka_unit_test(stored_zones_may_go),
        cmocka_unit_test(options_are_verified_alike),
        cmocka_unit_test(fingerprints_tell_parts_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
