/*
 * crash - named places where a test may have this process killed, as a power failure would end it.
 *
 * POSTERN_TEST_CRASH=NAME in the environment at the start of the process makes it raise SIGKILL on itself when it comes
 * to the place of that name. docs/HACKING.md lists the names. THREADS: any.
 */
#ifndef POSTERN_UTIL_CRASH_H
#define POSTERN_UTIL_CRASH_H

/* Costs the reading of one pointer when no test asked for it. */
void crash_test_point(const char *name);

/* The same as the environment variable, for a test that forks. NULL: nowhere. NAME is kept, not copied. */
void crash_test_at(const char *name);

#endif
