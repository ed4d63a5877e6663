/*
 * spool_lines - each parameter is sent only if the MTA offers its extension. What the MTA cannot take at all (over its
 * SIZE, internationalised without SMTPUTF8) is not asked for. Content with 8-bit bytes is announced where 8BITMIME is
 * offered and sent as it is where not, as MTAs do.
 */
#include "spool/spool_lines.h"
#include <strings.h>

#define GROUP_MAX 8192
#define AHEAD_MOST 20 /* recipients in one group of commands */

const char *spool_lines_unfit(const struct spool_mta *mta, const struct spool_delivery *delivery)
{
    if (delivery->needs_smtputf8 && !mta->offers.smtputf8)
        return "the MTA does not offer SMTPUTF8, which an address needs";
    if (mta->offers.size_limit && delivery->bytes > mta->offers.size_limit)
        return "the message is larger than the MTA's SIZE";
    return NULL;
}

static bool is_offered(const struct spool_mta *mta, struct span parameter)
{
    const char *equals = memchr(parameter.ptr, '=', parameter.len);
    struct span keyword = {parameter.ptr, equals ? (size_t)(equals - parameter.ptr) : parameter.len};
    static const char *const of_dsn[] = {"RET", "ENVID", "NOTIFY", "ORCPT"};
    for (size_t i = 0; i < sizeof of_dsn / sizeof *of_dsn; i++) {
        if (span_equals_nocase(keyword, of_dsn[i]))
            return mta->offers.dsn;
    }
    if (span_equals_nocase(keyword, "SIZE") || span_equals_nocase(keyword, "SMTPUTF8"))
        return false; /* spool_lines_mail() adds them itself */
    if (span_equals_nocase(keyword, "BODY"))
        return mta->offers.eightbit;
    return spool_reply_offers_keyword(&mta->hello, keyword);
}

/* True if one of them is NAME or NAME=... */
static bool add_parameters(const struct spool_mta *mta, struct strbuf *line, const char *parameters, const char *name)
{
    bool seen = false;
    for (const char *p = parameters ? parameters : ""; *p;) {
        size_t n = strcspn(p, " ");
        struct span one = {p, n};
        if (n > 0 && is_offered(mta, one)) {
            strbuf_putc(line, ' ');
            strbuf_add(line, one);
        }
        size_t len = strlen(name);
        seen = seen || (n >= len && strncasecmp(p, name, len) == 0 && (n == len || p[len] == '='));
        p += n + (p[n] == ' ');
    }
    return seen;
}

void spool_lines_mail(const struct spool_mta *mta, struct strbuf *line, const struct spool_delivery *delivery)
{
    strbuf_printf(line, "MAIL FROM:<%s>", delivery->reverse_path);
    bool has_body = add_parameters(mta, line, delivery->mail_parameters, "BODY");
    if (delivery->is_8bit && !has_body && mta->offers.eightbit)
        strbuf_puts(line, " BODY=8BITMIME");
    if (delivery->needs_smtputf8)
        strbuf_puts(line, " SMTPUTF8");
    if (mta->offers.size)
        strbuf_printf(line, " SIZE=%llu", (unsigned long long)delivery->bytes);
    strbuf_puts(line, "\r\n");
}

void spool_lines_rcpt(const struct spool_mta *mta, struct strbuf *line, const struct spool_recipient *recipient)
{
    strbuf_printf(line, "RCPT TO:<%s>", recipient->path);
    add_parameters(mta, line, recipient->parameters, "NOTIFY");
    strbuf_puts(line, "\r\n");
}

bool spool_lines_group(const struct spool_mta *mta, struct strbuf *lines, const struct spool_delivery *delivery)
{
    struct strbuf group;
    size_t count = 0;
    if (!mta->can_pipeline)
        return false;
    strbuf_init(&group, GROUP_MAX);
    spool_lines_mail(mta, &group, delivery);
    for (size_t i = 0; i < delivery->count && count <= AHEAD_MOST; i++) {
        if (delivery->recipients[i].fate == SPOOL_FATE_WAITING) {
            spool_lines_rcpt(mta, &group, &delivery->recipients[i]);
            count++;
        }
    }
    strbuf_puts(&group, "DATA\r\n");
    bool is_good = !group.truncated && count <= AHEAD_MOST;
    if (is_good)
        strbuf_add(lines, (struct span){group.ptr, group.len});
    strbuf_free(&group);
    return is_good;
}
