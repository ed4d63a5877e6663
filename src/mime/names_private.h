/*
 * names_private - what the files names*.c share: values made readable, and the pieces of continuations.
 */
#ifndef POSTERN_MIME_NAMES_PRIVATE_H
#define POSTERN_MIME_NAMES_PRIVATE_H

#include "mime/names.h"
#include "mime/params.h"

/* Adds TEXT as it is, with its RFC 2047 words decoded, with its percents decoded. */
void names_add_text(struct names *names, struct span text);

/* Adds TEXT and frees it. */
void names_add_buf(struct names *names, struct strbuf *text);

/* Copies VALUE without line ends; with UNESCAPE without backslashes; with SQUEEZE without the blanks of a fold. */
struct strbuf names_unfold(struct span value, bool unescape, bool squeeze);

/* Appends TEXT to TO with each %HH decoded. */
void names_percent_decode(struct strbuf *to, struct span text);

/* "charset'language'text": returns the charset and leaves the text; "" if TEXT is none of it. */
struct span names_take_charset(struct span *text);

/* Keeps a continuation for names_join(). FILENAME: of filename, not of name. */
void names_keep_piece(struct names *names, const struct param *param, bool filename);

void names_pieces_free(struct names *names);

#endif
