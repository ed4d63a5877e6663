/*
 * engine - one configuration made ready to judge: settings, plan, services, counters.
 *
 * The daemon's worker and `posternctl explain` build the same engine and drive the same runner, so they cannot
 * disagree. OWNS: the configuration; services are made by whoever wires the program (worker.c, ctl/explain.c).
 * THREADS: built by one; afterwards read-only but for what locks inside.
 */
#ifndef POSTERN_CORE_ENGINE_H
#define POSTERN_CORE_ENGINE_H

#include "core/check.h"
#include "core/counters.h"
#include <stdio.h>

struct plan_entry {
    const struct check *check;
    const struct check_options *options; /* the head of the check's own struct */
    enum check_mode mode;                /* ENFORCE or MONITOR: what is off, or idle, is not in the plan */
    unsigned needs;                      /* enum check_needs, ORed: with these options */
    const char *error;                   /* "helo.error", the token of RESULT_ERROR */
};

struct plan {
    struct plan_entry *entries;
    size_t count;
    unsigned needs; /* enum check_needs of all entries and of the core, ORed */
    unsigned core_needs; /* what the core itself needs, whoever is talking */
    bool edits_envelope; /* a check may change sender or recipients */
};

struct engine {
    struct conf *conf;
    struct settings settings;
    struct plan plan;
    struct services services;
    struct counters *counters;
};

/* The sections of settings and of all checks, for conf_load() and the printers. Static. */
const struct conf_section *engine_sections(size_t *count);

/* Reads PATH (NULL: defaults). NULL if there were problems, all of them reported. Services are left empty. */
struct engine *engine_create(const char *path, struct conf_problems *problems);
void engine_destroy(struct engine *engine);

/* What the rows cannot know: is message { directory } there, and ours to write, if anybody needs it? 0, or -1 and
 * reported. */
int engine_check_directory(const struct engine *engine, struct conf_problems *problems);

/* What ENTRY does in PHASE; NULL: nothing. */
check_hook *plan_hook(const struct plan_entry *entry, enum phase phase);

/* Has anybody something to do in this phase? What nobody asks for is not negotiated. */
bool plan_has_hook(const struct plan *plan, enum phase phase);

/* The same, and may it answer with anything but "go on"? If not, the MTA need not wait. */
bool plan_may_object(const struct plan *plan, enum phase phase);
bool check_may_object(const struct check *check, enum phase phase);

/* What the checks that look at a session of CLASS need kept: enum check_needs, ORed. */
unsigned plan_needs(const struct plan *plan, enum session_class class);

/* How the check NAME runs for a session of CLASS: ENFORCE, MONITOR, or OFF, also for a PLAN that is NULL. */
enum check_mode plan_mode(const struct plan *plan, const char *name, enum session_class class);

/* The manual's list of tokens, in mdoc(7): those of all checks and of the core. */
void engine_print_whys(FILE *out);

/* `-T plan` */
void plan_print(const struct plan *plan, FILE *out);

#endif
