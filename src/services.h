/*
 * services - what the checks of a plan stand on: resolver, archive scanner, DKIM verifier, and what automatic replies
 * need.
 *
 * Made alike for the daemon's worker and for `posternctl explain`, so that the two cannot disagree.
 */
#ifndef POSTERN_SERVICES_H
#define POSTERN_SERVICES_H

#include "core/engine.h"

/* Problems of the configuration that the option rows cannot see, and as WARNINGS what the daemon would start with all
 * the same. Nothing is started, made or changed. In a process that opens nothing else: see state/look.h. 0, or -1 and
 * reported. */
int services_check(struct engine *engine, struct conf_problems *problems, struct conf_problems *warnings);

/* What is left to say of the configuration at PATH when it has no problem. */
void services_print_checked(const char *path, const struct conf_problems *warnings);

/* Into engine->services. Before any thread: the archive server is forked. 0, or a status of sysexits.h and reported. */
int services_open(struct engine *engine, struct conf_problems *problems);

/* Threads that work on their own: replies are sent, the store is swept. 0, or a status of sysexits.h. */
int services_start(struct engine *engine);

/* The worker is about to end: another one takes over what services_start() began. */
void services_drain(struct engine *engine);

/* Behind services_drain(): is what was under way over? */
bool services_are_drained(const struct engine *engine);

/* Counters of theirs, "name=value\n" each, behind those of the engine. */
void services_report(const struct engine *engine, struct strbuf *out);

void services_close(struct engine *engine);

#endif
