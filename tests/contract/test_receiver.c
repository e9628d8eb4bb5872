/* tests/contract/test_receiver.c - the receiver over HTTP, without Kafka: what is kept, and what is
 * answered.  tsan: yes */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "connectors/callback/reference.h"
#include "connectors/unsubscribe/token.h"
#include "connectors/webhook/signature.h"
#include "core/mem.h"
#include "processors/dispatch/receiver.h"
#include "schemas/event.h"
#include "tests/support/http.h"
#include "tests/support/sample.h"
#include "tests/support/suite.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define KEY    "0123456789abcdef0123456789abcdef"
#define NOW_MS (SAMPLE_CREATED_MS + 60000)

enum { KEPT_MAX = 16 };

static struct world {
    struct arena *arena;
    struct links links;
    struct channel_config channels[2];
    struct receiver_config config;
    struct receiver *receiver;
    bool kafka_is_away, redis_is_away;
    struct record kept[KEPT_MAX];
    size_t kept_count;
} world;

static int64_t clock_ms(void)
{
    return NOW_MS;
}

/* One at a time: the tests ask one after the other. */
static enum err_code keep(void *context, const struct record *records, size_t count,
                          struct err *err)
{
    (void)context;
    if (world.kafka_is_away)
        return err_set(err, ERR_DOWN, "Kafka is away");
    for (size_t i = 0; i < count; i++) {
        struct record *r = &world.kept[world.kept_count++];
        ck_assert_uint_lt(world.kept_count, KEPT_MAX);
        *r = records[i];
        r->topic = arena_str(world.arena, records[i].topic);
        r->key = arena_str(world.arena, records[i].key);
        r->value = arena_str(world.arena, records[i].value);
        struct header *headers = ARENA_ARRAY(world.arena, struct header, r->header_count + 1);
        for (size_t h = 0; h < r->header_count; h++)
            headers[h] = (struct header){arena_str(world.arena, records[i].headers[h].name),
                                         arena_str(world.arena, records[i].headers[h].value)};
        r->headers = headers;
    }
    return ERR_NONE;
}

static enum err_code customer_of(void *context, struct str channel, struct str address,
                                 struct arena *arena, struct str *out, struct err *err)
{
    (void)context, (void)arena;
    if (world.redis_is_away)
        return err_set(err, ERR_DOWN, "Redis is away");
    *out = str_is(channel, "sms") && str_is(address, "+31612345678") ? STR("C-9") : STR_EMPTY;
    return ERR_NONE;
}

static const struct conf *read_conf(const char *class, const char *yaml)
{
    struct diags diags = {0};
    const struct conf *conf = conf_read(channel_find(str_of(class))->fields, str_of(yaml), "x",
                                        NULL, 0, world.arena, &diags);

    ck_assert_ptr_nonnull(conf);
    diags_free(&diags);
    return conf;
}

static void set_up(void)
{
    struct err err = {0};

    world = (struct world){.arena = arena_new(0)};
    world.links = (struct links){.public_url = STR("https://attent.example.org/a"),
                                 .key = STR(KEY),
                                 .unsubscribe_valid_ms = 86400000};
    world.channels[0] = (struct channel_config){
        .name = STR("partner"),
        .class = channel_find(STR("webhook")),
        .conf = read_conf("webhook", "url: \"${NONE:https://example.org/in}\"\n"
                                     "secrets: \"${NONE:" SECRET "}\"\n"
                                     "callback.secrets: \"${NONE:" SECRET "}\"\n")};
    world.channels[1] = (struct channel_config){
        .name = STR("sms"),
        .class = channel_find(STR("sms")),
        .conf = read_conf("sms", "account: AC1\ntoken: \"${NONE:12345}\"\nfrom: \"+3197\"\n")};
    world.config = (struct receiver_config){.address = "127.0.0.1:0",
                                            .threads = 2,
                                            .links = &world.links,
                                            .channels = world.channels,
                                            .channel_count = 2,
                                            .outcomes_topic = "outcomes",
                                            .dlq_topic = "outcomes.dlq",
                                            .tasks_topic = "tasks",
                                            .clock_ms = clock_ms,
                                            .keep = keep,
                                            .customer_of = customer_of};
    ck_assert_msg(receiver_open(&world.config, &world.receiver, &err) == ERR_NONE, "%s", err.text);
}

static void tear_down(void)
{
    receiver_close(world.receiver);
    arena_free(world.arena);
}

static int ask(const char *method, struct str path, const char *headers, const char *body)
{
    return http_ask_with(receiver_port(world.receiver), method, arena_str(world.arena, path).data,
                         headers, body, strlen(body), NULL);
}

