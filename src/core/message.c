/*
 * message - filled downhill by the phases, read by the checks, freed in one go.
 *
 * Header fields are kept twice when somebody reads the content: as fields with their bytes, and in the content, which
 * is the message as a whole. They are bounded by message { max_header }, so the second copy is small.
 * A limit that is passed is remembered in `error` and answered once, at the end: in the middle of the header or body
 * an MTA has no place for an answer of ours.
 */
#include "core/message.h"
#include "core/engine.h"
#include "core/settings.h"
#include "util/clock.h"
#include <ctype.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#define ARENA_BLOCK 4096

static atomic_uint under_way;

/* Past this many the header is as good as too large: each field costs a struct beside its bytes. */
#define HEADER_FIELDS_MAX 20000

const char *address_strip(struct arena *arena, const char *path)
{
    struct span address = span_trim(span_of(path));
    if (address.len >= 2 && address.ptr[0] == '<' && address.ptr[address.len - 1] == '>') {
        address.ptr++;
        address.len -= 2;
    }
    /* A source route, "@a,@b:user@c", is to be ignored (RFC 5321 4.1.1.3). */
    const char *colon = address.len && address.ptr[0] == '@' ? memchr(address.ptr, ':', address.len) : NULL;
    if (colon) {
        address.len -= (size_t)(colon + 1 - address.ptr);
        address.ptr = colon + 1;
    }
    return arena_spandup(arena, address);
}

struct message *message_begin(const struct session *session, const struct settings *settings, const struct plan *plan,
                              const char *address, int64_t now)
{
    struct arena *arena = arena_create(ARENA_BLOCK);
    struct message *message = ARENA_NEW(arena, struct message);
    atomic_fetch_add(&under_way, 1);
    message->arena = arena;
    message->session = session;
    message->settings = settings;
    message->reverse_path = address_strip(arena, address);
    message->distinct = strset_create(arena);
    unsigned needs = plan_needs(plan, session_class(session));
    message->keeps_header = needs != 0;
    message->keeps_content = needs & NEEDS_CONTENT;
    message->check_us = ARENA_ARRAY(arena, int64_t, plan->count);
    message->check_state = ARENA_ARRAY(arena, void *, plan->count);
    message->now = now;
    message->dns_left_us = settings->dns->message_budget * 1000;
    message->dns_budget = ARENA_NEW(arena, struct dns_budget);
    *message->dns_budget = (struct dns_budget){clock_monotonic_us() + message->dns_left_us,
                                               settings->dns->timeout * 1000,
                                               (unsigned)settings->dns->message_queries};
    if (message->keeps_content) {
        message->content = content_create(&settings->content_limits);
        arena_on_destroy(arena, content_destroy, message->content);
    }
    return message;
}

void message_end(struct message **message)
{
    if (*message) {
        arena_destroy((*message)->arena);
        atomic_fetch_sub(&under_way, 1);
    }
    *message = NULL;
}

unsigned message_count(void)
{
    return atomic_load(&under_way);
}

/* Mailboxes are the same if the local parts are, and the domains but for case. Without a domain it can only be
 * postmaster, in any case (RFC 5321 4.5.1). */
