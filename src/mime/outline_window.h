/*
 * outline_window - reading lines of a source, for outline.c only.
 *
 * OWNS: nothing; `bytes` is the caller's, `room` long: OUTLINE_WINDOW, or less if the whole source is. THREADS: none
 * inside. ERRORS: a source that cannot be read ends there, and `failed` is set.
 */
#ifndef POSTERN_MIME_OUTLINE_WINDOW_H
#define POSTERN_MIME_OUTLINE_WINDOW_H

#include "mime/outline.h"

#define OUTLINE_WINDOW 131072

struct outline_window {
    const struct source *source;
    char *bytes;
    size_t room;
    uint64_t base; /* of the window in the source */
    size_t len, at;
    bool end;
    bool midline; /* what stands at `at` is the rest of a long line; set by who reads on */
    bool failed;
};

/* The line (or a piece of a long one) that starts at `at`, its end included. Empty at the end. */
struct span outline_peek_line(struct outline_window *window);

/* Where in the source `at` is. */
uint64_t outline_position(const struct outline_window *window);

/* Moves to the next line that starts with "--". False at the end. */
bool outline_seek_dashes(struct outline_window *window);

#endif
