/* tests/contract/test_push.c - against what Google publishes of Firebase Cloud Messaging: the
 * members of SendMessageRequest in the discovery document of fcm v1, its enum ErrorCode, and of its
 * token server the request of a service account ("Using OAuth 2.0 for Server to Server
 * Applications"; RFC 7523). */
#include <stdio.h>
#include <stdlib.h>

#include "connectors/push/push.h"
#include "core/base64.h"
#include "core/crypto.h"
#include "core/when.h"
#include "tests/support/peer.h"
#include "tests/support/published.h"
#include "tests/support/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/service_account.h"
#include "tests/support/suite.h"

/* Of SendMessageRequest what a message with a notification may hold. */
static const struct published fields[] = {
    {"/message", VALUE_MAP, true, 0},
    {"/validateOnly", VALUE_BOOL, false, 0},
    {"/message/name", VALUE_STRING, false, 0},
    {"/message/data", VALUE_MAP, false, 0},
    {"/message/data/#", VALUE_STRING, false, 0},
    {"/message/notification", VALUE_MAP, false, 0},
    {"/message/notification/title", VALUE_STRING, false, 0},
    {"/message/notification/body", VALUE_STRING, false, 0},
    {"/message/notification/image", VALUE_STRING, false, 0},
    {"/message/android", VALUE_MAP, false, 0},
    {"/message/android/collapseKey", VALUE_STRING, false, 0},
    {"/message/android/priority", VALUE_STRING, false, 0},
    {"/message/android/ttl", VALUE_STRING, false, 0},
    {"/message/android/restrictedPackageName", VALUE_STRING, false, 0},
    {"/message/android/data", VALUE_MAP, false, 0},
    {"/message/android/notification", VALUE_MAP, false, 0},
    {"/message/android/notification/title", VALUE_STRING, false, 0},
    {"/message/android/notification/body", VALUE_STRING, false, 0},
    {"/message/android/notification/icon", VALUE_STRING, false, 0},
    {"/message/android/notification/tag", VALUE_STRING, false, 0},
    {"/message/android/notification/channelId", VALUE_STRING, false, 0},
    {"/message/android/directBootOk", VALUE_BOOL, false, 0},
    {"/message/apns", VALUE_MAP, false, 0},
    {"/message/apns/headers", VALUE_MAP, false, 0},
    {"/message/apns/headers/#", VALUE_STRING, false, 64}, /* of apns-collapse-id, says Apple */
    {"/message/apns/payload", VALUE_MAP, false, 0},
    {"/message/webpush", VALUE_MAP, false, 0},
    {"/message/webpush/headers", VALUE_MAP, false, 0},
    {"/message/webpush/headers/#", VALUE_STRING, false, 32}, /* of Topic, says RFC 8030 5.4 */
    {"/message/webpush/data", VALUE_MAP, false, 0},
    {"/message/fcmOptions", VALUE_MAP, false, 0},
    {"/message/token", VALUE_STRING, false, 0}, /* of token, topic and condition exactly one */
    {"/message/topic", VALUE_STRING, false, 0},
    {"/message/condition", VALUE_STRING, false, 0},
};

/* What the provider is told to do, and what it saw. */
static struct {
    struct peer_step answer;
    struct service_account account;
    const char *token_url;
    int token_seconds; /* how long a token is good */
    int tokens;        /* given out so far; the last one's number is in it */
    bool only_newest;  /* older tokens are not taken */
} provider;

static struct peer_step no(int status, const char *body)
{
    return (struct peer_step){.status = status, .body = body};
}

static struct value part(struct str base64, struct arena *arena)
{
    struct buf json = {0};
    struct value v;

    ck_assert(base64_read(&json, base64));
    ck_assert_int_eq(json_parse(arena_str(arena, buf_str(&json)), arena, &v, NULL), JSON_FINE);
    buf_free(&json);
    return v;
}