/* --- a partner reports --------------------------------------------------------------------------- */

#define TASK "00112233445566778899aabbccddeeff"
#define BODY "{\"type\":\"task.outcome\",\"data\":{\"task\":\"" TASK "\",\"code\":\"delivered\"}}"

static struct str reference_of(const char *channel)
{
    struct task task = sample_task(TASK);
    struct buf text = {0};
    struct str kept;

    task.channel = str_of(channel);
    reference_put(&text, STR(KEY), &task, NOW_MS + 1000);
    kept = arena_str(world.arena, buf_str(&text));
    buf_free(&text);
    return kept;
}

static const char *signed_by(const char *secret, int64_t at_ms, const char *body)
{
    struct webhook_keys keys;
    struct buf signature = {0};
    const char *headers;

    ck_assert_int_eq(webhook_keys_read(str_of(secret), &keys, NULL), ERR_NONE);
    webhook_sign(&keys, STR("msg-1"), at_ms / 1000, str_of(body), &signature);
    headers = arena_format(world.arena,
                           "webhook-id: msg-1\r\nwebhook-timestamp: %lld\r\n"
                           "webhook-signature: %.*s\r\n",
                           (long long)(at_ms / 1000), STR_ARG(buf_str(&signature)))
                  .data;
    buf_free(&signature);
    webhook_keys_free(&keys);
    return headers;
}

static int report(const char *channel, struct str reference, const char *body)
{
    return ask("POST", arena_format(world.arena, "/callback/%s/%.*s", channel, STR_ARG(reference)),
               signed_by(SECRET, NOW_MS, body), body);
}

START_TEST(an_outcome_is_kept_and_then_acknowledged)
{
    const struct record *r = &world.kept[0];

    ck_assert_int_eq(report("partner", reference_of("partner"), BODY), 200);
    ck_assert_uint_eq(world.kept_count, 1);
    ck_assert(str_is(r->topic, "outcomes"));
    ck_assert(str_is(r->key, "C-1"));
    ck_assert(str_is(record_header(r, STR("ce_type")), "task.outcome"));
    ck_assert(str_contains(r->value, STR("\"task\":\"" TASK "\"")));
    ck_assert(str_contains(r->value, STR("\"channel\":\"partner\"")));
    ck_assert(str_contains(r->value, STR("\"code\":\"delivered\"")));
}
END_TEST

START_TEST(the_same_report_twice_has_one_id)
{
    ck_assert_int_eq(report("partner", reference_of("partner"), BODY), 200);
    ck_assert_int_eq(report("partner", reference_of("partner"), BODY), 200);
    ck_assert_uint_eq(world.kept_count, 2);
    ck_assert(str_equal(record_header(&world.kept[0], STR("ce_id")),
                        record_header(&world.kept[1], STR("ce_id"))));
    ck_assert(record_header(&world.kept[0], STR("ce_id")).len != 0);
}
END_TEST

START_TEST(what_kafka_does_not_take_is_not_acknowledged)
{
    world.kafka_is_away = true;
    ck_assert_int_eq(report("partner", reference_of("partner"), BODY), 503);
    ck_assert_uint_eq(world.kept_count, 0);
}
END_TEST

START_TEST(a_wrong_or_old_signature_is_refused_and_keeps_nothing)
{
    struct str path =
        arena_format(world.arena, "/callback/partner/%.*s", STR_ARG(reference_of("partner")));

    ck_assert_int_eq(ask("POST", path, NULL, BODY), 401);
    ck_assert_int_eq(ask("POST", path, signed_by(SECRET, NOW_MS, "{}"), BODY), 401);
    ck_assert_int_eq(ask("POST", path, signed_by(SECRET, NOW_MS - 3600000, BODY), BODY), 401);
    ck_assert_int_eq(ask("DELETE", path, signed_by(SECRET, NOW_MS, BODY), BODY), 405);
    ck_assert_int_eq(ask("POST", path, signed_by(SECRET, NOW_MS, "{}"), "{}"), 400);
    ck_assert_uint_eq(world.kept_count, 0);
}
END_TEST

