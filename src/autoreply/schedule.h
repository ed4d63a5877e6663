/*
 * schedule - local times and time zones (RFC 3339 without an offset; the system's tz database). Private to autoreply/.
 * THREADS: any.
 */
#ifndef POSTERN_AUTOREPLY_SCHEDULE_H
#define POSTERN_AUTOREPLY_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* "2026-12-31T18:00:00" of a day that exists, years 1970 to 9999 -> seconds since 1970 as if it were UTC. */
bool schedule_parse(const char *text, int64_t *local);

/* Is ZONE the name of a time zone that the system knows now? Offsets ("+02:00") and rules ("CET-1") are none. */
bool schedule_zone_exists(const char *zone);

/* How many seconds ZONE is ahead of UTC at NOW; 0 for a zone that does not exist. */
int64_t schedule_offset(const char *zone, int64_t now);

#endif
