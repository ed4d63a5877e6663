/*
 * received - "from HELO (name [address]) by ...", and Exim's "from name ([address] helo=HELO) by ...".
 *
 * The relay is trusted, its client is not: HELO, the reverse name and an IDENT answer are the stranger's words. So the
 * address is looked for in the first comment only, at its end where Postfix and Sendmail put it (an IDENT stands in
 * front), or at its very beginning where Exim does (there HELO comes behind). Whatever looks otherwise is not guessed
 * at.
 */
#include "auth/received.h"

static struct span skip_blanks(struct span text)
{
    while (text.len > 0 && text.ptr[0] && strchr(" \t\r\n", text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    return text;
}

/* Cuts a word off *TEXT: up to a blank or a parenthesis. */
static struct span take_word(struct span *text)
{
    struct span word = {text->ptr, 0};
    while (word.len < text->len && (!text->ptr[word.len] || !strchr(" \t\r\n()", text->ptr[word.len])))
        word.len++;
    text->ptr += word.len;
    text->len -= word.len;
    *text = skip_blanks(*text);
    return word;
}

/* The inside of the comment that TEXT begins with, nested ones included; .ptr NULL if there is none or it has no
 * end. */
static struct span comment_of(struct span text)
{
    size_t depth = 0;
    if (text.len == 0 || text.ptr[0] != '(')
        return (struct span){NULL, 0};
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\')
            i++;
        else if (text.ptr[i] == '(')
            depth++;
        else if (text.ptr[i] == ')' && --depth == 0)
            return (struct span){text.ptr + 1, i - 1};
    }
    return (struct span){NULL, 0};
}

/* LITERAL: "[192.0.2.1]" or "[IPv6:2001:db8::1]" at its beginning. */
static int parse_literal(struct span literal, struct netaddr *address)
{
    char text[NETADDR_TEXT_SIZE];
    const char *close = literal.len > 0 && literal.ptr[0] == '[' ? memchr(literal.ptr, ']', literal.len) : NULL;
    if (!close)
        return -1;
    struct span inside = {literal.ptr + 1, (size_t)(close - literal.ptr - 1)};
    if (inside.len > 5 && strncasecmp(inside.ptr, "IPv6:", 5) == 0)
        inside = (struct span){inside.ptr + 5, inside.len - 5};
    if (inside.len >= sizeof text || memchr(inside.ptr, '\0', inside.len))
        return -1;
    memcpy(text, inside.ptr, inside.len);
    text[inside.len] = '\0';
    return netaddr_parse(text, address);
}

/* The word behind "helo=" in COMMENT, or OTHERWISE. */
static struct span helo_in(struct span comment, struct span otherwise)
{
    struct span rest = skip_blanks(comment);
    while (rest.len > 0) {
        struct span word = take_word(&rest);
        if (word.len > 5 && strncasecmp(word.ptr, "helo=", 5) == 0)
            return (struct span){word.ptr + 5, word.len - 5};
        if (word.len == 0) { /* a parenthesis */
            rest = skip_blanks((struct span){rest.ptr + 1, rest.len - 1});
        }
    }
    return otherwise;
}

int received_parse(struct arena *arena, struct span value, struct netaddr *client, const char **helo)
{
    struct span text = skip_blanks(value);
    if (!span_equals_nocase(take_word(&text), "from"))
        return -1;
    struct span name = take_word(&text);
    struct span comment = comment_of(text);
    if (name.len == 0 || !comment.ptr)
        return -1;
    comment = skip_blanks(comment);
    if (comment.len > 0 && comment.ptr[0] == '[') { /* Exim, and "([address])" of a client without a name */
        name = helo_in(comment, name);
    } else if (comment.len > 5 && strncasecmp(comment.ptr, "helo=", 5) == 0) { /* Exim, no name */
        struct span literal = name;
        name = helo_in(comment, name);
        comment = literal;
    } else {
        const char *open = comment.len ? memrchr(comment.ptr, '[', comment.len) : NULL;
        if (!open)
            return -1;
        comment = (struct span){open, (size_t)(comment.ptr + comment.len - open)};
    }
    if (parse_literal(comment, client) != 0)
        return -1;
    *helo = arena_spandup(arena, name);
    return 0;
}
