/*
 * check - the interface every check implements, and nothing else it may use.
 *
 * A hook sees session and message as const, returns a result, may add its own facts and propose edits through its
 * call. It calls no libmilter, takes no lock, frees nothing, reads no global. Services reach it through the call.
 */
#ifndef POSTERN_CORE_CHECK_H
#define POSTERN_CORE_CHECK_H

#include "conf/conf.h"
#include "core/message.h"
#include "core/session.h"
#include "core/settings.h"
#include "core/template.h"

enum result_code {
    RESULT_DUNNO,      /* nothing to say */
    RESULT_OK,         /* looked at it and found nothing to object to */
    RESULT_VOUCH,      /* the same, and what waits for it (REJECT_UNLESS) is dropped; only at EOM, see may_vouch */
    RESULT_TAG,        /* accept, but mark as suspicious; only at EOH and EOM */
    RESULT_QUARANTINE, /* accept, but have the MTA hold it; only at EOH and EOM */
    RESULT_DEFER,      /* 4xx */
    RESULT_REJECT,     /* 5xx */
    RESULT_REJECT_UNLESS, /* 5xx, unless a check behind this one answers VOUCH; only at EOM */
    RESULT_ERROR       /* could not find out: the check's on_error decides */
};

struct result {
    enum result_code code;
    const char *why;   /* one of the check's tokens; NULL for DUNNO and OK; ERROR is always NAME.error */
    const char *reply; /* for DEFER and both REJECTs: "550 5.7.1 ..."; for ERROR: what went wrong, for the log */
};

#define RESULT(code) ((struct result){(code), NULL, NULL})

/* The options every check has; the first member of each check's own options. */
struct check_options {
    int mode;            /* enum check_mode */
    unsigned applies_to; /* enum session_class, ORed */
    int on_error;        /* enum on_error */
};

/* Their rows, for the head of each check's row table. CLASSES and ERROR (tempfail, accept) in file syntax. */
#define CHECK_OPTION_ROWS(options_struct, classes, error)                                                             \
    {.name = "mode", .type = OPTION_ENUM, .offset = offsetof(options_struct, common.mode), .def = "global",           \
     .words = check_mode_words,                                                                                       \
     .help = "enforce: do what the check says. monitor: log and count what it would have done, and let the mail "     \
             "pass. off: do not run it. global: as the option mode at the top level says."},                          \
        {.name = "applies_to", .type = OPTION_FLAGS, .offset = offsetof(options_struct, common.applies_to),                  \
         .def = classes,                                                                                              \
         .words = check_class_words, .help = "The classes of sessions that the check looks at."},                     \
        {.name = "on_error", .type = OPTION_ENUM, .offset = offsetof(options_struct, common.on_error), .def = error,  \
         .words = check_on_error_words,                                                                               \
         .help = "When the check itself fails (a full disk, a dead name server): tempfail answers 4xx so that the "   \
                 "sender comes back, accept goes on as if the check had nothing to say."}

extern const struct option_word check_mode_words[], check_class_words[], check_on_error_words[];

struct plan;          /* core/engine.h */
struct dns;           /* dns/dns.h */
struct archive_scanner; /* mime/archive.h */
struct verifier_service; /* auth/dkim_verify.h */
struct state;           /* state/state.h */
struct responding;      /* autoreply/responding.h */
struct forwarding;      /* srs/forwarding.h */
struct socketmap;       /* srs/socketmap.h */

/* Services shared by all threads of the worker; each locks inside. A member may be NULL where no active check needs
 * it (and in unit tests). */
struct services {
    struct dns *dns;
    struct archive_scanner *archives;
    struct verifier_service *verifier;
    struct state *state;
    struct responding *responding;
    struct forwarding *forwarding;
    struct socketmap *socketmap;
    struct counters *counters; /* for what is no verdict: "why.TOKEN" of a check's whys */
    bool is_trial;             /* no daemon: nothing may be changed anywhere */
};

