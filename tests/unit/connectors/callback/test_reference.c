#include "connectors/callback/reference.h"

#include "tests/support/sample.h"
#include "tests/support/suite.h"

#define KEY        STR("0123456789abcdef0123456789abcdef")
#define EXPIRES_MS (SAMPLE_CREATED_MS + 1000)

static struct buf made(void)
{
    struct task task = sample_task("00112233445566778899aabbccddeeff");
    struct buf text = {0};

    task.about = STR("YV1");
    task.attempt = 2;
    reference_put(&text, KEY, &task, EXPIRES_MS);
    return text;
}

START_TEST(a_reference_says_which_task_until_it_expires)
{
    struct buf text = made(), bytes = {0};
    struct reference read;

    ck_assert(reference_read(buf_str(&text), KEY, EXPIRES_MS - 1, &bytes, &read));
    ck_assert(str_is(read.task, "00112233445566778899aabbccddeeff"));
    ck_assert(str_is(read.customer, "C-1"));
    ck_assert(str_is(read.about, "YV1"));
    ck_assert(str_is(read.channel, "phone"));
    ck_assert_uint_eq(read.attempt, 2);
    ck_assert(!reference_read(buf_str(&text), KEY, EXPIRES_MS, &bytes, &read));
    ck_assert(!reference_read(buf_str(&text), STR("another"), 0, &bytes, &read));
    buf_free(&text);
    buf_free(&bytes);
}
END_TEST

START_TEST(a_reference_that_was_changed_anywhere_is_none)
{
    struct buf text = made(), bytes = {0};
    struct reference read;

    for (size_t i = 0; i < text.len; i++) {
        char was = text.data[i];
        text.data[i] = was == 'A' ? 'B' : 'A';
        ck_assert(!reference_read(buf_str(&text), KEY, 0, &bytes, &read));
        text.data[i] = was;
        ck_assert(!reference_read(str_slice(buf_str(&text), 0, i), KEY, 0, &bytes, &read));
    }
    buf_free(&text);
    buf_free(&bytes);
}
END_TEST

SUITE_MAIN("reference", a_reference_says_which_task_until_it_expires,
           a_reference_that_was_changed_anywhere_is_none)
