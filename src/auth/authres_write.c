/*
 * authres_write - what goes out is composed of words of ours and of values, and every value goes through add_value():
 * printable ASCII only, quoted unless it is a token (RFC 2045 5.1) or an address, cut at VALUE_MAX octets. So no
 * value can hold a line end, a semicolon or a quote that somebody would read as ours.
 *
 * The field is folded before a property that would make the line longer than 78 octets; a value is never split.
 */
#include "auth/authres.h"
#include "util/strbuf.h"
#include <ctype.h>

#define LINE_LIMIT 78 /* octets we aim at (RFC 5322 2.1.1) */
#define VALUE_MAX 300 /* octets of one value, quotes not counted; the longest domain name has 253 */
#define FIELD_MAX 32768 /* 16 signatures with the longest of names and reasons */

struct writer {
    struct strbuf out;
    size_t line; /* octets in the current line */
};

static void add(struct writer *writer, const char *text)
{
    strbuf_puts(&writer->out, text);
    writer->line += strlen(text);
}

/* TEXT as the next word: behind a blank, or on a new line if the current one would grow too long. */
static void add_word(struct writer *writer, const char *text)
{
    if (writer->line + 1 + strlen(text) > LINE_LIMIT) {
        strbuf_puts(&writer->out, "\n\t");
        writer->line = 8;
    } else {
        strbuf_putc(&writer->out, ' ');
        writer->line++;
    }
    add(writer, text);
}

static bool is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= 0x20 || c >= 0x7f || strchr("()<>@,;:\\\"/[]?=", c))
            return false;
    }
    return len > 0;
}

/* token, or [token]@token */
static bool is_bare(const char *text)
{
    size_t len = strlen(text);
    const char *at = strchr(text, '@');
    if (!at)
        return is_token(text, len);
    size_t local = (size_t)(at - text);
    return (local == 0 || is_token(text, local)) && is_token(at + 1, len - local - 1);
}

static void append_value(struct strbuf *out, const char *value)
{
    char text[VALUE_MAX + 1];
    size_t len = 0;
    for (; *value && len < VALUE_MAX; value++)
        text[len++] = *value >= 0x20 && *value <= 0x7e ? *value : '?';
    text[len] = '\0';
    if (is_bare(text)) {
        strbuf_puts(out, text);
        return;
    }
    strbuf_putc(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            strbuf_putc(out, '\\');
        strbuf_putc(out, text[i]);
    }
    strbuf_putc(out, '"');
}

/* NAME=VALUE as the next word; nothing if there is no value. */
static void add_property(struct writer *writer, const char *name, const char *value)
{
    struct strbuf word;
    if (!value || !*value)
        return;
    strbuf_init(&word, 1024);
    strbuf_puts(&word, name);
    strbuf_putc(&word, '=');
    append_value(&word, value);
    add_word(writer, strbuf_text(&word));
    strbuf_free(&word);
}

static void writer_begin(struct writer *writer, const char *field, const char *id)
{
    strbuf_init(&writer->out, FIELD_MAX);
    writer->line = strlen(field) + 2;
    if (id) {
        append_value(&writer->out, id);
        writer->line += writer->out.len;
    }
}

static const char *writer_end(struct writer *writer, struct arena *arena)
{
    const char *text = arena_strdup(arena, strbuf_text(&writer->out));
    strbuf_free(&writer->out);
    return text;
}

/* Each method begins a line of its own. */
static void begin_result(struct writer *writer, const char *method, enum auth_result result, const char *reason)
{
    add(writer, ";\n\t");
    writer->line = 8;
    add(writer, method);
    add(writer, "=");
    add(writer, auth_result_name(result));
    if (result != AUTH_PASS)
        add_property(writer, "reason", reason);
}

/* One result for each identity that was evaluated (RFC 8601 2.7.2), the one that decides first. */
static void write_spf(struct writer *writer, const struct auth_spf *spf)
{
    const char *helo = spf->helo_domain ? spf->helo_domain : spf->is_helo ? spf->domain : NULL;
    const char *mailfrom = spf->mailfrom_domain ? spf->mailfrom_domain : spf->is_helo ? NULL : spf->domain;
    const char *other = spf->is_helo ? mailfrom : helo;
    begin_result(writer, "spf", spf->result, spf->reason);
    add_property(writer, spf->is_helo ? "smtp.helo" : "smtp.mailfrom", spf->is_helo ? helo : mailfrom);
    if (other && *other) {
        begin_result(writer, "spf", spf->is_helo ? spf->mailfrom_result : spf->helo_result, NULL);
        add_property(writer, spf->is_helo ? "smtp.mailfrom" : "smtp.helo", other);
    }
}

static void write_dkim(struct writer *writer, const struct auth_dkim *dkim)
{
    if (dkim->count == 0)
        begin_result(writer, "dkim", AUTH_NONE, NULL);
    for (size_t i = 0; i < dkim->count; i++) {
        const struct auth_dkim_signature *signature = &dkim->signatures[i];
        begin_result(writer, "dkim", signature->result, signature->reason);
        add_property(writer, "header.d", signature->domain);
        if (signature->domain && *signature->domain) {
            add_property(writer, "header.i", signature->identity);
            add_property(writer, "header.s", signature->selector);
        }
        add_property(writer, "header.a", signature->algorithm);
        add_property(writer, "header.b", signature->b);
        if (signature->result == AUTH_PASS && signature->is_partial && !signature->counts)
            add_property(writer, AUTHRES_UNSIGNED, "yes");
    }
}

static void write_dmarc(struct writer *writer, const struct auth_dmarc *dmarc)
{
    begin_result(writer, "dmarc", dmarc->result, dmarc->reason);
    add_property(writer, "header.from", dmarc->author_domain);
    if (dmarc->result == AUTH_PASS || dmarc->result == AUTH_FAIL)
        add_property(writer, "policy.dmarc", auth_policy_name(dmarc->effective));
}

const char *authres_write(struct arena *arena, const char *id, const struct auth_spf *spf, const struct auth_dkim *dkim,
                          const struct auth_dmarc *dmarc)
{
    struct writer writer;
    writer_begin(&writer, AUTHRES_HEADER, id);
    if (!spf && !dkim && !dmarc)
        add(&writer, "; none");
    if (spf)
        write_spf(&writer, spf);
    if (dkim)
        write_dkim(&writer, dkim);
    if (dmarc)
        write_dmarc(&writer, dmarc);
    return writer_end(&writer, arena);
}

/* "key=value;", of which the last has no semicolon. */
static void add_key(struct writer *writer, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    add(writer, ";");
    add_property(writer, key, value);
}

const char *authres_write_received_spf(struct arena *arena, const char *id, const struct auth_spf *spf,
                                       const struct netaddr *client, const char *reverse_path, const char *helo)
{
    struct writer writer;
    char address[NETADDR_TEXT_SIZE];
    writer_begin(&writer, "Received-SPF", NULL);
    add(&writer, auth_result_name(spf->result));
    add_property(&writer, "identity", spf->is_helo ? "helo" : "mailfrom");
    add_key(&writer, "client-ip", netaddr_format(client, address));
    add_key(&writer, "envelope-from", reverse_path);
    add_key(&writer, "helo", helo);
    add_key(&writer, "receiver", id);
    add_key(&writer, "problem", spf->result == AUTH_PASS ? NULL : spf->reason);
    return writer_end(&writer, arena);
}
