/*
 * outline - what of a message GMime gets to see. Private to mime/.
 *
 * OWNS: its tables; outline_free(). THREADS: none inside.
 */
#ifndef POSTERN_MIME_OUTLINE_H
#define POSTERN_MIME_OUTLINE_H

#include "core/content.h"
#include "util/arena.h"
#include <stdbool.h>
#include <stdint.h>

/* Bytes START to START+LEN of a message in memory or file, or of a file of our own. */
struct source {
    const struct content *content; /* NULL: the bytes are in fd */
    int fd;
    uint64_t start, len;
};

/* Up to LEN bytes at AT (from the source's start) into BUFFER; 0 at the end, -1 with errno. */
ssize_t source_read(const struct source *source, uint64_t at, void *buffer, size_t len);

struct outline_piece {
    uint64_t shown, at, len; /* offset in the outline, offset in the source */
};

struct outline_range {
    uint64_t at, len;
};

#define OUTLINE_TEXT_FIELDS 8

struct outline {
    struct source source;
    struct arena *arena;
    const char *prefix; /* a header field put in front, or "" */
    size_t prefix_len;
    struct outline_piece *pieces;
    size_t piece_count, piece_room;
    struct outline_range *faces; /* text before the first and after the last part of multiparts */
    size_t face_count, face_room;
    const char *reopened_boundary; /* a delimiter that stands behind the last one of its multipart; NULL if none does */
    uint64_t reopened_at;
    uint64_t shown_len;
    unsigned parts, levels;
    /* One text and nothing else, of which GMime would say what is said here: its fields that matter, well formed, with
     * their line ends, and where its body begins. */
    bool is_text;
    struct outline_range text_fields[OUTLINE_TEXT_FIELDS];
    size_t text_field_count;
    uint64_t text_at;
    bool over;   /* more parts or levels than allowed, or fields without end; the outline is not to be used */
    bool failed; /* could not be read */
};

/* FORCED_TYPE: the value of a Content-Type that stands for a header the source does not have; NULL if it has one. */
void outline_build(struct outline *outline, const struct source *source, const char *forced_type, unsigned max_parts,
                   unsigned max_levels);
void outline_free(struct outline *outline);

/* For the pass: shows LEN bytes at AT; of a body from AT to END the start and the end, where the cut starts at the
 * start of a line and the two bytes kept at its end start nothing; notes text around parts. */
void outline_show(struct outline *outline, uint64_t at, uint64_t len);
void outline_show_body(struct outline *outline, uint64_t at, uint64_t end);
void outline_note_face(struct outline *outline, uint64_t at, uint64_t end);

ssize_t outline_read(const struct outline *outline, uint64_t shown, void *buffer, size_t len);

/* Where in the source the byte at SHOWN stands. */
uint64_t outline_place(const struct outline *outline, uint64_t shown);

#endif