START_TEST(a_task_that_nobody_knows_is_not_found_and_is_put_aside)
{
    static const char *const other =
        "{\"type\":\"task.outcome\",\"data\":{\"task\":\"ff\",\"code\":\"sent\"}}";

    ck_assert_int_eq(report("partner", STR("forged"), BODY), 404);
    ck_assert_int_eq(report("partner", reference_of("sms"), BODY), 404); /* of another channel */
    ck_assert_int_eq(report("partner", reference_of("partner"), other), 404);
    ck_assert_int_eq(report("partner", STR_EMPTY, BODY), 404);
    ck_assert_uint_eq(world.kept_count, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert(str_is(world.kept[i].topic, "outcomes.dlq"));
        ck_assert(str_is(record_header(&world.kept[i], STR("attent-reason")), "unknown_task"));
    }
    ck_assert_int_eq(report("nobody", reference_of("partner"), BODY), 404);
    ck_assert_int_eq(ask("GET", STR("/"), NULL, ""), 404);
    ck_assert_int_eq(ask("GET", STR("/callback/"), NULL, ""), 404);
    ck_assert_uint_eq(world.kept_count, 4);
}
END_TEST

START_TEST(a_body_that_is_too_large_is_refused)
{
    enum { BYTES = 4 * 1024 * 1024 };
    char *large = mem_alloc(BYTES);

    memset(large, 'x', BYTES - 1);
    ck_assert_int_eq(ask("POST", STR("/callback/partner/x"), NULL, large), 413);
    mem_free(large);
}
END_TEST

/* --- STOP ---------------------------------------------------------------------------------------- */

/* The provider signs public_url, however the request came through the proxy. */
static int write_sms(const char *path, const char *form, const char *signature)
{
    return ask("POST", str_of(path),
               arena_format(world.arena, "X-Twilio-Signature: %s\r\n", signature).data, form);
}

/* openssl: printf %s URL+FIELDS | openssl dgst -sha1 -hmac 12345 -binary | base64 */
#define STOP_FORM   "From=%2B31612345678&Body=STOP&MessageSid=SM1"
#define STOP_SIGNED "8SsUJ4c1BY9nHRh5C4yvQUYuWw8="
#define ELSE_FORM   "From=%2B31600000000&Body=STOP&MessageSid=SM1"
#define ELSE_SIGNED "2fTIbocs3rws5UTGwsX2HpLi1xc="

START_TEST(stop_withdraws_the_consent_of_who_wrote_it)
{
    ck_assert_int_eq(write_sms("/a/callback/sms", STOP_FORM, STOP_SIGNED), 200);
    ck_assert_uint_eq(world.kept_count, 2);
    ck_assert(str_is(world.kept[0].topic, "outcomes"));
    ck_assert(str_is(record_header(&world.kept[0], STR("ce_type")), "consent.withdrawn"));
    ck_assert(str_is(world.kept[0].key, "C-9"));
    ck_assert(str_is(world.kept[0].value, "{\"channel\":\"sms\"}"));
    ck_assert(str_is(world.kept[1].topic, "tasks"));
    ck_assert(str_is(record_header(&world.kept[1], STR("ce_type")), PERMISSION_CE_TYPE));
    ck_assert(str_is(world.kept[1].key, "C-9"));
    ck_assert_int_eq(write_sms("/callback/sms", STOP_FORM, STOP_SIGNED), 200); /* path taken off */
    ck_assert_int_eq(write_sms("/callback/sms", ELSE_FORM, STOP_SIGNED), 401);
    world.redis_is_away = true; /* nobody can say who it is: the provider comes again */
    ck_assert_int_eq(write_sms("/callback/sms", STOP_FORM, STOP_SIGNED), 503);
    ck_assert_uint_eq(world.kept_count, 4);
}
END_TEST

START_TEST(stop_of_somebody_unknown_is_put_aside)
{
    ck_assert_int_eq(write_sms("/callback/sms", ELSE_FORM, ELSE_SIGNED), 200);
    ck_assert_uint_eq(world.kept_count, 1);
    ck_assert(str_is(world.kept[0].topic, "outcomes.dlq"));
    ck_assert(str_is(record_header(&world.kept[0], STR("attent-reason")), "unknown_sender"));
    ck_assert(str_is(world.kept[0].value, ELSE_FORM));
}
END_TEST

/* --- unsubscribing ------------------------------------------------------------------------------- */

static struct str unsubscribe_path(int64_t expires_ms)
{
    const struct unsubscribe u = {STR("C-1"), STR("commercial"), STR("e<mail"), expires_ms};
    struct buf token = {0};
    struct str path;

    unsubscribe_put_token(&token, STR(KEY), &u);
    path = arena_format(world.arena, "/unsubscribe/%.*s", STR_ARG(buf_str(&token)));
    buf_free(&token);
    return path;
}

static char *page(const char *method, struct str path, const char *headers, const char *body,
                  int status)
{
    char *text;

    ck_assert_int_eq(http_ask_with(receiver_port(world.receiver), method, path.data, headers, body,
                                   strlen(body), &text),
                     status);
    ck_assert_ptr_nonnull(text);
    return text;
}

