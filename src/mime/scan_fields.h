/*
 * scan_fields - what the Content-* fields of a part say, all of them, however often each is there. Private to mime/.
 *
 * OWNS: fields are the caller's, to be given to scan_free_fields(). THREADS: any, one at a time for a part.
 * ERRORS: none; what cannot be read is not there.
 */
#ifndef POSTERN_MIME_SCAN_FIELDS_H
#define POSTERN_MIME_SCAN_FIELDS_H

#include "mime/names.h"
#include "mime/outline.h"
#include "util/strbuf.h"
#include <gmime/gmime.h>

struct fields {
    struct names names;
    struct strbuf types;               /* the values of all Content-Type fields, each ended by NUL */
    bool base64, quoted, uu, identity; /* encodings that any Content-Transfer-Encoding names */
};

void scan_read_fields(const struct outline *outline, GMimeObject *object, struct fields *fields);

/* Of a message that is one text, which GMime is not asked about. */
void scan_read_text_fields(const struct outline *outline, struct fields *fields);

void scan_free_fields(struct fields *fields);

/* Does one of the Content-Type fields begin with TYPE? */
bool scan_is_type(const struct fields *fields, const char *type);

/* Of a message the encoding is not to be believed: RFC 2046 section 5.2.1 has none, and many programs ask for none. */
bool scan_is_a_message(const struct fields *fields);

#endif