static void expect_member(struct value map, const char *pointer, const char *expected)
{
    struct value v = json_at(map, str_of(pointer));

    ck_assert_msg(v.kind == VALUE_STRING && str_is(value_str(v), expected), "%s", pointer);
}

/* RS256 is a function of key and text: the same signature has to come out here. */
static void expect_signature(struct str signed_text, struct str signature)
{
    struct buf bytes = {0}, text = {0};
    struct crypto_key *key;

    ck_assert_int_eq(crypto_key_read(str_of(provider.account.key_pem), &key, NULL), ERR_NONE);
    crypto_sign_rs256(key, signed_text, &bytes);
    base64_put_url(&text, buf_str(&bytes));
    ck_assert(str_equal(buf_str(&text), signature));
    crypto_key_free(key);
    buf_free(&bytes);
    buf_free(&text);
}

static void expect_assertion(struct str jwt, struct arena *arena)
{
    struct str header, rest, claims, signature;
    struct value v;

    ck_assert(str_cut(jwt, '.', &header, &rest) && str_cut(rest, '.', &claims, &signature));
    v = part(header, arena);
    expect_member(v, "/alg", "RS256");
    expect_member(v, "/typ", "JWT");
    expect_member(v, "/kid", SERVICE_ACCOUNT_KEY_ID);
    v = part(claims, arena);
    expect_member(v, "/iss", SERVICE_ACCOUNT_EMAIL);
    expect_member(v, "/scope", "https://www.googleapis.com/auth/firebase.messaging");
    expect_member(v, "/aud", provider.token_url);
    ck_assert_int_eq(json_at(v, STR("/exp")).i - json_at(v, STR("/iat")).i, 3600);
    expect_signature((struct str){jwt.data, header.len + 1 + claims.len}, signature);
}

static struct peer_step give_token(const struct peer_request *request)
{
    static char body[300];
    struct arena *arena = arena_new(0);
    struct str form = request->body;
    struct str prefix =
        STR("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");

    ck_assert(str_is(peer_header(request, "Content-Type"), "application/x-www-form-urlencoded"));
    ck_assert(str_starts(form, prefix));
    expect_assertion(str_slice(form, prefix.len, form.len), arena);
    arena_free(arena);
    snprintf(body, sizeof body,
             "{\"access_token\":\"ya29.%d\",\"expires_in\":%d,\"token_type\":\"Bearer\"}",
             ++provider.tokens, provider.token_seconds);
    return (struct peer_step){.body = body};
}

/* A token of ours, and the newest if only that will do? */
static bool is_let_in(const struct peer_request *request)
{
    struct str prefix = STR("Bearer ya29."), given = peer_header(request, "Authorization");
    int number = str_starts(given, prefix) ? atoi(given.data + prefix.len) : 0;

    return number > 0 && number <= provider.tokens &&
           (!provider.only_newest || number == provider.tokens);
}

static struct peer_step google(void *context, const struct peer_request *request)
{
    struct arena *arena = arena_new(0);
    struct peer_step step = provider.answer;
    const char *misfit;

    (void)context;
    if (str_is(request->target, "/token")) {
        arena_free(arena);
        return give_token(request);
    }
    misfit = published_misfit(request->body, fields, sizeof fields / sizeof fields[0], arena);
    if (!str_is(request->method, "POST") ||
        !str_is(request->target, "/v1/projects/" SERVICE_ACCOUNT_PROJECT "/messages:send"))
        step = no(404, "{\"error\":{\"code\":404,\"status\":\"NOT_FOUND\"}}");
    else if (!is_let_in(request))
        step = no(401, "{\"error\":{\"code\":401,\"status\":\"UNAUTHENTICATED\"}}");
    else if (misfit != NULL || !str_is(peer_header(request, "Content-Type"), "application/json"))
        step = no(400, "{\"error\":{\"code\":400,\"status\":\"INVALID_ARGUMENT\"}}");
    arena_free(arena);
    return step;
}

static struct peer *peer;
static struct arena *arena;
static const struct conf *conf;
static struct connector *connector;

