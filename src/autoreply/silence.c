/*
 * silence - the reasons in their order, and those that lie in the sender's address.
 *
 * The order decides only which reason is told when there are several: what is cheap and says most comes first. Whatever
 * is malformed is read as a reason for silence where an automatic sender could have written it so, and never as a
 * reason to answer.
 *
 * What this does not decide: whether the message was accepted (10), what is remembered (11 to 17), how many replies may
 * leave (30).
 */
#include "autoreply/address_list.h"
#include "autoreply/header_text.h"
#include "autoreply/silence_private.h"
#include <ctype.h>

#define AUTHORS_MAX 20 /* addresses in From that are looked at */

static const char *find_null_sender(const struct silence_case *given)
{
    const char *sender = given->question->sender;
    return !*sender || strcmp(sender, "<>") == 0 ? "the reverse-path is <>" : NULL;
}

static const char *find_bad_sender(const struct silence_case *given)
{
    if (given->is_address && given->question->sender_canonical)
        return NULL;
    return arena_printf(given->arena, "the reverse-path is no address: %s",
                        header_show(given->arena, span_of(given->question->sender), 100));
}

/* What the sender is by the tables and without tags; NULL if that is the address itself. */
static const char *other_canonical(const struct silence_case *given)
{
    const char *canonical = given->question->sender_canonical;
    return canonical && given->is_address && strcmp(canonical, given->plain_text) == 0 ? NULL : canonical;
}

/* ---- patterns ---- */

