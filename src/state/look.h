/*
 * look - what can be said of the files of store and spool without opening them: for a check of the configuration, which
 * makes, changes and locks nothing.
 *
 * What is found is a warning: the daemon starts without them, and mail flows.
 * OWNS: nothing. THREADS: one, before any other; not in a process that has the store or the spool open, for SQLite would
 * lose its locks.
 */
#ifndef POSTERN_STATE_LOOK_H
#define POSTERN_STATE_LOOK_H

#include "core/settings.h"

/* What is looked for. IS_USER: this process may do what the daemon's user may; else nothing can be said of permissions. */
typedef void look_function(void *context, bool is_user, struct conf_problems *problems, struct conf_problems *warnings);

/* Calls LOOK as the configured USER ("": who we are) if we are or can become him, else as who we are. Root does it in a
 * child process, so what LOOK finds is only what it reports. */
void look_as_user(const char *user, look_function *look, void *context, struct conf_problems *problems,
                  struct conf_problems *warnings);

/* The directories and the files of store and spool: are they there, whose are they, are they databases? PATH is the
 * configuration's, for the messages. */
void look_at_state(const struct settings *settings, const char *path, bool is_user, struct conf_problems *warnings);

#endif
