/*
 * nondelivery - three parts: a text for people, the fields for programs, the header of what was not delivered.
 *
 * Everything in it that is not ours (addresses, the MTA's replies, the header) is cut to lines that cannot end the part
 * they stand in: the boundary is random, and controls become "?".
 *
 * What this does not do: report delays or successes; the MTA that has taken a copy reports by itself.
 */
#include "srs/nondelivery.h"
#include "srs/copies.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/strbuf.h"
#include <inttypes.h>
#include <openssl/rand.h>
#include <string.h>
#include <strings.h>

#define REPORT_MOST (256 << 10) /* bytes: SPOOL_HEADER_MAX and what is said of a thousand recipients */
#define REFUSED_SHOWN 200
#define LINE_MOST 900

struct failed { /* of whom the sender is to hear */
    const struct spool_refused *const *items;
    size_t count, shown; /* SHOWN: so many are named */
};

/* One line of UTF-8 or ASCII: no controls. */
static void add_line(struct strbuf *out, const char *prefix, const char *text)
{
    strbuf_puts(out, prefix);
    size_t len = 0;
    for (; *text && len < LINE_MOST; text++, len++)
        strbuf_putc(out, (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
    strbuf_puts(out, "\r\n");
}

static void add_date(struct strbuf *out, const char *name, int64_t at)
{
    char date[CLOCK_MAIL_SIZE];
    strbuf_printf(out, "%s: %s\r\n", name, clock_format_mail(at, 0, date));
}

/* The value of NAME= among PARAMETERS, on ARENA; NULL: it is not there. */
static const char *value_of(struct arena *arena, const char *parameters, const char *name)
{
    char *rest = NULL, *copy = arena_strdup(arena, parameters);
    for (char *word = copy ? strtok_r(copy, " ", &rest) : NULL; word; word = strtok_r(NULL, " ", &rest)) {
        if (strncasecmp(word, name, strlen(name)) == 0 && word[strlen(name)] == '=')
            return word + strlen(name) + 1;
    }
    return NULL;
}

static bool wants_report(struct arena *arena, const struct spool_refused *refused)
{
    const char *notify = value_of(arena, refused->parameters, "NOTIFY");
    return refused->end != SPOOL_DELETED && (!notify || strcasestr(notify, "FAILURE"));
}

static struct failed find_failed(struct arena *arena, const struct spool_left *left)
{
    const struct spool_refused **items = ARENA_ARRAY(arena, const struct spool_refused *, left->refused_count);
    size_t count = 0;
    for (size_t i = 0; i < left->refused_count; i++) {
        if (wants_report(arena, &left->refused[i]))
            items[count++] = &left->refused[i];
    }
    return (struct failed){items, count, count < REFUSED_SHOWN ? count : REFUSED_SHOWN};
}

/* The enhanced status code of a reply "550 5.1.1 text", or what fits the end. */
static void add_status(struct strbuf *out, const struct spool_refused *refused)
{
    unsigned class, subject, detail;
    if (refused->end == SPOOL_GIVEN_UP)
        strbuf_puts(out, "Status: 4.4.7\r\n"); /* delivery time expired */
    else if (refused->reply && sscanf(refused->reply, "%*3u%*1[ -]%1u.%3u.%3u", &class, &subject, &detail) == 3)
        strbuf_printf(out, "Status: %u.%u.%u\r\n", class, subject, detail);
    else
        strbuf_puts(out, "Status: 5.0.0\r\n");
}

static void add_people_part(struct strbuf *out, const struct failed *failed, const char *hostname)
{
    strbuf_printf(out, "This is the mail system at host %s.\r\n\r\n", hostname);
    strbuf_puts(out, "Your message was to be forwarded, and could not be delivered to:\r\n\r\n");
    for (size_t i = 0; i < failed->shown; i++) {
        const struct spool_refused *refused = failed->items[i];
        add_line(out, "  ", refused->forward_path);
        add_line(out, "    ", refused->reply ? refused->reply : "it could not be tried in time");
    }
    if (failed->count > failed->shown)
        strbuf_printf(out, "  and %zu more\r\n", failed->count - failed->shown);
    strbuf_puts(out, "\r\n");
}

static void add_program_part(struct strbuf *out, struct arena *arena, const struct spool_left *left,
                             const struct failed *failed, const char *hostname)
{
    const char *envid = value_of(arena, left->mail_parameters, "ENVID");
    strbuf_printf(out, "Reporting-MTA: dns; %s\r\n", hostname);
    if (envid)
        add_line(out, "Original-Envelope-Id: ", envid);
    add_date(out, "Arrival-Date", left->added);
    for (size_t i = 0; i < failed->shown; i++) {
        const struct spool_refused *refused = failed->items[i];
        const char *orcpt = value_of(arena, refused->parameters, "ORCPT");
        strbuf_puts(out, "\r\n");
        if (orcpt)
            add_line(out, "Original-Recipient: ", orcpt);
        add_line(out, "Final-Recipient: rfc822; ", refused->forward_path);
        strbuf_puts(out, "Action: failed\r\n");
        add_status(out, refused);
        if (refused->reply)
            add_line(out, "Diagnostic-Code: smtp; ", refused->reply);
    }
}

/* What the sender wrote, as it was; a NUL would not travel. */
static void add_header_part(struct strbuf *out, struct span header)
{
    for (size_t i = 0; i < header.len; i++)
        strbuf_putc(out, header.ptr[i] ? header.ptr[i] : '?');
}

static bool is_ascii(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    }
    return true;
}

static bool are_ascii(const struct spool_left *left)
{
    bool ascii = is_ascii(left->header);
    for (size_t i = 0; i < left->refused_count && ascii; i++)
        ascii = is_ascii(span_of(left->refused[i].forward_path)) &&
                (!left->refused[i].reply || is_ascii(span_of(left->refused[i].reply)));
    return ascii;
}

static void add_head(struct strbuf *out, const struct spool_left *left, const char *to, const char *hostname,
                     const char *boundary, const char *encoding)
{
    strbuf_printf(out, "From: Mail Delivery System <MAILER-DAEMON@%s>\r\n", hostname);
    add_line(out, "To: ", to);
    strbuf_puts(out, "Subject: Undelivered mail: it could not be forwarded\r\n");
    add_date(out, "Date", left->now);
    strbuf_printf(out, "Message-ID: <report.%" PRId64 ".%s@%s>\r\n", left->id, boundary, hostname);
    strbuf_puts(out, "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n");
    strbuf_printf(out,
                  "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"%s\"\r\n"
                  "Content-Transfer-Encoding: %s\r\n\r\n",
                  boundary, encoding);
}

static void begin_part(struct strbuf *out, const char *boundary, const char *type, const char *encoding)
{
    strbuf_printf(out, "%s--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n", out->len ? "\r\n" : "",
                  boundary, type, encoding);
}

struct span nondelivery_compose(struct arena *arena, const struct spool_left *left, const char *to,
                                const char *hostname, bool *needs_utf8)
{
    unsigned char random[12];
    char boundary[sizeof random * 2 + 1];
    const struct failed failed = find_failed(arena, left);
    if (!to || !*to || failed.count == 0)
        return (struct span){NULL, 0};
    if (RAND_bytes(random, sizeof random) != 1)
        abort();
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(boundary + 2 * i, 3, "%02x", random[i]);
    bool ascii = are_ascii(left);
    const char *encoding = ascii ? "7bit" : "8bit"; /* RFC 3464 2.1: message/delivery-status is 7bit */
    struct strbuf out;
    strbuf_init(&out, REPORT_MOST);
    add_head(&out, left, to, hostname, boundary, encoding);
    begin_part(&out, boundary, "text/plain; charset=utf-8", encoding);
    add_people_part(&out, &failed, hostname);
    begin_part(&out, boundary, ascii ? "message/delivery-status" : "message/global-delivery-status", encoding);
    add_program_part(&out, arena, left, &failed, hostname);
    if (left->header.len) {
        begin_part(&out, boundary, ascii ? "text/rfc822-headers" : "message/global-headers", encoding);
        add_header_part(&out, left->header);
    }
    /* The last boundary has its place even if a limit cut the rest. */
    const char *report = arena_printf(arena, "%s\r\n--%s--\r\n", strbuf_text(&out), boundary);
    strbuf_free(&out);
    *needs_utf8 = !is_ascii(span_of(to));
    return span_of(report);
}

bool nondelivery_after(void *context, const struct spool_left *left)
{
    const struct forwarding *forwarding = context;
    struct arena *arena = arena_create(4096);
    bool needs_utf8 = false, is_done = true;
    int64_t id = 0;
    const char *to = left->memo, *original;
    /* One who was rewritten by us before: the report goes out by a port where nobody undoes that. */
    if (to && forwarding_is_ours(forwarding, to) &&
        srs_reverse(forwarding->srs, arena, to, left->now, &original) == SRS_OK)
        to = original;
    const char *hostname = forwarding->settings->hostname;
    struct span report = nondelivery_compose(arena, left, to, hostname, &needs_utf8);
    if (report.ptr) {
        /* Who is here may be an alias, which the port for copies does not expand. */
        const char *submit = forwarding_is_local(forwarding, to) ? NULL : forwarding->options->submit;
        const struct spool_message message = {.kind = NONDELIVERY_KIND,
                                              .submit = submit,
                                              .reverse_path = "",
                                              .forward_paths = &to,
                                              .forward_path_count = 1,
                                              .rcpt_parameters = "NOTIFY=NEVER",
                                              .needs_smtputf8 = needs_utf8,
                                              .is_beyond_limits = true,
                                              .content = report};
        is_done = spool_add(forwarding->state->spool, &message, left->now, &id) == SPOOL_OK;
        if (!is_done && left->is_last)
            log_text(LEVEL_ERROR, "spool %lld: the report to <%s> that %zu recipients were not reached is lost",
                     (long long)left->id, to, left->refused_count);
    }
    arena_destroy(arena);
    return is_done;
}
