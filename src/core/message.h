/*
 * message - one mail transaction: envelope, header, content, facts, edits, verdict.
 *
 * Begun at MAIL, ended at end of message, RSET, the next MAIL or the end of the session: whoever notices first.
 * OWNS: an arena; the content and everything the checks allocate on it end with the message.
 * THREADS: those of its session. ERRORS: message_add_* answer an enum message_error; nothing half added stays.
 */
#ifndef POSTERN_CORE_MESSAGE_H
#define POSTERN_CORE_MESSAGE_H

#include "core/content.h"
#include "core/edits.h"
#include "core/facts.h"
#include "core/session.h"
#include "core/verdict.h"
#include "dns/dns.h"
#include "util/strset.h"
#include <stdint.h>

struct plan;
struct settings;

struct recipient {
    const char *address;  /* the forward-path as given, without angle brackets */
    const char *mailer;   /* {rcpt_mailer}; NULL if the MTA does not say */
    const char *parameters; /* ESMTP parameters of RCPT as given, "NOTIFY=NEVER ORCPT=..."; NULL if there were none */
    bool is_repeated;     /* the same address stands already in this message */
    bool is_exempt;       /* on exempt_recipients */
    struct verdict verdict; /* ours; its reply is NULL if the recipient stands */
};

#define RECIPIENTS_REFUSED_MAX 10000

/* One header field, its bytes as received. A fold is CRLF and white space, as on the wire. */
struct header_field {
    struct span name;  /* without the colon */
    struct span value; /* from behind the colon, the leading space included */
};

enum message_error {
    MESSAGE_TOO_LARGE = -1,    /* past message { max_size } */
    MESSAGE_NO_SPACE = -2,     /* the spool directory's file could not be written; errno */
    MESSAGE_HEADER_TOO_LARGE = -3 /* past message { max_header } */
};

struct message {
    struct arena *arena;
    const struct session *session;
    const struct settings *settings;
    bool keeps_header, keeps_content; /* somebody reads them */
    bool data_is_done;        /* the DATA hooks have run */
    bool eoh_is_done;         /* those of the end of the header, too */
    bool is_logged;           /* its one line is written */
    const char *queue_id;     /* NULL until the MTA has one */
    const char *reverse_path; /* as given, without angle brackets; "" = the null reverse-path */
    const char *parameters;   /* ESMTP parameters of MAIL as given, "SIZE=1000 BODY=8BITMIME"; NULL if there were none */
    struct recipient *recipients; /* all that were tried, in order; the verdict tells which stand */
    size_t recipient_count, recipient_capacity;
    size_t standing_count;    /* those that stand, repeated ones included */
    size_t distinct_count;    /* distinct addresses among those that stand */
    struct strset *distinct;  /* those addresses, domain in lower case */
    struct header_field *headers; /* in order */
    size_t header_count, header_capacity;
    uint64_t header_bytes;
    bool header_is_over;      /* end of header seen: what is added now is body */
    struct content *content;  /* header and body; NULL when no active check reads them */
    int error;                /* 0, or the enum message_error that will be answered at the end */
    int saved_errno;          /* why, with MESSAGE_NO_SPACE */
    int64_t now;              /* seconds since 1970 at MAIL; what checks take for the time */
    unsigned company;         /* how many messages were under way at its end, in this process; 0 before */
    struct facts facts;
    struct edits edits;
    struct verdict verdict;
    int64_t *check_us;        /* microseconds spent, by check number of the plan */
    void **check_state;       /* what a check keeps from hook to hook, by the same number */
    struct dns_budget *dns_budget; /* what all look-ups share; a pointer, so that hooks may spend from it */
    int64_t dns_left_us;      /* of it, while no phase runs: waiting for the client costs the message nothing */
};

/* ADDRESS as in MAIL FROM, brackets or not. PLAN tells what to keep and for how many checks to count time; NOW in
 * seconds since 1970. SESSION and SETTINGS must outlive the message. */
struct message *message_begin(const struct session *session, const struct settings *settings, const struct plan *plan,
                              const char *address, int64_t now);

/* Idempotent by way of the caller's pointer: frees *MESSAGE and makes it NULL. */
void message_end(struct message **message);

/* How many are between their begin and their end, in this process. Any thread. */
unsigned message_count(void);

/* The recipient being tried, appended; valid until the next one is. NULL once RECIPIENTS_REFUSED_MAX of this message
 * were refused: an MTA forgets those, and a client may go on for ever. */
struct recipient *message_add_rcpt(struct message *message, const char *address, const char *mailer);

/* ESMTP parameters of MAIL or RCPT, ended by NULL as libmilter hands them over, as one text; NULL if there are none. */
const char *message_join_parameters(struct message *message, char *const *parameters);

/* It stands: count it. Called once all checks had their say and none refused. */
void message_accept_rcpt(struct message *message, struct recipient *recipient);

/* NAME without colon, VALUE with its leading space; a bare LF in VALUE becomes CRLF. 0 or message->error, which
 * stays. */
int message_add_header(struct message *message, struct span name, struct span value);

/* The empty line between header and body; once. */
int message_end_header(struct message *message);
/* Ends the header if nobody has. */
int message_add_body(struct message *message, struct span bytes);

/* The N-th field (from 0) of NAME, any case; NULL if there is none. */
const struct header_field *message_header(const struct message *message, const char *name, size_t n);

/* Some of the DNS budget, for look-ups of names that a stranger has chosen: without it a sender's expensive records
 * would leave nothing for those of the author he forges, and buy him a temperror. */
struct dns_part {
    struct dns_budget budget; /* to be spent */
    unsigned given;
};

/* What is left of it if PERCENT of the message's whole budget, time and queries, are to stay untouched. */
struct dns_part message_dns_part(const struct message *message, unsigned percent);

/* Counts what was spent of PART. */
void message_dns_settle(const struct message *message, const struct dns_part *part);

/* "<a@b>" -> "a@b", without an SMTP path's source route and without the angle brackets; in ARENA. */
const char *address_strip(struct arena *arena, const char *path);

#endif
