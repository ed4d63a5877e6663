/*
 * fixture - a mailbox with a responder, and messages written as text.
 */
#ifndef POSTERN_TESTS_AUTOREPLY_FIXTURE_H
#define POSTERN_TESTS_AUTOREPLY_FIXTURE_H

#include "autoreply/compose.h"
#include "autoreply/silence.h"
#include <gmime/gmime.h>

#define FIXTURE_NOW 1793516400 /* 2026-11-01T07:00:00Z, a Sunday */
#define FIXTURE_TO "To: owner@example.net\r\n"

/* owner@example.net, also known as boss@example.net and owner@example.org; noreply patterns, silence_on and
 * require_auth as they are by default. */
struct fixture {
    struct arena *arena;
    struct responder responder;
    struct responder_message message;
    struct silence_question question;
    struct compose_request request;
    unsigned asked; /* how often is_own_address() was called */
};

int fixture_begin(void **state);
int fixture_end(void **state);

/* TEXT is a header block with CRLF and folds; a field without a colon is one with an empty value. */
struct header_field *fixture_headers(struct arena *arena, struct span text, size_t *count);

/* Asks with this sender and header. sender_canonical is the sender in lower case without what follows a '+'. */
struct silence fixture_ask(struct fixture *fixture, const char *sender, struct span header);

/* Fails the test unless the answer is silence for WHY (NULL: an answer) with this point of the checklist. */
void fixture_expect(struct fixture *fixture, const char *sender, const char *header, const char *why, unsigned point);

/* The reply to a message of bob@remote.example with this header, as text and as GMime reads it (unref by the arena). */
struct span fixture_reply(struct fixture *fixture, struct span header);
GMimeMessage *fixture_parse(struct fixture *fixture, struct span reply);
const char *fixture_field(GMimeMessage *message, const char *name); /* unfolded, decoded; NULL: not there */

/* Every line ends in CRLF, none is longer than 998 octets, all is ASCII (unless UTF8) and without NUL; the header lines
 * not longer than MOST. */
void fixture_is_sound(struct span reply, size_t most, bool utf8);

#endif
