/*
 * runner - the loop over the checks, once a phase.
 *
 * A check's result becomes a verdict here: monitor mode and on_error are applied, a refused recipient stays an affair
 * of that recipient, everything else strengthens the message's verdict. The first REJECT of a phase ends it, for
 * nothing is stronger; after a DEFER the rest is still asked, because a permanent refusal spares the sender a retry.
 *
 * A REJECT_UNLESS waits until the check that may vouch for the message has run. Then it is either dropped or judged as
 * the REJECT of the check that said it, with that check's name, mode and counters.
 *
 * What is decided at the end of the header is answered at the end of the message: the client sends all of it anyway,
 * and an answer that the MTA need not wait for is two context switches less.
 *
 * A local submission (sendmail(1)) has no client that could hear an answer to RCPT: Postfix would keep such a message
 * in its queue for ever. What is decided before the end of the message is kept in the verdict and answered there.
 */
#include "core/runner.h"
#include "core/mark.h"
#include "core/report.h"
#include "util/clock.h"

static const struct outcome go_on = {OUTCOME_CONTINUE, NULL};

static const char error_reply[] = "451 4.3.0 Service temporarily unavailable - try again later";

static enum disposition disposition_of(enum result_code code)
{
    switch (code) {
    case RESULT_DUNNO:
    case RESULT_OK:
    case RESULT_VOUCH:
        return DISPOSITION_ACCEPT;
    case RESULT_TAG:
        return DISPOSITION_TAG;
    case RESULT_QUARANTINE:
        return DISPOSITION_QUARANTINE;
    case RESULT_DEFER:
    case RESULT_ERROR:
        return DISPOSITION_TEMPFAIL;
    case RESULT_REJECT:
    case RESULT_REJECT_UNLESS:
        return DISPOSITION_REJECT;
    }
    return DISPOSITION_TEMPFAIL;
}

static struct outcome outcome_of(const struct verdict *verdict)
{
    switch (verdict->disposition) {
    case DISPOSITION_REJECT:
        return (struct outcome){OUTCOME_REJECT, verdict->reply};
    case DISPOSITION_TEMPFAIL:
        return (struct outcome){OUTCOME_TEMPFAIL, verdict->reply};
    default:
        return go_on;
    }
}

/* What everything in a phase has in common. */
struct run {
    const struct engine *engine;
    struct session *session;
    struct message *message;     /* NULL in connect and helo */
    struct recipient *recipient; /* in rcpt */
    enum phase phase;
};

static struct check_call call_of(const struct run *run, size_t number)
{
    const struct plan_entry *entry = &run->engine->plan.entries[number];
    struct message *message = run->message;
    struct check_call call = {.options = entry->options,
                              .settings = &run->engine->settings,
                              .services = &run->engine->services,
                              .session = run->session,
                              .message = message,
                              .recipient = run->recipient,
                              .is_trial = run->engine->services.is_trial || entry->mode == MODE_MONITOR,
                              .plan = &run->engine->plan,
                              .arena = run->session->arena,
                              .facts = &run->session->facts,
                              .edits = NULL};
    if (message) {
        call.arena = message->arena;
        call.facts = &message->facts;
        call.edits = &message->edits;
        call.state = &message->check_state[number];
    } else if (run->phase == PHASE_HELO) {
        call.arena = run->session->greeting;
        call.facts = &run->session->greeting_facts;
    }
    return call;
}

static struct result call_hook(const struct run *run, size_t number)
{
    const struct check_call call = call_of(run, number);
    int64_t start = clock_monotonic_us();
    struct result result = plan_hook(&run->engine->plan.entries[number], run->phase)(&call);
    if (run->message)
        run->message->check_us[number] += clock_monotonic_us() - start;
    return check_may_object(run->engine->plan.entries[number].check, run->phase) ? result : RESULT(RESULT_DUNNO);
}

/* RESULT as a verdict, with the check's on_error and mode applied. ACCEPT: nothing to object. */
static struct verdict judge(const struct run *run, const struct plan_entry *entry, struct result result)
{
    struct verdict verdict = {disposition_of(result.code), run->phase, entry->check->name, result.why, result.reply};
    if (result.code == RESULT_ERROR) {
        report_error(run->engine, run->session, run->message, entry->check->name, result.reply);
        verdict.why = entry->error;
        verdict.reply = error_reply;
        if (entry->options->on_error == ON_ERROR_ACCEPT)
            verdict.disposition = DISPOSITION_ACCEPT;
    }
    if (verdict.disposition != DISPOSITION_ACCEPT && entry->mode == MODE_MONITOR) {
        report_monitor(run->engine, run->session, run->message, run->recipient, &verdict);
        if (run->message)
            facts_set(&run->message->facts, run->message->arena,
                      arena_printf(run->message->arena, "monitor.%s", entry->check->name), verdict.why, NULL);
        verdict.disposition = DISPOSITION_ACCEPT;
    }
    return verdict;
}

