#include "schemas/letter.h"

#include "schemas/skip.h"
#include "schemas/suspect.h"
#include "tests/support/suite.h"

static struct arena *arena;

static void set_up(void)
{
    arena = arena_new(0);
}

static void tear_down(void)
{
    arena_free(arena);
}

/* --- places ---------------------------------------------------------------------------------------- */

START_TEST(a_place_reads_back_as_it_was)
{
    const struct spot spot = {STR("attent.crm_1-x"), 2147483647, INT64_MAX};
    struct spot back;
    struct buf text = {0};

    spot_put(&text, &spot);
    ck_assert_str_eq(buf_text(&text), "attent.crm_1-x/2147483647/9223372036854775807");
    ck_assert(spot_read(buf_str(&text), &back) && spot_equal(&spot, &back));
    buf_free(&text);
}
END_TEST

START_TEST(what_is_no_place_is_refused)
{
    static const char *const wrong[] = {"",
                                        "crm",
                                        "crm/1",
                                        "crm/1/",
                                        "crm//1",
                                        "/1/2",
                                        "crm/1/-1",
                                        "crm/01/1",
                                        "crm/1/2/3",
                                        "c m/1/2",
                                        "crm/1/9223372036854775808",
                                        "crm/2147483648/1",
                                        "crm/+1/1",
                                        "crm/1/1 ",
                                        "cr\xc3\xa9/1/1"};
    struct spot out;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!spot_read(str_of(wrong[i]), &out), "%s", wrong[i]);
}
END_TEST

/* --- skips ----------------------------------------------------------------------------------------- */

static struct record skip_record(const char *key, const char *value)
{
    return (struct record){.key = str_of(key), .value = str_of(value)};
}

START_TEST(a_skip_reads_back_as_it_was)
{
    const struct skip skip = {.spot = {STR("attent.events"), 3, 17},
                              .reason = STR(SKIP_REASON_POISON),
                              .step = STR("decide"),
                              .deaths = 3,
                              .at_ms = 1772438400000};
    struct buf key = {0}, value = {0};
    struct record record;
    struct skip back;

    skip_put_key(&key, &skip);
    skip_put_value(&value, &skip);
    ck_assert_str_eq(buf_text(&key), "skip/attent.events/3/17");
    ck_assert_str_eq(buf_text(&value), "{\"reason\":\"poison\",\"step\":\"decide\",\"deaths\":3,"
                                       "\"at\":\"2026-03-02T08:00:00Z\"}");
    record = (struct record){.key = buf_str(&key), .value = buf_str(&value)};
    ck_assert(skip_read(&record, arena, &back));
    ck_assert(spot_equal(&back.spot, &skip.spot) && str_is(back.reason, "poison") &&
              str_is(back.step, "decide"));
    ck_assert(back.deaths == 3 && back.at_ms == skip.at_ms);
    buf_free(&key);
    buf_free(&value);
}
END_TEST

START_TEST(a_skipped_timer_reads_back_and_names_nobody)
{
    const struct skip skip = {
        .spot = {STR("t"), 3, 17}, .of_timer = true, .timer = skip_timer_of(STR("c-7"), -5)};
    struct skip_list list = {0};
    struct buf key = {0};
    struct record record;
    struct skip back;

    skip_put_key(&key, &skip);
    ck_assert(str_starts(buf_str(&key), STR("skip/t/3/17/timer/-5/")));
    ck_assert(!str_contains(buf_str(&key), STR("c-7")));
    record = (struct record){.key = buf_str(&key), .value = STR("{}")};
    ck_assert(skip_read(&record, arena, &back) && back.of_timer);
    ck_assert(spot_equal(&back.spot, &skip.spot));
    skip_list_take(&list, &back);
    skip_list_take(&list, &back);
    ck_assert(list.timer_count == 1 && list.count == 0 && skip_list_knows(&list, &skip));
    ck_assert(skip_list_has_timer(&list, 3, STR("c-7"), -5));
    ck_assert(!skip_list_has_timer(&list, 3, STR("c-7"), 5) &&
              !skip_list_has_timer(&list, 3, STR("c-8"), -5) &&
              !skip_list_has_timer(&list, 2, STR("c-7"), -5));
    skip_list_free(&list);
    buf_free(&key);
}
END_TEST

START_TEST(the_key_alone_says_what_is_skipped)
{
    struct record broken = skip_record("skip/t/0/1", "{nonsense"),
                  other = skip_record("history/1", "{}"), none = skip_record("skip/t/0/1", NULL),
                  timer = skip_record("skip/t/0/1/timer/5/abc", "{}");
    struct skip out;

    ck_assert(skip_read(&broken, arena, &out) && out.spot.offset == 1 && out.reason.len == 0);
    ck_assert(!skip_read(&other, arena, &out));
    ck_assert(!skip_read(&timer, arena, &out));
    ck_assert(!skip_read(&none, arena, &out));
}
END_TEST

START_TEST(a_list_of_skips_is_in_order_and_has_each_once)
{
    struct skip_list list = {0};

    for (int64_t i = 40; i-- > 0;) {
        skip_list_add(&list, (int32_t)(i % 3), i * 7 % 40);
        skip_list_add(&list, (int32_t)(i % 3), i * 7 % 40);
    }
    ck_assert_uint_eq(list.count, 40);
    for (size_t i = 1; i < list.count; i++)
        ck_assert(list.items[i - 1].partition < list.items[i].partition ||
                  (list.items[i - 1].partition == list.items[i].partition &&
                   list.items[i - 1].offset < list.items[i].offset));
    for (int64_t i = 0; i < 40; i++)
        ck_assert(skip_list_has(&list, (int32_t)(i % 3), i * 7 % 40));
    ck_assert(!skip_list_has(&list, 3, 0) && !skip_list_has(&list, 0, 40));
    skip_list_free(&list);
}
END_TEST

