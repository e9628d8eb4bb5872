/* tests/contract/test_deliver.c - what every channel that delivers over HTTP says of its peer.
 *
 * A new channel gets one entry in `channels`: its options and what its receiver answers when it
 * takes a task.  Whatever else a peer does, the channel has to tell "surely not sent" from
 * "perhaps sent", keep its time, and never show a secret, an address or a text in an error.
 */
#include <stdio.h>

#include "connectors/channel.h"
#include "core/clock.h"
#include "tests/support/peer.h"
#include "tests/support/sample.h"
#include "tests/support/scratch.h"
#include "tests/support/service_account.h"
#include "tests/support/suite.h"

enum { LONG_MS = 10000, SHORT_MS = 600 };
#define TASK_ID "00112233445566778899aabbccddeeff"
/* what no error may show */
#define SECRET  "S3cr3tS3cr3tS3cr3tS3cr3tS3cr3tAA"
#define ADDRESS "+31612345678"
#define TEXT    "The text of the message"
#define TOKEN   "{\"access_token\":\"" SECRET "\",\"expires_in\":3600}"

static const struct {
    const char *name;
    const char *yaml; /* URL: the peer's; ACCOUNT: a service account whose tokens come from there */
    struct peer_step taken;
    const char *reference; /* that it keeps of this answer */
    const char *token;     /* what its token's server answers; NULL: it needs none */
} channels[] = {
    {"webhook",
     "url: \"${NONE:URL/" SECRET "}\"\nsecrets: \"${NONE:whsec_" SECRET "}\"\n",
     {.status = 204},
     "",
     NULL},
    {"sms",
     "base_url: URL\naccount: AC1\ntoken: \"${NONE:" SECRET "}\"\nfrom: Example\n",
     {.status = 201, .body = "{\"sid\":\"SM12\"}"},
     "SM12",
     NULL},
    {"whatsapp",
     "base_url: URL\nphone_number_id: \"1\"\ntoken: \"${NONE:" SECRET "}\"\ntemplate: notice\n",
     {.status = 200, .body = "{\"messages\":[{\"id\":\"wamid.12\"}]}"},
     "wamid.12",
     NULL},
    {"amazon_connect",
     "base_url: URL\nregion: eu-west-2\ninstance: a\ncontact_flow: b\naccess_key_id: A\n"
     "secret_access_key: \"${NONE:" SECRET "}\"\n",
     {.status = 200, .body = "{\"ContactId\":\"c-12\"}"},
     "c-12",
     NULL},
    {"genesys",
     "base_url: URL\nlogin_url: URL\nregion: eu-west-1\nclient_id: a\nqueue: b\n"
     "client_secret: \"${NONE:" SECRET "}\"\n",
     {.status = 200, .body = "{\"conversation\":{\"id\":\"c-12\"}}"},
     "c-12",
     TOKEN},
    {"push",
     "base_url: URL\nservice_account: \"${file:ACCOUNT}\"\n",
     {.status = 200, .body = "{\"name\":\"projects/p/messages/12\"}"},
     "projects/p/messages/12",
     TOKEN},
};
enum { CHANNELS = sizeof channels / sizeof channels[0] };

struct line {
    struct arena *arena;
    const struct connector_class *class;
    struct connector *connector;
};

static struct str yaml_of(size_t channel, const char *url, const char *ca_file, struct arena *arena)
{
    struct str yaml = str_of(channels[channel].yaml);

    if (str_contains(yaml, STR("ACCOUNT")))
        yaml = arena_replace(
            arena, yaml, STR("ACCOUNT"),
            str_of(service_account_make(arena_format(arena, "%s/token", url).data).file));
    while (str_contains(yaml, STR("URL")))
        yaml = arena_replace(arena, yaml, STR("URL"), str_of(url));
    return arena_format(arena, "%.*sprivate_network: true\nca_file: \"%s\"\n", STR_ARG(yaml),
                        ca_file);
}

