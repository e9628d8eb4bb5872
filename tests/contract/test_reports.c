/* tests/contract/test_reports.c - what providers report, checked against what they publish: Twilio's
 * example of a signature (its page on security), the Cloud API's reference of its webhooks, Standard
 * Webhooks' scheme. */
#include <stdio.h>

#include "connectors/sms/sms.h"
#include "connectors/webhook/signature.h"
#include "connectors/webhook/webhook.h"
#include "connectors/whatsapp/whatsapp.h"
#include "core/base64.h"
#include "core/crypto.h"
#include "tests/support/sample.h"
#include "tests/support/suite.h"

#define SECRET     "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OLD_SECRET "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
#define URL        "https://attent.example.org/callback/sms/REF"

static struct arena *arena;
static const struct conf *conf;
static struct callback_report report;

static void set_up(void)
{
    arena = arena_new(0);
    report = (struct callback_report){0};
}

static void tear_down(void)
{
    arena_free(arena);
}

static void configure(const struct connector_class *class, const char *yaml)
{
    struct diags diags = {0};

    conf = conf_read(class->fields, str_of(yaml), "test.yaml", NULL, 0, arena, &diags);
    ck_assert_ptr_nonnull(conf);
    diags_free(&diags);
}

/* --- Twilio -------------------------------------------------------------------------------------- */

#define SMS_YAML "account: AC1\ntoken: \"${NONE:12345}\"\nfrom: \"+3197\"\n"

static enum callback_verdict verify_sms(const char *method, const char *url, const char *body,
                                        const char *signature)
{
    const struct header headers[] = {{STR("x-twilio-signature"), str_of(signature)}};
    const struct callback callback = {.method = str_of(method),
                                      .url = str_of(url),
                                      .body = str_of(body),
                                      .headers = headers,
                                      .header_count = signature != NULL};
    struct err err = {0};

    return sms_class.callback->verify(conf, &callback, &err);
}

#define EXAMPLE_URL "https://mycompany.com/myapp.php?foo=1&bar=2"
#define EXAMPLE_FORM                                                                               \
    "To=%2B18005551212&Digits=1234&From=%2B14158675309&CallSid=CA1234567890ABCDE&"                 \
    "Caller=%2B14158675309"
#define EXAMPLE_SIGNATURE "RSOYDt4T1cUTdK1PDd93/VVr8B8="

START_TEST(the_providers_example_of_a_signature_fits)
{
    configure(&sms_class, SMS_YAML);
    ck_assert_int_eq(verify_sms("POST", EXAMPLE_URL, EXAMPLE_FORM, EXAMPLE_SIGNATURE),
                     CALLBACK_FINE);
}
END_TEST

START_TEST(a_signature_of_anything_else_is_refused)
{
    static const struct {
        const char *method, *url, *body, *signature;
    } wrong[] = {
        {"POST", EXAMPLE_URL, EXAMPLE_FORM, NULL},
        {"POST", EXAMPLE_URL, EXAMPLE_FORM, ""},
        {"POST", EXAMPLE_URL, EXAMPLE_FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B9="},
        {"POST", EXAMPLE_URL "&x=1", EXAMPLE_FORM, EXAMPLE_SIGNATURE},
        {"POST", EXAMPLE_URL, EXAMPLE_FORM "&MessageStatus=failed", EXAMPLE_SIGNATURE},
        {"POST", EXAMPLE_URL, "To=%2B18005551212", EXAMPLE_SIGNATURE},
        {"POST", EXAMPLE_URL, "%", EXAMPLE_SIGNATURE},
        {"GET", EXAMPLE_URL, EXAMPLE_FORM, EXAMPLE_SIGNATURE},
    };

    configure(&sms_class, SMS_YAML);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(verify_sms(wrong[i].method, wrong[i].url, wrong[i].body,
                                 wrong[i].signature) == CALLBACK_REFUSED,
                      "%zu", i);
}
END_TEST

START_TEST(the_secret_of_an_api_key_signs_no_report)
{
    configure(&sms_class, "account: AC1\nkey: SK1\ntoken: \"${NONE:12345}\"\nfrom: \"+3197\"\n");
    ck_assert_int_eq(verify_sms("POST", EXAMPLE_URL, EXAMPLE_FORM, EXAMPLE_SIGNATURE),
                     CALLBACK_REFUSED);
    configure(&sms_class, "account: AC1\nkey: SK1\ntoken: \"${NONE:secret}\"\nfrom: \"+3197\"\n"
                          "auth_token: \"${NONE:12345}\"\n");
    ck_assert_int_eq(verify_sms("POST", EXAMPLE_URL, EXAMPLE_FORM, EXAMPLE_SIGNATURE),
                     CALLBACK_FINE);
}
END_TEST

static enum callback_verdict read_sms(const char *form)
{
    const struct callback callback = {
        .method = STR("POST"), .body = str_of(form), .reference = STR("REF")};
    struct err err = {0};

    report = (struct callback_report){0};
    return sms_class.callback->read(conf, &callback, arena, &report, &err);
}

START_TEST(each_status_of_the_provider_is_what_the_table_says)
{
    static const struct {
        const char *status;
        enum callback_code code;
    } statuses[] = {
#define SMS_STATUS(status, code) {status, CALLBACK_##code},
#include "connectors/sms/statuses.def"
#undef SMS_STATUS
    };
    char form[200];

    configure(&sms_class, SMS_YAML);
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        snprintf(form, sizeof form, "MessageSid=SM1&SmsStatus=x&MessageStatus=%s&To=%%2B316",
                 statuses[i].status);
        ck_assert_int_eq(read_sms(form), CALLBACK_FINE);
        ck_assert_uint_eq(report.outcome_count, 1);
        ck_assert(str_is(report.outcomes[0].code, callback_code_text(statuses[i].code)));
        ck_assert_int_eq(report.outcomes[0].final, callback_code_is_final(statuses[i].code));
        ck_assert(str_is(report.outcomes[0].reference, "REF"));
        ck_assert(str_is(report.outcomes[0].id, "SM1"));
        ck_assert(!report.outcomes[0].opted_out);
    }
    ck_assert_int_eq(read_sms("MessageSid=SM1&MessageStatus=teleported"), CALLBACK_MALFORMED);
    ck_assert_int_eq(read_sms("MessageStatus=sent"), CALLBACK_MALFORMED);
    ck_assert_int_eq(read_sms(""), CALLBACK_MALFORMED);
}
END_TEST

