/* tests/contract/test_webhook.c - what a receiver after Standard Webhooks gets. */
#include <stdio.h>
#include <stdlib.h>

#include "connectors/webhook/signature.h"
#include "connectors/webhook/webhook.h"
#include "schemas/schema.h"
#include "tests/support/peer.h"
#include "tests/support/sample.h"
#include "tests/support/suite.h"

#define OLD_SECRET "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
#define NEW_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static struct arena *arena;
static struct peer *peer;
static struct connector *connector;

static void open_with(const struct peer_step *steps, size_t count, const char *more)
{
    struct diags diags = {0};
    const struct conf *conf;
    char yaml[512];

    arena = arena_new(0);
    peer = peer_open(steps, count, PEER_TLS);
    snprintf(yaml, sizeof yaml,
             "url: \"${NONE:%s/in}\"\nsecrets: \"${NONE:" OLD_SECRET " " NEW_SECRET "}\"\n"
             "private_network: true\nca_file: %s\n%s",
             peer_url(peer), peer_ca_file(peer), more);
    conf = conf_read(webhook_class.fields, str_of(yaml), "test.yaml", NULL, 0, arena, &diags);
    ck_assert_ptr_nonnull(conf);
    diags_free(&diags);
    ck_assert_int_eq(webhook_class.open(conf, &connector, NULL), ERR_NONE);
}

static void open_to(const struct peer_step *steps, size_t count)
{
    open_with(steps, count, "");
}

static void close_all(void)
{
    webhook_class.close(connector);
    peer_close(peer);
    arena_free(arena);
}

static enum delivery deliver(struct task *task, int64_t now_ms, struct receipt *receipt)
{
    const struct sending sending = {
        .task = task, .attempt = 1, .timeout_ms = 10000, .now_ms = now_ms};
    struct err err;

    *receipt = (struct receipt){0};
    return webhook_class.deliver(connector, &sending, receipt, &err);
}

/* Does this secret alone make one of the signatures of the request? */
static bool signed_with(const struct peer_request *request, const char *secret)
{
    struct webhook_keys keys;
    struct buf expected = {0};
    bool found;

    ck_assert_int_eq(webhook_keys_read(str_of(secret), &keys, NULL), ERR_NONE);
    webhook_sign(&keys, peer_header(request, "webhook-id"),
                 strtoll(peer_header(request, "webhook-timestamp").data, NULL, 10), request->body,
                 &expected);
    found = str_contains(peer_header(request, "webhook-signature"), buf_str(&expected));
    webhook_keys_free(&keys);
    buf_free(&expected);
    return found;
}

