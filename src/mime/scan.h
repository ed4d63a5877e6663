/*
 * scan - everything in a message that a mail program might show or run as a file.
 *
 * GMime takes the message apart; every name that a recipient's program could believe is reported, not only the one
 * that the RFCs call right: filename, filename*, name, name*, continuations, RFC 2047 words inside parameters,
 * repeated and conflicting ones, Content-Description, members of archives, uuencoded blocks in text, files in
 * winmail.dat, and all that again in nested messages.
 *
 * OWNS: nothing after it returns. THREADS: scan_init() once before threads; scan_message() from any.
 * Memory is bounded by the limits, not by the message: parts are read through content_read_at().
 */
#ifndef POSTERN_MIME_SCAN_H
#define POSTERN_MIME_SCAN_H

#include "core/content.h"
#include "mime/archive.h"

struct scan_limits {
    unsigned max_parts;  /* MIME parts in all */
    unsigned max_levels; /* multiparts and messages within each other */
    bool open_archives;
    struct archive_limits archives; /* of each archive; but time_ms is for all of the message */
    const char *directory; /* for unlinked files that hold a decoded archive */
};

enum scan_trouble {
    SCAN_OVER_LIMIT, /* parts, levels, or a limit of an archive */
    SCAN_ENCRYPTED,  /* an archive that cannot be read without a password */
    SCAN_UNREADABLE, /* a damaged archive or winmail.dat */
    SCAN_FAILED      /* our own trouble: disk full, no process */
};

/* Each returns 0 to go on, anything else to stop the scan. Strings are UTF-8 where the message made sense, may hold
 * anything but NUL, and end with the call. */
struct scan_sink {
    void *context;
    /* NAME: a file name as some mail program would take it (a NUL in the original is shown as U+0000's picture,
     * U+2400). PATH: how it was reached, "invoice.zip/doc/run.exe"; equal to NAME at the top level. */
    int (*name)(void *context, const char *path, const char *name);
    /* One part that has a name or is no text: its size in bytes after base64 or quoted-printable is undone. */
    int (*size)(void *context, const char *path, uint64_t bytes);
    int (*trouble)(void *context, enum scan_trouble trouble, const char *path);
};

void scan_init(void);

/* Scans the message in CONTENT (header, empty line, body). 0 when it went through or the sink stopped it. */
int scan_message(const struct content *content, const struct scan_limits *limits, struct archive_scanner *archives,
                 const struct scan_sink *sink);

/* The addresses in header field values such as To and Cc, group members counted, from VALUES[0..COUNT). */
size_t scan_count_addresses(const char *const *values, size_t count);

#endif