START_TEST(some_errors_of_the_provider_say_more_than_failed)
{
    configure(&sms_class, SMS_YAML);
    ck_assert_int_eq(read_sms("MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30005"),
                     CALLBACK_FINE);
    ck_assert(str_is(report.outcomes[0].code, "failed"));
    ck_assert(str_is(report.outcomes[0].reason, "provider_error_30005"));
    ck_assert_int_eq(read_sms("MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30036"),
                     CALLBACK_FINE);
    ck_assert(str_is(report.outcomes[0].code, "expired"));
    ck_assert_int_eq(read_sms("MessageSid=SM1&MessageStatus=failed&ErrorCode=21610"),
                     CALLBACK_FINE);
    ck_assert(str_is(report.outcomes[0].code, "opted_out"));
    ck_assert(report.outcomes[0].opted_out);
}
END_TEST

START_TEST(who_writes_stop_is_told_from_who_writes_anything_else)
{
    configure(&sms_class, SMS_YAML);
    ck_assert_int_eq(read_sms("MessageSid=SM2&From=%2B31612345678&Body=Stop."), CALLBACK_FINE);
    ck_assert_uint_eq(report.stop_count, 1);
    ck_assert(str_is(report.stops[0].address, "+31612345678"));
    ck_assert(str_is(report.stops[0].id, "SM2"));
    ck_assert_int_eq(read_sms("MessageSid=SM2&From=whatsapp%3A%2B316&Body=x&OptOutType=STOP"),
                     CALLBACK_FINE);
    ck_assert_uint_eq(report.stop_count, 1);
    ck_assert(str_is(report.stops[0].address, "+316"));
    ck_assert_int_eq(read_sms("MessageSid=SM2&From=%2B316&Body=STOP&OptOutType=HELP"),
                     CALLBACK_FINE);
    ck_assert_uint_eq(report.stop_count, 0);
    ck_assert_int_eq(read_sms("MessageSid=SM2&From=%2B316&Body=Thanks"), CALLBACK_FINE);
    ck_assert_uint_eq(report.stop_count + report.outcome_count, 0);
}
END_TEST

/* --- Meta ---------------------------------------------------------------------------------------- */

#define WHATSAPP_YAML                                                                              \
    "phone_number_id: \"106540352242922\"\ntoken: \"${NONE:x}\"\ntemplate: t\n"                    \
    "app_secret: \"${NONE:secret}\"\nverify_token: \"${NONE:meatyhamhock}\"\n"

