/* What comes back over HTTP, with a real Kafka behind it: acknowledged when Kafka has it, and at work
 * before the next task goes out. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/callback/reference.h"
#include "connectors/unsubscribe/token.h"
#include "connectors/webhook/signature.h"
#include "core/clock.h"
#include "core/hash.h"
#include "processors/dispatch/outbox.h"
#include "processors/dispatch/receiver.h"
#include "tests/support/http.h"
#include "tests/support/sample.h"
#include "tests/support/scripted.h"
#include "tests/support/suite.h"
#include "tests/support/world.h"

#define KEY    "0123456789abcdef0123456789abcdef"
#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static struct links links = {.public_url = STR("https://attent.example.org"),
                             .key = STR(KEY),
                             .unsubscribe_valid_ms = 86400000};
static struct receiver_config config;
static struct outbox *outbox;
static struct receiver *receiver;

static enum err_code keep(void *context, const struct record *records, size_t count,
                          struct err *err)
{
    (void)context;
    return outbox_write(outbox, records, count, err);
}

static int64_t clock_ms(void)
{
    return world.now_ms;
}

static const struct conf *webhook_conf(void)
{
    struct diags diags = {0};
    const struct conf *conf =
        conf_read(channel_find(STR("webhook"))->fields,
                  STR("url: \"${NONE:https://example.org/in}\"\nsecrets: \"${NONE:" SECRET "}\"\n"
                      "callback.secrets: \"${NONE:" SECRET "}\"\n"),
                  "x", NULL, 0, world.arena, &diags);

    ck_assert_ptr_nonnull(conf);
    diags_free(&diags);
    return conf;
}

static void open_all(const char *name, unsigned threads)
{
    static struct channel_config partner;
    struct err err = {0};

    world_open(name);
    world_create_topic(arena_format(world.arena, "%s.dlq", world.outcomes).data, 1);
    partner = (struct channel_config){STR("partner"), channel_find(STR("webhook")), webhook_conf()};
    config = (struct receiver_config){.address = "127.0.0.1:0",
                                      .threads = threads,
                                      .links = &links,
                                      .channels = &partner,
                                      .channel_count = 1,
                                      .outcomes_topic = world.outcomes,
                                      .dlq_topic =
                                          arena_format(world.arena, "%s.dlq", world.outcomes).data,
                                      .tasks_topic = world.tasks,
                                      .clock_ms = clock_ms,
                                      .keep = keep};
    outbox = outbox_open(&world.settings);
    ck_assert_msg(receiver_open(&config, &receiver, &err) == ERR_NONE, "%s", err.text);
}

static void close_all(void)
{
    receiver_close(receiver);
    outbox_close(outbox);
    world_close();
}

/* --- unsubscribing --------------------------------------------------------------------------------- */

/* A commercial mail that may go in an hour. */
static struct record waiting_task(void)
{
    static struct task_window window;
    struct task task = world_task(0);

    window = (struct task_window){world.now_ms + 3600000, world.now_ms + 7200000};
    task.channel = STR("way1");
    task.purpose = STR("commercial");
    task.windows = &window;
    task.window_count = 1;
    return world_stamp(sample_task_record(&task, world.arena));
}

/* More than dispatch reads in a round, in front of what comes next. */
static void produce_other_records(void)
{
    enum { COUNT = 1200 };
    struct record *others = ARENA_ARRAY(world.arena, struct record, COUNT);
    const struct str key = world_task(0).customer;

    for (int i = 0; i < COUNT; i++)
        others[i] = (struct record){.topic = str_of(world.tasks),
                                    .partition = hash_kafka_partition(key, WORLD_PARTITIONS),
                                    .key = key,
                                    .value = STR("{}")};
    world_produce(others, COUNT);
}

static void unsubscribe(struct str purpose)
{
    const struct unsubscribe u = {world_task(0).customer, purpose, STR("way1"),
                                  world.now_ms + 60000};
    struct buf path = {0};

    buf_put_text(&path, "/unsubscribe/");
    unsubscribe_put_token(&path, STR(KEY), &u);
    ck_assert_int_eq(http_ask_with(receiver_port(receiver), "POST", buf_text(&path),
                                   "Content-Type: application/x-www-form-urlencoded\r\n",
                                   "List-Unsubscribe=One-Click", 26, NULL),
                     200);
    buf_free(&path);
}

