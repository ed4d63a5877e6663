/*
 * responder_verify - what the values of a responder may be, and their settled form. Each refusal names the field.
 *
 * All of it ends up in mail: no control characters in what goes into a header, no line that an MTA would have to break.
 * That G is the owner's own address is not known here; whoever takes the responder in asks the aliases.
 */
#include "autoreply/addr_spec.h"
#include "autoreply/header_text.h"
#include "autoreply/mail_text.h"
#include "autoreply/responder_private.h"
#include "autoreply/schedule.h"

struct verifier {
    struct arena *arena;
    struct responder_problem *problem;
    const char *prefix; /* "" or "messages[2]." */
    bool is_stored;
};

static int refuse(const struct verifier *verifier, const char *name, const char *reason)
{
    verifier->problem->field = arena_printf(verifier->arena, "%s%s", verifier->prefix, name);
    verifier->problem->text = arena_printf(verifier->arena, "%s%s: %s", verifier->prefix, name, reason);
    return -1;
}

/* REASON ends with a blank; VALUE is shown behind it. */
static int refuse_value(const struct verifier *verifier, const char *name, const char *reason, const char *value)
{
    const char *shown = header_show(verifier->arena, span_of(value), 80);
    return refuse(verifier, name, arena_printf(verifier->arena, "%s%s", reason, shown));
}

static int verify_text(const struct verifier *verifier, const char *name, const char *text, size_t max)
{
    if (!*text)
        return refuse(verifier, name, "it is empty");
    if (strlen(text) > max)
        return refuse(verifier, name, arena_printf(verifier->arena, "it is longer than %zu octets", max));
    if (!mail_text_is_utf8(span_of(text)))
        return refuse(verifier, name, "it is no UTF-8");
    return 0;
}

/* A line for a header; NULL is fine. */
static int verify_line(const struct verifier *verifier, const char *name, const char *text, size_t max)
{
    if (!text)
        return 0;
    if (verify_text(verifier, name, text, max) != 0)
        return -1;
    if (!mail_text_is_line(span_of(text)))
        return refuse(verifier, name, "it holds a control character or a line break");
    if (text[0] == ' ' || text[strlen(text) - 1] == ' ')
        return refuse(verifier, name, "it begins or ends with a blank");
    return 0;
}

static bool has_control(const char *text)
{
    for (; *text; text++) {
        if (((unsigned char)*text < 0x20 && *text != '\n' && *text != '\t') || *text == 0x7f)
            return true;
    }
    return false;
}

static int verify_body(const struct verifier *verifier, const char **body)
{
    if (!*body)
        return refuse(verifier, "body", "it is missing");
    if (verify_text(verifier, "body", *body, RESPONDER_BODY_MAX) != 0)
        return -1;
    char *copy = arena_strdup(verifier->arena, *body), *to = copy;
    for (const char *p = copy; *p; p++) {
        if (p[0] != '\r' || p[1] != '\n')
            *to++ = *p;
    }
    *to = '\0';
    *body = copy;
    if (has_control(copy))
        return refuse(verifier, "body", "it holds a control character");
    if (!copy[strspn(copy, " \t\n")])
        return refuse(verifier, "body", "it is empty");
    for (const char *line = copy; *line; line += line[strcspn(line, "\n")] ? strcspn(line, "\n") + 1 : strlen(line)) {
        if (strcspn(line, "\n") > RESPONDER_LINE_MAX)
            return refuse(verifier, "body",
                          arena_printf(verifier->arena, "a line is longer than %d octets", RESPONDER_LINE_MAX));
    }
    return 0;
}

#define NO_TIME "this is no date and time (2026-12-24T18:00:00 is one): "

/* "2026-12-24T18:00" too, as forms on web pages and people write it. */
static bool settle_time(struct arena *arena, const char **text, int64_t *local)
{
    const char *whole = strlen(*text) == strlen("2026-12-24T18:00") ? arena_printf(arena, "%s:00", *text) : *text;
    bool is_time = schedule_parse(whole, local);
    if (is_time)
        *text = whole;
    return is_time;
}

static int verify_schedule(const struct verifier *verifier, struct responder_message *message)
{
    int64_t start = 0, end = 0;
    if (!message->zone)
        message->zone = "UTC";
    if (!verifier->is_stored && !schedule_zone_exists(message->zone))
        return refuse_value(verifier, "zone", "there is no time zone ", message->zone);
    if (message->weekdays > 0x7f)
        return refuse(verifier, "weekdays", "a week has seven days");
    if (message->start && !settle_time(verifier->arena, &message->start, &start))
        return refuse_value(verifier, "start", NO_TIME, message->start);
    if (message->end && !settle_time(verifier->arena, &message->end, &end))
        return refuse_value(verifier, "end", NO_TIME, message->end);
    if (message->start && message->end && end <= start)
        return refuse_value(verifier, "end", "it is not after the start, ", message->start);
    return 0;
}

