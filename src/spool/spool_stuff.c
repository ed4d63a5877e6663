/*
 * spool_stuff - a machine of two bits. What lies between two line ends is copied in one piece.
 */
#include "spool/spool_stuff.h"

static void end_line(struct spool_stuff *stuff, struct strbuf *out)
{
    strbuf_puts(out, "\r\n");
    stuff->inside_line = stuff->after_cr = false;
}

static size_t run_length(struct span bytes)
{
    size_t n = 0;
    while (n < bytes.len && bytes.ptr[n] != '\r' && bytes.ptr[n] != '\n')
        n++;
    return n;
}

void spool_stuff_add(struct spool_stuff *stuff, struct span bytes, struct strbuf *out)
{
    while (bytes.len > 0) {
        size_t n = 1;
        char c = bytes.ptr[0];
        if (stuff->after_cr) {
            end_line(stuff, out);
            n = c == '\n';
        } else if (c == '\n') {
            end_line(stuff, out);
        } else if (c == '\r') {
            stuff->after_cr = true;
        } else {
            if (!stuff->inside_line && c == '.')
                strbuf_putc(out, '.');
            n = run_length(bytes);
            strbuf_add(out, (struct span){bytes.ptr, n});
            stuff->inside_line = true;
        }
        bytes.ptr += n;
        bytes.len -= n;
    }
}

void spool_stuff_end(struct spool_stuff *stuff, struct strbuf *out)
{
    if (stuff->after_cr || stuff->inside_line)
        end_line(stuff, out);
}