/* Whoever unsubscribes from `purpose` while the task waits: how often does it reach its receiver? */
static size_t sent_after_unsubscribing(const char *name, struct str purpose)
{
    static struct world_seen seen;
    struct record task;
    struct dispatch *dispatch;
    const char *log;
    size_t sent;

    open_all(name, 2);
    log = world_add_channel(&scripted_class, "");
    task = waiting_task();
    world_produce(&task, 1);
    dispatch = world_dispatch();
    world_poll_until(dispatch, LEDGER_PENDING, 1);
    produce_other_records();
    unsubscribe(purpose); /* and at once it would be the task's turn */
    world.now_ms += 3600000;
    world_poll_until(dispatch, str_is(purpose, "commercial") ? LEDGER_WITHDRAWN : LEDGER_SENT, 1);
    dispatch_close(dispatch);
    sent = scripted_count(log, "deliver").lines;
    world_read(world.outcomes, 1, &seen);
    ck_assert(str_contains(seen.values[0], STR("\"purpose\"")));
    close_all();
    return sent;
}

START_TEST(who_unsubscribes_does_not_get_what_was_waiting)
{
    ck_assert_uint_eq(sent_after_unsubscribing("stop-same", STR("commercial")), 0);
    ck_assert_uint_eq(sent_after_unsubscribing("stop-other", STR("service")), 1);
}
END_TEST

/* --- many at once ------------------------------------------------------------------------------------ */

enum { CALLERS = 8, CALLS = 50 };

static pthread_mutex_t arena_lock = PTHREAD_MUTEX_INITIALIZER; /* the world has one arena */

static int report(int number)
{
    struct task task;
    struct buf path = {0}, headers = {0};
    struct webhook_keys keys;
    const char *body = "{\"type\":\"task.outcome\",\"data\":{\"code\":\"delivered\"}}";
    char id[24];
    int status;

    pthread_mutex_lock(&arena_lock);
    task = world_task(number);
    pthread_mutex_unlock(&arena_lock);
    task.channel = STR("partner");
    snprintf(id, sizeof id, "msg-%d", number);
    buf_put_text(&path, "/callback/partner/");
    reference_put(&path, STR(KEY), &task, world.now_ms + 60000);
    webhook_keys_read(STR(SECRET), &keys, NULL);
    buf_put_format(&headers, "webhook-id: %s\r\nwebhook-timestamp: %lld\r\nwebhook-signature: ", id,
                   (long long)(world.now_ms / 1000));
    webhook_sign(&keys, str_of(id), world.now_ms / 1000, str_of(body), &headers);
    buf_put_text(&headers, "\r\n");
    status = http_ask_with(receiver_port(receiver), "POST", buf_text(&path), buf_text(&headers),
                           body, strlen(body), NULL);
    webhook_keys_free(&keys);
    buf_free(&path);
    buf_free(&headers);
    return status;
}

struct caller {
    pthread_t thread;
    int first, fine;
};

static void *call(void *of)
{
    struct caller *c = of;

    for (int i = 0; i < CALLS; i++)
        c->fine += report(c->first + i) == 200;
    return NULL;
}

START_TEST(what_is_acknowledged_is_in_kafka_once_each)
{
    static struct world_seen seen;
    struct caller callers[CALLERS];
    int64_t from_ms;

    open_all("callers", CALLERS);
    from_ms = clock_mono_ms();
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){.first = i * CALLS};
        ck_assert_int_eq(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        ck_assert_int_eq(callers[i].fine, CALLS);
    }
    fprintf(stderr, "%d reports by %d callers: %d ms\n", CALLERS * CALLS, CALLERS,
            (int)(clock_mono_ms() - from_ms));
    world_read(world.outcomes, 1, &seen);
    ck_assert_uint_eq(seen.count, CALLERS * CALLS);
    for (size_t i = 0; i < seen.count; i++)
        ck_assert_uint_eq(world_times_seen(&seen, seen.ids[i]), 1);
    close_all();
}
END_TEST

START_TEST(without_kafka_nothing_is_acknowledged_and_later_it_is)
{
    static struct world_seen seen;

    open_all("away", 2);
    ck_assert_int_eq(report(1), 200);
    server_kill(world_kafka, 0, SIGSTOP);
    ck_assert_int_eq(report(2), 503);
    server_kill(world_kafka, 0, SIGCONT);
    ck_assert_int_eq(report(2), 200); /* the provider asks again */
    world_read(world.outcomes, 1, &seen);
    ck_assert_uint_ge(seen.count, 2);
    ck_assert_uint_le(seen.count, 3); /* perhaps twice: by one id */
    ck_assert_str_eq(seen.ids[1], seen.ids[seen.count - 1]);
    close_all();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        who_unsubscribes_does_not_get_what_was_waiting,
        what_is_acknowledged_is_in_kafka_once_each,
        without_kafka_nothing_is_acknowledged_and_later_it_is,
    };

    return suite_run_with("callbacks", tests, sizeof tests / sizeof tests[0], 120,
                          world_start_kafka, world_stop_kafka);
}
