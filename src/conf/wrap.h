/*
 * wrap - prose broken into lines, for the printers of this room.
 */
#ifndef POSTERN_CONF_WRAP_H
#define POSTERN_CONF_WRAP_H

#include <stdbool.h>
#include <stdio.h>

/* TEXT in lines of at most WIDTH columns, each with PREFIX before it. With SENTENCES each sentence begins a line, as
 * mdoc(7) wants it. ESCAPE writes one word; NULL = as it is. */
void wrap_print(FILE *out, const char *prefix, const char *text, size_t width, bool sentences,
                void (*escape)(FILE *out, const char *word, size_t len, bool first));

#endif
