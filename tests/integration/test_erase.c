/* customer.erased: what Redis holds of a customer, byte by byte, before and after. */
#include <stdio.h>

#include "core/file.h"
#include "core/log.h"
#include "processors/decide/decide.h"
#include "processors/worker/engine.h"
#include "processors/worker/redis_store.h"
#include "schemas/event.h"
#include "tests/support/decide_run.h"
#include "tests/support/server.h"
#include "tests/support/suite.h"

#define TOKEN    "0123456789abcdef0123456789abcdef"
#define START_MS 1772438400000

static const struct rule_file rules[] = {
    EVENT_SCHEMAS,
    {"facts.yaml", "mail: {last: event.data.email, of: a.one}\n"
                   "keys: {distinct: event.data.key, of: a.one, over: 9d}\n"},
    {"moments/call.yaml", "moment: call\ntitle: C\ntier: safety\nabout: event.data.key\nagain: 9d\n"
                          "when: [{event: a.one}]\nact: [{channel: phone, wait: 3d}]\n"},
    {"moments/wait.yaml", "moment: wait\ntitle: W\ntier: care\nabout: event.data.key\n"
                          "when: [{event: a.one}, {absent: b.two, for: 1h}]\n"
                          "act: [{channel: phone}]\n"},
    {"sources.yaml", "shop: {types: b.two}\n"},
    {NULL, NULL}};

static struct server *redis;
static struct store *store;
static struct engine *engine;
static struct arena *arena;
static int64_t next;

static void start(void)
{
    const char *const args[] = {"--rdbcompression", "no", NULL};

    log_setup(LOG_ERROR, LOG_LOGFMT, false);
    redis = redis_start(args);
}

static void stop(void)
{
    server_stop(redis);
}

static const struct ruleset *give(void *context, struct str hash_hex, struct err *err)
{
    (void)hash_hex;
    (void)err;
    return context;
}

/* One batch: load, run, commit. */
static void run(const struct record *record)
{
    struct engine_batch batch;
    struct err err = {0};

    do {
        engine_plan(engine, record, 1);
        ck_assert_int_eq(store_fill(store, "decide", 0, TOKEN, engine, arena, &err), STORE_DONE);
        ck_assert_msg(engine_run(engine, &batch, &err) == ERR_NONE, "%s", err.text);
        if (batch.moved) {
            store->class->commit_send(store, "decide", 0, TOKEN, engine_commit(engine), batch.meta,
                                      batch.subjects, batch.subject_count);
            engine_sent(engine);
            ck_assert_int_eq(store->class->commit_wait(store, "decide", 0, &err), STORE_DONE);
            engine_committed(engine);
        }
    } while (batch.done == 0);
}

static void send(const char *customer, int64_t at_ms, const char *type, const char *data)
{
    struct event event = {.id = arena_format(arena, "e%d", (int)next),
                          .source = STR("/test"),
                          .type = str_of(type),
                          .subject = str_of(customer),
                          .partition_key = str_of(customer),
                          .time_ms = START_MS + at_ms};
    struct record record = {.offset = next++,
                            .timestamp_ms = START_MS + at_ms,
                            .key = str_of(customer),
                            .value = str_of(data)};
    struct header *headers;

    record.header_count = event_headers(&event, arena, &headers);
    record.headers = headers;
    run(&record);
}

static void activate(void)
{
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_ACTIVATE)};

    run(&(struct record){.offset = next++,
                         .timestamp_ms = START_MS,
                         .value = STR("any"),
                         .headers = &header,
                         .header_count = 1});
}

/* All that Redis holds, as it lies on disk. */
static struct str everything(void)
{
    const struct redis_settings settings = {.address = server_address(redis)};
    const struct str save[] = {STR("SAVE")};
    struct redis_reply *reply;
    struct redis *r;
    struct str bytes;

    ck_assert_int_eq(redis_open(&settings, &r, NULL), ERR_NONE);
    ck_assert_int_eq(redis_command(r, save, 1, &reply, NULL), ERR_NONE);
    ck_assert(str_is(redis_reply_text(reply), "OK"));
    redis_reply_free(reply);
    redis_close(r);
    ck_assert_int_eq(file_read(arena_format(arena, "%s/dump.rdb", server_dir(redis, 0)).data, arena,
                               &bytes, NULL),
                     ERR_NONE);
    return bytes;
}

START_TEST(nothing_of_the_customer_is_left_in_redis)
{
    static const char *const traces[] = {"customer-4711", "jo@erase.example", "VIN-OF-JO"};
    const struct redis_settings settings = {.address = server_address(redis)};
    struct ruleset *set = decide_run_compile(rules);
    struct decide_config config = {.find = give, .context = set};
    const int32_t partitions[DECIDE_TOPIC_COUNT] = {1, 1, 1};
    struct engine_setup setup = {.class = &decide_class,
                                 .config = &config,
                                 .topic_partitions = partitions,
                                 .generation = 1,
                                 .cache_bytes_max = 1,
                                 .timers_max = 100};
    struct store_claim claim;
    struct err err = {0};
    struct str bytes;

    arena = arena_new(0);
    ck_assert_int_eq(redis_store_open(&settings, &store, &err), ERR_NONE);
    ck_assert_int_eq(store->class->claim(store, "decide", 0, TOKEN, STR("g"), arena, &claim, &err),
                     STORE_DONE);
    ck_assert_int_eq(engine_open(&setup, claim.meta, claim.own, &engine, &err), ERR_NONE);
    activate();
    send("customer-4711", 0, "a.one", "{\"key\":\"VIN-OF-JO\",\"email\":\"jo@erase.example\"}");
    send("another-one", 7200000, "a.one", "{\"key\":\"W\",\"email\":\"al@stay.example\"}");
    bytes = everything(); /* state, a timer, and one that waits for the shop */
    for (size_t i = 0; i < 3; i++)
        ck_assert_msg(str_contains(bytes, str_of(traces[i])), "%s", traces[i]);
    ck_assert(str_contains(bytes, STR("{decide:0}:due:")));

    send("customer-4711", 7300000, "customer.erased", "{}");
    bytes = everything();
    for (size_t i = 0; i < 3; i++)
        ck_assert_msg(!str_contains(bytes, str_of(traces[i])), "%s", traces[i]);
    ck_assert(str_contains(bytes, STR("al@stay.example")));
    engine_close(engine);
    store->class->close(store);
    arena_free(arena);
    ruleset_free(set);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {nothing_of_the_customer_is_left_in_redis};

    return suite_run_with("erase", tests, 1, 60, start, stop);
}
