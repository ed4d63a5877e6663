/*
 * recipients - the limit at RCPT, its echo at DATA, and a second limit on the header.
 *
 * defer is what RFC 5321 4.5.3.1.10 asks for: a sending server keeps what was accepted and comes back with the rest.
 * A person's mail program does not come back, so our own users get reject-message: nobody is sent to half a list.
 * A local submission has no dialogue in which one recipient could be put off, and coming back would bring the same
 * list again: there every excess means reject-message.
 *
 * max_header looks at what the recipients will see: a list that is split over many transactions still carries all
 * its names in To and Cc. It counts addresses as written, repeated ones included.
 *
 * What this does not do: limit recipients per hour or per sender.
 */
#include "checks/recipients.h"
#include "mime/scan.h"

#define FACT_COUNT "recipients.count"
#define FACT_EXCESS "recipients.excess"
#define FACT_HEADER "recipients.header"

#define WHY_EXCESS "recipients.excess"
#define WHY_MESSAGE "recipients.message"
#define WHY_HEADER "recipients.header"

static const struct option_word action_words[] = {{"defer", RECIPIENTS_DEFER},
                                                  {"reject", RECIPIENTS_REJECT},
                                                  {"reject-message", RECIPIENTS_REJECT_MESSAGE},
                                                  {NULL, 0}};

#define MEMBER(field) .offset = offsetof(struct recipients_options, field)
#define REPLY(field, text, allowed, classes, sentence)                                                                 \
    {.name = #field, .type = OPTION_TEMPLATE, MEMBER(field), .def = text, .placeholders = allowed,                     \
     .reply_class = classes, .help = sentence}

static const struct option_row rows[] = {
    CHECK_OPTION_ROWS(struct recipients_options, "{ outside, trusted, authenticated, local }", "tempfail"),
    {.name = "max", .type = OPTION_INT, MEMBER(max), .def = "100", .min = 1, .max = 100000,
     .help = "Distinct recipients a message may have. A repeated address counts once, a refused one does not count. "
             "RFC 5321 wants a server to take at least 100."},
    {.name = "excess", .type = OPTION_ENUM, MEMBER(excess), .def = "defer", .words = action_words,
     .help = "What to do beyond max for clients that are not authenticated. defer: answer 4xx to each recipient too "
             "many, the others stand. reject: the same with 5xx. reject-message: also refuse the whole message at "
             "DATA."},
    {.name = "excess_authenticated", .type = OPTION_ENUM, MEMBER(excess_authenticated), .def = "reject-message",
     .words = action_words,
     .help = "The same for authenticated clients. A local submission always gets reject-message, for there nobody "
             "would come back with the rest."},
    {.name = "max_header", .type = OPTION_INT, MEMBER(max_header), .def = "0", .min = 0, .max = 1000000,
     .help = "Addresses that To and Cc may hold together, against lists that are split over several messages. 0 is "
             "no limit."},
    REPLY(reply_defer, "452 4.5.3 <{rcpt}>... Too many recipients, at most {limit} a message", "rcpt limit count", "4",
          "The answer to a recipient too many, for defer. {rcpt} is the recipient, {limit} is max, {count} is how many "
          "there would be with this one."),
    REPLY(reply_reject, "550 5.5.3 <{rcpt}>... Too many recipients, at most {limit} a message", "rcpt limit count",
          "5", "The answer to a recipient too many, for reject and reject-message, with the same placeholders."),
    REPLY(reply_message, "554 5.5.3 Too many recipients, at most {limit} a message; nothing was sent", "limit count",
          "5", "The answer to DATA, for reject-message. {limit} is max, {count} is how many recipients were within it."),
    REPLY(reply_header, "554 5.5.3 Too many recipients in To and Cc: {count}, at most {limit}", "limit count", "5",
          "The answer to a message with more than max_header addresses. {limit} is max_header, {count} is how many "
          "there are."),
    {.name = NULL}};

static const struct check_why whys[] = {
    {WHY_EXCESS, "This recipient is beyond the limit of recipients a message."},
    {WHY_MESSAGE, "The message had a recipient beyond the limit, so it is refused for all of them."},
    {WHY_HEADER, "To and Cc hold more addresses than allowed."},
    {NULL, NULL}};

enum recipients_action recipients_decide(const struct recipients_options *options, const struct recipients_facts *facts)
{
    if (facts->is_repeated || facts->standing < (uint64_t)options->max)
        return RECIPIENTS_PASS;
    switch (facts->class) {
    case CLASS_LOCAL:
        return RECIPIENTS_REJECT_MESSAGE;
    case CLASS_AUTHENTICATED:
        return (enum recipients_action)options->excess_authenticated;
    case CLASS_OUTSIDE:
    case CLASS_TRUSTED:
        break;
    }
    return (enum recipients_action)options->excess;
}

