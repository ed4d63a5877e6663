/*
 * strbuf - a string under construction, with a limit.
 *
 * OWNS: a malloc'ed buffer; strbuf_free() or strbuf_take() ends it. THREADS: none inside.
 * ERRORS: past LIMIT bytes what is added is dropped and `truncated` is set; out of memory ends the process.
 */
#ifndef POSTERN_UTIL_STRBUF_H
#define POSTERN_UTIL_STRBUF_H

#include "util/span.h"
#include <stdbool.h>
#include <stddef.h>

struct strbuf {
    char *ptr; /* NUL-terminated once anything was added; NULL before */
    size_t len, capacity, limit;
    bool truncated;
};

/* LIMIT in bytes; 0 = 1 MiB. */
void strbuf_init(struct strbuf *buf, size_t limit);
void strbuf_free(struct strbuf *buf);

void strbuf_add(struct strbuf *buf, struct span bytes);
void strbuf_puts(struct strbuf *buf, const char *string);
void strbuf_putc(struct strbuf *buf, char c);
void strbuf_printf(struct strbuf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text so far, "" if none. */
const char *strbuf_text(const struct strbuf *buf);

/* Adds BYTES as printable ASCII: everything outside 0x20..0x7e becomes '?'. For what goes to an SMTP reply. */
void strbuf_add_printable(struct strbuf *buf, struct span bytes);

#endif
