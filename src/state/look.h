/*
 * look - what can be said of the files that the configuration names: for a check of it, which makes, changes and locks
 * nothing.
 *
 * Of store and spool it is a warning: the daemon starts without them, and mail flows. What it cannot start without is a
 * problem.
 * OWNS: nothing. THREADS: one, before any other; not in a process that has the store or the spool open, for SQLite
 * would lose its locks.
 */
#ifndef POSTERN_STATE_LOOK_H
#define POSTERN_STATE_LOOK_H

#include "core/settings.h"

/* What is looked for. IS_USER: this process may do what the daemon's user may; else nothing can be said of
 * permissions. */
typedef void look_function(void *context, bool is_user, struct conf_problems *problems, struct conf_problems *warnings);

/* Calls LOOK as the configured USER ("": who we are) if we are or can become him, else as who we are. Root does it in a
 * child process, so what LOOK finds is only what it reports. */
void look_as_user(const char *user, look_function *look, void *context, struct conf_problems *problems,
                  struct conf_problems *warnings);

/* The directories and the files of store and spool: are they there, whose are they, are they databases? CONF is for the
 * messages. */
void look_at_state(const struct settings *settings, const struct conf *conf, bool is_user,
                   struct conf_problems *warnings);

/* Is there somebody of each name in user, socket_owner and socket_group? */
void look_at_users(const struct settings *settings, const struct conf *conf, struct conf_problems *problems);

/* Are the directories there in which the sockets are made? */
void look_at_sockets(const struct settings *settings, const struct conf *conf, struct conf_problems *warnings);

/* Can FILE be read? ENTRY: the value of OPTION of SECTION, or the entry of its list, that names it; NULL: FILE is
 * that. */
void look_at_input(const struct conf *conf, const char *section, const char *option, const char *entry,
                   const char *file, struct conf_problems *problems);

/* The same of each alias table. */
void look_at_tables(const struct settings *settings, const struct conf *conf, struct conf_problems *problems);

#endif
