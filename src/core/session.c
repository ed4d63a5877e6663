/* session - created at negotiation, destroyed at close. The id is a process-wide count, so log lines can be told
 * apart; it is no secret. */
#include "core/session.h"
#include "util/clock.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ARENA_BLOCK 1024 /* most sessions need less than this: a thousand idle ones stay small */

struct session *session_create(void)
{
    static _Atomic unsigned counter;
    struct arena *arena = arena_create(ARENA_BLOCK);
    struct session *session = ARENA_NEW(arena, struct session);
    session->arena = arena;
    snprintf(session->id, sizeof session->id, "S%x.%x", (unsigned)getpid(), atomic_fetch_add(&counter, 1) + 1);
    return session;
}

void session_destroy(struct session *session)
{
    if (!session)
        return;
    arena_destroy(session->greeting);
    arena_destroy(session->identity);
    arena_destroy(session->arena);
}

/* An arena for each greeting, so that a client who says EHLO ten thousand times takes no more memory than one. */
void session_greet(struct session *session, const char *helo)
{
    arena_destroy(session->greeting);
    session->greeting = arena_create(ARENA_BLOCK);
    session->greeting_facts = (struct facts){0};
    session->helo = arena_strdup(session->greeting, helo);
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* As with the greetings: the newest is kept, those before it are given back. */
void session_identify(struct session *session, const char *login, const char *tls_version)
{
    if (is_same(session->login, login) && is_same(session->tls_version, tls_version))
        return;
    struct arena *before = session->identity;
    session->identity = arena_create(256);
    session->login = arena_strdup(session->identity, login);
    session->tls_version = arena_strdup(session->identity, tls_version);
    arena_destroy(before);
}

enum session_class session_class(const struct session *session)
{
    return session->is_local     ? CLASS_LOCAL
           : session->login      ? CLASS_AUTHENTICATED
           : session->is_trusted ? CLASS_TRUSTED
                                 : CLASS_OUTSIDE;
}

const char *session_class_name(enum session_class class)
{
    switch (class) {
    case CLASS_OUTSIDE:
        return "outside";
    case CLASS_TRUSTED:
        return "trusted";
    case CLASS_AUTHENTICATED:
        return "authenticated";
    case CLASS_LOCAL:
        return "local";
    }
    return "unknown";
}
