/*
 * uuencode - files written into text: "begin 644 run.exe". Private to mime/.
 *
 * Fed with the text piece by piece. OWNS: its line buffer; uuencode_free(). THREADS: none inside.
 */
#ifndef POSTERN_MIME_UUENCODE_H
#define POSTERN_MIME_UUENCODE_H

#include "util/strbuf.h"
#include <stdint.h>

struct uuencode {
    void *context;
    void (*begin)(void *context, struct span name);
    void (*data)(void *context, struct span bytes); /* the file, decoded, in pieces */
    void (*end)(void *context);                     /* after the last piece, or at the end of the text */
    struct strbuf line;                             /* a line of which the end is still to come */
    bool inside, middle;                            /* in a file; in a line too long to be of interest */
    bool base64, yenc;
};

void uuencode_init(struct uuencode *uu);
void uuencode_feed(struct uuencode *uu, struct span text);
void uuencode_finish(struct uuencode *uu);
void uuencode_free(struct uuencode *uu);

#endif
