/*
 * author - a parser of mailboxes that forgives, on the tokens of author_token.c.
 *
 * The list of mailboxes is read item by item; items end at a comma or semicolon. An address in angle brackets is the
 * author of its item, whatever the display name before it holds; without brackets each "@ domain" of the item is. What
 * the grammar does not allow is settled so that no domain gets lost: a bracket without a partner ends where the item
 * does, two addresses without a comma are two, and of "a@b@c" both b and c are taken. A source route (RFC 5322 4.4)
 * names no author. An @ in an encoded word (RFC 2047) is no address, in clear or encoded. A domain with a control
 * character in it is two, what stands before and the whole without it. A "[" begins an address literal only behind an
 * @. Dots behind a domain do not hide it.
 *
 * What this does not do: check local parts, which DMARC does not use, and decode display names.
 */
#include "auth/author_token.h"
#include "util/domain.h"

static void be_over(struct author_list *list)
{
    list->is_over = true;
    author_complain(list, "more than 100 author domains");
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
        author_complain(list, "dots behind a domain name");
        text.len--;
    }
    if (text.len == 0 || domain_canonical(text, name) != 0) {
        author_complain(list, text.len ? "what stands behind an @ is no domain name" : "nothing stands behind an @");
        return NULL;
    }
    return arena_strdup(list->arena, name);
}

/* Behind an @: words and dots, with white space and comments between them as in RFC 5322 4.4. */
static void read_domain(struct author_reader *reader, struct item *item, bool in_brackets)
{
    char text[4 * DOMAIN_MAX + 1];
    size_t len = 0;
    bool after_word = false, was_cut = false;
    if (reader->token.kind == TOKEN_LITERAL) {
        author_complain(reader->list, "an address literal instead of a domain name");
        author_advance(reader);
        return;
    }
    for (;; author_advance(reader)) {
        const struct author_token *token = &reader->token;
        bool is_word = token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED;
        if (token->kind == TOKEN_QUOTED)
            author_complain(reader->list, "a quoted string in a domain name");
        if (author_at_special(reader, '\0') && len > 0 && !was_cut) {
            const char *before = canonical(reader->list, (struct span){text, len});
            if (before)
                item_add(reader->list, item, in_brackets, before);
            was_cut = true;
        }
        if (author_at_special(reader, '\0')) {
            after_word = false;
            continue;
        }
        if ((!is_word && !author_at_special(reader, '.')) || (is_word && after_word && token->text.len > 0))
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
static void read_brackets(struct author_reader *reader, struct item *item)
{
    bool may_be_route = true;
    size_t before = item->angle_count;
    item->has_brackets = true;
    while (reader->token.kind != TOKEN_END && !author_at_special(reader, '>') && !author_at_special(reader, ';')) {
        bool is_route = may_be_route && author_at_special(reader, '@');
        if (author_at_special(reader, ',') && !(may_be_route && item->angle_count > before))
            break;
        if (author_at_special(reader, ':') && may_be_route && item->angle_count > before) {
            item->angle_count = before;
            may_be_route = false;
        }
        if (author_at_special(reader, '<'))
            author_complain(reader->list, "a bracket in brackets");
        if (reader->token.kind != TOKEN_SPECIAL)
            may_be_route = false;
        if (author_at_special(reader, '@')) {
            author_advance(reader);
            read_domain(reader, item, true);
            may_be_route = is_route;
        } else {
            author_advance(reader);
        }
    }
    if (author_at_special(reader, '>'))
        author_advance(reader);
    else
        author_complain(reader->list, "a < without its >");
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
        author_complain(list, "two addresses without a comma between them");
    if (count == 0 && (item->has_words || item->has_brackets))
        author_complain(list, "an address without a domain");
    item->bare_count = item->angle_count = 0;
    item->has_words = item->has_brackets = false;
}

static void read_item_token(struct author_reader *reader, struct item *item)
{
    if (author_at_special(reader, ':')) { /* all before was a group's name; what looks like an address in it stays */
        item->has_words = false;
        author_advance(reader);
    } else if (author_at_special(reader, '<')) {
        author_advance(reader);
        read_brackets(reader, item);
    } else if (author_at_special(reader, '@')) {
        author_advance(reader);
        read_domain(reader, item, false);
        item->has_words = true;
    } else {
        if (author_at_special(reader, '>'))
            author_complain(reader->list, "a > without its <");
        item->has_words |= reader->token.kind != TOKEN_SPECIAL;
        author_advance(reader);
    }
}

void author_list_init(struct author_list *list, struct arena *arena)
{
    *list = (struct author_list){.arena = arena, .seen = strset_create(arena)};
}

void author_add_field(struct author_list *list, struct span value)
{
    struct author_reader reader = {.p = value.ptr, .end = value.ptr + value.len, .list = list};
    struct item item = {.bare_count = 0};
    list->fields++;
    if (list->fields == 2)
        author_complain(list, "more than one From field");
    for (author_advance(&reader); reader.token.kind != TOKEN_END && !list->is_over;) {
        if (author_at_special(&reader, ',') || author_at_special(&reader, ';')) {
            item_end(list, &item);
            author_advance(&reader);
        } else {
            read_item_token(&reader, &item);
        }
    }
    item_end(list, &item);
    if (list->addresses == 0)
        author_complain(list, "no address");
}
