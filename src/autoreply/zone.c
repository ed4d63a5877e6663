/*
 * zone - GLib's reader of the tz database, and its results kept for a while.
 *
 * To read a zone costs a good half millisecond, more than all other work for a reply, so the last ones are kept; after
 * ZONE_SECONDS each is read anew, so that an update of the tz database needs no restart. GLib itself shares a zone
 * among all who hold it: one that is dropped here while another thread uses it lives on until that is done.
 */
#include "autoreply/zone.h"
#include "util/clock.h"
#include <ctype.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define NAME_MAX_LEN 64 /* octets; the longest of the tz database has 32 */

/* GLib would take POSIX rules ("ABC5") and paths as well. Names with digits and without a place are few. */
static bool is_zone_name(const char *zone)
{
    static const char *const old[] = {"EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "GMT0", "GMT+0", "GMT-0", NULL};
    if (!isalpha((unsigned char)zone[0]) || strlen(zone) > NAME_MAX_LEN)
        return false;
    for (const char *p = zone; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("_/+-", *p))
            return false;
    }
    if (strncmp(zone, "right/", 6) == 0 || strncmp(zone, "posix/", 6) == 0 || strncmp(zone, "leap", 4) == 0)
        return false; /* copies, of which "right" counts leap seconds, and a file in the same place that is no zone */
    if (strchr(zone, '/') || !strpbrk(zone, "0123456789+-"))
        return true;
    for (size_t i = 0; old[i]; i++) {
        if (strcmp(zone, old[i]) == 0)
            return true;
    }
    return false;
}

static struct kept {
    char name[NAME_MAX_LEN + 1];
    GTimeZone *zone;
    int64_t read_us, used_us; /* clock_monotonic_us() */
} kept[ZONE_KEPT];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards kept */

/* The place of NAME, or else the one used longest ago. */
static struct kept *find_place(const char *name)
{
    struct kept *oldest = &kept[0];
    for (size_t i = 0; i < ZONE_KEPT; i++) {
        if (kept[i].zone && strcmp(kept[i].name, name) == 0)
            return &kept[i];
        if (kept[i].used_us < oldest->used_us)
            oldest = &kept[i];
    }
    return oldest;
}

static void drop(struct kept *place)
{
    if (place->zone)
        g_time_zone_unref(place->zone);
    *place = (struct kept){.zone = NULL};
}

GTimeZone *zone_open(const char *name)
{
    if (!is_zone_name(name))
        return NULL;
    pthread_mutex_lock(&lock);
    struct kept *place = find_place(name);
    int64_t now = clock_monotonic_us();
    bool is_it = place->zone && strcmp(place->name, name) == 0;
    if (is_it && now - place->read_us > ZONE_SECONDS * INT64_C(1000000)) {
        drop(place);
        is_it = false;
    }
    GTimeZone *zone = is_it ? place->zone : g_time_zone_new_identifier(name);
    if (zone && !is_it) {
        drop(place);
        memcpy(place->name, name, strlen(name) + 1);
        place->zone = zone;
        place->read_us = now;
    }
    if (zone) {
        place->used_us = now;
        g_time_zone_ref(zone);
    }
    pthread_mutex_unlock(&lock);
    return zone;
}
