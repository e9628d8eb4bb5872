/* tests/contract/test_sms.c - against what Twilio publishes of its Messages API: the parameters of
 * CreateMessage in its OpenAPI description (twilio_api_v2010), and its error dictionary. */
#include <stdio.h>

#include "connectors/sms/sms.h"
#include "tests/support/peer.h"
#include "tests/support/sample.h"
#include "tests/support/suite.h"

/* The properties of CreateMessageRequest, all of them. */
static const char *const parameters[] = {"To",
                                         "StatusCallback",
                                         "ApplicationSid",
                                         "MaxPrice",
                                         "ProvideFeedback",
                                         "Attempt",
                                         "ValidityPeriod",
                                         "ForceDelivery",
                                         "ContentRetention",
                                         "AddressRetention",
                                         "SmartEncoded",
                                         "PersistentAction",
                                         "TrafficType",
                                         "ShortenUrls",
                                         "ScheduleType",
                                         "SendAt",
                                         "SendAsMms",
                                         "ContentVariables",
                                         "RiskCheck",
                                         "From",
                                         "FallbackFrom",
                                         "MessagingServiceSid",
                                         "Body",
                                         "MediaUrl",
                                         "ContentSid"};

static const char *answer_body;
static int answer_status;

/* The provider: a form with a recipient, a sender and a text, and nothing that it does not know. */
static struct peer_step provider(void *context, const struct peer_request *request)
{
    struct str rest = request->body, one, name, value;
    bool to = false, sender = false, body = false;

    (void)context;
    while (rest.len != 0) {
        struct str after = STR_EMPTY;
        bool known = false;
        one = rest;
        str_cut(rest, '&', &one, &after);
        rest = after;
        if (!str_cut(one, '=', &name, &value))
            return (struct peer_step){.status = 400, .body = "{\"code\":20001}"};
        for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
            known |= str_is(name, parameters[i]);
        to |= str_is(name, "To");
        body |= str_is(name, "Body");
        sender |= str_is(name, "From") || str_is(name, "MessagingServiceSid");
        if (!known)
            return (struct peer_step){.status = 400, .body = "{\"code\":20001}"};
    }
    if (!to || !sender || !body ||
        !str_is(request->target, "/2010-04-01/Accounts/AC1/Messages.json") ||
        !str_is(peer_header(request, "Content-Type"), "application/x-www-form-urlencoded"))
        return (struct peer_step){.status = 400, .body = "{\"code\":21602}"};
    if (!str_is(peer_header(request, "Authorization"), "Basic QUMxOnN3b3JkZmlzaA=="))
        return (struct peer_step){.status = 401, .body = "{\"code\":20003}"};
    return (struct peer_step){.status = answer_status, .body = answer_body};
}

static struct task text_task(void)
{
    struct task task = sample_task("0011aa");

    task.channel = STR("sms");
    task.address = STR("+31612345678");
    task.text = STR("Zo\xc3\xab & co: 25% off = \xe2\x82\xac 3");
    return task;
}

/* One message to the provider, which then answers so. */
static enum delivery send(const struct task *task, int status, const char *body,
                          struct receipt *receipt, struct buf *request)
{
    struct peer *peer = peer_open_with(provider, NULL, PEER_TLS);
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    const struct sending sending = {
        .task = task, .attempt = 1, .timeout_ms = 10000, .now_ms = SAMPLE_CREATED_MS};
    const struct conf *conf;
    struct connector *c;
    enum delivery result;
    struct err err = {0};
    char yaml[512];

