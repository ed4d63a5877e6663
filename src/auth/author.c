/*
 * author - a tokenizer that knows comments, quoted strings, encoded words and literals, and a parser of mailboxes that
 * forgives.
 *
 * The list of mailboxes is read item by item; items end at a comma or semicolon. An address in angle brackets is the
 * author of its item, whatever the display name before it holds; without brackets each "@ domain" of the item is. What
 * the grammar does not allow is settled so that no domain gets lost: a quoted string or comment without an end is read
 * as if its first character were not there, a bracket without a partner ends where the item does, two addresses
 * without a comma are two, and of "a@b@c" both b and c are taken. A source route (RFC 5322 4.4) names no author. An
 * encoded word (RFC 2047) is opaque: an @ in it is no address, in clear or encoded. Only if it holds a "<", which none
 * may, it is read as plain text whose quotes and parentheses mean nothing: there are programs that look for addresses
 * before they decode. A domain with a control character in it is two, what stands before and the whole without it. A
 * "[" begins an address literal only behind an @. Dots behind a domain do not hide it.
 *
 * Nothing recurses, and each byte is looked at a bounded number of times: once a quoted string (or comment) without an
 * end was found, no further one is looked for.
 *
 * What this does not do: check local parts, which DMARC does not use, and decode display names.
 */
#include "auth/author.h"
#include "util/domain.h"
#include <ctype.h>

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_ENCODED_WORD, TOKEN_QUOTED, TOKEN_LITERAL, TOKEN_SPECIAL };

struct token {
    enum token_kind kind;
    char special;     /* one of < > @ , ; : . and 0 for a control character */
    struct span text; /* of words and quoted strings, without the quotes */
};

struct reader {
    const char *p, *end;
    const char *plain_until;     /* up to here quotes, parentheses and brackets are blanks; NULL */
    bool no_quotes, no_comments; /* one without an end was met */
    struct token token;          /* the current one */
    struct author_list *list;
};

static void complain(struct author_list *list, const char *problem)
{
    if (!list->problem)
        list->problem = problem;
}

