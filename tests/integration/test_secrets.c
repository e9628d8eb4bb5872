/* A whole run, events to messages and back: what nobody may read elsewhere (secrets, addresses, names,
 * words of a message) is in no log, no decision and no metric.  And what is seen on the way: a
 * provider's report and a STOP arrive, `attent task` answers.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base64.h"
#include "core/crypto.h"
#include "core/file.h"
#include "core/clock.h"
#include "tests/support/field.h"
#include "tests/support/http.h"
#include "tests/support/peer.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"
#include "tests/support/watch.h"

enum { WAIT_MS_MAX = 60 * 1000, LEAVE_MS_MAX = 20 * 1000 };

#define CUSTOMER "c-quackenbush"
#define NAME     "Wilhelmina"
#define PHONE    "+31687654321"
#define EMAIL    "wilma.q@example.org"
#define WORDS    "your hamster cage"

static const struct {
    const char *variable, *value;
} secrets[] = {
    {"TWILIO_TOKEN", "tw1l10-4uth-t0k3n"},
    {"PARTNER_URL", ""}, /* set when the peer is there */
    {"PARTNER_SECRET", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"},
    {"MAIL_PASSWORD", "m41l-p4ssw0rd-x7"},
    {"RECEIVER_KEY", "r3c31v3r-k3y-r3c31v3r-k3y-r3c31v3r"},
};
#define PARTNER_TOKEN "p4rtn3r-url-t0k3n"

static struct server *kafka;

static void start_kafka(void)
{
    kafka = kafka_start(1);
}

static void stop_kafka(void)
{
    server_stop(kafka);
}

/* --- rules ----------------------------------------------------------------------------------------- */

static const char facts[] =
    "name: {last: event.data.name, of: customer.updated}\n"
    "phone: {last: event.data.phone, of: customer.updated, address: phone}\n"
    "email: {last: event.data.email, of: customer.updated, address: email}\n";

static const char policy[] =
    "tiers:\n  service: {consent: opt_out}\n"
    "channels:\n  sms: {address: phone}\n  email: {address: email}\n  partner: {address: phone}\n";

static void write_moment(const char *dir, const char *channel)
{
    char name[64], text[512];

    snprintf(name, sizeof name, "moments/by-%s.yaml", channel);
    snprintf(text, sizeof text,
             "moment: by-%s\ntitle: By %s\ntier: service\nvalue: 1\ndeadline: 1d\n"
             "when: [{event: payment.missed, if: event.data.invoice == '%s', as: bill}]\n"
             "reason: \"{{customer.name}} missed a payment\"\n"
             "act:\n  - channel: %s\n    subject: \"For {{customer.name}}\"\n"
             "    text: \"Dear {{customer.name}}, " WORDS " costs {{bill.data.amount}}.\"\n",
             channel, channel, channel, channel);
    scratch_write(dir, name, text);
}

static void copy_schema(const char *dir, const char *type, struct arena *arena)
{
    const char *path = arena_format(arena, "schemas/events/%s.json", type).data;
    struct str text;

    ck_assert_int_eq(file_read(path, arena, &text, NULL), ERR_NONE);
    scratch_write(dir, path, text.data);
}

static const char *rules(struct arena *arena)
{
    const char *dir = scratch_dir();

    scratch_write(dir, "facts.yaml", facts);
    scratch_write(dir, "policy.yaml", policy);
    write_moment(dir, "sms");
    write_moment(dir, "email");
    write_moment(dir, "partner");
    copy_schema(dir, "customer.updated", arena);
    copy_schema(dir, "payment.missed", arena);
    return dir;
}

/* --- a run ----------------------------------------------------------------------------------------- */

static struct play {
    struct arena *arena;
    struct field field;
    struct peer *twilio, *partner;
    struct process *attent;
    struct watch *watch;
    int console_port, receiver_port;
} play;

static void set_secrets(void)
{
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        setenv(secrets[i].variable,
               secrets[i].value[0] != '\0'
                   ? secrets[i].value
                   : arena_format(play.arena, "%s/" PARTNER_TOKEN, peer_url(play.partner)).data,
               1);
}

static const char *yaml(void)
{
    return arena_format(
               play.arena,
               "log: {level: debug, format: json}\n"
               "rules: {folder: \"%s\"}\n"
               "console: {address: \"127.0.0.1:%d\"}\n"
               "sources: {\"{name}.crm\": {}}\n"
               "receiver:\n  address: \"127.0.0.1:%d\"\n  public_url: http://127.0.0.1:%d\n"
               "  key: \"${RECEIVER_KEY}\"\n"
               "channels:\n"
               "  sms: {connector: sms, base_url: \"%s\", account: AC1, token: \"${TWILIO_TOKEN}\","
               " from: \"+3197\", private_network: true, retries: [50ms, 50ms]}\n"
               "  partner: {connector: webhook, url: \"${PARTNER_URL}\","
               " secrets: \"${PARTNER_SECRET}\", callback.secrets: \"${PARTNER_SECRET}\","
               " private_network: true, retries: [50ms, 50ms]}\n"
               "  email: {connector: smtp, host: 127.0.0.1, port: %d, tls: none, user: attent,"
               " password: \"${MAIL_PASSWORD}\", from: a@example.org, private_network: true,"
               " retries: [50ms]}\n",
               rules(play.arena), play.console_port, play.receiver_port, play.receiver_port,
               peer_url(play.twilio), scratch_free_port() /* nobody is there */)
        .data;
}

