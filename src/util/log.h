/*
 * log - where Postern tells what it did: syslog, stderr or the journal, as key=value or as JSON.
 *
 * One process-wide log, because syslog is one. Before log_open() everything goes to stderr as plain text.
 * THREADS: log_open() before any; the rest from all. A line is written in one piece.
 * ERRORS: none reported; a log that cannot be written must not stop mail. What the journal does not take goes to
 * stderr. Bytes from clients are escaped: a value never ends its line, its quotes, or the field it stands in.
 */
#ifndef POSTERN_UTIL_LOG_H
#define POSTERN_UTIL_LOG_H

#include "util/span.h"
#include "util/strbuf.h"
#include <stdint.h>

enum log_target { LOG_TO_STDERR, LOG_TO_SYSLOG, LOG_TO_JOURNAL };
enum log_format { LOG_AS_KV, LOG_AS_JSON };
/* Ordered: a line is written if its level is at most the configured one. */
enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG };

struct log_options {
    const char *ident; /* "postern"; kept, not copied */
    enum log_target target;
    enum log_format format;
    enum log_level level;
    int facility; /* LOG_MAIL ... of syslog.h */
};

void log_open(const struct log_options *options);
bool log_wants(enum log_level level);

/* A free text: msg="..." */
void log_text(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A field of an event. A NULL text is left out; IS_NUMBER fields are bare numbers in both formats. */
struct log_field {
    const char *key;
    struct span text;
    int64_t number;
    bool is_number;
};

#define LOG_SPAN(key, span) ((struct log_field){(key), (span), 0, false})
#define LOG_STRING(key, string) ((struct log_field){(key), span_of(string), 0, false})
#define LOG_NUMBER(key, n) ((struct log_field){(key), {NULL, 0}, (n), true})

/* One line: event=EVENT and the fields in their order. */
void log_event(enum log_level level, const char *event, const struct log_field *fields, size_t count);

/* What log_event() would write, without level and time; for tests and for other rooms that print fields. */
void log_render(struct strbuf *out, enum log_format format, const char *event, const struct log_field *fields,
                size_t count);

#endif