static struct span distinct_key(struct message *message, const char *address)
{
    char *key = arena_strdup(message->arena, address);
    char *at = strrchr(key, '@');
    for (char *p = at ? at : key; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return span_of(key);
}

struct recipient *message_add_rcpt(struct message *message, const char *address, const char *mailer)
{
    if (message->recipient_count - message->standing_count >= RECIPIENTS_REFUSED_MAX)
        return NULL;
    message->recipients = arena_grow(message->arena, message->recipients, &message->recipient_capacity,
                                     message->recipient_count + 1, sizeof *message->recipients);
    struct recipient *recipient = &message->recipients[message->recipient_count++];
    recipient->address = address_strip(message->arena, address);
    recipient->mailer = arena_strdup(message->arena, mailer);
    recipient->is_repeated = strset_has(message->distinct, distinct_key(message, recipient->address));
    recipient->is_exempt = settings_is_exempt(message->settings, recipient->address);
    recipient->verdict = (struct verdict){.phase = PHASE_RCPT};
    return recipient;
}

const char *message_join_parameters(struct message *message, char *const *parameters)
{
    const char *text = NULL;
    for (; *parameters; parameters++)
        text = text ? arena_printf(message->arena, "%s %s", text, *parameters)
                    : arena_strdup(message->arena, *parameters);
    return text;
}

void message_accept_rcpt(struct message *message, struct recipient *recipient)
{
    message->standing_count++;
    if (strset_add(message->distinct, distinct_key(message, recipient->address)))
        message->distinct_count++;
}

static int keep(struct message *message, struct span bytes)
{
    if (message->error || !message->keeps_content)
        return message->error;
    switch (content_append(message->content, bytes)) {
    case CONTENT_TOO_LARGE:
        message->error = MESSAGE_TOO_LARGE;
        break;
    case CONTENT_NO_SPACE:
        message->error = MESSAGE_NO_SPACE;
        message->saved_errno = errno;
        break;
    }
    return message->error;
}

/* VALUE with each bare LF made CRLF: libmilter hands folds over as LF. */
static struct span with_crlf(struct arena *arena, struct span value)
{
    size_t bare = 0;
    for (size_t i = 0; i < value.len; i++)
        bare += value.ptr[i] == '\n' && (i == 0 || value.ptr[i - 1] != '\r');
    char *copy = arena_alloc(arena, value.len + bare + 1), *to = copy;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\n' && (i == 0 || value.ptr[i - 1] != '\r'))
            *to++ = '\r';
        *to++ = value.ptr[i];
    }
    return (struct span){copy, (size_t)(to - copy)};
}

int message_add_header(struct message *message, struct span name, struct span value)
{
    if (message->error || !message->keeps_header)
        return message->error;
    message->header_bytes += name.len + value.len + 3;
    uint64_t limit = message->settings->message->max_header;
    if ((limit && message->header_bytes > limit) || message->header_count >= HEADER_FIELDS_MAX)
        return message->error = MESSAGE_HEADER_TOO_LARGE;
    message->headers = arena_grow(message->arena, message->headers, &message->header_capacity,
                                  message->header_count + 1, sizeof *message->headers);
    struct header_field *field = &message->headers[message->header_count++];
    field->name = (struct span){arena_spandup(message->arena, name), name.len};
    field->value = with_crlf(message->arena, value);
    keep(message, field->name);
    keep(message, span_of(":"));
    keep(message, field->value);
    return keep(message, span_of("\r\n"));
}

int message_end_header(struct message *message)
{
    if (message->header_is_over)
        return message->error;
    message->header_is_over = true;
    return keep(message, span_of("\r\n"));
}

int message_add_body(struct message *message, struct span bytes)
{
    message_end_header(message);
    return keep(message, bytes);
}

struct dns_part message_dns_part(const struct message *message, unsigned percent)
{
    const struct dns_settings *dns = message->settings->dns;
    struct dns_part part = {.budget = *message->dns_budget};
    unsigned kept = (unsigned)dns->message_queries * percent / 100;
    part.budget.deadline_us -= dns->message_budget * 1000 * percent / 100;
    part.budget.queries_left -= kept < part.budget.queries_left ? kept : part.budget.queries_left;
    part.given = part.budget.queries_left;
    return part;
}

void message_dns_settle(const struct message *message, const struct dns_part *part)
{
    message->dns_budget->queries_left -= part->given - part->budget.queries_left;
}

const struct header_field *message_header(const struct message *message, const char *name, size_t n)
{
    for (size_t i = 0; i < message->header_count; i++) {
        if (span_equals_nocase(message->headers[i].name, name) && n-- == 0)
            return &message->headers[i];
    }
    return NULL;
}
