#include "processors/dispatch/lines.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/suite.h"

static struct lines *lines;

static void follow(const char *id, size_t channel, const char *customer, int64_t offset,
                   enum ledger_state state, int64_t next_ms)
{
    const struct ledger_entry entry = {.id = str_of(id),
                                       .customer = str_of(customer),
                                       .offset = offset,
                                       .state = state,
                                       .next_ms = next_ms};

    lines_follow(lines, channel, &entry);
}

static void next_is(size_t channel, int64_t now_ms, const char *id)
{
    struct str next = lines_next(lines, channel, now_ms);

    ck_assert_msg(str_is(next, id), "%.*s, not %s", STR_ARG(next), id);
}

START_TEST(of_a_customer_one_is_under_way_and_the_others_go_in_order)
{
    lines = lines_new();
    follow("a2", 0, "C-1", 2, LEDGER_PENDING, 10);
    follow("a1", 0, "C-1", 1, LEDGER_PENDING, 10);
    follow("b1", 0, "C-2", 3, LEDGER_PENDING, 20);
    next_is(0, 9, "");
    next_is(0, 10, "a1");
    follow("a1", 0, "C-1", 1, LEDGER_SENDING, 0);
    next_is(0, 10, ""); /* a2 waits for a1 */
    next_is(0, 20, "b1");
    follow("a1", 0, "C-1", 1, LEDGER_PENDING, 50); /* put off: a2 behind it, too */
    next_is(0, 49, "b1");
    follow("b1", 0, "C-2", 3, LEDGER_SENT, 0);
    next_is(0, 49, "");
    next_is(0, 50, "a1");
    follow("a1", 0, "C-1", 1, LEDGER_FAILED, 0);
    next_is(0, 10, "a2");
    ck_assert_uint_eq(lines_waiting(lines, 0), 1);
    lines_free(lines);
}
END_TEST

START_TEST(channels_do_not_wait_for_each_other)
{
    lines = lines_new();
    follow("a1", 0, "C-1", 1, LEDGER_SENDING, 0);
    follow("a2", 7, "C-1", 2, LEDGER_PENDING, 10);
    next_is(7, 10, "a2");
    next_is(3, 10, "");
    ck_assert_int_eq(lines_due_ms(lines, 0), INT64_MAX);
    ck_assert_int_eq(lines_due_ms(lines, 7), 10);
    lines_free(lines);
}
END_TEST

START_TEST(who_leaves_makes_room_and_who_is_put_off_stands_behind)
{
    lines = lines_new();
    follow("a1", 0, "C-1", 1, LEDGER_PENDING, 10);
    follow("b1", 0, "C-2", 2, LEDGER_PENDING, 11);
    lines_put_off(lines, STR("a1"), 12);
    next_is(0, 20, "b1");
    lines_set_busy(lines, STR("b1"), true);
    next_is(0, 20, "a1");
    lines_set_busy(lines, STR("b1"), false);
    lines_leave(lines, STR("a1"));
    lines_leave(lines, STR("a1"));
    next_is(0, 20, "b1");
    lines_free(lines);
}
END_TEST

START_TEST(thousands_of_customers_each_keep_their_order)
{
    enum { TASKS = 5000, CUSTOMERS = 700 };
    int last_of[CUSTOMERS];
    char id[TASK_ID_SIZE], customer[16];

    lines = lines_new();
    memset(last_of, -1, sizeof last_of);
    for (int i = 0; i < TASKS; i++) {
        snprintf(id, sizeof id, "t%d", i);
        snprintf(customer, sizeof customer, "C-%d", i % CUSTOMERS);
        follow(id, 0, customer, i, LEDGER_PENDING, 1 + i * 37 % 1000);
    }
    for (int i = 0; i < TASKS; i++) {
        int number;
        snprintf(id, sizeof id, "%.*s", STR_ARG(lines_next(lines, 0, 2000)));
        ck_assert_int_eq(id[0], 't');
        number = atoi(id + 1);
        ck_assert_int_gt(number, last_of[number % CUSTOMERS]);
        last_of[number % CUSTOMERS] = number;
        lines_leave(lines, str_of(id));
    }
    next_is(0, 2000, "");
    lines_free(lines);
}
END_TEST

SUITE_MAIN("lines", of_a_customer_one_is_under_way_and_the_others_go_in_order,
           channels_do_not_wait_for_each_other,
           who_leaves_makes_room_and_who_is_put_off_stands_behind,
           thousands_of_customers_each_keep_their_order)