/* What a hook gets. */
struct check_call {
    const void *options;               /* the check's own struct */
    const struct settings *settings;
    const struct services *services;
    const struct session *session;
    const struct message *message;     /* NULL in connect and helo */
    const struct recipient *recipient; /* the one being tried, in rcpt; NULL elsewhere */
    struct arena *arena;               /* of the session in connect, of the greeting in helo, else of the message */
    struct facts *facts;               /* of the same; where new facts go */
    struct edits *edits;               /* NULL in connect and helo */
    bool is_trial;                     /* monitor mode or posternctl explain: nothing may be changed anywhere */
    const struct plan *plan;           /* who else runs: plan_mode(); NULL in unit tests */
    void **state; /* a slot of the check's own, NULL at MAIL, as long-lived as the message; NULL in connect and helo.
                   * What it points to belongs on the message's arena (arena_on_destroy() for a library's handle). */
};

/* A fact of the message, or else of the session; NULL if nobody said so. */
const struct fact *call_fact(const struct check_call *call, const char *name);

/* Its value; NULL also if it has none. */
const void *call_value(const struct check_call *call, const char *name);

struct check_why {
    const char *token; /* "helo.not-fqdn"; a NULL token ends the list */
    const char *help;  /* one sentence for the manual */
};

/* HEADER: the fields, kept. CONTENT: header and body, kept as one. BODY: the body as it streams by, nothing kept. */
enum check_needs { NEEDS_HEADER = 1, NEEDS_CONTENT = 2, NEEDS_BODY = 4 };

typedef struct result check_hook(const struct check_call *call);

/* One piece of the body, cut anywhere; never empty. There is nothing to answer before the end. */
typedef void check_body_hook(const struct check_call *call, struct span bytes);

struct check {
    const char *name;    /* file = section = log key = test = manual chapter */
    const char *summary; /* one sentence */
    const struct option_row *rows;
    size_t options_size;
    const struct check_why *whys;
    unsigned needs;                   /* enum check_needs, ORed: what it may need at most */
    unsigned (*needs_with)(const void *options); /* what it needs with these options; NULL: always `needs` */
    const char *const *provides;      /* facts it writes, NULL-ended; may be NULL */
    const char *const *needs_facts;   /* facts of checks before it; may be NULL */
    unsigned never_objects; /* 1u << PHASE_..., ORed: hooks that only look; the MTA is told not to wait for them, and an
                             * objection of theirs is dropped */
    bool edits_envelope; /* may change sender or recipients */
    /* Has it nothing to do with these options? Then it is not in the plan. NULL: it always has. */
    bool (*is_idle)(const struct settings *settings, const void *options);
    bool may_vouch;         /* may answer VOUCH: what waits for one is judged once this check has run */
    check_hook *on_connect; /* the client's address is known; cannot refuse */
    check_hook *on_helo;    /* each HELO/EHLO; cannot refuse: judge here, enforce at rcpt */
    check_hook *on_mail;    /* reverse-path known */
    check_hook *on_rcpt;    /* once a recipient the MTA is willing to take */
    check_hook *on_data;    /* all recipients known */
    check_hook *on_eoh;     /* header complete */
    check_body_hook *on_body; /* the body, piece by piece; says so in `needs` with NEEDS_BODY */
    check_hook *on_eom;     /* everything known */
    check_hook *on_accepted; /* no check objected or quarantined: what the message causes elsewhere is done here, and is
                              * safe when the hook returns; in a trial (call->is_trial) it is only said */
    check_hook *on_commit;   /* the MTA has taken the edits, and what is done here happens if and only if the message is
                              * answered 250; not in a trial. One check at most, for what two did could not be undone */
    bool acts_on_held;       /* on_accepted and on_commit are called for a message in quarantine, too */
};

/* THE ordered list (checks/checks.c). */
extern const struct check *const checks[];
extern const size_t check_count;

#endif
