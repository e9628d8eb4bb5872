#include "connectors/webhook/signature.h"

#include "tests/support/suite.h"

/* The example that the libraries of Standard Webhooks test themselves with: secret, id, time and
 * body are published, not secret. */
#define EXAMPLE_SECRET    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define EXAMPLE_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static void sign_example(const char *secrets, struct buf *out)
{
    struct webhook_keys keys;

    ck_assert_int_eq(webhook_keys_read(str_of(secrets), &keys, NULL), ERR_NONE);
    webhook_sign(&keys, STR("msg_p5jXN8AQM9LWM0D4loKWxJek"), 1614265330,
                 STR("{\"test\": 2432232314}"), out);
    webhook_keys_free(&keys);
}

START_TEST(the_published_example_is_signed_as_published)
{
    struct buf out = {0};

    sign_example(EXAMPLE_SECRET, &out);
    ck_assert_str_eq(buf_text(&out), EXAMPLE_SIGNATURE);
    buf_free(&out);
}
END_TEST

START_TEST(each_secret_signs_while_they_are_changed)
{
    struct buf both = {0}, other = {0};

    sign_example("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", &other);
    sign_example(" whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD  " EXAMPLE_SECRET, &both);
    buf_put_text(&other, " " EXAMPLE_SIGNATURE);
    ck_assert_str_eq(buf_text(&both), buf_text(&other));
    buf_free(&both);
    buf_free(&other);
}
END_TEST

START_TEST(what_is_no_secret_is_refused_and_not_shown)
{
    static const char *const wrong[] = {"",
                                        " ",
                                        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                                        "whsec_",
                                        "whsec_c2hvcnQ=",
                                        "whsec_!!!!MfKQ9r8GKYqrTwjUPD8I",
                                        EXAMPLE_SECRET " whsec_MfKQ",
                                        EXAMPLE_SECRET "," EXAMPLE_SECRET};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct webhook_keys keys;
        struct err err;
        ck_assert_msg(webhook_keys_read(str_of(wrong[i]), &keys, &err) == ERR_CONFIG, "%s",
                      wrong[i]);
        ck_assert(!str_contains(str_of(err.text), STR("MfKQ")));
        webhook_keys_free(&keys);
    }
}
END_TEST

SUITE_MAIN("signature", the_published_example_is_signed_as_published,
           each_secret_signs_while_they_are_changed, what_is_no_secret_is_refused_and_not_shown)
