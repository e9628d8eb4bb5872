#include "schemas/gaps.h"

#include <string.h>

#include "tests/support/suite.h"

struct look {
    size_t count;
    struct err fresh, oldest;
};

static struct look look(struct gaps *gaps, int64_t now_ms)
{
    struct look l = {0};

    l.count = gaps_look(gaps, "attent.tasks", 3, now_ms, &l.fresh, &l.oldest);
    return l;
}

static struct taken_source numbered(const char *from, uint64_t number)
{
    return (struct taken_source){.from = str_of(from), .generation = 1, .number = number};
}

START_TEST(a_gap_is_said_once_it_has_lasted_a_minute)
{
    struct taken taken = {0};
    struct gaps gaps = {0};
    struct taken_source last = numbered("decide/0", 4), ahead = numbered("decide/0", 9);
    struct look l;

    taken_advance(&taken, &last);
    gaps_open(&gaps, &taken, &ahead);
    ck_assert_uint_eq(look(&gaps, 1000).count, 0);
    gaps_open(&gaps, &taken, &ahead); /* still the same one */
    ck_assert_uint_eq(look(&gaps, 60999).count, 0);
    l = look(&gaps, 61000);
    ck_assert_uint_eq(l.count, 1);
    ck_assert_ptr_nonnull(
        strstr(l.fresh.text, "attent.tasks/3: record 1.5 of decide/0 has been missing for 60 s"));
    l = look(&gaps, 62000);
    ck_assert_int_eq(l.fresh.code, ERR_NONE);
    ck_assert_ptr_nonnull(strstr(l.oldest.text, "for 61 s"));
    ck_assert_uint_eq(gaps.lasting, 1);
    gaps_forget(&gaps);
    taken_free(&taken);
}
END_TEST

START_TEST(a_gap_that_was_filled_is_forgotten)
{
    struct taken taken = {0};
    struct gaps gaps = {0};
    struct taken_source ahead = numbered("decide/0", 9), other = numbered("decide/1", 7);

    gaps_open(&gaps, &taken, &ahead);
    gaps_open(&gaps, &taken, &other);
    look(&gaps, 0);
    gaps_close(&gaps, STR("decide/0"));
    gaps_close(&gaps, STR("decide/0"));
    ck_assert_uint_eq(look(&gaps, 60000).count, 1);
    gaps_open(&gaps, &taken, &ahead); /* its minute begins again */
    look(&gaps, 60000);
    ck_assert_uint_eq(look(&gaps, 119999).count, 1);
    ck_assert_uint_eq(look(&gaps, 120000).count, 2);
    gaps_forget(&gaps);
}
END_TEST

START_TEST(a_record_is_lost_when_all_behind_its_producers_word_was_read)
{
    struct taken taken = {0};
    struct gaps gaps = {0};
    struct taken_source ahead = numbered("decide/0", 9), third = numbered("decide/0", 3);
    struct gap *gap;
    struct err err = {0};
    size_t at = 0;

    gaps_open(&gaps, &taken, &ahead);
    look(&gaps, 0);
    ck_assert_ptr_null(gaps_doubted(&gaps, 59999, &at));
    at = 0;
    gap = gaps_doubted(&gaps, 60000, &at);
    ck_assert_ptr_nonnull(gap);
    ck_assert(!gaps_lost(&gaps, "attent.tasks", 3, 1000, &err)); /* nobody has counted it */
    gap->bound = 500;
    at = 0;
    ck_assert_ptr_null(gaps_doubted(&gaps, 60000, &at)); /* it is known */
    ck_assert(!gaps_lost(&gaps, "attent.tasks", 3, 499, &err));
    ck_assert(gaps_lost(&gaps, "attent.tasks", 3, 500, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "Kafka has lost record 1.1 of decide/0"));
    taken_advance(&taken, &third);
    gaps_open(&gaps, &taken, &ahead); /* another number is missing now */
    ck_assert(!gaps_lost(&gaps, "attent.tasks", 3, 500, &err));
    gaps_forget(&gaps);
    taken_free(&taken);
}
END_TEST

START_TEST(names_that_cannot_be_said_are_not_kept)
{
    struct gaps gaps = {0};
    struct taken_source bad = {.from = {"a\0b", 3}, .generation = 1, .number = 2};

    gaps_open(&gaps, &(struct taken){0}, &bad);
    bad.from = STR("\xff");
    gaps_open(&gaps, &(struct taken){0}, &bad);
    ck_assert_uint_eq(gaps.count, 0);
    gaps_forget(&gaps);
}
END_TEST

SUITE_MAIN("gaps", a_gap_is_said_once_it_has_lasted_a_minute, a_gap_that_was_filled_is_forgotten,
           a_record_is_lost_when_all_behind_its_producers_word_was_read,
           names_that_cannot_be_said_are_not_kept)
