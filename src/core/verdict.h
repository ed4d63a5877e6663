/*
 * verdict - what becomes of a message. It only gets stronger.
 *
 * OWNS: nothing; texts live on the message's arena. THREADS: those of the session.
 */
#ifndef POSTERN_CORE_VERDICT_H
#define POSTERN_CORE_VERDICT_H

#include <stdbool.h>

enum phase {
    PHASE_CONNECT,
    PHASE_HELO,
    PHASE_MAIL,
    PHASE_RCPT,
    PHASE_DATA,
    PHASE_EOH,
    PHASE_EOM,
    PHASE_ACCEPTED, /* behind the end of a message that nobody objected to: what it causes elsewhere is made safe */
    PHASE_COMMIT,   /* the MTA has taken our edits: the last word before 250 */
    PHASE_COUNT
};

/* From weak to strong. */
enum disposition {
    DISPOSITION_ACCEPT,
    DISPOSITION_TAG,        /* accepted, marked X-Postern: suspicious */
    DISPOSITION_QUARANTINE, /* accepted, held by the MTA */
    DISPOSITION_TEMPFAIL,   /* 4xx */
    DISPOSITION_REJECT      /* 5xx */
};

struct verdict {
    enum disposition disposition;
    enum phase phase;   /* where it was decided */
    const char *check;  /* who decided; NULL: nobody objected */
    const char *why;    /* "helo.not-fqdn" */
    const char *reply;  /* "550 5.7.1 ..."; NULL unless TEMPFAIL or REJECT */
};

/* Takes NEXT if it is stronger than *VERDICT. Of two equally strong the first stays: it was said first. */
bool verdict_strengthen(struct verdict *verdict, const struct verdict *next);

const char *disposition_name(enum disposition disposition); /* accept, tag, quarantine, tempfail, reject */
const char *phase_name(enum phase phase);                   /* connect, helo, mail, rcpt, data, eoh, eom, accepted, commit */

#endif
