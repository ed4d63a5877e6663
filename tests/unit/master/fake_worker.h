/*
 * fake_worker - a worker program without mail: the same flags, the same link, and a protocol of lines on its sessions.
 *
 * Its configuration is a file of key=value lines, which `-T master` prints as they are. Lines of its own:
 *   bad=TEXT          TEXT is a problem: exit 78
 *   check_delay=MS    how long the check takes
 *   start_status=N    exit with N before it is ready (with -W only)
 *   start_delay=MS    how long it takes to be ready
 *   close_delay=MS    how long after "drain" it goes on taking connections
 *   mute=1            it never says that it takes no more of them, though it does not
 *   id=TEXT           what it says of itself
 * A session gets "PID ID\n" and then an answer to each line: "crash" kills the worker, "count" adds one to the
 * counter `counted`, anything else is sent back.
 */
#ifndef FAKE_WORKER_H
#define FAKE_WORKER_H

#include <stdbool.h>

/* True if this process was started as a worker. */
bool fake_worker_wanted(int argc, char **argv);
int fake_worker_main(int argc, char **argv);

#endif
