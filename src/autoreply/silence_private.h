/*
 * silence_private - what silence.c (the list, and the sender), silence_headers.c (the header) and silence_auth.c share.
 */
#ifndef POSTERN_AUTOREPLY_SILENCE_PRIVATE_H
#define POSTERN_AUTOREPLY_SILENCE_PRIVATE_H

#include "autoreply/addr_spec.h"
#include "autoreply/silence.h"

/* A question under way. */
struct silence_case {
    const struct silence_question *question;
    struct arena *arena;
    bool is_address;         /* the reverse-path is one: */
    struct addr_spec sender; /* as it came, local part in lower case */
    struct addr_spec plain;  /* without BATV tags */
    const char *sender_text, *plain_text; /* both as they are written; the same pointer if there was no tag */
};

/* Each: why not to answer, a phrase for people on the arena; NULL: no reason. */
typedef const char *silence_rule(const struct silence_case *given);

silence_rule silence_auto_submitted, silence_list, silence_precedence, silence_suppressed, silence_machine,
    silence_spam, silence_not_addressed, silence_forged;

/* "Precedence: bulk", printable. */
const char *silence_show(struct arena *arena, const struct header_field *field);

#endif