static enum callback_verdict ask_meta(const char *method, const char *query, const char *body,
                                      const char *signature)
{
    const struct header headers[] = {{STR("X-Hub-Signature-256"), str_of(signature)}};
    const struct callback callback = {.method = str_of(method),
                                      .query = str_of(query),
                                      .body = str_of(body),
                                      .headers = headers,
                                      .header_count = signature != NULL};
    struct err err = {0};
    enum callback_verdict verdict = whatsapp_class.callback->verify(conf, &callback, &err);

    report = (struct callback_report){0};
    if (verdict == CALLBACK_FINE)
        verdict = whatsapp_class.callback->read(conf, &callback, arena, &report, &err);
    return verdict;
}

START_TEST(meta_is_answered_when_it_asks_whether_anybody_is_there)
{
    configure(&whatsapp_class, WHATSAPP_YAML);
    ck_assert_int_eq(ask_meta("GET",
                              "hub.mode=subscribe&hub.challenge=1158201444&"
                              "hub.verify_token=meatyhamhock",
                              "", NULL),
                     CALLBACK_FINE);
    ck_assert(str_is(report.answer, "1158201444"));
    ck_assert_int_eq(ask_meta("GET",
                              "hub.mode=subscribe&hub.challenge=1&hub.verify_token=meatyhamhocks",
                              "", NULL),
                     CALLBACK_REFUSED);
    ck_assert_int_eq(ask_meta("GET", "hub.mode=subscribe&hub.challenge=1", "", NULL),
                     CALLBACK_REFUSED);
    configure(&whatsapp_class, "phone_number_id: \"1\"\ntoken: \"${NONE:x}\"\ntemplate: t\n");
    ck_assert_int_eq(
        ask_meta("GET", "hub.mode=subscribe&hub.challenge=1&hub.verify_token=", "", NULL),
        CALLBACK_REFUSED);
    ck_assert_int_eq(ask_meta("POST", "", "{}", "sha256="), CALLBACK_REFUSED);
}
END_TEST

/* Signed with the app's secret. */
static enum callback_verdict meta_posts(const char *body)
{
    struct sha256 h = crypto_hmac_sha256(STR("secret"), str_of(body));
    struct buf signature = {0};
    enum callback_verdict verdict;

    buf_put_text(&signature, "sha256=");
    sha256_put_hex(&signature, &h);
    verdict = ask_meta("POST", "", body, buf_text(&signature));
    buf_free(&signature);
    return verdict;
}

#define META(number, what)                                                                         \
    "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":\"1\",\"changes\":[{\"value\":{" \
    "\"messaging_product\":\"whatsapp\",\"metadata\":{\"display_phone_number\":\"15550783881\","   \
    "\"phone_number_id\":\"" number "\"}," what "},\"field\":\"messages\"}]}]}"
#define OURS "106540352242922"
#define STATUS(word, more)                                                                         \
    "{\"id\":\"wamid.1\",\"status\":\"" word "\",\"timestamp\":\"1750857384\","                    \
    "\"recipient_id\":\"31612345678\"" more "}"
#define MARK ",\"biz_opaque_callback_data\":\"REF\""

START_TEST(a_batch_of_meta_says_what_became_of_each_message)
{
    configure(&whatsapp_class, WHATSAPP_YAML);
    ck_assert_int_eq(
        meta_posts(META(
            OURS,
            "\"statuses\":[" STATUS("sent", MARK) "," STATUS("delivered", MARK) "," STATUS("read", MARK) "," STATUS(
                "failed", MARK
                ",\"errors\":[{\"code\":131026}]") "," STATUS("failed", MARK
                                                              ",\"errors\":[{\"code\":131050}]") "," STATUS("delivered",
                                                                                                            "") "," STATUS("teleported",
                                                                                                                           MARK) "]")),
        CALLBACK_FINE);
    ck_assert_uint_eq(report.outcome_count, 5);
    ck_assert(str_is(report.outcomes[0].code, "sent"));
    ck_assert(str_is(report.outcomes[0].reference, "REF"));
    ck_assert(str_is(report.outcomes[0].id, "wamid.1"));
    ck_assert_int_eq(report.outcomes[0].at_ms, 1750857384000);
    ck_assert(str_is(report.outcomes[1].code, "delivered") && !report.outcomes[1].final);
    ck_assert(str_is(report.outcomes[2].code, "read"));
    ck_assert(str_is(report.outcomes[3].code, "failed") && report.outcomes[3].final);
    ck_assert(str_is(report.outcomes[3].reason, "provider_error_131026"));
    ck_assert(str_is(report.outcomes[4].code, "opted_out") && report.outcomes[4].opted_out);
}
END_TEST

#define MESSAGE(what)                                                                               \
    "\"messages\":[{\"from\":\"31612345678\",\"id\":\"wamid.2\",\"timestamp\":\"1504902988\"," what \
    "}]"

