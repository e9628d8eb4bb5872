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
#include "tests/support/suite.h"

enum { LONG_MS = 10000, SHORT_MS = 300 };
#define TASK_ID "00112233445566778899aabbccddeeff"
/* what no error may show */
#define SECRET  "S3cr3tS3cr3tS3cr3tS3cr3tS3cr3tAA"
#define ADDRESS "+31612345678"
#define TEXT    "The text of the message"

static const struct {
    const char *name;
    const char *yaml; /* %s: the peer's URL */
    struct peer_step taken;
    const char *reference; /* that it keeps of this answer */
} channels[] = {
    {"webhook",
     "url: \"${NONE:%s/" SECRET "}\"\nsecrets: \"${NONE:whsec_" SECRET "}\"\n",
     {.status = 204},
     ""},
    {"sms",
     "base_url: %s\naccount: AC1\ntoken: \"${NONE:" SECRET "}\"\nfrom: Example\n",
     {.status = 201, .body = "{\"sid\":\"SM12\"}"},
     "SM12"},
};
enum { CHANNELS = sizeof channels / sizeof channels[0] };

struct line {
    struct arena *arena;
    const struct connector_class *class;
    struct connector *connector;
};

static void line_open(struct line *line, size_t channel, const char *url, const char *ca_file)
{
    struct diags diags = {0};
    const struct conf *conf;
    struct err err = {0};
    struct buf yaml = {0};
    char own[1024];

    line->arena = arena_new(0);
    line->class = channel_find(str_of(channels[channel].name));
    ck_assert_ptr_nonnull(line->class);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(own, sizeof own, channels[channel].yaml, url);
#pragma GCC diagnostic pop
    buf_put_format(&yaml, "%sprivate_network: true\nca_file: \"%s\"\n", own, ca_file);
    conf = conf_read(line->class->fields, buf_str(&yaml), "contract.yaml", NULL, 0, line->arena,
                     &diags);
    ck_assert_msg(conf != NULL, "%s: %s", line->class->name,
                  diags.count != 0 ? diags.items[0].what : "");
    diags_free(&diags);
    ck_assert_msg(line->class->open(conf, &line->connector, &err) == ERR_NONE, "%s: %s",
                  line->class->name, err.text);
    buf_free(&yaml);
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

/* One delivery to a peer that does this. */
static enum delivery try(size_t channel, struct peer_step step, int timeout_ms,
                         struct receipt *receipt, struct err *err)
{
    struct peer *peer = peer_open(&step, 1, PEER_TLS);
    struct line line;
    enum delivery result;

    line_open(&line, channel, peer_url(peer), peer_ca_file(peer));
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
            enum delivery result = try(i, cases[k].step, SHORT_MS, &receipt, &err);
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

/* What an idempotent class promises, counted at the receiver: one id, however often. */
START_TEST(the_receiver_of_an_idempotent_channel_sees_one_id)
{
    for (size_t i = 0; i < CHANNELS; i++) {
        struct peer_step steps[] = {{.act = PEER_CLOSE}, channels[i].taken};
        struct peer *peer = peer_open(steps, 2, PEER_TLS);
        struct receipt receipt;
        struct line line;
        struct err err;

        line_open(&line, i, peer_url(peer), peer_ca_file(peer));
        if (line.class->guarantee == GUARANTEE_IDEMPOTENT) {
            ck_assert_int_eq(deliver(&line, LONG_MS, &receipt, &err), DELIVERY_UNKNOWN);
            ck_assert_int_eq(deliver(&line, LONG_MS, &receipt, &err), DELIVERY_ACCEPTED);
        } else {
            ck_assert_int_eq(deliver(&line, LONG_MS, &receipt, &err), DELIVERY_UNKNOWN);
        }
        for (size_t k = 0; k < peer_count(peer); k++) {
            const struct peer_request *r = peer_request(peer, k);
            ck_assert_msg(line.class->guarantee != GUARANTEE_IDEMPOTENT ||
                              str_contains(r->head, STR(TASK_ID)) ||
                              str_contains(r->body, STR(TASK_ID)),
                          "%s: no id", channels[i].name);
        }
        ck_assert_uint_eq(peer_count(peer), line.class->guarantee == GUARANTEE_IDEMPOTENT ? 2 : 1);
        line_close(&line);
        peer_close(peer);
    }
}
END_TEST

SUITE_MAIN("deliver", every_channel_that_speaks_http_is_here,
           a_task_that_is_taken_is_accepted_and_its_reference_kept,
           what_a_peer_does_wrong_is_told_apart, a_wait_that_the_receiver_asks_for_is_passed_on,
           nobody_there_is_down_and_tried_again_it_works,
           the_receiver_of_an_idempotent_channel_sees_one_id)