/* Without recursion: a star that fails is tried one byte further, and only the last star is. */
static bool matches(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (tolower((unsigned char)*pattern) == tolower((unsigned char)*text)) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

struct pattern_search {
    const struct string_list *patterns;
    const char *found;
    unsigned seen;
};

/* A pattern without "@" is one of local parts. */
static void try_patterns(struct pattern_search *search, const char *local, const char *whole)
{
    for (size_t i = 0; !search->found && search->patterns && i < search->patterns->count; i++) {
        const char *pattern = search->patterns->items[i];
        if (matches(pattern, strchr(pattern, '@') ? whole : local))
            search->found = pattern;
    }
}

static bool visit_author(void *context, const struct addr_spec *address)
{
    struct pattern_search *search = context;
    char whole[ADDR_SPEC_MAX + DOMAIN_MAX + 2];
    snprintf(whole, sizeof whole, "%s@%s", address->local, address->domain);
    try_patterns(search, address->local, whole);
    return search->found || ++search->seen == AUTHORS_MAX;
}

static void visit_word(struct pattern_search *search, struct span word)
{
    char text[128];
    if (word.len == 0 || word.len >= sizeof text)
        return;
    memcpy(text, word.ptr, word.len);
    text[word.len] = '\0';
    try_patterns(search, text, text);
}

/* "MAILER-DAEMON (Mail Delivery System)", "Mail Delivery <MAILER-DAEMON>": From without a domain, as some machines write
 * it. What is in the brackets counts, or the one word that there is; a name of several is a person's. */
static void visit_words(struct pattern_search *search, struct span value)
{
    static const char stops[] = "\"<>,;:@";
    const char *p = value.ptr, *end = p + value.len;
    struct span word = {NULL, 0};
    bool is_bracketed = false;
    unsigned count = 0;
    while (!is_bracketed && count < AUTHORS_MAX && header_skip(&p, end) && p < end) {
        is_bracketed = *p == '<';
        p += is_bracketed;
        struct span next = header_keyword(&p, end, stops);
        if (next.len > 0 || is_bracketed)
            word = next;
        count += next.len > 0;
        p += p < end && strchr(stops, *p);
    }
    if (is_bracketed || count == 1)
        visit_word(search, word);
}

static const char *find_system_sender(const struct silence_case *given)
{
    const struct silence_question *question = given->question;
    const char *canonical = other_canonical(given);
    struct pattern_search search = {.patterns = question->noreply};
    if (given->is_address) {
        visit_author(&search, &given->sender);
        if (given->plain_text != given->sender_text)
            visit_author(&search, &given->plain);
        struct addr_spec address;
        if (canonical && addr_spec_parse(span_of(canonical), &address) == 0)
            visit_author(&search, &address);
    } else { /* "MAILER-DAEMON" without a domain */
        visit_word(&search, span_of(question->sender));
    }
    if (search.found)
        return arena_printf(given->arena, "the reverse-path matches %s",
                            header_show(given->arena, span_of(search.found), 100));
    const struct header_field *field;
    for (size_t at = 0; (field = header_next(question->headers, question->header_count, "From", &at));) {
        search.seen = 0;
        address_list_each(field->value, visit_author, &search);
        if (search.seen == 0)
            visit_words(&search, field->value);
        if (search.found)
            return arena_printf(given->arena, "the author matches %s",
                                header_show(given->arena, span_of(search.found), 100));
    }
    return NULL;
}

/* ---- one's own, and those that the owner named ---- */

static bool is_same(const struct silence_case *given, const char *address)
{
    const char *canonical = given->question->sender_canonical;
    return (canonical && strcmp(canonical, address) == 0) ||
           strcmp(given->sender_text, address) == 0 || strcmp(given->plain_text, address) == 0;
}

static bool is_own(const struct silence_case *given, const char *address)
{
    const struct silence_question *question = given->question;
    return question->is_own_address && question->is_own_address(question->context, address);
}

static const char *find_own_address(const struct silence_case *given)
{
    const struct silence_question *question = given->question;
    const char *canonical = other_canonical(given);
    struct addr_spec from;
    if (is_same(given, question->mailbox) || is_own(given, given->plain_text) || (canonical && is_own(given, canonical)))
        return "the sender is the mailbox itself";
    if (!question->message || !question->message->from || addr_spec_parse(span_of(question->message->from), &from) != 0)
        return NULL;
    addr_spec_fold(&from);
    return is_same(given, addr_spec_print(given->arena, &from)) ? "the sender is the address that replies come from"
                                                                : NULL;
}

static const char *find_excluded(const struct silence_case *given)
{
    const struct responder_message *message = given->question->message;
    const char *canonical = given->question->sender_canonical, *at = canonical ? strrchr(canonical, '@') : NULL;
    for (size_t i = 0; message && i < message->excluded_count; i++) {
        const char *entry = message->excluded[i];
        bool is_hit = entry[0] == '@' ? strcmp(entry + 1, given->plain.domain) == 0 || (at && strcmp(entry, at) == 0)
                                      : is_same(given, entry);
        if (is_hit)
            return arena_printf(given->arena, "the owner excludes %s", header_show(given->arena, span_of(entry), 100));
    }
    return NULL;
}

/* ---- the list ---- */

/* In step with the beginning of silence_whys. Past the second rule the sender is an address. */
static const struct {
    unsigned point;
    silence_rule *find;
} rules[] = {
    {1, find_null_sender},   {6, find_system_sender},     {0, find_bad_sender}, {7, find_own_address},
    {6, find_excluded},      {2, silence_auto_submitted}, {3, silence_list},    {4, silence_precedence},
    {8, silence_suppressed}, {9, silence_machine},        {8, silence_spam},    {5, silence_not_addressed},
    {28, silence_forged},
};

#define RULE_COUNT (sizeof rules / sizeof rules[0])

const struct check_why silence_whys[RULE_COUNT + 4] = {
    {"autoreply.null-sender", "The reverse-path is empty: a bounce, or another machine's answer. (1)"},
    {"autoreply.system-sender",
     "The reverse-path or an author (From) matches a pattern of addresses that nobody reads, such as noreply. (6)"},
    {WHY_BAD_SENDER, "The reverse-path is no address with a domain name."},
    {"autoreply.own-address", "The sender is the mailbox itself, by one of its addresses. (7)"},
    {"autoreply.excluded",
     "The owner has excluded the sender's address or domain; a domain is that one and none below it. (6)"},
    {"autoreply.auto-submitted", "There is an Auto-Submitted field that does not say \"no\". (2)"},
    {"autoreply.list", "There is a field of mailing lists: List-Id, List-Help, List-Subscribe, List-Unsubscribe, "
                       "List-Post, List-Owner or "
                       "List-Archive. (3)"},
    {"autoreply.precedence", "Precedence says bulk, junk, list or auto_reply. (4)"},
    {"autoreply.suppressed",
     "X-Auto-Response-Suppress names All, OOF or AutoReply, or there is X-Autoreply, X-Autorespond or X-Loop. (8)"},
    {"autoreply.machine",
     "It is a report (multipart/report and the like), a bounce that came with a sender, or it has a bounce address for "
     "each recipient (VERP) and a field of list software. (9)"},
    {"autoreply.spam", "A filter before us calls it spam: silence_on. (8)"},
    {"autoreply.not-addressed", "None of the mailbox's addresses is among the first 1000 in To, Cc, Bcc, Resent-To, "
                                "Resent-Cc and Resent-Bcc. (5)"},
    {"autoreply.forged", "SPF, DKIM or DMARC do not vouch for the sender as require_auth asks. (28)"},
    /* what takes more than the message to know: answer.c */
    {WHY_REMEMBERED, "The sender was answered with the same text less than the days between replies ago. (11)"},
    {WHY_CAP, "One of the caps on replies is reached. (30)"},
    {WHY_TROUBLE, "The store or the spool failed; no reply was sent."},
    {NULL, NULL},
};

struct silence silence_find(struct arena *arena, const struct silence_question *question)
{
    struct silence_case given = {.question = question, .arena = arena};
    given.is_address = addr_spec_parse(span_of(question->sender), &given.sender) == 0;
    if (given.is_address) {
        addr_spec_fold(&given.sender);
        given.plain = given.sender;
        given.sender_text = given.plain_text = addr_spec_print(arena, &given.sender);
        if (addr_spec_untag(&given.plain))
            given.plain_text = addr_spec_print(arena, &given.plain);
    }
    for (size_t i = 0; i < RULE_COUNT; i++) {
        const char *text = rules[i].find(&given);
        if (text)
            return (struct silence){silence_whys[i].token, rules[i].point, text};
    }
    return (struct silence){NULL, 0, NULL};
}
