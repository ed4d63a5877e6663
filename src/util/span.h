/*
 * span - bytes that belong to somebody else: a pointer and a length.
 *
 * Untrusted input travels as spans, because it may hold NUL and because nothing may assume that it ends.
 * OWNS: nothing; a span is valid as long as what it points into. THREADS: plain values.
 */
#ifndef POSTERN_UTIL_SPAN_H
#define POSTERN_UTIL_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct span {
    const char *ptr;
    size_t len;
};

static inline struct span span_of(const char *string)
{
    return (struct span){string, string ? strlen(string) : 0};
}

static inline bool span_equals(struct span a, const char *string)
{
    size_t len = strlen(string);
    return a.len == len && (len == 0 || memcmp(a.ptr, string, len) == 0);
}

/* ASCII letters compare without case, whatever the locale. */
static inline bool span_equals_nocase(struct span a, const char *string)
{
    size_t len = strlen(string);
    return a.len == len && (len == 0 || strncasecmp(a.ptr, string, len) == 0);
}

/* Without the white space (SP, HTAB, CR, LF) around it. */
static inline struct span span_trim(struct span a)
{
    while (a.len > 0 && strchr(" \t\r\n", a.ptr[0]) && a.ptr[0]) {
        a.ptr++;
        a.len--;
    }
    while (a.len > 0 && strchr(" \t\r\n", a.ptr[a.len - 1]) && a.ptr[a.len - 1])
        a.len--;
    return a;
}

#endif
