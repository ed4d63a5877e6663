/*
 * tree - a real posternd under test, in a directory of its own, with the test program itself as its worker.
 *
 * Every wait has a deadline of TREE_PATIENCE and fails the test when it is over.
 */
#ifndef TREE_H
#define TREE_H

#include "util/strbuf.h"
#include <pwd.h>
#include <sys/types.h>

#define TREE_PATIENCE 20000 /* milliseconds */

/* cmocka fixtures. */
int tree_setup(void **state);
int tree_teardown(void **state);

/* A path in the directory, one of a few static buffers. */
const char *tree_path(const char *name);

/* The configuration: socket, control and drain_timeout as usual, MORE lines behind, which may override them. */
void tree_config(const char *more);

/* Starts posternd -f; its log goes to the file `log`. */
pid_t tree_start(void);
/* The same and wait until it is ready. */
pid_t tree_start_ready(void);
/* As another user from the first instruction on; only root can. */
pid_t tree_start_as(const struct passwd *user);
/* Any arguments, NULL at the end, no -f. */
pid_t tree_run(const char *first, ...);
/* The exit status, 1000 + signal. */
int tree_wait(pid_t pid);

/* posternctl COMMAND [MORE] with --control; the output, both streams, in OUT. */
int tree_ctl(const char *command, const char *more, struct strbuf *out);
pid_t tree_ctl_start(const char *command);

/* `posternctl reload` with another configuration, MORE as in tree_config(). */
int tree_reload_with(const char *more, struct strbuf *out);

/* SIGTERM, after which MASTER must end with 0. */
void tree_end(pid_t master);

/* Waits until TEXT stands COUNT times in the log. */
void tree_await_log(const char *text, int count);
int tree_count_log(const char *text);

/* A session: connected, greeted. PID gets the worker's, ID (64 bytes) what it calls itself; both may be NULL. */
int tree_connect(pid_t *pid, char *id);
/* -1 with errno. */
int tree_try_connect(const char *socket);
/* Who connects now is served by a worker that calls itself WANTED; at once, and every time. */
void tree_expect_id(const char *wanted);
void tree_send(int fd, const char *line);
/* A line, without its end; "" at the end of the connection. */
void tree_read(int fd, char line[256]);
void tree_expect_echo(int fd, const char *line);
void tree_await_gone(pid_t pid);
long long tree_now(void); /* milliseconds */

#endif
