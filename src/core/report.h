/*
 * report - the log lines on messages and recipients, and their counters.
 *
 * OWNS: nothing. THREADS: those of the session; log and counters lock inside.
 */
#ifndef POSTERN_CORE_REPORT_H
#define POSTERN_CORE_REPORT_H

#include "core/engine.h"

/* One line for a message whose verdict is final; further calls for the same message do nothing. */
void report_message(const struct engine *engine, const struct session *session, struct message *message);

/* One line for a recipient that was refused. */
void report_recipient(const struct engine *engine, const struct session *session, const struct message *message,
                      const struct recipient *recipient, const struct verdict *verdict);

/* What a check in monitor mode would have done. */
void report_monitor(const struct engine *engine, const struct session *session, const struct message *message,
                    const struct recipient *recipient, const struct verdict *verdict);

/* A check could not do its work; TEXT says why. */
void report_error(const struct engine *engine, const struct session *session, const struct message *message,
                  const char *check, const char *text);

#endif
