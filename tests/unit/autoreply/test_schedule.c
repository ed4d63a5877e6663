/* schedule: start, end and days of the week at the seconds where clocks and calendars have corners. */
#include "unit.h"

#include "autoreply/responder.h"
#include "autoreply/schedule.h"
#include "util/clock.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW 1793516400 /* 2026-11-01T07:00:00Z */

static const struct {
    const char *text, *utc; /* NULL: refused */
} times[] = {
    {"1970-01-01T00:00:00", "1970-01-01T00:00:00Z"},
    {"2026-12-31T23:59:59", "2026-12-31T23:59:59Z"},
    {"2028-02-29T12:00:00", "2028-02-29T12:00:00Z"},
    {"2000-02-29T00:00:01", "2000-02-29T00:00:01Z"},
    {"2026-03-01T00:00:00", "2026-03-01T00:00:00Z"},
    {"2026-02-28T24:00:00", NULL},
    {"2027-02-29T12:00:00", NULL},
    {"2100-02-29T12:00:00", NULL},
    {"2026-04-31T12:00:00", NULL},
    {"2026-00-10T12:00:00", NULL},
    {"2026-13-10T12:00:00", NULL},
    {"2026-01-00T12:00:00", NULL},
    {"2026-01-32T12:00:00", NULL},
    {"2026-01-01T12:60:00", NULL},
    {"2026-01-01T12:00:60", NULL},
    {"1969-12-31T23:59:59", NULL},
    {"2026-01-01", NULL},
    {"2026-01-01T12:00", NULL},
    {"2026-01-01T12:00:00Z", NULL},
    {"2026-01-01T12:00:00+01:00", NULL},
    {"2026-01-01 12:00:00", NULL},
    {"2026-1-1T12:00:00", NULL},
    {"2026-01-01T+2:00:00", NULL},
    {" 026-01-01T12:00:00", NULL},
    {"", NULL},
    {"2026", NULL},
    {"tomorrow", NULL},
};

static void times_are_real(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        int64_t local = -1, wanted = 0;
        bool is_one = schedule_parse(times[i].text, &local);
        if (is_one != (times[i].utc != NULL))
            fail_msg("%s", times[i].text);
        if (is_one) {
            assert_int_equal(clock_parse(times[i].utc, &wanted), 0);
            assert_int_equal(local, wanted);
        }
    }
}

static void zones_are_names(void **state)
{
    (void)state;
    static const char *const good[] = {
        "UTC",        "Europe/Berlin", "America/Argentina/Buenos_Aires", "Pacific/Kiritimati",
        "Etc/GMT+12", "EST5EDT",       "America/Port-au-Prince",         "GMT"};
    static const char *const bad[] = {"",
                                      "Europe/Berln",
                                      "europe/berlin",
                                      "+02:00",
                                      "ABC5",
                                      "CET-1CEST",
                                      "Z0",
                                      ":Europe/Berlin",
                                      "/usr/share/zoneinfo/UTC",
                                      "../zoneinfo/UTC",
                                      "Europe",
                                      "Europe/",
                                      "Europe/Berlin ",
                                      "Europe/Berlin\n",
                                      "right/UTC",
                                      "posix/UTC",
                                      "Etc/GMT+55",
                                      "leapseconds",
                                      "zone.tab",
                                      "EST5",
                                      "U",
                                      "Berlin"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!schedule_zone_exists(good[i]))
            fail_msg("refused: %s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (schedule_zone_exists(bad[i]))
            fail_msg("taken: %s", bad[i]);
    }
}

#define BERLIN "Europe/Berlin"
enum { MON = 1, TUE = 2, WED = 4, THU = 8, FRI = 16, SAT = 32, SUN = 64 };