START_TEST(who_writes_stop_to_a_whatsapp_number_is_seen)
{
    configure(&whatsapp_class, WHATSAPP_YAML);
    ck_assert_int_eq(
        meta_posts(META(OURS, MESSAGE("\"type\":\"text\",\"text\":{\"body\":\"Stop\"}"))),
        CALLBACK_FINE);
    ck_assert_uint_eq(report.stop_count, 1);
    ck_assert(str_is(report.stops[0].address, "+31612345678"));
    ck_assert_int_eq(
        meta_posts(META(OURS, MESSAGE("\"type\":\"button\",\"button\":{\"text\":\"Afmelden\"}"))),
        CALLBACK_FINE);
    ck_assert_uint_eq(report.stop_count, 1);
    ck_assert_int_eq(
        meta_posts(META(OURS, MESSAGE("\"type\":\"text\",\"text\":{\"body\":\"Ja\"}"))),
        CALLBACK_FINE);
    ck_assert_uint_eq(report.stop_count, 0);
    ck_assert_int_eq(
        meta_posts(META("99", MESSAGE("\"type\":\"text\",\"text\":{\"body\":\"Stop\"}"))),
        CALLBACK_FINE); /* another number of the same app */
    ck_assert_uint_eq(report.stop_count, 0);
}
END_TEST

START_TEST(what_meta_did_not_sign_or_does_not_describe_is_not_read)
{
    configure(&whatsapp_class, WHATSAPP_YAML);
    ck_assert_int_eq(ask_meta("POST", "", "{}", NULL), CALLBACK_REFUSED);
    ck_assert_int_eq(
        ask_meta("POST", "", "{}",
                 "sha256=77325902caca812dc259733aacd046b73817372c777b8d95b402647474516e14"),
        CALLBACK_REFUSED);
    ck_assert_int_eq(meta_posts("{}"), CALLBACK_MALFORMED);
    ck_assert_int_eq(meta_posts("{\"object\":\"page\"}"), CALLBACK_MALFORMED);
    ck_assert_int_eq(meta_posts("["), CALLBACK_MALFORMED);
    ck_assert_int_eq(meta_posts("{\"object\":\"whatsapp_business_account\",\"entry\":[{\"changes\":"
                                "[{\"value\":7},null,{\"value\":{\"statuses\":[7]}}]},7]}"),
                     CALLBACK_FINE);
    ck_assert_uint_eq(report.outcome_count + report.stop_count, 0);
}
END_TEST

/* --- Standard Webhooks --------------------------------------------------------------------------- */

#define WEBHOOK_YAML                                                                               \
    "url: \"${NONE:https://example.org/in}\"\nsecrets: \"${NONE:" OLD_SECRET "}\"\n"               \
    "callback.secrets: \"${NONE:" SECRET "}\"\n"

/* A report that its partner signed with `secret` at at_ms. */
static enum callback_verdict verify_webhook(const char *secret, int64_t at_ms, const char *body,
                                            const char *sent_body)
{
    char seconds[24];
    struct webhook_keys keys;
    struct buf signature = {0};
    struct err err = {0};
    enum callback_verdict verdict;

    snprintf(seconds, sizeof seconds, "%lld", (long long)(at_ms / 1000));
    ck_assert_int_eq(webhook_keys_read(str_of(secret), &keys, NULL), ERR_NONE);
    buf_put_text(&signature, "v1a,bm8= ");
    webhook_sign(&keys, STR("msg-1"), at_ms / 1000, str_of(body), &signature);
    const struct header headers[] = {{STR("Webhook-Id"), STR("msg-1")},
                                     {STR("Webhook-Timestamp"), str_of(seconds)},
                                     {STR("Webhook-Signature"), buf_str(&signature)}};
    const struct callback callback = {.method = STR("POST"),
                                      .body = str_of(sent_body),
                                      .headers = headers,
                                      .header_count = 3,
                                      .now_ms = SAMPLE_CREATED_MS};
    verdict = webhook_class.callback->verify(conf, &callback, &err);
    buf_free(&signature);
    webhook_keys_free(&keys);
    return verdict;
}

