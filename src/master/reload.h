/*
 * reload - one configuration after the other without losing a session.
 *
 * Check (probe), start a worker with the new configuration, let it take over. It ends well when no older worker takes
 * connections any more (fleet.h): who connects after on_end() with 0 gets the new configuration. Whatever goes wrong
 * before the last step leaves the old worker as it is. A request while one is under way is queued, once: it will see
 * everything that was written before it.
 * OWNS: its probe. THREADS: none inside.
 */
#ifndef POSTERN_MASTER_RELOAD_H
#define POSTERN_MASTER_RELOAD_H

#include "master/fleet.h"
#include "master/probe.h"

struct reload {
    struct loop *loop;
    struct fleet *fleet;
    struct setup *setup; /* what the master runs with; log and drain_timeout are replaced by a reload */
    enum { RELOAD_IDLE, RELOAD_DEFERRED, RELOAD_PROBING, RELOAD_STARTING } phase;
    bool queued, closed;
    unsigned long ticket; /* of the one under way, or of the last one */
    struct probe probe;
    struct setup wanted;
    struct strbuf answer;
    struct loop_timer begin;
    void (*on_begin)(void *context);
    void (*on_end)(void *context, unsigned long ticket, int code, const char *text);
    void *context;
};

void reload_init(struct reload *reload, struct loop *loop, struct fleet *fleet, struct setup *setup);

/* Begins from the loop, not before it returns. The ticket that on_end() will name. */
unsigned long reload_request(struct reload *reload);

/* What the fleet reports while a reload is under way; ignored otherwise. */
void reload_worker_active(struct reload *reload, const struct worker *worker);
void reload_worker_failed(struct reload *reload, int status);
void reload_worker_lost(struct reload *reload);

/* The master is shutting down: ends one under way, a queued one, and every later one with an error. */
void reload_close(struct reload *reload);

#endif
