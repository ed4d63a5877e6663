/*
 * schedule - when a message is in force.
 *
 * A local time is turned into a moment: the first at which the clocks of the zone show it or something later. That one
 * sentence covers the hour that does not exist (the moment of the change) and the one that comes twice (its first).
 * GLib knows the offset of a moment but not where an interval of one offset ends, so the ends near the local time are
 * found by bisection. GLib takes tables as far as the tz database writes them out (to 2037 on Debian); behind that the
 * last offset stays.
 *
 * A zone that has gone from the tz database means "not in force".
 */
#include "autoreply/schedule.h"
#include "autoreply/responder.h"
#include "autoreply/zone.h"
#include <stdio.h>
#include <string.h>

#define DAY 86400
#define OFFSET_MOST (16 * 3600) /* no zone was ever so far from UTC */

/* Days from 1970-01-01 to a date of the Gregorian calendar, by eras of 400 years that begin in March. */
static int64_t count_days(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = year / 400, year_of_era = year % 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && is_leap);
}

bool schedule_parse(const char *text, int64_t *local)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    for (size_t i = 0; i < sizeof form - 1; i++) { /* a NUL is neither a digit nor a mark */
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    }
    unsigned year, month, day, hour, minute, second;
    if (text[sizeof form - 1] ||
        sscanf(text, "%4u-%2u-%2uT%2u:%2u:%2u", &year, &month, &day, &hour, &minute, &second) != 6)
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > month_days(year, month) || hour > 23 ||
        minute > 59 || second > 59)
        return false;
    *local = count_days(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
    return true;
}

bool schedule_zone_exists(const char *name)
{
    GTimeZone *zone = zone_open(name);
    if (zone)
        g_time_zone_unref(zone);
    return zone != NULL;
}

static int find_interval(GTimeZone *zone, int64_t moment)
{
    return g_time_zone_find_interval(zone, G_TIME_TYPE_UNIVERSAL, moment);
}

static int64_t offset_at(GTimeZone *zone, int64_t moment)
{
    return g_time_zone_get_offset(zone, find_interval(zone, moment));
}

int64_t schedule_offset(const char *name, int64_t now)
{
    GTimeZone *zone = zone_open(name);
    int64_t offset = zone ? offset_at(zone, now) : 0;
    if (zone)
        g_time_zone_unref(zone);
    return offset;
}

/* FROM lies in INTERVAL and TO behind it: the first second that does not. */
static int64_t find_end(GTimeZone *zone, int interval, int64_t from, int64_t to)
{
    while (to - from > 1) {
        int64_t middle = from + (to - from) / 2;
        if (find_interval(zone, middle) == interval)
            from = middle;
        else
            to = middle;
    }
    return to;
}

/* The first moment at which the zone's clocks show LOCAL or later. */
static int64_t find_moment(GTimeZone *zone, int64_t local)
{
    int64_t from = local - OFFSET_MOST;
    for (;;) { /* each round is a later interval, and those of two days are few */
        int interval = find_interval(zone, from);
        int64_t moment = local - g_time_zone_get_offset(zone, interval);
        if (moment <= from)
            return from;
        if (find_interval(zone, moment) == interval)
            return moment;
        from = find_end(zone, interval, from, moment);
    }
}

/* 0 = Monday. LOCAL may lie before 1970, which began on a Thursday. */
static unsigned weekday_of(int64_t local)
{
    int64_t days = local / DAY - (local % DAY < 0);
    return (unsigned)(((days + 3) % 7 + 7) % 7);
}

static const char *find_objection(struct arena *arena, const struct responder_message *message, GTimeZone *zone,
                                  int64_t now)
{
    static const char *const names[] = {"Mondays", "Tuesdays",  "Wednesdays", "Thursdays",
                                        "Fridays", "Saturdays", "Sundays"};
    int64_t local;
    if (message->start && (!schedule_parse(message->start, &local) || now < find_moment(zone, local)))
        return arena_printf(arena, "begins %s %s", message->start, message->zone);
    if (message->end && (!schedule_parse(message->end, &local) || now >= find_moment(zone, local)))
        return arena_printf(arena, "ended %s %s", message->end, message->zone);
    unsigned weekday = weekday_of(now + offset_at(zone, now));
    if (message->weekdays && !(message->weekdays >> weekday & 1))
        return arena_printf(arena, "not on %s in %s", names[weekday], message->zone);
    return NULL;
}

const struct responder_message *responder_in_force(struct arena *arena, const struct responder *responder, int64_t now,
                                                   const char **why)
{
    const struct responder_message *message = responder_find(responder, responder->active);
    *why = NULL;
    if (!message) {
        *why = "no message is active";
        return NULL;
    }
    GTimeZone *zone = zone_open(message->zone);
    if (!zone) {
        *why = arena_printf(arena, "there is no time zone %s", message->zone);
        return NULL;
    }
    *why = find_objection(arena, message, zone, now);
    g_time_zone_unref(zone);
    return *why ? NULL : message;
}
