/*
 * libFuzzer: the first line as the reverse-path, the rest as a header block. silence_find() must come to an answer, and
 * where it has none the reply must be sound: CRLF lines in bounds, ASCII, one field of each kind, no byte of the header
 * but in words, msg-ids and the address.
 */
#include "autoreply/compose.h"
#include "autoreply/memory.h"
#include "autoreply/silence.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_own(void *context, const char *address)
{
    (void)context;
    return strcmp(address, "owner@example.net") == 0;
}

static bool is_own_domain(void *context, const char *domain)
{
    (void)context;
    return strcmp(domain, "example.net") == 0;
}

static const struct memory_ours ours = {.has_domain = is_own_domain};

static size_t read_headers(struct arena *arena, struct span text, struct header_field **fields)
{
    size_t count = 0, capacity = 0;
    const char *p = text.ptr, *end = text.ptr + text.len;
    while (p < end) {
        const char *stop = p;
        do {
            const char *lf = memchr(stop, '\n', (size_t)(end - stop));
            stop = lf ? lf + 1 : end;
        } while (stop < end && (*stop == ' ' || *stop == '\t'));
        const char *colon = memchr(p, ':', (size_t)(stop - p));
        const char *value = colon ? colon + 1 : stop;
        *fields = arena_grow(arena, *fields, &capacity, count + 1, sizeof **fields);
        (*fields)[count++] =
            (struct header_field){{p, (size_t)((colon ? colon : stop) - p)}, {value, (size_t)(stop - value)}};
        p = stop;
    }
    return count;
}

static void check_reply(struct span reply, bool is_utf8)
{
    static const char *const once[] = {"\r\nTo: ", "\r\nSubject: ", "\r\nAuto-Submitted: auto-replied\r\n",
                                       "\r\nDate: "};
    size_t column = 0, header = 0;
    for (size_t i = 0; i < reply.len; i++) {
        unsigned char c = (unsigned char)reply.ptr[i];
        if (c == '\n' ? reply.ptr[i - 1] != '\r' : c == '\r' ? reply.ptr[i + 1] != '\n' : c < 0x20 || c == 0x7f)
            abort();
        if (c >= 0x80 && !is_utf8)
            abort();
        header = c == '\n' && column == 0 && header == 0 ? i : header;
        column = c == '\n' ? 0 : column + (c != '\r');
        if (column > 998)
            abort();
    }
    for (size_t i = 0; i < sizeof once / sizeof *once; i++) {
        const char *found = memmem(reply.ptr, header, once[i], strlen(once[i]));
        if (!found || memmem(found + 1, header - (size_t)(found + 1 - reply.ptr), once[i], strlen(once[i])))
            abort();
    }
    if (memmem(reply.ptr, header, "\r\nBcc", 5) || reply.len > 20000)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *patterns[] = {"noreply", "*-request", "bounce*"}, *verdicts[] = {"X-Spam-Flag: YES"};
    static const struct string_list noreply = {3, patterns}, silence_on = {1, verdicts};
    struct arena *arena = arena_create(4096);
    char *copy = malloc(size + 1); /* of its own, so that a byte too far is seen */
    if (!copy)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    const char *lf = size ? memchr(copy, '\n', size) : NULL;
    size_t first = lf ? (size_t)(lf - copy) : size, rest = lf ? first + 1 : size;
    const char *sender = arena_spandup(arena, (struct span){copy, first});
    struct responder_message message = {.name = "m", .zone = "UTC", .body = "x\n", .days = 7};
    struct responder responder = {.mailbox = "owner@example.net", .messages = &message, .count = 1};
    struct header_field *fields = NULL;
    size_t count = read_headers(arena, (struct span){copy + rest, size - rest}, &fields);
    struct silence_question question = {.sender = sender,
                                        .sender_canonical = memory_sender(arena, sender, &ours),
                                        .mailbox = responder.mailbox,
                                        .message = &message,
                                        .headers = fields,
                                        .header_count = count,
                                        .is_own_address = is_own,
                                        .silence_on = &silence_on,
                                        .noreply = &noreply};
    struct silence silence = silence_find(arena, &question);
    if (!silence.why != !silence.text || (silence.text && (!*silence.text || strlen(silence.text) > 250)))
        abort();
    struct compose_request request = {&responder, &message,         responder.mailbox,
                                      sender,     fields,           count,
                                      1793516400, "mx.example.net", "0123456789abcdef0123456789abcdef"};
    bool needs_utf8;
    struct span reply = compose_reply(arena, &request, &needs_utf8);
    if (reply.ptr)
        check_reply(reply, needs_utf8);
    else if (!silence.why)
        abort(); /* nothing may be answered that cannot be */
    if (question.sender_canonical) {
        const char *again, *print;
        const char *key = memory_key(arena, &responder, question.sender_canonical, "0123456789abcdef");
        if (strlen(key) > 600 || memory_key_parse(arena, key, &again, &print) != 0)
            abort();
        const char *folded = memory_sender(arena, question.sender_canonical, &ours);
        if (!folded)
            abort();
    }
    free(copy);
    arena_destroy(arena);
    return 0;
}
