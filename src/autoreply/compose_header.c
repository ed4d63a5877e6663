/*
 * compose_header - what of a stranger's header gets into ours: a subject as decoded text, and msg-ids.
 *
 * A msg-id is copied if it is printable ASCII between "<" and ">" without parentheses, no longer than MSG_ID_MAX: no
 * fold, no blank, no comment, no 8-bit byte can hide in it. Whether it is made as RFC 5322 3.6.4 has it is not asked, for
 * mail programs find the thread by comparing bytes. The subject goes through mail_text, which encodes it anew. Of both only a bounded beginning is looked
 * at, but for References, of which the first and the latest matter.
 */
#include "autoreply/compose_private.h"
#include "autoreply/header_text.h"
#include "autoreply/mail_text.h"
#include "mime/params.h"

#define MSG_ID_MAX 500    /* octets, brackets included */
#define SUBJECT_LOOK 2000 /* octets of the original's subject that are decoded: ten times what is shown */
#define REPLY_TO_LOOK 2   /* msg-ids of In-Reply-To that are counted */

const char *compose_original_subject(struct arena *arena, const struct header_field *headers, size_t count)
{
    size_t at = 0;
    const struct header_field *field = header_next(headers, count, "Subject", &at);
    if (!field)
        return NULL;
    struct span value = span_trim(field->value);
    if (value.len > SUBJECT_LOOK)
        value.len = SUBJECT_LOOK;
    struct strbuf decoded;
    strbuf_init(&decoded, 4 * SUBJECT_LOOK);
    text_decode_words(&decoded, value);
    const char *subject =
        mail_text_clean(arena, (struct span){strbuf_text(&decoded), decoded.len}, COMPOSE_SUBJECT_MAX);
    strbuf_free(&decoded);
    return *subject ? subject : NULL;
}

/* ---- msg-ids ---- */

/* TEXT with its brackets. */
static bool is_msg_id(struct span text)
{
    for (size_t i = 1; i + 1 < text.len; i++) {
        if (text.ptr[i] < 0x21 || text.ptr[i] > 0x7e || strchr("<()", text.ptr[i]))
            return false;
    }
    return text.len > 2;
}

/* The next well-formed one at or behind *P, which goes behind it; len 0: there is none. What else stands there is
 * stepped over, comments too. It looks no further than MSG_ID_MAX for its ">", so that a row of "<" costs no more than
 * that each. */
static struct span next_msg_id(const char **p, const char *end)
{
    while (header_skip(p, end) && *p < end) {
        const char *start = (*p)++;
        size_t most = end - start < MSG_ID_MAX ? (size_t)(end - start) : MSG_ID_MAX;
        const char *close = *start == '<' ? memchr(start, '>', most) : NULL;
        struct span found = {start, close ? (size_t)(close + 1 - start) : 0};
        if (close && is_msg_id(found)) {
            *p = close + 1;
            return found;
        }
    }
    return (struct span){NULL, 0};
}

static void add_reference(struct compose_thread *thread, struct span id)
{
    if (id.len == thread->message_id.len && memcmp(id.ptr, thread->message_id.ptr, id.len) == 0)
        return;
    if (thread->count == COMPOSE_REFERENCES_MAX) { /* the first one stays, it names the thread */
        memmove(&thread->references[1], &thread->references[2], (COMPOSE_REFERENCES_MAX - 2) * sizeof(struct span));
        thread->count--;
    }
    thread->references[thread->count++] = id;
}

/* In-Reply-To stands in for References if it names one message only. */
static void use_in_reply_to(const struct header_field *field, struct compose_thread *thread)
{
    const char *p = field->value.ptr, *end = p + field->value.len;
    struct span ids[REPLY_TO_LOOK];
    size_t count = 0;
    while (count < REPLY_TO_LOOK && (ids[count] = next_msg_id(&p, end)).len > 0)
        count++;
    if (count == 1)
        add_reference(thread, ids[0]);
}

void compose_find_thread(const struct header_field *headers, size_t count, struct compose_thread *thread)
{
    size_t at = 0;
    const struct header_field *field = header_next(headers, count, "Message-ID", &at);
    *thread = (struct compose_thread){.count = 0};
    if (field) {
        const char *p = field->value.ptr;
        thread->message_id = next_msg_id(&p, field->value.ptr + field->value.len);
    }
    if (!thread->message_id.ptr)
        return;
    at = 0;
    field = header_next(headers, count, "References", &at);
    if (field) {
        const char *p = field->value.ptr, *end = p + field->value.len;
        for (struct span id; (id = next_msg_id(&p, end)).len > 0;)
            add_reference(thread, id);
    }
    at = 0;
    field = thread->count == 0 ? header_next(headers, count, "In-Reply-To", &at) : NULL;
    if (field)
        use_in_reply_to(field, thread);
}
