/*
 * loop - the simplest thing that can hold a few dozen descriptors.
 *
 * Callbacks may take out any watch or timer, their own included, so a round works on a copy of the watch list and asks
 * of each entry whether it still stands; timers are taken one by one off the list. A watch that was removed and whose
 * memory came back as another one within a round could get an event of its forerunner: every callback therefore
 * treats "nothing there" (EAGAIN) as nothing.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/loop.h"
#include "util/clock.h"
#include <errno.h>
#include <string.h>

void loop_init(struct loop *loop)
{
    memset(loop, 0, sizeof *loop);
}

int loop_watch(struct loop *loop, struct loop_watch *watch)
{
    if (loop->count == LOOP_WATCHES)
        return -1;
    loop->watches[loop->count++] = watch;
    watch->watching = true;
    return 0;
}

void loop_unwatch(struct loop *loop, struct loop_watch *watch)
{
    if (!watch->watching)
        return;
    watch->watching = false;
    for (unsigned i = 0; i < loop->count; i++) {
        if (loop->watches[i] == watch) {
            loop->watches[i] = loop->watches[--loop->count];
            return;
        }
    }
}

void loop_start_timer(struct loop *loop, struct loop_timer *timer, int64_t delay)
{
    loop_stop_timer(loop, timer);
    timer->due = clock_monotonic_us() + delay;
    timer->running = true;
    struct loop_timer **at = &loop->timers;
    while (*at && (*at)->due <= timer->due)
        at = &(*at)->next;
    timer->next = *at;
    *at = timer;
}

void loop_stop_timer(struct loop *loop, struct loop_timer *timer)
{
    if (!timer->running)
        return;
    timer->running = false;
    for (struct loop_timer **at = &loop->timers; *at; at = &(*at)->next) {
        if (*at == timer) {
            *at = timer->next;
            return;
        }
    }
}

static int wait_time(const struct loop *loop)
{
    if (!loop->timers)
        return -1;
    int64_t left = loop->timers->due - clock_monotonic_us();
    return left <= 0 ? 0 : left > 3600000000 ? 3600000 : (int)((left + 999) / 1000);
}

static void run_timers(struct loop *loop)
{
    int64_t now = clock_monotonic_us(); /* one started meanwhile is for the next round */
    while (loop->timers && loop->timers->due <= now && !loop->stopped) {
        struct loop_timer *timer = loop->timers;
        loop_stop_timer(loop, timer);
        timer->on_due(timer->context);
    }
}

static bool still_watched(const struct loop *loop, const struct loop_watch *watch)
{
    for (unsigned i = 0; i < loop->count; i++)
        if (loop->watches[i] == watch)
            return true;
    return false;
}

int loop_run(struct loop *loop)
{
    loop->stopped = false;
    while (!loop->stopped) {
        struct pollfd fds[LOOP_WATCHES];
        struct loop_watch *round[LOOP_WATCHES];
        unsigned count = loop->count;
        for (unsigned i = 0; i < count; i++) {
            round[i] = loop->watches[i];
            fds[i] = (struct pollfd){.fd = round[i]->fd, .events = round[i]->events};
        }
        int ready = poll(fds, count, wait_time(loop));
        if (ready < 0 && errno != EINTR)
            return -1;
        run_timers(loop);
        for (unsigned i = 0; ready > 0 && i < count && !loop->stopped; i++)
            if (fds[i].revents && still_watched(loop, round[i]))
                round[i]->on_event(round[i]->context, fds[i].revents);
    }
    return 0;
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}