static void line_open(struct line *line, size_t channel, const char *url, const char *ca_file)
{
    struct diags diags = {0};
    const struct conf *conf;
    struct err err = {0};

    line->arena = arena_new(0);
    line->class = channel_find(str_of(channels[channel].name));
    ck_assert_ptr_nonnull(line->class);
    conf = conf_read(line->class->fields, yaml_of(channel, url, ca_file, line->arena),
                     "contract.yaml", NULL, 0, line->arena, &diags);
    ck_assert_msg(conf != NULL, "%s: %s", line->class->name,
                  diags.count != 0 ? diags.items[0].what : "");
    diags_free(&diags);
    ck_assert_msg(line->class->open(conf, &line->connector, &err) == ERR_NONE, "%s: %s",
                  line->class->name, err.text);
}

static void line_close(struct line *line)
{
    line->class->close(line->connector);
    arena_free(line->arena);
}

static struct task contract_task(void)
{
    struct task task = sample_task(TASK_ID);

    task.address = STR(ADDRESS);
    task.subject = STR("A subject");
    task.text = STR(TEXT);
    return task;
}

static enum delivery deliver(struct line *line, int timeout_ms, struct receipt *receipt,
                             struct err *err)
{
    struct task task = contract_task();
    const struct sending sending = {
        .task = &task, .attempt = 1, .timeout_ms = timeout_ms, .now_ms = SAMPLE_CREATED_MS};

    *receipt = (struct receipt){0};
    *err = (struct err){0};
    return line->class->deliver(line->connector, &sending, receipt, err);
}

/* A peer that does these steps.  Where a channel needs a token, it has one by then, from a first
 * delivery: what is tried is the channel, and tests/contract/test_oauth.c tries the token. */
static struct peer *peer_for(size_t channel, const struct peer_step *steps, size_t count)
{
    struct peer_step all[8];
    size_t before = 0;

    ck_assert_uint_le(count + 2, sizeof all / sizeof all[0]);
    if (channels[channel].token != NULL) {
        all[before++] = (struct peer_step){.body = channels[channel].token};
        all[before++] = channels[channel].taken;
    }
    memcpy(all + before, steps, count * sizeof *steps);
    return peer_open(all, before + count, PEER_TLS);
}

/* Open a line to it, with its token; how many requests that took. */
static size_t line_to(struct line *line, size_t channel, struct peer *peer)
{
    struct receipt receipt;
    struct err err;

    line_open(line, channel, peer_url(peer), peer_ca_file(peer));
    if (channels[channel].token != NULL)
        ck_assert_int_eq(deliver(line, LONG_MS, &receipt, &err), DELIVERY_ACCEPTED);
    return peer_count(peer);
}

/* One delivery to a peer that does this. */
static enum delivery try(size_t channel, struct peer_step step, int timeout_ms,
                         struct receipt *receipt, struct err *err)
{
    struct peer *peer = peer_for(channel, &step, 1);
    struct line line;
    enum delivery result;

    line_to(&line, channel, peer);
    result = deliver(&line, timeout_ms, receipt, err);
    line_close(&line);
    peer_close(peer);
    ck_assert_msg((result == DELIVERY_ACCEPTED) == (err->code == ERR_NONE), "%s: %s",
                  channels[channel].name, err->text);
    ck_assert_msg(!str_contains(str_of(err->text), STR(SECRET)) &&
                      !str_contains(str_of(err->text), STR(ADDRESS)) &&
                      !str_contains(str_of(err->text), STR(TEXT)),
                  "%s shows what it may not: %s", channels[channel].name, err->text);
    return result;
}

START_TEST(every_channel_that_speaks_http_is_here)
{
    const struct connector_class *class;

    for (size_t i = 0; (class = channel_at(i)) != NULL; i++) {
        bool found = class->deliver == NULL;
        for (const struct conf_field *f = class->fields; f->path != NULL; f++)
            found |= strcmp(f->path, "host") == 0; /* mail: test_smtp.c */
        for (size_t k = 0; k < CHANNELS; k++)
            found |= strcmp(channels[k].name, class->name) == 0;
        ck_assert_msg(found, "channel %s has no entry in tests/contract/test_deliver.c",
                      class->name);
    }
}
END_TEST

START_TEST(a_task_that_is_taken_is_accepted_and_its_reference_kept)
{
    for (size_t i = 0; i < CHANNELS; i++) {
        struct receipt receipt;
        struct err err;
        ck_assert_msg(try(i, channels[i].taken, LONG_MS, &receipt, &err) == DELIVERY_ACCEPTED,
                      "%s: %s", channels[i].name, err.text);
        ck_assert_str_eq(receipt.reference, channels[i].reference);
    }
}
END_TEST

