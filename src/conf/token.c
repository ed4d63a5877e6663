/*
 * token - the tokens of a configuration file.
 *
 * libconfuse 3.3 has a lexer of its own, and what this file lets through must mean the same to both. So the classes of
 * characters are libconfuse's, and where libconfuse is lax we are strict: it drops characters it does not know, joins
 * quoted texts over line ends (so that a forgotten quote is noticed a page later, if at all), and ends the text at \0.
 * All of these are faults here. Comments are blanked out, because a lone '#' at the start of a file crashes libconfuse.
 */
#include "conf/token.h"

static bool is_bare(char c)
{
    return (unsigned char)c > 0x20 && c != 0x7f && !strchr("#\"'={}()+,*", c);
}

static char at(const struct tokens *tokens, size_t pos)
{
    return pos < tokens->source->len ? tokens->source->text[pos] : '\0';
}

/* Blanks and comments. A fault if a comment does not end. */
static const char *skip_blanks(struct tokens *tokens)
{
    struct conf_source *source = tokens->source;
    for (;;) {
        char c = at(tokens, tokens->pos), next = at(tokens, tokens->pos + 1);
        const char *rest = source->text + tokens->pos, *end;
        size_t left = source->len - tokens->pos;
        if (left > 0 && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
            tokens->line += c == '\n';
            tokens->pos++;
            continue;
        }
        if (c == '#' || (c == '/' && next == '/'))
            end = memchr(rest, '\n', left);
        else if (c != '/' || next != '*')
            return NULL;
        else if ((end = memmem(rest + 2, left - 2, "*/", 2)))
            end += 2;
        else
            return "the comment is never closed: '*/' is missing";
        size_t stop = end ? (size_t)(end - source->text) : source->len;
        for (size_t i = tokens->pos; i < stop; i++)
            tokens->line += source->text[i] == '\n';
        conf_source_blank(source, tokens->pos, stop);
        tokens->pos = stop;
    }
}

/* "${NAME}" at POS: where it ends, or 0. */
static size_t variable_end(const struct tokens *tokens, size_t pos)
{
    while (at(tokens, pos) && at(tokens, pos) != '\n') {
        if (at(tokens, pos++) == '}')
            return pos;
    }
    return 0;
}

/* The escape sequence at *POS, a backslash in double quotes; *POS is moved behind it. */
static const char *check_escape(struct tokens *tokens, size_t *pos)
{
    static const char digits[] = "0123456789abcdef";
    char kind = at(tokens, *pos + 1);
    bool octal = kind >= '0' && kind <= '9';
    if (!octal && (kind != 'x' || !strchr("0123456789abcdefABCDEF", at(tokens, *pos + 2)) || !at(tokens, *pos + 2))) {
        tokens->line += kind == '\n'; /* a continued line */
        *pos += kind ? 2 : 1;
        return NULL;
    }
    size_t count = 0, start = *pos + (octal ? 1 : 2);
    unsigned value = 0;
    for (;; count++) {
        char c = at(tokens, start + count);
        const char *digit = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
        if (!digit || (octal && digit - digits > 9) || (!octal && count == 2))
            break;
        if (octal && (digit - digits > 7 || count == 3))
            return "has an escape sequence that is no octal number up to \\377";
        value = value * (octal ? 8 : 16) + (unsigned)(digit - digits);
    }
    if (value == 0 || value > 255)
        return value ? "has an escape sequence that is no octal number up to \\377" : "holds a NUL byte";
    *pos = start + count;
    return NULL;
}

/* A quoted text from POS on. NULL, or a fault; POS is then somewhere in the text. */
static const char *scan_quoted(struct tokens *tokens, size_t *pos)
{
    char quote = at(tokens, (*pos)++), c;
    while ((c = at(tokens, *pos)) != quote) {
        const char *why;
        if (!c || c == '\n')
            return "the quoted text has no end on its line";
        if (quote == '\'') {
            char escaped = c == '\\' ? at(tokens, *pos + 1) : 0;
            tokens->line += escaped == '\n';
            *pos += escaped ? 2 : 1;
        } else if (c == '\\') {
            if ((why = check_escape(tokens, pos)))
                return why;
        } else if (c == '$' && at(tokens, *pos + 1) == '{') {
            if (!(*pos = variable_end(tokens, *pos)))
                return "'${' begins an environment variable that has no '}' (write \\${ for the characters)";
        } else {
            ++*pos;
        }
    }
    ++*pos;
    return NULL;
}

static struct token make(struct tokens *tokens, enum token_type type, size_t start, size_t end, int line)
{
    tokens->pos = end;
    return (struct token){type, start, end, line, {tokens->source->text + start, end - start}, NULL};
}

/* A fault takes the rest of its line along: what follows it cannot be understood. */
static struct token make_fault(struct tokens *tokens, size_t start, int line, const char *fault)
{
    size_t end = start;
    while (end < tokens->source->len && at(tokens, end) != '\n')
        end++;
    tokens->line = line;
    struct token token = make(tokens, TOKEN_FAULT, start, end, line);
    token.fault = fault;
    return token;
}

struct token token_next(struct tokens *tokens)
{
    static const char marks[] = "={}(),";
    static const enum token_type types[] = {TOKEN_ASSIGN, TOKEN_BRACE,     TOKEN_BRACE_END,
                                            TOKEN_PAREN,  TOKEN_PAREN_END, TOKEN_COMMA};
    const char *fault = skip_blanks(tokens), *mark;
    size_t start = tokens->pos, end = start;
    int line = tokens->line;
    char c = at(tokens, start);
    if (fault) { /* a comment: everything to the end is in it */
        struct token token = make(tokens, TOKEN_FAULT, start, tokens->source->len, line);
        token.fault = fault;
        return token;
    }
    if (start == tokens->source->len)
        return make(tokens, TOKEN_END, start, start, line);
    if (c && (mark = strchr(marks, c)))
        return make(tokens, types[mark - marks], start, start + 1, line);
    if (c == '+' && at(tokens, start + 1) == '=')
        return make(tokens, TOKEN_APPEND, start, start + 2, line);
    if (c == '"' || c == '\'') {
        fault = scan_quoted(tokens, &end);
        return fault ? make_fault(tokens, start, line, fault) : make(tokens, TOKEN_QUOTED, start, end, line);
    }
    if (c == '$' && at(tokens, start + 1) == '{') {
        end = variable_end(tokens, start);
        return end ? make(tokens, TOKEN_BARE, start, end, line)
                   : make_fault(tokens, start, line, "'${' begins an environment variable that has no '}'");
    }
    while (is_bare(at(tokens, end)) && !(end > start && at(tokens, end) == '$' && at(tokens, end + 1) == '{'))
        end++;
    if (end == start)
        return make_fault(tokens, start, line, "a character that must stand in quotes");
    return make(tokens, TOKEN_BARE, start, end, line);
}

struct token token_peek(const struct tokens *tokens)
{
    struct tokens copy = *tokens;
    return token_next(&copy);
}

const char *token_name(struct loader *loader, const struct token *token)
{
    return token->type == TOKEN_END ? "the end of the file" : problem_quote(loader, token->text);
}
