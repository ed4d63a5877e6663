/*
 * crash - the name is read once, before main(), because getenv() and threads do not go together.
 */
#include "util/crash.h"
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static _Atomic(const char *) wanted;

__attribute__((constructor)) static void read_environment(void)
{
    crash_test_at(getenv("POSTERN_TEST_CRASH"));
}

void crash_test_at(const char *name)
{
    atomic_store_explicit(&wanted, name, memory_order_relaxed);
}

void crash_test_point(const char *name)
{
    const char *at = atomic_load_explicit(&wanted, memory_order_relaxed);
    if (at && strcmp(at, name) == 0)
        raise(SIGKILL);
}
