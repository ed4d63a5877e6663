/*
 * utf8 - bytes that may be UTF-8 (RFC 3629). THREADS: plain functions.
 */
#ifndef POSTERN_UTIL_UTF8_H
#define POSTERN_UTIL_UTF8_H

#include "util/span.h"
#include "util/strbuf.h"
#include <stdint.h>

/* The length of the character that BYTES begin with; 0 if it is none (overlong forms and surrogates are none), or if
 * there is nothing. */
size_t utf8_length(struct span bytes);

/* The same, and *CODE is that character. */
size_t utf8_decode(struct span bytes, uint32_t *code);

/* Adds BYTES; each byte that is no UTF-8, and each control character (C0, DEL, C1), becomes '?'. For the terminal. */
void utf8_add_clean(struct strbuf *out, struct span bytes);

#endif