static const struct {
    const char *zone, *start, *end;
    unsigned weekdays;
    const char *now;
    bool in_force;
} rows[] = {
    /* open at both ends */
    {"UTC", NULL, NULL, 0, "2026-11-22T12:00:00Z", true},
    /* the start is in, the end is out, to the second */
    {"UTC", "2026-12-24T18:00:00", NULL, 0, "2026-12-24T17:59:59Z", false},
    {"UTC", "2026-12-24T18:00:00", NULL, 0, "2026-12-24T18:00:00Z", true},
    {"UTC", NULL, "2026-12-31T18:00:00", 0, "2026-12-31T17:59:59Z", true},
    {"UTC", NULL, "2026-12-31T18:00:00", 0, "2026-12-31T18:00:00Z", false},
    {"UTC", "2026-12-24T18:00:00", "2026-12-24T18:00:01", 0, "2026-12-24T18:00:00Z", true},
    {"UTC", "2026-12-24T18:00:00", "2026-12-24T18:00:01", 0, "2026-12-24T18:00:01Z", false},
    /* in the zone: winter and summer */
    {BERLIN, "2026-12-24T18:00:00", NULL, 0, "2026-12-24T16:59:59Z", false},
    {BERLIN, "2026-12-24T18:00:00", NULL, 0, "2026-12-24T17:00:00Z", true},
    {BERLIN, "2026-07-24T18:00:00", NULL, 0, "2026-07-24T15:59:59Z", false},
    {BERLIN, "2026-07-24T18:00:00", NULL, 0, "2026-07-24T16:00:00Z", true},
    {"America/New_York", NULL, "2026-07-04T00:00:00", 0, "2026-07-04T03:59:59Z", true},
    {"America/New_York", NULL, "2026-07-04T00:00:00", 0, "2026-07-04T04:00:00Z", false},
    /* 2026-03-29 02:00 -> 03:00 at 01:00Z: 02:30 does not exist and means the change */
    {BERLIN, "2026-03-29T02:30:00", NULL, 0, "2026-03-29T00:59:59Z", false},
    {BERLIN, "2026-03-29T02:30:00", NULL, 0, "2026-03-29T01:00:00Z", true},
    {BERLIN, "2026-03-29T02:00:00", NULL, 0, "2026-03-29T00:59:59Z", false},
    {BERLIN, "2026-03-29T02:00:00", NULL, 0, "2026-03-29T01:00:00Z", true},
    {BERLIN, "2026-03-29T03:00:00", NULL, 0, "2026-03-29T01:00:00Z", true},
    {BERLIN, "2026-03-29T03:00:01", NULL, 0, "2026-03-29T01:00:00Z", false},
    {BERLIN, "2026-03-29T03:00:01", NULL, 0, "2026-03-29T01:00:01Z", true},
    {BERLIN, NULL, "2026-03-29T02:59:59", 0, "2026-03-29T00:59:59Z", true},
    {BERLIN, NULL, "2026-03-29T02:59:59", 0, "2026-03-29T01:00:00Z", false},
    /* 2026-10-25 03:00 -> 02:00 at 01:00Z: 02:30 comes twice, at 00:30Z and 01:30Z; the first counts */
    {BERLIN, "2026-10-25T02:30:00", NULL, 0, "2026-10-25T00:29:59Z", false},
    {BERLIN, "2026-10-25T02:30:00", NULL, 0, "2026-10-25T00:30:00Z", true},
    {BERLIN, "2026-10-25T02:30:00", NULL, 0, "2026-10-25T01:10:00Z", true}, /* 02:10 again */
    {BERLIN, "2026-10-25T02:30:00", NULL, 0, "2026-10-25T01:30:00Z", true},
    {BERLIN, NULL, "2026-10-25T02:30:00", 0, "2026-10-25T00:29:59Z", true},
    {BERLIN, NULL, "2026-10-25T02:30:00", 0, "2026-10-25T00:30:00Z", false},
    {BERLIN, NULL, "2026-10-25T02:30:00", 0, "2026-10-25T01:10:00Z", false},
    {BERLIN, "2026-10-25T03:00:00", NULL, 0, "2026-10-25T01:59:59Z", false},
    {BERLIN, "2026-10-25T03:00:00", NULL, 0, "2026-10-25T02:00:00Z", true},
    {BERLIN, "2026-10-25T02:00:00", NULL, 0, "2026-10-25T00:00:00Z", true},
    {BERLIN, "2026-10-25T02:00:00", NULL, 0, "2026-10-24T23:59:59Z", false},
    /* half an hour, at Lord Howe: 2026-10-04 02:00 -> 02:30 at 15:30Z of the 3rd */
    {"Australia/Lord_Howe", "2026-10-04T02:15:00", NULL, 0, "2026-10-03T15:29:59Z", false},
    {"Australia/Lord_Howe", "2026-10-04T02:15:00", NULL, 0, "2026-10-03T15:30:00Z", true},
    /* a day that did not exist: Samoa had no 2011-12-30 */
    {"Pacific/Apia", "2011-12-30T12:00:00", NULL, 0, "2011-12-30T09:59:59Z", false},
    {"Pacific/Apia", "2011-12-30T12:00:00", NULL, 0, "2011-12-30T10:00:00Z", true},
    /* far from UTC: +14 and -11 */
    {"Pacific/Kiritimati", "2027-01-01T00:00:00", NULL, 0, "2026-12-31T09:59:59Z", false},
    {"Pacific/Kiritimati", "2027-01-01T00:00:00", NULL, 0, "2026-12-31T10:00:00Z", true},
    {"Pacific/Kiritimati", NULL, NULL, FRI, "2026-12-31T09:59:59Z", false},
    {"Pacific/Kiritimati", NULL, NULL, FRI, "2026-12-31T10:00:00Z", true},
    {"Pacific/Kiritimati", NULL, NULL, FRI, "2027-01-01T09:59:59Z", true},
    {"Pacific/Kiritimati", NULL, NULL, FRI, "2027-01-01T10:00:00Z", false},
    {"Pacific/Pago_Pago", NULL, NULL, THU, "2027-01-01T10:59:59Z", true},
    {"Pacific/Pago_Pago", NULL, NULL, THU, "2027-01-01T11:00:00Z", false},
    {"Pacific/Pago_Pago", NULL, NULL, FRI, "2027-01-01T11:00:00Z", true},
    /* year ends, leap days */
    {BERLIN, "2026-12-31T23:59:59", "2027-01-01T00:00:00", 0, "2026-12-31T22:59:59Z", true},
    {BERLIN, "2026-12-31T23:59:59", "2027-01-01T00:00:00", 0, "2026-12-31T23:00:00Z", false},
    {"UTC", "2028-02-29T00:00:00", "2028-03-01T00:00:00", 0, "2028-02-29T23:59:59Z", true},
    {"UTC", "2028-02-29T00:00:00", "2028-03-01T00:00:00", 0, "2028-03-01T00:00:00Z", false},
    /* days of the week: 2026-11-22 is a Sunday */
    {"UTC", NULL, NULL, SUN, "2026-11-22T00:00:00Z", true},
    {"UTC", NULL, NULL, SUN, "2026-11-22T23:59:59Z", true},
    {"UTC", NULL, NULL, SUN, "2026-11-23T00:00:00Z", false},
    {"UTC", NULL, NULL, MON, "2026-11-23T00:00:00Z", true},
    {"UTC", NULL, NULL, MON | TUE | WED | THU | FRI, "2026-11-21T12:00:00Z", false},
    {"UTC", NULL, NULL, SAT | SUN, "2026-11-21T12:00:00Z", true},
    {"UTC", NULL, NULL, 127, "2026-11-21T12:00:00Z", true},
    {BERLIN, NULL, NULL, MON, "2026-11-22T22:59:59Z", false},
    {BERLIN, NULL, NULL, MON, "2026-11-22T23:00:00Z", true},
    {"UTC", NULL, NULL, THU, "1970-01-01T00:00:00Z", true},
    {"America/New_York", NULL, NULL, WED, "1970-01-01T00:00:00Z", true}, /* before 1970 by its clock */
    /* both */
    {"UTC", "2026-11-01T00:00:00", "2026-11-30T00:00:00", TUE, "2026-11-24T12:00:00Z", true},
    {"UTC", "2026-11-01T00:00:00", "2026-11-30T00:00:00", TUE, "2026-12-01T12:00:00Z", false},
    /* a zone that has gone */
    {"Europe/Atlantis", NULL, NULL, 0, "2026-11-22T12:00:00Z", false},
};

