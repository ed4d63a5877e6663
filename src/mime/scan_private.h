/*
 * scan_private - what scan.c (structure) and scan_part.c (content) share. Private to mime/.
 */
#ifndef POSTERN_MIME_SCAN_PRIVATE_H
#define POSTERN_MIME_SCAN_PRIVATE_H

#include "mime/names.h"
#include "mime/outline.h"
#include "mime/scan.h"
#include <gmime/gmime.h>

struct scan {
    const struct scan_limits *limits;
    struct archive_scanner *archives;
    const struct scan_sink *sink;
    unsigned parts; /* seen so far, in all messages within each other */
    unsigned again; /* how often bytes were looked at a second time, as something else */
    int64_t archives_until_us; /* clock_monotonic_us() at which the time for archives is over; 0 = none opened yet */
    bool stopped;
};

/* One leaf of the structure. */
struct part {
    struct source body; /* still encoded */
    GMimeContentEncoding encoding;
    const char *prefix; /* path of what it is in, "" at the top */
    const char *label;  /* its name in paths: its own, or "attachment" */
    const struct names *names;
    bool text, message; /* by its Content-Type */
    unsigned level;
};

/* PREFIX/NAME, malloc'ed. */
char *scan_join(const char *prefix, const char *name);

void scan_report_name(struct scan *scan, const char *prefix, const char *name);
void scan_report_trouble(struct scan *scan, enum scan_trouble trouble, const char *prefix, const char *label);

/* The structure of SOURCE: a message, or with FORCED_TYPE a body of that type. */
void scan_structure(struct scan *scan, const struct source *source, const char *forced_type, const char *prefix,
                    unsigned level);

/* What is inside PART: archives, winmail.dat, uuencode, encoded messages; and its size. */
void scan_part(struct scan *scan, const struct part *part);

/* Uuencoded files in the plain text of SOURCE. */
void scan_text(struct scan *scan, const struct source *source, const char *prefix, unsigned level);

/* Looks at decoded bytes: an archive, a winmail.dat, or (by its NAME) a message. False if it is none of them. */
bool scan_blob(struct scan *scan, const struct source *blob, const char *prefix, const char *name, unsigned level);

#endif
