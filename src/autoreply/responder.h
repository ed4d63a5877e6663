/*
 * responder - what a mailbox has stored for when its owner is away: several messages, at most one of them active.
 *
 * It lives in the store under "responder/MAILBOX" as one JSON object, so that a change is atomic; MAILBOX is the
 * canonical address (aliases.h). The same JSON is what `posternctl autoreply import | export | set | show` read and
 * write. A row that expires is what is left of a deleted one: its generation, and nothing in force. Reading is strict:
 * an unknown field, a wrong type or a bad value refuses the whole, with the field's name.
 *
 * OWNS: everything is on the arena given. THREADS: plain values, pure functions.
 */
#ifndef POSTERN_AUTOREPLY_RESPONDER_H
#define POSTERN_AUTOREPLY_RESPONDER_H

#include "util/arena.h"
#include "util/span.h"
#include <stdbool.h>
#include <stdint.h>

#define RESPONDER_KEY "responder/" /* before the mailbox, in the store */
#define RESPONDER_MESSAGES_MAX 1000
#define RESPONDER_NAME_MAX 100 /* octets */
#define RESPONDER_DISPLAY_NAME_MAX 200
#define RESPONDER_SUBJECT_MAX 250
#define RESPONDER_BODY_MAX 65536
#define RESPONDER_EXCLUDED_MAX 1000
#define RESPONDER_DAYS_DEFAULT 7 /* between replies to one sender; 1 to 30 */
#define RESPONDER_DAYS_MAX 30
#define RESPONDER_LINE_MAX 998           /* octets of a line of the body (RFC 5322 2.1.1) */
#define RESPONDER_JSON_MAX (1023 * 1024) /* bytes of all of it; a value of the store has room for what activate and
                                          * reset make longer */
#define RESPONDER_GENERATION_MAX INT32_MAX

/* One stored message. The letters are the fields of the provider's form. */
struct responder_message {
    const char *name;            /* A: tells the stored ones apart; compares exactly */
    unsigned weekdays;           /* B: bit 0 = Monday ... bit 6 = Sunday; 0: every day */
    const char *end;             /* C: local time, "2026-12-31T18:00:00"; from then on no more; NULL: open */
    const char *start;           /* D: likewise; NULL: at once */
    const char *zone;            /* "Europe/Berlin": of weekdays, end and start; default "UTC" */
    const char *subject;         /* E: UTF-8, one line; NULL: "Auto: " and the subject of the message */
    const char *body;            /* E: UTF-8, LF lines; never empty */
    const char *from;            /* G: another address of the owner's, its domain canonical; NULL: the mailbox */
    const char *const *excluded; /* H: "user@domain", and "@domain" for this domain (none below it); canonical, the
                                  * local part in lower case */
    size_t excluded_count;
    int64_t days; /* between two replies to one sender */
};

struct responder {
    const char *mailbox;
    const char *display_name; /* in the reply's From; NULL: none */
    const char *active;       /* name of the active message; NULL: none */
    int64_t generation;       /* counts the resets: older memory has another key and is as good as gone */
    struct responder_message *messages;
    size_t count;
};

/* What is wrong, for the administrator. */
struct responder_problem {
    const char *field; /* "messages[2].zone"; "" = the whole */
    const char *text;  /* "messages[2].zone: there is no time zone Europe/Berln"; printable */
};

/* JSON (an object) -> *RESPONDER, its addresses canonical. Fields that may be absent may be null. 0, or -1 and
 * *PROBLEM. */
int responder_parse(struct arena *arena, struct span json, struct responder *responder,
                    struct responder_problem *problem);

/* The same for what the store holds. Its time zones existed when it was put there; whether they still do is asked when
 * they are needed (responder_in_force). */
int responder_load(struct arena *arena, struct span json, struct responder *responder,
                   struct responder_problem *problem);

/* JSON of one line, keys in a fixed order, on ARENA. Parsing it gives the same again. */
const char *responder_print(struct arena *arena, const struct responder *responder);

/* Checks what responder_parse() checks, for values that came from options, and settles them: addresses canonical, CRLF
 * in a body LF, without a zone "UTC". 0, or -1 and *PROBLEM. */
int responder_verify(struct arena *arena, struct responder *responder, struct responder_problem *problem);

/* NULL if there is none of that name. */
struct responder_message *responder_find(const struct responder *responder, const char *name);

/* What is in force at NOW (seconds since 1970): the active message if its days, start and end (in its zone) say so.
 * NULL, and *WHY says which does not ("no message is active", "begins 2026-12-24T18:00:00 Europe/Berlin"). A local time
 * that does not exist (clocks go forward) means the moment of the change; one that comes twice, its first. */
const struct responder_message *responder_in_force(struct arena *arena, const struct responder *responder, int64_t now,
                                                   const char **why);

/* Of one text: subject, body and from with separators, SHA-256, the first 16 hex digits. */
const char *responder_fingerprint(struct arena *arena, const struct responder_message *message);

#endif