static void corners(void **state)
{
    (void)state;
    struct arena *arena = arena_create(4096);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct responder_message message = {.name = "m",
                                            .zone = rows[i].zone,
                                            .start = rows[i].start,
                                            .end = rows[i].end,
                                            .weekdays = rows[i].weekdays,
                                            .body = "x"};
        struct responder responder = {.mailbox = "a@b.example", .active = "m", .messages = &message, .count = 1};
        const char *why;
        int64_t now;
        assert_int_equal(clock_parse(rows[i].now, &now), 0);
        const struct responder_message *found = responder_in_force(arena, &responder, now, &why);
        if ((found == &message) != rows[i].in_force || !why != rows[i].in_force)
            fail_msg("row %zu, %s: %s", i, rows[i].now, why ? why : "in force");
    }
    arena_destroy(arena);
}

static void it_says_why_not(void **state)
{
    (void)state;
    struct arena *arena = arena_create(4096);
    struct responder_message message = {.name = "m",
                                        .zone = "Europe/Berlin",
                                        .start = "2026-12-24T18:00:00",
                                        .end = "2026-12-31T18:00:00",
                                        .weekdays = MON,
                                        .body = "x"};
    struct responder responder = {.mailbox = "a@b.example", .messages = &message, .count = 1};
    const char *why;
    int64_t now;
    assert_null(responder_in_force(arena, &responder, 0, &why));
    assert_string_equal(why, "no message is active");
    responder.active = "another";
    assert_null(responder_in_force(arena, &responder, 0, &why));
    assert_string_equal(why, "no message is active");
    responder.active = "m";
    assert_null(responder_in_force(arena, &responder, 0, &why));
    assert_string_equal(why, "begins 2026-12-24T18:00:00 Europe/Berlin");
    assert_int_equal(clock_parse("2027-01-01T00:00:00Z", &now), 0);
    assert_null(responder_in_force(arena, &responder, now, &why));
    assert_string_equal(why, "ended 2026-12-31T18:00:00 Europe/Berlin");
    assert_int_equal(clock_parse("2026-12-25T12:00:00Z", &now), 0);
    assert_null(responder_in_force(arena, &responder, now, &why));
    assert_string_equal(why, "not on Fridays in Europe/Berlin");
    message.zone = "Europe/Atlantis";
    assert_null(responder_in_force(arena, &responder, now, &why));
    assert_string_equal(why, "there is no time zone Europe/Atlantis");
    arena_destroy(arena);
}

