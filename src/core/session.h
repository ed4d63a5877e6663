/*
 * session - one SMTP connection as the checks see it.
 *
 * OWNS: an arena for everything that lives as long as the connection.
 * THREADS: the callbacks of one session run one at a time but on different threads; nothing here is shared.
 */
#ifndef POSTERN_CORE_SESSION_H
#define POSTERN_CORE_SESSION_H

#include "core/facts.h"
#include "util/arena.h"
#include "util/netaddr.h"
#include <stdbool.h>

/* Who is talking. Flags, because checks list the classes they look at. */
enum session_class {
    CLASS_OUTSIDE = 1,       /* anybody */
    CLASS_TRUSTED = 2,       /* a client in trusted_networks */
    CLASS_AUTHENTICATED = 4, /* {auth_authen} is set */
    CLASS_LOCAL = 8          /* no SMTP client at all: sendmail(1), pickup */
};

struct session {
    struct arena *arena;
    char id[20];             /* ours, for the log until there is a queue id; unique in the worker */
    struct netaddr client;   /* AF_UNSPEC if the MTA does not know it */
    const char *client_name; /* as the MTA says; NULL if unknown */
    struct arena *greeting;  /* what lives until the next HELO; NULL before the first */
    const char *helo;        /* as the client said, NULL before (or without) HELO */
    const char *tls_version; /* NULL = in the clear */
    const char *login;       /* SASL user, NULL = not authenticated */
    struct arena *identity;  /* what holds login and tls_version; NULL before there is one */
    bool is_local;           /* not over SMTP */
    bool is_trusted;
    struct facts facts;          /* found at connect */
    struct facts greeting_facts; /* found at HELO: the next one (after STARTTLS) forgets them */
};

struct session *session_create(void);
void session_destroy(struct session *session);

/* HELO or EHLO: forgets the one before, whatever was found about it included. */
void session_greet(struct session *session, const char *helo);

/* What the MTA says of the client at each MAIL, NULL for nothing. Both may come and go within a session: STARTTLS ends
 * an authentication before it (RFC 3207 4.2). */
void session_identify(struct session *session, const char *login, const char *tls_version);

/* Authentication comes after EHLO, so the class is asked for anew each time. */
enum session_class session_class(const struct session *session);

const char *session_class_name(enum session_class class); /* outside, trusted, authenticated, local */

#endif
