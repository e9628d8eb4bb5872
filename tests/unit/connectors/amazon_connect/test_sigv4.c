/* tests/unit/connectors/amazon_connect/test_sigv4.c - the signer against what AWS publishes.
 *
 * The cases are of AWS's Signature Version 4 test suite (aws-sig-v4-test-suite: get-vanilla,
 * post-vanilla, post-x-www-form-urlencoded, post-sts-header-before, get-vanilla-query-order-key-case)
 * and the worked example of the AWS General Reference (ListUsers of IAM).  Key, secret and token are
 * those that AWS made up for them. */
#include "connectors/amazon_connect/sigv4.h"

#include "tests/support/suite.h"

#define KEY    "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define SESSION                                                                                     \
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSP"  \
    "fIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7" \
    "WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8" \
    "FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

#define AT_MS INT64_C(1440938160000) /* 2015-08-30T12:36:00Z */

static void expect(const struct sigv4_credentials *credentials, const struct sigv4_request *request,
                   const char *expected)
{
    struct buf date = {0}, authorization = {0};

    sigv4_sign(credentials, request, &date, &authorization);
    ck_assert_str_eq(buf_text(&date), "20150830T123600Z");
    ck_assert_str_eq(buf_text(&authorization), expected);
    buf_free(&date);
    buf_free(&authorization);
}

static struct sigv4_credentials suite_credentials(const char *token)
{
    return (struct sigv4_credentials){.region = STR("us-east-1"),
                                      .service = STR("service"),
                                      .access_key = STR(KEY),
                                      .secret = STR(SECRET),
                                      .session_token = str_of(token)};
}

START_TEST(requests_of_the_published_suite_get_their_signatures)
{
#define BEGIN "AWS4-HMAC-SHA256 Credential=" KEY "/20150830/us-east-1/service/aws4_request, "
    static const struct {
        const char *method, *query, *content_type, *body, *token, *expected;
    } cases[] = {
        {"GET", "", "", "", "",
         BEGIN "SignedHeaders=host;x-amz-date, Signature="
               "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {"POST", "", "", "", "",
         BEGIN "SignedHeaders=host;x-amz-date, Signature="
               "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        {"POST", "", "application/x-www-form-urlencoded", "Param1=value1", "",
         BEGIN "SignedHeaders=content-type;host;x-amz-date, Signature="
               "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
        {"POST", "", "", "", SESSION,
         BEGIN "SignedHeaders=host;x-amz-date;x-amz-security-token, Signature="
               "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
        {"GET", "Param1=value1&Param2=value2", "", "", "",
         BEGIN "SignedHeaders=host;x-amz-date, Signature="
               "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    };
#undef BEGIN

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sigv4_credentials credentials = suite_credentials(cases[i].token);
        const struct sigv4_request request = {.method = cases[i].method,
                                              .host = STR("example.amazonaws.com"),
                                              .path = STR("/"),
                                              .query = str_of(cases[i].query),
                                              .content_type = str_of(cases[i].content_type),
                                              .body = str_of(cases[i].body),
                                              .at_ms = AT_MS};
        expect(&credentials, &request, cases[i].expected);
    }
}
END_TEST

START_TEST(the_worked_example_gets_its_signature)
{
    const struct sigv4_credentials credentials = {.region = STR("us-east-1"),
                                                  .service = STR("iam"),
                                                  .access_key = STR(KEY),
                                                  .secret = STR(SECRET)};
    const struct sigv4_request request = {
        .method = "GET",
        .host = STR("iam.amazonaws.com"),
        .path = STR("/"),
        .query = STR("Action=ListUsers&Version=2010-05-08"),
        .content_type = STR("application/x-www-form-urlencoded; charset=utf-8"),
        .at_ms = AT_MS};

    expect(&credentials, &request,
           "AWS4-HMAC-SHA256 Credential=" KEY "/20150830/us-east-1/iam/aws4_request, "
           "SignedHeaders=content-type;host;x-amz-date, Signature="
           "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}
END_TEST

SUITE_MAIN("sigv4", requests_of_the_published_suite_get_their_signatures,
           the_worked_example_gets_its_signature)
