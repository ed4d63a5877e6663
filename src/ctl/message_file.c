/*
 * message_file - reading line by line, because a file may have any line ends and SMTP has CRLF.
 *
 * What an MTA does to a message before a milter sees it is done here too: the first line that is no header line ends
 * the header, and a last line without an end gets one.
 */
#include "ctl/message_file.h"
#include "util/strbuf.h"
#include <stdlib.h>

#define PIECE 65536 /* bytes of body handed over at once */

static size_t without_line_end(const char *line, size_t len)
{
    if (len > 0 && line[len - 1] == '\n')
        len--;
    if (len > 0 && line[len - 1] == '\r')
        len--;
    return len;
}

/* The length of the field name in LINE, 0 if it is no header line. */
static size_t name_length(const char *line, size_t len)
{
    size_t n = 0;
    while (n < len && (unsigned char)line[n] > ' ' && line[n] != ':' && line[n] != 0x7f)
        n++;
    size_t colon = n;
    while (colon < len && (line[colon] == ' ' || line[colon] == '\t'))
        colon++;
    return n > 0 && colon < len && line[colon] == ':' ? n : 0;
}

static void flush_field(struct message *message, struct strbuf *field)
{
    size_t name = name_length(strbuf_text(field), field->len);
    if (name > 0) {
        const char *colon = memchr(field->ptr, ':', field->len);
        size_t value = (size_t)(colon + 1 - field->ptr);
        message_add_header(message, (struct span){field->ptr, name},
                           (struct span){field->ptr + value, field->len - value});
    }
    strbuf_free(field);
}

int message_file_header(FILE *in, struct message *message, char **rest, size_t *rest_len)
{
    struct strbuf field;
    char *line = NULL;
    size_t room = 0;
    ssize_t got;
    bool first = true;
    *rest = NULL;
    *rest_len = 0;
    strbuf_init(&field, (size_t)64 << 20);
    while ((got = getline(&line, &room, in)) >= 0) {
        size_t len = without_line_end(line, (size_t)got);
        bool is_mbox = first && len > 5 && memcmp(line, "From ", 5) == 0;
        first = false;
        if (is_mbox)
            continue;
        if (len > 0 && field.len > 0 && (line[0] == ' ' || line[0] == '\t')) {
            strbuf_puts(&field, "\r\n");
            strbuf_add(&field, (struct span){line, len});
            continue;
        }
        flush_field(message, &field);
        if (len == 0)
            break;
        if (name_length(line, len) == 0) {
            *rest = line;
            *rest_len = (size_t)got;
            line = NULL;
            break;
        }
        strbuf_add(&field, (struct span){line, len});
    }
    flush_field(message, &field);
    free(line);
    return ferror(in) ? -1 : 0;
}

static void flush_piece(struct strbuf *piece, const struct message_file_sink *sink)
{
    if (piece->len > 0)
        sink->add(sink->context, (struct span){piece->ptr, piece->len});
    strbuf_free(piece);
}

static void add_line(struct strbuf *piece, const struct message_file_sink *sink, const char *line, size_t len)
{
    strbuf_add(piece, (struct span){line, without_line_end(line, len)});
    strbuf_puts(piece, "\r\n");
    if (piece->len >= PIECE)
        flush_piece(piece, sink);
}

int message_file_body(FILE *in, char *rest, size_t rest_len, const struct message_file_sink *sink)
{
    struct strbuf piece;
    size_t room = 0;
    ssize_t got;
    char *line = NULL;
    strbuf_init(&piece, (size_t)1 << 40);
    if (rest)
        add_line(&piece, sink, rest, rest_len);
    free(rest);
    while (!sink->is_enough(sink->context) && (got = getline(&line, &room, in)) >= 0)
        add_line(&piece, sink, line, (size_t)got);
    flush_piece(&piece, sink);
    free(line);
    return ferror(in) ? -1 : 0;
}