START_TEST(one_click_unsubscribes_without_anything_else)
{
    free(page("POST", unsubscribe_path(NOW_MS + 1),
              "Content-Type: application/x-www-form-urlencoded\r\n", "List-Unsubscribe=One-Click",
              200));
    ck_assert_uint_eq(world.kept_count, 2);
    ck_assert(str_is(record_header(&world.kept[0], STR("ce_type")), "consent.withdrawn"));
    ck_assert(str_is(world.kept[0].value, "{\"purpose\":\"commercial\",\"channel\":\"e<mail\"}"));
    ck_assert(str_is(world.kept[1].topic, "tasks"));
}
END_TEST

START_TEST(looking_at_the_page_unsubscribes_nobody)
{
    char *text = page("GET", unsubscribe_path(NOW_MS + 1), NULL, "", 200);

    ck_assert_ptr_nonnull(strstr(text, "<form method=\"post\">"));
    ck_assert_ptr_nonnull(strstr(text, "<html lang=\"en\">"));
    ck_assert_ptr_nonnull(strstr(text, "e&lt;mail"));
    free(text);
    text = page("GET", unsubscribe_path(NOW_MS + 1), "Accept-Language: de, nl-BE;q=0.8, en\r\n", "",
                200);
    ck_assert_ptr_nonnull(strstr(text, "<html lang=\"nl\">"));
    ck_assert_ptr_nonnull(strstr(text, "Afmelden"));
    free(text);
    ck_assert_int_eq(ask("HEAD", unsubscribe_path(NOW_MS + 1), NULL, ""), 200);
    ck_assert_int_eq(ask("PUT", unsubscribe_path(NOW_MS + 1), NULL, ""), 405);
    ck_assert_uint_eq(world.kept_count, 0);
}
END_TEST

START_TEST(a_link_that_expired_or_was_made_up_says_so)
{
    char *text = page("POST", unsubscribe_path(NOW_MS), NULL, "", 404);

    ck_assert_ptr_nonnull(strstr(text, "has expired"));
    free(text);
    free(page("GET", STR("/unsubscribe/"), NULL, "", 404));
    free(page("POST", STR("/unsubscribe/abc"), NULL, "List-Unsubscribe=One-Click", 404));
    ck_assert_uint_eq(world.kept_count, 0);
}
END_TEST

START_TEST(who_cannot_be_unsubscribed_now_is_told_to_come_again)
{
    char *text;

    world.kafka_is_away = true;
    text = page("POST", unsubscribe_path(NOW_MS + 1), NULL, "", 503);
    ck_assert_ptr_nonnull(strstr(text, "try again"));
    free(text);
}
END_TEST

/* --- configuration ------------------------------------------------------------------------------- */

START_TEST(a_configuration_that_cannot_work_says_why)
{
    static const struct {
        const char *url, *key, *why;
    } wrong[] = {
        {"", KEY, "needs receiver.public_url"},
        {"http://example.org", KEY, "https://"},
        {"https://example.org/", KEY, "no / at its end"},
        {"https://example.org/a?b", KEY, "nothing else"},
        {"https://example.org", "short", "32 characters"},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct links links = {.public_url = str_of(wrong[i].url), .key = str_of(wrong[i].key)};
        struct receiver_config config = world.config;
        struct receiver *receiver;
        struct err err = {0};
        config.links = &links;
        ck_assert_int_eq(receiver_open(&config, &receiver, &err), ERR_CONFIG);
        ck_assert_ptr_null(receiver);
        ck_assert_msg(strstr(err.text, wrong[i].why) != NULL, "%s", err.text);
    }
}
END_TEST

SUITE_MAIN_AROUND("receiver", set_up, tear_down, an_outcome_is_kept_and_then_acknowledged,
                  the_same_report_twice_has_one_id, what_kafka_does_not_take_is_not_acknowledged,
                  a_wrong_or_old_signature_is_refused_and_keeps_nothing,
                  a_task_that_nobody_knows_is_not_found_and_is_put_aside,
                  a_body_that_is_too_large_is_refused, stop_withdraws_the_consent_of_who_wrote_it,
                  stop_of_somebody_unknown_is_put_aside,
                  one_click_unsubscribes_without_anything_else,
                  looking_at_the_page_unsubscribes_nobody,
                  a_link_that_expired_or_was_made_up_says_so,
                  who_cannot_be_unsubscribed_now_is_told_to_come_again,
                  a_configuration_that_cannot_work_says_why)
