/* What moments add: time zones, local times, mixed numbers, own functions. */
#include "tests/support/cel_table.h"
#include "tests/support/suite.h"

START_TEST(timestamps_and_durations_are_added_and_compared)
{
    static const struct table_case cases[] = {
        {"timestamp('2026-01-31T00:00:00Z') + duration('24h')", "2026-02-01T00:00:00Z"},
        {"duration('1s') + timestamp('2026-01-01T00:00:00Z')", "2026-01-01T00:00:01Z"},
        {"timestamp('2026-01-01T00:00:00Z') - duration('1ns')", "2025-12-31T23:59:59.999999999Z"},
        {"timestamp('2026-01-02T00:00:00Z') - timestamp('2026-01-01T00:00:00.5Z')", "86399.5s"},
        {"span + duration('30m')", "7200s"},
        {"span - duration('2h')", "-1800s"},
        {"t > timestamp('2026-01-01T00:00:00Z')", "true"},
        {"span < duration('2h')", "true"},
        {"timestamp('9999-12-31T23:59:59Z') + duration('1s')", "error: range"},
        {"timestamp('0001-01-01T00:00:00Z') - duration('1ns')", "error: range"},
        {"duration('9223372036s') + duration('1s')", "error: range"},
        {"timestamp('9999-12-31T00:00:00Z') - timestamp('0001-01-01T00:00:00Z')", "error: range"},
        {"duration('3h25m45s').getHours()", "3"},
        {"duration('3h25m45s').getMinutes()", "205"},
        {"duration('-90s').getMinutes()", "-1"},
        {"duration('1.234s').getMilliseconds()", "234"},
        {"duration('-0.5s').getSeconds()", "0"},
    };

    TABLE_CHECK(TABLE_STRICT, cases);
}
END_TEST

START_TEST(fields_follow_the_time_zone_across_its_changes)
{
    static const struct table_case cases[] = {
        {"t.getFullYear()", "2026"},
        {"t.getMonth()", "2"},
        {"t.getDate()", "28"},
        {"t.getDayOfMonth()", "27"},
        {"t.getDayOfWeek()", "6"},
        {"t.getDayOfYear()", "86"},
        {"t.getHours()", "23"},
        {"t.getMinutes()", "30"},
        {"t.getSeconds() + t.getMilliseconds()", "0"},
        {"t.getHours('Europe/Amsterdam')", "0"},
        {"t.getDate('Europe/Amsterdam')", "29"},
        {"(t + duration('2h')).getHours('Europe/Amsterdam')", "3"}, /* 02:00 was skipped */
        {"(t + duration('90m')).getHours('Europe/Amsterdam')", "3"},
        {"(t + duration('89m')).getHours('Europe/Amsterdam')", "1"},
        {"timestamp('2026-10-25T00:30:00Z').getHours('Europe/Amsterdam')", "2"},
        {"timestamp('2026-10-25T01:30:00Z').getHours('Europe/Amsterdam')", "2"},
        {"timestamp('2500-07-01T12:00:00Z').getHours('Europe/Amsterdam')", "14"},
        {"t.getHours('+05:30')", "5"},
        {"t.getMinutes('-00:45')", "45"},
        {"t.getHours('02:00')", "1"},
        {"t.getHours('UTC')", "23"},
        {"t.getHours('Europe/Nowhere')", "error: unknown time zone"},
        {"t.getHours('../../etc/passwd')", "error: unknown time zone"},
        {"timestamp('2024-02-29T12:00:00Z').getDayOfYear()", "59"},
        {"timestamp('0001-01-01T00:00:00Z').getHours('America/New_York') >= 0", "true"},
    };

    TABLE_CHECK(TABLE_STRICT, cases);
}
END_TEST

START_TEST(local_time_is_the_customers_wall_clock)
{
    static const struct table_case cases[] = {
        {"local(t).getHours()", "0"},
        {"local(t).getDate()", "29"},
        {"local(t).getDayOfWeek()", "0"},
        {"local(t + hours(2)).getHours()", "3"},
        {"local(t).getHours() >= 9 && local(t).getHours() < 21", "false"},
        {"[local(t)].map(x, x.getMinutes())", "[30]"},
        {"dyn(local(t)) == t", "false"},
        {"dyn(local(t)) < t", "error: no such overload"},
        {"dyn(local(t))", "error: a local time cannot be a result"},
        {"local_at(t, '09:00')", "2026-03-29T07:00:00Z"},
        {"local_at(t - days(1), '09:00')", "2026-03-28T08:00:00Z"},
        {"local_at(t, '02:30')", "2026-03-29T01:00:00Z"}, /* in the gap */
        {"local_at(timestamp('2026-10-25T12:00:00Z'), '02:30')", "2026-10-25T00:30:00Z"},
        {"local_at(t, '9:00:30')", "2026-03-29T07:00:30Z"},
        {"local_at(t, '25:00')", "error: a time of day is needed"},
        {"local_at(t, 'noon')", "error: a time of day is needed"},
    };

    TABLE_CHECK(TABLE_MOMENT, cases);
}
END_TEST

START_TEST(own_functions_are_there_in_moments)
{
    static const struct table_case cases[] = {
        {"days(14)", "1209600s"},
        {"hours(36) == duration('36h')", "true"},
        {"t - days(30) < t", "true"},
        {"days(i)", "604800s"},
        {"days(i * 1000000000000)", "error: range"},
        {"int(distance_km(52.37, 4.9, 48.85, 2.35))", "430"},
        {"distance_km(1, 2, 1, 2)", "0"},
        {"distance_km(d, 0, d, 180) > 19000", "true"},
    };

    TABLE_CHECK(TABLE_MOMENT, cases);
}
END_TEST

START_TEST(int_and_double_mix_in_moments)
{
    static const struct table_case cases[] = {
        {"event.data.weight_kg > 1500", "true"},
        {"event.data.weight_kg == 1900", "true"},
        {"event.data.weight_kg * 2", "3800"},
        {"1.2 * i", "8.4"},
        {"i / 2.0", "3.5"},
        {"i / 2", "3"},
        {"d + i - 1", "8.5"},
        {"m.a + m.b", "3.5"},
        {"m.b * i", "17.5"},
        {"b ? 1 : 2.5", "1"},
        {"d in [2, 3]", "false"},
        {"i in [6.5, 7.0]", "true"},
        {"u > 4", "true"},
        {"list.map(x, x * 0.5)", "[0.5, 1, 1.5]"},
    };

    TABLE_CHECK(TABLE_MOMENT, cases);
}
END_TEST

SUITE_MAIN("cel in moments", timestamps_and_durations_are_added_and_compared,
           fields_follow_the_time_zone_across_its_changes, local_time_is_the_customers_wall_clock,
           own_functions_are_there_in_moments, int_and_double_mix_in_moments)
