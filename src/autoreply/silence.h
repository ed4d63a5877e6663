/*
 * silence - the reasons not to answer a message (RFC 3834, RFC 5230), one by one, each with its token.
 *
 * Pure: everything it needs is in struct silence_question. The numbers are those of the checklist in the manual.
 * THREADS: any.
 */
#ifndef POSTERN_AUTOREPLY_SILENCE_H
#define POSTERN_AUTOREPLY_SILENCE_H

#include "auth/auth.h"
#include "autoreply/responder.h"
#include "conf/conf.h"
#include "core/check.h"
#include "core/message.h"
#include "util/strset.h"

/* NOT_FAIL: silence if SPF or DMARC says fail, if DKIM has a fail and no pass, or if one of them could not be found out
 * (temperror): in doubt a sender that may be forged gets nothing. Everything else is answered, `none` too. PASS: that,
 * and SPF must pass for MAIL FROM, or DMARC for an author of its organizational domain. */
enum silence_auth { SILENCE_AUTH_OFF, SILENCE_AUTH_NOT_FAIL, SILENCE_AUTH_PASS };

/* What a person or a program wrote to us, and to whom. */
struct silence_question {
    const char *sender;           /* reverse-path without brackets; "" is the null one */
    const char *sender_canonical; /* responding_canonical() of it; NULL if it is no address */
    const char *mailbox;          /* canonical */
    const struct responder_message *message;
    const struct header_field *headers; /* of the message that came */
    size_t header_count;
    bool (*is_own_address)(void *context, const char *address); /* does it mean this mailbox? */
    void *context;
    enum silence_auth require_auth;
    const struct auth_spf *spf; /* NULL: not evaluated */
    const struct auth_dkim *dkim;
    const struct auth_dmarc *dmarc;
    bool is_own_user;                     /* authenticated or local: require_auth does not apply */
    bool is_trusted;                      /* a trusted client: what was found out counts, nothing need be */
    const struct string_list *silence_on; /* "X-Spam-Flag: YES": field and beginning of its value, no case */
    const struct string_list *noreply;    /* patterns of the whole address or, without @, of its local part; * matches
                                           * anything, no case. Held against the reverse-path and the authors (From) */
};

/* The default for `noreply`, as an option row has it. Without postmaster: people read that mailbox (RFC 5230 4.6). */
#define SILENCE_NOREPLY_DEFAULT                                                                                        \
    "{ \"MAILER-DAEMON\", \"LISTSERV\", \"majordomo\", \"*-request\", \"owner-*\", \"noreply*\", \"no-reply*\", "      \
    "\"no_reply*\", \"*-noreply\", \"*-no-reply\", \"donotreply*\", \"do-not-reply*\", \"do_not_reply*\", "              \
    "\"bounce*\", \"*-bounces\", \"mailer\", \"sentto-*\" }"

struct silence {
    const char *why;  /* "autoreply.precedence"; NULL: no reason, answer */
    unsigned point;   /* of the checklist, for people; 0: none of its */
    const char *text; /* "Precedence: bulk", one phrase with the value found, printable; on the arena */
};

/* The first reason, in the order of silence_whys. Any list of QUESTION may be NULL. Linear in the header's length, plus
 * one is_own_address() for each address in To, Cc, Bcc and their Resent- forms, at most 1000. */
struct silence silence_find(struct arena *arena, const struct silence_question *question);

#define WHY_BAD_SENDER "autoreply.bad-sender"
#define WHY_REMEMBERED "autoreply.remembered"
#define WHY_CAP "autoreply.cap"
#define WHY_TROUBLE "autoreply.trouble"

/* Each token of the check with a sentence for the manual, those above included; ended by NULL. */
extern const struct check_why silence_whys[];

#endif
