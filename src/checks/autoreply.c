/*
 * autoreply - the check: which mailboxes a message is for, and what is told of each.
 *
 * It runs when all others have accepted the message. Its refusals are silences: they concern the reply, never the
 * message, so they are counted and logged here and the message goes its way. Only on_error = tempfail makes a store or
 * spool that is down an affair of the sender's; otherwise mail flows, and the rooms themselves say once a minute what is
 * wrong.
 */
#include "checks/autoreply.h"
#include "core/counters.h"
#include "util/log.h"

#define OPTION(member) offsetof(struct autoreply_options, member)

static const struct option_word auth_words[] = {{"not-fail", SILENCE_AUTH_NOT_FAIL},
                                                {"pass", SILENCE_AUTH_PASS},
                                                {"off", SILENCE_AUTH_OFF},
                                                {NULL, 0}};

static const char *verify_header(const char *value)
{
    const char *colon = strchr(value, ':');
    if (!colon || colon == value)
        return "is not of the form FIELD: VALUE";
    for (const char *p = value; p < colon; p++) {
        if (*p <= ' ' || *p > '~')
            return "has a field name that no header can have";
    }
    return NULL;
}

static const struct option_row rows[] = {
    CHECK_OPTION_ROWS(struct autoreply_options, "{ outside, trusted, authenticated, local }", "accept"),
    {.name = "require_auth",
     .type = OPTION_ENUM,
     .offset = OPTION(require_auth),
     .def = "not-fail",
     .words = auth_words,
     .help = "Whether a stranger's address must be his own. not-fail: no reply when SPF, DKIM or DMARC say that it is "
             "forged, or could not find out. pass: a reply only when SPF or DMARC pass. off: do not look. Our own users "
             "are not asked."},
    {.name = "silence_on",
     .type = OPTION_STRINGS,
     .offset = OPTION(silence_on),
     .def = "{ \"X-Spam-Flag: YES\", \"X-Spam: Yes\", \"X-Spam-Status: Yes\" }",
     .verify = verify_header,
     .help = "Header fields, as filters before Postern write them, that forbid a reply: the name of a field and how its "
             "value begins, in any case."},
    {.name = "noreply",
     .type = OPTION_STRINGS,
     .offset = OPTION(noreply),
     .def = SILENCE_NOREPLY_DEFAULT,
     .help = "Senders that get no reply, because no person reads it: a local part or a whole address, in any case, with "
             "* for anything."},
    {.name = "max_per_minute",
     .type = OPTION_INT,
     .offset = OPTION(max_per_minute),
     .def = "600",
     .max = 1000000,
     .help = "How many replies may leave in a minute, from this machine. 0: no limit."},
    {.name = "max_per_sender_domain_per_hour",
     .type = OPTION_INT,
     .offset = OPTION(max_per_sender_domain_per_hour),
     .def = "500",
     .max = 1000000,
     .help = "How many may go to one domain in an hour. 0: no limit."},
    {.name = "max_per_mailbox_per_hour",
     .type = OPTION_INT,
     .offset = OPTION(max_per_mailbox_per_hour),
     .def = "200",
     .max = 1000000,
     .help = "How many may leave for one mailbox in an hour. 0: no limit."},
    {0}};

struct answer_options autoreply_answer_options(const struct autoreply_options *options)
{
    return (struct answer_options){.require_auth = options->require_auth,
                                   .silence_on = options->silence_on,
                                   .noreply = options->noreply,
                                   .caps = {options->max_per_minute, options->max_per_sender_domain_per_hour,
                                            options->max_per_mailbox_per_hour}};
}

static const void *value_of(const struct check_call *call, const char *name)
{
    const struct fact *fact = call_fact(call, name);
    return fact ? fact->value : NULL;
}

/* One line a mailbox whose owner is away. */
static void tell(const struct check_call *call, const char *mailbox, const struct answer *answer)
{
    static const char *const words[] = {"nobody", "silence", "queued", "trouble"};
    const struct message *message = call->message;
    const struct log_field fields[] = {
        LOG_STRING("id", message->queue_id ? message->queue_id : call->session->id),
        LOG_STRING("mailbox", mailbox),
        LOG_STRING("to", message->reverse_path),
        LOG_STRING("message", answer->message ? answer->message : ""),
        LOG_STRING("verdict", answer->outcome == ANSWER_REPLY && call->is_trial ? "would-queue" : words[answer->outcome]),
        LOG_STRING("why", answer->why ? answer->why : answer->outcome == ANSWER_TROUBLE ? WHY_TROUBLE : NULL),
        LOG_STRING("text", answer->text),
        LOG_NUMBER("spool", answer->spool_id)};
    size_t count = sizeof fields / sizeof *fields - (answer->spool_id ? 0 : 1);
    log_event(answer->outcome == ANSWER_TROUBLE ? LEVEL_WARNING : LEVEL_INFO, "autoreply", fields, count);
}