START_TEST(a_partners_report_is_taken_when_it_is_signed_and_fresh)
{
    const int64_t now_ms = SAMPLE_CREATED_MS;

    configure(&webhook_class, WEBHOOK_YAML);
    ck_assert_int_eq(verify_webhook(SECRET, now_ms, "{}", "{}"), CALLBACK_FINE);
    ck_assert_int_eq(verify_webhook(SECRET, now_ms - 299000, "{}", "{}"), CALLBACK_FINE);
    ck_assert_int_eq(verify_webhook(SECRET, now_ms + 299000, "{}", "{}"), CALLBACK_FINE);
    ck_assert_int_eq(verify_webhook(SECRET, now_ms - 301000, "{}", "{}"), CALLBACK_OLD);
    ck_assert_int_eq(verify_webhook(SECRET, now_ms + 301000, "{}", "{}"), CALLBACK_OLD);
    ck_assert_int_eq(verify_webhook(SECRET, now_ms, "{}", "{} "), CALLBACK_REFUSED);
    ck_assert_int_eq(verify_webhook(OLD_SECRET, now_ms, "{}", "{}"), CALLBACK_REFUSED);
    configure(&webhook_class, "url: \"${NONE:https://example.org/in}\"\nsecrets: \"${NONE:" SECRET
                              "}\"\n"); /* what we sign with is not what they sign with */
    ck_assert_int_eq(verify_webhook(SECRET, now_ms, "{}", "{}"), CALLBACK_REFUSED);
}
END_TEST

static enum callback_verdict read_webhook(const char *body)
{
    const struct header headers[] = {{STR("webhook-id"), STR("msg-1")}};
    const struct callback callback = {.method = STR("POST"),
                                      .body = str_of(body),
                                      .headers = headers,
                                      .header_count = 1,
                                      .reference = STR("REF")};
    struct err err = {0};

    report = (struct callback_report){0};
    return webhook_class.callback->read(conf, &callback, arena, &report, &err);
}

#define REPORT(data) "{\"type\":\"task.outcome\",\"data\":{" data "}}"

START_TEST(a_partners_report_says_what_became_of_its_task)
{
    configure(&webhook_class, WEBHOOK_YAML);
    ck_assert_int_eq(
        read_webhook(REPORT("\"task\":\"0011\",\"code\":\"failed\",\"reason\":\"full\"")),
        CALLBACK_FINE);
    ck_assert(str_is(report.outcomes[0].task, "0011"));
    ck_assert(str_is(report.outcomes[0].reason, "full"));
    ck_assert(report.outcomes[0].final);
    ck_assert(str_is(report.outcomes[0].id, "msg-1"));
    ck_assert_int_eq(read_webhook(REPORT("\"code\":\"delivered\"")), CALLBACK_FINE);
    ck_assert(!report.outcomes[0].final);
    ck_assert_int_eq(read_webhook(REPORT("\"code\":\"visited\"")), CALLBACK_FINE);
    ck_assert(!report.outcomes[0].final);
    ck_assert_int_eq(read_webhook(REPORT("\"code\":\"visited\",\"final\":true")), CALLBACK_FINE);
    ck_assert(report.outcomes[0].final);
    ck_assert_int_eq(read_webhook(REPORT("\"code\":\"opted_out\"")), CALLBACK_FINE);
    ck_assert(report.outcomes[0].opted_out);
}
END_TEST

START_TEST(a_partners_report_that_is_none_is_malformed)
{
    static const char *const wrong[] = {
        "",
        "[]",
        "{",
        "{\"type\":\"attent.task.v1\",\"data\":{\"code\":\"sent\"}}",
        "{\"data\":{\"code\":\"sent\"}}",
        REPORT("\"code\":\"\""),
        REPORT("\"code\":\"In Orde\""),
        REPORT("\"code\":7"),
        REPORT("\"code\":\"a23456789012345678901234567890123456789012345678901234567890123456\""),
        REPORT("\"task\":\"0011\""),
    };

    configure(&webhook_class, WEBHOOK_YAML);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(read_webhook(wrong[i]) == CALLBACK_MALFORMED, "%s", wrong[i]);
}
END_TEST

SUITE_MAIN_AROUND("reports", set_up, tear_down, the_providers_example_of_a_signature_fits,
                  a_signature_of_anything_else_is_refused, the_secret_of_an_api_key_signs_no_report,
                  each_status_of_the_provider_is_what_the_table_says,
                  some_errors_of_the_provider_say_more_than_failed,
                  who_writes_stop_is_told_from_who_writes_anything_else,
                  meta_is_answered_when_it_asks_whether_anybody_is_there,
                  a_batch_of_meta_says_what_became_of_each_message,
                  who_writes_stop_to_a_whatsapp_number_is_seen,
                  what_meta_did_not_sign_or_does_not_describe_is_not_read,
                  a_partners_report_is_taken_when_it_is_signed_and_fresh,
                  a_partners_report_says_what_became_of_its_task,
                  a_partners_report_that_is_none_is_malformed)
