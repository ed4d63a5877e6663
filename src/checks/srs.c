/*
 * srs - asks at RCPT whether an SRS address of ours may be used, and behind all other checks what becomes of the
 * message.
 *
 * Everything that could fail happens before the answer: codec and tables in on_accepted, which queues the edits; the
 * copies go into the spool in on_commit, all in one transaction, when the MTA has taken the edits. So a message that is
 * answered 4xx has left nothing behind, and comes back whole.
 *
 * A message in quarantine goes nowhere by itself, so it is not split: its envelope is edited as a whole, and it travels
 * on if somebody releases it.
 *
 * What this does not do: rewrite the header, seal with ARC.
 */
#include "checks/srs.h"
#include "auth/sender.h"
#include "core/engine.h"
#include "srs/copies.h"
#include "util/crash.h"
#include "util/log.h"
#include "util/smtp_path.h"
#include <strings.h>

#define WHY_FORGED "srs.forged"
#define WHY_EXPIRED "srs.expired"
#define WHY_UNKNOWN "srs.unknown"
#define WHY_NOT_A_BOUNCE "srs.not-a-bounce"
#define WHY_LOOP "srs.loop"
#define WHY_FULL "srs.spool-full"
#define WHY_SPOOL "srs.spool-failed"

#define REVERSALS_MAX 5 /* SRS1 of ours that stands for an SRS0 of ours, and so on */
#define SPF_RESERVE 25  /* per cent of the DNS budget that are left for the other checks */

static const struct check_why whys[] = {
    {WHY_FORGED, "An SRS address that was not made here, or with a secret that is no longer in secrets_file."},
    {WHY_EXPIRED, "An SRS address of ours that is older than max_age."},
    {WHY_UNKNOWN, "An address that looks like SRS and is none, or whose long sender is no longer in the store."},
    {WHY_NOT_A_BOUNCE, "A genuine SRS address, but only bounces may use it."},
    {WHY_LOOP, "The message was sent on from here before, for the same recipient or too often; or the forward table leads "
               "back to where it began."},
    {WHY_FULL, "The spool is full, so the copies that are to be sent on cannot be taken."},
    {WHY_SPOOL, "The copies that are to be sent on could not be written to the spool."},
    {NULL, NULL}};

/* What is kept of a message from RCPT to its end. */
struct kept {
    const char **originals; /* by number of the recipient; NULL: no SRS address of ours */
    size_t capacity;
    struct travel travel;
    const char *trace; /* value of the field for the copies; NULL: none */
    bool is_planned;   /* on_accepted has queued edits */
};

static struct kept *kept_of(const struct check_call *call)
{
    if (!*call->state)
        *call->state = ARENA_NEW(call->arena, struct kept);
    return *call->state;
}

static const char *expand(const struct check_call *call, const struct template *template, const char *rcpt)
{
    const struct placeholder values[] = {{"rcpt", span_of(rcpt)},
                                         {"from", span_of(call->message->reverse_path)},
                                         {NULL, {NULL, 0}}};
    return template_expand(template, call->arena, values);
}

/* ---- RCPT ---- */

/* Bounces come from the null reverse-path, and from some servers that do not know better. */
static bool is_bounce(const char *reverse_path)
{
    size_t local = strcspn(reverse_path, "@");
    return !*reverse_path || (local == 13 && strncasecmp(reverse_path, "mailer-daemon", local) == 0) ||
           (local == 10 && strncasecmp(reverse_path, "postmaster", local) == 0);
}

/* The address that ADDRESS, an SRS address of ours, stands for in the end. */
static enum srs_outcome reverse(const struct check_call *call, const char *address, const char **original)
{
    const struct forwarding *forwarding = call->services->forwarding;
    enum srs_outcome outcome = SRS_OK;
    for (int i = 0; i < REVERSALS_MAX && outcome == SRS_OK && forwarding_is_ours(forwarding, address); i++) {
        outcome = srs_reverse(forwarding->srs, call->arena, address, call->message->now, original);
        address = *original;
    }
    return outcome == SRS_OK && forwarding_is_ours(forwarding, address) ? SRS_MALFORMED : outcome;
}

static void keep_original(const struct check_call *call, const char *original)
{
    struct kept *kept = kept_of(call);
    size_t number = (size_t)(call->recipient - call->message->recipients), before = kept->capacity;
    kept->originals = arena_grow(call->arena, kept->originals, &kept->capacity, number + 1, sizeof original);
    for (size_t i = before; i < kept->capacity; i++)
        kept->originals[i] = NULL;
    kept->originals[number] = original;
}

