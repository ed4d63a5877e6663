/*
 * policyrec - DMARC Policy Records (RFC 9989 4.7, 4.8; RFC 7489 6.3 for the tags that are gone).
 *
 * OWNS: texts live in the arena given. THREADS: any. ERRORS: as enum policyrec_status, with a reason in plain words.
 */
#ifndef POSTERN_AUTH_POLICYREC_H
#define POSTERN_AUTH_POLICYREC_H

#include "auth/auth.h"
#include "dns/dns.h"
#include "util/arena.h"
#include "util/span.h"

#define POLICYREC_NOTES 16

enum policyrec_status {
    POLICYREC_OK,       /* a record; whether it holds a policy says has_policy */
    POLICYREC_OTHER,    /* does not begin with v=DMARC1: some other text */
    POLICYREC_MALFORMED /* begins with it and is no list of tags */
};

struct policyrec {
    const char *text;           /* the record, printable */
    bool has_policy;            /* false: neither a valid p (sp, np) nor a rua: nothing may be enforced; `error` says */
    enum auth_policy p, sp, np; /* sp and np in force: what is absent is filled in from sp and p */
    bool has_p, has_sp, has_np; /* stands in the record, valid or not */
    bool strict_dkim, strict_spf;
    bool is_test;                         /* t=y */
    char psd;                             /* 'y', 'n', 'u' */
    int pct;                              /* 0..100; 100 if absent or wrong */
    const char *rua, *ruf, *fo, *rf, *ri; /* as they stand, printable; NULL if absent */
    const char *error;                    /* why MALFORMED, or why there is no policy; NULL */
    const char *notes[POLICYREC_NOTES];   /* what is odd but does no harm, in plain words */
    size_t note_count;
};

enum policyrec_status policyrec_parse(struct arena *arena, struct span text, struct policyrec *record);

enum policyrec_choice {
    POLICYREC_NONE,    /* no TXT that begins with v=DMARC1 */
    POLICYREC_ONE,     /* exactly one, and it is sound */
    POLICYREC_SEVERAL, /* more than one: none counts */
    POLICYREC_BROKEN   /* one, malformed; record->error says why */
};

/* The record among the TXT answers of one name. *RECORD is filled for ONE and BROKEN. */
enum policyrec_choice policyrec_choose(struct arena *arena, const struct dns_answer *answer, struct policyrec *record);

/* The policy for an author domain: that of the record's own domain, or of a subdomain of it that does exist or not. */
enum auth_policy policyrec_policy(const struct policyrec *record, bool is_subdomain, bool exists);

/* One level weaker: reject, quarantine, none (RFC 9989 4.7, t=y). */
enum auth_policy policyrec_weaken(enum auth_policy policy);

#endif
