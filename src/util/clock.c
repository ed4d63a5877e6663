/* clock - thin reading of the kernel's clocks, and ISO 8601 in UTC for the command line. */
#include "util/clock.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
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

/* Read anew each time, so that a test can let weeks pass under a running daemon. */
static int64_t test_offset(const char *path)
{
    char text[32] = "";
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    int64_t offset = fgets(text, sizeof text, file) ? strtoll(text, NULL, 10) : 0;
    fclose(file);
    return offset;
}

int64_t clock_wall(void)
{
    const char *path = getenv("POSTERN_TEST_CLOCK");
    return (int64_t)time(NULL) + (path ? test_offset(path) : 0);
}

const char *clock_format(int64_t seconds, char text[CLOCK_TEXT_SIZE])
{
    struct tm tm;
    time_t at = (time_t)seconds;
    if (!gmtime_r(&at, &tm) || strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(text, CLOCK_TEXT_SIZE, "?");
    return text;
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

const char *clock_format_mail(int64_t seconds, int offset, char text[CLOCK_MAIL_SIZE])
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t there = (time_t)(seconds + offset * 60);
    int distance = offset < 0 ? -offset : offset;
    struct tm tm;
    if (!gmtime_r(&there, &tm)) /* past the year 2^31 */
        return clock_format_mail(0, 0, text);
    snprintf(text, CLOCK_MAIL_SIZE, "%s, %d %s %d %02d:%02d:%02d %c%02d%02d", days[tm.tm_wday], tm.tm_mday,
             months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec, offset < 0 ? '-' : '+',
             distance / 60, distance % 60);
    return text;
}
