/*
 * compose - the reply, field by field, in the order in which people read them.
 *
 * Every text that was not written here goes through mail_text (words) or addr_spec (addresses), so that there is one
 * place for each where a CR, an LF or an 8-bit byte could slip through, and none does. Nothing of the original's body
 * is there to be quoted: this room never sees it.
 *
 * What this does not do: placeholders in the text, HTML, attachments.
 */
#include "autoreply/addr_spec.h"
#include "autoreply/compose_private.h"
#include "autoreply/mail_text.h"
#include "autoreply/schedule.h"
#include "util/clock.h"
#include "util/strbuf.h"
#include <time.h>

#define REPLY_MAX (1024 * 1024) /* octets: a body of RESPONDER_BODY_MAX, each octet as three, and the header */

static const char prefix[] = "Auto: ";

/* NULL: TEXT is no address. */
static const char *print_address(struct arena *arena, const char *text, bool *is_utf8)
{
    struct addr_spec address;
    if (!text || addr_spec_parse(span_of(text), &address) != 0)
        return NULL;
    *is_utf8 |= address.is_utf8;
    return addr_spec_print(arena, &address);
}

static void add_from(struct strbuf *out, const char *display_name, const char *address)
{
    strbuf_puts(out, "From: ");
    if (!display_name) {
        strbuf_printf(out, "%s\r\n", address);
        return;
    }
    size_t column = mail_text_add_phrase(out, strlen("From: "), display_name);
    const char *gap = column + strlen(" <>") + strlen(address) > MAIL_TEXT_LINE ? "\r\n " : " ";
    strbuf_printf(out, "%s<%s>\r\n", gap, address);
}

static void add_subject(struct arena *arena, struct strbuf *out, const struct compose_request *request)
{
    const char *subject = request->message->subject;
    if (!subject) {
        const char *original = compose_original_subject(arena, request->headers, request->header_count);
        subject = original ? arena_printf(arena, "%s%s", prefix, original) : COMPOSE_NO_SUBJECT;
    }
    strbuf_puts(out, "Subject: ");
    mail_text_add_unstructured(out, strlen("Subject: "), subject);
    strbuf_puts(out, "\r\n");
}

/* RFC 5322 3.3: with the offset of the message's zone, in whole minutes. */
static void add_date(struct strbuf *out, const struct compose_request *request)
{
    char date[CLOCK_MAIL_SIZE];
    int64_t minutes = schedule_offset(request->message->zone, request->now) / 60;
    strbuf_printf(out, "Date: %s\r\n", clock_format_mail(request->now, (int)minutes, date));
}

static void add_id(struct strbuf *out, struct span id)
{
    strbuf_add(out, id);
    strbuf_puts(out, "\r\n");
}

/* One msg-id a line: any two may be longer together than a line should be. */
static void add_thread(struct strbuf *out, const struct compose_request *request)
{
    struct compose_thread thread;
    compose_find_thread(request->headers, request->header_count, &thread);
    if (!thread.message_id.ptr)
        return;
    strbuf_puts(out, "In-Reply-To: ");
    add_id(out, thread.message_id);
    strbuf_puts(out, "References: ");
    for (size_t i = 0; i < thread.count; i++) {
        add_id(out, thread.references[i]);
        strbuf_putc(out, ' ');
    }
    add_id(out, thread.message_id);
}

static void add_body(struct strbuf *out, const char *body)
{
    strbuf_printf(out,
                  "MIME-Version: 1.0\r\n"
                  "Content-Type: text/plain; charset=%s\r\n"
                  "Content-Transfer-Encoding: %s\r\n\r\n",
                  mail_text_is_ascii(body) ? "us-ascii" : "utf-8", mail_text_body_encoding(body));
    mail_text_add_body(out, body);
}

struct span compose_reply(struct arena *arena, const struct compose_request *request, bool *needs_utf8)
{
    bool is_utf8 = !mail_text_is_ascii(request->to); /* the envelope has it as it came */
    const char *to = print_address(arena, request->to, &is_utf8);
    const char *from =
        print_address(arena, request->message->from ? request->message->from : request->written_to, &is_utf8);
    *needs_utf8 = is_utf8;
    if (!to || !from)
        return (struct span){NULL, 0};
    struct strbuf out;
    strbuf_init(&out, REPLY_MAX);
    add_from(&out, request->responder->display_name, from);
    strbuf_printf(&out, "To: %s\r\n", to);
    add_subject(arena, &out, request);
    add_date(&out, request);
    strbuf_printf(&out, "Message-ID: <autoreply.%s@%s>\r\n", request->token, request->hostname);
    add_thread(&out, request);
    strbuf_puts(&out, "Auto-Submitted: auto-replied\r\n"
                      "Precedence: bulk\r\n"
                      "X-Auto-Response-Suppress: All\r\n");
    add_body(&out, request->message->body);
    struct span reply = {arena_spandup(arena, (struct span){strbuf_text(&out), out.len}), out.len};
    strbuf_free(&out);
    return reply;
}
