/*
 * explain - one message through the daemon's own runner, and the story of it.
 */
#ifndef POSTERN_CTL_EXPLAIN_H
#define POSTERN_CTL_EXPLAIN_H

#include "core/runner.h"
#include <stdio.h>

/* What a phase answered. */
struct explain_step {
    enum phase phase;
    const char *argument;          /* the HELO name, the address; NULL where there is none */
    const char *reply;             /* "250", or the refusal */
    const struct verdict *verdict; /* who refused; NULL: nobody */
};

struct explanation {
    const struct engine *engine;
    const struct session *session;
    const struct message *message;
    struct verdict verdict; /* of the message, or of the recipients when none was left */
    struct explain_step *steps;
    size_t step_count, step_capacity;
    int64_t elapsed_us;
};

/* Why CHECK was not asked, or why what it says is not done; NULL: it was, and is. */
const char *explain_check(const struct explanation *explanation, const struct check *check, bool *is_asked);

void explain_print_text(FILE *out, const struct explanation *explanation);
void explain_print_json(FILE *out, const struct explanation *explanation);

#endif