/* --- notes ----------------------------------------------------------------------------------------- */

static struct suspect died(const char *text, int64_t next)
{
    struct suspect s;
    struct buf again = {0};

    ck_assert_msg(suspect_read(str_of(text), &s), "%s", text);
    suspect_put(&again, &s);
    ck_assert_str_eq(buf_text(&again), text);
    buf_free(&again);
    ck_assert(suspect_died(&s, next));
    return s;
}

START_TEST(what_was_in_hand_three_times_at_last_alone_is_poison)
{
    struct suspect some = died("16 80 1", 16), second = died("17 18 1", 16),
                   third = died("17 18 2", 17), timer = died("timer 17 18 2 -5 c 7", 3);

    ck_assert(!suspect_is_one(&some) && some.deaths == 2);
    some.deaths = 9;
    ck_assert(!suspect_is_poison(&some));
    ck_assert(suspect_is_one(&second) && second.deaths == 2 && !suspect_is_poison(&second));
    ck_assert(third.deaths == 3 && suspect_is_poison(&third));
    ck_assert(suspect_is_poison(&timer) && timer.from == 17 && timer.due_ms == -5 &&
              str_is(timer.timer, "c 7"));
}
END_TEST

START_TEST(what_is_not_in_hand_is_accused_of_no_death)
{
    struct suspect over, among;

    ck_assert(suspect_read(STR("17 18 2"), &over) && !suspect_died(&over, 18));
    ck_assert(over.deaths == 2);
    ck_assert(suspect_read(STR("among 16 18 2"), &among) && among.among);
    ck_assert(suspect_died(&among, 17) && among.deaths == 2 && !suspect_died(&among, 18));
}
END_TEST

START_TEST(what_is_no_note_is_none)
{
    static const char *const wrong[] = {"",
                                        "left",
                                        "1 2",
                                        "2 1 0",
                                        "1 1 0",
                                        "1 2 3 4",
                                        "-1 0 0",
                                        "1 2 x",
                                        "timers",
                                        "1  2 0",
                                        "1 2 -1",
                                        "timer 1 2 0",
                                        "timer 1 2 0 5",
                                        "timer 1 2 0 5 ",
                                        "timer 1 2 0 -0 c",
                                        "timer 1 2 0 x c"};
    struct suspect out;

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!suspect_read(str_of(wrong[i]), &out), "%s", wrong[i]);
}
END_TEST

/* --- letters --------------------------------------------------------------------------------------- */

static struct record letter_of(const struct record *record)
{
    const struct letter letter = {.from = {STR("attent.events"), 3, 17},
                                  .part = STR("attent-decide"),
                                  .stage = STR("TRANSFORMATION"),
                                  .reason = STR("poison"),
                                  .message = STR("three ended")};

    return letter_write(&letter, record, "attent.events.dlq", arena);
}

START_TEST(a_letter_is_the_record_as_it_was_and_says_why)
{
    const struct header own[] = {{STR("ce_id"), STR("1")}, {STR("x"), STR_EMPTY}};
    const struct record record = {.topic = STR("attent.events"),
                                  .partition = 3,
                                  .offset = 17,
                                  .timestamp_ms = 99,
                                  .key = STR("k"),
                                  .value = STR("v"),
                                  .headers = own,
                                  .header_count = 2};
    struct record out = letter_of(&record);
    struct letter back;

    ck_assert(str_is(out.topic, "attent.events.dlq") && out.partition == -1);
    ck_assert(str_is(out.key, "k") && str_is(out.value, "v") && out.timestamp_ms == 99);
    ck_assert(letter_read(&out, &back));
    ck_assert(spot_equal(&back.from, &(struct spot){STR("attent.events"), 3, 17}));
    ck_assert(str_is(back.part, "attent-decide") && str_is(back.reason, "poison") &&
              str_is(back.message, "three ended") && back.cut.len == 0);
    ck_assert(back.header_count == 2 && back.timestamp_ms == 99);
    ck_assert(str_is(record_header(&out, STR("__connect.errors.offset")), "17"));
}
END_TEST

START_TEST(a_mark_is_no_letter_and_names_one)
{
    const struct header headers[] = {{STR(LETTER_REPLAYED), STR("crm.dlq/0/17")},
                                     {STR(LETTER_REPLAYED_TO), STR("crm")},
                                     {STR("attent-reason"), STR("bad_json")}};
    const struct record mark = {.headers = headers, .header_count = 3},
                        plain = {.value = STR("{}")};
    struct letter letter;
    struct spot spot;
    struct str to;

    ck_assert(!letter_read(&mark, &letter) && !letter_read(&plain, &letter));
    ck_assert(letter_read_mark(&mark, &spot, &to) && spot.offset == 17 && str_is(to, "crm"));
    ck_assert(!letter_read_mark(&plain, &spot, &to));
}
END_TEST

SUITE_MAIN_AROUND("letter", set_up, tear_down, a_place_reads_back_as_it_was,
                  what_is_no_place_is_refused, a_skip_reads_back_as_it_was,
                  a_skipped_timer_reads_back_and_names_nobody, the_key_alone_says_what_is_skipped,
                  a_list_of_skips_is_in_order_and_has_each_once,
                  what_was_in_hand_three_times_at_last_alone_is_poison,
                  what_is_not_in_hand_is_accused_of_no_death, what_is_no_note_is_none,
                  a_letter_is_the_record_as_it_was_and_says_why, a_mark_is_no_letter_and_names_one)