static void be_over(struct author_list *list)
{
    list->is_over = true;
    complain(list, "more than 100 author domains");
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

static bool skip_comment(struct reader *reader)
{
    if (*reader->p != '(')
        return false;
    const char *close = reader->no_comments ? NULL : find_close(reader->p, reader->end, '(', ')');
    if (!close) {
        reader->no_comments = true;
        complain(reader->list, "a comment has no end");
        close = reader->p + 1;
    }
    reader->p = close;
    return true;
}

static void read_quoted(struct reader *reader)
{
    const char *start = reader->p, *close = reader->no_quotes ? NULL : find_close(start, reader->end, '"', '"');
    if (close) {
        reader->token = (struct token){TOKEN_QUOTED, 0, {start + 1, (size_t)(close - start) - 2}};
        reader->p = close;
        return;
    }
    reader->no_quotes = true;
    complain(reader->list, "a quoted string has no end");
    reader->p++;
    reader->token = (struct token){TOKEN_WORD, 0, {start, 0}};
}

/* Anywhere but behind an @ the brackets are blanks: "[List] <a@b>", "[<a@b>]". */
static void read_literal(struct reader *reader)
{
    const char *start = reader->p, *close = start + 1;
    while (close < reader->end && !strchr("[]<>@,;\"()", *close) && *close)
        close++;
    if (close == reader->end || *close != ']') {
        complain(reader->list, "an address literal has no end");
        close = start;
    }
    reader->p = close + 1;
    reader->token = (struct token){TOKEN_LITERAL, 0, {start, (size_t)(reader->p - start)}};
}

/* Is what stands here as good as a blank? */
static bool at_blank(const struct reader *reader)
{
    char c = *reader->p;
    return is_blank(c) || c == ')' || (reader->p < reader->plain_until && c && strchr("(\"[]\\", c));
}

/* Goes to the next token. */
static void advance(struct reader *reader)
{
    while (reader->p < reader->end && (at_blank(reader) || skip_comment(reader))) {
        if (reader->p < reader->end && at_blank(reader))
            reader->p++;
    }
    if (reader->p >= reader->end) {
        reader->token = (struct token){TOKEN_END, 0, {reader->end, 0}};
        return;
    }
    const char *start = reader->p;
    const char *word_end = start < reader->plain_until ? NULL : find_encoded_word_end(start, reader->end);
    if (word_end && memchr(start, '<', (size_t)(word_end - start))) {
        complain(reader->list, "a bracket in an encoded word");
        reader->plain_until = word_end;
        word_end = NULL;
    }
    if (word_end) {
        reader->token = (struct token){TOKEN_ENCODED_WORD, 0, {start, (size_t)(word_end - start)}};
        reader->p = word_end;
    } else if (*start == '"') {
        read_quoted(reader);
    } else if (*start == '[') {
        read_literal(reader);
    } else if (is_word_byte(*start)) {
        while (reader->p < reader->end && is_word_byte(*reader->p))
            reader->p++;
        reader->token = (struct token){TOKEN_WORD, 0, {start, (size_t)(reader->p - start)}};
    } else {
        if (is_control(*start))
            complain(reader->list, "a control character");
        reader->token = (struct token){TOKEN_SPECIAL, is_control(*start) ? '\0' : *start, {start, 1}};
        reader->p++;
    }
}

static bool at_special(const struct reader *reader, char special)
{
    return reader->token.kind == TOKEN_SPECIAL && reader->token.special == special;
}

/* The domains of one item: those in brackets count before those outside. */
#define ITEM_MAX (AUTHOR_MAX + 1)
struct item {
    const char *bare[ITEM_MAX], *angle[ITEM_MAX];
    size_t bare_count, angle_count;
    bool has_words, has_brackets;
};

static void item_add(struct author_list *list, struct item *item, bool in_brackets, const char *domain)
{
    const char **domains = in_brackets ? item->angle : item->bare;
    size_t *count = in_brackets ? &item->angle_count : &item->bare_count;
    if (*count == ITEM_MAX)
        be_over(list); /* even if they are all the same: nobody writes such an item in earnest */
    else
        domains[(*count)++] = domain;
}

static const char *canonical(struct author_list *list, struct span text)
{
    char name[DOMAIN_MAX + 1];
    while (text.len > 2 && text.ptr[text.len - 1] == '.' && text.ptr[text.len - 2] == '.') {
        complain(list, "dots behind a domain name");
        text.len--;
    }
    if (text.len == 0 || domain_canonical(text, name) != 0) {
        complain(list, text.len ? "what stands behind an @ is no domain name" : "nothing stands behind an @");
        return NULL;
    }
    return arena_strdup(list->arena, name);
}

/* Behind an @: words and dots, with white space and comments between them as in RFC 5322 4.4. */
static void read_domain(struct reader *reader, struct item *item, bool in_brackets)
{
    char text[4 * DOMAIN_MAX + 1];
    size_t len = 0;
    bool after_word = false, was_cut = false;
    if (reader->token.kind == TOKEN_LITERAL) {
        complain(reader->list, "an address literal instead of a domain name");
        advance(reader);
        return;
    }
    for (;; advance(reader)) {
        const struct token *token = &reader->token;
        bool is_word = token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED;
        if (token->kind == TOKEN_QUOTED)
            complain(reader->list, "a quoted string in a domain name");
        if (at_special(reader, '\0') && len > 0 && !was_cut) {
            const char *before = canonical(reader->list, (struct span){text, len});
            if (before)
                item_add(reader->list, item, in_brackets, before);
            was_cut = true;
        }
        if (at_special(reader, '\0')) {
            after_word = false;
            continue;
        }
        if ((!is_word && !at_special(reader, '.')) || (is_word && after_word && token->text.len > 0))
            break;
        if (token->text.len > 0)
            after_word = is_word;
        if (len + token->text.len > sizeof text) {
            len = sizeof text; /* canonical() says no */
            continue;
        }
        memcpy(text + len, token->text.ptr, token->text.len);
        len += token->text.len;
    }
    const char *domain = canonical(reader->list, (struct span){text, len});
    if (domain)
        item_add(reader->list, item, in_brackets, domain);
}

/* Behind a "<". A route, "@a,@b:", is read and forgotten. */
static void read_brackets(struct reader *reader, struct item *item)
{
    bool may_be_route = true;
    size_t before = item->angle_count;
    item->has_brackets = true;
    while (reader->token.kind != TOKEN_END && !at_special(reader, '>') && !at_special(reader, ';')) {
        bool is_route = may_be_route && at_special(reader, '@');
        if (at_special(reader, ',') && !(may_be_route && item->angle_count > before))
            break;
        if (at_special(reader, ':') && may_be_route && item->angle_count > before) {
            item->angle_count = before;
            may_be_route = false;
        }
        if (at_special(reader, '<'))
            complain(reader->list, "a bracket in brackets");
        if (reader->token.kind != TOKEN_SPECIAL)
            may_be_route = false;
        if (at_special(reader, '@')) {
            advance(reader);
            read_domain(reader, item, true);
            may_be_route = is_route;
        } else {
            advance(reader);
        }
    }
    if (at_special(reader, '>'))
        advance(reader);
    else
        complain(reader->list, "a < without its >");
}

static void take(struct author_list *list, const char *domain)
{
    list->addresses++;
    if (list->is_over || strset_has(list->seen, span_of(domain)))
        return;
    if (list->count == AUTHOR_MAX) {
        be_over(list);
        return;
    }
    strset_add(list->seen, span_of(domain));
    list->domains = arena_grow(list->arena, list->domains, &list->capacity, list->count + 1, sizeof *list->domains);
    list->domains[list->count++] = domain;
}

static void item_end(struct author_list *list, struct item *item)
{
    /* An empty or unreadable pair of brackets does not hide the address outside. */
    bool use_angle = item->angle_count > 0;
    const char **domains = use_angle ? item->angle : item->bare;
    size_t count = use_angle ? item->angle_count : item->bare_count;
    for (size_t i = 0; i < count; i++)
        take(list, domains[i]);
    if (count > 1)
        complain(list, "two addresses without a comma between them");
    if (count == 0 && (item->has_words || item->has_brackets))
        complain(list, "an address without a domain");
    item->bare_count = item->angle_count = 0;
    item->has_words = item->has_brackets = false;
}

static void read_item_token(struct reader *reader, struct item *item)
{
    if (at_special(reader, ':')) { /* all before was a group's name; what looks like an address in it stays */
        item->has_words = false;
        advance(reader);
    } else if (at_special(reader, '<')) {
        advance(reader);
        read_brackets(reader, item);
    } else if (at_special(reader, '@')) {
        advance(reader);
        read_domain(reader, item, false);
        item->has_words = true;
    } else {
        if (at_special(reader, '>'))
            complain(reader->list, "a > without its <");
        item->has_words |= reader->token.kind != TOKEN_SPECIAL;
        advance(reader);
    }
}

void author_list_init(struct author_list *list, struct arena *arena)
{
    *list = (struct author_list){.arena = arena, .seen = strset_create(arena)};
}

void author_add_field(struct author_list *list, struct span value)
{
    struct reader reader = {.p = value.ptr, .end = value.ptr + value.len, .list = list};
    struct item item = {.bare_count = 0};
    list->fields++;
    if (list->fields == 2)
        complain(list, "more than one From field");
    for (advance(&reader); reader.token.kind != TOKEN_END && !list->is_over;) {
        if (at_special(&reader, ',') || at_special(&reader, ';')) {
            item_end(list, &item);
            advance(&reader);
        } else {
            read_item_token(&reader, &item);
        }
    }
    item_end(list, &item);
    if (list->addresses == 0)
        complain(list, "no address");
}
