/*
 * silence_headers - the reasons that lie in the header.
 *
 * A field that is there twice counts each time. Values may be folded, hold comments, quotes, NUL or 8-bit bytes; what
 * is compared are the words of the grammar, so a comment that says "no" is none, and a word in a comment is no reason.
 */
#include "autoreply/address_list.h"
#include "autoreply/header_text.h"
#include "autoreply/silence_private.h"

/* Addresses that are looked at: each costs a walk through the alias tables, for each mailbox that the message is for.
 * Who writes to more people writes to nobody in particular. */
#define DESTINATIONS_MAX 1000

static const char *const list_fields[] = {"List-Id",   "List-Help",  "List-Subscribe", "List-Unsubscribe",
                                          "List-Post", "List-Owner", "List-Archive",   NULL};

/* Of list software that does not write those, for senders in VERP form only. */
static const char *const other_list_fields[] = {"Mailing-List", "X-Mailing-List", "X-BeenThere", "X-Mailman-Version",
                                                NULL};

static const char *const reply_fields[] = {"X-Autoreply", "X-Autorespond", "X-Loop", NULL};

static const char *const destination_fields[] = {"To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc", NULL};

const char *silence_show(struct arena *arena, const struct header_field *field)
{
    return arena_printf(arena, "%s: %s", header_show(arena, field->name, 40), header_show(arena, field->value, 100));
}

static const struct header_field *next_field(const struct silence_case *given, const char *name, size_t *at)
{
    return header_next(given->question->headers, given->question->header_count, name, at);
}

static const struct header_field *find_any(const struct silence_case *given, const char *const *names)
{
    const struct header_field *field = NULL;
    for (size_t i = 0; names[i] && !field; i++) {
        size_t at = 0;
        field = next_field(given, names[i], &at);
    }
    return field;
}

static bool is_one_of(struct span word, const char *const *words)
{
    for (; *words; words++) {
        if (span_equals_nocase(word, *words))
            return true;
    }
    return false;
}

/* "no", comments around it, and parameters behind it (RFC 3834 5, 5.1). */
static bool says_no(struct span value)
{
    const char *p = value.ptr, *end = value.ptr + value.len;
    if (!header_skip(&p, end))
        return false;
    struct span word = header_word(&p, end, ";");
    return span_equals_nocase(word, "no") && header_skip(&p, end) && (p == end || *p == ';');
}

const char *silence_auto_submitted(const struct silence_case *given)
{
    const struct header_field *field;
    for (size_t at = 0; (field = next_field(given, "Auto-Submitted", &at));) {
        if (!says_no(field->value))
            return silence_show(given->arena, field);
    }
    return NULL;
}

const char *silence_list(const struct silence_case *given)
{
    const struct header_field *field = find_any(given, list_fields);
    return field ? silence_show(given->arena, field) : NULL;
}

const char *silence_precedence(const struct silence_case *given)
{
    static const char *const words[] = {"bulk", "junk", "list", "auto_reply", NULL};
    const struct header_field *field;
    for (size_t at = 0; (field = next_field(given, "Precedence", &at));) {
        const char *p = field->value.ptr, *end = p + field->value.len;
        header_skip(&p, end);
        if (is_one_of(header_keyword(&p, end, "\",;"), words))
            return silence_show(given->arena, field);
    }
    return NULL;
}

const char *silence_suppressed(const struct silence_case *given)
{
    static const char *const words[] = {"All", "OOF", "AutoReply", NULL};
    const struct header_field *field;
    for (size_t at = 0; (field = next_field(given, "X-Auto-Response-Suppress", &at));) {
        const char *p = field->value.ptr, *end = p + field->value.len;
        while (header_skip(&p, end) && p < end) {
            if (is_one_of(header_keyword(&p, end, "\",;"), words))
                return silence_show(given->arena, field);
            p += p < end && (*p == ',' || *p == ';' || *p == '"');
        }
    }
    field = find_any(given, reply_fields);
    return field ? silence_show(given->arena, field) : NULL;
}

/* ---- machines ---- */

/* Is there a parameter NAME behind P? */
static bool has_parameter(const char *p, const char *end, const char *name)
{
    while (p < end && header_skip(&p, end) && p < end) {
        if (*p == '"') {
            const char *close = header_quoted_end(p, end);
            p = close ? close : end;
        } else if (*p == ';' || *p == '=') {
            p++;
        } else {
            struct span word = header_word(&p, end, ";=\"");
            header_skip(&p, end);
            if (p < end && *p == '=' && span_equals_nocase(word, name))
                return true;
        }
    }
    return false;
}

