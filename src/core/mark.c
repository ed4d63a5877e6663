/*
 * mark - X-Postern, and a word before the subject where the administrator wants one.
 */
#include "core/mark.h"
#include "core/subject.h"

#define HEADER "X-Postern" /* : suspicious; why=attachments.encrypted */

void mark_remove_forged(const struct session *session, struct message *message)
{
    unsigned n = 0;
    if (session_class(session) != CLASS_OUTSIDE)
        return;
    for (size_t i = 0; i < message->header_count && n < EDITS_DELETIONS_MAX; i++)
        n += span_equals_nocase(span_trim(message->headers[i].name), HEADER);
    for (; n > 0; n--)
        edits_delete_header(&message->edits, message->arena, HEADER, n);
}

static void mark_subject(struct message *message, const char *tag)
{
    const struct header_field *subject = message_header(message, "Subject", 0);
    const char *value = subject_tag(message->arena, tag, subject ? subject->value : (struct span){"", 0});
    if (subject)
        edits_change_header(&message->edits, message->arena, "Subject", 1, value);
    else
        edits_add_folded(&message->edits, message->arena, "Subject", value);
}

void mark_message(const struct settings *settings, struct message *message)
{
    const struct verdict *verdict = &message->verdict;
    if (verdict->disposition == DISPOSITION_TAG || verdict->disposition == DISPOSITION_QUARANTINE) {
        edits_add_header(&message->edits, message->arena, HEADER,
                         arena_printf(message->arena, "suspicious; why=%s", verdict->why));
        if (settings->general->tag_subject)
            mark_subject(message, settings->general->tag_subject);
    }
    if (verdict->disposition == DISPOSITION_QUARANTINE)
        edits_quarantine(&message->edits, message->arena, arena_printf(message->arena, "postern: %s", verdict->why));
}
