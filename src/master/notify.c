/*
 * notify - sd_notify(), whose failure is nobody's concern.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "master/notify.h"
#include "util/clock.h"
#include <stdarg.h>
#include <stdio.h>
#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#else
static int sd_notify(int unset_environment, const char *state)
{
    (void)unset_environment;
    (void)state;
    return 0;
}
#endif

void notify_ready(void)
{
    sd_notify(0, "READY=1");
}

void notify_reloading(void)
{
    char state[64];
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_monotonic_us());
    sd_notify(0, state);
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void notify_status(const char *format, ...)
{
    char state[256] = "STATUS=";
    va_list args;
    va_start(args, format);
    vsnprintf(state + 7, sizeof state - 7, format, args);
    va_end(args);
    sd_notify(0, state);
}