/* "user@domain" or "@domain" in settled form; NULL: neither. */
static const char *settle_excluded(struct arena *arena, const char *entry)
{
    struct addr_spec address;
    if (entry[0] == '@')
        return domain_canonical(span_of(entry + 1), address.domain) == 0 ? arena_printf(arena, "@%s", address.domain)
                                                                         : NULL;
    if (addr_spec_parse(span_of(entry), &address) != 0 || !addr_spec_is_dot_string(&address))
        return NULL;
    addr_spec_fold(&address);
    return addr_spec_print(arena, &address);
}

static int verify_excluded(const struct verifier *verifier, struct responder_message *message)
{
    if (message->excluded_count > RESPONDER_EXCLUDED_MAX)
        return refuse(verifier, "excluded",
                      arena_printf(verifier->arena, "more than %d entries", RESPONDER_EXCLUDED_MAX));
    const char **settled = ARENA_ARRAY(verifier->arena, const char *, message->excluded_count + 1);
    for (size_t i = 0; i < message->excluded_count; i++) {
        settled[i] = settle_excluded(verifier->arena, message->excluded[i]);
        if (!verifier->is_stored && settled[i] && strncmp(settled[i], "*@", 2) == 0) /* would match nobody */
            return refuse_value(verifier, arena_printf(verifier->arena, "excluded[%zu]", i),
                                "a whole domain is written @domain, not ", message->excluded[i]);
        if (!settled[i])
            return refuse_value(verifier, arena_printf(verifier->arena, "excluded[%zu]", i),
                                "an address or @domain is wanted here, not ", message->excluded[i]);
    }
    message->excluded = settled;
    return 0;
}

static int verify_from(const struct verifier *verifier, struct responder_message *message)
{
    struct addr_spec address;
    if (!message->from)
        return 0;
    if (addr_spec_parse(span_of(message->from), &address) != 0 || !addr_spec_is_dot_string(&address))
        return refuse_value(verifier, "from", "this is no address: ", message->from);
    message->from = addr_spec_print(verifier->arena, &address);
    return 0;
}

static int verify_message(const struct verifier *verifier, struct responder_message *message)
{
    if (!message->name)
        return refuse(verifier, "name", "it is missing");
    if (verify_line(verifier, "name", message->name, RESPONDER_NAME_MAX) != 0 ||
        verify_schedule(verifier, message) != 0 ||
        verify_line(verifier, "subject", message->subject, RESPONDER_SUBJECT_MAX) != 0 ||
        verify_body(verifier, &message->body) != 0 || verify_from(verifier, message) != 0 ||
        verify_excluded(verifier, message) != 0)
        return -1;
    if (message->days < 1 || message->days > RESPONDER_DAYS_MAX)
        return refuse(verifier, "days", arena_printf(verifier->arena, "1 to %d days", RESPONDER_DAYS_MAX));
    return 0;
}

static int verify_mailbox(const struct verifier *verifier, struct responder *responder)
{
    struct addr_spec address;
    if (!responder->mailbox)
        return refuse(verifier, "mailbox", "it is missing");
    if (addr_spec_parse(span_of(responder->mailbox), &address) != 0)
        return refuse_value(verifier, "mailbox", "this is no address: ", responder->mailbox);
    if (!addr_spec_is_own_form(&address))
        return refuse_value(verifier, "mailbox",
                            "the part before the @ is of letters, digits, dots, hyphens and underscores, at most 64, "
                            "no dot first, last or doubled, unlike ",
                            responder->mailbox);
    addr_spec_fold(&address);
    responder->mailbox = addr_spec_print(verifier->arena, &address);
    return 0;
}

static int verify_messages(const struct verifier *verifier, struct responder *responder)
{
    if (responder->count > RESPONDER_MESSAGES_MAX)
        return refuse(verifier, "messages",
                      arena_printf(verifier->arena, "more than %d messages", RESPONDER_MESSAGES_MAX));
    for (size_t i = 0; i < responder->count; i++) {
        struct verifier inner = *verifier;
        inner.prefix = arena_printf(verifier->arena, "messages[%zu].", i);
        if (verify_message(&inner, &responder->messages[i]) != 0)
            return -1;
        if (responder_find(responder, responder->messages[i].name) != &responder->messages[i])
            return refuse_value(&inner, "name", "there is already a message ", responder->messages[i].name);
    }
    return 0;
}

int responder_settle(struct arena *arena, struct responder *responder, bool is_stored,
                     struct responder_problem *problem)
{
    struct verifier verifier = {arena, problem, "", is_stored};
    if (verify_mailbox(&verifier, responder) != 0 ||
        verify_line(&verifier, "display_name", responder->display_name, RESPONDER_DISPLAY_NAME_MAX) != 0 ||
        verify_messages(&verifier, responder) != 0)
        return -1;
    if (responder->generation < 0 || responder->generation > RESPONDER_GENERATION_MAX)
        return refuse(&verifier, "generation", "a number from 0 to 2147483647 is wanted here");
    if (responder->active && !responder_find(responder, responder->active))
        return refuse_value(&verifier, "active", "there is no message ", responder->active);
    if (!is_stored && strlen(responder_print(arena, responder)) > RESPONDER_JSON_MAX)
        return refuse(&verifier, "messages", "together they are longer than 1023 KiB");
    return 0;
}

int responder_verify(struct arena *arena, struct responder *responder, struct responder_problem *problem)
{
    return responder_settle(arena, responder, false, problem);
}