static void open_play(void)
{
    static const struct peer_step twilio[] = {{.status = 201, .body = "{\"sid\":\"SM77\"}"}};
    static const struct peer_step partner[] = {{.act = PEER_CLOSE}, {.status = 204}};
    const char *topics[3];

    play = (struct play){.arena = arena_new(0)};
    play.twilio = peer_open(twilio, 1, PEER_PLAIN);
    play.partner = peer_open(partner, 2, PEER_PLAIN);
    play.console_port = scratch_free_port();
    play.receiver_port = scratch_free_port();
    set_secrets();
    field_open(&play.field, "secrets", kafka, yaml());
    const struct kafka_topic_config crm = {field_topic(&play.field, "crm"), 1, 1, NULL, 0};
    ck_assert_int_eq(kafka_topics_create(&play.field.kafka, &crm, 1, NULL), ERR_NONE);
    topics[0] = field_topic(&play.field, "decisions");
    topics[1] = field_topic(&play.field, "outcomes");
    topics[2] = NULL;
    play.watch = watch_open(&play.field.kafka, topics);
    play.attent = field_start(&play.field, "run", NULL);
    field_check(play.attent, process_wait_output(play.attent, "\"started\"", WAIT_MS_MAX), "start");
}

static void close_play(void)
{
    watch_close(play.watch);
    process_free(play.attent);
    field_close(&play.field);
    peer_close(play.twilio);
    peer_close(play.partner);
    arena_free(play.arena);
}

static void send(const char *customer, const char *type, const char *data)
{
    const struct field_event event = {
        .id = type, .customer = customer, .type = type, .data = data, .at_ms = clock_wall_ms()};

    field_send(&play.field, "crm", FIELD_BINARY, &event);
}

/* A customer who misses a payment and gets word of it by this channel. */
static void live(const char *customer, const char *channel)
{
    send(customer, "customer.updated",
         "{\"name\":\"" NAME "\",\"phone\":\"" PHONE "\",\"email\":\"" EMAIL
         "\",\"language\":\"en\"}");
    send(customer, "payment.missed",
         arena_format(play.arena, "{\"amount\":12.5,\"invoice\":\"%s\"}", channel).data);
}

/* An event of this type with this in its data, on outcomes. */
static const struct record *await_event(const char *type, const char *text)
{
    int64_t until_ms = wait_now_ms() + WAIT_MS_MAX;

    for (;;) {
        for (size_t i = 0; i < watch_count(play.watch); i++) {
            const struct record *r = watch_at(play.watch, i);
            if (str_is(record_header(r, STR("ce_type")), type) &&
                str_contains(r->value, str_of(text)))
                return r;
        }
        field_check(play.attent, wait_now_ms() < until_ms, text);
        watch_poll(play.watch, 50);
    }
}

/* --- what Twilio would do ---------------------------------------------------------------------------- */

static struct str decoded(struct str escaped)
{
    struct buf out = {0};
    struct str kept;

    for (size_t i = 0; i < escaped.len; i++) {
        unsigned byte;
        if (escaped.data[i] == '%' && sscanf(escaped.data + i + 1, "%2x", &byte) == 1) {
            buf_put_char(&out, (char)byte);
            i += 2;
        } else {
            buf_put_char(&out, escaped.data[i]);
        }
    }
    kept = arena_str(play.arena, buf_str(&out));
    buf_free(&out);
    return kept;
}

/* Where the provider was told to report to. */
static struct str status_url(void)
{
    struct str form = peer_request(play.twilio, 0)->body, before, after, value;
    const char *at = memmem(form.data, form.len, "StatusCallback=", 15);

    ck_assert_ptr_nonnull(at);
    after = str_slice(form, (size_t)(at - form.data) + 15, form.len);
    ck_assert(str_cut(after, '&', &value, &before));
    return decoded(value);
}

/* Signed over the URL and the form's fields, which the caller gives sorted. */
static int twilio_calls(struct str url, const char *form, const char *fields)
{
    struct str host = arena_format(play.arena, "http://127.0.0.1:%d", play.receiver_port);
    struct str text = arena_format(play.arena, "%.*s%s", STR_ARG(url), fields);
    struct sha1 h = crypto_hmac_sha1(str_of(secrets[0].value), text);
    struct buf header = {0};
    int status;

    buf_put_text(&header, "X-Twilio-Signature: ");
    base64_put(&header, (struct str){(const char *)h.bytes, sizeof h.bytes});
    buf_put_text(&header, "\r\n");
    status = http_ask_with(play.receiver_port, "POST", str_slice(url, host.len, url.len).data,
                           buf_text(&header), form, strlen(form), NULL);
    buf_free(&header);
    return status;
}

