/*
 * autoreply - the check: which mailboxes a message is for, and what is told of each.
 *
 * It runs when all others have accepted the message. Its refusals are silences: they concern the reply, never the
 * message, so they are counted and logged here and the message goes its way. Only on_error = tempfail makes a store or
 * spool that is down an affair of the sender's; otherwise mail flows, and the rooms themselves say once a minute what
 * is wrong.
 *
 * A message may have thousands of recipients who are all away, and the MTA waits while they are answered one after the
 * other. So all of them together have message_budget, each has an arena of its own that ends with it, and what is told
 * of them in the fact is cut.
 */
#include "checks/autoreply.h"
#include "core/counters.h"
#include "core/engine.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/strbuf.h"
#include "util/strset.h"
#include <stdio.h>

#define OPTION(member) offsetof(struct autoreply_options, member)
#define FACT_MOST 16384 /* bytes */

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
             "forged, or could not find out. pass: a reply only when SPF passes for MAIL FROM, or DMARC for an author of "
             "the same organizational domain. off: do not look. Authenticated and local users are not asked, and of "
             "trusted clients only what was evaluated: spf, dkim and dmarc leave them out by default."},
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
             "* for anything. The reverse-path is held against them, and the authors in From."},
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
    {.name = "message_budget",
     .type = OPTION_DURATION,
     .offset = OPTION(message_budget),
     .def = "20s",
     .min = 100,
     .max = 120000,
     .help = "For how long one message may be kept waiting while its replies are written down, however many of its "
             "recipients are away. Those that are left when it is over get no reply, and on_error decides about the "
             "message: with tempfail it comes back, and they get theirs then."},
    {0}};

struct answer_options autoreply_answer_options(const struct autoreply_options *options)
{
    return (struct answer_options){.require_auth = options->require_auth,
                                   .silence_on = options->silence_on,
                                   .noreply = options->noreply,
                                   .caps = {.per_minute = options->max_per_minute,
                                            .per_sender_domain_per_hour = options->max_per_sender_domain_per_hour,
                                            .per_mailbox_per_hour = options->max_per_mailbox_per_hour}};
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
    char name[64];
    if (call->services->counters && (size_t)snprintf(name, sizeof name, "why.%s", why) < sizeof name)
        counters_increment(call->services->counters, name);
}

/* What is under way for one message. */
struct asked {
    struct strset *mailboxes; /* those that were answered or not already */
    struct strbuf text;       /* of the fact */
    int64_t deadline;         /* us, monotonic */
    bool is_late;             /* it came before all were asked */
    bool is_in_trouble;
    bool has_reply; /* at least one of them */
};

static bool has_time(struct asked *asked)
{
    asked->is_late |= clock_monotonic_us() >= asked->deadline;
    return !asked->is_late;
}

/* Asked by posternctl explain, which tells what the daemon's monitor mode would not do. */
static bool only_monitors(const struct check_call *call)
{
    return call->services->is_trial &&
           plan_mode(call->plan, check_autoreply.name, session_class(call->session)) == MODE_MONITOR;
}

static void answer_for(const struct check_call *call, struct asked *asked, struct arena *arena, const char *mailbox,
                       struct span stored, const char *written_to)
{
    const struct answer_options options = autoreply_answer_options(call->options);
    const struct message *message = call->message;
    const unsigned class = session_class(call->session);
    const struct answer_question question = {.options = &options,
                                             .sender = message->reverse_path,
                                             .written_to = written_to,
                                             .mailbox = mailbox,
                                             .stored = stored,
                                             .headers = message->headers,
                                             .header_count = message->header_count,
                                             .spf = call_value(call, "spf"),
                                             .dkim = call_value(call, "dkim"),
                                             .dmarc = call_value(call, "dmarc"),
                                             .is_own_user = class == CLASS_AUTHENTICATED || class == CLASS_LOCAL,
                                             .is_trusted = class == CLASS_TRUSTED,
                                             .now = message->now,
                                             .is_trial = call->is_trial,
                                             .company = message->company};
    struct answer answer = answer_find(call->services->responding, arena, &question);
    strbuf_printf(&asked->text, "%s%s: %s%s%s%s", asked->text.len ? "; " : "", mailbox, answer.why ? answer.why : "",
                  answer.why ? ", " : "", answer.text,
                  answer.outcome == ANSWER_REPLY && only_monitors(call) ? ", were mode not monitor" : "");
    asked->has_reply |= answer.outcome == ANSWER_REPLY;
    if (answer.outcome == ANSWER_NOBODY)
        return;
    tell(call, mailbox, &answer);
    if (answer.why)
        count_why(call, answer.why);
    asked->is_in_trouble |= answer.outcome == ANSWER_TROUBLE;
}

