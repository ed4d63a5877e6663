/*
 * fixture - what the tests of the store share: a directory, a redis-server of their own, time, what was logged.
 */
#ifndef POSTERN_TESTS_STORE_FIXTURE_H
#define POSTERN_TESTS_STORE_FIXTURE_H

#include "unit.h"

#include "store/store.h"
#include <hiredis.h>
#include <stdio.h>
#include <sys/types.h>

#define T INT64_C(1800000000) /* "now" */
#define DAY INT64_C(86400)

extern char fixture_path[64]; /* a directory of this program's own, without '/' at its end */

/* For group set-up and tear-down: makes the directory and an arena, removes them. */
int fixture_begin(void **state);
int fixture_end(void **state);
extern struct arena *fixture_arena;

/* FORMAT's text, in memory that lasts until fixture_end(). */
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Fails the test if the store cannot be opened. TIMEOUT in ms. */
struct store *open_store(const char *url, int64_t timeout);

struct redis_server {
    pid_t pid;
    const char *socket;
};

/* Starts redis-server with a socket in DIRECTORY and the arguments behind it (ended by NULL), waits until it answers.
 * It dies with this program. */
struct redis_server redis_start(const char *directory, ...);
void redis_stop(struct redis_server *server, int signal);

/* A command of the administrator's; the text, or "(N)", "(nil)". */
const char *redis_say(const struct redis_server *server, const char *command);

/* What goes to stderr from here on is kept; log_end() puts it back and hands the text out. */
void log_begin(void);
const char *log_end(void);
int count_of(const char *haystack, const char *needle);

void run_command(const char *command);                   /* must end with 0 */
int count_files(const char *beginning, const char *end); /* in fixture_path */
void sleep_ms(int ms);
int64_t now_ms(void);

/* Gets KEY at T; "(absent)", "(down)" or its value. */
const char *value_of(struct store *store, const char *key);

#endif