static struct connector *open_one(void)
{
    struct connector *c;
    struct err err = {0};

    ck_assert_msg(push_class.open(conf, &c, &err) == ERR_NONE, "%s", err.text);
    return c;
}

static void set_up(void)
{
    struct diags diags = {0};
    struct buf text = {0};

    peer = peer_open_with(google, NULL, PEER_TLS);
    arena = arena_new(0);
    buf_put_format(&text, "%s/token", peer_url(peer));
    provider.token_url = scratch_keep(buf_text(&text));
    provider.account = service_account_make(provider.token_url);
    provider.token_seconds = 3599;
    provider.answer = (struct peer_step){
        .body = "{\"name\":\"projects/attent-test/messages/0:1500415314455276%31bd1c9631bd1c96\"}"};
    buf_clear(&text);
    buf_put_format(&text,
                   "base_url: %s\nservice_account: \"${file:%s}\"\nprivate_network: true\n"
                   "ca_file: %s\n",
                   peer_url(peer), provider.account.file, peer_ca_file(peer));
    conf = conf_read(push_class.fields, buf_str(&text), "x", NULL, 0, arena, &diags);
    ck_assert_ptr_nonnull(conf);
    diags_free(&diags);
    buf_free(&text);
    connector = open_one();
}

static void tear_down(void)
{
    push_class.close(connector);
    peer_close(peer);
    arena_free(arena);
}

static struct task push_task(void)
{
    struct task task = sample_task("00112233445566778899aabbccddeeff");

    task.channel = STR("push");
    task.address = STR("device:APA91b");
    task.subject = STR("Your new Volvo");
    task.text = STR("It is \"heavier\" than the car on your policy.");
    return task;
}

static enum delivery deliver_at(struct task *task, int64_t now_ms, struct receipt *receipt)
{
    const struct sending sending = {
        .task = task, .attempt = 1, .timeout_ms = 10000, .now_ms = now_ms};
    enum delivery result;
    struct err err = {0};

    *receipt = (struct receipt){0};
    result = push_class.deliver(connector, &sending, receipt, &err);
    ck_assert(!str_contains(str_of(err.text), STR("ya29")));
    ck_assert(!str_contains(str_of(err.text), STR("APA91b")));
    ck_assert((result == DELIVERY_ACCEPTED) == (err.code == ERR_NONE));
    return result;
}

static enum delivery deliver(struct receipt *receipt)
{
    struct task task = push_task();

    return deliver_at(&task, SAMPLE_CREATED_MS, receipt);
}

START_TEST(a_notification_is_sent_as_the_provider_wants_it)
{
    struct receipt receipt;

    ck_assert_int_eq(deliver(&receipt), DELIVERY_ACCEPTED);
    ck_assert_str_eq(receipt.reference,
                     "projects/attent-test/messages/0:1500415314455276%31bd1c9631bd1c96");
    ck_assert_uint_eq(peer_count(peer), 2);
    ck_assert_str_eq(
        peer_request(peer, 1)->body.data,
        "{\"message\":{\"token\":\"device:APA91b\",\"notification\":{\"title\":\"Your new Volvo\","
        "\"body\":\"It is \\\"heavier\\\" than the car on your policy.\"},"
        "\"data\":{\"task\":\"00112233445566778899aabbccddeeff\","
        "\"moment\":\"new-car-uninsured\"},"
        "\"android\":{\"collapseKey\":\"00112233445566778899aabbccddeeff\",\"ttl\":\"604800s\","
        "\"notification\":{\"tag\":\"00112233445566778899aabbccddeeff\"}},"
        "\"apns\":{\"headers\":{\"apns-collapse-id\":\"00112233445566778899aabbccddeeff\","
        "\"apns-expiration\":\"1773043200\"}},"
        "\"webpush\":{\"headers\":{\"Topic\":\"00112233445566778899aabbccddeeff\","
        "\"TTL\":\"604800\"}}}}");
}
END_TEST