static void answer_recipient(const struct check_call *call, struct asked *asked, const char *address)
{
    struct arena *names = arena_create(1024);
    struct answer_mailboxes mailboxes = answer_mailboxes(call->services->responding, names, address,
                                                         call->message->now, &asked->is_in_trouble);
    for (size_t i = 0; i < mailboxes.count && has_time(asked); i++) {
        if (!strset_add(asked->mailboxes, span_of(mailboxes.items[i])))
            continue;
        struct arena *own = arena_create(16384);
        answer_for(call, asked, own, mailboxes.items[i], mailboxes.stored[i], address);
        arena_destroy(own);
    }
    arena_destroy(names);
}

/* The time was over at recipient NEXT of the message. */
static void tell_late(const struct check_call *call, struct asked *asked, size_t next)
{
    struct answer late = {.outcome = ANSWER_TROUBLE,
                          .text = arena_printf(call->arena, "message_budget is over at recipient %zu of %zu", next,
                                               call->message->recipient_count)};
    strbuf_printf(&asked->text, "%s%s", asked->text.len ? "; " : "", late.text);
    tell(call, "", &late);
    asked->is_in_trouble = true;
}

/* For who asks why there is no reply; a daemon at work has nobody to tell. */
static void explain(const struct check_call *call, const char *text)
{
    if (call->is_trial)
        facts_set(call->facts, call->arena, "autoreply", text, NULL);
}

/* The caps are counted in the daemon's memory, and not known to who explains. */
static void explain_caps(const struct check_call *call)
{
    const struct autoreply_options *options = call->options;
    const struct {
        const char *name;
        int64_t most;
    } caps[] = {{"max_per_minute", options->max_per_minute},
                {"max_per_sender_domain_per_hour", options->max_per_sender_domain_per_hour},
                {"max_per_mailbox_per_hour", options->max_per_mailbox_per_hour}};
    const char *text = "";
    for (size_t i = 0; i < sizeof caps / sizeof *caps; i++) {
        if (caps[i].most > 0)
            text = arena_printf(call->arena, "%s%s%s = %lld", text, *text ? ", " : "", caps[i].name,
                                (long long)caps[i].most);
    }
    if (*text)
        facts_set(call->facts, call->arena, "autoreply.caps",
                  arena_printf(call->arena, "no reply past %s; only the running daemon knows how many there were", text),
                  NULL);
}

static struct result on_accepted(const struct check_call *call)
{
    const struct autoreply_options *options = call->options;
    const struct message *message = call->message;
    if (!*message->reverse_path) {
        explain(call, "autoreply.null-sender, the reverse-path is <>");
        return RESULT(RESULT_DUNNO);
    }
    if (!call->services->responding) {
        facts_set(call->facts, call->arena, "autoreply", "not looked up: the store cannot be opened from here", NULL);
        return RESULT(RESULT_DUNNO);
    }
    struct asked asked = {.mailboxes = strset_create(call->arena),
                          .deadline = clock_monotonic_us() + options->message_budget * 1000};
    strbuf_init(&asked.text, FACT_MOST);
    size_t i = 0;
    for (; i < message->recipient_count && has_time(&asked); i++) {
        const struct recipient *recipient = &message->recipients[i];
        if (!recipient->verdict.reply && !recipient->is_repeated)
            answer_recipient(call, &asked, recipient->address);
    }
    if (asked.is_late)
        tell_late(call, &asked, i);
    if (asked.text.len)
        facts_set(call->facts, call->arena, "autoreply", strbuf_text(&asked.text), NULL);
    else
        explain(call, asked.is_in_trouble ? "the store does not answer"
                                          : "no recipient is, or is an alias of, a mailbox that has something stored");
    if (asked.has_reply && call->services->is_trial)
        explain_caps(call);
    strbuf_free(&asked.text);
    if (!asked.is_in_trouble)
        return RESULT(RESULT_OK);
    count_why(call, WHY_TROUBLE);
    return options->common.on_error == ON_ERROR_TEMPFAIL
               ? (struct result){RESULT_ERROR, NULL, "not all replies could be queued: the store or the spool is down or slow"}
               : RESULT(RESULT_OK);
}

static const char *const provides[] = {"autoreply", "autoreply.caps", NULL};
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
