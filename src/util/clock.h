/*
 * clock - what time it is. THREADS: any.
 */
#ifndef POSTERN_UTIL_CLOCK_H
#define POSTERN_UTIL_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Microseconds of a clock that never jumps; for durations and deadlines. */
int64_t clock_monotonic_us(void);

/* Waits, whatever signals come; usleep() and useconds_t end at 71 minutes. */
void clock_sleep_us(int64_t us);

/* Seconds since 1970-01-01 UTC. For tests of what takes days: plus the number in the file that the environment variable
 * POSTERN_TEST_CLOCK names. */
int64_t clock_wall(void);

/* "2026-11-22T03:24:22Z" into TEXT, which it returns; "?" if there is no such date. */
#define CLOCK_TEXT_SIZE 32
const char *clock_format(int64_t seconds, char text[CLOCK_TEXT_SIZE]);

/* "Sun, 22 Nov 2026 03:24:22 +0000" (RFC 5322 3.3), OFFSET minutes east of UTC. Into TEXT, which it returns. */
#define CLOCK_MAIL_SIZE 64
const char *clock_format_mail(int64_t seconds, int offset, char text[CLOCK_MAIL_SIZE]);

/* "2026-11-22T03:24:22Z" or a number of seconds -> seconds since 1970. 0, or -1 if TEXT is no time. */
int clock_parse(const char *text, int64_t *seconds);

#endif