    answer_status = status;
    answer_body = body;
    *receipt = (struct receipt){0};
    snprintf(yaml, sizeof yaml,
             "base_url: %s\naccount: AC1\ntoken: \"${NONE:swordfish}\"\nfrom: \"+3197000000\"\n"
             "status_url: https://example.org/s\nprivate_network: true\nca_file: %s\n",
             peer_url(peer), peer_ca_file(peer));
    conf = conf_read(sms_class.fields, str_of(yaml), "x", NULL, 0, arena, &diags);
    ck_assert_ptr_nonnull(conf);
    diags_free(&diags);
    ck_assert_int_eq(sms_class.open(conf, &c, NULL), ERR_NONE);
    result = sms_class.deliver(c, &sending, receipt, &err);
    ck_assert(!str_contains(str_of(err.text), STR("swordfish")));
    ck_assert(!str_contains(str_of(err.text), STR("61234")));
    if (request != NULL && peer_count(peer) != 0)
        buf_put(request, peer_request(peer, 0)->body);
    sms_class.close(c);
    peer_close(peer);
    arena_free(arena);
    return result;
}

START_TEST(a_message_is_sent_as_the_provider_wants_it)
{
    struct task task = text_task();
    struct receipt receipt;
    struct buf form = {0};

    ck_assert_int_eq(send(&task, 201,
                          "{\"sid\":\"SM0123456789abcdef0123456789abcdef\",\"status\":\"queued\","
                          "\"error_code\":null}",
                          &receipt, &form),
                     DELIVERY_ACCEPTED);
    ck_assert_str_eq(receipt.reference, "SM0123456789abcdef0123456789abcdef");
    ck_assert_str_eq(buf_text(&form),
                     "From=%2B3197000000&StatusCallback=https%3A%2F%2Fexample.org%2Fs&"
                     "To=%2B31612345678&Body=Zo%C3%AB%20%26%20co%3A%2025%25%20off%20%3D%20%E2%82%AC"
                     "%203");
    buf_free(&form);
}
END_TEST

START_TEST(each_error_of_the_provider_is_what_the_table_says)
{
    static const struct {
        int code;
        enum delivery result;
        bool opted_out;
    } errors[] = {
#define SMS_ERROR(code, result, opted_out) {code, DELIVERY_##result, opted_out},
#include "connectors/sms/sms_errors.def"
#undef SMS_ERROR
        {99999, DELIVERY_REFUSED, false}, /* one that is not in it: as its status, 400 */
    };
    struct task task = text_task();

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct receipt receipt;
        char body[200];
        snprintf(body, sizeof body,
                 "{\"code\":%d,\"message\":\"to +31612345678\",\"more_info\":\"\",\"status\":400}",
                 errors[i].code);
        ck_assert_msg(send(&task, 400, body, &receipt, NULL) == errors[i].result, "%d",
                      errors[i].code);
        ck_assert_int_eq(receipt.opted_out, errors[i].opted_out);
    }
}
END_TEST

START_TEST(one_who_answered_stop_has_opted_out)
{
    struct task task = text_task();
    struct receipt receipt;

    ck_assert_int_eq(send(&task, 400, "{\"code\":21610}", &receipt, NULL), DELIVERY_REFUSED);
    ck_assert(receipt.opted_out);
}
END_TEST

START_TEST(a_code_in_an_answer_of_5xx_says_nothing_for_sure)
{
    struct task task = text_task();
    struct receipt receipt;

    ck_assert_int_eq(send(&task, 500, "{\"code\":21611}", &receipt, NULL), DELIVERY_UNKNOWN);
}
END_TEST

START_TEST(what_is_no_number_is_not_sent)
{
    static const char *const wrong[] = {"",   "0612345678",       "+31 6 1234", "+31x12345678",
                                        "+1", "+1234567890123456"};
    struct task task = text_task();

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct receipt receipt;
        struct buf form = {0};
        task.address = str_of(wrong[i]);
        ck_assert_int_eq(send(&task, 201, "{}", &receipt, &form), DELIVERY_REFUSED);
        ck_assert_uint_eq(form.len, 0);
    }
}
END_TEST

SUITE_MAIN("sms", a_message_is_sent_as_the_provider_wants_it,
           each_error_of_the_provider_is_what_the_table_says, one_who_answered_stop_has_opted_out,
           a_code_in_an_answer_of_5xx_says_nothing_for_sure, what_is_no_number_is_not_sent)