/* The definition, looked up second by second around both changes of a year: in force from the first moment on at which
 * the clock shows the start or later. */
static void agrees_with_the_definition(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *around;
    } changes[] = {{"Europe/Berlin", "2026-03-29T02:30:00"},
                   {"Europe/Berlin", "2026-10-25T02:30:00"},
                   {"America/St_Johns", "2026-11-01T01:30:00"},
                   {"Australia/Lord_Howe", "2026-04-05T01:45:00"}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct arena *arena = arena_create(65536);
        struct responder_message message = {
            .name = "m", .zone = changes[i].zone, .start = changes[i].around, .body = "x"};
        struct responder responder = {.mailbox = "a@b.example", .active = "m", .messages = &message, .count = 1};
        int64_t local;
        assert_true(schedule_parse(changes[i].around, &local));
        bool reached = false;
        for (int64_t now = local - 16 * 3600; now < local + 16 * 3600; now += 60) {
            const char *why;
            reached = reached || now + schedule_offset(changes[i].zone, now) >= local;
            assert_int_equal(responder_in_force(arena, &responder, now, &why) != NULL, reached);
        }
        assert_true(reached);
        arena_destroy(arena);
    }
}

/* More zones than are kept, again and again: each still gives its own offset. */
static void many_zones(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        for (int hours = -14; hours <= 12; hours++) { /* the sign of these names is the other way round */
            char name[32];
            snprintf(name, sizeof name, "Etc/GMT%+d", hours);
            assert_int_equal(schedule_offset(name, 0), -3600 * hours);
        }
        static const char *const others[] = {
            "Africa/Abidjan",  "Africa/Accra",     "Africa/Algiers",  "Africa/Cairo",   "Africa/Lagos",
            "Africa/Nairobi",  "America/Bogota",   "America/Chicago", "America/Denver", "America/Lima",
            "America/Phoenix", "Asia/Baku",        "Asia/Dubai",      "Asia/Hong_Kong", "Asia/Jakarta",
            "Asia/Kabul",      "Asia/Karachi",     "Asia/Kolkata",    "Asia/Manila",    "Asia/Seoul",
            "Asia/Shanghai",   "Asia/Tokyo",       "Europe/Athens",   "Europe/Berlin",  "Europe/Dublin",
            "Europe/Helsinki", "Europe/Kyiv",      "Europe/Lisbon",   "Europe/London",  "Europe/Madrid",
            "Europe/Paris",    "Europe/Prague",    "Europe/Rome",     "Europe/Vienna",  "Europe/Warsaw",
            "Europe/Zurich",   "Pacific/Auckland", "Pacific/Fiji",    "Pacific/Guam",   "Pacific/Tahiti"};
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            assert_true(schedule_zone_exists(others[i]));
        assert_int_equal(schedule_offset("Asia/Kolkata", NOW), 19800);
        assert_int_equal(schedule_offset("Europe/Zurich", NOW), 3600);
    }
}

/* A look-up of a zone in use costs no reading: that alone would be half a millisecond. */
static void zones_are_kept(void **state)
{
    (void)state;
    int64_t start = clock_monotonic_us();
    for (unsigned i = 0; i < 20000; i++)
        assert_int_equal(schedule_offset("Europe/Berlin", NOW), 3600);
    assert_in_range(clock_monotonic_us() - start, 0, 2000000);
}

static void *look_up(void *zone)
{
    for (unsigned i = 0; i < 3000; i++) {
        if (schedule_offset(zone, NOW) != (strcmp(zone, "Asia/Tokyo") == 0 ? 32400 : 3600))
            return zone;
    }
    return NULL;
}

static void threads_share_them(void **state)
{
    (void)state;
    static char *const zones[] = {"Europe/Berlin", "Asia/Tokyo", "Europe/Berlin", "Europe/Paris"};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, look_up, zones[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_real),
        cmocka_unit_test(zones_are_names),
        cmocka_unit_test(corners),
        cmocka_unit_test(it_says_why_not),
        cmocka_unit_test(agrees_with_the_definition),
        cmocka_unit_test(many_zones),
        cmocka_unit_test(zones_are_kept),
        cmocka_unit_test(threads_share_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