static bool is_report(struct span value)
{
    static const char *const types[] = {"delivery-status",
                                        "disposition-notification",
                                        "feedback-report",
                                        "tracking-status",
                                        "global-delivery-status",
                                        "global-disposition-notification",
                                        NULL};
    const char *p = value.ptr, *end = value.ptr + value.len;
    header_skip(&p, end);
    struct span type = header_word(&p, end, "/;");
    header_skip(&p, end);
    if (p == end || *p != '/')
        return false;
    p++;
    header_skip(&p, end);
    struct span subtype = header_word(&p, end, ";");
    if (span_equals_nocase(type, "message"))
        return is_one_of(subtype, types);
    return span_equals_nocase(type, "multipart") &&
           (span_equals_nocase(subtype, "report") || has_parameter(p, end, "report-type"));
}

/* A list or a sender of bulk mail that wants to know which of its recipients a bounce came from. */
static bool is_verp(const struct addr_spec *sender)
{
    const char *local = sender->local, *equals = strchr(local, '=');
    return (equals && strpbrk(local, "+-") && strpbrk(local, "+-") < equals) || strstr(local, "bounce") ||
           strstr(local, "-return-");
}

static const struct header_field *find_list_software(const struct silence_case *given)
{
    const struct silence_question *question = given->question;
    for (size_t i = 0; i < question->header_count; i++) {
        struct span name = span_trim(question->headers[i].name);
        if (name.len > 5 && strncasecmp(name.ptr, "List-", 5) == 0)
            return &question->headers[i];
    }
    return find_any(given, other_list_fields);
}

/* A bounce that was given a sender on its way says so where some system before us kept the reverse-path. */
static const struct header_field *find_null_path(const struct silence_case *given)
{
    static const char *const names[] = {"Return-Path", "X-Envelope-From", "X-Original-Return-Path", NULL};
    const struct header_field *field;
    for (size_t i = 0; names[i]; i++) {
        for (size_t at = 0; (field = next_field(given, names[i], &at));) {
            if (span_equals(span_trim(field->value), "<>"))
                return field;
        }
    }
    return NULL;
}

static bool visit_daemon(void *context, const struct addr_spec *address)
{
    (void)context;
    return strcasecmp(address->local, "mailer-daemon") == 0;
}

const char *silence_machine(const struct silence_case *given)
{
    const struct header_field *field;
    for (size_t at = 0; (field = next_field(given, "Content-Type", &at));) {
        if (is_report(field->value))
            return silence_show(given->arena, field);
    }
    field = find_null_path(given);
    if (field)
        return silence_show(given->arena, field);
    for (size_t at = 0; (field = next_field(given, "From", &at));) {
        if (address_list_each(field->value, visit_daemon, NULL))
            return silence_show(given->arena, field);
    }
    size_t first = 0;
    field = next_field(given, "X-Failed-Recipients", &first);
    if (!field && is_verp(&given->plain))
        field = find_list_software(given);
    return field ? silence_show(given->arena, field) : NULL;
}

/* ---- what others found, and who is meant ---- */

/* ENTRY: "Field: beginning of its value". */
static const struct header_field *find_verdict(const struct silence_case *given, const char *entry)
{
    const char *colon = strchr(entry, ':');
    struct span name = span_trim((struct span){entry, colon ? (size_t)(colon - entry) : strlen(entry)});
    struct span value = span_trim(span_of(colon ? colon + 1 : ""));
    for (size_t i = 0; i < given->question->header_count; i++) {
        const struct header_field *field = &given->question->headers[i];
        struct span found = span_trim(field->value), found_name = span_trim(field->name);
        if (found_name.len == name.len && strncasecmp(found_name.ptr, name.ptr, name.len) == 0 &&
            found.len >= value.len && strncasecmp(found.ptr, value.ptr, value.len) == 0)
            return field;
    }
    return NULL;
}

const char *silence_spam(const struct silence_case *given)
{
    const struct string_list *entries = given->question->silence_on;
    for (size_t i = 0; entries && i < entries->count; i++) {
        const struct header_field *field = find_verdict(given, entries->items[i]);
        if (field)
            return silence_show(given->arena, field);
    }
    return NULL;
}

struct destinations {
    const struct silence_question *question;
    unsigned seen;
    bool is_found;
};

static bool visit_destination(void *context, const struct addr_spec *address)
{
    struct destinations *destinations = context;
    const struct silence_question *question = destinations->question;
    char whole[ADDR_SPEC_MAX + DOMAIN_MAX + 2];
    snprintf(whole, sizeof whole, "%s@%s", address->local, address->domain);
    destinations->is_found = question->is_own_address(question->context, whole);
    return destinations->is_found || ++destinations->seen == DESTINATIONS_MAX;
}

const char *silence_not_addressed(const struct silence_case *given)
{
    const struct silence_question *question = given->question;
    struct destinations destinations = {.question = question};
    const struct header_field *field;
    for (size_t i = 0; question->is_own_address && destination_fields[i]; i++) {
        for (size_t at = 0; (field = next_field(given, destination_fields[i], &at));) {
            if (!address_list_each(field->value, visit_destination, &destinations))
                continue;
            return destinations.is_found ? NULL
                                         : "none of the mailbox's addresses is among the first 1000 in To, Cc and Bcc";
        }
    }
    return "none of the mailbox's addresses is in To, Cc or Bcc";
}
