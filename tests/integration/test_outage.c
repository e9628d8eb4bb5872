/* Kafka or Redis away for a while, under load: attent waits in bounded memory, /readyz says what is
 * missing, and it goes on by itself.  The release build is run: sanitizers keep what is freed. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/when.h"
#include "tests/support/field.h"
#include "tests/support/http.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"
#include "tests/support/wait.h"

enum {
    AWAY_MS = 8000,
    WAIT_MS_MAX = 60 * 1000,
    LOOK_EVERY_MS = 100,
    EVENT_BYTES = 2000,
    WARM_EVENTS = 10000,
    AWAY_EVENTS = 30000, /* 60 MB in Kafka */
    CUSTOMERS = 500,
    GROWTH_KB_MAX = 15 * 1024, /* half of what a half of them takes */
};

static struct server *kafka; /* of the suite's process */
static struct field field;
static struct process *attent;
static int port, sent;

static void start_kafka(void)
{
    kafka = kafka_start(1);
}

static void stop_kafka(void)
{
    server_stop(kafka);
}

/* --- attent under load ------------------------------------------------------------------------------ */

static void start_attent(const char *name)
{
    struct kafka_topic_config source;
    char yaml[256];

    port = scratch_free_port();
    snprintf(yaml, sizeof yaml,
             "time: log\nconsole: {address: \"127.0.0.1:%d\"}\nsources: {\"{name}.crm\": {}}\n"

             "channels:\n  phone: {connector: contact_centre, topic: \"{name}.{queue}\"}\n"
             "  garage: {connector: contact_centre, topic: \"{name}.{queue}\"}\n",
             port);
    field_open(&field, name, kafka, yaml);
    source = (struct kafka_topic_config){field_topic(&field, "crm"), 2, 1, NULL, 0};
    ck_assert_int_eq(kafka_topics_create(&field.kafka, &source, 1, NULL), ERR_NONE);
    attent =
        process_start((const char *const[]){"build/attent", "run", "-c", field.config, NULL}, NULL);
    field_check(attent, process_wait_output(attent, "started", WAIT_MS_MAX), "started");
}

static void end_attent(void)
{
    process_kill(attent, SIGTERM);
    field_check(attent, process_wait(attent, WAIT_MS_MAX) == 0, "SIGTERM");
    process_free(attent);
    field_close(&field);
}

/* Telemetry of healthy cars, so that no task is made; what is not read of it takes room. */
static void put_events(int count)
{
    static char data[EVENT_BYTES + 64], filler[EVENT_BYTES + 1];
    char id[16], customer[16];

    memset(filler, 'x', EVENT_BYTES);
    for (int i = 0; i < count; i++, sent++) {
        struct field_event event = {.id = id,
                                    .customer = customer,
                                    .type = "vehicle.telemetry",
                                    .data = data,
                                    .at_ms = 1772000000000 + sent};

        snprintf(id, sizeof id, "%d", sent);
        snprintf(customer, sizeof customer, "c%d", sent % CUSTOMERS);
        snprintf(data, sizeof data, "{\"vin\":\"V1\",\"pad_mm\":%d,\"note\":\"%s\"}", 5 + sent % 3,
                 filler);
        field_put(&field, "crm", FIELD_BINARY, &event);
    }
}

/* --- looking ---------------------------------------------------------------------------------------- */

static bool ready_says(int status, const char *text)
{
    char *answer = NULL;
    bool so = http_ask(port, "GET", "/readyz", NULL, 0, &answer) == status && answer != NULL &&
              strstr(answer, text) != NULL;

    free(answer);
    return so;
}

static void await_ready(int status, const char *text)
{
    int64_t until_ms = wait_now_ms() + WAIT_MS_MAX;
    char *answer = NULL;

    while (!ready_says(status, text)) {
        if (wait_now_ms() > until_ms) {
            http_ask(port, "GET", "/readyz", NULL, 0, &answer);
            ck_abort_msg("/readyz never says %d %s, but %s", status, text, answer);
        }
        wait_pause_ms(LOOK_EVERY_MS);
    }
}

