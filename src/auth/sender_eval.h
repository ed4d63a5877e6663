/* sender_eval - what the engines share; only for the files sender_*.c of auth/. */
#ifndef POSTERN_AUTH_SENDER_EVAL_H
#define POSTERN_AUTH_SENDER_EVAL_H

#include "auth/sender.h"
#include "auth/sender_record.h"

struct sender_macro_values;

/* What choosing among a domain's TXT records gives (RFC 7208 4.4, 4.5). */
enum sender_found { SENDER_FOUND, SENDER_FOUND_NONE, SENDER_FOUND_SEVERAL, SENDER_FOUND_MALFORMED, SENDER_FOUND_ERROR };

/* The record of DOMAIN in *TEXT and *RECORD; else *REASON, on ARENA, says what is wrong. */
enum sender_found sender_find(const struct sender_query *query, const char *domain, struct span *text,
                              struct sender_record *record, const char **reason);

/* SERVFAIL, TIMEOUT, BOGUS. */
bool sender_is_error(enum dns_outcome outcome);

/* Labels of 1 to 63 octets, 253 in all. What cannot be asked for does not exist (RFC 7208 4.8). */
bool sender_is_askable(const char *name);

/* BYTES made printable ASCII, on ARENA. */
const char *sender_printable(struct arena *arena, struct span bytes);

void sender_check_builtin(const struct sender_query *query, struct sender_answer *answer);
void sender_check_libspf2(const struct sender_query *query, struct sender_answer *answer);

#endif
