/*
 * header_text - pieces of structured header fields (RFC 5322 3.2): blanks, comments, quoted strings, words.
 * Private to autoreply/. THREADS: any; values are bytes and may hold anything.
 */
#ifndef POSTERN_AUTOREPLY_HEADER_TEXT_H
#define POSTERN_AUTOREPLY_HEADER_TEXT_H

#include "core/message.h"
#include "util/span.h"

bool header_is_blank(char c); /* SP, HTAB, CR, LF */

/* Behind the comment or quoted string that begins at P; NULL: it has no end. */
const char *header_comment_end(const char *p, const char *end);
const char *header_quoted_end(const char *p, const char *end);

/* Steps over blanks and comments. False if a comment has no end (then *P is the end). */
bool header_skip(const char **p, const char *end);

/* The bytes up to a blank, a comment, one of STOPS or the end; *P goes behind them. */
struct span header_word(const char **p, const char *end, const char *stops);

/* The next word as programs mean it that write what the grammar does not have: without quotes around it, and up to a NUL.
 * STOPS must have the quote among them. */
struct span header_keyword(const char **p, const char *end, const char *stops);

/* Does FIELD have this name? A name may have blanks behind it (RFC 5322 4.5). */
bool header_is(const struct header_field *field, const char *name);

/* The next field of NAME at or behind *AT, which goes behind it; NULL: there is none. */
const struct header_field *header_next(const struct header_field *headers, size_t count, const char *name, size_t *at);

/* VALUE without folds and control characters, white space trimmed and each run of it one blank, at most MAX octets and
 * "...", all printable ASCII ('?' for the rest). On ARENA. */
const char *header_show(struct arena *arena, struct span value, size_t max);

#endif
