/*
 * outline_window - the source, read once from front to back through a window.
 *
 * In bodies it is quick because it only looks for a '-' at the start of a line.
 */
#include "mime/outline_window.h"

#define LINE_MAX_BYTES 16384 /* of longer lines a piece at a time */

/* Drops what is behind and reads more. False at the end. */
static bool fill(struct outline_window *window)
{
    if (window->end)
        return false;
    memmove(window->bytes, window->bytes + window->at, window->len - window->at);
    window->base += window->at;
    window->len -= window->at;
    window->at = 0;
    ssize_t n = source_read(window->source, window->base + window->len, window->bytes + window->len,
                            window->room - window->len);
    window->failed |= n < 0;
    window->end = n <= 0;
    if (n > 0)
        window->len += (size_t)n;
    return n > 0;
}

struct span outline_peek_line(struct outline_window *window)
{
    for (;;) {
        const char *from = window->bytes + window->at;
        size_t have = window->len - window->at;
        const char *newline = have ? memchr(from, '\n', have) : NULL;
        if (newline)
            have = (size_t)(newline - from) + 1;
        if (newline || have >= LINE_MAX_BYTES || !fill(window))
            return (struct span){window->bytes + window->at, have < LINE_MAX_BYTES ? have : LINE_MAX_BYTES};
    }
}

uint64_t outline_position(const struct outline_window *window)
{
    return window->base + window->at;
}

bool outline_seek_dashes(struct outline_window *window)
{
    bool line_start = !window->midline;
    for (;;) {
        const char *from = window->bytes + window->at, *end = window->bytes + window->len;
        if (line_start && end - from < 2 && fill(window))
            continue;
        if (line_start && end - from >= 2 && from[0] == '-' && from[1] == '-')
            return true;
        const char *dash = end > from ? memchr(from + 1, '-', (size_t)(end - from - 1)) : NULL;
        while (dash && dash[-1] != '\n')
            dash = dash + 1 < end ? memchr(dash + 1, '-', (size_t)(end - dash - 1)) : NULL;
        if (dash && end - dash >= 2) {
            window->at = (size_t)(dash - window->bytes);
            line_start = true;
            continue;
        }
        bool newline_last = end - from >= 1 && end[-1] == '\n';
        bool dash_last = dash != NULL; /* the window ends between the two dashes */
        if (end > from) {
            window->at = window->len - (dash_last ? 1 : 0);
            line_start = dash_last || newline_last;
        }
        if (!fill(window)) {
            window->at = window->len;
            return false;
        }
    }
}
