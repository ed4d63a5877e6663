#include "unit.h"

#include "fixture.h"
#include "util/strbuf.h"
#include <ctype.h>
#include <stdio.h>

static const char *const noreply[] = {"MAILER-DAEMON", "LISTSERV",      "majordomo",      "*-request", "owner-*",
                                      "noreply*",      "no-reply*",     "no_reply*",      "*-noreply", "*-no-reply",
                                      "donotreply*",   "do-not-reply*", "do_not_reply*",  "bounce*",   "*-bounces",
                                      "mailer",        "sentto-*"};
static const struct string_list noreply_list = {sizeof noreply / sizeof *noreply, (const char **)noreply};

static const char *const spam[] = {"X-Spam-Flag: YES", "X-Spam: Yes", "X-Spam-Status: Yes"};
static const struct string_list spam_list = {3, (const char **)spam};

static bool is_own(void *context, const char *address)
{
    struct fixture *fixture = context;
    fixture->asked++;
    return strcasecmp(address, "owner@example.net") == 0 || strcasecmp(address, "boss@example.net") == 0 ||
           strcasecmp(address, "owner@example.org") == 0;
}

int fixture_begin(void **state)
{
    static bool is_ready;
    if (!is_ready)
        g_mime_init();
    is_ready = true;
    struct arena *arena = arena_create(4096);
    struct fixture *fixture = ARENA_NEW(arena, struct fixture);
    fixture->arena = arena;
    fixture->message = (struct responder_message){
        .name = "away", .zone = "Europe/Berlin", .body = "I am away.\n", .days = RESPONDER_DAYS_DEFAULT};
    fixture->responder =
        (struct responder){.mailbox = "owner@example.net", .active = "away", .messages = &fixture->message, .count = 1};
    fixture->question = (struct silence_question){.mailbox = "owner@example.net",
                                                  .message = &fixture->message,
                                                  .is_own_address = is_own,
                                                  .context = fixture,
                                                  .require_auth = SILENCE_AUTH_NOT_FAIL,
                                                  .silence_on = &spam_list,
                                                  .noreply = &noreply_list};
    fixture->request = (struct compose_request){.responder = &fixture->responder,
                                                .message = &fixture->message,
                                                .written_to = "owner@example.net",
                                                .to = "bob@remote.example",
                                                .now = FIXTURE_NOW,
                                                .hostname = "mx.example.net",
                                                .token = "0123456789abcdef0123456789abcdef"};
    *state = fixture;
    return 0;
}

int fixture_end(void **state)
{
    struct fixture *fixture = *state;
    arena_destroy(fixture->arena);
    return 0;
}

struct header_field *fixture_headers(struct arena *arena, struct span text, size_t *count)
{
    struct header_field *fields = NULL;
    size_t capacity = 0;
    const char *p = text.ptr, *end = text.ptr + text.len;
    *count = 0;
    while (p < end) {
        const char *stop = p;
        do {
            const char *lf = memchr(stop, '\n', (size_t)(end - stop));
            stop = lf ? lf + 1 : end;
        } while (stop < end && (*stop == ' ' || *stop == '\t'));
        const char *colon = memchr(p, ':', (size_t)(stop - p)), *over = stop;
        if (over - p >= 2 && memcmp(over - 2, "\r\n", 2) == 0)
            over -= 2;
        if (!colon || colon > over)
            colon = over;
        const char *value = colon < over ? colon + 1 : over;
        fields = arena_grow(arena, fields, &capacity, *count + 1, sizeof *fields);
        fields[(*count)++] = (struct header_field){{p, (size_t)(colon - p)}, {value, (size_t)(over - value)}};
        p = stop;
    }
    return fields;
}

/* What aliases_canonical() would say, near enough. */
static const char *canonical(struct arena *arena, const char *sender)
{
    const char *at = strrchr(sender, '@'), *plus = strchr(sender, '+');
    if (!at || !at[1])
        return NULL;
    char *text = arena_printf(arena, "%.*s%s", (int)((plus && plus < at ? plus : at) - sender), sender, at);
    for (char *p = text; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return text;
}

struct silence fixture_ask(struct fixture *fixture, const char *sender, struct span header)
{
    struct silence_question *question = &fixture->question;
    question->sender = sender;
    question->sender_canonical = canonical(fixture->arena, sender);
    question->headers = fixture_headers(fixture->arena, header, &question->header_count);
    return silence_find(fixture->arena, question);
}

void fixture_expect(struct fixture *fixture, const char *sender, const char *header, const char *why, unsigned point)
{
    struct silence found = fixture_ask(fixture, sender, span_of(header));
    bool is_right = why ? found.why && strcmp(found.why, why) == 0 && found.point == point : !found.why;
    if (!is_right)
        fail_msg("<%s> %s: %s (%u, %s), wanted %s (%u)", sender, header, found.why ? found.why : "an answer",
                 found.point, found.text ? found.text : "", why ? why : "an answer", point);
    for (const char *p = found.text; p && *p; p++)
        assert_in_range((unsigned char)*p, 0x20, 0x7e);
    if (found.why)
        assert_in_range(strlen(found.text), 1, 250);
}

struct span fixture_reply(struct fixture *fixture, struct span header)
{
    bool needs_utf8;
    fixture->request.headers = fixture_headers(fixture->arena, header, &fixture->request.header_count);
    return compose_reply(fixture->arena, &fixture->request, &needs_utf8);
}

static void unref(void *object)
{
    g_object_unref(object);
}

GMimeMessage *fixture_parse(struct fixture *fixture, struct span reply)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(reply.ptr, reply.len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    g_object_unref(parser);
    g_object_unref(stream);
    assert_non_null(message);
    arena_on_destroy(fixture->arena, unref, message);
    return message;
}

const char *fixture_field(GMimeMessage *message, const char *name)
{
    return g_mime_object_get_header(GMIME_OBJECT(message), name);
}

void fixture_is_sound(struct span reply, size_t most, bool utf8)
{
    size_t column = 0;
    bool in_header = true;
    assert_true(reply.len > 2 && memcmp(reply.ptr + reply.len - 2, "\r\n", 2) == 0);
    for (size_t i = 0; i < reply.len; i++) {
        unsigned char c = (unsigned char)reply.ptr[i];
        if (c == '\n') {
            assert_true(i > 0 && reply.ptr[i - 1] == '\r');
            assert_in_range(column, 0, in_header ? most : 998);
            in_header = in_header && column > 0;
            column = 0;
        } else if (c == '\r') {
            assert_true(i + 1 < reply.len && reply.ptr[i + 1] == '\n');
        } else {
            assert_true(c == '\t' || (c >= 0x20 && c != 0x7f));
            assert_true(utf8 || c < 0x80);
            column++;
        }
    }
}
