/*
 * author_token - a tokenizer that forgives.
 *
 * A quoted string or comment without an end is read as if its first character were not there. An encoded word (RFC
 * 2047) is opaque, whatever characters are in it. Only if it holds a "<", which none may, it is read as plain text
 * whose quotes and parentheses mean nothing: there are programs that look for addresses before they decode. A "["
 * without its
 * "]" is a blank.
 *
 * Nothing recurses, and each byte is looked at a bounded number of times: once a quoted string (or comment) without an
 * end was found, no further one is looked for.
 */
#include "auth/author_token.h"

void author_complain(struct author_list *list, const char *problem)
{
    if (!list->problem)
        list->problem = problem;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 || c == 0x7f) && !is_blank(c);
}

static bool is_word_byte(char c)
{
    return !is_blank(c) && !is_control(c) && !memchr("()<>@,;:\\\".[]", c, 13);
}

/* The end of what starts at P with OPEN, behind its last byte; NULL: it has none. Comments nest. */
static const char *find_close(const char *p, const char *end, char open, char close)
{
    size_t depth = 0;
    for (; p < end; p++) {
        if (*p == '\\' && p + 1 < end) {
            p++;
        } else if (*p == close && (depth == 1 || open == close) && depth > 0) {
            return p + 1;
        } else if (*p == close && depth > 0) {
            depth--;
        } else if (*p == open) {
            depth++;
        }
    }
    return NULL;
}

/* "=?charset?q?text?=" as one piece, RFC 2047 2; NULL if P does not start with one. */
static const char *find_encoded_word_end(const char *p, const char *end)
{
    unsigned marks = 0;
    if (end - p < 8 || p[0] != '=' || p[1] != '?')
        return NULL;
    for (const char *q = p + 2; q < end && !is_blank(*q) && !is_control(*q) && q - p < 1000; q++) {
        if (*q != '?')
            continue;
        if (++marks == 2 && (q[-2] != '?' || !strchr("bBqQ", q[-1])))
            return NULL;
        if (marks == 3)
            return q + 1 < end && q[1] == '=' ? q + 2 : NULL;
    }
    return NULL;
}

static bool skip_comment(struct author_reader *reader)
{
    if (*reader->p != '(')
        return false;
    const char *close = reader->no_comments ? NULL : find_close(reader->p, reader->end, '(', ')');
    if (!close) {
        reader->no_comments = true;
        author_complain(reader->list, "a comment has no end");
        close = reader->p + 1;
    }
    reader->p = close;
    return true;
}

static void read_quoted(struct author_reader *reader)
{
    const char *start = reader->p, *close = reader->no_quotes ? NULL : find_close(start, reader->end, '"', '"');
    if (close) {
        reader->token = (struct author_token){TOKEN_QUOTED, 0, {start + 1, (size_t)(close - start) - 2}};
        reader->p = close;
        return;
    }
    reader->no_quotes = true;
    author_complain(reader->list, "a quoted string has no end");
    reader->p++;
    reader->token = (struct author_token){TOKEN_WORD, 0, {start, 0}};
}

/* Anywhere but behind an @ the brackets are blanks: "[List] <a@b>", "[<a@b>]". */
static void read_literal(struct author_reader *reader)
{
    const char *start = reader->p, *close = start + 1;
    while (close < reader->end && !strchr("[]<>@,;\"()", *close) && *close)
        close++;
    if (close == reader->end || *close != ']') {
        author_complain(reader->list, "an address literal has no end");
        close = start;
    }
    reader->p = close + 1;
    reader->token = (struct author_token){TOKEN_LITERAL, 0, {start, (size_t)(reader->p - start)}};
}

/* Is what stands here as good as a blank? */
static bool at_blank(const struct author_reader *reader)
{
    char c = *reader->p;
    return is_blank(c) || c == ')' || (reader->p < reader->plain_until && c && strchr("(\"[]\\", c));
}

void author_advance(struct author_reader *reader)
{
    while (reader->p < reader->end && (at_blank(reader) || skip_comment(reader))) {
        if (reader->p < reader->end && at_blank(reader))
            reader->p++;
    }
    if (reader->p >= reader->end) {
        reader->token = (struct author_token){TOKEN_END, 0, {reader->end, 0}};
        return;
    }
    const char *start = reader->p;
    const char *word_end = start < reader->plain_until ? NULL : find_encoded_word_end(start, reader->end);
    if (word_end && memchr(start, '<', (size_t)(word_end - start))) {
        author_complain(reader->list, "a bracket in an encoded word");
        reader->plain_until = word_end;
        word_end = NULL;
    }
    if (word_end) {
        reader->token = (struct author_token){TOKEN_ENCODED_WORD, 0, {start, (size_t)(word_end - start)}};
        reader->p = word_end;
    } else if (*start == '"') {
        read_quoted(reader);
    } else if (*start == '[') {
        read_literal(reader);
    } else if (is_word_byte(*start)) {
        while (reader->p < reader->end && is_word_byte(*reader->p))
            reader->p++;
        reader->token = (struct author_token){TOKEN_WORD, 0, {start, (size_t)(reader->p - start)}};
    } else {
        if (is_control(*start))
            author_complain(reader->list, "a control character");
        reader->token = (struct author_token){TOKEN_SPECIAL, is_control(*start) ? '\0' : *start, {start, 1}};
        reader->p++;
    }
}

bool author_at_special(const struct author_reader *reader, char special)
{
    return reader->token.kind == TOKEN_SPECIAL && reader->token.special == special;
}
