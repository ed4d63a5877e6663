/*
 * loop - poll() with names on it: watches on descriptors, and timers.
 *
 * OWNS: nothing. Watches and timers are members of their owners' structs and must be taken out before these go.
 * THREADS: none; the master has one. ERRORS: too many watches is a programming error and refused with -1.
 */
#ifndef POSTERN_MASTER_LOOP_H
#define POSTERN_MASTER_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#define LOOP_WATCHES 256 /* workers, control clients and a handful more, with room to spare */

struct loop_watch {
    int fd;
    short events; /* POLLIN, POLLOUT; may be changed at any time */
    void (*on_event)(void *context, short revents);
    void *context;
    bool watching;
};

struct loop_timer {
    int64_t due; /* clock_monotonic_us() */
    void (*on_due)(void *context);
    void *context;
    bool running;
    struct loop_timer *next;
};

struct loop {
    struct loop_watch *watches[LOOP_WATCHES];
    unsigned count;
    struct loop_timer *timers;
    bool stopped;
};

void loop_init(struct loop *loop);

/* 0 or -1. A watch or timer may be taken out, and added, from inside any callback. */
int loop_watch(struct loop *loop, struct loop_watch *watch);
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

/* Fires once, DELAY microseconds from now; starting it again moves it. */
void loop_start_timer(struct loop *loop, struct loop_timer *timer, int64_t delay);
void loop_stop_timer(struct loop *loop, struct loop_timer *timer);

/* Until loop_stop(). 0, or -1 with errno: poll() failed. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