/* A STOP, told again as Twilio does while the answer is that it cannot be kept yet. */
static int stop_is_told(void)
{
    struct str url =
        arena_format(play.arena, "http://127.0.0.1:%d/callback/sms", play.receiver_port);
    int64_t until_ms = wait_now_ms() + WAIT_MS_MAX;
    int status;

    while ((status = twilio_calls(url, "From=%2B31687654321&Body=Stop&MessageSid=SM78",
                                  "BodyStopFrom" PHONE "MessageSidSM78")) == 503 &&
           wait_now_ms() < until_ms)
        wait_pause_ms(100);
    return status;
}

/* --- looking --------------------------------------------------------------------------------------- */

static const char *const hidden[] = {NAME, PHONE, "31687654321", EMAIL, WORDS, PARTNER_TOKEN};

static void expect_nothing_in(const char *where, struct str text)
{
    ck_assert_msg(text.len != 0, "%s: there is nothing to look at", where);
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        ck_assert_msg(secrets[i].value[0] == '\0' || !str_contains(text, str_of(secrets[i].value)),
                      "%s shows the secret %s", where, secrets[i].variable);
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        ck_assert_msg(!str_contains(text, str_of(hidden[i])), "%s shows %s", where, hidden[i]);
}

static size_t expect_nothing_in_decisions(void)
{
    size_t decisions = 0;

    for (size_t i = 0; i < watch_count(play.watch); i++) {
        const struct record *r = watch_at(play.watch, i);
        if (!str_is(r->topic, field_topic(&play.field, "decisions")))
            continue;
        decisions++;
        expect_nothing_in("a decision", r->value);
    }
    return decisions;
}

static const char *task_of_sms(void)
{
    const struct record *sent = await_event("task.outcome", "\"channel\":\"sms\"");
    const char *at = memmem(sent->value.data, sent->value.len, "\"task\":\"", 8);

    return arena_format(play.arena, "%.32s", at + 8).data;
}

START_TEST(a_whole_run_shows_nobody_what_it_should_not)
{
    char *metrics, *told;
    struct str url;

    open_play();
    live(CUSTOMER, "sms");
    live(CUSTOMER "-2", "partner");
    live(CUSTOMER "-3", "email");
    await_event("task.outcome", "\"channel\":\"sms\"");
    await_event("task.outcome", "\"channel\":\"partner\"");
    await_event("task.outcome", "\"code\":\"failed\""); /* no mail server is there */
    ck_assert(str_contains(peer_request(play.twilio, 0)->body, STR("hamster")));

    url = status_url();
    ck_assert_int_eq(twilio_calls(url, "MessageSid=SM77&MessageStatus=delivered",
                                  "MessageSidSM77MessageStatusdelivered"),
                     200);
    await_event("task.outcome", "\"code\":\"delivered\"");
    ck_assert_int_eq(twilio_calls(url, "MessageSid=SM77&MessageStatus=delivered", "forged"), 401);
    ck_assert_int_eq(stop_is_told(), 200);
    ck_assert(str_is(await_event("consent.withdrawn", "\"channel\":\"sms\"")->key, CUSTOMER));

    told = field_run(&play.field, 0, "task", task_of_sms(), NULL);
    ck_assert_msg(strstr(told, " is sent: its channel has it") != NULL, "%s", told);
    ck_assert_ptr_nonnull(strstr(told, "reference  SM77"));
    expect_nothing_in("attent task", str_of(told));
    free(told);
    free(field_run(&play.field, 1, "task", "ffffffffffffffffffffffffffffffff", NULL));

    ck_assert_int_eq(http_ask(play.console_port, "GET", "/metrics", "", 0, &metrics), 200);
    ck_assert_ptr_nonnull(
        strstr(metrics, "attent_receiver_calls_total{channel=\"sms\",result=\"taken\"} 2"));
    ck_assert_ptr_nonnull(
        strstr(metrics, "attent_receiver_stops_total{channel=\"sms\",sender=\"known\"} 1"));
    expect_nothing_in("/metrics", str_of(metrics));
    ck_assert_ptr_null(strstr(metrics, CUSTOMER));
    free(metrics);

    watch_to_end(play.watch);
    ck_assert_uint_ge(expect_nothing_in_decisions(), 3);
    process_kill(play.attent, SIGTERM);
    field_check(play.attent, process_wait(play.attent, LEAVE_MS_MAX) == 0, "SIGTERM");
    expect_nothing_in("the log", str_of(process_stderr(play.attent)));
    ck_assert_ptr_null(strstr(process_stderr(play.attent), CUSTOMER));
    close_play();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_whole_run_shows_nobody_what_it_should_not};

    return suite_run_with("secrets", tests, 1, 180, start_kafka, stop_kafka);
}
