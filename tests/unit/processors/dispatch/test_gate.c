#include "processors/dispatch/gate.h"
#include "tests/support/scratch.h"
#include "tests/support/scripted.h"
#include "tests/support/suite.h"

static const struct gate_options options = {.timeout_ms = 100,
                                            .concurrency = 2,
                                            .pauses_ms = {1000, 4000},
                                            .pause_count = 2,
                                            .breaker_failures = 3,
                                            .breaker_pause_ms = 500};
static struct gate *gate;
static int64_t until_ms;

static void asked(const char *address, int64_t now_ms, enum gate_answer answer)
{
    ck_assert_int_eq(gate_ask(gate, str_of(address), now_ms, &until_ms), answer);
}

static void attempt(const char *address, int64_t now_ms, enum delivery result)
{
    gate_begin(gate, str_of(address), now_ms);
    gate_end(gate, str_of(address), result, false, now_ms);
}

START_TEST(no_more_are_under_way_than_may_be)
{
    gate = gate_new(&options);
    gate_begin(gate, STR_EMPTY, 0);
    asked("", 0, GATE_OPEN);
    gate_begin(gate, STR_EMPTY, 0);
    asked("", 0, GATE_FULL);
    gate_end(gate, STR_EMPTY, DELIVERY_ACCEPTED, false, 0);
    asked("", 0, GATE_OPEN);
    gate_cancel(gate, STR_EMPTY);
    ck_assert_uint_eq(gate_under_way(gate), 0);
    gate_free(gate);
}
END_TEST

START_TEST(no_more_begin_in_a_second_than_may)
{
    struct gate_options slow = options;

    slow.rate = 2;
    gate = gate_new(&slow);
    asked("", 5000, GATE_OPEN);
    attempt("", 5000, DELIVERY_ACCEPTED);
    attempt("", 5100, DELIVERY_ACCEPTED);
    asked("", 5999, GATE_LATER);
    ck_assert_int_eq(until_ms, 6000);
    asked("", 6000, GATE_OPEN);
    gate_free(gate);
}
END_TEST

START_TEST(a_breaker_opens_after_failures_in_a_row_and_one_attempt_closes_it)
{
    gate = gate_new(&options);
    attempt("", 0, DELIVERY_DOWN);
    attempt("", 0, DELIVERY_UNKNOWN);
    attempt("", 0, DELIVERY_RETRY); /* somebody answered: it lives */
    attempt("", 0, DELIVERY_DOWN);
    attempt("", 0, DELIVERY_DOWN);
    asked("", 0, GATE_OPEN);
    attempt("", 0, DELIVERY_DOWN);
    ck_assert(gate_is_broken(gate));
    asked("", 499, GATE_LATER);
    ck_assert_int_eq(until_ms, 500);
    asked("", 500, GATE_OPEN);
    gate_begin(gate, STR_EMPTY, 500);
    asked("", 500, GATE_FULL); /* one alone tries */
    gate_end(gate, STR_EMPTY, DELIVERY_DOWN, false, 600);
    asked("", 1099, GATE_LATER);
    asked("", 1100, GATE_OPEN);
    attempt("", 1100, DELIVERY_ACCEPTED);
    ck_assert(!gate_is_broken(gate));
    gate_free(gate);
}
END_TEST

START_TEST(an_address_has_a_breaker_of_its_own)
{
    gate = gate_new(&options);
    for (int i = 0; i < 3; i++) {
        attempt("https://slow", 0, DELIVERY_UNKNOWN);
        attempt("https://good", 0, DELIVERY_ACCEPTED);
    }
    asked("https://slow", 100, GATE_ADDRESS);
    ck_assert_int_eq(until_ms, 500);
    asked("https://good", 100, GATE_OPEN);
    asked("https://slow", 500, GATE_OPEN);
    attempt("https://slow", 500, DELIVERY_ACCEPTED);
    asked("https://slow", 501, GATE_OPEN);
    gate_free(gate);
}
END_TEST

START_TEST(who_is_gone_is_not_tried_again)
{
    gate = gate_new(&options);
    gate_begin(gate, STR("https://gone"), 0);
    gate_end(gate, STR("https://gone"), DELIVERY_REFUSED, true, 0);
    asked("https://gone", 1000000, GATE_GONE);
    asked("https://good", 1000000, GATE_OPEN);
    gate_begin(gate, STR_EMPTY, 0);
    gate_end(gate, STR_EMPTY, DELIVERY_REFUSED, true, 0);
    asked("https://good", 1000000, GATE_GONE); /* the channel itself */
    gate_free(gate);
}
END_TEST

START_TEST(pauses_are_spread_grow_and_end)
{
    struct rng rng = rng_seeded(7);
    int64_t next_ms, least = INT64_MAX, most = 0;

    for (int i = 0; i < 1000; i++) {
        ck_assert(gate_next_ms(&options, 2, 0, 10000, &rng, &next_ms));
        least = next_ms < least ? next_ms : least;
        most = next_ms > most ? next_ms : most;
    }
    ck_assert_int_ge(least, 13000);
    ck_assert_int_lt(least, 13200);
    ck_assert_int_le(most, 15000);
    ck_assert_int_gt(most, 14800);
    ck_assert(gate_next_ms(&options, 1, 60000, 10000, &rng, &next_ms));
    ck_assert_int_eq(next_ms, 70000); /* Retry-After */
    ck_assert(!gate_next_ms(&options, 3, 0, 10000, &rng, &next_ms));
}
END_TEST

START_TEST(options_that_are_no_durations_are_refused)
{
    struct arena *arena = arena_new(0);
    struct gate_options read;
    struct err err = {0};

    ck_assert_int_eq(
        gate_options_read(scripted_conf("{log: x, retries: [1s, 5m]}", arena), &read, &err),
        ERR_NONE);
    ck_assert_uint_eq(read.pause_count, 2);
    ck_assert_int_eq(read.pauses_ms[1], 300000);
    ck_assert_int_eq(
        gate_options_read(scripted_conf("{log: x, retries: [soon]}", arena), &read, &err),
        ERR_CONFIG);
    ck_assert_str_eq(err.text, "retries holds \"soon\", wants durations (30s, 5m)");
    arena_free(arena);
}
END_TEST

SUITE_MAIN("gate", no_more_are_under_way_than_may_be, no_more_begin_in_a_second_than_may,
           a_breaker_opens_after_failures_in_a_row_and_one_attempt_closes_it,
           an_address_has_a_breaker_of_its_own, who_is_gone_is_not_tried_again,
           pauses_are_spread_grow_and_end, options_that_are_no_durations_are_refused)