/* The sum of a metric's series whose name and labels hold these words. */
static double metric(const char *name, const char *label)
{
    char *page = NULL, *line, *rest = NULL;
    double sum = 0;

    http_ask(port, "GET", "/metrics", NULL, 0, &page);
    for (line = strtok_r(page, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        if (strncmp(line, name, strlen(name)) == 0 && strstr(line, label) != NULL)
            sum += strtod(strrchr(line, ' '), NULL);
    free(page);
    return sum;
}

static int64_t memory_kb(void)
{
    char path[64];
    size_t bytes;
    char *text, *line;
    int64_t kb;

    snprintf(path, sizeof path, "/proc/%d/status", (int)process_pid(attent));
    text = scratch_read(path, &bytes);
    line = text != NULL ? strstr(text, "VmRSS:") : NULL;
    kb = line != NULL ? atoll(line + 6) : 0;
    free(text);
    ck_assert_int_gt(kb, 0);
    return kb;
}

/* All that was sent has passed ingest, and decide has nothing left but the mark of ingest's last
 * transaction in each partition. */
static bool is_decided(void)
{
    return metric("attent_ingest_events_written_total", "") >= sent &&
           metric("attent_worker_lag_records", "step=\"decide\"") <= FIELD_PARTITIONS;
}

/* What is left is told once a second. */
static void await_decided(void)
{
    int64_t until_ms = wait_now_ms() + WAIT_MS_MAX;

    for (int looks = 0; looks < 1500 / LOOK_EVERY_MS; looks = is_decided() ? looks + 1 : 0) {
        if (wait_now_ms() >= until_ms) /* it fails below */
            printf("written %.0f of %d, lag %.0f\n",
                   metric("attent_ingest_events_written_total", ""), sent,
                   metric("attent_worker_lag_records", "step=\"decide\""));
        field_check(attent, wait_now_ms() < until_ms, "not all is decided");
        wait_pause_ms(LOOK_EVERY_MS);
    }
}

/* The most that it has taken, while it is away. */
static int64_t watch_memory(int span_ms)
{
    int64_t until_ms = wait_now_ms() + span_ms, most_kb = 0;

    for (; wait_now_ms() < until_ms; wait_pause_ms(LOOK_EVERY_MS)) {
        int64_t kb = memory_kb();

        most_kb = kb > most_kb ? kb : most_kb;
    }
    return most_kb;
}

static void is_bounded(const char *what, int64_t before_kb, int64_t most_kb, int64_t growth_kb)
{
    printf("%s away: %lld MB, then %lld MB\n", what, (long long)before_kb / 1024,
           (long long)most_kb / 1024);
    ck_assert_int_lt(most_kb - before_kb, growth_kb);
}

/* --- the tests --------------------------------------------------------------------------------------- */

START_TEST(while_redis_is_away_attent_waits_and_says_so)
{
    char expected[128], reply[32];
    int64_t before_kb, most_kb;

    start_attent("noredis");
    put_events(WARM_EVENTS);
    field_flush(&field);
    await_decided();
    await_ready(200, "\"redis\":{\"ready\":true");
    field_ask_redis(&field, "SAVE", reply, sizeof reply);
    server_kill(field.redis, 0, SIGKILL);
    put_events(AWAY_EVENTS / 2);
    field_flush(&field);
    before_kb = watch_memory(AWAY_MS / 2);
    put_events(AWAY_EVENTS / 2); /* twice as much waits, and takes no more room */
    field_flush(&field);
    most_kb = watch_memory(AWAY_MS / 2);
    snprintf(expected, sizeof expected,
             "\"redis\":{\"ready\":false,\"why\":\"Redis at %s: Connection refused\"",
             server_address(field.redis));
    await_ready(503, expected);
    snprintf(expected, sizeof expected,
             "\"decide\":{\"ready\":false,\"why\":\"Redis at %s: Connection refused\"",
             server_address(field.redis));
    await_ready(503, expected);
    server_restart(field.redis, 0);
    await_decided();
    await_ready(200, "\"redis\":{\"ready\":true");
    is_bounded("Redis", before_kb, most_kb, GROWTH_KB_MAX);
    end_attent();
}
END_TEST

START_TEST(while_kafka_is_away_attent_waits_and_says_so)
{
    char expected[128];
    int64_t before_kb, most_kb;

    start_attent("nokafka");
    put_events(WARM_EVENTS);
    field_flush(&field);
    await_decided();
    await_ready(200, "\"kafka\":{\"ready\":true");
    before_kb = memory_kb();
    put_events(AWAY_EVENTS / 2);
    field_flush(&field);
    server_kill(kafka, 0, SIGKILL);
    most_kb = watch_memory(AWAY_MS);
    snprintf(expected, sizeof expected, "\"kafka\":{\"ready\":false,\"why\":\"no answer from %s",
             server_address(kafka));
    await_ready(503, expected);
    server_restart(kafka, 0);
    put_events(AWAY_EVENTS / 2);
    field_flush(&field);
    await_decided();
    await_ready(200, "\"kafka\":{\"ready\":true");
    is_bounded("Kafka", before_kb, most_kb, 2 * GROWTH_KB_MAX); /* what came in just before */
    end_attent();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {while_redis_is_away_attent_waits_and_says_so,
                                  while_kafka_is_away_attent_waits_and_says_so};

    return suite_run_with("outage", tests, sizeof tests / sizeof tests[0], 200, start_kafka,
                          stop_kafka);
}