static void count_why(const struct check_call *call, const char *why)
{
    if (call->services->counters)
        counters_increment(call->services->counters, arena_printf(call->arena, "why.%s", why));
}

struct asked {
    const char **mailboxes; /* those that were answered or not already */
    size_t count, capacity;
    bool is_in_trouble;
};

static bool is_new(struct asked *asked, struct arena *arena, const char *mailbox)
{
    for (size_t i = 0; i < asked->count; i++) {
        if (strcmp(asked->mailboxes[i], mailbox) == 0)
            return false;
    }
    asked->mailboxes = arena_grow(arena, asked->mailboxes, &asked->capacity, asked->count + 1, sizeof *asked->mailboxes);
    asked->mailboxes[asked->count++] = mailbox;
    return true;
}

static void answer_for(const struct check_call *call, struct asked *asked, const char *mailbox, const char *written_to)
{
    const struct answer_options options = autoreply_answer_options(call->options);
    const struct message *message = call->message;
    const struct answer_question question = {.options = &options,
                                             .sender = message->reverse_path,
                                             .written_to = written_to,
                                             .mailbox = mailbox,
                                             .headers = message->headers,
                                             .header_count = message->header_count,
                                             .spf = value_of(call, "spf"),
                                             .dkim = value_of(call, "dkim"),
                                             .dmarc = value_of(call, "dmarc"),
                                             .is_own_user = session_class(call->session) != CLASS_OUTSIDE,
                                             .now = message->now,
                                             .is_trial = call->is_trial};
    struct answer answer = answer_find(call->services->responding, call->arena, &question);
    const struct fact *before = call_fact(call, "autoreply");
    facts_set(call->facts, call->arena, "autoreply",
              arena_printf(call->arena, "%s%s%s: %s%s%s", before ? before->text : "", before ? "; " : "", mailbox,
                           answer.why ? answer.why : "", answer.why ? ", " : "", answer.text),
              NULL);
    if (answer.outcome == ANSWER_NOBODY)
        return;
    tell(call, mailbox, &answer);
    if (answer.why)
        count_why(call, answer.why);
    asked->is_in_trouble |= answer.outcome == ANSWER_TROUBLE;
}

/* For who asks why there is no reply; a daemon at work has nobody to tell. */
static void explain(const struct check_call *call, const char *text)
{
    if (call->is_trial)
        facts_set(call->facts, call->arena, "autoreply", text, NULL);
}

static struct result on_accepted(const struct check_call *call)
{
    const struct autoreply_options *options = call->options;
    const struct message *message = call->message;
    struct asked asked = {.count = 0};
    if (!*message->reverse_path) {
        explain(call, "autoreply.null-sender, the reverse-path is <>");
        return RESULT(RESULT_DUNNO);
    }
    if (!call->services->responding) {
        facts_set(call->facts, call->arena, "autoreply", "not looked up: the store cannot be opened from here", NULL);
        return RESULT(RESULT_DUNNO);
    }
    for (size_t i = 0; i < message->recipient_count; i++) {
        const struct recipient *recipient = &message->recipients[i];
        if (recipient->verdict.reply || recipient->is_repeated)
            continue;
        struct answer_mailboxes mailboxes = answer_mailboxes(call->services->responding, call->arena,
                                                             recipient->address, message->now, &asked.is_in_trouble);
        for (size_t k = 0; k < mailboxes.count; k++) {
            if (is_new(&asked, call->arena, mailboxes.items[k]))
                answer_for(call, &asked, mailboxes.items[k], recipient->address);
        }
    }
    if (asked.count == 0)
        explain(call, asked.is_in_trouble ? "the store does not answer"
                                          : "no recipient is, or is an alias of, a mailbox that has something stored");
    if (!asked.is_in_trouble)
        return RESULT(RESULT_OK);
    count_why(call, WHY_TROUBLE);
    return options->common.on_error == ON_ERROR_TEMPFAIL
               ? (struct result){RESULT_ERROR, NULL, "no reply could be queued: the store or the spool is down"}
               : RESULT(RESULT_OK);
}

static const char *const provides[] = {"autoreply", NULL};
static const char *const needs_facts[] = {"spf", "dkim", "dmarc", NULL};

const struct check check_autoreply = {
    .name = "autoreply",
    .summary = "Answers for people who are away, once in some days for each sender.",
    .rows = rows,
    .options_size = sizeof(struct autoreply_options),
    .whys = silence_whys,
    .needs = NEEDS_HEADER,
    .provides = provides,
    .needs_facts = needs_facts,
    .on_accepted = on_accepted,
};
