#include "rules/moment/hours.h"

#include "tests/support/suite.h"

static const uint32_t all_day = 0xffffff;

START_TEST(hours_alone_are_of_every_day)
{
    uint32_t hours[7] = {0};

    ck_assert(hours_read(STR("18-21"), hours));
    for (int day = 0; day < 7; day++)
        ck_assert_uint_eq(hours[day], 7u << 18);
}
END_TEST

START_TEST(days_and_hours_add_up_and_midnight_is_passed)
{
    uint32_t hours[7] = {0};

    ck_assert(hours_read(STR(" sat 22-02 ,  mon-tue  00:00-24:00"), hours));
    ck_assert_uint_eq(hours[6], 3u << 22);
    ck_assert_uint_eq(hours[0], 3u);
    ck_assert_uint_eq(hours[1], all_day);
    ck_assert_uint_eq(hours[2], all_day);
    ck_assert_uint_eq(hours[3], 0);
}
END_TEST

START_TEST(what_cannot_be_read_changes_nothing)
{
    static const char *const wrong[] = {"",
                                        ",",
                                        "18",
                                        "18-18",
                                        "24-03",
                                        "25-26",
                                        "9:30-12",
                                        "noon-13",
                                        "mon",
                                        "mon-fry 09-12",
                                        "09-12,",
                                        "sat 09-12, x",
                                        "mon tue 09-12"};
    uint32_t hours[7] = {5};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!hours_read(str_of(wrong[i]), hours), "%s", wrong[i]);
    ck_assert_uint_eq(hours[0], 5);
}
END_TEST

SUITE_MAIN("hours", hours_alone_are_of_every_day, days_and_hours_add_up_and_midnight_is_passed,
           what_cannot_be_read_changes_nothing)
