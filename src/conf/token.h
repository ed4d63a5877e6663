/*
 * token - the tokens of a configuration file, cut exactly as libconfuse's lexer cuts them.
 *
 * OWNS: nothing. THREADS: plain values.
 */
#ifndef POSTERN_CONF_TOKEN_H
#define POSTERN_CONF_TOKEN_H

#include "conf/loader.h"

enum token_type {
    TOKEN_END,
    TOKEN_BARE,   /* yes, 60s, 10.0.0.0/8, ${VARIABLE} */
    TOKEN_QUOTED, /* "..." or '...' */
    TOKEN_ASSIGN,
    TOKEN_APPEND,
    TOKEN_COMMA,
    TOKEN_BRACE,
    TOKEN_BRACE_END,
    TOKEN_PAREN,
    TOKEN_PAREN_END,
    TOKEN_FAULT /* none of these; FAULT says what is wrong */
};

struct token {
    enum token_type type;
    size_t start, end; /* in the text */
    int line;          /* on which it starts */
    struct span text;
    const char *fault;
};

struct tokens { /* where in the text we are; a copy of it looks ahead */
    struct conf_source *source;
    size_t pos;
    int line;
};

/* The next token. Comments before it are blanked out in the source. */
struct token token_next(struct tokens *tokens);
struct token token_peek(const struct tokens *tokens);

/* For messages: "'{'", "'name'", "the end of the file". */
const char *token_name(struct loader *loader, const struct token *token);

#endif