/* Short only where the time has to run out: a handshake takes long on a busy machine. */
static int time_for(enum peer_act act)
{
    bool waits = act == PEER_SILENT_UNREAD || act == PEER_SILENT || act == PEER_DRIP ||
                 act == PEER_DRIP_BODY;

    return waits ? SHORT_MS : LONG_MS;
}

START_TEST(what_a_peer_does_wrong_is_told_apart)
{
    static const struct {
        struct peer_step step;
        enum delivery result;
    } cases[] = {
        {{.act = PEER_CLOSE_UNREAD}, DELIVERY_DOWN},
        {{.act = PEER_SILENT_UNREAD}, DELIVERY_DOWN},
        {{.act = PEER_SILENT}, DELIVERY_UNKNOWN},
        {{.act = PEER_CLOSE}, DELIVERY_UNKNOWN},
        {{.act = PEER_GARBAGE}, DELIVERY_UNKNOWN},
        {{.act = PEER_DRIP, .headers = "X-Long: way\r\n"}, DELIVERY_UNKNOWN},
        {{.act = PEER_CLOSE_MIDDLE, .body = "half of this"}, DELIVERY_ACCEPTED},
        {{.act = PEER_DRIP_BODY, .body = "more than comes in the time"}, DELIVERY_ACCEPTED},
        {{.act = PEER_BIG}, DELIVERY_ACCEPTED},
        {{.status = 307, .headers = "Location: https://example.org/\r\n"}, DELIVERY_DOWN},
        {{.status = 401}, DELIVERY_DOWN},
        {{.status = 429, .body = "<html>" SECRET}, DELIVERY_RETRY},
        {{.status = 500, .body = "{\"message\":\"" SECRET "\"}"}, DELIVERY_UNKNOWN},
        {{.status = 502, .body = "{\"code\":\"\\"}, DELIVERY_UNKNOWN},
        {{.status = 503, .headers = "Retry-After: 7\r\n"}, DELIVERY_DOWN},
    };

    for (size_t i = 0; i < CHANNELS; i++)
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
            struct receipt receipt;
            struct err err;
            enum delivery result =
                try(i, cases[k].step, time_for(cases[k].step.act), &receipt, &err);
            ck_assert_msg(result == cases[k].result, "%s, case %zu: %d instead of %d, %s",
                          channels[i].name, k, result, cases[k].result, err.text);
        }
}
END_TEST

START_TEST(a_wait_that_the_receiver_asks_for_is_passed_on)
{
    for (size_t i = 0; i < CHANNELS; i++) {
        struct receipt receipt;
        struct err err;
        ck_assert_int_eq(try(i, (struct peer_step){.status = 429, .headers = "Retry-After: 7\r\n"},
                             LONG_MS, &receipt, &err),
                         DELIVERY_RETRY);
        ck_assert_int_eq(receipt.retry_after_ms, 7000);
    }
}
END_TEST

START_TEST(nobody_there_is_down_and_tried_again_it_works)
{
    for (size_t i = 0; i < CHANNELS; i++) {
        char url[64];
        struct receipt receipt;
        struct err err;
        struct line line;
        snprintf(url, sizeof url, "http://127.0.0.1:%d", scratch_free_port());
        line_open(&line, i, url, "");
        ck_assert_int_eq(deliver(&line, LONG_MS, &receipt, &err), DELIVERY_DOWN);
        ck_assert_int_eq(deliver(&line, LONG_MS, &receipt, &err), DELIVERY_DOWN);
        line_close(&line);
    }
}
END_TEST

/* A token that a receiver does not take, because somebody revoked it, is not given to it again. */
START_TEST(a_token_that_is_not_taken_once_is_asked_for_anew)
{
    for (size_t i = 0; i < CHANNELS; i++) {
        const struct peer_step steps[] = {
            {.status = 401}, {.body = channels[i].token}, channels[i].taken};
        struct receipt receipt;
        struct peer *peer;
        struct line line;
        struct err err;
        size_t before;

        if (channels[i].token == NULL)
            continue;
        peer = peer_for(i, steps, 3);
        before = line_to(&line, i, peer);
        ck_assert_int_eq(deliver(&line, LONG_MS, &receipt, &err), DELIVERY_DOWN);
        ck_assert_int_eq(deliver(&line, LONG_MS, &receipt, &err), DELIVERY_ACCEPTED);
        ck_assert_uint_eq(peer_count(peer) - before, 3);
        ck_assert(str_contains(peer_request(peer, before + 1)->target, STR("token")));
        line_close(&line);
        peer_close(peer);
    }
}
END_TEST

