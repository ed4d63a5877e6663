/*
 * copies - envelope and content of what is sent on by ourselves.
 *
 * The content is read from the message while it is added and never held twice. Of the parameters of MAIL those travel
 * on that speak of the content or of reports (BODY, SMTPUTF8, RET, ENVID); SIZE is the spool's to know, AUTH is
 * nobody's business behind us.
 */
#include "srs/copies.h"
#include "core/message.h"
#include <string.h>
#include <strings.h>

/* ORCPT may be UTF-8 (RFC 6533 3); a filter cannot hand that on, and the MTA does without. */
static bool can_be_said(const char *word)
{
    for (; *word; word++) {
        if (*word <= ' ' || *word > '~')
            return false;
    }
    return true;
}

/* The words of PARAMETERS that begin with one of NAMES. */
static const char *pick(struct arena *arena, const char *parameters, const char *const *names)
{
    const char *picked = NULL;
    char *rest = NULL, *copy = arena_strdup(arena, parameters);
    for (char *word = copy ? strtok_r(copy, " ", &rest) : NULL; word; word = strtok_r(NULL, " ", &rest)) {
        for (size_t i = 0; names[i]; i++) {
            if (strncasecmp(word, names[i], strlen(names[i])) == 0 && can_be_said(word))
                picked = picked ? arena_printf(arena, "%s %s", picked, word) : word;
        }
    }
    return picked;
}

const char *copies_rcpt_parameters(struct arena *arena, const char *parameters)
{
    static const char *const names[] = {"NOTIFY=", "ORCPT=", NULL};
    return pick(arena, parameters, names);
}

static ssize_t read_content(const void *source, uint64_t offset, void *buffer, size_t len)
{
    return content_read_at(source, offset, buffer, len);
}

/* The trace field as a line of its own, folds as on the wire. */
static const char *head_of(struct arena *arena, const char *trace)
{
    char *head = arena_printf(arena, TRACE_FIELD ": ");
    for (const char *fold; (fold = strchr(trace, '\n')); trace = fold + 1)
        head = arena_printf(arena, "%s%.*s\r\n", head, (int)(fold - trace), trace);
    return arena_printf(arena, "%s%s\r\n", head, trace);
}

static struct spool_message entry_of(const struct forwarding *forwarding, struct arena *arena,
                                     const struct message *message, const struct travel *travel, size_t number)
{
    static const char *const mail_names[] = {"BODY=", "RET=", "ENVID=", NULL};
    static const char *const utf8_names[] = {"SMTPUTF8", NULL};
    const struct dispatch_copy *copy = &travel->dispatch.copies[number];
    const char **paths = ARENA_ARRAY(arena, const char *, copy->count);
    const char **parameters = ARENA_ARRAY(arena, const char *, copy->count);
    for (size_t i = 0; i < copy->count; i++) {
        paths[i] = copy->to[i].address;
        parameters[i] = copies_rcpt_parameters(arena, copy->to[i].parameters);
    }
    return (struct spool_message){.kind = COPIES_KIND,
                                  .submit = forwarding->options->submit,
                                  .reverse_path = travel->copy_paths[number],
                                  .forward_paths = paths,
                                  .forward_path_count = copy->count,
                                  .mail_parameters = pick(arena, message->parameters, mail_names),
                                  .each_rcpt_parameters = parameters,
                                  .needs_smtputf8 = pick(arena, message->parameters, utf8_names) != NULL,
                                  .read_at = read_content,
                                  .source = message->content,
                                  .source_size = content_size(message->content),
                                  .memo = message->reverse_path,
                                  .company = message->company};
}

enum spool_outcome copies_add(const struct forwarding *forwarding, struct arena *arena, const struct message *message,
                              const struct travel *travel, const char *trace, int64_t *ids)
{
    size_t count = travel->dispatch.copy_count;
    if (count == 0)
        return SPOOL_OK;
    struct spool_message *entries = ARENA_ARRAY(arena, struct spool_message, count);
    for (size_t i = 0; i < count; i++) {
        entries[i] = entry_of(forwarding, arena, message, travel, i);
        if (trace) /* a copy for here as well: if its port expands aliases after all, it comes again, and for ever */
            entries[i].head = span_of(head_of(arena, trace));
    }
    return spool_add_all(forwarding->state->spool, entries, count, message->now, ids);
}
