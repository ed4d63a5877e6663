/* clock - thin reading of the kernel's clocks, and ISO 8601 in UTC for the command line. */
#include "util/clock.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

int64_t clock_monotonic_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void clock_sleep_us(int64_t us)
{
    struct timespec left = {us / 1000000, us % 1000000 * 1000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

int64_t clock_wall(void)
{
    return (int64_t)time(NULL);
}

int clock_parse(const char *text, int64_t *seconds)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end != text && !*end && !errno && number >= 0) {
        *seconds = number;
        return 0;
    }
    struct tm tm = {0};
    end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!end)
        return -1;
    if (*end == 'Z')
        end++;
    if (*end)
        return -1;
    *seconds = (int64_t)timegm(&tm);
    return 0;
}
