/*
 * mark - what a suspicious message carries from here on, and what one from outside may not bring along.
 *
 * Proposes edits. OWNS: nothing. THREADS: the message's. ERRORS: none.
 */
#ifndef POSTERN_CORE_MARK_H
#define POSTERN_CORE_MARK_H

#include "core/message.h"
#include "core/session.h"
#include "core/settings.h"

/* A mark of ours on mail from outside that we did not make is a forgery. If there are more than can be deleted those at
 * the top go, which readers look at first; what is left says no good of its sender. */
void mark_remove_forged(const struct session *session, struct message *message);

/* Marks MESSAGE, if its verdict is to tag it or to hold it. */
void mark_message(const struct settings *settings, struct message *message);

#endif