static enum delivery withdraw(struct line *line, int timeout_ms, struct err *err)
{
    struct task task = contract_task();
    struct withdrawal withdrawal = sample_withdrawal(TASK_ID);
    const struct sending sending = {.task = &task,
                                    .reference = STR("c-12"),
                                    .attempt = 1,
                                    .timeout_ms = timeout_ms,
                                    .now_ms = SAMPLE_CREATED_MS};
    struct receipt receipt = {0};

    *err = (struct err){0};
    return line->class->withdraw(line->connector, &sending, &withdrawal, &receipt, err);
}

/* Nothing that a broken peer does counts as taken back, or as never to be. */
START_TEST(a_withdrawal_that_failed_is_to_be_made_again)
{
    static const struct peer_step steps[] = {
        {.act = PEER_CLOSE_UNREAD},
        {.act = PEER_SILENT},
        {.act = PEER_CLOSE},
        {.act = PEER_GARBAGE},
        {.status = 401},
        {.status = 429},
        {.status = 500},
    };

    for (size_t i = 0; i < CHANNELS; i++)
        for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
            struct peer *peer = peer_for(i, &steps[k], 1);
            struct line line;
            struct err err;
            enum delivery result = DELIVERY_RETRY;

            line_to(&line, i, peer);
            if (line.class->withdraw != NULL)
                result = withdraw(&line, time_for(steps[k].act), &err);
            ck_assert_msg(result != DELIVERY_ACCEPTED && result != DELIVERY_REFUSED,
                          "%s, step %zu: %d", channels[i].name, k, result);
            ck_assert(line.class->withdraw == NULL || !str_contains(str_of(err.text), STR(SECRET)));
            line_close(&line);
            peer_close(peer);
        }
}
END_TEST

/* What an idempotent class promises, counted at the receiver: one id, however often. */
START_TEST(the_receiver_of_an_idempotent_channel_sees_one_id)
{
    for (size_t i = 0; i < CHANNELS; i++) {
        struct peer_step steps[] = {{.act = PEER_CLOSE}, channels[i].taken};
        struct peer *peer = peer_for(i, steps, 2);
        struct receipt receipt;
        struct line line;
        struct err err;
        size_t before = line_to(&line, i, peer);

        if (line.class->guarantee == GUARANTEE_IDEMPOTENT) {
            ck_assert_int_eq(deliver(&line, LONG_MS, &receipt, &err), DELIVERY_UNKNOWN);
            ck_assert_int_eq(deliver(&line, LONG_MS, &receipt, &err), DELIVERY_ACCEPTED);
        } else {
            ck_assert_int_eq(deliver(&line, LONG_MS, &receipt, &err), DELIVERY_UNKNOWN);
        }
        for (size_t k = before; k < peer_count(peer); k++) {
            const struct peer_request *r = peer_request(peer, k);
            ck_assert_msg(line.class->guarantee != GUARANTEE_IDEMPOTENT ||
                              str_contains(r->head, STR(TASK_ID)) ||
                              str_contains(r->body, STR(TASK_ID)),
                          "%s: no id", channels[i].name);
        }
        ck_assert_uint_eq(peer_count(peer) - before,
                          line.class->guarantee == GUARANTEE_IDEMPOTENT ? 2 : 1);
        line_close(&line);
        peer_close(peer);
    }
}
END_TEST

SUITE_MAIN("deliver", every_channel_that_speaks_http_is_here,
           a_task_that_is_taken_is_accepted_and_its_reference_kept,
           what_a_peer_does_wrong_is_told_apart, a_wait_that_the_receiver_asks_for_is_passed_on,
           nobody_there_is_down_and_tried_again_it_works,
           a_token_that_is_not_taken_once_is_asked_for_anew,
           a_withdrawal_that_failed_is_to_be_made_again,
           the_receiver_of_an_idempotent_channel_sees_one_id)
