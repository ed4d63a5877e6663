/*
 * runner - runs the plan's checks phase by phase and turns their results into one outcome.
 *
 * Here, and only here: modes, classes, on_error, the rule that a local submission is answered at end of message only
 * (Postfix would keep it in its queue for ever), the verdict, the microseconds a check, and the log lines.
 * THREADS: those of the session.
 */
#ifndef POSTERN_CORE_RUNNER_H
#define POSTERN_CORE_RUNNER_H

#include "core/engine.h"

enum outcome_action {
    OUTCOME_CONTINUE,
    OUTCOME_TEMPFAIL,
    OUTCOME_REJECT,
    OUTCOME_DISCARD /* accepted, and all of it is done elsewhere; only of runner_finish() */
};

struct outcome {
    enum outcome_action action;
    const char *reply; /* "550 5.7.1 ..." on the message's arena; NULL with CONTINUE */
};

void runner_connect(const struct engine *engine, struct session *session);
/* HELO as the client said it; each one replaces the one before. */
void runner_helo(const struct engine *engine, struct session *session, const char *helo);
struct outcome runner_mail(const struct engine *engine, struct session *session, struct message *message);
/* RECIPIENT from message_add_rcpt(), NULL included. */
struct outcome runner_rcpt(const struct engine *engine, struct session *session, struct message *message,
                           struct recipient *recipient);
struct outcome runner_data(const struct engine *engine, struct session *session, struct message *message);
/* What it decides, and what DATA would have if it did not come, is answered by runner_eom(). */
void runner_eoh(const struct engine *engine, struct session *session, struct message *message);

/* BYTES of the body, cut anywhere: kept if somebody keeps the content, and shown to the checks that read the stream. */
void runner_body(const struct engine *engine, struct session *session, struct message *message, struct span bytes);

/* On CONTINUE the caller applies message->edits; then, whatever it says, runner_finish(). */
struct outcome runner_eom(const struct engine *engine, struct session *session, struct message *message);

/* The last word, and the message's one log line. EDITS_FAILED: the MTA did not take them. */
struct outcome runner_finish(const struct engine *engine, struct session *session, struct message *message,
                             bool edits_failed);

/* True once nothing that follows can change the answer: the rest of the body is of no use. */
bool runner_is_decided(const struct engine *engine, const struct session *session, const struct message *message);

#endif
