/*
 * message_file - a message from a file, fed into a struct message as an MTA would feed it.
 */
#ifndef POSTERN_CTL_MESSAGE_FILE_H
#define POSTERN_CTL_MESSAGE_FILE_H

#include "core/message.h"
#include <stdio.h>

/* The header, up to the empty line or to the first line that is no header. LF and CRLF are the same; a first line
 * "From " of an mbox is skipped. *REST is what was read too far (malloc'ed, NULL if nothing), for the body. 0, or -1
 * with errno. */
int message_file_header(FILE *in, struct message *message, char **rest, size_t *rest_len);

/* Who takes the body. */
struct message_file_sink {
    void (*add)(void *context, struct span bytes);
    bool (*is_enough)(void *context); /* no more is wanted */
    void *context;
};

/* REST (freed) and what follows, every line ended by CRLF, piece by piece to SINK. */
int message_file_body(FILE *in, char *rest, size_t rest_len, const struct message_file_sink *sink);

#endif
