/*
 * tnef - the attachments in a winmail.dat (MS-OXTNEF). Private to mime/.
 *
 * THREADS: any. Memory: bounded, whatever the lengths in the file say.
 */
#ifndef POSTERN_MIME_TNEF_H
#define POSTERN_MIME_TNEF_H

#include "util/span.h"
#include <stdint.h>

struct tnef_visitor {
    void *context;
    /* A name of the attachment under way, in UTF-8 or as it was. Not 0 stops. */
    int (*name)(void *context, struct span name);
    /* The attachment's data: LEN bytes at OFFSET of the file. Not 0 stops. */
    int (*data)(void *context, uint64_t offset, uint64_t len);
    /* A new attachment begins; names and data that follow are of it. */
    void (*attachment)(void *context);
};

enum tnef_status { TNEF_DONE, TNEF_NONE, TNEF_DAMAGED, TNEF_STOPPED };

bool tnef_is_likely(const char *head, size_t len);

/* Reads LEN bytes at OFFSET of FD. */
enum tnef_status tnef_read(int fd, uint64_t offset, uint64_t len, const struct tnef_visitor *visitor);

#endif
