/* tsan: yes */
#include <pthread.h>

#include "core/zone.h"

#include "core/arena.h"
#include "core/file.h"
#include "core/when.h"
#include "tests/support/suite.h"

static int64_t at(const char *text)
{
    int64_t seconds;

    ck_assert_msg(when_parse_rfc3339(str_of(text), &seconds, NULL), "%s", text);
    return seconds;
}

static const struct zone *zone(const char *name)
{
    const struct zone *found = zone_find(str_of(name));

    ck_assert_msg(found != NULL, "%s", name);
    return found;
}

START_TEST(offsets_follow_history_and_the_rule_of_the_future)
{
    static const struct {
        const char *zone, *at;
        int offset_s;
    } cases[] = {
        {"Europe/Amsterdam", "2025-03-30T00:59:59Z", 3600},
        {"Europe/Amsterdam", "2025-03-30T01:00:00Z", 7200},
        {"Europe/Amsterdam", "2025-10-26T00:59:59Z", 7200},
        {"Europe/Amsterdam", "2025-10-26T01:00:00Z", 3600},
        {"Europe/Amsterdam", "2099-07-01T00:00:00Z", 7200}, /* by the footer's rule */
        {"Europe/Amsterdam", "2099-12-01T00:00:00Z", 3600},
        {"America/New_York", "2026-03-08T06:59:59Z", -18000},
        {"America/New_York", "2026-03-08T07:00:00Z", -14400},
        {"Australia/Sydney", "2060-01-01T00:00:00Z", 39600}, /* summer is around new year */
        {"Australia/Sydney", "2060-07-01T00:00:00Z", 36000},
        {"Asia/Kolkata", "2030-01-01T00:00:00Z", 19800},
        {"America/Sao_Paulo", "2018-12-01T00:00:00Z", -7200}, /* summer time was given up */
        {"America/Sao_Paulo", "2030-12-01T00:00:00Z", -10800},
        {"UTC", "2030-01-01T00:00:00Z", 0},
        {"-03:30", "2030-01-01T00:00:00Z", -12600},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(zone_offset_s(zone(cases[i].zone), at(cases[i].at)) == cases[i].offset_s,
                      "%s at %s: %d", cases[i].zone, cases[i].at,
                      zone_offset_s(zone(cases[i].zone), at(cases[i].at)));
}
END_TEST

START_TEST(a_wall_clock_in_a_gap_is_the_first_instant_after_it)
{
    const struct zone *z = zone("Europe/Amsterdam");

    ck_assert_int_eq(zone_to_utc_s(z, 2025, 3, 30, 2, 30, 0), at("2025-03-30T01:00:00Z"));
    ck_assert_int_eq(zone_to_utc_s(z, 2025, 3, 30, 3, 0, 0), at("2025-03-30T01:00:00Z"));
    ck_assert_int_eq(zone_to_utc_s(z, 2025, 3, 30, 1, 59, 59), at("2025-03-30T00:59:59Z"));
}
END_TEST

START_TEST(a_wall_clock_that_comes_twice_is_the_first)
{
    ck_assert_int_eq(zone_to_utc_s(zone("Europe/Amsterdam"), 2025, 10, 26, 2, 30, 0),
                     at("2025-10-26T00:30:00Z"));
    ck_assert_int_eq(zone_to_utc_s(zone("America/New_York"), 2025, 11, 2, 1, 30, 0),
                     at("2025-11-02T05:30:00Z"));
}
END_TEST

START_TEST(fields_out_of_range_carry_over)
{
    const struct zone *z = zone("Europe/Amsterdam");

    ck_assert_int_eq(zone_to_utc_s(z, 2025, 12, 32, 9, 0, 0), at("2026-01-01T08:00:00Z"));
    ck_assert_int_eq(zone_to_utc_s(z, 2025, 13, 1, 9, 0, 0), at("2026-01-01T08:00:00Z"));
    ck_assert_int_eq(zone_to_utc_s(z, 2025, 1, 0, 24, 0, 0), at("2024-12-31T23:00:00Z"));
}
END_TEST

START_TEST(a_local_time_has_its_weekday_and_day_of_the_year)
{
    struct zone_local t = zone_to_local(zone("Europe/Amsterdam"), at("2024-12-31T23:30:00Z"));

    ck_assert_int_eq(t.year, 2025);
    ck_assert_int_eq(t.month * 100 + t.day, 101);
    ck_assert_int_eq(t.hour * 100 + t.minute, 30);
    ck_assert_int_eq(t.weekday, 3);
    ck_assert_int_eq(t.yearday, 0);
}
END_TEST

START_TEST(names_that_would_leave_the_folder_are_none)
{
    static const char *const none[] = {
        "",      "../../etc/passwd", "/etc/localtime", "Europe/../UTC", "Europe", "No/Where",
        "+2:00", "+25:00",           "tzdata.zi"};

    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        ck_assert_msg(zone_find(str_of(none[i])) == NULL, "%s", none[i]);
}
END_TEST

START_TEST(every_cut_of_a_zone_file_is_refused)
{
    struct arena *arena = arena_new(0);
    struct str data;
    struct zone *whole;

    ck_assert_int_eq(file_read("/usr/share/zoneinfo/Europe/Amsterdam", arena, &data, NULL), 0);
    whole = zone_read(data);
    ck_assert_ptr_nonnull(whole);
    zone_release(whole);
    for (size_t cut = 0; cut < data.len; cut++) {
        struct str copy = arena_str(arena, (struct str){data.data, cut});
        ck_assert_msg(zone_read(copy) == NULL, "cut at %zu", cut);
    }
    arena_free(arena);
}
END_TEST

START_TEST(the_version_of_the_zone_data_is_known)
{
    ck_assert_uint_gt(zone_data_version().len, 10);
    ck_assert(str_starts(zone_data_version(), STR("20")));
}
END_TEST

static void *find_zones(void *unused)
{
    static const char *const names[] = {"Europe/Amsterdam", "Europe/Lisbon", "Asia/Tokyo",
                                        "No/Zone"};

    (void)unused;
    for (int i = 0; i < 400; i++)
        zone_find(str_of(names[i % 4]));
    return (void *)(uintptr_t)zone_find(STR("Asia/Tokyo"));
}

START_TEST(a_zone_is_the_same_in_every_thread)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, find_zones, NULL), 0);
    for (int i = 0; i < 4; i++) {
        void *found;
        pthread_join(threads[i], &found);
        ck_assert_ptr_eq(found, zone("Asia/Tokyo"));
    }
}
END_TEST

SUITE_MAIN("zone", offsets_follow_history_and_the_rule_of_the_future,
           a_wall_clock_in_a_gap_is_the_first_instant_after_it,
           a_wall_clock_that_comes_twice_is_the_first, fields_out_of_range_carry_over,
           a_local_time_has_its_weekday_and_day_of_the_year,
           names_that_would_leave_the_folder_are_none, every_cut_of_a_zone_file_is_refused,
           the_version_of_the_zone_data_is_known, a_zone_is_the_same_in_every_thread)
