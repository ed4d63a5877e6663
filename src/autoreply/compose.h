/*
 * compose - the reply itself (RFC 3834 section 3, RFC 5230 section 5). Pure.
 *
 * No byte of the message that came reaches the reply's header unencoded, and none of its body reaches the reply.
 */
#ifndef POSTERN_AUTOREPLY_COMPOSE_H
#define POSTERN_AUTOREPLY_COMPOSE_H

#include "autoreply/responder.h"
#include "core/message.h"

struct compose_request {
    const struct responder *responder;
    const struct responder_message *message;
    const char *written_to; /* responding_from(): From, unless field G */
    const char *to;         /* the reverse-path that is answered */
    const struct header_field *headers; /* of the message that came */
    size_t header_count;
    int64_t now;          /* seconds since 1970: Date, in the message's zone */
    const char *hostname; /* right side of the Message-ID */
    const char *token;    /* its left side: the same for the same attempt */
};

#define COMPOSE_SUBJECT_MAX 200              /* octets of the original's subject, as UTF-8 */
#define COMPOSE_NO_SUBJECT "Automated reply" /* where the original has none */

/* Header and body with CRLF lines of at most 998 octets (78 where words allow), ASCII only unless NEEDS_UTF8 is set: an
 * address is internationalised and the reply needs SMTPUTF8 (RFC 6531, 6532). On ARENA. The null span if `to` or
 * `written_to` is no address (silence_find() has said autoreply.bad-sender for the first). */
struct span compose_reply(struct arena *arena, const struct compose_request *request, bool *needs_utf8);

#endif