START_TEST(a_task_arrives_signed_with_each_secret)
{
    struct task task = sample_task("0011aa"), read;
    const struct peer_request *request;
    struct value message;
    struct receipt receipt;
    struct buf data = {0};

    open_to(&(struct peer_step){.status = 204}, 1);
    task.traceparent = STR("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    ck_assert_int_eq(deliver(&task, SAMPLE_CREATED_MS + 1500, &receipt), DELIVERY_ACCEPTED);
    request = peer_request(peer, 0);
    ck_assert(str_is(request->target, "/in"));
    ck_assert(str_is(peer_header(request, "content-type"), "application/json"));
    ck_assert(str_is(peer_header(request, "webhook-id"), "0011aa"));
    ck_assert(str_is(peer_header(request, "webhook-timestamp"), "1772438401"));
    ck_assert(str_equal(peer_header(request, "traceparent"), task.traceparent));
    ck_assert(signed_with(request, OLD_SECRET));
    ck_assert(signed_with(request, NEW_SECRET));
    ck_assert_int_eq(json_parse(request->body, arena, &message, NULL), JSON_FINE);
    ck_assert(str_is(value_str(value_map_get(message, STR("type"))), TASK_CE_TYPE));
    json_put_value(&data, value_map_get(message, STR("data")));
    ck_assert(task_read_json(buf_str(&data), arena, &read, NULL));
    ck_assert(str_equal(read.say, task.say));
    buf_free(&data);
    close_all();
}
END_TEST

START_TEST(a_receiver_that_reports_is_told_where_to)
{
    static const char *const secrets[] = {"callback.secrets: \"${NONE:" OLD_SECRET "}\"\n",
                                          ""}; /* one without reports nothing */
    struct task task = sample_task("0011aa");
    const struct sending sending = {.task = &task,
                                    .attempt = 1,
                                    .timeout_ms = 10000,
                                    .now_ms = SAMPLE_CREATED_MS,
                                    .callback_url = STR("https://a.example.org/callback/x/y")};

    for (size_t i = 0; i < 2; i++) {
        struct receipt receipt = {0};
        struct err err;
        open_with(&(struct peer_step){.status = 204}, 1, secrets[i]);
        ck_assert_int_eq(webhook_class.deliver(connector, &sending, &receipt, &err),
                         DELIVERY_ACCEPTED);
        ck_assert_int_eq(str_contains(peer_request(peer, 0)->body,
                                      STR("\"callback\":\"https://a.example.org/callback/x/y\"")),
                         i == 0);
        close_all();
    }
}
END_TEST

START_TEST(a_withdrawal_has_an_id_of_its_own)
{
    struct task task = sample_task("0011aa");
    struct withdrawal withdrawal = sample_withdrawal("0011aa");
    const struct sending sending = {
        .task = &task, .attempt = 1, .timeout_ms = 10000, .now_ms = SAMPLE_CREATED_MS};
    struct receipt receipt = {0};
    struct err err;

    open_to(&(struct peer_step){.status = 200}, 1);
    ck_assert_int_eq(webhook_class.withdraw(connector, &sending, &withdrawal, &receipt, &err),
                     DELIVERY_ACCEPTED);
    ck_assert(str_is(peer_header(peer_request(peer, 0), "webhook-id"), "0011aa-withdrawn"));
    ck_assert(str_contains(peer_request(peer, 0)->body, STR(WITHDRAWAL_CE_TYPE)));
    close_all();
}
END_TEST

START_TEST(gone_ends_it_and_every_other_answer_is_tried_again)
{
    static const struct peer_step steps[] = {{.status = 400}, {.status = 422}, {.status = 410}};
    struct task task = sample_task("0011aa");
    struct receipt receipt;

    open_to(steps, 3);
    ck_assert_int_eq(deliver(&task, 0, &receipt), DELIVERY_RETRY);
    ck_assert_int_eq(deliver(&task, 0, &receipt), DELIVERY_RETRY);
    ck_assert(!receipt.gone);
    ck_assert_int_eq(deliver(&task, 0, &receipt), DELIVERY_REFUSED);
    ck_assert(receipt.gone);
    close_all();
}
END_TEST

START_TEST(what_cannot_be_opened_says_why_and_shows_no_secret)
{
    static const struct {
        const char *yaml, *why;
    } cases[] = {
        {"url: \"${NONE:http://example.org/swordfish}\"\nsecrets: \"${NONE:" NEW_SECRET "}\"\n",
         "TLS"},
        {"url: \"${NONE:swordfish}\"\nsecrets: \"${NONE:" NEW_SECRET "}\"\n", "https://"},
        {"url: \"${NONE:https://example.org/}\"\nsecrets: \"${NONE:swordfish}\"\n", "whsec_"},
        {"url: \"${NONE:https://example.org/}\"\nsecrets: \"${NONE:" NEW_SECRET "}\"\n"
         "ca_file: /nowhere.pem\n",
         "/nowhere.pem"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new(0);
        struct diags diags = {0};
        const struct conf *conf =
            conf_read(webhook_class.fields, str_of(cases[i].yaml), "x", NULL, 0, a, &diags);
        struct connector *c;
        struct err err;
        ck_assert_ptr_nonnull(conf);
        diags_free(&diags);
        ck_assert_int_eq(webhook_class.open(conf, &c, &err), ERR_CONFIG);
        ck_assert_ptr_null(c);
        ck_assert_msg(str_contains(str_of(err.text), str_of(cases[i].why)), "%s", err.text);
        ck_assert(!str_contains(str_of(err.text), STR("swordfish")));
        arena_free(a);
    }
}
END_TEST

SUITE_MAIN("webhook", a_task_arrives_signed_with_each_secret,
           a_receiver_that_reports_is_told_where_to, a_withdrawal_has_an_id_of_its_own,
           gone_ends_it_and_every_other_answer_is_tried_again,
           what_cannot_be_opened_says_why_and_shows_no_secret)