static struct result on_rcpt(const struct check_call *call)
{
    const struct srs_check_options *options = call->options;
    const struct forwarding *forwarding = call->services->forwarding;
    const char *address = call->recipient->address, *original = NULL;
    if (!forwarding || !forwarding->srs || !forwarding_is_ours(forwarding, address))
        return RESULT(RESULT_DUNNO);
    enum srs_outcome outcome = reverse(call, address, &original);
    if (outcome == SRS_DOWN)
        return (struct result){RESULT_ERROR, NULL, "a long sender cannot be looked up: the store does not answer"};
    if (outcome == SRS_EXPIRED)
        return (struct result){RESULT_REJECT, WHY_EXPIRED, expand(call, options->reply_expired, address)};
    if (outcome == SRS_FORGED)
        return (struct result){RESULT_REJECT, WHY_FORGED, expand(call, options->reply_forged, address)};
    if (outcome != SRS_OK || !smtp_path_is_safe(original))
        return (struct result){RESULT_REJECT, WHY_UNKNOWN, expand(call, options->reply_unknown, address)};
    if (!options->forwarding.reverse_any_sender && !is_bounce(call->message->reverse_path))
        return (struct result){RESULT_REJECT, WHY_NOT_A_BOUNCE, expand(call, options->reply_not_a_bounce, address)};
    keep_original(call, original);
    return RESULT(RESULT_OK);
}

/* ---- behind all checks ---- */

/* Does the SPF record of the sender permit every one of our addresses already? */
static bool is_allowed(const void *context)
{
    const struct check_call *call = context;
    const struct forwarding *forwarding = call->services->forwarding;
    struct dns_part part = message_dns_part(call->message, SPF_RESERVE);
    struct sender_query query = {.dns = call->services->dns, .budget = &part.budget, .arena = call->arena,
                                 .helo = call->settings->hostname, .receiver = call->settings->hostname,
                                 .now = call->message->now, .void_limit = 2};
    sender_split(call->arena, call->message->reverse_path, NULL, &query.local, &query.domain);
    bool is_allowed = forwarding->own_address_count > 0;
    for (size_t i = 0; i < forwarding->own_address_count && is_allowed; i++) {
        struct sender_answer answer;
        query.client = forwarding->own_addresses[i];
        sender_check(SENDER_BUILTIN, &query, &answer);
        is_allowed = answer.result == AUTH_PASS;
    }
    message_dns_settle(call->message, &part);
    return is_allowed;
}

/* Is the client this host itself? What it hands on for a stranger came here before. */
static bool client_is_here(const struct check_call *call)
{
    const struct forwarding *forwarding = call->services->forwarding;
    const struct session *session = call->session;
    if (session_class(session) == CLASS_LOCAL)
        return true;
    if (session_class(session) != CLASS_TRUSTED)
        return false;
    for (size_t i = 0; i < forwarding->own_address_count; i++) {
        if (netaddr_equal(&forwarding->own_addresses[i], &session->client))
            return true;
    }
    return netaddr_is_loopback(&session->client);
}

static struct travel find_travel(const struct check_call *call, const struct kept *kept)
{
    const struct srs_check_options *options = call->options;
    const struct message *message = call->message;
    enum disposition disposition = message->verdict.disposition;
    struct travel_recipient *recipients = ARENA_ARRAY(call->arena, struct travel_recipient, message->recipient_count + 1);
    struct travel_question question = {.forwarding = call->services->forwarding,
                                       .message = message,
                                       .recipients = recipients,
                                       .is_own_user = session_class(call->session) != CLASS_OUTSIDE,
                                       .client_is_here = client_is_here(call),
                                       .is_held = disposition == DISPOSITION_QUARANTINE,
                                       .stays_home = disposition == DISPOSITION_TAG && !options->forwarding.forward_tagged,
                                       .is_trial = call->is_trial,
                                       .is_allowed = options->forwarding.spf_aware ? is_allowed : NULL,
                                       .context = call};
    for (size_t i = 0; i < message->recipient_count; i++) {
        const struct recipient *recipient = &message->recipients[i];
        if (!recipient->verdict.reply)
            recipients[question.recipient_count++] = (struct travel_recipient){
                recipient->address, recipient->parameters, i < kept->capacity ? kept->originals[i] : NULL};
    }
    return travel_find(call->arena, &question);
}

/* 0, or -1: an address that SMTP cannot carry. Then none is queued: with on_error = accept the message goes on, and one
 * who was taken out would be served by nobody. */
static int queue_edits(const struct check_call *call, const struct dispatch *dispatch, const char *reverse_path)
{
    int status = 0;
    size_t before = call->edits->count;
    if (reverse_path)
        status |= edits_change_sender(call->edits, call->arena, reverse_path);
    for (size_t i = 0; i < dispatch->removed_count; i++)
        status |= edits_delete_recipient(call->edits, call->arena, dispatch->removed[i]);
    for (size_t i = 0; i < dispatch->added_count; i++)
        status |= edits_add_recipient(call->edits, call->arena, dispatch->added[i].address,
                                      copies_rcpt_parameters(call->arena, dispatch->added[i].parameters));
    if (status != 0)
        call->edits->count = before;
    return status;
}

static struct result refuse_loop(const struct check_call *call, const struct travel *travel)
{
    const struct srs_check_options *options = call->options;
    if (!travel->forwarded_count)
        return RESULT(RESULT_OK);
    struct trace trace = trace_find(call->arena, call->message, travel->forwarded, travel->forwarded_count);
    if (!trace.seen_again && trace.hops <= options->forwarding.max_hops)
        return RESULT(RESULT_OK);
    const char *rcpt = trace.seen_again ? trace.seen_again : travel->forwarded[0];
    return (struct result){RESULT_REJECT, WHY_LOOP, expand(call, options->reply_loop, rcpt)};
}

