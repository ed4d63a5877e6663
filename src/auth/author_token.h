/*
 * author_token - a From field cut into tokens: words, encoded words, quoted strings, literals and the special
 * characters between them; comments and white space are gone. Only for author.c.
 *
 * OWNS: tokens point into the field. THREADS: none inside. ERRORS: what is malformed is read as author_token.c says,
 * and noted in the list.
 */
#ifndef POSTERN_AUTH_AUTHOR_TOKEN_H
#define POSTERN_AUTH_AUTHOR_TOKEN_H

#include "auth/author.h"

enum author_token_kind { TOKEN_END, TOKEN_WORD, TOKEN_ENCODED_WORD, TOKEN_QUOTED, TOKEN_LITERAL, TOKEN_SPECIAL };

struct author_token {
    enum author_token_kind kind;
    char special;     /* one of < > @ , ; : . and 0 for a control character */
    struct span text; /* of words and quoted strings, without the quotes */
};

struct author_reader {
    const char *p, *end;
    const char *plain_until;     /* up to here quotes, parentheses and brackets are blanks; NULL */
    bool no_quotes, no_comments; /* one without an end was met */
    struct author_token token;   /* the current one */
    struct author_list *list;
};

/* Goes to the next token. */
void author_advance(struct author_reader *reader);

/* Is the current token the special character? '\0' is any control character. */
bool author_at_special(const struct author_reader *reader, char special);

/* Notes the first problem. */
void author_complain(struct author_list *list, const char *problem);

#endif