START_TEST(a_message_is_kept_until_the_deadline_and_four_weeks_at_most)
{
    struct task task = push_task();
    struct receipt receipt;

    task.deadline_ms = SAMPLE_CREATED_MS + 90 * (int64_t)WHEN_DAY_MS;
    ck_assert_int_eq(deliver_at(&task, SAMPLE_CREATED_MS, &receipt), DELIVERY_ACCEPTED);
    ck_assert(str_contains(peer_request(peer, 1)->body, STR("\"ttl\":\"2419200s\"")));
    ck_assert_int_eq(deliver_at(&task, task.deadline_ms + 1, &receipt), DELIVERY_ACCEPTED);
    ck_assert(str_contains(peer_request(peer, 3)->body, STR("\"ttl\":\"0s\"")));
}
END_TEST

START_TEST(one_token_serves_many_and_is_renewed_before_it_ends)
{
    struct task task = push_task();
    struct connector *second = open_one();
    struct receipt receipt;

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(deliver(&receipt), DELIVERY_ACCEPTED);
    ck_assert_int_eq(provider.tokens, 1);
    push_class.close(connector);
    connector = second; /* another thread's, of the same channel */
    ck_assert_int_eq(deliver(&receipt), DELIVERY_ACCEPTED);
    ck_assert_int_eq(deliver_at(&task, SAMPLE_CREATED_MS + 3538 * 1000, &receipt),
                     DELIVERY_ACCEPTED);
    ck_assert_int_eq(provider.tokens, 1);
    ck_assert_int_eq(deliver_at(&task, SAMPLE_CREATED_MS + 3540 * 1000, &receipt),
                     DELIVERY_ACCEPTED);
    ck_assert_int_eq(provider.tokens, 2);
}
END_TEST

START_TEST(a_token_that_is_not_taken_is_asked_for_anew)
{
    struct receipt receipt;

    ck_assert_int_eq(deliver(&receipt), DELIVERY_ACCEPTED);
    provider.tokens++; /* somebody else got one: ours is not the newest any more */
    provider.only_newest = true;
    ck_assert_int_eq(deliver(&receipt), DELIVERY_DOWN);
    ck_assert_int_eq(deliver(&receipt), DELIVERY_ACCEPTED);
    ck_assert_int_eq(provider.tokens, 3);
}
END_TEST

static enum delivery with_code(int status, const char *code, struct receipt *receipt)
{
    static char body[400];

    snprintf(body, sizeof body,
             "{\"error\":{\"code\":%d,\"message\":\"APA91b\",\"status\":\"NOT_FOUND\",\"details\":["
             "{\"@type\":\"type.googleapis.com/google.rpc.Help\",\"errorCode\":\"UNREGISTERED\"},"
             "{\"@type\":\"type.googleapis.com/google.firebase.fcm.v1.FcmError\","
             "\"errorCode\":\"%s\"}]}}",
             status, code);
    provider.answer = no(status, body);
    return deliver(receipt);
}

START_TEST(each_error_of_the_provider_is_what_the_table_says)
{
    struct receipt receipt;

    ck_assert_int_eq(with_code(404, "UNREGISTERED", &receipt), DELIVERY_REFUSED);
    ck_assert(receipt.address_dead);
    ck_assert_int_eq(with_code(403, "SENDER_ID_MISMATCH", &receipt), DELIVERY_REFUSED);
    ck_assert(receipt.address_dead);
    ck_assert_int_eq(with_code(400, "INVALID_ARGUMENT", &receipt), DELIVERY_REFUSED);
    ck_assert(!receipt.address_dead);
    ck_assert_int_eq(with_code(401, "THIRD_PARTY_AUTH_ERROR", &receipt), DELIVERY_DOWN);
    ck_assert_int_eq(with_code(503, "UNAVAILABLE", &receipt), DELIVERY_UNKNOWN);
    ck_assert_int_eq(with_code(500, "INTERNAL", &receipt), DELIVERY_UNKNOWN);
    ck_assert_int_eq(with_code(404, "NEW", &receipt), DELIVERY_DOWN); /* as any 404 */
    ck_assert_int_eq(provider.tokens, 1); /* none of them is about our token */
}
END_TEST

