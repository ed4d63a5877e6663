/*
 * sender_builtin - check_host() of RFC 7208, a walk over the parsed terms.
 *
 * One struct sender_walk is one evaluation with all its includes and redirects, because the limits are for the whole of
 * it. `include` calls check_domain() again and `redirect` goes round its loop; both count as terms, so ten of them end
 * any recursion. When the first term that needs the DNS is reached, the look-ups of all such terms are started, so that
 * a record of ten includes takes as long as the slowest of them, and a record that matches on ip4 asks nothing.
 *
 * What this does not do: libspf2's best guess, type 99, RFC 4408.
 */
#include "auth/sender_walk.h"

static enum auth_result check_domain(struct sender_walk *walk, const char *domain, bool is_include);

static enum sender_match match_include(struct sender_frame *frame, const struct sender_term *term)
{
    switch (check_domain(frame->walk, sender_target(frame, term), true)) {
    case AUTH_PASS:
        return MATCH_YES;
    case AUTH_TEMPERROR:
        return MATCH_TEMPERROR;
    case AUTH_PERMERROR:
        return MATCH_PERMERROR;
    case AUTH_NONE:
        frame->walk->answer->reason =
            arena_printf(frame->walk->query->arena, "%s: nothing to include there", term->text);
        return MATCH_PERMERROR;
    default:
        return MATCH_NO;
    }
}

static bool count_lookup(struct sender_walk *walk)
{
    if (walk->answer->lookups == SENDER_LOOKUPS_MAX) {
        walk->answer->reason = "more than 10 terms that cost look-ups";
        return false;
    }
    walk->answer->lookups++;
    return true;
}

static enum sender_match match_term(struct sender_frame *frame, size_t number)
{
    const struct sender_term *term = &frame->record.terms[number];
    if (term->mechanism == SENDER_ALL)
        return MATCH_YES;
    if (term->mechanism == SENDER_IP4 || term->mechanism == SENDER_IP6)
        return sender_match_address(frame->walk->query, term);
    if (!count_lookup(frame->walk))
        return MATCH_PERMERROR;
    sender_prefetch(frame, number);
    return term->mechanism == SENDER_INCLUDE ? match_include(frame, term) : sender_match_names(frame, term);
}

/* The text of exp=. Whatever is wrong with it, there is just none (RFC 7208 6.2). */
static const char *fetch_explanation(struct sender_frame *frame)
{
    const struct sender_query *query = frame->walk->query;
    size_t at;
    if (!frame->record.exp)
        return NULL;
    const struct dns_answer *answer =
        sender_ask(frame->walk, sender_expand(frame, frame->record.exp, SENDER_MACRO_DOMAIN), DNS_TXT);
    if (answer->outcome != DNS_ANSWER || answer->count != 1 ||
        sender_macro_check(answer->records[0].text, SENDER_MACRO_TEXT, &at) != NULL)
        return NULL;
    const char *text = sender_expand(frame, arena_spandup(query->arena, answer->records[0].text), SENDER_MACRO_TEXT);
    return sender_printable(query->arena, span_of(text));
}

static enum auth_result matched(struct sender_frame *frame, const struct sender_term *term, bool is_include)
{
    struct sender_answer *answer = frame->walk->answer;
    enum auth_result result = term->qualifier == '-'   ? AUTH_FAIL
                              : term->qualifier == '~' ? AUTH_SOFTFAIL
                              : term->qualifier == '?' ? AUTH_NEUTRAL
                                                       : AUTH_PASS;
    if (is_include)
        return result;
    answer->term = term->text;
    if (result == AUTH_FAIL || result == AUTH_SOFTFAIL)
        answer->reason = arena_printf(frame->walk->query->arena, "mechanism %s", term->text);
    if (result == AUTH_FAIL)
        answer->explanation = fetch_explanation(frame);
    return result;
}

/* The record of the frame's domain; SENDER_FOUND, or the result that takes its place. */
static bool find_record(struct sender_frame *frame, enum auth_result *result)
{
    struct sender_walk *walk = frame->walk;
    struct span text;
    const char *reason = NULL;
    enum sender_found found = SENDER_FOUND_NONE;
    if (sender_is_askable(frame->domain) && strchr(frame->domain, '.'))
        found = sender_find(walk->query, frame->domain, &text, &frame->record, &reason);
    if (found == SENDER_FOUND || found == SENDER_FOUND_MALFORMED) {
        if (!walk->answer->record)
            walk->answer->record = sender_printable(walk->query->arena, text);
    }
    *result = found == SENDER_FOUND_NONE ? AUTH_NONE : found == SENDER_FOUND_ERROR ? AUTH_TEMPERROR : AUTH_PERMERROR;
    if (found != SENDER_FOUND)
        walk->answer->reason = reason;
    return found == SENDER_FOUND;
}

static enum auth_result check_domain(struct sender_walk *walk, const char *domain, bool is_include)
{
    for (bool is_redirected = false;; is_redirected = true) {
        struct sender_frame frame = {.walk = walk, .domain = domain};
        enum auth_result result;
        if (!find_record(&frame, &result))
            return is_redirected && result == AUTH_NONE ? AUTH_PERMERROR : result;
        for (size_t i = 0; i < frame.record.count; i++) {
            switch (match_term(&frame, i)) {
            case MATCH_NO:
                break;
            case MATCH_YES:
                return matched(&frame, &frame.record.terms[i], is_include);
            case MATCH_TEMPERROR:
                return AUTH_TEMPERROR;
            case MATCH_PERMERROR:
                return AUTH_PERMERROR;
            }
        }
        if (!frame.record.redirect)
            return AUTH_NEUTRAL;
        if (!count_lookup(walk))
            return AUTH_PERMERROR;
        domain = sender_expand(&frame, frame.record.redirect, SENDER_MACRO_DOMAIN);
    }
}

void sender_check_builtin(const struct sender_query *query, struct sender_answer *answer)
{
    struct sender_walk walk = {.query = query, .answer = answer};
    answer->result = check_domain(&walk, query->domain, false);
}
