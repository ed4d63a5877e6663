/*
 * zone - the system's time zones by name. Private to autoreply/.
 *
 * OWNS: the zones last asked for, ZONE_KEPT at most. THREADS: any; it locks inside.
 */
#ifndef POSTERN_AUTOREPLY_ZONE_H
#define POSTERN_AUTOREPLY_ZONE_H

#include <glib.h>

#define ZONE_KEPT 64    /* zones in memory: an ISP's customers live in a few */
#define ZONE_SECONDS 60 /* until an updated tz database is seen */

/* A reference of the caller's, for g_time_zone_unref(); NULL: there is no zone NAME. */
GTimeZone *zone_open(const char *name);

#endif
