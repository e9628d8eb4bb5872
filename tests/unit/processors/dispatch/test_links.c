#include "processors/dispatch/links.h"

#include "connectors/callback/reference.h"
#include "connectors/unsubscribe/token.h"
#include "tests/support/sample.h"
#include "tests/support/suite.h"

#define KEY STR("0123456789abcdef0123456789abcdef")

static const struct links links = {
    .public_url = STR("https://a.example.org/x"), .key = KEY, .unsubscribe_valid_ms = 1000};

START_TEST(a_task_takes_addresses_along_that_say_which_it_is)
{
    struct arena *arena = arena_new(0);
    struct task task = sample_task("0011aa");
    struct sending s = {.task = &task, .now_ms = SAMPLE_CREATED_MS};
    const struct str callback = STR("https://a.example.org/x/callback/phone/");
    const struct str unsubscribe = STR("https://a.example.org/x/unsubscribe/");
    struct buf bytes = {0};
    struct reference reference;
    struct unsubscribe u;

    links_put(&links, arena, &s);
    ck_assert(str_starts(s.callback_url, callback));
    ck_assert(
        str_equal(str_slice(s.callback_url, callback.len, s.callback_url.len), s.callback_mark));
    ck_assert_uint_le(s.callback_mark.len, 512); /* what Meta hands back */
    ck_assert(reference_read(s.callback_mark, KEY, s.now_ms, &bytes, &reference));
    ck_assert(str_is(reference.task, "0011aa") && str_is(reference.customer, "C-1"));
    ck_assert(str_starts(s.unsubscribe_url, unsubscribe));
    ck_assert(
        unsubscribe_read_token(str_slice(s.unsubscribe_url, unsubscribe.len, s.unsubscribe_url.len),
                               KEY, s.now_ms + 999, &bytes, &u));
    ck_assert(str_equal(u.purpose, task.purpose) && str_is(u.channel, "phone"));
    buf_free(&bytes);
    arena_free(arena);
}
END_TEST

START_TEST(from_what_asks_nobody_there_is_no_unsubscribing)
{
    struct arena *arena = arena_new(0);
    struct task task = sample_task("0011aa");
    struct sending s = {.task = &task, .now_ms = SAMPLE_CREATED_MS};

    task.needs_no_consent = true;
    links_put(&links, arena, &s);
    ck_assert_uint_eq(s.unsubscribe_url.len, 0);
    ck_assert_uint_gt(s.callback_url.len, 0);
    arena_free(arena);
}
END_TEST

START_TEST(without_a_receiver_there_are_none)
{
    const struct links none = {0};
    struct arena *arena = arena_new(0);
    struct task task = sample_task("0011aa");
    struct sending s = {.task = &task, .now_ms = SAMPLE_CREATED_MS};

    links_put(NULL, arena, &s);
    links_put(&none, arena, &s);
    ck_assert_uint_eq(s.callback_url.len + s.callback_mark.len + s.unsubscribe_url.len, 0);
    ck_assert_int_eq(links_check(&none, NULL), ERR_NONE);
    arena_free(arena);
}
END_TEST

SUITE_MAIN("links", a_task_takes_addresses_along_that_say_which_it_is,
           from_what_asks_nobody_there_is_no_unsubscribing, without_a_receiver_there_are_none)