static void add_trace(const struct check_call *call, struct kept *kept)
{
    const struct travel *travel = &kept->travel;
    const struct message *message = call->message;
    if (!travel->forwarded_count)
        return;
    kept->trace = trace_value(call->arena, call->settings->hostname,
                              message->queue_id ? message->queue_id : call->session->id, travel->forwarded,
                              travel->forwarded_count);
    if (!travel->dispatch.copy_count)
        edits_add_folded(call->edits, call->arena, TRACE_FIELD, kept->trace);
}

static struct result on_accepted(const struct check_call *call)
{
    const struct srs_check_options *options = call->options;
    struct kept *kept = kept_of(call);
    if (!call->services->forwarding) {
        facts_set(call->facts, call->arena, "srs", "not looked at: the store or the secrets cannot be read from here", NULL);
        return RESULT(RESULT_DUNNO);
    }
    struct travel *travel = &kept->travel;
    *travel = find_travel(call, kept);
    if (travel->problem)
        return (struct result){RESULT_ERROR, NULL, travel->problem};
    if (travel->loop)
        return (struct result){RESULT_REJECT, WHY_LOOP, expand(call, options->reply_loop, travel->loop)};
    struct result result = refuse_loop(call, travel);
    const char *text = travel_tell(call->arena, travel);
    if (result.code != RESULT_OK || !text)
        return result;
    facts_set(call->facts, call->arena, "srs", text, NULL);
    if (plan_mode(call->plan, check_srs.name, session_class(call->session)) == MODE_MONITOR)
        return result;
    if (travel->dispatch.is_empty && travel->dispatch.copy_count == 0)
        return (struct result){RESULT_ERROR, NULL, "nobody would get the message"};
    if (queue_edits(call, &travel->dispatch, travel->reverse_path) != 0)
        return (struct result){RESULT_ERROR, NULL, "an address of the new envelope cannot be said in SMTP"};
    add_trace(call, kept);
    call->edits->discards = travel->dispatch.is_empty;
    kept->is_planned = true;
    return result;
}

/* ---- the last word ---- */

/* One line for each message that travels on. */
static void log_travel(const struct check_call *call, const struct kept *kept, const int64_t *ids)
{
    const struct message *message = call->message;
    const struct fact *fact = call_fact(call, "srs");
    const struct log_field fields[] = {LOG_STRING("id", message->queue_id ? message->queue_id : call->session->id),
                                       LOG_STRING("from", message->reverse_path),
                                       LOG_STRING("text", fact ? fact->text : ""),
                                       LOG_NUMBER("copies", (int64_t)kept->travel.dispatch.copy_count),
                                       LOG_NUMBER("spool", kept->travel.dispatch.copy_count ? ids[0] : 0)};
    log_event(LEVEL_INFO, "forward", fields, sizeof fields / sizeof *fields);
}

static struct result on_commit(const struct check_call *call)
{
    const struct kept *kept = *call->state;
    if (call->is_trial || !kept || !kept->is_planned)
        return RESULT(RESULT_DUNNO);
    int64_t *ids = ARENA_ARRAY(call->arena, int64_t, kept->travel.dispatch.copy_count + 1);
    crash_test_point("srs.commit");
    switch (copies_add(call->services->forwarding, call->arena, call->message, &kept->travel, kept->trace, ids)) {
    case SPOOL_OK:
        crash_test_point("srs.committed");
        log_travel(call, kept, ids);
        return RESULT(RESULT_OK);
    case SPOOL_FULL:
        return (struct result){RESULT_DEFER, WHY_FULL, "452 4.3.1 Too much mail is waiting to be sent on - try again later"};
    default:
        return (struct result){RESULT_DEFER, WHY_SPOOL, "451 4.3.0 Mail cannot be sent on now - try again later"};
    }
}

static unsigned needs_with(const void *options)
{
    const struct forwarding_options *forwarding = &((const struct srs_check_options *)options)->forwarding;
    bool may_copy = forwarding->mixed == FORWARDING_SPLIT && (forwarding->domain || !forwarding->forward_tagged);
    return may_copy ? NEEDS_HEADER | NEEDS_CONTENT : NEEDS_HEADER;
}

static bool is_idle(const struct settings *settings, const void *options)
{
    return !forwarding_is_wanted(settings, &((const struct srs_check_options *)options)->forwarding);
}

static const char *const provides[] = {"srs", NULL};

const struct check check_srs = {
    .name = "srs",
    .summary = "Rewrites the reverse-path of mail that travels on (SRS), forwards by Postern's own table, and leads "
               "bounces home.",
    .rows = srs_rows,
    .options_size = sizeof(struct srs_check_options),
    .whys = whys,
    .needs = NEEDS_HEADER | NEEDS_CONTENT,
    .needs_with = needs_with,
    .provides = provides,
    .edits_envelope = true,
    .is_idle = is_idle,
    .on_rcpt = on_rcpt,
    .on_accepted = on_accepted,
    .on_commit = on_commit,
    .acts_on_held = true,
};