bool recipients_header_is_over(const struct recipients_options *options, size_t count)
{
    return options->max_header > 0 && count > (uint64_t)options->max_header;
}

static const char *expand(const struct check_call *call, const struct template *template, const char *rcpt,
                          int64_t limit, size_t count)
{
    char limit_text[24], count_text[24];
    snprintf(limit_text, sizeof limit_text, "%lld", (long long)limit);
    snprintf(count_text, sizeof count_text, "%zu", count);
    const struct placeholder values[] = {{"rcpt", span_of(rcpt)},
                                         {"limit", span_of(limit_text)},
                                         {"count", span_of(count_text)},
                                         {NULL, {NULL, 0}}};
    return template_expand(template, call->arena, values);
}

static struct result on_rcpt(const struct check_call *call)
{
    const struct recipients_options *options = call->options;
    const struct recipients_facts facts = {.class = session_class(call->session),
                                           .standing = call->message->distinct_count,
                                           .is_repeated = call->recipient->is_repeated};
    enum recipients_action action = recipients_decide(options, &facts);
    if (action == RECIPIENTS_PASS)
        return RESULT(RESULT_OK);
    const struct option_word *word = action_words;
    while (word->value != (int)action)
        word++;
    if (!call_fact(call, FACT_EXCESS))
        facts_set(call->facts, call->arena, FACT_EXCESS, word->name, word);
    bool defer = action == RECIPIENTS_DEFER;
    return (struct result){defer ? RESULT_DEFER : RESULT_REJECT, WHY_EXCESS,
                           expand(call, defer ? options->reply_defer : options->reply_reject,
                                  call->recipient->address, options->max, facts.standing + 1)};
}

static struct result on_data(const struct check_call *call)
{
    const struct recipients_options *options = call->options;
    const struct fact *excess = call_fact(call, FACT_EXCESS);
    size_t standing = call->message->distinct_count;
    facts_set(call->facts, call->arena, FACT_COUNT, arena_printf(call->arena, "%zu", standing), NULL);
    if (!excess || ((const struct option_word *)excess->value)->value != RECIPIENTS_REJECT_MESSAGE)
        return RESULT(RESULT_OK);
    return (struct result){RESULT_REJECT, WHY_MESSAGE,
                           expand(call, options->reply_message, "", options->max, standing)};
}

/* The values of To and Cc as strings: a NUL would end one early, so it becomes a blank. One walk over the header, for
 * a client may send a hundred thousand of them. */
static const char **collect_values(const struct check_call *call, size_t *count)
{
    const struct message *message = call->message;
    size_t capacity = 0;
    const char **values = NULL;
    *count = 0;
    for (size_t i = 0; i < message->header_count; i++) {
        const struct header_field *field = &message->headers[i];
        if (!span_equals_nocase(field->name, "To") && !span_equals_nocase(field->name, "Cc"))
            continue;
        char *value = arena_spandup(call->arena, field->value);
        for (size_t at = 0; at < field->value.len; at++) {
            if (!value[at])
                value[at] = ' ';
        }
        values = arena_grow(call->arena, values, &capacity, *count + 1, sizeof *values);
        values[(*count)++] = value;
    }
    return values;
}

static struct result on_eoh(const struct check_call *call)
{
    const struct recipients_options *options = call->options;
    if (options->max_header == 0)
        return RESULT(RESULT_DUNNO);
    size_t fields;
    const char **values = collect_values(call, &fields);
    size_t count = fields ? scan_count_addresses(values, fields) : 0;
    facts_set(call->facts, call->arena, FACT_HEADER, arena_printf(call->arena, "%zu", count), NULL);
    if (!recipients_header_is_over(options, count))
        return RESULT(RESULT_OK);
    return (struct result){RESULT_REJECT, WHY_HEADER,
                           expand(call, options->reply_header, "", options->max_header, count)};
}

/* The header is kept for the second limit only. */
static unsigned needs_with(const void *options)
{
    return ((const struct recipients_options *)options)->max_header > 0 ? NEEDS_HEADER : 0;
}

static const char *const provides[] = {FACT_COUNT, FACT_EXCESS, FACT_HEADER, NULL};

const struct check check_recipients = {
    .name = "recipients",
    .summary = "Limits the number of recipients a message may have.",
    .rows = rows,
    .options_size = sizeof(struct recipients_options),
    .whys = whys,
    .needs = NEEDS_HEADER,
    .needs_with = needs_with,
    .provides = provides,
    .on_rcpt = on_rcpt,
    .on_data = on_data,
    .on_eoh = on_eoh,
};
