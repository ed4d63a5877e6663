/*
 * params - the parameters of Content-Type and Content-Disposition as lenient programs read them. Private to mime/.
 *
 * THREADS: any. Values are bytes of the header and may hold anything.
 */
#ifndef POSTERN_MIME_PARAMS_H
#define POSTERN_MIME_PARAMS_H

#include "util/span.h"
#include "util/strbuf.h"

struct param {
    struct span name; /* without what follows a '*'; as written */
    int index;        /* of a continuation (RFC 2231 section 3), -1 if it is none */
    bool encoded;     /* name ended in '*' (RFC 2231 section 4) */
    bool quoted;
    bool open;         /* quoted, and the closing quote is missing */
    struct span value; /* what stands between the quotes, escapes included, or up to the next ';' or line */
    struct span
        whole; /* of an unquoted value up to the next ';', lines included; of a quoted one with what follows it */
};

/* Calls VISIT for each parameter of the field value VALUE (after the colon, folded as it came); not 0 stops. */
void params_each(struct span value, int (*visit)(void *context, const struct param *param), void *context);

/* The same for programs that cut at each ';' before they look at quotes: charset="x; name="run.exe". */
void params_each_torn(struct span value, int (*visit)(void *context, const struct param *param), void *context);

/* Appends BYTES of CHARSET to TO as UTF-8; as they are if the charset is not known or does not fit. */
void text_to_utf8(struct strbuf *to, struct span charset, struct span bytes);

/* Appends TEXT with its RFC 2047 words decoded, inside of anything and with a missing end. False if it had none. */
bool text_decode_words(struct strbuf *to, struct span text);

#endif
