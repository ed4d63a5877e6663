/*
 * alias_reader - one buffer that slides over the file, so that a table of 100 MB costs no 100 MB while it is read.
 *
 * A line is handed out of that buffer in place; only lines that are continued are put together in another one. All
 * lines are bounded by ALIAS_LINE_MAX, and a NUL byte ends the reading: what holds one is no table, or a file of which
 * the disk has only the length yet.
 */
#include "aliases/alias_reader.h"
#include "aliases/alias_table.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define BUFFER (2 * ALIAS_LINE_MAX)

struct alias_reader {
    int fd; /* -1: all bytes are in the buffer */
    char *buffer;
    size_t at, len;
    uint64_t rest; /* bytes that may still be read */
    bool owns, ended;
    unsigned line; /* number of the last line handed out */
    struct strbuf joined;
};

struct alias_reader *alias_reader_of(struct span bytes)
{
    struct alias_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        abort();
    strbuf_init(&reader->joined, ALIAS_LINE_MAX + 1);
    reader->fd = -1;
    reader->buffer = (char *)(uintptr_t)bytes.ptr; /* only read */
    reader->len = bytes.len;
    reader->ended = true;
    return reader;
}

struct alias_reader *alias_reader_open(const char *path, uint64_t max, struct stat *status, const char **problem)
{
    memset(status, 0, sizeof *status);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    *problem = NULL;
    if (fd < 0 || fstat(fd, status) != 0)
        *problem = strerror(errno);
    else if (!S_ISREG(status->st_mode))
        *problem = "is no regular file";
    else if ((uint64_t)status->st_size > max)
        *problem = "is too large";
    if (*problem) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct alias_reader *reader = alias_reader_of((struct span){malloc(BUFFER), 0});
    if (!reader->buffer)
        abort();
    reader->fd = fd;
    reader->rest = max;
    reader->owns = true;
    reader->ended = false;
    return reader;
}

void alias_reader_close(struct alias_reader *reader)
{
    if (!reader)
        return;
    if (reader->fd >= 0)
        close(reader->fd);
    if (reader->owns)
        free(reader->buffer);
    strbuf_free(&reader->joined);
    free(reader);
}

