/*
 * log - render once, hand over once.
 *
 * key=value: a value stands bare if it is made of harmless characters, else in double quotes with \" \\ \n \r \t and
 * \xHH for every other byte outside printable ASCII, so that a line can be cut by machine and read by eye. JSON:
 * valid UTF-8 passes, every other byte becomes \u00HH. The renderer is ours and not cJSON's because a log line must
 * survive bytes that are no UTF-8.
 *
 * Every value is cut at VALUE_LIMIT, so that a client with a long name cannot push the verdict off the end of the line.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "util/log.h"
#include "util/utf8.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_LIBSYSTEMD
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>
#endif

#define LINE_LIMIT 16384 /* bytes; syslogd cuts at 8 kB or so, the journal does not */
#define VALUE_LIMIT 2300 /* rendered bytes a value; a line has at most five that a client can make as long as it likes */
#define CUT "..."        /* ends a value that was longer */

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static struct log_options current = {"postern", LOG_TO_STDERR, LOG_AS_KV, LEVEL_INFO, LOG_MAIL};

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

void log_open(const struct log_options *options)
{
    current = *options;
    if (current.target == LOG_TO_SYSLOG)
        openlog(current.ident, LOG_PID | LOG_NDELAY, current.facility);
}

bool log_wants(enum log_level level)
{
    return level <= current.level;
}

static void add_json_string(struct strbuf *out, struct span text)
{
    strbuf_putc(out, '"');
    for (size_t i = 0, start = out->len; i < text.len;) {
        if (out->len - start > VALUE_LIMIT) {
            strbuf_puts(out, CUT);
            break;
        }
        const unsigned char *p = (const unsigned char *)text.ptr + i;
        size_t n = utf8_length((struct span){text.ptr + i, text.len - i});
        if (*p == '"' || *p == '\\')
            strbuf_printf(out, "\\%c", *p);
        else if (n == 0 || *p < 0x20 || *p == 0x7f)
            strbuf_printf(out, "\\u%04x", *p);
        else
            strbuf_add(out, (struct span){text.ptr + i, n});
        i += n ? n : 1;
    }
    strbuf_putc(out, '"');
}

static bool is_bare(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return text.len > 0;
}

static void add_kv_string(struct strbuf *out, struct span text)
{
    if (text.len <= VALUE_LIMIT && is_bare(text)) {
        strbuf_add(out, text);
        return;
    }
    strbuf_putc(out, '"');
    for (size_t i = 0, start = out->len; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (out->len - start > VALUE_LIMIT) {
            strbuf_puts(out, CUT);
            break;
        }
        if (c == '"' || c == '\\')
            strbuf_printf(out, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t')
            strbuf_printf(out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else if (c < 0x20 || c >= 0x7f)
            strbuf_printf(out, "\\x%02x", c);
        else
            strbuf_putc(out, (char)c);
    }
    strbuf_putc(out, '"');
}

static void add_field(struct strbuf *out, enum log_format format, const struct log_field *field)
{
    if (!field->is_number && !field->text.ptr)
        return;
    bool json = format == LOG_AS_JSON;
    if (out->len > json)
        strbuf_puts(out, json ? "," : " ");
    strbuf_puts(out, json ? "\"" : "");
    strbuf_puts(out, field->key);
    strbuf_puts(out, json ? "\":" : "=");
    if (field->is_number)
        strbuf_printf(out, "%lld", (long long)field->number);
    else if (json)
        add_json_string(out, field->text);
    else
        add_kv_string(out, field->text);
}

void log_render(struct strbuf *out, enum log_format format, const char *event, const struct log_field *fields,
                size_t count)
{
    struct log_field first = LOG_STRING("event", event);
    if (format == LOG_AS_JSON)
        strbuf_putc(out, '{');
    add_field(out, format, &first);
    for (size_t i = 0; i < count; i++)
        add_field(out, format, &fields[i]);
    if (format == LOG_AS_JSON)
        strbuf_putc(out, '}');
}

static void to_stderr(enum log_level level, const char *line)
{
    char stamp[32] = "";
    struct tm tm;
    time_t now = time(NULL);
    if (localtime_r(&now, &tm))
        strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S%z", &tm);
    struct strbuf text;
    strbuf_init(&text, LINE_LIMIT + 128);
    strbuf_printf(&text, "%s %s[%d] %s: %s\n", stamp, current.ident, (int)getpid(), level_names[level], line);
    ssize_t written = write(STDERR_FILENO, text.ptr, text.len);
    (void)written;
    strbuf_free(&text);
}

#ifdef HAVE_LIBSYSTEMD
/* 0, or -1: the journal did not take it. Where there is no journal sd_journal_sendv() says nothing of it. */
static int to_journal(enum log_level level, const char *line, const struct log_field *fields, size_t count)
{
    struct iovec vec[40] = {{0}};
    struct strbuf texts[40];
    int n = 0;
    for (size_t i = 0; i < count + 3 && n < 40; i++) {
        strbuf_init(&texts[n], LINE_LIMIT);
        if (i == 0) {
            strbuf_printf(&texts[n], "MESSAGE=%s", line);
        } else if (i == 1) {
            strbuf_printf(&texts[n], "PRIORITY=%d", priorities[level]);
        } else if (i == 2) {
            strbuf_printf(&texts[n], "SYSLOG_IDENTIFIER=%s", current.ident);
        } else {
            const struct log_field *field = &fields[i - 3];
            if (!field->is_number && !field->text.ptr)
                continue;
            strbuf_puts(&texts[n], "POSTERN_");
            for (const char *k = field->key; *k; k++)
                strbuf_putc(&texts[n], isalnum((unsigned char)*k) ? (char)toupper((unsigned char)*k) : '_');
            strbuf_putc(&texts[n], '=');
            if (field->is_number)
                strbuf_printf(&texts[n], "%lld", (long long)field->number);
            else
                strbuf_add(&texts[n], field->text);
        }
        vec[n] = (struct iovec){texts[n].ptr, texts[n].len};
        n++;
    }
    int error = access(JOURNAL_SOCKET, F_OK) != 0 || sd_journal_sendv(vec, n) < 0;
    for (int i = 0; i < n; i++)
        strbuf_free(&texts[i]);
    return error ? -1 : 0;
}
#endif

static void put_line(enum log_level level, const char *line, const struct log_field *fields, size_t count)
{
    switch (current.target) {
    case LOG_TO_SYSLOG:
        syslog(priorities[level], "%s", line);
        return;
    case LOG_TO_JOURNAL:
#ifdef HAVE_LIBSYSTEMD
        if (to_journal(level, line, fields, count) == 0)
            return;
        break;
#endif
    case LOG_TO_STDERR:
        break;
    }
    (void)fields;
    (void)count;
    to_stderr(level, line);
}

void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
    if (!log_wants(level))
        return;
    struct strbuf line;
    strbuf_init(&line, LINE_LIMIT);
    log_render(&line, current.format, event, fields, count);
    put_line(level, strbuf_text(&line), fields, count);
    strbuf_free(&line);
}

void log_text(enum log_level level, const char *format, ...)
{
    if (!log_wants(level))
        return;
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (current.format == LOG_AS_KV) {
        put_line(level, text, NULL, 0);
        return;
    }
    struct log_field field = LOG_STRING("msg", text);
    log_event(level, "note", &field, 1);
}
