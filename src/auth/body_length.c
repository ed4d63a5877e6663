/* body_length - blank lines count once something follows them; white space in relaxed is one blank or none. */
#include "auth/body_length.h"

static void count_line_end(struct body_length *length)
{
    length->pending_space = false;
    if (length->simple_line == 0) {
        length->simple_blanks++;
    } else {
        length->simple += 2 * length->simple_blanks + length->simple_line + 2;
        length->simple_blanks = length->simple_line = 0;
    }
    if (length->relaxed_line == 0) {
        length->relaxed_blanks++;
    } else {
        length->relaxed += 2 * length->relaxed_blanks + length->relaxed_line + 2;
        length->relaxed_blanks = length->relaxed_line = 0;
    }
}

static void count_char(struct body_length *length, char c)
{
    length->simple_line++;
    if (c == ' ' || c == '\t') {
        length->pending_space = true;
        return;
    }
    length->relaxed_line += length->pending_space ? 2 : 1;
    length->pending_space = false;
}

void body_length_count(struct body_length *length, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.ptr[i];
        bool after_cr = length->after_cr;
        length->after_cr = c == '\r';
        if (c == '\n' && after_cr) {
            count_line_end(length);
        } else {
            if (after_cr)
                count_char(length, '\r');
            if (c != '\r')
                count_char(length, c);
        }
    }
}