/* Fills the buffer behind what is left in it. NULL, or what went wrong. */
static const char *fill(struct alias_reader *reader)
{
    if (reader->ended)
        return NULL;
    memmove(reader->buffer, reader->buffer + reader->at, reader->len - reader->at);
    reader->len -= reader->at;
    reader->at = 0;
    while (reader->len < BUFFER && !reader->ended) {
        ssize_t n = read(reader->fd, reader->buffer + reader->len, BUFFER - reader->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return strerror(errno);
        if ((uint64_t)n > reader->rest)
            return "grows without end";
        reader->rest -= (uint64_t)n;
        reader->len += (size_t)n;
        reader->ended = n == 0;
    }
    return NULL;
}

static enum alias_line bad(const char **problem, const char *text)
{
    *problem = text;
    return ALIAS_LINE_BAD;
}

/* The line with its line end. */
static enum alias_line next_line(struct alias_reader *reader, struct span *line, const char **problem)
{
    const char *start = reader->buffer + reader->at;
    const char *end = reader->len > reader->at ? memchr(start, '\n', reader->len - reader->at) : NULL;
    if (!end && !reader->ended) {
        const char *why = fill(reader);
        if (why)
            return bad(problem, why);
        start = reader->buffer + reader->at;
        end = memchr(start, '\n', reader->len - reader->at);
    }
    size_t len = end ? (size_t)(end - start) + 1 : reader->len - reader->at;
    if (len == 0)
        return ALIAS_LINE_END;
    reader->line++;
    if (len > ALIAS_LINE_MAX)
        return bad(problem, "the line is too long");
    if (memchr(start, '\0', len))
        return bad(problem, "the line holds a NUL byte");
    reader->at += len;
    *line = (struct span){start, len};
    return ALIAS_LINE_OK;
}

static struct span without_end(struct span line)
{
    if (line.len > 0 && line.ptr[line.len - 1] == '\n')
        line.len--;
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* A mark of the byte order before the first line, as spreadsheets write it, is none of its bytes. */
static struct span without_mark(const struct alias_reader *reader, struct span line)
{
    if (reader->line == 1 && line.len >= 3 && memcmp(line.ptr, "\xef\xbb\xbf", 3) == 0)
        line = (struct span){line.ptr + 3, line.len - 3};
    return line;
}

enum alias_line alias_reader_line(struct alias_reader *reader, struct span *line, unsigned *number,
                                  const char **problem)
{
    enum alias_line got = next_line(reader, line, problem);
    *number = reader->line;
    if (got == ALIAS_LINE_OK)
        *line = without_mark(reader, without_end(*line));
    return got;
}

static bool is_blank_or_comment(struct span line)
{
    line = span_trim(line);
    return line.len == 0 || line.ptr[0] == '#';
}

static void begin_joined(struct alias_reader *reader, struct span *line)
{
    reader->joined.len = 0;
    reader->joined.truncated = false;
    strbuf_add(&reader->joined, *line);
    *line = (struct span){strbuf_text(&reader->joined), reader->joined.len};
}

/* Does the line that comes next continue *LINE? Comments and empty lines in between do not end it. *LINE is moved out
 * of the way if the buffer must be filled to know. */
static bool continues(struct alias_reader *reader, struct span *line)
{
    if (reader->at == reader->len && !reader->ended) {
        if (line->ptr != reader->joined.ptr)
            begin_joined(reader, line);
        if (fill(reader))
            return false; /* the next call tells */
    }
    if (reader->at == reader->len)
        return false;
    char c = reader->buffer[reader->at];
    return c == '#' || (c && strchr(" \t\r\n\v\f", c));
}

enum alias_line alias_reader_logical(struct alias_reader *reader, struct span *line, unsigned *number,
                                     const char **problem)
{
    enum alias_line got;
    struct span part;
    unsigned last;
    do {
        got = alias_reader_line(reader, line, number, problem);
        if (got != ALIAS_LINE_OK)
            return got;
    } while (is_blank_or_comment(*line));
    if (strchr(" \t\r\v\f", line->ptr[0]))
        return bad(problem, "the line begins with white space, but there is none that it could continue");
    while (continues(reader, line)) {
        if (line->ptr != reader->joined.ptr)
            begin_joined(reader, line);
        got = alias_reader_line(reader, &part, &last, problem);
        if (got != ALIAS_LINE_OK) {
            *number = last;
            return got;
        }
        if (!is_blank_or_comment(part))
            strbuf_add(&reader->joined, part);
        *line = (struct span){strbuf_text(&reader->joined), reader->joined.len};
        if (reader->joined.truncated || line->len > ALIAS_LINE_MAX)
            return bad(problem, "the line is too long");
    }
    return ALIAS_LINE_OK;
}

static bool is_inside_quotes(struct span text, bool inside)
{
    for (size_t i = 0; i < text.len; i++)
        inside = inside != (text.ptr[i] == '"');
    return inside;
}

enum alias_line alias_reader_record(struct alias_reader *reader, struct span *record, unsigned *number,
                                    const char **problem)
{
    struct span line;
    enum alias_line got = next_line(reader, &line, problem);
    *number = reader->line;
    if (got != ALIAS_LINE_OK)
        return got;
    line = without_mark(reader, line);
    *record = without_end(line);
    bool inside = !is_blank_or_comment(line) && is_inside_quotes(line, false);
    if (!inside)
        return ALIAS_LINE_OK;
    reader->joined.len = 0;
    reader->joined.truncated = false;
    while (inside) {
        strbuf_add(&reader->joined, line);
        got = next_line(reader, &line, problem);
        if (got == ALIAS_LINE_END)
            return bad(problem, "a quote is not closed");
        if (got != ALIAS_LINE_OK)
            return got;
        inside = is_inside_quotes(line, inside);
        if (reader->joined.truncated || reader->joined.len + line.len > ALIAS_LINE_MAX)
            return bad(problem, "the record is too long; is a quote not closed?");
    }
    strbuf_add(&reader->joined, line);
    *record = without_end((struct span){strbuf_text(&reader->joined), reader->joined.len});
    return ALIAS_LINE_OK;
}
