#include "connectors/unsubscribe/token.h"

#include "tests/support/suite.h"

#define KEY        STR("0123456789abcdef0123456789abcdef")
#define EXPIRES_MS INT64_C(1772438400000)

static const struct unsubscribe sample = {STR("C-1"), STR("commercial"), STR("email"), EXPIRES_MS};

START_TEST(a_token_reads_back_until_it_expires)
{
    struct buf token = {0}, bytes = {0};
    struct unsubscribe read;

    unsubscribe_put_token(&token, KEY, &sample);
    for (size_t i = 0; i < token.len; i++)
        ck_assert(token.data[i] != '+' && token.data[i] != '/' && token.data[i] != '=');
    ck_assert(unsubscribe_read_token(buf_str(&token), KEY, EXPIRES_MS - 1, &bytes, &read));
    ck_assert(str_is(read.customer, "C-1"));
    ck_assert(str_is(read.purpose, "commercial"));
    ck_assert(str_is(read.channel, "email"));
    ck_assert(!unsubscribe_read_token(buf_str(&token), KEY, EXPIRES_MS, &bytes, &read));
    buf_free(&token);
    buf_free(&bytes);
}
END_TEST

START_TEST(a_token_that_was_changed_anywhere_is_none)
{
    struct buf token = {0}, bytes = {0};
    struct unsubscribe read;

    unsubscribe_put_token(&token, KEY, &sample);
    for (size_t i = 0; i < token.len; i++) {
        char was = token.data[i];
        token.data[i] = was == 'A' ? 'B' : 'A';
        ck_assert(!unsubscribe_read_token(buf_str(&token), KEY, 0, &bytes, &read));
        token.data[i] = was;
        ck_assert(!unsubscribe_read_token(str_slice(buf_str(&token), 0, i), KEY, 0, &bytes, &read));
    }
    ck_assert(!unsubscribe_read_token(buf_str(&token), STR("another key"), 0, &bytes, &read));
    buf_free(&token);
    buf_free(&bytes);
}
END_TEST

SUITE_MAIN("token", a_token_reads_back_until_it_expires, a_token_that_was_changed_anywhere_is_none)
