/*
 * address_list - one pass over the field, with one buffer for the address under way.
 *
 * Of an item with angle brackets the address is what they hold; of one without, each run of words and dots around an
 * "@". A group's name and a source route end at a colon and are forgotten. A comment or a quoted string that has no end
 * is read as if its first character were not there, and no further one is looked for, which keeps the pass linear.
 *
 * It answers "was this written to?", so it takes what a reader would take for an address and leaves out the rest: what
 * is longer than an address can be, address literals, names without a domain.
 */
#include "autoreply/address_list.h"
#include "autoreply/header_text.h"

struct reader {
    const char *p, *end;
    char word[ADDR_SPEC_MAX + 1];
    size_t len;                /* more than ADDR_SPEC_MAX: too long to be one */
    bool has_blank;            /* since the last byte of the word */
    bool in_brackets, is_over; /* is_over: behind the brackets of an item */
    bool no_quotes, no_comments;
    bool (*visit)(void *context, const struct addr_spec *address);
    void *context;
};

static void add(struct reader *reader, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (reader->len < ADDR_SPEC_MAX)
            reader->word[reader->len] = bytes.ptr[i];
        if (reader->len <= ADDR_SPEC_MAX)
            reader->len++;
    }
    reader->has_blank = false;
}

static void forget(struct reader *reader)
{
    reader->len = 0;
    reader->has_blank = false;
}

/* The word is complete: an address or not. */
static bool finish(struct reader *reader)
{
    struct addr_spec address;
    bool is_one = reader->len > 0 && reader->len <= ADDR_SPEC_MAX &&
                  addr_spec_parse((struct span){reader->word, reader->len}, &address) == 0;
    forget(reader);
    return is_one && reader->visit(reader->context, &address);
}

/* A blank parts two words, but not around a dot or an "@". */
static bool joins(const struct reader *reader, char next)
{
    char last = reader->len > 0 && reader->len <= ADDR_SPEC_MAX ? reader->word[reader->len - 1] : '\0';
    return next == '.' || next == '@' || last == '.' || last == '@';
}

static bool take(struct reader *reader, struct span bytes)
{
    bool stops = false;
    if (reader->is_over)
        return false;
    if (reader->has_blank && !joins(reader, bytes.ptr[0]))
        stops = finish(reader);
    add(reader, bytes);
    return stops;
}

static bool open_brackets(struct reader *reader)
{
    bool stops = reader->in_brackets && finish(reader);
    forget(reader);
    reader->in_brackets = true;
    reader->is_over = false;
    return stops;
}

static bool end_item(struct reader *reader, char c)
{
    bool is_route = c == ',' && reader->in_brackets && reader->len > 0 && reader->word[0] == '@';
    if (is_route) {
        forget(reader);
        return false;
    }
    bool stops = finish(reader);
    reader->in_brackets = reader->is_over = false;
    return stops;
}

static bool read_special(struct reader *reader, char c)
{
    switch (c) {
    case '<':
        return open_brackets(reader);
    case '>':
        reader->is_over = reader->in_brackets;
        reader->in_brackets = false;
        return finish(reader);
    case ',':
    case ';':
        return end_item(reader, c);
    case ':':
        forget(reader);
        return false;
    default:
        return take(reader, (struct span){&c, 1});
    }
}

static bool read_quoted(struct reader *reader)
{
    const char *close = reader->no_quotes ? NULL : header_quoted_end(reader->p, reader->end);
    if (!close) {
        reader->no_quotes = true;
        reader->p++;
        return false;
    }
    struct span text = {reader->p, (size_t)(close - reader->p)};
    reader->p = close;
    return take(reader, text);
}

bool address_list_each(struct span value, bool (*visit)(void *context, const struct addr_spec *address), void *context)
{
    struct reader reader = {.p = value.ptr, .end = value.ptr + value.len, .visit = visit, .context = context};
    while (reader.p < reader.end) {
        char c = *reader.p;
        if (header_is_blank(c)) {
            reader.has_blank = true;
            reader.p++;
        } else if (c == '(') {
            const char *close = reader.no_comments ? NULL : header_comment_end(reader.p, reader.end);
            reader.no_comments |= !close;
            reader.has_blank = true;
            reader.p = close ? close : reader.p + 1;
        } else if (c == '"') {
            if (read_quoted(&reader))
                return true;
        } else {
            reader.p++;
            if (read_special(&reader, c))
                return true;
        }
    }
    return finish(&reader);
}