/* Results that wait for a check that may vouch, the last one first. */
struct waiting {
    const struct waiting *next;
    const struct plan_entry *entry;
    struct result result;
};

static const struct waiting *put_off(const struct run *run, const struct waiting *next, const struct plan_entry *entry,
                                     struct result result)
{
    struct waiting *waiting = ARENA_NEW(run->message->arena, struct waiting);
    *waiting = (struct waiting){next, entry, result};
    return waiting;
}

static void judge_waiting(const struct run *run, const struct waiting *waiting, struct verdict *strongest)
{
    for (; waiting; waiting = waiting->next) {
        struct verdict verdict = judge(run, waiting->entry, waiting->result);
        verdict_strengthen(strongest, &verdict);
    }
}

/* The strongest verdict of one phase. In connect and helo nobody is judged: the class may still change. */
static struct verdict run_phase(const struct run *run)
{
    struct verdict strongest = {.disposition = DISPOSITION_ACCEPT, .phase = run->phase};
    const struct waiting *waiting = NULL;
    const struct plan *plan = &run->engine->plan;
    unsigned class = session_class(run->session);
    if (run->message)
        run->message->dns_budget->deadline_us = clock_monotonic_us() + run->message->dns_left_us;
    bool is_held = run->message && run->message->verdict.disposition == DISPOSITION_QUARANTINE;
    for (size_t i = 0; i < plan->count && strongest.disposition != DISPOSITION_REJECT; i++) {
        const struct plan_entry *entry = &plan->entries[i];
        if (!plan_hook(entry, run->phase) || (run->message && !(entry->options->applies_to & class)) ||
            (run->phase >= PHASE_ACCEPTED && is_held && !entry->check->acts_on_held))
            continue;
        struct result result = call_hook(run, i);
        if (result.code == RESULT_REJECT_UNLESS && run->phase == PHASE_EOM) {
            waiting = put_off(run, waiting, entry, result);
            continue;
        }
        struct verdict verdict = judge(run, entry, result);
        verdict_strengthen(&strongest, &verdict);
        if (entry->check->may_vouch) {
            if (result.code != RESULT_VOUCH)
                judge_waiting(run, waiting, &strongest);
            waiting = NULL;
        }
    }
    if (strongest.disposition != DISPOSITION_REJECT)
        judge_waiting(run, waiting, &strongest);
    if (run->message)
        run->message->dns_left_us = run->message->dns_budget->deadline_us - clock_monotonic_us();
    return strongest;
}

void runner_connect(const struct engine *engine, struct session *session)
{
    session->is_trusted = netset_has(engine->settings.general->trusted_networks, &session->client);
    struct run run = {engine, session, NULL, NULL, PHASE_CONNECT};
    run_phase(&run);
}

void runner_helo(const struct engine *engine, struct session *session, const char *helo)
{
    session_greet(session, helo);
    struct run run = {engine, session, NULL, NULL, PHASE_HELO};
    run_phase(&run);
}

/* A phase that judges the message as a whole. */
static void judge_message(const struct engine *engine, struct session *session, struct message *message,
                          enum phase phase)
{
    struct run run = {engine, session, message, NULL, phase};
    struct verdict verdict = run_phase(&run);
    verdict_strengthen(&message->verdict, &verdict);
}

/* The same where it is answered at once. */
static struct outcome run_message(const struct engine *engine, struct session *session, struct message *message,
                                  enum phase phase)
{
    judge_message(engine, session, message, phase);
    struct outcome outcome = outcome_of(&message->verdict);
    if (outcome.action == OUTCOME_CONTINUE || session->is_local)
        return go_on;
    report_message(engine, session, message);
    return outcome;
}

struct outcome runner_mail(const struct engine *engine, struct session *session, struct message *message)
{
    return run_message(engine, session, message, PHASE_MAIL);
}

struct outcome runner_rcpt(const struct engine *engine, struct session *session, struct message *message,
                           struct recipient *recipient)
{
    if (!recipient)
        return (struct outcome){OUTCOME_TEMPFAIL, "452 4.5.3 Too many recipients were refused"};
    struct run run = {engine, session, message, recipient, PHASE_RCPT};
    struct verdict verdict = run_phase(&run);
    struct outcome outcome = outcome_of(&verdict);
    if (session->is_local) {
        verdict_strengthen(&message->verdict, &verdict);
        outcome = go_on;
    }
    if (outcome.action == OUTCOME_CONTINUE) {
        message_accept_rcpt(message, recipient);
    } else {
        recipient->verdict = verdict;
        report_recipient(engine, session, message, recipient, &verdict);
    }
    return outcome;
}

