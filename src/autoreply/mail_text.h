/*
 * mail_text - UTF-8 text written so that it can travel as mail: header words (RFC 2047), quoted-printable and base64
 * bodies (RFC 2045). Private to autoreply/. THREADS: any.
 */
#ifndef POSTERN_AUTOREPLY_MAIL_TEXT_H
#define POSTERN_AUTOREPLY_MAIL_TEXT_H

#include "util/arena.h"
#include "util/span.h"
#include "util/strbuf.h"

#define MAIL_TEXT_LINE 76 /* octets of a line where words allow: RFC 2045 6.7, RFC 2047 2 */

/* True if TEXT is UTF-8 without NUL; IS_LINE: and without any control character or line separator. */
bool mail_text_is_utf8(struct span text);
bool mail_text_is_line(struct span text);

bool mail_text_is_ascii(const char *text);

/* Any bytes as one line of UTF-8: what is no UTF-8 becomes U+FFFD, runs of white space and control characters one
 * blank; at most MAX octets, cut between characters, then "..." (within MAX). On ARENA. */
const char *mail_text_clean(struct arena *arena, struct span bytes, size_t max);

/* TEXT (a line of UTF-8) behind "NAME: ", of which COLUMN octets are written: ASCII as it is, folded at blanks; else,
 * or if it would be taken for one, as encoded-words. Returns the column behind it. */
size_t mail_text_add_unstructured(struct strbuf *out, size_t column, const char *text);

/* The same for a display name (RFC 5322 phrase): quoted where it must be. */
size_t mail_text_add_phrase(struct strbuf *out, size_t column, const char *text);

/* TEXT (UTF-8 with LF lines) as a body of CRLF lines, the last one ended, and the Content-Transfer-Encoding that was
 * chosen: 7bit for short lines of ASCII, base64 where a third or more of the octets is not ASCII, else
 * quoted-printable. */
const char *mail_text_add_body(struct strbuf *out, const char *text);
const char *mail_text_body_encoding(const char *text); /* which that will be */

#endif
