/*
 * responder - looking things up in what a mailbox has stored. Reading, checking and the calendar are in
 * responder_json.c, responder_verify.c and schedule.c.
 */
#include "autoreply/responder.h"
#include "autoreply/digest.h"
#include "util/strbuf.h"

#define FINGERPRINT_HEX 16

struct responder_message *responder_find(const struct responder *responder, const char *name)
{
    for (size_t i = 0; name && i < responder->count; i++) {
        if (strcmp(responder->messages[i].name, name) == 0)
            return &responder->messages[i];
    }
    return NULL;
}

/* With its length in front: "a" and "bc" must not look like "ab" and "c", nor an absent part like an empty one. */
static void add_part(struct strbuf *out, const char *text)
{
    if (text)
        strbuf_printf(out, "%zu:", strlen(text));
    else
        strbuf_putc(out, '-');
    strbuf_add(out, span_of(text));
}

const char *responder_fingerprint(struct arena *arena, const struct responder_message *message)
{
    struct strbuf parts;
    char hex[DIGEST_HEX + 1];
    strbuf_init(&parts, 0);
    add_part(&parts, message->subject);
    add_part(&parts, message->body);
    add_part(&parts, message->from);
    digest_hex((struct span){strbuf_text(&parts), parts.len}, hex);
    strbuf_free(&parts);
    return arena_spandup(arena, (struct span){hex, FINGERPRINT_HEX});
}