START_TEST(a_quota_that_is_used_up_names_a_time)
{
    struct receipt receipt;

    ck_assert_int_eq(with_code(429, "QUOTA_EXCEEDED", &receipt), DELIVERY_RETRY);
    ck_assert_int_eq(receipt.retry_after_ms, 60000);
    provider.answer.headers = "Retry-After: 90\r\n";
    ck_assert_int_eq(deliver(&receipt), DELIVERY_RETRY);
    ck_assert_int_eq(receipt.retry_after_ms, 90000);
}
END_TEST

START_TEST(without_a_device_or_a_text_nothing_is_sent)
{
    struct task task = push_task();
    struct receipt receipt;

    task.address = STR_EMPTY;
    ck_assert_int_eq(deliver_at(&task, SAMPLE_CREATED_MS, &receipt), DELIVERY_REFUSED);
    task = push_task();
    task.text = STR_EMPTY;
    ck_assert_int_eq(deliver_at(&task, SAMPLE_CREATED_MS, &receipt), DELIVERY_REFUSED);
    ck_assert_uint_eq(peer_count(peer), 0);
}
END_TEST

START_TEST(a_key_file_that_is_none_is_refused_and_not_shown)
{
    static const struct {
        const char *json, *why;
    } cases[] = {
        {"swordfish", "JSON"},
        {"{\"type\":\"authorized_user\",\"private_key\":\"swordfish\"}", "service_account"},
        {"{\"type\":\"service_account\",\"private_key\":\"swordfish\",\"token_uri\":\"x\"}",
         "client_email"},
        {"{\"type\":\"service_account\",\"client_email\":\"swordfish\"}", "private_key"},
        {"{\"type\":\"service_account\",\"project_id\":\"p\",\"client_email\":\"a\","
         "\"private_key\":\"swordfish\",\"token_uri\":\"https://example.org/\"}",
         "key"},
        {"{\"type\":\"service_account\",\"project_id\":\"p\",\"client_email\":\"a\","
         "\"private_key\":\"swordfish\",\"token_uri\":\"http://example.org/\"}",
         "token_uri"},
        {"{\"type\":\"service_account\",\"client_email\":\"a\",\"private_key\":\"swordfish\","
         "\"token_uri\":\"https://example.org/\"}",
         "project"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *file = scratch_write(scratch_dir(), "account.json", cases[i].json);
        struct diags diags = {0};
        struct connector *c;
        struct err err = {0};
        char yaml[300];

        snprintf(yaml, sizeof yaml, "service_account: \"${file:%s}\"\n", file);
        conf = conf_read(push_class.fields, str_of(yaml), "x", NULL, 0, arena, &diags);
        ck_assert_ptr_nonnull(conf);
        diags_free(&diags);
        ck_assert_int_eq(push_class.open(conf, &c, &err), ERR_CONFIG);
        ck_assert_ptr_null(c);
        ck_assert_msg(str_contains(str_of(err.text), str_of(cases[i].why)), "%zu: %s", i, err.text);
        ck_assert(!str_contains(str_of(err.text), STR("swordfish")));
    }
}
END_TEST

SUITE_MAIN_AROUND("push", set_up, tear_down, a_notification_is_sent_as_the_provider_wants_it,
                  a_message_is_kept_until_the_deadline_and_four_weeks_at_most,
                  one_token_serves_many_and_is_renewed_before_it_ends,
                  a_token_that_is_not_taken_is_asked_for_anew,
                  each_error_of_the_provider_is_what_the_table_says,
                  a_quota_that_is_used_up_names_a_time, without_a_device_or_a_text_nothing_is_sent,
                  a_key_file_that_is_none_is_refused_and_not_shown)