struct outcome runner_data(const struct engine *engine, struct session *session, struct message *message)
{
    if (message->data_is_done)
        return go_on;
    message->data_is_done = true;
    return run_message(engine, session, message, PHASE_DATA);
}

void runner_eoh(const struct engine *engine, struct session *session, struct message *message)
{
    message->eoh_is_done = true;
    if (!message->data_is_done) { /* an MTA without a DATA step */
        message->data_is_done = true;
        judge_message(engine, session, message, PHASE_DATA);
    }
    if (!message->error && message->verdict.disposition != DISPOSITION_REJECT)
        judge_message(engine, session, message, PHASE_EOH);
}

void runner_body(const struct engine *engine, struct session *session, struct message *message, struct span bytes)
{
    const struct plan *plan = &engine->plan;
    struct run run = {engine, session, message, NULL, PHASE_EOM};
    message_add_body(message, bytes);
    if (bytes.len == 0 || message->error || message->verdict.disposition >= DISPOSITION_TEMPFAIL)
        return;
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_entry *entry = &plan->entries[i];
        if (!entry->check->on_body || !(entry->options->applies_to & (unsigned)session_class(session)))
            continue;
        const struct check_call call = call_of(&run, i);
        int64_t start = clock_monotonic_us();
        entry->check->on_body(&call, bytes);
        message->check_us[i] += clock_monotonic_us() - start;
    }
}

/* The message could not be kept whole, so it cannot be judged. */
static void judge_message_error(const struct engine *engine, const struct session *session, struct message *message)
{
    struct verdict verdict = {DISPOSITION_TEMPFAIL, PHASE_EOM, "message", NULL, NULL};
    switch (message->error) {
    case MESSAGE_TOO_LARGE:
        verdict.why = "message.too-large";
        verdict.reply = "452 4.3.4 Message is larger than this server can examine";
        break;
    case MESSAGE_HEADER_TOO_LARGE:
        verdict.disposition = DISPOSITION_REJECT;
        verdict.why = "message.header-too-large";
        verdict.reply = "554 5.6.0 Message header is too large";
        break;
    default:
        verdict.why = "message.no-space";
        verdict.reply = "452 4.3.1 Insufficient storage - try again later";
        report_error(engine, session, message, "message",
                     arena_printf(message->arena, "%s: %s", engine->settings.message->directory,
                                  strerror(message->saved_errno)));
        break;
    }
    verdict_strengthen(&message->verdict, &verdict);
}

struct outcome runner_eom(const struct engine *engine, struct session *session, struct message *message)
{
    /* A message may come without a header, and then without the end of one. */
    message_end_header(message);
    message->company = message_count();
    if (!message->eoh_is_done)
        runner_eoh(engine, session, message);
    if (message->error) {
        judge_message_error(engine, session, message);
    } else if (message->verdict.disposition < DISPOSITION_TEMPFAIL) {
        judge_message(engine, session, message, PHASE_EOM);
    }
    if (message->verdict.disposition < DISPOSITION_TEMPFAIL)
        judge_message(engine, session, message, PHASE_ACCEPTED);
    struct outcome outcome = outcome_of(&message->verdict);
    if (outcome.action == OUTCOME_CONTINUE) {
        mark_remove_forged(session, message);
        mark_message(&engine->settings, message);
    }
    return outcome;
}

struct outcome runner_finish(const struct engine *engine, struct session *session, struct message *message,
                             bool edits_failed)
{
    static const struct verdict refused = {DISPOSITION_TEMPFAIL, PHASE_EOM, "message", "message.edits-refused",
                                           error_reply};
    if (edits_failed)
        verdict_strengthen(&message->verdict, &refused);
    else if (message->verdict.disposition < DISPOSITION_TEMPFAIL && !engine->services.is_trial)
        judge_message(engine, session, message, PHASE_COMMIT);
    report_message(engine, session, message);
    struct outcome outcome = outcome_of(&message->verdict);
    if (outcome.action == OUTCOME_CONTINUE && message->edits.discards)
        outcome.action = OUTCOME_DISCARD;
    return outcome;
}

bool runner_is_decided(const struct engine *engine, const struct session *session, const struct message *message)
{
    return message->error || message->verdict.disposition >= DISPOSITION_TEMPFAIL ||
           !(plan_needs(&engine->plan, session_class(session)) & (NEEDS_CONTENT | NEEDS_BODY));
}
